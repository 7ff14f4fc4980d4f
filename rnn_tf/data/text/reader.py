"""Read text files in blocks, so that memory does not grow with them."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rnn_tf.data.labelled import check_name
from rnn_tf.errors import InputError
from rnn_tf.text import quote

BLOCK = 1 << 20  # characters
ENDING = ".txt"


@dataclass(frozen=True)
class Text:
    """A text that can be read again and again, block by block."""

    name: str
    sha256: str
    blocks: Callable[[], Iterator[str]]


def from_string(name: str, text: str) -> Text:
    """Make a text of what is in memory."""

    def blocks():
        for start in range(0, len(text), BLOCK):
            yield text[start : start + BLOCK]

    return Text(name, hashlib.sha256(text.encode()).hexdigest(), blocks)


def read(path: Path) -> Text:
    """Read a UTF-8 text file, or all .txt files of a folder, sorted by path, as one.

    Lines end with a line feed, whatever they end with in the files.

    Raises:
        InputError: there is no such file, it is no UTF-8 text, or it is empty.
    """
    files = _files(path)
    digest = hashlib.sha256()
    for block in _blocks(files):
        digest.update(block.encode())
    if digest.digest() == hashlib.sha256().digest():
        raise InputError(f"{path} is empty; give a text with some thousand characters")
    return Text(path.resolve().name, digest.hexdigest(), lambda: _blocks(files))


def lines(text: Text) -> Iterator[str]:
    """Yield the lines of a text, block by block."""
    rest = ""
    for block in text.blocks():
        *whole, rest = (rest + block).split("\n")
        yield from whole
    yield rest


def _files(path: Path) -> list[Path]:
    """List the files of a text."""
    if path.is_dir():
        inside = [p.relative_to(path) for p in path.rglob(f"*{ENDING}") if p.is_file()]
        seen = sorted(p for p in inside if not any(x[0] == "." for x in p.parts))
        files = [path / p for p in seen]
        if not files:
            raise InputError(
                f"{path} holds no file that ends with {ENDING}; give a text file, or a "
                f"folder of {ENDING} files"
            )
    elif path.is_file():
        files = [path]
    else:
        raise InputError(
            f"--data is {quote(path)}, but there is no such file or folder; give a "
            "UTF-8 text file, a folder of them, or grammar"
        )
    for file in files:
        check_name(file)
    return files


def _blocks(files: list[Path]) -> Iterator[str]:
    """Yield the text of files, each of which ends with a line feed but for the last."""
    last = "\n"
    for path in files:
        if last != "\n":
            yield "\n"
        for block in _of_file(path):
            last = block[-1]
            yield block


def _of_file(path: Path) -> Iterator[str]:
    reason = "it holds the character NUL"
    try:
        with path.open(encoding="utf-8-sig") as file:
            while block := file.read(BLOCK):
                if "\0" in block:
                    break
                yield block
            else:
                return
    except UnicodeDecodeError as error:
        reason = f"{error.reason}: {error.object[error.start : error.start + 1]}"
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from None
    raise InputError(
        f"{path} is no UTF-8 text ({reason}); unpack it, or convert it, for example by "
        "iconv -f latin1 -t utf-8"
    )
