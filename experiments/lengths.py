"""Static and dynamic loops, padding and masks, and what a recurrent network costs.

    make lengths                                    quick, 80 seconds
    make lengths ARGS="--size full"                 12 minutes, numbers to quote
    make lengths ARGS="--cells gru --width 200"     more padding, one cell

Minutes on two cores. Networks recall the first symbol of sequences of several lengths,
padded at the end or in front, with a mask and without: expect 0 % errors with a mask
and, without one, a GRU that guesses when the padding comes last. Beside it the studies
measure the functions that the course names, `dynamic_rnn` and `static_rnn` of
TensorFlow 1, and what has come after them: which batches equal their rows, what graphs,
updates and memory cost, and what padding wastes.
"""

import dataclasses
import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import lazy_loader
import numpy as np

from rnn_tf import config, files
from rnn_tf.config import RunConfig, require_paths
from rnn_tf.data import examples
from rnn_tf.data.order import Order, shuffled, without_autotune
from rnn_tf.data.splits import Data, Network
from rnn_tf.data.text import first_symbol, reader
from rnn_tf.data.text.first_symbol import SYMBOLS, Sequences
from rnn_tf.errors import InputError
from rnn_tf.metrics import text
from rnn_tf.metrics.scores import Scores
from rnn_tf.models import layers
from rnn_tf.models.optimizer import clipped_adam
from rnn_tf.recipe import runner
from rnn_tf.recipe.experiment import Experiment, Outcome, by_batch
from rnn_tf.report import length_plots, plots
from rnn_tf.studies import batching, equal_rows, static_and_dynamic, step_costs

keras = lazy_loader.load("keras")
pd = lazy_loader.load("pandas")

# ---------------------------------------------------------------- configuration


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(RunConfig):
    """Measure what padding, masks and loops over time do, and what they cost."""

    data: tuple[str, ...] = ("sentences", "drawings")
    """Lengths of rows to batch: as those of sentences or of drawings; or UTF-8 texts,
    whose lines have so many words."""
    cells: tuple[Literal["simple_rnn", "lstm", "gru"], ...] = ("gru",)
    """Recurrent cells that recall a first symbol."""
    bucketed: bool = False
    """Train the last cell in batches of equal lengths too: does it cost accuracy?"""
    longest: int = 20
    """Symbols of a sequence, at most; all lengths from 5 on are there."""
    width: int = 60
    """Steps that sequences are padded to."""
    units: int = 32
    """Units of each layer."""
    examples: int = 4_000
    """Sequences to make; 80 % are for training."""
    steps: tuple[int, ...] = (10, 30)
    """Lengths at which loops and networks are timed."""
    rounds: int = 3
    """Turns that each of them is timed."""
    rows: int = 96
    """Rows of several lengths that are batched."""
    trials: int = 0
    epochs: int = 3
    patience: int = 100
    batch_size: int | None = 32

    def __post_init__(self):
        super().__post_init__()
        for name in ("data", "cells", "steps"):
            config.require_any(self, name)
        config.require_at_least(self, "longest", first_symbol.SHORTEST)
        config.require_at_least(self, "steps", 2)
        for name in ("units", "rounds"):
            config.require_at_least(self, name, 1)
        for name in ("examples", "rows"):
            config.require_at_least(self, name, 32)
        if self.width < self.longest:
            raise InputError(
                f"--width is {self.width}; it must be at least --longest, "
                f"{self.longest}"
            )


FULL = {
    "seeds": 5,
    "epochs": 8,
    "cells": ("simple_rnn", "lstm", "gru"),
    "bucketed": True,
    "examples": 10_000,
    "steps": (10, 30, 100, 300, 1000),
    "rounds": 15,
    "rows": 1_024,
}

SIDES = "pre", "post"
BUCKETED = "bucketed"  # its batches are of sequences that are about as long
LOOPS = {
    "quick": ("static", "dynamic"),
    "full": tuple(static_and_dynamic.KINDS),
}
CORES = {"quick": (1,), "full": (1, 2)}

# ---------------------------------------------------------------- data


@dataclasses.dataclass(frozen=True)
class Source:
    """Sequences in three parts, the width they are padded to, and rows to batch."""

    parts: dict[str, Sequences]
    width: int
    lengths: dict[str, np.ndarray]  # name -> (rows,)


def load_data(config: Config) -> Data:
    """Make sequences of symbols, in three parts; find the lengths of rows to batch."""
    lengths = {Path(name).name: row_lengths(name, config.rows) for name in config.data}
    parts = first_symbol.sequences(config.examples, config.longest)
    source, batch = Source(parts, config.width, lengths), config.batch_size or 32
    flat = first_symbol.flat(parts, config.longest)
    facts = examples.facts("symbols", flat, *lengths.values())
    return Data(SYMBOLS, partial(dataset, source, batch), batch, 1, facts, source)


def dataset(source: Source, batch: int, split: str, network: Network, order=None):
    """Pad sequences as the network's name says: batches of training, or to score."""
    import tensorflow as tf  # here, so that --help need not wait for it

    _, side, *rest = network.name.removeprefix("simple_").split("_")
    part = source.parts[split]
    if order is not None and BUCKETED in rest:
        return bucketed(part.by_length(), source.width, side, batch, order)
    x, y = part.padded(source.width, side), part.labels[:, None]
    if order is None:
        return without_autotune(tf.data.Dataset.from_tensor_slices((x, y)).batch(1_000))
    x, y = tf.constant(x), tf.constant(y)
    return shuffled(
        len(x), batch, order, lambda which: (tf.gather(x, which), tf.gather(y, which))
    )


