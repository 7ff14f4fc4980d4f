"""Draw from a class: a network that says where the pen goes next, point by point.

    make generate                                              quick, two minutes
    make generate ARGS="--data FOLDER --size full"             40 minutes, 20 classes
    make generate ARGS="--data FOLDER --classifier RUN"        judged by a sketch run
    make generate ARGS="--data FOLDER --studies captions"      and captions
    python -m experiments.generate draw --model RUN --class cat --n 16

Times are of two cores. The headline is the negative log-likelihood of a point, in nats:
of where the pen goes, and of whether it goes on, is lifted or has ended; lower is
better. Steps are divided by their standard deviation in training, on which a density
depends: add 2 ln(scale) a point for one in the drawings' own unit.

The network is the decoder of sketch-rnn, which is told a class: vector to sequence. It
draws by being given its own points back.

With the embedded doodles, or by `--studies`, other networks are trained too: a CNN and
an RNN that describe pictures in words, networks that sum a text up, and some that play
tunes from a key or note by note.

Drawings that it makes are judged by classifiers: a run of the sketch experiment, or
else one trained here, on the training drawings that the network has learned from too.
What it has learned by heart that classifier would recognise as well. So a second one is
trained here on the validation drawings alone; on draws of its own it chooses the
temperature of each model, and it judges the rest beside the first. And drawings that
are near a training drawing are counted.
"""

import dataclasses
import math
from functools import partial
from pathlib import Path
from typing import Literal

import lazy_loader
import numpy as np

from experiments import sketch
from rnn_tf import config, files
from rnn_tf.baselines import next_points as baselines
from rnn_tf.config import RunConfig, require_paths
from rnn_tf.data.drawings import batches, next_points
from rnn_tf.data.drawings.next_points import Layout
from rnn_tf.data.drawings.store import Part
from rnn_tf.data.series.tunes import keeps_all
from rnn_tf.data.splits import Data, Network
from rnn_tf.errors import InputError
from rnn_tf.metrics import drawing as metrics
from rnn_tf.metrics.scores import Scores
from rnn_tf.models import drawing, mixture_density, optimizer
from rnn_tf.models.drawing import Sizes
from rnn_tf.recipe import runner, saved_model, training
from rnn_tf.recipe.draw import draw
from rnn_tf.recipe.experiment import Experiment, Outcome, by_batch
from rnn_tf.report import caption_plots, drawing_plots, plots
from rnn_tf.runs import run_folder
from rnn_tf.studies import captions, drawn, judges, summaries, tunes
from rnn_tf.studies.judges import Judge, Judges

keras = lazy_loader.load("keras")
pd = lazy_loader.load("pandas")

