"""Define the format of a drawing, stroke-3, and check drawings.

A drawing is an int16 array (points, 3): dx, dy, and 1 where the pen is lifted after
the point (0 elsewhere), in units of a 0..255 box, y growing downward (stroke-3, Ha and
Eck 2017, arXiv:1704.03477). Every row is a move. The first point of a drawing is where
the pen starts and has no row, as in sketch-rnn's .npz files and in Google's TFRecords,
so that a straight line is one row and all formats give the same drawing the same rows.
"""

import reprlib
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from rnn_tf.errors import InputError

BOX = 255  # the longer side of a drawing
EPSILON = 2.0  # of Ramer-Douglas-Peucker, as for Google's simplified drawings
SMALLEST = 2  # units; what is smaller is lost where fractions are rounded
# Points. Quick, Draw! has some hundreds, a tablet some thousand; a file of some kB can
# say of millions that they are one drawing, and fill the memory.
LONGEST = 10_000
FARTHEST = 10_000  # a longer move in a 0..255 box is damage, and int16 ends at 32,767
TENTHS = (*["train"] * 8, "validation", "test")
LOWEST = np.array([-FARTHEST, -FARTHEST, 0], np.int16)
HIGHEST = np.array([FARTHEST, FARTHEST, 1], np.int16)


class BadDrawing(InputError):
    """A drawing that cannot be read; skipped drawings are counted by `reason`."""

    def __init__(self, reason: str, received=""):
        detail = f" (it is {reprlib.repr(received)[:60]})" if received != "" else ""
        super().__init__(reason + detail)
        self.reason = reason


# What a reader counts though it takes the drawing -> the note; all else is skipped.
UNRECOGNIZED, SCALED, CUT = "not recognized by the game", "scaled", "cut into parts"
NOTES = {
    UNRECOGNIZED: "{:,} drawings were not recognized by the game, and are kept",
    SCALED: "{:,} drawings in a box of 1 are scaled up to one of 255",
    CUT: "{:,} drawings are of files that do not name all parts, and were cut into "
    "train, validation and test by a hash",
}


@dataclass(frozen=True)
class Choice:
    """Which drawings of a file are taken; and how many are odd, by reason."""

    bad: Literal["error", "skip"] = "error"
    unrecognized: Literal["keep", "skip"] = "keep"
    counts: Counter = field(default_factory=Counter, compare=False)


def notes(counts: dict[str, int], choice: Choice) -> list[str]:
    """Say what was counted while drawings were read."""
    told = dict(NOTES)
    if choice.unrecognized == "skip":
        del told[UNRECOGNIZED]
    return [
        told[reason].format(count)
        if reason in told
        else f"skipped {count:,} drawings ({reason})"
        for reason, count in counts.items()
    ]


def choose_split(content: bytes, missing: Collection[str]) -> str:
    """Choose train, validation or test, 80, 10 and 10 of 100, by a drawing alone.

    Args:
        content: what is the same for every copy of the drawing.
        missing: the parts that have no file of their own; the others get none.
    """
    part = TENTHS[zlib.crc32(content) % 10]
    return part if part in missing else "train"


def to_moves(strokes: Sequence[np.ndarray]) -> np.ndarray:
    """Turn strokes into the moves of a drawing.

    Args:
        strokes: the points of each, (points, 2): x and y.

    Returns:
        (points - 1, 3) int16: the first point has no row. Positions are rounded before
        the differences are taken, so that errors do not add up.

    Raises:
        BadDrawing: as `check`, or so small that rounding loses it.
    """
    points = np.concatenate(strokes)
    if points.dtype.kind == "f":
        points = _round(points)
    rows = np.zeros((len(points), 3))
    rows[1:, :2] = points[1:] - points[:-1]
    rows[np.cumsum([len(stroke) for stroke in strokes]) - 1, 2] = 1
    check(rows[1:])
    return rows[1:].astype(np.int16)


