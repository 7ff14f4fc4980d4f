"""Write files and folders whole or not at all: under a temporary name, then renamed."""

import contextlib
import csv
import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if no error was raised.

    The temporary name keeps the ending, because Keras and matplotlib read the format
    from it.
    """
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data`, whole or not at all."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text`, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_csv(path: Path, columns: list[str], rows: Iterable[dict]) -> None:
    """Write rows under `columns`, then any others in their order of appearance.

    Missing values are empty cells. Floats keep every digit, so equal numbers give
    equal bytes.
    """
    rows = list(rows)
    extra = list(dict.fromkeys(key for row in rows for key in row))
    names = list(columns) + [key for key in extra if key not in columns]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


@contextlib.contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty temporary folder; rename it to `folder` if no error was raised.

    If another process has made `folder` meanwhile, that one stays.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".part-") as temporary:
        new = Path(temporary) / folder.name
        new.mkdir()
        yield new
        if not folder.is_dir():
            new.rename(folder)
