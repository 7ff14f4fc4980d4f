"""Read drawings of several classes from files that people have."""

import difflib
import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf.data import download
from rnn_tf.data.drawings import ndjson, npz, store, tfrecord
from rnn_tf.data.drawings.stroke3 import decode_records
from rnn_tf.data.labelled import Labelled
from rnn_tf.errors import InputError
from rnn_tf.files import is_whole

pooch = lazy_loader.load("pooch")

# Formats with a file for each class, modules of two functions: `records(path)` yields
# pairs of a place in the file, such as "line 3", and a record, and raises InputError
# for a file that cannot be read. `decode(record)` gives the split and the moves of a
# drawing, or raises BadDrawing, so that one that is bad can be skipped.
FORMATS = {".npz": npz, ".ndjson": ndjson}


@dataclass(frozen=True)
class ClassFile:
    """The drawings of one class."""

    name: str
    path: Path


@dataclass(frozen=True)
class Drawings:
    """Drawings of several classes, on disk."""

    classes: tuple[str, ...]
    files: tuple[tuple[str, Path], ...]  # what is taken from which file
    # skipped -> (split, label, drawing) of every drawing
    read: Callable[[Counter | None], Iterator[tuple[str, int, np.ndarray]]]

    def __post_init__(self):
        if len(self.classes) < 2:
            raise InputError(
                f"{self.files[0][1].parent} gives one class, {self.classes[0]!r}; to "
                "tell drawings apart takes 2 or more: add files or choose more classes"
            )

    def labelled(self, name: str, skip: bool) -> Labelled:
        """Split the drawings into three parts; flat files are written once.

        Args:
            name: where they come from, as the user has named it.
            skip: whether bad drawings are counted, or the first is an error.

        Raises:
            InputError: a bad drawing that is not to be skipped, or a class of which a
                part has none.
        """
        digest = hashlib.sha256(f"1 {'skip' if skip else 'error'}".encode())
        for taken, path in self.files:  # which classes, from which file
            digest.update(f"{taken} {pooch.file_hash(path)}".encode())
        folder = download.cache() / f"strokes-{digest.hexdigest()[:32]}"
        if not is_whole(folder):
            skipped = Counter() if skip else None
            store.write(folder, self.read(skipped), skipped)
        parts, skipped = store.read(folder)
        self._check_classes(name, parts)
        notes = [f"skipped {n:,} drawings ({reason})" for reason, n in skipped.items()]
        facts = {"source": Path(name).resolve().name, "notes": notes}
        facts |= {"sha256": digest.hexdigest()}
        return Labelled(self.classes, store.sort_for_evaluation(parts), facts)

    def _check_classes(self, name: str, parts: dict[str, store.Part]) -> None:
        """Check that every part has every class, or raise InputError."""
        for split, part in parts.items():
            missing = np.setdiff1d(np.arange(len(self.classes)), part.labels)
            if len(missing):
                raise InputError(
                    f"{name}: the class {self.classes[missing[0]]!r} has no drawing "
                    f"for {split}; add some, or leave it out by --classes"
                )


def read_folder(folder: Path, classes: tuple[str, ...] = ()) -> Drawings:
    """Read a folder with TFRecords, or with a file for each class.

    Raises:
        InputError: as `find_class_files` and `tfrecord.read_common_classes`; or there
            is one class.
    """
    shards = tfrecord.find_shards(folder)
    if not shards:
        return read_class_files(find_class_files(folder, classes))
    known = tfrecord.read_common_classes(shards)
    names = tuple(choose_classes(classes, known, folder))
    taken = "all classes" if len(names) == len(known) else ", ".join(names)
    files = tuple((f"{path.name}: {taken}", path) for path in shards)
    labels = {known.index(name): label for label, name in enumerate(names)}
    return Drawings(names, files, partial(tfrecord.read_all, shards, known, labels))


