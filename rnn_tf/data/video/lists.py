"""Read the lists that say which video is of which class, and which belong together."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from rnn_tf.errors import InputError

LISTED = "video_name", "tag"  # columns of a part's list, as in keras.io's example
PARTS = "train", "test"
# Names of folders that hold a part of the data, and no class.
PART_NAMES = {
    *PARTS,
    "training",
    "val",
    "valid",
    "validation",
    "testing",
    "dev",
    "eval",
}


@dataclass(frozen=True)
class Video:
    """One file, its class, and its group: the recording or the person it shares."""

    path: Path
    label: str
    group: str
    part: str = ""  # test, if a list says so; else it is drawn, see `split_by_group`
    sha256: str = field(default="", compare=False)  # of the file, once it was read


def read_list(folder: Path, table: Path, group_column: str | None) -> list[Video]:
    """Read the videos of clips.csv, in their order.

    Raises:
        InputError: a column or a file is missing, or a file is listed twice.
    """
    wanted = ["file", "class", *([group_column] if group_column else [])]
    videos = [
        Video(folder / name, label, group[0] if group else name)
        for name, label, *group in _read_rows(table, folder, wanted)
    ]
    if not videos:
        raise InputError(f"{table} lists no file; mend it")
    path, count = Counter(video.path for video in videos).most_common(1)[0]
    if count > 1:
        raise InputError(f"{table} lists {path.name} twice; mend it")
    return videos


def read_parts(folder: Path) -> list[Video]:
    """Read the videos of train.csv and test.csv, which lie in folders train and test.

    This is how keras.io's example of video classification has them (Paul, 2021), with
    a class in `tag`. Clips of one film of UCF101, by their names, are a group.

    Raises:
        InputError: a column or a file is missing, or a film is in both parts.
    """
    videos = [
        Video(folder / part / name, label, _film(f"{part}/{name}"), part)
        for part in PARTS
        for name, label in _read_rows(folder / f"{part}.csv", folder / part, LISTED)
    ]
    in_test = {video.group for video in videos if video.part == "test"}
    for video in videos:
        if video.part == "train" and video.group in in_test:
            raise InputError(
                f"{folder}: the film {video.group} is in train.csv and in test.csv; "
                "leave it out of one"
            )
    return videos


def has_parts(folder: Path) -> bool:
    """Whether a folder has the lists of `read_parts`."""
    return all((folder / f"{part}.csv").is_file() for part in PARTS)


def _film(name: str) -> str:
    """Name what a video shares with others: v_Punch_g02_c05.avi is of v_Punch_g02."""
    film = re.search(r"/(v_\w+_g\d\d)_c\d\d\.\w+$", name)
    return film[1] if film else name


def _read_rows(table: Path, folder: Path, wanted: Sequence[str]) -> Iterator[list[str]]:
    """Yield the cells of the wanted columns; the first names a file of a folder.

    Raises:
        InputError: it is no CSV file, or a column, a cell or a file is missing.
    """
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, strict=True)
            for name in wanted:
                _check_column(table, name, rows.fieldnames or [], wanted)
            for row in rows:
                place = f"{table}, line {rows.line_num}"
                cells = [(row[name] or "").strip() for name in wanted]
                for name, cell in zip(wanted, cells, strict=True):
                    if not cell:
                        raise InputError(f"{place}: {name} is empty; fill it in")
                _check_path(place, folder, cells[0])
                yield cells
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{table} is no CSV file in UTF-8 ({error})") from None


def _check_column(
    table: Path, name: str, columns: Sequence[str], wanted: Sequence[str]
) -> None:
    """Check that a table has one column of a name."""
    if name not in columns:
        raise InputError(
            f"{table} has no column {name!r} among {', '.join(columns)[:80]}; it must "
            f"have {', '.join(wanted)}"
        )
    if columns.count(name) > 1:
        raise InputError(
            f"{table} has {columns.count(name)} columns {name!r}; keep one"
        )


def _check_path(place: str, folder: Path, name: str) -> None:
    """Check that a folder has such a file; the name is text, so links may leave."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise InputError(f"{place}: {name[:80]!r} leaves the folder; give paths in it")
    try:
        exists = (folder / path).is_file()
    except OSError:  # such as a name that is too long
        exists = False
    if not exists:
        raise InputError(f"{place}: there is no file {name[:80]!r} in {folder}")
