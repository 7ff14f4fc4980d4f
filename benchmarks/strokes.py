"""Read drawings from disk into padded batches of 64: an epoch in random order."""

import functools
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.contest import Contender, Work, epochs, first_epoch
from rnn_tf.data.drawings import batches, doodles, npz
from rnn_tf.data.drawings.folder import read_folder
from rnn_tf.data.drawings.stroke3 import Choice
from rnn_tf.data.order import Order

COUNT, BATCH, LONGEST, SCALE = 8_000, 64, 200, 30.0


@functools.cache
def _folder() -> Path:
    """Write a file per class, as Quick, Draw! has them; they end with this process."""
    _folder.kept = tempfile.TemporaryDirectory()
    folder = Path(_folder.kept.name)
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    drawings, labels = doodles.doodles(COUNT)
    for number, name in enumerate(doodles.CLASSES):
        own = np.empty(int((labels == number).sum()), object)
        own[:] = [drawings[i] for i in np.flatnonzero(labels == number)]
        members = dict.fromkeys(npz.SPLITS, own[:1]) | {"train": own}
        np.savez(folder / f"{name}.npz", **members)
    return folder


def _read() -> list[tuple[np.ndarray, int]]:
    """Read every drawing and its label as tutorials do.

    Pickles are allowed: this process wrote the files.
    """
    examples = []
    for label, name in enumerate(doodles.CLASSES):
        with np.load(_folder() / f"{name}.npz", allow_pickle=True) as file:
            examples += [(drawing, label) for drawing in file["train"]]
    return examples


def _stroke5(drawing: np.ndarray) -> np.ndarray:
    """Convert a drawing, (points, 3) -> (points, 5), cut to the longest."""
    drawing = drawing[:LONGEST]
    stroke5 = np.zeros((len(drawing), 5), "float32")
    stroke5[:, :2] = drawing[:, :2] / SCALE
    stroke5[:, 3] = drawing[:, 2]
    stroke5[:, 2] = 1 - stroke5[:, 3]
    return stroke5


def plain_loop():
    """Read, shuffle, and fill a batch drawing by drawing, in Python."""
    _folder()

    def run_round() -> float:
        started, count = time.perf_counter(), 0
        examples = _read()
        order = np.random.default_rng(1).permutation(len(examples))
        for begin in range(0, len(order) - BATCH + 1, BATCH):
            rows = [_stroke5(examples[i][0]) for i in order[begin : begin + BATCH]]
            x = np.zeros((BATCH, max(map(len, rows)), 5), "float32")
            x[..., 4] = 1
            for place, row in enumerate(rows):
                x[place, : len(row)] = row
            count += len(x)
        return count / (time.perf_counter() - started)

    return run_round


def from_generator():
    """Read by a generator; `tf.data` shuffles and pads."""
    import tensorflow as tf

    _folder()

    def generate():
        for drawing, label in _read():
            yield _stroke5(drawing), label

    signature = tf.TensorSpec((None, 5), tf.float32), tf.TensorSpec((), tf.int32)
    data = tf.data.Dataset.from_generator(generate, output_signature=signature)
    data = data.shuffle(COUNT).padded_batch(BATCH, drop_remainder=True).prefetch(4)
    return lambda: epochs(data)


def ours():
    """Read the flat file that the first run wrote."""
    data = _ours()
    return lambda: epochs(data)


def ours_at_first():
    """Write the flat file, then read it."""
    _folder()
    return lambda: first_epoch(_ours)


def _ours():
    part = read_folder(_folder()).labelled("made", Choice()).parts["train"]
    return batches.dataset(part, batches.padding(part, LONGEST), BATCH, Order(1))


WORKS = (
    Work(
        "drawings from disk to padded batches of 64",
        "drawings/s",
        (
            Contender("tf.data from_generator", from_generator),
            Contender("plain Python loop", plain_loop),
            Contender("ours", ours),
            Contender("ours, the first time", ours_at_first),
        ),
    ),
)
