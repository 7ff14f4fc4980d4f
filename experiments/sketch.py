"""Classify drawings, stroke by stroke.

    make sketch                                                quick, 1 minute
    make sketch ARGS="--data FOLDER --size full"               40 minutes, 20 classes
    make sketch ARGS="--data quickdraw --classes cat dog"      Google's, downloaded
    python -m experiments.sketch predict --model RUN FILE      what is drawn in a file

Minutes on two cores, by the reference runs. Expect a test error of 20 % of the quick
doodles (conv_bilstm_ensemble), and of 4.4 % on 20 classes of Quick, Draw!.

The course answers with a program: Conv1D and two LSTMs on SketchRNN's strokes. It
stands in the table with the least change that makes it run, beside the network of the
textbook and networks that mind the padding.
"""

import dataclasses
import math
from functools import partial
from pathlib import Path
from typing import Literal

import lazy_loader
import numpy as np

from rnn_tf import config, files
from rnn_tf.baselines.drawings import bag_of_points
from rnn_tf.config import RunConfig, require_paths
from rnn_tf.data.drawings import augmentation, batches, doodles, quickdraw
from rnn_tf.data.drawings.batches import Padding
from rnn_tf.data.drawings.folder import read_class_files, read_folder
from rnn_tf.data.drawings.store import Part
from rnn_tf.data.drawings.stroke3 import Choice
from rnn_tf.data.labelled import Labelled
from rnn_tf.data.splits import Data, Network
from rnn_tf.metrics import classification
from rnn_tf.metrics.scores import Scores
from rnn_tf.models import layers
from rnn_tf.models.optimizer import clipped_adam
from rnn_tf.recipe import progress, runner
from rnn_tf.recipe.experiment import Experiment, Outcome, by_batch
from rnn_tf.recipe.predict import predict_drawings
from rnn_tf.report import guess_plots
from rnn_tf.studies import cost, course_program

keras = lazy_loader.load("keras")

# ---------------------------------------------------------------- configuration


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(RunConfig):
    """Classify drawings, and see what beats what."""

    data: str = "doodles"
    """doodles, quickdraw (downloaded), or a folder of .npz, .ndjson or .tfrecord."""
    classes: tuple[str, ...] = ()
    """With files: the classes to tell apart; all, if none is given."""
    on_bad_drawing: Literal["error", "skip"] = "error"
    """With a folder: stop at a drawing that cannot be read, or count and skip it."""
    unrecognized: Literal["keep", "skip"] = "keep"
    """With .ndjson: drawings that the game did not recognize; both count them."""
    doodles: int = 3_000
    """With doodles: how many to make; 80 % are for training."""
    trials: int = 0
    trial_epochs: int = 2
    epochs: int = 6
    longest: int = 200
    """Points after which a drawing is cut."""
    models: tuple[str, ...] = ("answer", "textbook", "conv_bilstm")
    """Names of the models to run; the size full has them all."""

    def __post_init__(self):
        super().__post_init__()
        config.require_at_least(self, "doodles", 200)
        config.require_at_least(self, "longest", 8)
        config.require_any(self, "models")
        config.require_known(self, "models", MODELS)


FULL = {
    "trials": 3,
    "trial_epochs": 6,
    "epochs": 30,
    "patience": 30,
    "doodles": 20_000,
    "models": (
        *("answer", "textbook", "conv_lstm", "conv_bilstm"),
        *("conv_lstm_stride_2", "conv_lstm_stride_1", "lstm"),
    ),
}

# ---------------------------------------------------------------- data


@dataclasses.dataclass(frozen=True)
class Source:
    """Drawings by split, and how they become batches."""

    parts: dict[str, Part]
    classes: tuple[str, ...]
    padding: Padding

    def labels(self, split: str) -> np.ndarray:
        """Return the labels of a split, (drawings,) int."""
        return self.parts[split].labels.astype(int)


def load_data(config: Config) -> Data:
    """Load the drawings of each class in three parts; a folder's stay on disk."""
    labelled = read_labelled(config)
    train = labelled.parts["train"]
    padding = batches.padding(train, config.longest)
    source = Source(labelled.parts, labelled.classes, padding)
    batch = config.batch_size or BATCH
    facts = labelled.describe("drawings", padding=dataclasses.asdict(padding))
    dataset = partial(_dataset, source, batch)
    return Data(len(source.classes), dataset, batch, labelled.block, facts, source)


def read_labelled(config: Config) -> Labelled:
    """Make doodles, or read the drawings of files."""
    if config.data == "doodles":
        return doodles.labelled(config.doodles)
    if config.data == "quickdraw":
        drawings = read_class_files(quickdraw.fetch(config.classes))
    else:
        drawings = read_folder(Path(config.data), config.classes)
    choice = Choice(config.on_bad_drawing, config.unrecognized)
    return drawings.labelled(config.data, choice)