# ---------------------------------------------------------------- configuration


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(RunConfig):
    """Draw from a class, and see whether what was asked for is recognised."""

    data: str = "doodles"
    """doodles, quickdraw (downloaded), or a folder of .npz, .ndjson or .tfrecord."""
    classes: tuple[str, ...] = ()
    """With files: the classes to draw; all, if none is given."""
    on_bad_drawing: Literal["error", "skip"] = "error"
    """With a folder: stop at a drawing that cannot be read, or count and skip it."""
    unrecognized: Literal["keep", "skip"] = "keep"
    """With .ndjson: drawings that the game did not recognize; both count them."""
    doodles: int = 3_000
    """With doodles: how many to make; 80 % are for training."""
    longest: int = 200
    """Points after which a drawing is cut, one that is read or one that is drawn."""
    units: int = 64
    """Units of the recurrent layer."""
    dropout: float = 0.1
    """Share of numbers between layers that training drops, of models with dropout."""
    stretch: float = next_points.STRETCH
    """Each axis of a training drawing is stretched by up to this share, by chance."""
    classifier: Path | None = None
    """A run of the sketch experiment that judges drawings; by default one is trained
    on the training drawings."""
    judge_steps: int = 200
    """Gradient steps of the classifiers that are trained here."""
    drawn: int = 10
    """Drawings of each class and temperature that are judged."""
    temperatures: tuple[float, ...] = (0.2, 0.5, 1.0)
    """At which drawings are made: low ones take what is likeliest."""
    studies: tuple[str, ...] | None = None
    """What else networks learn to make: captions, summaries, tunes; by default all with
    doodles, nothing with files."""
    models: tuple[str, ...] = ("lstm", "lstm_unconditional")
    """Names of the models to run; the size full has them all."""
    trials: int = 0
    epochs: int = 6

    def __post_init__(self):
        super().__post_init__()
        if self.studies is None:
            every = tuple(STUDIES) if self.data == "doodles" else ()
            object.__setattr__(self, "studies", every)
        config.require_known(self, "studies", STUDIES)
        config.require_at_least(self, "doodles", 200)
        config.require_at_least(self, "longest", 8)
        for name in ("units", "drawn"):
            config.require_at_least(self, name, 2)
        config.require_at_least(self, "judge_steps", 1)
        for name in ("dropout", "stretch"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(
                    f"--{name} is {getattr(self, name)}; it must be at least 0, and "
                    "below 1"
                )
        config.require_positive(self, "temperatures")
        config.require_any(self, "models")
        config.require_known(self, "models", MODELS)


FULL = {
    "trials": 0,
    "epochs": 10,
    "patience": 10,  # all networks have as many updates
    "doodles": 20_000,
    "units": 256,
    "judge_steps": 2_000,
    "drawn": 25,
    "temperatures": (0.1, 0.2, 0.4, 0.6, 0.8, 1.0),
    "models": ("lstm", "lstm_unconditional", "lstm_dropout", "gru"),
}

BATCH = 64
STUDIES = {"captions": captions, "summaries": summaries, "tunes": tunes}

# ---------------------------------------------------------------- data


@dataclasses.dataclass(frozen=True)
class Source:
    """Drawings by split, and how they become batches."""

    parts: dict[str, Part]
    classes: tuple[str, ...]
    layout: Layout
    # Names of classes that a run of the sketch experiment knows, and its saved model.
    judge: tuple[tuple[str, ...], Path] | None


def load_data(config: Config) -> Data:
    """Load the drawings of each class in three parts; a folder's stay on disk."""
    labelled = sketch.read_labelled(config)
    scale = next_points.scale(labelled.parts["train"])
    layout = Layout(config.longest, scale, config.stretch)
    judge = _judge_of(config.classifier, labelled.classes)
    source = Source(labelled.parts, labelled.classes, layout, judge)
    batch = config.batch_size or BATCH
    facts = labelled.describe("drawings", scale=scale, limit=config.longest)
    sizes = Sizes(len(source.classes), scale)
    dataset = partial(_dataset, source, batch)
    return Data(sizes, dataset, batch, labelled.block, facts, source)


def _judge_of(run: Path | None, classes: tuple[str, ...]):
    """Find the classifier of a run of the sketch experiment, if one is given."""
    if run is None:
        return None
    info, path = run_folder.find_chosen_model(run, "sketch")
    known = tuple(info["data"]["classes"])
    for name in classes:
        if name not in known:
            raise InputError(
                f"--classifier {run} does not know the class {name!r}; give a run of "
                "the sketch experiment on the same classes, or none"
            )
    return known, path


def _dataset(source: Source, batch: int, split: str, network, order=None):
    """Make batches for training by an order; else all drawings of a part, in order."""
    layout, part = source.layout, source.parts[split]
    if order is None:
        layout, batch = dataclasses.replace(layout, stretch=0.0), 2 * BATCH
    return next_points.dataset(part, layout, batch, order)


def find_baselines(config: Config, data: Data) -> dict:
    """Give each baseline's predict(split): nats of drawings, (drawings, 3)."""
    parts, scale = data.source.parts, data.sizes.scale
    rivals = {
        "gaussian": baselines.gaussian(parts["train"], scale),
        "bigram": baselines.bigram(parts["train"], scale),
    }

    def predict(rival, split):
        return rival(parts[split])

    return {name: partial(predict, rival) for name, rival in rivals.items()}


# ---------------------------------------------------------------- models
# Points so far, stroke-5, (batch, steps, 5), and classes, (batch,) -> what comes, as
# `mixture_density` says it, (batch, steps, WIDTH).


def build(cell: str, hp, config: Config, sizes: Sizes, dropout=False, told=True):
    """Build sketch-rnn's decoder; see `drawing.network`."""
    rate = 0.0
    if dropout:
        rates = sorted({0.1, 0.2, 0.4, config.dropout} - {0.0})
        rate = hp.Choice("dropout", rates, default=config.dropout or 0.1)
    return drawing.network(sizes, cell, config.units, rate, told)


MODELS = {
    "lstm": partial(build, "lstm"),
    "lstm_unconditional": partial(build, "lstm", told=False),
    "lstm_dropout": partial(build, "lstm", dropout=True),
    "gru": partial(build, "gru"),
}

# ---------------------------------------------------------------- training


def compile_arguments(hp, config: Config, steps: int) -> dict:
    """Train by Adam, clipped, its rate falling to zero along a cosine over `steps`.

    What comes after a drawing's end has the weight 0.
    """
    rate = optimizer.learning_rate(hp, config.units)
    score = keras.metrics.MeanMetricWrapper(mixture_density.loss, name="score")
    return {
        "optimizer": optimizer.clipped_adam(rate, steps),
        "loss": mixture_density.loss,
        "weighted_metrics": [score],
    }


def xla_from(name: str) -> float:
    """Say from how many gradient steps XLA pays for a whole model: never.

    Measured with one thread, LSTM(256) on 64 x 56 points: 131 ms a step by Keras, 117
    with XLA for the recurrent layer alone. XLA for all of the model took four times as
    long as Keras for a like network (29 and 125 core-seconds an epoch), and compiles
    anew for each length.
    """
    return math.inf


# ---------------------------------------------------------------- evaluation


def predict(network: Network, data: Data, split: str) -> np.ndarray:
    """Give the nats of drawings, (drawings, 3): of steps, of the pen; and points."""

    def of_drawings(points, outputs):
        real = np.cumsum(points[..., 4], axis=1) <= 1  # up to the end, with it
        nats = map(keras.ops.convert_to_numpy, mixture_density.nats(points, outputs))
        return np.stack([(real * x).sum(axis=1) for x in (*nats, real)], axis=1)

    return by_batch(network, data.dataset(split, network), of_drawings).astype(float)


def evaluate(data: Data, split: str, predictions: np.ndarray) -> Scores:
    """Score the nats of drawings, (drawings, 3): overall, and per class."""
    source = data.source
    labels = source.parts[split].labels.astype(int)
    return metrics.scores(predictions, labels, source.classes)


def report(config: Config, outcome: Outcome) -> None:
    """Have each network draw at each temperature; judge that, and show it."""
    folder, source, best = outcome.folder, outcome.data.source, outcome.shown[0]
    plots.learning_curves(folder / "learning_curves.png", outcome.tables["history"])
    jury = find_judges(config, source)
    nearest = drawn.nearest_training(source.parts["train"])
    people = drawn.of_people(source.parts["test"], source.classes)
    row = {"model": "test drawings", "seed": "", "temperature": "", "chosen": ""}
    rows = [row | drawn.row(people, jury, nearest) | {"choice": ""}]
    artists, shown = {}, {}
    for name, seed, network in outcome.networks():
        if name not in artists:
            artists[name] = drawing.artist(network.model)
        ask = partial(drawn.ask, artists[name], source.classes)
        for temperature in config.temperatures:
            sample = ask(temperature, config.drawn, config.longest)
            row = {"model": name, "seed": seed, "temperature": temperature, "chosen": 0}
            rows.append(row | drawn.row(sample, jury, nearest))
            if name == best:
                shown.setdefault(temperature, sample.drawings)
    drawn.choose(rows)
    files.write_csv(folder / "drawn.csv", drawn.COLUMNS, rows)
    drawing_plots.grid(folder / "drawn.png", source.classes, shown)
    drawing_plots.temperatures(folder / "temperatures.png", pd.DataFrame(rows), best)
    make_words_and_tunes(config, folder)


def make_words_and_tunes(config: Config, folder: Path) -> None:
    """Train networks that describe, sum up and play; leave rows and pictures."""
    described, played = [], {}
    shows = {
        "captions": lambda *scenes: described.append(scenes),
        "tunes": lambda model, *notes: played.update({model: notes}),
    }
    for name in config.studies:
        study, show = STUDIES[name], {"show": shows[name]} if name in shows else {}
        rows = list(study.rows(config.seeds, config.size, **show))
        files.write_csv(folder / f"{name}.csv", list(study.COLUMNS), rows)
    if described:
        caption_plots.scenes(folder / "captions.png", *described[0])
    if played:
        caption_plots.tunes(folder / "tunes.png", played, keeps_all)


def find_judges(config: Config, source: Source) -> Judges:
    """Load or train a classifier, and train another on the validation drawings."""
    other = _train_judge(config, source, "validation")
    if source.judge is None:
        return Judges(_train_judge(config, source, "train"), other)
    known, path = source.judge
    predict = saved_model.load_classifier(path, len(known))
    padding = batches.padding(source.parts["train"], config.longest)
    of_files = dataclasses.replace(padding, scale=1.0)
    return Judges(judges.judge(predict, of_files, known), other)


def _train_judge(config: Config, source: Source, split: str) -> Judge:
    """Train a network of the sketch experiment on a part."""
    keras.utils.set_random_seed(1)
    hp, steps = training.hyperparameters(None), config.judge_steps
    model = sketch.MODELS["conv_lstm"](hp, config, len(source.classes))
    model.compile(**sketch.compile_arguments(hp, config, steps))
    return judges.train(
        model, source.parts[split], source.classes, config.longest, steps
    )


# ---------------------------------------------------------------- run


def experiment(config: Config) -> Experiment:
    """Define the experiment; see `rnn_tf.recipe.experiment`."""
    return Experiment(
        name="generate",
        headline="nats",
        models={name: MODELS[name] for name in config.models},
        answers=(),
        rivals=("lstm_unconditional", "lstm"),
        load_data=load_data,
        baselines=find_baselines,
        compile_arguments=compile_arguments,
        predict=predict,
        evaluate=evaluate,
        report=partial(report, config),
        mean=None,  # no ensembles: there is no mean of what networks draw
        xla_from=xla_from,
    )


def run(config: Config) -> Outcome:
    """Run the recipe; see `rnn_tf.recipe.runner.run`."""
    require_paths(config, "doodles", "quickdraw")
    return runner.run(experiment, config)


if __name__ == "__main__":
    raise SystemExit(config.main(run, Config, FULL, "generate", draw=draw))
