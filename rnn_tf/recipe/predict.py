"""What a run's model says of files: the command `predict` of the experiments."""

from pathlib import Path

import lazy_loader
import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from rnn_tf.data.drawings import batches
from rnn_tf.data.drawings.folder import first_drawings
from rnn_tf.data.video import decoding
from rnn_tf.devices import backend
from rnn_tf.errors import InputError
from rnn_tf.metrics import classification
from rnn_tf.metrics.formatting import plain_table
from rnn_tf.runs import run_folder

keras = lazy_loader.load("keras")


def predict_drawings(
    file: tyro.conf.Positional[Path], model: Path, limit: int = 20
) -> None:
    """Say what is drawn in a file, by the model that a run has chosen.

    Args:
        file: Drawings, .npz or .ndjson.
        model: The run's folder, results/sketch/<run>.
        limit: Drawings to look at, from the beginning.
    """
    found = first_drawings(file, limit)
    part = batches.pack(found, np.zeros(len(found)))
    steps = max(batches.SHORTEST, int(part.lengths.max()))
    inputs = part.stroke5(np.arange(len(found)), steps, scale=1.0)
    info, path = run_folder.chosen(model, "sketch")
    likely = _network(path).predict(inputs, verbose=0)
    about = {
        "drawing": [str(number) for number, _ in enumerate(found, start=1)],
        "points": [str(len(drawing)) for drawing in found],
    }
    Console().print(table(about, likely, info["data"]["classes"]))


def predict_videos(files: tyro.conf.Positional[tuple[Path, ...]], model: Path) -> None:
    """Say what video files show, by the model that a run has chosen.

    Args:
        files: Video files.
        model: The run's folder, results/video/<run>.
    """
    if not files:
        raise InputError("predict was given no file; name one or more video files")
    info, path = run_folder.chosen(model, "video")
    sampling = decoding.Sampling(**info["data"]["sampling"])
    found = [decoding.read(file, sampling) for file in files]
    network = _network(path)
    likely = [network.predict(one.clips, verbose=0).mean(axis=0) for one in found]
    about = {
        "file": [file.name for file in files],
        "seconds": [f"{one.seconds:.1f}" for one in found],
    }
    Console().print(table(about, np.array(likely), info["data"]["classes"]))


def _network(path: Path):
    """The saved model. TensorFlow starts here, after files that cannot be read."""
    backend.import_tensorflow()
    return keras.saving.load_model(path, compile=False, safe_mode=True)


def said(guess: tuple[str, float]) -> str:
    """A guess for reading; nothing where there is none."""
    name, share = guess
    return f"{name} {100 * share:.0f} %" if name else ""


def table(about: dict[str, list[str]], predictions: np.ndarray, classes) -> Table:
    """The three best guesses of each example, after columns that say what it is.

    Args:
        about: heading -> a cell for each example.
        predictions: (examples, classes).
        classes: their names.
    """
    made = plain_table(None, [*about, "best guess", "then", "then"])
    guesses = classification.best_three(predictions, classes)
    for cells, found in zip(zip(*about.values(), strict=True), guesses, strict=True):
        made.add_row(*cells, *map(said, found))
    return made
