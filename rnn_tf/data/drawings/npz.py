"""Read sketch-rnn's .npz files: pickled object arrays train, valid and test.

They come from anywhere: they are parsed, and nothing in them is ever executed.
`records` and `decode` are what `folder.FORMATS` asks of a format.
"""

import io
import pickle
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rnn_tf.data.drawings.stroke3 import BadDrawing, decode_records, round_moves
from rnn_tf.errors import InputError

SPLITS = {"train": "train", "valid": "validation", "test": "test"}  # as npz has them
# 75,000 drawings unpack to some 30 MB. Drawings compress two or three to one; a bomb
# comes near deflate's 1,000 to one, where small files of equal drawings may be too.
MEMBER_LIMIT, RATIO_LIMIT, SMALL = 1 << 30, 100, 1 << 20


class _Dtype:
    """Stand in for numpy.dtype: the type of an array of numbers, or None."""

    number = None

    def __init__(self, code, *_):
        self.code = code

    def __setstate__(self, state):
        name = f"{state[1]}{self.code}"  # such as <i2
        known = re.fullmatch(r"[<>|=](i[1248]|u[1248]|f[248])", name)
        self.number = np.dtype(name) if known else None


class _Array:
    """Stand in for numpy.ndarray: keep the state, and do nothing with it."""

    state = None, None, None, None, None

    def __init__(self, *_): ...

    def __setstate__(self, state):
        self.state = state

    def numbers(self) -> np.ndarray:
        """Build the array, only now: else text that stands for bytes is kept twice."""
        _, shape, dtype, by_column, values = self.state
        if dtype.number is None:
            raise TypeError
        if isinstance(values, str):
            values = values.encode("latin1")
        order = "F" if by_column else "C"
        return np.ndarray(shape, dtype.number, memoryview(values), order=order)


def _encode(text, _):
    """Stand in for _codecs.encode, by which Python 3 writes bytes for Python 2."""
    return text


class _Unpickler(pickle._Unpickler):
    """Rebuild arrays of numbers, from stand-ins, and refuse all else.

    NumPy's own classes are not let through: a dtype's pickled state can make NumPy take
    bytes for pointers. The unpickler in Python, because the one in C fills the memory
    for a pickle of ten bytes (LONG_BINPUT); so would BYTEARRAY8, which is left out.
    """

    STAND_INS = {
        ("numpy.core.multiarray", "_reconstruct"): _Array,  # NumPy 1
        ("numpy._core.multiarray", "_reconstruct"): _Array,  # NumPy 2
        ("numpy", "ndarray"): _Array,
        ("numpy", "dtype"): _Dtype,
        ("_codecs", "encode"): _encode,
    }
    dispatch = {
        code: load
        for code, load in pickle._Unpickler.dispatch.items()
        if code not in pickle.BYTEARRAY8
    }

    def find_class(self, module, name):
        if (module, name) not in self.STAND_INS:
            raise InputError(
                f"its pickle asks for {f'{module}.{name}'[:80]!r}, which arrays of "
                "numbers do not need; do not trust this file"
            )
        return self.STAND_INS[module, name]


def records(path: Path) -> Iterator[tuple[str, tuple[str, object]]]:
    """Yield the drawings of all members, one member unpacked at a time."""
    for member in SPLITS:
        yield from _records(path, member)


def read(path: Path, member: str) -> Iterator[np.ndarray]:
    """Yield the drawings, int16 (points, 3), of one member: train, valid or test.

    Only this member is unpacked. `folder.read_drawings` reads all three.

    Raises:
        InputError: names the file, the member and the drawing; or it has no drawing.
    """
    records = _records(path, member)
    decoded = decode_records(path, records, decode, None, f"in {member}")
    return (drawing for _, drawing in decoded)


def _records(path: Path, member: str) -> Iterator[tuple[str, tuple[str, object]]]:
    for index, drawing in enumerate(_unpickle(path, member)):
        yield f"{member}, drawing {index}", (SPLITS[member], drawing)


def _unpickle(path: Path, member: str) -> list:
    """Read the drawings of a member, unchecked."""
    try:
        with zipfile.ZipFile(path) as archive:
            content = io.BytesIO(_inflate(archive, f"{member}.npy"))
        length = _read_length(content)
        drawings = _Unpickler(content, encoding="latin1").load().state[-1]
        if not isinstance(drawings, list) or len(drawings) != length:
            raise InputError(f"its pickle does not hold the {length} drawings it says")
        return drawings
    except InputError as error:
        raise InputError(f"{path}, {member}: {error}") from None
    except Exception as error:  # damaged bytes can raise anything
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise InputError(
            f"{path}, {member}: not a readable .npz file as sketch-rnn has them "
            f"({reason}); fetch it again"
        ) from None


def _inflate(archive: zipfile.ZipFile, name: str) -> bytes:
    """Unpack a member, if it is no larger than a class of drawings can be."""
    if name not in archive.namelist():
        raise InputError(
            f"no {name} among {', '.join(archive.namelist())[:80] or 'nothing'}; the "
            "file must have train, valid and test"
        )
    info = archive.getinfo(name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError("compressed by another method than deflate; save it by NumPy")
    allowed = min(MEMBER_LIMIT, RATIO_LIMIT * info.compress_size + SMALL)
    if info.file_size > allowed:
        raise InputError(
            f"{info.compress_size:,} bytes unpack to {info.file_size:,}, and "
            f"{allowed:,} are allowed; do not trust this file, or split the class"
        )
    with archive.open(info) as file:
        return file.read(info.file_size)  # without a size, zipfile unpacks it all first


def _read_length(file: io.BytesIO) -> int:
    """Read from the .npy header how many drawings follow."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise InputError(f"has .npy version {version}; 1.0 and 2.0 are known")
    read = f"read_array_header_{version[0]}_0"
    shape, _, dtype = getattr(np.lib.format, read)(file)
    if len(shape) != 1 or dtype.kind != "O":
        raise InputError(
            f"an array {shape} of {str(dtype)[:40]}; it must be (drawings,) of object, "
            "each an array (points, 3)"
        )
    return shape[0]


def decode(record: tuple[str, object]) -> tuple[str, np.ndarray]:
    """Decode a split and an unpickled array to the split and a drawing's moves."""
    split, drawing = record
    try:
        rows = drawing.numbers()
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise BadDrawing("not an array of numbers") from None
    return split, round_moves(rows)
