"""Drawings of many classes, read from the files that people have."""

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
from rnn_tf.data.drawings import batches, ndjson, npz, tfrecord
from rnn_tf.data.drawings.stroke3 import decoded
from rnn_tf.data.labelled import Labelled
from rnn_tf.errors import InputError

pooch = lazy_loader.load("pooch")

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
    # skipped -> (split, label, drawing) of all; `read_drawings` gives one class
    read: Callable[[Counter | None], Iterator[tuple[str, int, np.ndarray]]]

    def __post_init__(self):
        if len(self.classes) < 2:
            raise InputError(
                f"{self.files[0][1].parent} gives one class, {self.classes[0]!r}; to "
                "tell drawings apart takes 2 or more: add files or choose more classes"
            )

    def labelled(self, name: str, skip: bool) -> Labelled:
        """The drawings in three parts; they are converted once, to flat files.

        Args:
            name: where they come from, as the user said it.
            skip: whether bad drawings are counted, or the first is an error.

        Raises:
            InputError: a bad drawing that is not to be skipped, or a class of which a
                part has none.
        """
        digest = hashlib.sha256(f"1 {'skip' if skip else 'error'}".encode())
        for taken, path in self.files:
            digest.update(f"{taken} {pooch.file_hash(path)}".encode())
        folder = download.cache() / f"strokes-{digest.hexdigest()[:32]}"
        if not folder.is_dir():
            skipped = Counter() if skip else None
            batches.write_store(folder, self.read(skipped), skipped)
        parts, skipped = batches.read_store(folder)
        self._check(name, parts)
        notes = [f"skipped {n:,} drawings ({why})" for why, n in skipped.items()]
        facts = {"source": Path(name).resolve().name, "notes": notes}
        facts |= {"sha256": digest.hexdigest()}
        return Labelled(self.classes, batches.sort_for_evaluation(parts), facts)

    def _check(self, name: str, parts: dict[str, batches.Part]) -> None:
        """Raise InputError unless every part has every class."""
        for split, part in parts.items():
            missing = np.setdiff1d(np.arange(len(self.classes)), part.labels)
            if len(missing):
                raise InputError(
                    f"{name}: the class {self.classes[missing[0]]!r} has no drawing "
                    f"for {split}; add some, or leave it out by --classes"
                )


def read_folder(folder: Path, classes: tuple[str, ...] = ()) -> Drawings:
    """The drawings of a folder with TFRecords, or with a file for each class.

    Raises:
        InputError: as `find_class_files` and `tfrecord.classes`; or there is one class.
    """
    shards = tfrecord.shards(folder)
    if not shards:
        return read_class_files(find_class_files(folder, classes))
    known = tfrecord.classes_of(shards)
    names = tuple(choose_classes(classes, known, folder))
    taken = "all classes" if len(names) == len(known) else ", ".join(names)
    files = tuple((f"{path.name}: {taken}", path) for path in shards)
    labels = {known.index(name): label for label, name in enumerate(names)}
    return Drawings(names, files, partial(tfrecord.read_all, shards, known, labels))


def read_class_files(files: list[ClassFile]) -> Drawings:
    """The drawings of one file per class."""

    def read_all(skipped):
        for label, file in enumerate(files):
            for split, drawing in read_drawings(file, skipped):
                yield split, label, drawing

    pairs = tuple((file.name, file.path) for file in files)
    return Drawings(tuple(file.name for file in files), pairs, read_all)


def find_class_files(folder: Path, classes: tuple[str, ...] = ()) -> list[ClassFile]:
    """The files of a folder, one per class, sorted by name; all unless `classes` says.

    Underscores in a file name are spaces in the class; what Google adds is dropped.

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
    """The names of `classes`, sorted and each once; all that are known, if it is empty.

    Raises:
        InputError: `where`, a folder or a name, has no such class.
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
    """The drawing files that a folder has, by class; it may have none.

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
    form = FORMATS[file.path.suffix]
    return decoded(file.path, form.records(file.path), form.decode, skipped)


def first_drawings(path: Path, count: int) -> list[np.ndarray]:
    """So many drawings from the beginning of a file, or all if it has fewer.

    Raises:
        InputError: its name does not end in .npz or .ndjson; or as `read_drawings`.
    """
    if path.suffix not in FORMATS:
        raise InputError(f"{path} does not end in {' or '.join(FORMATS)}")
    found = read_drawings(ClassFile(path.stem, path))
    return [drawing for _, drawing in itertools.islice(found, count)]
