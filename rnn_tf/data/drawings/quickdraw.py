"""Download Google's Quick, Draw! drawings as sketch-rnn has them: a file per class.

Google, Inc., CC BY 4.0, https://github.com/googlecreativelab/quickdraw-dataset. A class
has 70,000 drawings for training, 2,500 for validation and 2,500 for the test.
"""

import urllib.parse
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import track

from rnn_tf.data import download
from rnn_tf.data.drawings.folder import choose_classes
from rnn_tf.data.drawings.formats import ClassFile

URL = "https://storage.googleapis.com/quickdraw_dataset/sketchrnn"
_NAMES = Path(__file__).with_name("quickdraw.txt")
CLASSES = tuple(_NAMES.read_text(encoding="utf-8").splitlines())  # 345, sorted
OPTION = "--data (for TFDS: manual_dir)"


def cache() -> Path:
    """Return the folder where the files are kept."""
    return download.cache() / "quickdraw"


def fetch(classes: Iterable[str] = (), folder: Path | None = None) -> list[ClassFile]:
    """Return the files of the classes, sorted by name; download those not there.

    A file in the folder was verified against the MD5 that Google publishes before it
    got there, so nothing is asked about it again, and no connection is needed.

    Args:
        classes: their names, with spaces or underscores; all 345, if none is given.
        folder: where the files are kept, by default `cache()`.

    Raises:
        InputError: an unknown class, or a download that failed or is not sound; the
            files before it are kept.
    """
    folder = folder or cache()
    names = choose_classes(classes, CLASSES, "Quick, Draw!")
    files = [ClassFile(name, folder / f"{name}.npz") for name in names]
    _download([file for file in files if not file.path.is_file()])
    return files


def _download(files: list[ClassFile]) -> None:
    """Download files, after Google has answered for all: one may not be there."""
    if not files:
        return
    console = Console(markup=False, emoji=False)  # a folder may be named [a]
    folder = files[0].path.parent
    console.print(f"asking for {len(files)} files of Quick, Draw! ...", soft_wrap=True)
    urls = {file: f"{URL}/{urllib.parse.quote(file.name)}.npz" for file in files}
    about = {file: download.checksum_and_size(urls[file], OPTION) for file in files}
    size = sum(bytes_ for _, bytes_ in about.values())
    console.print(f"fetching {size / 1e6:,.1f} MB into {folder}", soft_wrap=True)
    bar = {"console": console, "transient": True, "disable": not console.is_terminal}
    for file in track(files, "fetching", **bar):
        download.retrieve(urls[file], about[file][0], file.path, OPTION)
