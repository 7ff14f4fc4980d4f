"""Read Google's .ndjson files, simplified and raw: one drawing per line, as JSON.

`records` and `decode` are what `folder.FORMATS` asks of a format.
"""

import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf.data.drawings.stroke3 import BOX, EPSILON, FARTHEST, BadDrawing, to_moves
from rnn_tf.errors import InputError

shapely = lazy_loader.load("shapely")

LINE_LIMIT = 1 << 20  # bytes; raw drawings have some 5,000


def records(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the lines that are not blank; of one that is too long, its beginning."""
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LINE_LIMIT + 1):
                number += 1
                rest = line
                while len(rest) > LINE_LIMIT and not rest.endswith(b"\n"):
                    rest = file.readline(LINE_LIMIT + 1)
                if line.strip():
                    yield f"line {number}", line
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from None


def decode(line: bytes) -> tuple[str, np.ndarray]:
    """Decode a line to the split and the moves of its drawing."""
    if len(line) > LINE_LIMIT:
        raise BadDrawing(f"line longer than {LINE_LIMIT:,} bytes")
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadDrawing("not JSON", str(error)) from None
    if not isinstance(record, dict) or not isinstance(record.get("drawing"), list):
        raise BadDrawing("not a JSON object with a list called drawing", record)
    drawing = record["drawing"]
    if not drawing:
        raise BadDrawing("no strokes")
    parsed = [_stroke(stroke) for stroke in drawing]
    if len(parsed) == 1 and len(parsed[0]) == 1:
        raise BadDrawing("fewer than 2 points", 1)
    timed = {len(stroke) == 3 for stroke in drawing}
    if len(timed) == 2:
        raise BadDrawing("strokes with and without times")
    if timed == {True}:
        parsed = _simplify(parsed)
    else:
        _check_bounds(np.concatenate(parsed), 0, BOX)
    return _split(record.get("key_id"), drawing), to_moves(parsed)


def _stroke(stroke) -> np.ndarray:
    """Decode [[x...], [y...]] or [[x...], [y...], [t...]] to points (points, 2)."""
    lists = isinstance(stroke, list) and all(isinstance(axis, list) for axis in stroke)
    if not lists or len(stroke) not in (2, 3):
        raise BadDrawing("stroke is not [[x...], [y...]] or with [t...]", stroke)
    lengths = [len(axis) for axis in stroke]
    if min(lengths) != max(lengths) or not lengths[0]:
        raise BadDrawing("x, y and t of different lengths, or empty", lengths)
    try:
        points = np.array(stroke)
    except (ValueError, OverflowError):
        points = np.array(None)
    if points.ndim != 2 or points.dtype.kind not in "iuf":
        raise BadDrawing("coordinates are not numbers", stroke)
    return points[:2].T


def _check_bounds(points: np.ndarray, low: int, high: int) -> None:
    if not (points.min() >= low and points.max() <= high):  # False for NaN
        if not np.isfinite(points).all():
            raise BadDrawing("not finite")
        bounds = f"{points.min():g}..{points.max():g}"
        raise BadDrawing(f"coordinates outside {low}..{high}", bounds)


def _simplify(drawing: list[np.ndarray]) -> list[np.ndarray]:
    """Scale raw strokes to the box and thin them out by Ramer-Douglas-Peucker."""
    # A dot is two equal points, as in Google's simplified files; one makes no line.
    drawing = [np.repeat(s, 2, axis=0) if len(s) == 1 else s for s in drawing]
    points = np.concatenate(drawing)
    _check_bounds(points, -FARTHEST, FARTHEST)
    low = points.min(axis=0)
    side = (points.max(axis=0) - low).max()
    scaled = (points - low) * (BOX / side if side > 0 else 1.0)
    owner = np.repeat(np.arange(len(drawing)), [len(stroke) for stroke in drawing])
    lines = shapely.linestrings(scaled, indices=owner)
    lines = shapely.simplify(lines, EPSILON, preserve_topology=False)
    points, owner = shapely.get_coordinates(lines, return_index=True)
    return np.split(points, np.flatnonzero(np.diff(owner)) + 1)


def _split(key, drawing: list) -> str:
    """Choose train, validation or test, 80, 10 and 10 of 100, by the drawing alone."""
    known = type(key) in (str, int) and key != ""
    text = str(key) if known else json.dumps(drawing)
    part = zlib.crc32(text.encode("utf-8", "surrogatepass")) % 10
    return "train" if part < 8 else "validation" if part == 8 else "test"
