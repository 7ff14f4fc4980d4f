"""Define the format of a drawing, stroke-3, and check drawings.

A drawing is an int16 array (points, 3): dx, dy, and 1 where the pen is lifted after
the point (0 elsewhere), in units of a 0..255 box, y growing downward (stroke-3, Ha and
Eck 2017, arXiv:1704.03477). Every row is a move. The first point of a drawing is where
the pen starts and has no row, as in sketch-rnn's .npz files and in Google's TFRecords,
so that a straight line is one row and all formats give the same drawing the same rows.
"""

import reprlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from rnn_tf.errors import InputError

BOX = 255  # the longer side of a drawing
EPSILON = 2.0  # of Ramer-Douglas-Peucker, as for Google's simplified drawings
FARTHEST = 10_000  # a longer move in a 0..255 box is damage, and int16 ends at 32,767
LOWEST = np.array([-FARTHEST, -FARTHEST, 0], np.int16)
HIGHEST = np.array([FARTHEST, FARTHEST, 1], np.int16)


class BadDrawing(InputError):
    """A drawing that cannot be read; skipped drawings are counted by `reason`."""

    def __init__(self, reason: str, received=""):
        detail = f" (it is {reprlib.repr(received)[:60]})" if received != "" else ""
        super().__init__(reason + detail)
        self.reason = reason


def to_moves(strokes: Sequence[np.ndarray]) -> np.ndarray:
    """Turn strokes into the moves of a drawing.

    Args:
        strokes: the points of each, (points, 2): x and y.

    Returns:
        (points - 1, 3) int16: the first point has no row. Positions are rounded before
        the differences are taken, so that errors do not add up.

    Raises:
        BadDrawing: fewer than 2 points, or moves that are not finite or absurdly long.
    """
    points = np.rint(np.concatenate(strokes))
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
        BadDrawing: as `check`.
    """
    check(rows)
    if rows.dtype.kind == "f":
        rows = rows.astype(float)  # a copy, of enough digits
        ends = np.rint(np.cumsum(rows[:, :2], axis=0))
        rows[:, :2] = np.diff(ends, axis=0, prepend=0)
    return rows.astype(np.int16)


def decode_records(
    path: Path,
    records: Iterable,
    decode: Callable,
    skipped: Counter | None,
    part: str = "in it",
) -> Iterator:
    """Yield what `decode` makes of each record of a file.

    Args:
        path: the file, for messages.
        records: pairs of a place in the file, such as "line 3", and a record.
        decode: record -> item; raises BadDrawing.
        skipped: counts bad drawings by reason; without it, the first is an error.
        part: where in the file the records are, for messages.

    Raises:
        InputError: a bad drawing that is not to be skipped, or there is no other.
    """
    sound = bad = 0
    for where, record in records:
        try:
            drawing = decode(record)
        except BadDrawing as error:
            if skipped is None:
                raise InputError(
                    f"{path}, {where}: {error}; mend it, or skip bad drawings"
                ) from None
            skipped[error.reason] += 1
            bad += 1
            continue
        sound += 1
        yield drawing
    if not sound:
        raise InputError(
            f"{path} has no drawing {part}, and {bad} bad ones; replace it"
        )
