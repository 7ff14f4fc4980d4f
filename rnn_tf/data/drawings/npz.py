"""Read sketch-rnn's .npz files: pickled object arrays train, valid and test.

They come from anywhere: they are parsed, and nothing in them is ever executed.
`records` and `decode` are what `formats.FORMATS` asks of a format.
"""

import contextlib
import io
import math
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_tf.data.drawings.stroke3 import (
    BOX,
    CUT,
    SCALED,
    BadDrawing,
    Choice,
    check,
    choose_split,
    decode_records,
    positions,
    round_moves,
)
from rnn_tf.data.drawings.unpickler import NUMBER, Array, Unpickler
from rnn_tf.errors import InputError

SPLITS = {"train": "train", "valid": "validation", "test": "test"}  # as npz has them
PARTS = SPLITS | {"training": "train", "validation": "validation", "val": "validation"}
UNIT = 1.001  # the longer side of a drawing that was divided by 255, and rounding
DOUBTFUL = 16  # and divided by the standard deviation of moves, some 30, at most
# 75,000 drawings unpack to some 30 MB. Drawings compress two or three to one; a bomb
# comes near deflate's 1,000 to one, where small files of equal drawings may be too.
MEMBER_LIMIT, RATIO_LIMIT, SMALL = 1 << 30, 50, 1 << 20


def records(path: Path) -> Iterator[tuple[str, "Record"]]:
    """Yield the drawings of all parts, one member unpacked at a time.

    Raises:
        InputError: the file cannot be read, names no part, or its unit is not known.
    """
    parts = find_parts(member_names(path))
    if "train" not in parts.values():
        raise InputError(
            f"{path} has no array called train among {_list(member_names(path))}; save "
            "train, and valid and test if they are not to be cut from it"
        )
    missing = frozenset(SPLITS.values()) - set(parts.values())
    return _records(path, parts, missing)


def all_records(path: Path) -> Iterator[tuple[str, "Record"]]:
    """Yield the drawings of all arrays, train first; no part need be named.

    Arrays of numbers that are no moves, such as labels, are passed by.

    Raises:
        InputError: as `records`; or there is no other array.
    """
    names = member_names(path)
    with _one_line(path):
        moves = [name for name in names if _may_be_moves(path, name)] or names[:1]
    parts = [name for name in PARTS if name in moves] + moves
    return _records(path, dict.fromkeys(parts, "test"), frozenset())


def _may_be_moves(path: Path, member: str) -> bool:
    with zipfile.ZipFile(path) as archive, archive.open(f"{member}.npy") as file:
        shape, _, dtype = _read_header(file)
    return dtype.kind == "O" or (len(shape) > 1 and shape[-1] == 3)


def read(path: Path, member: str) -> Iterator[np.ndarray]:
    """Yield the drawings, int16 (points, 3), of one member: train, valid or test.

    Only this member is unpacked. `folder.read_drawings` reads all three.

    Raises:
        InputError: names the file, the member and the drawing; or it has no drawing.
    """
    records, choice = _records(path, {member: SPLITS[member]}, frozenset()), Choice()
    decoded = decode_records(
        path, records, lambda r: decode(r, choice), choice, f"in {member}"
    )
    return (drawing for _, drawing in decoded)


@dataclass(frozen=True)
class Record:
    """A drawing, unchecked, and what its file says of all."""

    split: str
    drawing: object
    scale: float  # of dx and dy
    missing: frozenset[str]  # parts that are cut from the training drawings


def decode(record: Record, choice: Choice) -> tuple[str, np.ndarray]:
    """Decode a record to the split and the moves of its drawing."""
    rows = _numbers(record.drawing)
    if record.scale != 1.0:
        check(rows)  # of the file's own numbers, so that the message has them
        rows = rows * (record.scale, record.scale, 1.0)
        choice.counts[SCALED] += 1
    rows = round_moves(rows)
    if record.split != "train" or not record.missing:
        return record.split, rows
    choice.counts[CUT] += 1
    return choose_split(rows.tobytes(), record.missing), rows


def find_parts(names: Iterable[str]) -> dict[str, str]:
    """Find which members are which part; a file's only array is for training."""
    names = list(names)
    known = {part: split for part, split in PARTS.items() if part in names}
    return {names[0]: "train"} if len(names) == 1 and not known else known


def member_names(path: Path) -> list[str]:
    """Name the arrays of an .npz file.

    Raises:
        InputError: it is not one.
    """
    with _one_line(path), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    names = [name.removesuffix(".npy") for name in names if name.endswith(".npy")]
    if not names:
        raise InputError(f"{path} has no array in it; fetch it again")
    return names


def _list(names: list[str]) -> str:
    return ", ".join(names)[:80]


