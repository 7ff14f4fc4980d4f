"""Find the video files of a folder, their classes, and the part of each."""

import difflib
import os
from collections.abc import Sequence
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf.data.labelled import check_name, list_names
from rnn_tf.data.splits import SPLITS
from rnn_tf.data.video import lists
from rnn_tf.data.video.containers import SUFFIXES
from rnn_tf.data.video.lists import Video
from rnn_tf.errors import InputError

sklearn = lazy_loader.load("sklearn")

TRIES = 20  # of a split, until every part has every class


# ---------------------------------------------------------------- which files


def find_videos(folder: Path, group_column: str | None = None) -> list[Video]:
    """Find the videos that clips.csv lists, or those in the folder's class folders.

    Or those of train.csv and test.csv, see `lists.read_parts`. Without a group column
    every file is a group of its own.

    Raises:
        InputError: no such folder, file or column, nothing in it, or a name that is not
            UTF-8.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder} is not a folder; give one of class folders with video files"
        )
    table = folder / "clips.csv"
    if table.is_file():
        videos = lists.read_list(folder, table, group_column)
    elif os.path.lexists(table):
        raise InputError(f"{table} is no file, or a link to none; mend or remove it")
    elif group_column:
        raise InputError(
            f"--group-column {group_column}, but {folder} has no clips.csv; add one "
            f"with the columns file, class and {group_column}"
        )
    elif lists.has_parts(folder):
        videos = lists.read_parts(folder)
    else:
        videos = _read_class_folders(folder)
    for path in [folder.resolve(), *(video.path for video in videos)]:
        check_name(path)
    return videos


def _read_class_folders(folder: Path) -> list[Video]:
    """List the videos in the class folders, by their names, whatever they may hold."""
    paths = [
        path
        for entries in _class_folders(folder).values()
        for path in entries
        if _is_video(path)
    ]
    if not paths:
        left_out = "; ".join(describe_left_out(folder))
        raise InputError(
            f"{folder} has no class folder with a .mp4, .mkv or other video file, and "
            f"no clips.csv; give one that has{left_out and f' ({left_out})'}"
        )
    videos = [Video(path, path.parent.name, path.name) for path in paths]
    names = {video.label for video in videos}
    if {name.lower() for name in names} <= lists.PART_NAMES:
        raise InputError(
            f"{folder} has the folders {', '.join(sorted(names))}, which are parts and "
            "no classes; give a folder for each class, or add clips.csv with the "
            "columns file and class"
        )
    return videos


def describe_left_out(folder: Path) -> list[str]:
    """Name what a folder of class folders holds beside the videos of its classes."""
    if (folder / "clips.csv").is_file() or lists.has_parts(folder):
        return []
    films = [path.name for path in _entries(folder) if _is_video(path)]
    classes, others = [], []
    for path, entries in _class_folders(folder).items():
        rest = [entry for entry in entries if not _is_video(entry)]
        if len(rest) < len(entries):
            others += [f"{path.name}/{entry.name}" for entry in rest]
        else:
            content = list_names([entry.name for entry in entries], 3)
            classes.append(f"{path.name}: {content or 'empty'}")
    return [
        f"left out {name} ({list_names(names, 5)})"
        for names, name in (
            (classes, f"{len(classes)} folders without a video file"),
            (films, f"{len(films)} videos outside of the class folders"),
            (others, f"{len(others)} other files or folders"),
        )
        if names
    ]


def _class_folders(folder: Path) -> dict[Path, list[Path]]:
    """List what is in each folder of a folder; hidden files are passed over."""
    return {path: _entries(path) for path in _entries(folder) if path.is_dir()}


def _entries(folder: Path) -> list[Path]:
    """List what is in a folder, by name, without hidden files."""
    try:
        return sorted(path for path in folder.iterdir() if path.name[0] != ".")
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror})") from None


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def choose_classes(
    videos: list[Video], classes: tuple[str, ...], left_out: Sequence[str] = ()
) -> list[Video]:
    """Choose the videos of the classes; all of them, if none is named.

    Args:
        videos: of all classes.
        classes: the names.
        left_out: what was left out of the folder, for the error message.

    Raises:
        InputError: there is no such class, or fewer than two are left.
    """
    known = sorted({video.label for video in videos})
    hint = f" ({'; '.join(left_out)})" if left_out else ""
    for name in classes:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known
            raise InputError(
                f"there is no class {name!r} among {len(known)}; the nearest are "
                f"{', '.join(map(repr, near[:5]))}{hint}"
            )
    chosen = set(classes or known)
    if len(chosen) < 2:
        raise InputError(
            f"there is one class, {min(chosen)!r}; to tell videos apart takes 2 or "
            f"more{hint}"
        )
    return [video for video in videos if video.label in chosen]


# ---------------------------------------------------------------- which part


def split_by_group(
    videos: list[Video], validation: tuple[str, ...] = (), test: tuple[str, ...] = ()
) -> dict[str, np.ndarray]:
    """Split the videos into three parts, no group in two of them.

    Without named groups, a fifth for test, unless a list says what is, and a fifth for
    validation, by scikit-learn's StratifiedGroupKFold, which keeps the shares of the
    classes alike. Where parts are given, a copy of a file that is in a later part too
    is left out.

    Args:
        videos: all of them.
        validation: the groups for validation.
        test: the groups for test.

    Returns:
        Split -> the numbers of its videos, ordered by group.

    Raises:
        InputError: there is no such group, or a class is missing in a part.
    """
    groups = np.array([video.group for video in videos])
    labels = np.array([video.label for video in videos])
    if validation or test:
        part = _assign_named(groups, validation, test)
        part = _without_copies(videos, part)
        _check_classes(labels, groups, part)
    else:
        listed = np.array([video.part == "test" for video in videos])
        part = _assign_by_chance(labels, groups, listed)
        part = _without_copies(videos, part)
    order = np.lexsort((np.arange(len(videos)), groups))
    return {name: order[part[order] == name] for name in SPLITS}


def _assign_named(groups: np.ndarray, validation: tuple, test: tuple) -> np.ndarray:
    """Give each video the part that its group was named for: (videos,)."""
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


def _without_copies(videos: list[Video], part: np.ndarray) -> np.ndarray:
    """Mark as left out the videos whose file is in a later part too: (videos,)."""
    latest = {}
    for video, name in zip(videos, part, strict=True):
        number = SPLITS.index(name)
        latest[video.sha256] = max(number, latest.get(video.sha256, 0))
    keep = [
        not video.sha256 or SPLITS[latest[video.sha256]] == name
        for video, name in zip(videos, part, strict=True)
    ]
    return np.where(keep, part, "left out")


def _assign_by_chance(
    labels: np.ndarray, groups: np.ndarray, listed: np.ndarray
) -> np.ndarray:
    """Draw the part of each video, so that every part has every class: (videos,).

    Those that are `listed` are the test set, if there are any.
    """
    drawn = np.flatnonzero(~listed)
    parts = SPLITS[:2] if listed.any() else SPLITS
    _check_groups(labels[drawn], groups[drawn], len(parts))
    part = np.where(listed, "test", "train").astype("<U10")
    for seed in range(1, TRIES + 1):
        folds = sklearn.model_selection.StratifiedGroupKFold(
            min(5, len(np.unique(groups[drawn]))), shuffle=True, random_state=seed
        )
        (_, test), (_, validation), *_ = folds.split(
            drawn, labels[drawn], groups[drawn]
        )
        part[drawn] = "train"
        part[drawn[test]] = "test" if "test" in parts else "train"
        part[drawn[validation]] = "validation"
        if all(set(labels[part == name]) == set(labels) for name in SPLITS):
            return part
    _check_classes(labels, groups, part)
    return part


def _check_groups(labels: np.ndarray, groups: np.ndarray, parts: int) -> None:
    """Check that each class has a group for each part, or raise InputError."""
    for name in sorted(set(labels.tolist())):
        own = np.unique(groups[labels == name])
        if len(own) < parts:
            raise InputError(
                f"the class {name!r} comes from {len(own)} group(s), {', '.join(own)}; "
                "each part needs one of its own: add some, or name the other classes "
                "with --classes"
            )


def _check_classes(labels: np.ndarray, groups: np.ndarray, part: np.ndarray) -> None:
    """Check that every part has every class, or raise InputError."""
    for name in SPLITS:
        for missing in sorted(
            set(labels.tolist()) - set(labels[part == name].tolist())
        ):
            own = ", ".join(np.unique(groups[labels == missing])[:20])
            copies = np.count_nonzero(part[labels == missing] == "left out")
            hint = (
                f", and {copies} are copies of videos of a later part" if copies else ""
            )
            raise InputError(
                f"no video of the class {missing!r} is for {name}; it comes from the "
                f"groups {own}{hint}: choose others with --validation-groups and "
                "--test-groups, or name the other classes with --classes"
            )
