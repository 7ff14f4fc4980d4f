"""A folder of files that takes long to make: whole or absent."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def making(folder: Path) -> Iterator[Path]:
    """Another folder to write to, which becomes `folder` if nothing fails."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".part-") as temporary:
        made = Path(temporary) / "store"
        made.mkdir()
        yield made
        if not folder.is_dir():  # another process may have been quicker
            made.rename(folder)