def _dataset(source: Source, batch: int, split: str, network, order=None):
    """Make batches that fit the network; only our own networks see augmented ones."""
    part, padding = source.parts[split], source.padding
    change = augmentation.augment
    if network.name in AS_WRITTEN:
        longest, batch = AS_WRITTEN[network.name]
        padding, change = padding.in_plain_batches(longest), None
    if split == "train":
        return batches.dataset(part, padding, batch, order, change)
    return batches.dataset(part, padding, batch if padding.plain else 512)


def find_baselines(config: Config, data: Data) -> dict:
    """Give each baseline's predict(split): probabilities, (drawings, classes)."""
    parts, train = data.source.parts, data.source.parts["train"]
    bag = bag_of_points(train)
    return {
        "majority": lambda split: classification.majority(
            train.labels, data.sizes, len(parts[split].labels)
        ),
        "bag_of_points": lambda split: bag(parts[split]),
    }


# ---------------------------------------------------------------- models
# Each takes stroke-5, (batch, time, 5), padded at the end, and gives the probability of
# each class, (batch, classes).


def answer(hp, config: Config, classes: int):
    """Build the course's program: Conv1D and two LSTMs, which read the padding too."""
    hp.Fixed("optimizer", "adam")
    x = inputs = keras.Input((None, 5), name="strokes")
    x = keras.layers.Conv1D(32, 5, activation="relu")(x)
    x = keras.layers.LSTM(64, return_sequences=True)(x)
    x = keras.layers.Dropout(0.2)(x)
    x = keras.layers.LSTM(64)(x)
    x = layers.output(classes, "softmax")(x)
    return keras.Model(inputs, x)


def textbook(hp, config: Config, classes: int):
    """Build the textbook's network: three strided Conv1D, two LSTMs.

    Source: Geron (2022), "Hands-On Machine Learning", 3rd edition, exercise 9 of 15.
    """
    hp.Fixed("optimizer", "sgd")
    x = inputs = keras.Input((None, 5), name="strokes")
    for filters, kernel in ((32, 5), (64, 5), (128, 3)):
        x = keras.layers.Conv1D(filters, kernel, strides=2, activation="relu")(x)
        x = keras.layers.BatchNormalization()(x)
    x = keras.layers.LSTM(128, return_sequences=True)(x)
    x = keras.layers.LSTM(128)(x)
    x = layers.output(classes, "softmax")(x)
    return keras.Model(inputs, x)


def conv_lstm(strides: tuple, bidirectional: bool, hp, config: Config, classes: int):
    """Build convolutions that shorten the drawing, two LSTMs, and a pool over all.

    The mask goes along, so that the padding changes nothing. The place of each point
    is an input beside the step that led to it. Without convolutions the LSTMs get more
    units, for as many parameters.
    """
    x = inputs = keras.Input((None, 5), name="strokes")
    mask = 1 - x[:, :, 4:]
    place = keras.ops.cumsum(x[:, :, :2], axis=1) * mask
    x = keras.ops.concatenate([x[:, :, :4], place / PLACE], axis=-1)
    rate = hp.Choice("dropout", [0.2, 0.4], default=0.2)
    for filters, stride in zip((48, 64, 96), strides, strict=False):
        x, mask = layers.masked_conv(x, mask, filters, 5, stride)
        x = keras.layers.LayerNormalization()(x)
    units = 128 if strides else 155
    for _ in range(2):
        x = keras.layers.Dropout(rate)(x)
        if bidirectional:
            x = layers.masked_bidirectional(keras.layers.LSTM, x, mask, units)
        else:
            x = keras.layers.LSTM(units, return_sequences=True)(x)
    x = keras.layers.Dropout(rate)(layers.masked_pool(x, mask))
    return keras.Model(inputs, layers.output(classes, "softmax")(x))


MODELS = {
    "answer": answer,
    "textbook": textbook,
    "conv_lstm": partial(conv_lstm, (1, 2, 2), False),
    "conv_bilstm": partial(conv_lstm, (1, 2, 2), True),
    "conv_lstm_stride_2": partial(conv_lstm, (1, 2, 1), False),
    "conv_lstm_stride_1": partial(conv_lstm, (1, 1, 1), False),
    "lstm": partial(conv_lstm, (), False),
}

BATCH = 64
AS_WRITTEN = {"answer": (200, 32), "textbook": (100, 32)}  # longest drawing, batch
PLACE = 5.0  # places are larger than steps


# ---------------------------------------------------------------- training


def compile_arguments(hp, config: Config, steps: int) -> dict:
    """Train by Adam along a cosine; the course's and the textbook's as they were."""
    chosen = hp.values.get("optimizer")
    if chosen == "adam":
        optimizer = keras.optimizers.Adam()
    elif chosen == "sgd":
        optimizer = keras.optimizers.SGD(0.01, clipnorm=1.0)
    else:
        rate = hp.Float("learning_rate", 5e-4, 8e-3, sampling="log", default=3e-3)
        optimizer = clipped_adam(rate, steps)
    return classification.compile_arguments(optimizer)


