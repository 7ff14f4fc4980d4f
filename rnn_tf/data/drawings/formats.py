"""Read the drawings of one class from a file, whatever its format."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from rnn_tf.data.drawings import ndjson, npz
from rnn_tf.data.drawings.stroke3 import Choice, decode_records
from rnn_tf.data.labelled import check_name
from rnn_tf.errors import InputError

# Formats with a file for each class, modules of two functions: `records(path)` yields
# pairs of a place in the file, such as "line 3", and a record, and raises InputError
# for a file that cannot be read. `decode(record, choice)` gives the split and the moves
# of a drawing, or None for one to leave out, or raises BadDrawing.
FORMATS = {".npz": npz, ".ndjson": ndjson}


@dataclass(frozen=True)
class ClassFile:
    """The drawings of one class."""

    name: str
    path: Path


def is_drawings(path: Path) -> bool:
    """Tell whether the name of a file ends as that of drawings, in any case."""
    return path.suffix.lower() in FORMATS


def check_file(path: Path) -> None:
    """Check that a path is a file, which can be read to its end.

    Raises:
        InputError: it is none, or has a name that cannot be written.
    """
    check_name(path)
    if not path.is_file():
        raise InputError(
            f"{path} is not a file, but a folder, a pipe, a device or a link to "
            "nothing; remove it, or name a file"
        )


def read_drawings(file: ClassFile, choice: Choice) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (split, drawing) for every drawing of a class, in the order of the file.

    The split is train, validation or test: as an .npz file has it; in an .ndjson file
    by a hash of the drawing's `key_id` (or of its strokes), 80, 10 and 10 of 100, which
    depends on no other drawing and is the same in the raw and the simplified file. So
    are the parts that an .npz file lacks cut from those for training. An .npz file is
    read a split at a time, an .ndjson file line by line.

    Args:
        file: the file and its class.
        choice: which are taken.

    Raises:
        InputError: names the file and the line or index; or the file has no drawing.
    """
    module = FORMATS[file.path.suffix.lower()]
    decode = partial(module.decode, choice=choice)
    if module is ndjson:
        decode = partial(decode, name=file.name)
    return decode_records(file.path, module.records(file.path), decode, choice)


def first_drawings(path: Path, count: int) -> list[np.ndarray]:
    """Read the first `count` drawings of a file, or all if it has fewer.

    Raises:
        InputError: it is no .npz or .ndjson file, `count` is below 1; or as
            `read_drawings`.
    """
    if not is_drawings(path):
        raise InputError(f"{path} does not end in {' or '.join(FORMATS)}")
    if count < 1:
        raise InputError(f"the limit is {count}; look at 1 drawing or more")
    check_file(path)
    module, choice = FORMATS[path.suffix.lower()], Choice()
    records = npz.all_records(path) if module is npz else module.records(path)
    decode = partial(module.decode, choice=choice)
    drawings = decode_records(path, records, decode, choice)
    return [drawing for _, drawing in itertools.islice(drawings, count)]
