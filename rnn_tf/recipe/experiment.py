"""The contract between an experiment and the recipe: plain data, plain functions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lazy_loader
import numpy as np

from rnn_tf.config import RunConfig
from rnn_tf.data.splits import Data, Network
from rnn_tf.devices.devices import Devices
from rnn_tf.devices.tuner_processes import Tuners
from rnn_tf.metrics.scores import Scores

keras = lazy_loader.load("keras")


def by_batch(network: Network, dataset, reduce: Callable) -> np.ndarray:
    """Reduce a network's outputs batch by batch, so that they are never all in memory.

    Args:
        network: whose outputs they are.
        dataset: `tf.data.Dataset` of (inputs, targets, ...).
        reduce: (targets, outputs), (batch, ...) -> what is kept of them, (batch, ...).

    Returns:
        (examples, ...): what was kept, in the order of the data set.
    """
    kept = []
    for batch in dataset:
        # JAX takes no tensors of TensorFlow.
        inputs, targets, *_ = keras.tree.map_structure(np.asarray, batch)
        kept.append(reduce(targets, network.model.predict_on_batch(inputs)))
    return np.concatenate(kept)


def array_mean(predictions: list[np.ndarray]) -> np.ndarray:
    """Average the predictions of several seeds."""
    return np.mean(predictions, axis=0)


def as_it_is(networks: list[Network], data: Data):
    """Give the one network as it is: what it takes and gives is the data's own."""
    (network,) = networks
    return network.model


def show_nothing(outcome, console) -> None:
    """Print nothing beyond the tables of the recipe."""


def no_callbacks(model) -> list:
    """Add nothing to the callbacks of the recipe."""
    return []


@dataclass(frozen=True)
class Outcome:
    """All that is known when the test set has been read; a notebook gets it too."""

    folder: Path
    data: Data = field(repr=False)
    # DataFrames: the run's CSV files; later "summary", of all runs that lie beside it
    tables: dict[str, Any] = field(repr=False)
    shown: list[str]  # what was chosen and the best baseline, worth a closer look
    # name -> member(seed), its trained `Network`; by default of the first seed
    members: dict[str, Callable] = field(repr=False)
    model: Any = field(repr=False)  # what was chosen on validation, as it was saved
    recommended: "Entry" = field(repr=False)  # the best on validation of any kind

    @property
    def fits(self) -> list[tuple[str, int]]:
        """Model and seed of each final training that has completed."""
        rows = self.tables["trials"]
        rows = rows[(rows["phase"] == "final") & (rows["status"] == "completed")]
        return list(zip(rows["model"], rows["seed"].astype(int), strict=True))

    def seeds(self, model: str) -> list[int]:
        """List the seeds of `fits` that a model has."""
        return [seed for name, seed in self.fits if name == model]

    def networks(self) -> Iterator[tuple[str, int, Network]]:
        """Yield model, seed and network of each of `fits`.

        Those of a name are one model, which takes the weights of each seed in turn:
        Keras compiles what is made of it, such as a decoder, once.
        """
        shared = {}
        for name, seed in self.fits:
            network = self.members[name](seed)
            first = shared.setdefault(name, network)
            first.model.set_weights(network.model.get_weights())
            yield name, seed, first


@dataclass(frozen=True)
class Experiment:
    """Plain functions, called by `runner.run` in the order of the recipe."""

    name: str
    headline: str  # the metric of the table and of every choice; lower is better
    models: dict[str, Callable]  # name -> build(hp, config, sizes), a Keras model
    answers: tuple[str, ...]  # the models that the course proposes
    load_data: Callable[[RunConfig], Data]
    # -> {name: predict(split)}, as `evaluate` takes it
    baselines: Callable[[RunConfig, Data], dict[str, Callable]]
    # (hp, config, gradient steps) -> optimizer, loss, and a metric named "score"
    compile_arguments: Callable
    # (network, data, split) -> whatever `evaluate` understands, such as arrays
    predict: Callable[[Network, Data, str], Any]
    # (data, split, predictions): each example's error is of the headline metric, whose
    # mean is the model's
    evaluate: Callable[[Data, str, Any], Scores]
    report: Callable[[Outcome], None]  # pictures, and tables of the experiment's own
    # (networks, data) -> one Keras model of their mean, from and to the data's own unit
    export: Callable[[list[Network], Data], Any] = as_it_is
    # further models that the course's claims compare others with
    rivals: tuple[str, ...] = ()
    # predictions of the seeds -> those of their ensemble; None: there are no ensembles
    mean: Callable[[list], Any] | None = array_mean
    # whether means of the best entries are entries, baselines' predictions among them
    combines: bool = False
    # (recommended entry, data) -> rows of metrics.csv, and `intervals` of config.json
    intervals: Callable[["Entry", Data], tuple[list[dict], dict]] | None = None
    # (outcome, console) -> prints what people want to see last
    show: Callable = show_nothing
    callbacks: Callable = no_callbacks  # model -> further Keras callbacks of every fit
    # name of a model -> gradient steps from which XLA makes all of it faster on a CPU
    xla_from: Callable[[str], float] = lambda name: 0


@dataclass(frozen=True)
class Entry:
    """One line of the table: a baseline, a model over its seeds, or an ensemble."""

    model: str
    kind: str  # baseline, answer, tuned, ensemble
    seeds: tuple[int | str, ...]  # ("",) where there is no seed
    predict: Callable[[str], list]  # split -> predictions, one per seed
    trained: tuple[int, ...] = ()  # seeds that `member` takes; none of a baseline
    member: Callable | None = None  # seed -> its trained `Network`
    parts: tuple["Entry", ...] = ()  # of a mean of entries

    @property
    def networks(self) -> list[Network]:
        """All trained networks that it is the mean of; none of a baseline."""
        own = [self.member(seed) for seed in self.trained]
        return own + [network for part in self.parts for network in part.networks]


@dataclass(frozen=True)
class Context:
    """What the jobs and the steps of one run share."""

    experiment: Experiment
    config: RunConfig
    devices: Devices
    data: Data
    tuners: Tuners | None = None  # if several processes share out the trials
    # gradient steps of an epoch, once they have been counted; see `steps_per_epoch`
    steps: dict[str, int] = field(default_factory=dict, repr=False)
    # The network that the last final fit compiled, for the next seed of the same.
    compiled: dict[str, tuple] = field(default_factory=dict, repr=False)

    @property
    def chief(self) -> bool:
        """Whether this process writes the results; of several workers, one does."""
        return self.devices.chief and (self.tuners is None or self.tuners.chief)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the final fits; a process that only serves a search has none."""
        serves = self.tuners and not self.tuners.chief
        return () if serves else tuple(range(1, self.config.seeds + 1))

    def describe(self) -> str:
        """Name this process among those of a run."""
        return f"tuner {self.tuners.id}" if self.tuners else self.devices.describe()

    def build(self, name: str, hp) -> Network:
        """Build the model `name`, not compiled, with the hyperparameters `hp`."""
        build = self.experiment.models[name]
        return Network(name, build(hp, self.config, self.data.sizes))