def xla_from(name: str) -> float:
    """Say from how many gradient steps XLA pays, which compiles for each length.

    As written, the course's and the textbook's have any length: it never does.
    """
    return math.inf if name in AS_WRITTEN else 6_000


# ---------------------------------------------------------------- evaluation


def predict(network: Network, data: Data, split: str) -> np.ndarray:
    """Give the probability of each class: (drawings, classes)."""
    dataset = data.dataset(split, network)
    return by_batch(network, dataset, lambda _, probabilities: probabilities)


def evaluate(data: Data, split: str, predictions: np.ndarray) -> Scores:
    """Score probabilities (drawings, classes): overall, and per class."""
    source = data.source
    return classification.scores(source.labels(split), predictions, source.classes)


def export(networks: list[Network], data: Data):
    """Join the networks into one model of drawings as they are in files, their mean.

    Its input is stroke-5 with steps in a box of 255: (batch, time, 5).
    """
    inputs = keras.Input((None, 5), name="strokes")
    scale = data.source.padding.scale
    steps = keras.ops.concatenate([inputs[:, :, :2] / scale, inputs[:, :, 2:]], axis=-1)
    return classification.average_models([n.model for n in networks], inputs, steps)


def report(config: Config, outcome: Outcome) -> None:
    """Draw pictures; run the course's program; measure what padding and strides do."""
    part = outcome.data.source.parts["test"]
    chosen, tables = outcome.shown[0], outcome.tables
    guess_plots.classification(
        outcome.folder, tables, chosen, outcome.data.source.classes
    )
    guess_plots.drawings(
        outcome.folder / "drawings.png",
        guess_plots.first_seed(tables["predictions"], chosen),
        part.drawing,
    )
    as_written = "answer" in config.models
    if as_written and keras.config.backend() == "tensorflow":
        broken = course_program.rows()
        files.write_csv(
            outcome.folder / "as_given.csv", course_program.AS_GIVEN, broken
        )
        progress.console().print(course_program.table(broken))
    elif as_written:
        print("as_given.csv is left out: the course's program is for TensorFlow")
    names = [name for name in config.models if name in outcome.members]
    padding_rows = cost.padding_rows(
        _first_seeds(outcome, names), *_padded(outcome.data)
    )
    cost_rows = cost.cost_rows(_first_seeds(outcome, names), *_typical(outcome.data))
    files.write_csv(outcome.folder / "padding.csv", cost.PADDING, padding_rows)
    files.write_csv(outcome.folder / "cost.csv", cost.COST, cost_rows)
    if "textbook" in config.models:
        rows = cost.time_to_score_rows(outcome.tables["history"], "textbook")
        files.write_csv(outcome.folder / "time_to_score.csv", cost.TIME_TO_SCORE, rows)
    progress.console().print(cost.table(cost_rows, padding_rows))


def _first_seeds(outcome: Outcome, names: list[str]) -> dict:
    return {name: outcome.members[name]().model for name in names}


def _padded(data: Data) -> tuple[dict, np.ndarray]:
    """Pad test drawings that no model cuts to several lengths; and their labels."""
    part, scale = data.source.parts["test"], data.source.padding.scale
    longest = min(data.source.padding.lengths[-1], AS_WRITTEN["textbook"][0])
    which = part.file_order
    which = which[part.lengths[which] <= longest][:512]
    steps = [longest * percent // 100 for percent in (100, 125, 150, 200)]
    inputs = {n: part.stroke5(which, n, scale) for n in steps}
    return inputs, part.labels[which].astype(int)


def _typical(data: Data) -> tuple[np.ndarray, np.ndarray]:
    """Take a batch of training drawings of about the median length."""
    part, padding = data.source.parts["train"].shortest_first(), data.source.padding
    which = np.arange(len(part.labels))[len(part.labels) // 2 :][: data.batch_size]
    steps = padding.steps(part.lengths[which])
    return part.stroke5(which, steps, padding.scale), part.labels[which].astype(int)


# ---------------------------------------------------------------- run


def experiment(config: Config) -> Experiment:
    """Define the experiment; see `rnn_tf.recipe.experiment`."""
    return Experiment(
        name="sketch",
        headline="error",
        models={name: MODELS[name] for name in config.models},
        answers=("answer",),
        load_data=load_data,
        baselines=find_baselines,
        compile_arguments=compile_arguments,
        predict=predict,
        evaluate=evaluate,
        export=export,
        report=partial(report, config),
        xla_from=xla_from,
    )


def run(config: Config) -> Outcome:
    """Run the recipe; see `rnn_tf.recipe.runner.run`."""
    require_paths(config, "doodles", "quickdraw")
    return runner.run(experiment, config)


if __name__ == "__main__":
    raise SystemExit(config.main(run, Config, FULL, "sketch", predict=predict_drawings))
