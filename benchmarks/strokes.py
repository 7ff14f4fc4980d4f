"""Drawings from disk to padded batches of 64: an epoch in random order."""

import functools
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.contest import Contender, Work, epochs, first_epoch
from rnn_tf.data.drawings import batches, doodles, npz
from rnn_tf.data.drawings.folder import read_folder
from rnn_tf.data.order import Order

COUNT, BATCH, LONGEST, SCALE = 8_000, 64, 200, 30.0


@functools.cache
def _folder() -> Path:
    """A file per class, as Quick, Draw! has them; gone when this process ends."""
    _folder.kept = tempfile.TemporaryDirectory()
    folder = Path(_folder.kept.name)
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    drawings, labels = doodles.doodles(COUNT)
    for number, name in enumerate(doodles.CLASSES):
        found = np.empty(int((labels == number).sum()), object)
        found[:] = [drawings[i] for i in np.flatnonzero(labels == number)]
        members = dict.fromkeys(npz.SPLITS, found[:1]) | {"train": found}
        np.savez(folder / f"{name}.npz", **members)
    return folder


def _read() -> list[tuple[np.ndarray, int]]:
    """Every drawing and its label, as tutorials read them; the files are our own."""
    found = []
    for label, name in enumerate(doodles.CLASSES):
        with np.load(_folder() / f"{name}.npz", allow_pickle=True) as file:
            found += [(drawing, label) for drawing in file["train"]]
    return found


def _stroke5(drawing: np.ndarray) -> np.ndarray:
    """One drawing, (points, 3) -> (points, 5), cut to the longest."""
    drawing = drawing[:LONGEST]
    made = np.zeros((len(drawing), 5), "float32")
    made[:, :2] = drawing[:, :2] / SCALE
    made[:, 3] = drawing[:, 2]
    made[:, 2] = 1 - made[:, 3]
    return made


def plain_loop():
    """Python: read, shuffle, and fill a batch drawing by drawing."""
    _folder()

    def one_round() -> float:
        started, count = time.perf_counter(), 0
        found = _read()
        order = np.random.default_rng(1).permutation(len(found))
        for begin in range(0, len(order) - BATCH + 1, BATCH):
            rows = [_stroke5(found[i][0]) for i in order[begin : begin + BATCH]]
            x = np.zeros((BATCH, max(map(len, rows)), 5), "float32")
            x[..., 4] = 1
            for place, row in enumerate(rows):
                x[place, : len(row)] = row
            count += len(x)
        return count / (time.perf_counter() - started)

    return one_round


def from_generator():
    """`tf.data`: a generator of drawings, shuffled and padded by TensorFlow."""
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
    """Flat files that were written once, on the first run."""
    data = _ours()
    return lambda: epochs(data)


def ours_at_first():
    """The same, and the flat files are written too."""
    _folder()
    return lambda: first_epoch(_ours)


def _ours():
    part = read_folder(_folder()).labelled("made", skip=False).parts["train"]
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
