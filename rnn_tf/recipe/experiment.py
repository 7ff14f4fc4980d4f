"""The contract between an experiment and the recipe: plain data, plain functions."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnn_tf.config import RunConfig
from rnn_tf.data.splits import Data
from rnn_tf.devices.strategy import Devices
from rnn_tf.devices.tuner_processes import Tuners
from rnn_tf.metrics.scores import Scores
from rnn_tf.runs.run_folder import Run


@dataclass(frozen=True)
class Results:
    """What `report` draws from: all that is known once the test set has been read."""

    folder: Path
    data: Data
    tables: dict[str, Any]  # DataFrames: the run's CSV files
    shown: list[str]  # what was chosen and the best baseline, worth a closer look
    members: dict[str, Callable[[], list]]  # name -> its trained models, one per seed


@dataclass(frozen=True)
class Experiment:
    """Plain functions, called by `runner.run` in the order of the recipe."""

    name: str
    headline: str  # the metric of the table and of every choice; lower is better
    models: dict[str, Callable]  # name -> build(hp, config, shape)
    answers: tuple[str, ...]  # the models that the course proposes
    load_data: Callable[[RunConfig], Data]
    # -> {name: predict(split)}, in the data's own unit
    baselines: Callable[[RunConfig, Data], dict[str, Callable]]
    # (hp, config, gradient steps) -> optimizer, loss, and a metric named "score"
    compile_arguments: Callable
    # (data, what a model puts out) -> predictions in the data's own unit
    decode: Callable[[Data, np.ndarray], np.ndarray]
    evaluate: Callable[[Data, str, np.ndarray], Scores]  # (data, split, predictions)
    export: Callable  # (models, data) -> their mean, from and to the data's own unit
    report: Callable[[Results], None]  # pictures, and tables of the experiment's own
    ensembles: bool = True  # whether each model's seeds also forecast together
    xla: bool = True  # whether XLA makes long trainings faster on a CPU


@dataclass(frozen=True)
class Entry:
    """One line of the table: a baseline, a model over its seeds, or an ensemble."""

    model: str
    kind: str  # baseline, answer, tuned, ensemble
    seeds: tuple[int | str, ...]  # ("",) where there is no seed
    predict: Callable[[str], list[np.ndarray]]  # split -> one array per seed
    members: Callable[[], list] = list  # the Keras models, one per seed


@dataclass(frozen=True)
class Job:
    """What the steps of one run share."""

    experiment: Experiment
    config: RunConfig
    devices: Devices
    data: Data
    run: Run
    tuners: Tuners | None = None  # if several processes share out the trials

    @property
    def chief(self) -> bool:
        """Whether this process writes the results; of several workers, one does."""
        return self.devices.chief and (self.tuners is None or self.tuners.chief)

    def says(self) -> str:
        """What this process is."""
        return f"tuner {self.tuners.id}" if self.tuners else self.devices.describe()

    def label(self, name: str) -> str:
        """A model, for the lines of progress."""
        names = list(self.experiment.models)
        return f"model {names.index(name) + 1}/{len(names)} {name}"
