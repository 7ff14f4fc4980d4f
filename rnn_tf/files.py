"""Write files and folders whole or not at all: under a temporary name, then renamed."""

import contextlib
import csv
import errno
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import filelock

from rnn_tf.errors import DiskError

# What a disk says that takes no more.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})


@contextlib.contextmanager
def disk_errors(folder: Path, numbers: frozenset[int] | None = None) -> Iterator[None]:
    """Turn an OSError into a DiskError that names the folder being written to.

    Args:
        folder: the place. An error that names a file elsewhere, such as one that is
            read, goes through.
        numbers: the errors to turn, such as FULL; all by default.
    """
    try:
        yield
    except OSError as error:
        place = Path(error.filename or folder)
        if folder not in (place, *place.parents) and place not in folder.parents:
            raise
        if numbers is not None and error.errno not in numbers:
            raise
        # NumPy says how many numbers were not written, and no reason.
        reason = error.strerror or "it seems to be full"
        raise DiskError(
            f"cannot write to {folder} ({reason}); make room, or use another folder"
        ) from None


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if no error was raised.

    The temporary name keeps the ending, because Keras and matplotlib read the format
    from it.

    Raises:
        DiskError: the disk is full, or the place cannot be written to.
    """
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    with disk_errors(path.parent):
        try:
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.replace(path)
        finally:
            with contextlib.suppress(OSError):  # there may be no such folder
                temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data`, whole or not at all."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text`, whole or not at all; what is no UTF-8, as Python's escapes."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_csv(path: Path, columns: list[str], rows: Iterable[dict]) -> None:
    """Write rows under `columns`, then any others in their order of appearance.

    Missing values are empty cells. Floats keep every digit, so equal numbers give
    equal bytes.
    """
    rows = list(rows)
    extra = list(dict.fromkeys(key for row in rows for key in row))
    names = list(columns) + [key for key in extra if key not in columns]
    lines = []
    # A name with a carriage return alone is quoted only if rows end with one.
    lines_file = SimpleNamespace(write=lines.append)
    writer = csv.DictWriter(lines_file, names, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, "".join(line.removesuffix("\r\n") + "\n" for line in lines))


# ---------------------------------------------------------------- folders

CONTENTS = "contents.json"  # of a folder that is whole: name -> size and checksum
CHECKED = 64 << 20  # bytes of a file whose checksum is worth its time
PART, NEW = ".part-", ".new-"  # a folder that is being written, and before it is locked


@contextlib.contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty temporary folder; rename it to `folder` if no error was raised.

    If another process has written `folder` meanwhile, that one stays; a damaged one is
    replaced. What killed processes left beside it is removed.

    Raises:
        DiskError: the disk is full, or the place cannot be written to.
    """
    with disk_errors(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(folder.parent)
        with _own_part(folder.parent) as part:
            new = part / folder.name
            new.mkdir()
            yield new
            _seal(new)
            if not is_whole(folder):
                shutil.rmtree(folder, ignore_errors=True)
                new.rename(folder)


def is_whole(folder: Path) -> bool:
    """Whether `folder` is there with all that `atomic_folder` put into it.

    After a power cut or by a full disk, files may be cut short.
    """
    try:
        contents = json.loads((folder / CONTENTS).read_text(encoding="utf-8"))
        return all(_mark(folder / name) == mark for name, mark in contents.items())
    except (OSError, ValueError, AttributeError):
        return False


def _seal(folder: Path) -> None:
    """Have the disk write every file of a folder, and note what they are."""
    names = sorted(path.name for path in folder.iterdir())
    for name in names:
        with (folder / name).open("rb") as written:
            os.fsync(written.fileno())
    contents = {name: _mark(folder / name) for name in names}
    write_text(folder / CONTENTS, json.dumps(contents))


def _mark(path: Path) -> list[int]:
    """Return the size of a file, and its checksum unless that would take long."""
    size = path.stat().st_size
    return [size, zlib.crc32(path.read_bytes()) if size <= CHECKED else 0]


@contextlib.contextmanager
def _own_part(parent: Path) -> Iterator[Path]:
    """Yield a new folder that is locked while this process lives, and removed then."""
    new = Path(tempfile.mkdtemp(dir=parent, prefix=NEW))
    part = parent / new.name.replace(NEW, PART)
    try:
        with filelock.FileLock(new / ".lock"):
            yield new.rename(part)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(part, ignore_errors=True)


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders that killed processes were writing: their locks are free."""
    for part in parent.glob(f"{PART}*"):
        lock = filelock.FileLock(part / ".lock", blocking=False)
        with contextlib.suppress(filelock.Timeout, OSError), lock:
            shutil.rmtree(part, ignore_errors=True)
