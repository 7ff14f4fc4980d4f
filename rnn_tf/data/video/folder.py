"""A folder of video files: which there are, of which class, and in which part."""

import csv
import difflib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import lazy_loader
import numpy as np

from rnn_tf.data.splits import SPLITS
from rnn_tf.data.video.decoding import FORMATS
from rnn_tf.errors import InputError

sklearn = lazy_loader.load("sklearn")

TRIES = 20  # of a split, until every part has every class


@dataclass(frozen=True)
class Video:
    """One file, its class, and what it shares with others: a recording, a person."""

    path: Path
    label: str
    group: str


# ---------------------------------------------------------------- which files


def find_videos(folder: Path, group_column: str | None = None) -> list[Video]:
    """The videos that clips.csv lists, or those in the folder's class folders.

    Without a group column every file is a group of its own.

    Raises:
        InputError: no such folder, file or column, or nothing in it.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder} is not a folder; give one of class folders with video files"
        )
    table = folder / "clips.csv"
    if table.is_file():
        return _listed(folder, table, group_column)
    if group_column:
        raise InputError(
            f"--group-column {group_column}, but {folder} has no clips.csv; add one "
            f"with the columns file, class and {group_column}"
        )
    paths = [path for path in sorted(folder.glob("*/*")) if _is_video(path)]
    if not paths:
        raise InputError(
            f"{folder} has no class folder with a {', '.join(FORMATS)} file, and no "
            "clips.csv; give one that has"
        )
    return [Video(path, path.parent.name, path.name) for path in paths]


def _is_video(path: Path) -> bool:
    hidden = path.name.startswith(".") or path.parent.name.startswith(".")
    return path.suffix.lower() in FORMATS and not hidden


def _listed(folder: Path, table: Path, group_column: str | None) -> list[Video]:
    """The rows of clips.csv, in their order."""
    wanted = ["file", "class", *([group_column] if group_column else [])]
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, strict=True)
            columns = rows.fieldnames or []
            for name in wanted:
                if name not in columns:
                    raise InputError(
                        f"{table} has no column {name!r} among {', '.join(columns)}; "
                        f"it must have {', '.join(wanted)}"
                    )
            videos = [_row(folder, table, rows.line_num, row, wanted) for row in rows]
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{table} is no CSV file in UTF-8 ({error})") from None
    twice = Counter(video.path for video in videos).most_common(1)
    if not twice or twice[0][1] > 1:
        said = f"lists {twice[0][0].name} twice" if twice else "lists no file"
        raise InputError(f"{table} {said}; mend it")
    return videos


def _row(folder: Path, table: Path, line: int, row: dict, wanted: list) -> Video:
    """A row as a video; its path is taken as text, so that links may lead elsewhere."""
    for name in wanted:
        if not (row[name] or "").strip():
            raise InputError(f"{table}, line {line}: {name} is empty; fill it in")
    name, label, *group = (row[column].strip() for column in wanted)
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise InputError(
            f"{table}, line {line}: {name[:80]!r} leaves the folder; give paths in it"
        )
    try:
        there = (folder / path).is_file()
    except OSError:  # such as a name that is too long
        there = False
    if not there:
        raise InputError(
            f"{table}, line {line}: there is no file {name[:80]!r} in the folder"
        )
    return Video(folder / path, label, group[0] if group else name)


def choose_classes(videos: list[Video], classes: tuple[str, ...]) -> list[Video]:
    """Those of the classes; all of them, if none is named.

    Raises:
        InputError: a class is not there, or fewer than two are left.
    """
    known = sorted({video.label for video in videos})
    for name in classes:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known
            raise InputError(
                f"there is no class {name!r} among {len(known)}; the nearest are "
                f"{', '.join(map(repr, near[:5]))}"
            )
    chosen = set(classes or known)
    if len(chosen) < 2:
        raise InputError(
            f"there is one class, {min(chosen)!r}; to tell videos apart takes 2 or more"
        )
    return [video for video in videos if video.label in chosen]


# ---------------------------------------------------------------- which part


def split_by_group(
    videos: list[Video], validation: tuple[str, ...] = (), test: tuple[str, ...] = ()
) -> dict[str, np.ndarray]:
    """Numbers of the videos of each part, no group in two; ordered by group.

    Without named groups, a fifth for test and a fifth for validation, by scikit-learn's
    StratifiedGroupKFold, which keeps the shares of the classes alike.

    Args:
        videos: all of them.
        validation: the groups for validation.
        test: the groups for test.

    Raises:
        InputError: a group is not there, or a class is missing in a part.
    """
    groups = np.array([video.group for video in videos])
    labels = np.array([video.label for video in videos])
    if validation or test:
        part = _named(groups, validation, test)
        _check(labels, groups, part)
    else:
        part = _drawn(labels, groups)
    order = np.lexsort((np.arange(len(videos)), groups))
    return {name: order[part[order] == name] for name in SPLITS}


def _named(groups: np.ndarray, validation: tuple, test: tuple) -> np.ndarray:
    """(videos,): the part of each, from the groups that were named."""
    for option, names in ("validation", validation), ("test", test):
        if not names:
            raise InputError(f"--{option}-groups is missing; name groups for both")
        for name in names:
            if name not in groups:
                known = sorted(set(groups.tolist()))
                near = difflib.get_close_matches(name, known, n=5, cutoff=0.4)
                near = ", ".join(near or known[:5])
                raise InputError(
                    f"--{option}-groups has {name!r}; of {len(known)} groups the "
                    f"nearest are {near}"
                )
    both = sorted(set(validation) & set(test))
    if both:
        raise InputError(f"the group {both[0]!r} is both for validation and for test")
    in_test, in_validation = np.isin(groups, test), np.isin(groups, validation)
    return np.select([in_test, in_validation], ["test", "validation"], "train")


def _drawn(labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(videos,): the part of each, in which every part has every class."""
    for name in sorted(set(labels.tolist())):
        own = np.unique(groups[labels == name])
        if len(own) < 3:
            raise InputError(
                f"the class {name!r} comes from {len(own)} group(s), {', '.join(own)}; "
                "each part needs one of its own: add some, or name the other classes "
                "with --classes"
            )
    for seed in range(1, TRIES + 1):
        folds = sklearn.model_selection.StratifiedGroupKFold(
            min(5, len(np.unique(groups))), shuffle=True, random_state=seed
        )
        (_, test), (_, validation), *_ = folds.split(labels, labels, groups)
        part = np.full(len(labels), "train", dtype="<U10")
        part[test], part[validation] = "test", "validation"
        if all(set(labels[part == name]) == set(labels) for name in SPLITS):
            return part
    _check(labels, groups, part)
    return part


def _check(labels: np.ndarray, groups: np.ndarray, part: np.ndarray) -> None:
    """Raise InputError unless every part has every class."""
    for name in SPLITS:
        for missing in sorted(
            set(labels.tolist()) - set(labels[part == name].tolist())
        ):
            own = ", ".join(np.unique(groups[labels == missing])[:20])
            raise InputError(
                f"no video of the class {missing!r} is for {name}; it comes from the "
                f"groups {own}: choose others with --validation-groups and "
                "--test-groups, or name the other classes with --classes"
            )