@contextlib.contextmanager
def _one_line(where):
    """Say in one line what is wrong with a file; damaged bytes can raise anything."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise InputError(
            f"{where}: not a readable .npz file as sketch-rnn has them "
            f"({reason}); fetch it again"
        ) from None


def _records(
    path: Path, parts: dict[str, str], missing: frozenset[str]
) -> Iterator[tuple[str, Record]]:
    scale = None
    for member, split in parts.items():
        with _one_line(f"{path}, {member}"):
            drawings = _read_member(path, member)
            scale = scale or _find_scale(drawings)
        for index, drawing in enumerate(drawings):
            record = Record(split, drawing, scale or 1.0, missing)
            yield f"{member}, drawing {index}", record
        del drawings  # before the next member is unpacked


def _find_scale(drawings: Iterable) -> float | None:
    """Find what turns the moves of a file into units of a box of 255.

    Integers are in these units. Fractions may be, and are taken so if a drawing is
    larger than any is after division by the standard deviation of moves. They are
    shares of the box where the largest drawing fills it or less, as in TFRecords.

    Returns:
        1 or 255; None where the drawings do not tell, as all are dots.

    Raises:
        InputError: by no such rule is their unit known.
    """
    largest, whole = 0.0, True
    for drawing in drawings:
        rows = _sound_numbers(drawing)
        if rows is None:
            continue
        if rows.dtype.kind != "f":
            return 1.0
        largest = max(largest, float(np.ptp(positions(rows), axis=0).max()))
        whole &= not (rows[:, :2] % 1).any()
        if largest > DOUBTFUL:
            return 1.0
    if largest <= UNIT:
        return float(BOX) if largest else None
    if whole:
        return 1.0
    raise InputError(
        f"its moves are fractions and its largest drawing is {largest:.3g} wide, so "
        f"their unit is not known; multiply dx and dy, such as by the standard "
        f"deviation that they were divided by, to fill a box of {BOX}"
    )


def _sound_numbers(drawing) -> np.ndarray | None:
    try:
        rows = _numbers(drawing)
        check(rows)
    except BadDrawing:
        return None
    return rows


def _read_member(path: Path, member: str) -> list:
    """Read the drawings of a member, unchecked: arrays or stand-ins for them."""
    with zipfile.ZipFile(path) as archive:
        content = _inflate(archive, f"{member}.npy")
        packed = _packed_size(archive, f"{member}.npy")
    file = io.BytesIO(content)
    shape, by_column, dtype = _read_header(file)
    if dtype.kind != "O":
        order = "F" if by_column else "C"
        count, start = math.prod(shape), file.tell()
        numbers = np.frombuffer(content, _plain(dtype), count, start)
        return _drawings(numbers.reshape(shape, order=order))
    likely = min(math.prod(shape), packed // 4 + 10_000)  # no drawing packs in 4 bytes
    values = Unpickler(file, encoding="latin1").load_drawings(likely).state[-1]
    if not isinstance(values, list) or len(values) != math.prod(shape):
        raise InputError(f"its pickle does not hold the {shape} objects it says")
    if len(shape) == 1:
        _check_repetition(values, len(content))
        return values
    if not set(map(type, values)) <= {int, float}:
        raise InputError(f"an array {shape} of objects that are not numbers")
    return _drawings(np.array(values).reshape(shape))  # drawings of one length


def _drawings(array: np.ndarray) -> list[np.ndarray]:
    """Take an array of numbers for drawings of one length, or for one drawing."""
    _plain(array.dtype)
    if array.ndim == 2 and array.shape[1] == 3:
        return [array]
    if array.ndim == 3 and array.shape[2] == 3:
        return list(array)
    raise InputError(
        f"an array {array.shape} of {array.dtype}; it must be (drawings,) of object, "
        "each an array (points, 3), or numbers (drawings, points, 3)"
    )


def _plain(dtype: np.dtype) -> np.dtype:
    """Return the type if it is one of plain numbers."""
    if not re.fullmatch(NUMBER, dtype.str):
        raise InputError(f"an array of {str(dtype)[:40]}; it must be of numbers")
    return dtype


def _check_repetition(drawings: list, size: int) -> None:
    """Check that a member's drawings are no larger than it is.

    A pickle can name one drawing again and again, in two bytes each.
    """
    total = sum(len(d) for d in drawings if isinstance(d, Array))
    if total > size + SMALL:
        raise InputError(
            f"{size:,} bytes hold {total:,} of drawings, the same again and again; do "
            "not trust this file, or write each drawing once"
        )


def _inflate(archive: zipfile.ZipFile, name: str) -> bytes:
    """Unpack a member, if it is no larger than a class of drawings can be."""
    if name not in archive.namelist():
        names = archive.namelist()
        raise InputError(
            f"no {name} among {_list(names) or 'nothing'}; the file must have train, "
            "valid and test"
        )
    info = archive.getinfo(name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError("compressed by another method than deflate; save it by NumPy")
    packed = _packed_size(archive, name)
    allowed = min(MEMBER_LIMIT, RATIO_LIMIT * packed + SMALL)
    if info.file_size > allowed:
        raise InputError(
            f"{packed:,} bytes unpack to {info.file_size:,}, and "
            f"{allowed:,} are allowed; do not trust this file, or split the class"
        )
    with archive.open(info) as file:
        return file.read(info.file_size)  # without a size, zipfile unpacks it all first


def _packed_size(archive: zipfile.ZipFile, name: str) -> int:
    """Return the bytes of a packed member; it may say more than the file has."""
    size = Path(archive.filename).stat().st_size
    return min(archive.getinfo(name).compress_size, size)


def _read_header(file: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Read the .npy header: shape, whether columns come first, and type."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise InputError(f"has .npy version {version}; 1.0 and 2.0 are known")
    read = f"read_array_header_{version[0]}_0"
    shape, by_column, dtype = getattr(np.lib.format, read)(file)
    if not 1 <= len(shape) <= 3 or min(shape) < 0:
        raise InputError(
            f"an array {str(shape)[:40]} of {str(dtype)[:40]}; it must be (drawings,) "
            "of object, each an array (points, 3)"
        )
    return shape, by_column, dtype


def _numbers(drawing) -> np.ndarray:
    """Return the numbers of a drawing, (points, 3) if it is sound."""
    if isinstance(drawing, np.ndarray):
        return drawing
    try:
        return drawing.numbers()
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise BadDrawing("not an array of numbers") from None
