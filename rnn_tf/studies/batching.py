"""Measure how fast rows of several lengths train, by the way they become batches.

Ways:

- one by one: each row a batch of its own, not padded;
- longest of all: each batch padded to the longest row of the data;
- longest of the batch: to its own longest row;
- bucketed: the same, of batches of rows that are about as long;
- packed: not padded; at each step the cell computes the rows that have not ended, as
  PyTorch's packed sequences do. TensorFlow only: JAX wants fixed shapes.

The network is a GRU with a mask, one for all ways but the last. A real step is one of a
row's own; all others are waste.
"""

import functools
import time
from collections.abc import Callable, Iterator

import lazy_loader
import numpy as np

from rnn_tf.studies import turns

keras = lazy_loader.load("keras")

COLUMNS = "lengths way rows batch real_steps computed_steps waste rounds".split()
COLUMNS += "steps_per_second low high error".split()
ONE, ALL, OWN, BUCKETED, PACKED = WAYS = (
    *("one by one", "longest of all", "longest of the batch", "bucketed", "packed"),
)
FEATURES, UNITS, BATCH = 16, 64, 32
SINGLY = 32  # rows that are trained one by one, at most

# Every 5 % of the rows have lengths from one number to the next.
QUANTILES = {
    # Words of the 29,000 German sentences of Multi30k (Elliott et al., 2016), and
    # points of 20 classes of Quick, Draw! (Ha and Eck, 2017), both of training.
    "sentences": (
        *(1, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 11, 12, 13, 13, 14, 15, 16, 18, 39),
    ),
    "drawings": (
        *(13, 25, 29, 32, 35, 37, 40, 42, 44, 46, 48),
        *(51, 53, 55, 58, 61, 65, 69, 74, 84, 212),
    ),
}


def lengths(name: str, count: int, seed: int = 1) -> np.ndarray:
    """Draw lengths as those of sentences or of drawings: (count,)."""
    known = QUANTILES[name]
    shares = np.random.default_rng(seed).random(count)
    places = np.linspace(0, 1, len(known))
    return np.interp(shares, places, known).round().astype(int)


# ---------------------------------------------------------------- batches
# A batch is inputs, (rows, width, features), the mask, (rows, width) bool, and targets,
# (rows, 1).


def batches(way: str, ends: np.ndarray, size: int = BATCH) -> list[tuple]:
    """Make the batches of an epoch.

    Args:
        way: one of WAYS.
        ends: (rows,), the lengths.
        size: rows of a batch.
    """
    if way == ONE:
        ends, size = ends[:SINGLY], 1
    if way == BUCKETED:
        ends = np.sort(ends)
    parts = [ends[start : start + size] for start in range(0, len(ends), size)]
    if way == PACKED:  # the longest row first, as its loop wants them
        parts = [np.sort(part)[::-1] for part in parts]
    widest = int(ends.max())
    return [_batch(part, widest if way == ALL else int(part.max())) for part in parts]


def _batch(ends: np.ndarray, width: int) -> tuple:
    random = np.random.default_rng(int(ends.sum()))
    mask = np.arange(width) < ends[:, None]
    values = random.normal(size=(*mask.shape, FEATURES)) * mask[..., None]
    targets = random.normal(size=(len(ends), 1))
    return values.astype("float32"), mask, targets.astype("float32")


def computed(way: str, parts: list[tuple]) -> int:
    """Count the steps that are computed, of padding too unless it is packed."""
    masks = [mask for _, mask, _ in parts]
    return sum(int(m.sum()) if way == PACKED else m.size for m in masks)


# ---------------------------------------------------------------- the network


def network(packed: bool):
    """Build and compile the GRU: (batch, steps, features), mask -> (batch, 1)."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((None, FEATURES))
    mask = keras.Input((None,), dtype="bool")
    if packed:
        x = packed_gru()(inputs, mask)
    else:
        x = keras.layers.GRU(UNITS)(inputs, mask=mask)
    model = keras.Model([inputs, mask], keras.layers.Dense(1)(x))
    # XLA would compile each width anew; JAX knows nothing else.
    model.compile("adam", "mse", jit_compile=keras.config.backend() == "jax")
    return model


@functools.cache  # the class is made once Keras is there
def packed_gru():
    """Make the layer whose rows leave the loop as they end; TensorFlow only."""
    import tensorflow as tf

    class PackedGRU(keras.layers.Layer):
        """A GRU on rows that are sorted, the longest first."""

        def build(self, shape):
            self.cell = keras.layers.GRUCell(UNITS)
            self.cell.build((None, shape[-1]))

        def call(self, values, mask):
            """(batch, steps, features), (batch, steps) bool -> (batch, units)."""
            running = tf.reduce_sum(tf.cast(mask, tf.int32), axis=0)

            def step(place, state):
                rows = running[place]
                new, _ = self.cell(values[:rows, place], state[:rows])
                return place + 1, tf.concat([new, state[rows:]], axis=0)

            state = tf.zeros((tf.shape(values)[0], UNITS), values.dtype)
            shapes = tf.TensorShape([]), tf.TensorShape([None, UNITS])
            _, state = tf.while_loop(
                lambda place, _: place < tf.shape(values)[1],
                step,
                (tf.constant(0), state),
                shape_invariants=shapes,
            )
            return state

    return PackedGRU()


# ---------------------------------------------------------------- rows


def rows(ends: dict[str, np.ndarray], rounds: int) -> Iterator[dict]:
    """Time an epoch in each way, the ways taking turns: rows of `batching.csv`.

    Args:
        ends: name -> lengths of rows.
        rounds: epochs that are timed; `steps_per_second` is of the median, `low` and
            `high` of the quartiles.
    """
    tensorflow = keras.config.backend() == "tensorflow"
    # One for all: tracing it for each way takes longer than the epochs.
    models = dict.fromkeys((ONE, ALL, OWN, BUCKETED), network(packed=False))
    if tensorflow:
        models[PACKED] = network(packed=True)
    for name, counts in ends.items():
        parts = {way: batches(way, counts) for way in models}
        spent = turns.take_turns(
            {way: _epoch(models[way], parts[way]) for way in models}, rounds
        )
        for way in models:
            yield {"lengths": name, "rounds": rounds} | _row(
                way, parts[way], spent[way]
            )
        if not tensorflow:
            error = f"{keras.config.backend()} wants fixed shapes"
            yield {"lengths": name, "way": PACKED, "error": error}


def _epoch(model, parts: list[tuple]) -> Callable[[], float]:
    """Give what trains an epoch and returns its seconds."""

    def epoch():
        started = time.perf_counter()
        for values, mask, targets in parts:
            model.train_on_batch([values, mask], targets)
        return time.perf_counter() - started

    return epoch


def _row(way: str, parts: list[tuple], seconds: tuple) -> dict:
    real = sum(int(mask.sum()) for _, mask, _ in parts)
    every = computed(way, parts)
    speeds = [real / spent for spent in seconds]  # of the median, quick, slow epoch
    return {
        "way": way,
        "rows": sum(len(mask) for _, mask, _ in parts),
        "batch": len(parts[0][1]),
        "real_steps": real,
        "computed_steps": every,
        "waste": 100 * (1 - real / every),
        "steps_per_second": speeds[0],
        "low": speeds[2],
        "high": speeds[1],
    }