def bucketed(part: Sequences, width: int, side: str, batch: int, order: Order):
    """Shuffle batches of sequences that are about as long, always the same ones."""
    import tensorflow as tf

    count = len(part.lengths) // batch
    x, y = part.padded(width, side), part.labels[:, None]
    x, y = (tf.constant(a[: count * batch].reshape(count, batch, -1)) for a in (x, y))
    return shuffled(count, 1, order, lambda which: (x[which[0]], y[which[0]]))


def row_lengths(name: str, count: int) -> np.ndarray:
    """Draw lengths as those of sentences or drawings; or count the words of lines.

    Raises:
        InputError: it is neither, nor a text that can be read, nor has it words.
    """
    if name in batching.QUANTILES:
        return batching.lengths(name, count)
    words = (len(line.split()) for line in reader.lines(reader.read(Path(name))))
    counts = list(itertools.islice(filter(None, words), count))
    if len(counts) < 2:
        raise InputError(f"{name} has {len(counts)} lines with words; give 2 and more")
    return np.array(counts)


def find_baselines(config: Config, data: Data) -> dict:
    """Give each baseline's predict(split): the probability of each symbol."""
    return first_symbol.predictors(data.source.parts)


# ---------------------------------------------------------------- models
# Each takes symbols, (batch, width), 0 for padding, and gives the probability that each
# symbol was the first, (batch, symbols).

CELLS = {
    "simple_rnn": lambda units: keras.layers.SimpleRNN(units),
    "lstm": lambda units: keras.layers.LSTM(units),
    "gru": lambda units: keras.layers.GRU(units),
}


def recaller(cell: str, masked: bool, hp, config: Config, symbols: int):
    """Build a recurrent layer on an embedding, whose mask it obeys or never gets."""
    inputs = keras.Input((config.width,), dtype="int32", name="symbols")
    spread = keras.initializers.RandomNormal(stddev=1.0)
    x = keras.layers.Embedding(symbols + 1, 8, spread, mask_zero=masked)(inputs)
    x = CELLS[cell](config.units)(x)
    return keras.Model(inputs, layers.output(symbols, "softmax")(x))


def find_models(config: Config) -> dict[str, Callable]:
    """Give the models to run: each cell and side, with a mask and without."""
    models = {
        f"{cell}_{side}{'_mask' * masked}": partial(recaller, cell, masked)
        for cell in config.cells
        for side in SIDES
        for masked in (False, True)
    }
    if config.bucketed:
        models[f"{config.cells[-1]}_post_mask_{BUCKETED}"] = partial(
            recaller, config.cells[-1], True
        )
    return models


# ---------------------------------------------------------------- training


def compile_arguments(hp, config: Config, steps: int) -> dict:
    """Train by Adam, clipped, its rate falling to zero along a cosine over `steps`."""
    rate = hp.Float("learning_rate", 1e-3, 2e-2, sampling="log", default=5e-3)
    loss = "sparse_categorical_crossentropy"
    score = keras.metrics.MeanMetricWrapper(keras.losses.get(loss), name="score")
    return {"optimizer": clipped_adam(rate, steps), "loss": loss, "metrics": [score]}


# ---------------------------------------------------------------- evaluation


def predict(network: Network, data: Data, split: str) -> np.ndarray:
    """Give the probability of each symbol: (sequences, symbols)."""
    batches = data.dataset(split, network)
    return by_batch(network, batches, lambda _, output: output).astype(float)


def evaluate(data: Data, split: str, predictions: np.ndarray) -> Scores:
    """Score probabilities of the first symbol."""
    return text.scores(data.source.parts[split].labels, predictions)


def report(config: Config, outcome: Outcome) -> None:
    """Write what the studies measure, and draw it."""
    tensorflow = keras.config.backend() == "tensorflow"
    steps, rounds, ends = config.steps, config.rounds, outcome.data.source.lengths
    loops = static_and_dynamic.rows(LOOPS[config.size], steps, rounds)
    equal = equal_rows.rows(config.cells, graphs=tensorflow)
    costs = step_costs.rows(CORES[config.size], steps, rounds)
    tables = {
        "equality": (equal_rows.COLUMNS, equal),
        "graphs": (static_and_dynamic.GRAPHS, loops[0]),
        "memory": (static_and_dynamic.MEMORY, loops[1]),
        "batching": (batching.COLUMNS, batching.rows(ends, min(rounds, 5))),
        "step_costs": (step_costs.COLUMNS, costs),
    }
    for name, (columns, rows) in tables.items():
        files.write_csv(outcome.folder / f"{name}.csv", columns, list(rows))
    length_plots.draw(outcome.folder, outcome.tables["metrics"])
    plots.learning_curves(
        outcome.folder / "learning_curves.png", outcome.tables["history"]
    )


# ---------------------------------------------------------------- run


def experiment(config: Config) -> Experiment:
    """Define the experiment; see `rnn_tf.recipe.experiment`."""
    return Experiment(
        name="lengths",
        headline="error",
        models=find_models(config),
        answers=(),
        load_data=load_data,
        baselines=find_baselines,
        compile_arguments=compile_arguments,
        predict=predict,
        evaluate=evaluate,
        report=partial(report, config),
        mean=None,  # no ensembles: the models are what is compared
    )


def run(config: Config) -> Outcome:
    """Run the recipe; see `rnn_tf.recipe.runner.run`."""
    require_paths(config, "sentences", "drawings")
    return runner.run(experiment, config)


if __name__ == "__main__":
    raise SystemExit(config.main(run, Config, FULL, "lengths"))
