"""What a network draws: does it end, is it recognised, is it varied, is it a copy?

Two drawings are compared by 32 points of each, evenly spaced along the lines in the
order in which they were drawn: their distance is the root of the mean squared distance
of these points, in units of the box, whose longer side is 255. So a copy in another
order or direction goes unseen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import lazy_loader
import numpy as np

from rnn_tf.data.drawings.store import Part
from rnn_tf.data.drawings.stroke3 import positions
from rnn_tf.models.drawing import draw, to_drawings
from rnn_tf.studies.judges import Judges

sklearn = lazy_loader.load("sklearn")

COLUMNS = (
    "model seed temperature chosen n choice recognised recognised_by_other ended "
    "variety nearest near_copies"
).split()
POINTS = 32  # by which drawings are compared
# Units of 255 from a training drawing: a near copy. Of drawings by people that training
# has not, 0.1 % are so near to one that it has (20 classes, 560 drawings each).
NEAR = 10.0


@dataclass(frozen=True)
class Sample:
    """Drawings that were asked for, in a box of 255; None where nothing was drawn."""

    drawings: list[np.ndarray | None]
    names: np.ndarray  # of the classes that were asked for, (drawings,)
    ended: np.ndarray  # (drawings,) bool: by itself
    others: list[np.ndarray | None]  # to choose a temperature by
    their_names: np.ndarray


# ---------------------------------------------------------------- drawings


def ask(
    artist, classes: Sequence[str], temperature: float, count: int, limit: int
) -> Sample:
    """Ask for drawings of each class, and for some more, to choose a temperature by.

    Args:
        artist: of `models.drawing.artist`.
        classes: their names.
        temperature: above 0.
        count: drawings of each class that are judged.
        limit: points of a drawing, at most.
    """
    more = max(2, 2 * count // 5)
    labels = np.tile(np.arange(len(classes)), count + more)
    drawn = draw(artist, labels, temperature, limit, round(1000 * temperature))
    drawings, names = to_drawings(drawn), np.array(classes)[labels]
    others = more * len(classes)
    return Sample(
        drawings[others:],
        names[others:],
        drawn.ended[others:],
        drawings[:others],
        names[:others],
    )


def of_people(part: Part, classes: Sequence[str]) -> Sample:
    """Take the drawings of a part, which people have drawn, in place of a network's."""
    drawings = [part.drawing(n) for n in range(len(part.labels))]
    names = np.array(classes)[part.labels]
    return Sample(drawings, names, np.ones(len(names), bool), [], names[:0])


def outline(drawing: np.ndarray) -> np.ndarray:
    """Take points along the lines of a drawing: (POINTS * 2,), from 0 on."""
    places = positions(drawing)
    places -= places.min(axis=0)
    drawn = np.concatenate([[True], drawing[:-1, 2] == 0])
    steps = np.hypot(*np.diff(places, axis=0).T) * drawn
    along = np.concatenate([[0], np.cumsum(steps)])
    marks = np.linspace(0, along[-1], POINTS)
    return np.concatenate([np.interp(marks, along, axis) for axis in places.T])


def outlines(drawings: Sequence[np.ndarray]) -> np.ndarray:
    """Take points along the lines of drawings, (drawings, POINTS * 2).

    Euclidean distances of rows are those of drawings.
    """
    rows = [outline(drawing) for drawing in drawings]
    return np.array(rows).reshape(len(rows), 2 * POINTS) / np.sqrt(POINTS)


def nearest_training(train: Part) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function: outlines -> the distance to the nearest training drawing."""
    known = outlines([train.drawing(n) for n in range(len(train.labels))])
    train.release()
    neighbours = sklearn.neighbors.NearestNeighbors(n_neighbors=1).fit(known)
    return lambda rows: neighbours.kneighbors(rows)[0][:, 0]


def variety(rows: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean distance of two drawings of a class, the mean over classes."""
    from scipy.spatial.distance import pdist

    groups = [rows[labels == label] for label in np.unique(labels)]
    means = [pdist(group).mean() for group in groups if len(group) > 1]
    return float(np.mean(means)) if means else float("nan")


# ---------------------------------------------------------------- rows


def row(sample: Sample, judges: Judges, nearest: Callable) -> dict:
    """Measure drawings: the numbers of a row of `COLUMNS`, shares in %."""
    rows = outlines([d for d in sample.drawings if d is not None])
    real = np.array([d is not None for d in sample.drawings])
    away = nearest(rows) if len(rows) else np.zeros(0)
    return {
        "n": len(real),
        "choice": _recognised(judges.other, sample.others, sample.their_names),
        "recognised": _recognised(judges.first, sample.drawings, sample.names),
        "recognised_by_other": _recognised(judges.other, sample.drawings, sample.names),
        "ended": 100 * float(sample.ended.mean()),
        "variety": variety(rows, sample.names[real]),
        "nearest": float(np.median(away)) if len(away) else float("nan"),
        "near_copies": 100 * float((away < NEAR).sum()) / len(real),
    }


def _recognised(judge: Callable, drawings: list, names: np.ndarray) -> float:
    real = np.array([drawing is not None for drawing in drawings], bool)
    if not real.any():
        return 0.0
    guesses = judge([drawing for drawing in drawings if drawing is not None])
    return 100 * float((guesses == names[real]).sum()) / len(drawings)


def choose(rows: list[dict]) -> None:
    """Mark the temperature of each model whose `choice`, over its seeds, is highest."""
    for model in {row["model"] for row in rows}:
        own = [row for row in rows if row["model"] == model and row["seed"] != ""]
        heights = sorted({row["temperature"] for row in own})
        means = [
            np.mean([row["choice"] for row in own if row["temperature"] == height])
            for height in heights
        ]
        for row in own:
            row["chosen"] = int(row["temperature"] == heights[int(np.argmax(means))])
