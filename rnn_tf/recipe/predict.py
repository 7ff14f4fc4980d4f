"""The command `predict` of the experiments: what a run's model makes of files."""

import math
from pathlib import Path

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from rnn_tf.data.drawings import batches, store
from rnn_tf.data.drawings.formats import first_drawings
from rnn_tf.data.labelled import check_name
from rnn_tf.data.video import decoding
from rnn_tf.errors import InputError
from rnn_tf.metrics import classification
from rnn_tf.metrics.formatting import plain_table
from rnn_tf.recipe import saved_model
from rnn_tf.runs import run_folder

VIDEO_LIMIT = 1 << 28  # bytes of the clips of one video


def predict_drawings(
    file: tyro.conf.Positional[Path], model: Path, limit: int = 20
) -> None:
    """Classify the drawings of a file, by the model that a run has chosen.

    Args:
        file: Drawings, .npz (any array) or .ndjson.
        model: The run's folder, results/sketch/<run>.
        limit: Drawings to look at, from the beginning.
    """
    drawings = first_drawings(file, limit)
    part = store.pack(drawings, np.zeros(len(drawings)))
    steps = max(batches.SHORTEST, int(part.lengths.max()))
    inputs = part.stroke5(np.arange(len(drawings)), steps, scale=1.0)
    info, path = run_folder.find_chosen_model(model, "sketch")
    classes = info["data"]["classes"]
    predict = saved_model.load_classifier(path, len(classes))
    columns = {
        "drawing": [str(number) for number, _ in enumerate(drawings, start=1)],
        "points": [str(len(drawing)) for drawing in drawings],
    }
    Console().print(table(columns, predict(inputs), classes))


def predict_videos(files: tyro.conf.Positional[tuple[Path, ...]], model: Path) -> None:
    """Classify video files, by the model that a run has chosen.

    Args:
        files: Video files.
        model: The run's folder, results/video/<run>.
    """
    if not files:
        raise InputError("predict was given no file; name one or more video files")
    for file in files:
        check_name(file)
    info, path = run_folder.find_chosen_model(model, "video")
    sampling = _sampling(info, model)
    videos = [decoding.read(file, sampling) for file in files]
    classes = info["data"]["classes"]
    predict = saved_model.load_classifier(path, len(classes))
    means = [predict(video.clips).mean(axis=0) for video in videos]
    columns = {
        "file": [file.name for file in files],
        "seconds": [f"{video.seconds:.1f}" for video in videos],
    }
    Console().print(table(columns, np.array(means), classes))


def _sampling(info: dict, run: Path) -> decoding.Sampling:
    """Read from config.json which frames of a video the model of a run sees."""
    try:
        sampling = decoding.Sampling(**info["data"]["sampling"])
        sizes = [*sampling.shape, sampling.stride]
        whole = all(isinstance(n, int) and 0 < n <= 1_000 for n in sizes)
        if whole and math.prod(sampling.shape) <= VIDEO_LIMIT:
            return sampling
    except (KeyError, TypeError):
        pass
    raise InputError(f"{run / 'config.json'} has no sound sampling; take another run")


def label(guess: tuple[str, float]) -> str:
    """Write a guess for reading; nothing where there is none."""
    name, share = guess
    return f"{name} {100 * share:.0f} %" if name else ""


def table(columns: dict[str, list[str]], predictions: np.ndarray, classes) -> Table:
    """Show the three best guesses of each example.

    Args:
        columns: what stands before them, heading -> a cell for each example.
        predictions: (examples, classes).
        classes: their names.
    """
    shown = plain_table(None, [*columns, "best guess", "then", "then"])
    guesses = classification.three_best(predictions, classes)
    rows = zip(*columns.values(), strict=True)
    for cells, three in zip(rows, guesses, strict=True):
        shown.add_row(*cells, *map(label, three))
    return shown
