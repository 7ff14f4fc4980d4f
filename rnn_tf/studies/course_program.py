"""The course's program for SketchRNN as it was given, and what breaks in it, in order.

Claim K1. The program is run again and again, each time with one repair more, on
doodles of classes that Quick, Draw! has too, through the TFDS data set of this project.
"""

import contextlib
import io
import logging
import re
import subprocess
import sys
import tempfile
import textwrap
import warnings
from pathlib import Path

import lazy_loader
import numpy as np
from rich.table import Table

from rnn_tf.data.drawings import doodles, npz, quickdraw
from rnn_tf.metrics.formatting import plain_table

keras = lazy_loader.load("keras")

AS_GIVEN = "repairs repair trains error".split()
REPAIRS = (
    "none",
    "import rnn_tf.data.sketch_rnn, which defines the data set",
    "points become stroke-5, the five features that Conv1D expects",
    "padded_batch(32) in place of batch(32)",
    "an output for each of the 345 classes, not 10",
)
LOAD = """
import tensorflow_datasets as tfds
try:
    tfds.load('sketch_rnn/quickdraw', split=['train[:80%]', 'train[80%:]'],
              as_supervised=True, data_dir='.')
except Exception as error:
    print(f'{type(error).__name__}: {error}')
"""


def rows() -> list[dict]:
    """Run the program with ever more repairs; return the rows of `as_given.csv`."""
    attempts = []
    with tempfile.TemporaryDirectory() as folder:
        train, validation = _load(Path(folder))
        for repairs, repair in enumerate(REPAIRS):
            if repairs:
                error = _error(train, validation, repairs)
            else:
                error = _without_builder(folder)
            row = {"repairs": repairs, "repair": repair, "trains": not error}
            attempts.append(row | {"error": error})
    return attempts


def _error(train, validation, repairs: int) -> str:
    """Run the program; return the error that ends it, or ""."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of shuffling, which the data set does
            program(train, validation, repairs)
    except Exception as raised:  # every engine has a type of its own
        return f"{type(raised).__name__}: {essential_line(str(raised))}"
    return ""


def program(train, validation, repairs: int) -> None:
    """Run the program after its line of `tfds.load`, one epoch instead of ten.

    Args:
        train: `tf.data.Dataset` of strokes (points, 3) int16, and labels.
        validation: the same.
        repairs: how many of `REPAIRS` are applied.

    Raises:
        Exception: of any type that Keras or TensorFlow raises.
    """
    if repairs >= 2:
        train, validation = (part.map(_stroke5) for part in (train, validation))
    batches = "padded_batch" if repairs >= 3 else "batch"
    train, validation = (getattr(part, batches)(32) for part in (train, validation))
    classes = len(quickdraw.CLASSES) if repairs >= 4 else 10
    model = keras.Sequential(
        [
            keras.Input((None, 5)),
            keras.layers.Conv1D(32, kernel_size=5, activation="relu"),
            keras.layers.LSTM(64, return_sequences=True),
            keras.layers.Dropout(0.2),
            keras.layers.LSTM(64),
            keras.layers.Dense(classes, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train, validation_data=validation, epochs=1, verbose=0)


def _stroke5(strokes, label):
    """Convert to stroke-5, (points, 3) -> (points, 5): pen down, lifted, ended.

    No point has ended: the files have no row for it.
    """
    strokes = keras.ops.cast(strokes, "float32")
    lifted = strokes[:, 2:]
    ended = keras.ops.zeros_like(lifted)
    return keras.ops.concatenate([strokes[:, :2], 1 - lifted, lifted, ended], 1), label


def _load(folder: Path):
    """Load both parts of the training split, cut as in the course."""
    import tensorflow_datasets as tfds

    from rnn_tf.data import sketch_rnn

    drawings, labels = doodles.doodles(360)
    known = [name for name in doodles.CLASSES if name in quickdraw.CLASSES]
    for name in known:
        _write(folder / f"{name}.npz", drawings, labels == doodles.CLASSES.index(name))
    tfds.disable_progress_bar()
    logging.getLogger("absl").setLevel("ERROR")
    with contextlib.redirect_stdout(io.StringIO()):
        return tfds.load(
            "sketch_rnn",
            split=["train[:80%]", "train[80%:]"],
            as_supervised=True,
            data_dir=folder / "tfds",
            builder_kwargs={"config": sketch_rnn.of(*known)},
            download_and_prepare_kwargs={
                "download_config": tfds.download.DownloadConfig(manual_dir=folder)
            },
        )


def _write(path: Path, drawings: list[np.ndarray], which: np.ndarray) -> None:
    """Write a class as sketch-rnn stores it: all to train on, one drawing to test."""
    chosen = np.empty(int(which.sum()), object)
    chosen[:] = [drawings[i] for i in np.flatnonzero(which)]
    np.savez(
        path,
        **{split: chosen if split == "train" else chosen[:1] for split in npz.SPLITS},
    )


def _without_builder(folder: str) -> str:
    """Return the error of the course's line where nothing has defined the data set."""
    command = [sys.executable, "-c", LOAD]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return essential_line(process.stdout)


def essential_line(message: str) -> str:
    """Return the line of an error that names the cause, without its colours."""
    frames = r'\s*(File "|Detected at|Graph execution error|Exception encountered|$)'
    lines = re.sub(r"\x1b\[\d+m", "", message).splitlines()
    kept = [line.strip() for line in lines if not re.match(frames, line)]
    return kept[0] if kept else ""


def table(rows: list[dict]) -> Table:
    """Make a table of the rows of `as_given.csv`."""
    headings = ["with this repair, too", "it says"]
    shown = plain_table("The course's program", headings)
    for column in shown.columns:
        column.ratio = 1
    for row in rows:
        error = textwrap.shorten(row["error"], 120, placeholder=" ...")
        shown.add_row(row["repair"], error or "(it trains)")
    return shown
