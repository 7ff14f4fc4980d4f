"""Read Google's .ndjson files, simplified and raw: one drawing per line, as JSON.

`records` and `decode` are what `formats.FORMATS` asks of a format.
"""

import functools
import itertools
import json
import re
import unicodedata
from collections.abc import Collection, Iterator
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf.data.drawings.stroke3 import (
    BOX,
    EPSILON,
    FARTHEST,
    UNRECOGNIZED,
    BadDrawing,
    Choice,
    choose_split,
    decode_records,
    to_moves,
    to_strokes,
)
from rnn_tf.data.splits import SPLITS
from rnn_tf.errors import InputError

shapely = lazy_loader.load("shapely")

LINE_LIMIT = 1 << 20  # bytes; raw drawings have some 5,000
WORDS_LIMIT = 1_000  # Quick, Draw! has 345
WORD = re.compile(rb'"word"\s*:\s*("(?:[^"\\]|\\.)*")')
PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "validation", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}  # as names of files have them


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


def encode(drawing: np.ndarray, name: str) -> str:
    """Encode a drawing, stroke-3 in a box of 255, as a line, without its line feed."""
    strokes = [stroke.T.astype(int).tolist() for stroke in to_strokes(drawing)]
    return json.dumps({"word": name, "drawing": strokes}, ensure_ascii=False)


def decode(
    line: bytes, choice: Choice, name: str | None = None
) -> tuple[str, np.ndarray] | None:
    """Decode a line to the split and the moves of its drawing; None to leave it out.

    Args:
        line: one of the file.
        choice: whether drawings that were not recognized are left out.
        name: the class of the file; the drawing's `word`, if it has one, must be that.
    """
    record = parse(line)
    if name and not same(word(record) or name, name):
        raise BadDrawing("another word than the file's class", record["word"])
    return _decode(record, choice, SPLITS)


def _decode(
    record: dict, choice: Choice, missing: Collection[str]
) -> tuple[str, np.ndarray] | None:
    unrecognized = record.get("recognized") is False
    if unrecognized and choice.unrecognized == "skip":
        choice.counts[UNRECOGNIZED] += 1
        return None
    moves = _moves(record["drawing"])
    if unrecognized:
        choice.counts[UNRECOGNIZED] += 1
    return choose_split(_identity(record), missing), moves


def parse(line: bytes) -> dict:
    """Parse a line to an object with a list called drawing."""
    if len(line) > LINE_LIMIT:
        raise BadDrawing(f"line longer than {LINE_LIMIT:,} bytes")
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadDrawing("not JSON", str(error)) from None
    if not isinstance(record, dict) or not isinstance(record.get("drawing"), list):
        raise BadDrawing("not a JSON object with a list called drawing", record)
    return record


def _moves(drawing: list) -> np.ndarray:
    """Decode the strokes of a drawing, simplified or raw, to moves."""
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
    return to_moves(parsed)


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


def _identity(record: dict) -> bytes:
    """Return what is the same for every copy of a drawing: its key, or its strokes."""
    key = record.get("key_id")
    known = type(key) in (str, int) and key != ""
    text = str(key) if known else json.dumps(record["drawing"])
    return text.encode("utf-8", "surrogatepass")


# ---------------------------------------------------------------- classes by `word`


def word(record: dict) -> str | None:
    """Return what was to be drawn, as the name of a class; None if it is not said."""
    text = record.get("word")
    return tidy(text) if isinstance(text, str) else None


@functools.lru_cache(maxsize=256)
def tidy(text: str) -> str | None:
    """Write a word as class names are; None where it says nothing, or no text."""
    try:
        text.encode("utf-8")  # JSON can hold half a character
    except UnicodeEncodeError:
        return None
    return text.replace("_", " ").strip() or None


@functools.lru_cache(maxsize=256)
def same(text: str, name: str) -> bool:
    """Tell whether a word is the name of a file's class, which disks may write anew."""
    texts = (unicodedata.normalize("NFC", t).casefold() for t in (text, name))
    return len(set(texts)) == 1


def first_word(path: Path) -> str | None:
    """Read the word of a file's first drawing that has one, near its beginning."""
    return next(_words(itertools.islice(records(path), 100)), None)


def all_words(path: Path) -> set[str]:
    """Read the words of a file of several classes.

    Raises:
        InputError: there are very many; or as `records`.
    """
    words = set()
    for text in _words(records(path)):
        words.add(text)
        if len(words) > WORDS_LIMIT:
            raise InputError(
                f"{path} has over {WORDS_LIMIT:,} different values of `word`, which is "
                "the class of a drawing; mend them"
            )
    return words


def _words(lines) -> Iterator[str]:
    """Yield the words of lines, by a look that costs little and parses no strokes."""
    for _, line in lines:
        match = WORD.search(line)
        if match and (text := _literal(match[1])):
            yield text


@functools.lru_cache(maxsize=256)
def _literal(text: bytes) -> str | None:
    try:
        return tidy(json.loads(text))
    except ValueError:
        return None


def part(path: Path) -> str | None:
    """Find which part a file is by its name, such as quickdraw-test.ndjson."""
    names = re.split(r"[\W_]+", path.stem.lower())
    return next((PARTS[name] for name in names if name in PARTS), None)


def read_all(
    paths: list[Path], known: Collection[str], labels: dict[str, int], choice: Choice
) -> Iterator[tuple[str, int, np.ndarray]]:
    """Yield (split, label, drawing) of files whose drawings say their class by `word`.

    Files named as validation or test are for that. What has no file of its own is cut
    from the others, by a hash of each drawing.

    Args:
        paths: the files.
        known: the words that there are.
        labels: the wanted ones -> their labels.
        choice: as for `stroke3.decode_records`.
    """
    own = {path: part(path) for path in paths}
    missing = set(SPLITS) - set(own.values())

    def decode(line: bytes):
        record = parse(line)
        name = word(record)
        if name not in known:
            raise BadDrawing("no word that names its class", record.get("word", ""))
        decoded = _decode(record, choice, missing) if name in labels else None
        return decoded and (labels[name], *decoded)

    for path in paths:
        fixed = own[path] in ("validation", "test")
        for label, split, drawing in decode_records(
            path, records(path), decode, choice
        ):
            yield own[path] if fixed else split, label, drawing
