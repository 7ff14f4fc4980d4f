"""Read drawings of several classes from files that people have."""

import dataclasses
import difflib
import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf.data import download
from rnn_tf.data.drawings import ndjson, store, tfrecord
from rnn_tf.data.drawings.formats import (
    ClassFile,
    check_file,
    is_drawings,
    read_drawings,
)
from rnn_tf.data.drawings.stroke3 import UNRECOGNIZED, Choice, notes
from rnn_tf.data.labelled import Labelled, check_name, list_names
from rnn_tf.errors import InputError
from rnn_tf.files import is_whole

pooch = lazy_loader.load("pooch")

EVALUATION = "validation", "test"


@dataclass(frozen=True)
class Drawings:
    """Drawings of several classes, on disk."""

    classes: tuple[str, ...]
    files: tuple[tuple[str, Path], ...]  # what is taken from which file
    # choice -> (split, label, drawing) of every drawing
    read: Callable[[Choice], Iterator[tuple[str, int, np.ndarray]]]
    notes: tuple[str, ...] = ()  # on the files: what is left out

    def __post_init__(self):
        if len(self.classes) < 2:
            raise InputError(
                f"{self.files[0][1].parent} gives one class, {self.classes[0]!r}; to "
                "tell drawings apart takes 2 or more: add files or choose more classes"
                + "".join(f" ({note})" for note in self.notes)
            )

    def labelled(self, name: str, choice: Choice) -> Labelled:
        """Split the drawings into three parts; flat files are written once.

        Args:
            name: where they come from, as the user has named it.
            choice: which are taken.

        Raises:
            InputError: a bad drawing that is not to be skipped, a class of which a part
                has none, or two files that are the same.
        """
        digest = hashlib.sha256(f"2 {choice.bad} {choice.unrecognized}".encode())
        first = {}
        for taken, path in self.files:  # which classes, from which file
            sha256 = _hash(path)
            digest.update(f"{taken} {sha256}".encode())
            if (other := first.setdefault(sha256, path)) != path:
                raise InputError(
                    f"{path} has the bytes of {other.name}: no drawing can be told "
                    "from its copy; leave one out"
                )
        folder = download.cache() / f"strokes-{digest.hexdigest()[:32]}"
        if not is_whole(folder):
            store.write(folder, self.read(choice), choice.counts)
        parts, counts = store.read(folder)
        self._check_classes(name, parts)
        told = [*notes(counts, choice), *self.notes]
        facts = {"source": Path(name).resolve().name, "notes": told}
        facts |= {"sha256": digest.hexdigest()}
        if UNRECOGNIZED in counts:
            facts["unrecognized"] = counts[UNRECOGNIZED]
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


def _hash(path: Path) -> str:
    try:
        return pooch.file_hash(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from None


# ---------------------------------------------------------------- what is in a folder


def read_folder(folder: Path, classes: tuple[str, ...] = ()) -> Drawings:
    """Read a folder with TFRecords, with a file for each class, or with one for each
    part, whose drawings say their class by `word`.

    Files that are left out are named in the notes.

    Raises:
        InputError: no such folder, files or class; one class; or two files for a class.
    """
    paths = visible(folder)
    for path in paths:
        check_name(path)
    files = [path for path in paths if is_drawings(path) or tfrecord.is_shard(path)]
    if not files:
        raise InputError(_nothing(folder, paths))
    for path in files:
        check_file(path)
    if any(map(tfrecord.is_shard, files)):
        drawings = _read_shards(folder, files, classes)
        paths = [path for path in paths if not path.name.endswith(".classes")]
    elif unlike := _not_named_by_word(files):
        drawings = _read_by_word(folder, files, classes, unlike)
    else:
        drawings = read_class_files(find_class_files(folder, classes))
        paths = [path for path in paths if path not in files]  # not of those classes
    taken = {path for _, path in drawings.files}
    left = [path.name for path in paths if path not in taken]
    note = (f"left out {list_names(left, 3)}",) if left else ()
    return dataclasses.replace(drawings, notes=(*drawings.notes, *note))


def visible(folder: Path) -> list[Path]:
    """List what lies in a folder, sorted by name, but for hidden files.

    Raises:
        InputError: no such folder.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder} is not a folder; give one of .npz, .ndjson or .tfrecord files"
        )
    try:
        return sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror})") from None


def _nothing(folder: Path, paths: list[Path]) -> str:
    """Say that a folder has no drawings, and what to do about what it has."""
    text = f"{folder} has no .npz, .ndjson or .tfrecord file; give one that has"
    if paths:
        text += f" (it has {list_names([path.name for path in paths], 3)})"
    if {path.suffix.lower() for path in paths} & {".npy", ".bin", ".gz", ".csv"}:
        text += ": of Quick, Draw! take the simplified .ndjson or the .npz, unpacked"
    return text


def _read_shards(folder: Path, files: list[Path], classes) -> Drawings:
    """Read the TFRecords of a folder, and no other file."""
    shards = [path for path in files if tfrecord.is_shard(path)]
    known = tfrecord.read_common_classes(shards)
    names = tuple(choose_classes(classes, known, folder))
    taken = "all classes" if len(names) == len(known) else ", ".join(names)
    pairs = tuple((f"{path.name}: {taken}", path) for path in shards)
    labels = {known.index(name): label for label, name in enumerate(names)}
    return Drawings(names, pairs, partial(tfrecord.read_all, shards, known, labels))


def _not_named_by_word(files: list[Path]) -> Path | None:
    """Find an .ndjson file whose drawings have another `word` than its class."""
    for path in files:
        if path.suffix.lower() == ".ndjson":
            name = _class_name(path.stem)
            if not ndjson.same(ndjson.first_word(path) or name, name):
                return path
    return None


def _read_by_word(folder: Path, files: list[Path], classes, unlike: Path) -> Drawings:
    """Read .ndjson files whose drawings say their class by `word`, and no others."""
    paths, copies = _without_copies(p for p in files if p.suffix.lower() == ".ndjson")
    known = set().union(*map(ndjson.all_words, paths))
    names = tuple(choose_classes(classes, known, folder))
    taken = "all words" if len(names) == len(known) else ", ".join(names)
    pairs = tuple((f"{path.name}: {taken}", path) for path in paths)
    labels = {name: label for label, name in enumerate(names)}
    read = partial(ndjson.read_all, paths, known, labels)
    note = f"the classes are by `word`, for which {unlike.name} is not named"
    return Drawings(names, pairs, read, (note, *copies))


def _without_copies(paths: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """Leave out files with the bytes of another: a test would be on training drawings.

    Returns:
        Of copies the one that is named as for training, and all others; notes.
    """
    first, copies = {}, []
    for path in sorted(paths, key=lambda path: ndjson.part(path) in EVALUATION):
        original = first.setdefault(_hash(path), path)
        if original != path:
            copies.append(f"{path.name} has the bytes of {original.name}")
    return sorted(first.values()), copies


def read_class_files(files: list[ClassFile]) -> Drawings:
    """Read files of one class each; labels are numbered in their order."""

    def read_all(choice):
        for label, file in enumerate(files):
            for split, drawing in read_drawings(file, choice):
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
    if all(name.lower() in ndjson.PARTS for name in files):
        raise InputError(
            f"{folder} has files named as parts, {list_names([*files], 3)}, and not as "
            "classes; give a file for each class, or drawings with a `word` in .ndjson"
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
    files = {}
    for path in filter(is_drawings, visible(folder)):
        check_file(path)
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