def check(rows: np.ndarray) -> None:
    """Check that `rows` are sound moves, (points, 3), of any number type.

    Raises:
        BadDrawing: they are not.
    """
    if rows.ndim != 2 or rows.shape[1] != 3:
        raise BadDrawing("shape is not (points, 3)", rows.shape)
    if len(rows) < 1:
        raise BadDrawing("fewer than 2 points", len(rows) + 1)
    if len(rows) > LONGEST:
        raise BadDrawing(f"more than {LONGEST:,} points", len(rows))
    within = (rows >= LOWEST) & (rows <= HIGHEST)  # False for NaN
    if not within.all():
        first = rows[~within.all(axis=1)][0]
        if not np.isfinite(first).all():
            raise BadDrawing("not finite", first.tolist())
        if within[:, :2].all():
            raise BadDrawing("pen is not 0 or 1", first[2].item())
        raise BadDrawing(f"move beyond {FARTHEST:,}", first.tolist())
    if rows.dtype.kind == "f" and (rows[:, 2] % 1).any():
        raise BadDrawing("pen is not 0 or 1", rows[rows[:, 2] % 1 > 0][0, 2].item())


def round_moves(rows: np.ndarray) -> np.ndarray:
    """Check moves and round them to int16.

    The positions that fractional moves lead to are rounded, and not the moves: errors
    do not add up.

    Raises:
        BadDrawing: as `check`, or so small that rounding loses it.
    """
    check(rows)
    if rows.dtype.kind == "f":
        rows = rows.astype(float)  # a copy, of enough digits
        rows[:, :2] = np.diff(_round(positions(rows)), axis=0)
    return rows.astype(np.int16)


def fit_box(rows: np.ndarray) -> np.ndarray:
    """Scale moves so that the longer side of the drawing is `BOX`, and round them.

    What a network draws is as large as it happens to be; drawings of files are not.

    Args:
        rows: (points, 3) float: dx, dy, pen lifted. The last point lifts it anyway.

    Returns:
        (points, 3) int16.

    Raises:
        BadDrawing: as `check`, or nothing is drawn.
    """
    check(rows)
    places = positions(rows)
    places -= places.min(axis=0)
    if not places.max() > 0:
        raise BadDrawing("all points in one place", len(rows))
    fitted = np.array(rows, float)
    fitted[:, :2] = np.diff(np.rint(places * (BOX / places.max())), axis=0)
    fitted[-1, 2] = 1
    return fitted.astype(np.int16)


def to_strokes(rows: np.ndarray) -> list[np.ndarray]:
    """Turn the moves of a drawing into strokes, from 0 on; the inverse of `to_moves`.

    Returns:
        The points of each stroke, (points, 2).
    """
    places = positions(rows)
    places = places - places.min(axis=0)
    ends = np.flatnonzero(rows[:, 2]) + 2
    return np.split(places, ends[ends < len(places)])


def positions(rows: np.ndarray) -> np.ndarray:
    """Follow moves from (0, 0): the positions, (points + 1, 2) float."""
    return np.vstack([np.zeros(2), np.cumsum(rows[:, :2], axis=0, dtype=float)])


def _round(points: np.ndarray) -> np.ndarray:
    """Round positions in fractions, of a dot or of what is more than a few units."""
    rounded, side = np.rint(points), np.ptp(points, axis=0).max()
    if 0 < side < SMALLEST and np.abs(points - rounded).max() > 0.01:
        raise BadDrawing(
            f"fractions in less than {SMALLEST} units; scale up to {BOX}", side
        )
    return rounded


def decode_records(
    path: Path,
    records: Iterable,
    decode: Callable,
    choice: Choice,
    part: str = "in it",
) -> Iterator:
    """Yield what `decode` makes of each record of a file.

    Args:
        path: the file, for messages.
        records: pairs of a place in the file, such as "line 3", and a record.
        decode: record -> item, or None for one to leave out; raises BadDrawing.
        choice: whether bad drawings are counted by reason, or the first is an error.
        part: where in the file the records are, for messages.

    Raises:
        InputError: a bad drawing that is not to be skipped, or there is no other.
    """
    bad, empty = 0, True
    for where, record in records:
        try:
            drawing = decode(record)
        except BadDrawing as error:
            if choice.bad == "error":
                raise InputError(
                    f"{path}, {where}: {error}; mend it, or skip bad drawings"
                ) from None
            choice.counts[error.reason] += 1
            bad += 1
            continue
        empty = False
        if drawing is not None:
            yield drawing
    if empty:
        raise InputError(
            f"{path} has no drawing {part}, and {bad} bad ones; replace it"
        )