def read_class_files(files: list[ClassFile]) -> Drawings:
    """Read files of one class each; labels are numbered in their order."""

    def read_all(skipped):
        for label, file in enumerate(files):
            for split, drawing in read_drawings(file, skipped):
                yield split, label, drawing

    pairs = tuple((file.name, file.path) for file in files)
    return Drawings(tuple(file.name for file in files), pairs, read_all)


def find_class_files(folder: Path, classes: tuple[str, ...] = ()) -> list[ClassFile]:
    """Find the files of a folder, one per class, sorted by name.

    Underscores in a file name are spaces in the class; what Google adds is dropped.

    Args:
        folder: with .npz and .ndjson files.
        classes: the wanted ones; all, if none is given.

    Raises:
        InputError: no such folder, files or class, or two files for a class.
    """
    files = files_by_class(folder)
    if not files:
        raise InputError(
            f"{folder} has no .npz, .ndjson or .tfrecord file; give one that has"
        )
    wanted = choose_classes(classes, files, folder)
    return [ClassFile(name, files[name]) for name in wanted]


def choose_classes(classes: Iterable[str], known: Collection[str], where) -> list[str]:
    """Sort the wanted classes; all known ones, if none is wanted.

    Args:
        classes: the wanted ones, with spaces or underscores; copies are dropped.
        known: the classes that there are.
        where: a folder or a name, for messages.

    Raises:
        InputError: there is no such class.
    """
    wanted = {name.replace("_", " ") for name in classes} or set(known)
    for name in sorted(wanted - set(known)):
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or sorted(known)
        raise InputError(
            f"{where} has no class {name!r} among its {len(known)}; the nearest are "
            f"{', '.join(map(repr, near[:3]))}"
        )
    return sorted(wanted)


def files_by_class(folder: Path) -> dict[str, Path]:
    """Find the drawing files of a folder, by class; there may be none.

    Raises:
        InputError: no such folder, or two files for a class.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder} is not a folder; give one of .npz, .ndjson or .tfrecord files"
        )
    files = {}
    for path in sorted(folder.iterdir()):
        if path.suffix not in FORMATS or path.name.startswith("."):
            continue
        name = _class_name(path.stem)
        if name in files:
            raise InputError(
                f"{folder} has two files for the class {name!r}: {files[name].name} "
                f"and {path.name}; leave one"
            )
        files[name] = path
    return files


def _class_name(stem: str) -> str:
    """Drop what Google adds to the name of a class: full_raw_ice_cream -> ice cream."""
    stem = re.sub(r"^(full_simplified_|full_raw_|sketchrnn_)(?=.)", "", stem)
    return re.sub(r"(?<=.)\.full$", "", stem).replace("_", " ")


def read_drawings(
    file: ClassFile, skipped: Counter | None = None
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (split, drawing) for every drawing of a class, in the order of the file.

    The split is train, validation or test: as an .npz file has it; in an .ndjson file
    by a hash of the drawing's `key_id` (or of its strokes), 80, 10 and 10 of 100, which
    depends on no other drawing and is the same in the raw and the simplified file. An
    .npz file is read a split at a time, an .ndjson file line by line.

    Args:
        file: the file and its class.
        skipped: counts bad drawings by reason; without it, the first is an error.

    Raises:
        InputError: names the file and the line or index; or the file has no drawing.
    """
    module = FORMATS[file.path.suffix]
    records = module.records(file.path)
    return decode_records(file.path, records, module.decode, skipped)


def first_drawings(path: Path, count: int) -> list[np.ndarray]:
    """Read the first `count` drawings of a file, or all if it has fewer.

    Raises:
        InputError: its name does not end in .npz or .ndjson; or as `read_drawings`.
    """
    if path.suffix not in FORMATS:
        raise InputError(f"{path} does not end in {' or '.join(FORMATS)}")
    drawings = read_drawings(ClassFile(path.stem, path))
    return [drawing for _, drawing in itertools.islice(drawings, count)]
