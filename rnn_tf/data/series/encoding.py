"""Decode the bytes of a text file: by its mark, its bytes, or an option."""

import codecs
from dataclasses import dataclass
from pathlib import Path

from rnn_tf.errors import InputError
from rnn_tf.text import quote

# The mark of UTF-32 begins with that of UTF-16.
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
SAMPLE = 4_096  # bytes that tell UTF-16 without a mark
WINDOWS = (
    "cp1252"  # what Western Windows writes, and Latin-1 but for control characters
)


@dataclass(frozen=True)
class Text:
    """The text of a file, and how it was decoded."""

    text: str
    encoding: str
    certain: bool = True  # False: it is not UTF-8, and Windows-1252 is a guess


def decode(path: Path, content: bytes, encoding: str | None) -> Text:
    """Decode a file.

    Args:
        path: for messages.
        content: its bytes.
        encoding: as Python names it; None reads Unicode, and Windows-1252 as a guess.

    Raises:
        InputError: there is no such encoding, or the bytes are not in it.
    """
    if encoding is not None:
        return _as_named(path, content, encoding)
    encoding = _marked(content) or _utf_16(content) or "utf-8"
    try:
        return Text(_plain(content.decode(encoding)), encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8" or content.startswith(codecs.BOM_UTF8):
            raise _undecodable(path, content, encoding, error) from None
    return _guessed(path, content)


def _as_named(path: Path, content: bytes, encoding: str) -> Text:
    try:
        return Text(_plain(content.decode(encoding)), encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(path, content, encoding, error) from None
    except (LookupError, ValueError):  # "" and "base64" too
        raise InputError(
            f"--encoding {quote(encoding)} is no encoding that Python knows; give one "
            "like utf-8, cp1252 (Western Windows), cp1250 or utf-16-le"
        ) from None


def _guessed(path: Path, content: bytes) -> Text:
    """Decode what is not UTF-8 as Windows-1252."""
    try:
        return Text(_plain(content.decode(WINDOWS)), WINDOWS, certain=False)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not a readable CSV file: it is neither UTF-8 nor Windows-1252 "
            f"(byte {content[error.start]:#04x} in line {_line(content, error.start)});"
            " say what it is, such as --encoding cp1250"
        ) from None


def _undecodable(path: Path, content: bytes, encoding: str, error) -> InputError:
    return InputError(
        f"{path} is not a readable CSV file: byte {content[error.start]:#04x} in line "
        f"{_line(content, error.start)} is not {quote(encoding)}; choose another with "
        "--encoding, such as utf-8, cp1252 or utf-16-le"
    )


def _line(content: bytes, at: int) -> int:
    return content.count(b"\n", 0, at) + 1


def _marked(content: bytes) -> str | None:
    """Name the encoding that a file's byte order mark announces."""
    return next((MARKS[mark] for mark in MARKS if content.startswith(mark)), None)


def _utf_16(content: bytes) -> str | None:
    """Name UTF-16 without a mark: at every second place of its beginning lies a NUL."""
    even, odd = content[:SAMPLE:2], content[1:SAMPLE:2]
    for zeros, others, name in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if len(zeros) > 1 and zeros.count(0) > 0.9 * len(zeros) and 0 not in others:
            return name
    return None


def _plain(text: str) -> str:
    return text.removeprefix("\ufeff")
