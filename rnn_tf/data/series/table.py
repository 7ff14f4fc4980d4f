"""Read a file of columns: text with a separator, plain or packed by gzip."""

import csv
import dataclasses
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from rnn_tf.data.series import encoding
from rnn_tf.data.series.layout import Layout
from rnn_tf.errors import InputError
from rnn_tf.text import quote, shorten

LARGEST = 1 << 28  # bytes of a file, unpacked: a series of a century has one MB
SHOWN = 10  # columns that an error message names, at most
WIDEST = 10_000  # columns of a file
HEAD = 1 << 22  # characters that hold the header
SEPARATORS = ",;\t|"
NAMED = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "pipe": "|",
    "space": " ",
    "\\t": "\t",
}
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Table:
    """The columns of a file, as its cells are written."""

    path: Path
    names: tuple[str, ...]
    columns: tuple[list, ...]  # of cells: text, or numbers if the file types them
    lines: list[int]  # of the file, that each row begins in
    sha256: str  # of the file
    place: str = "line"
    notes: tuple[str, ...] = ()  # how it was read, where that is a choice
    series: str = ""  # the one that has been taken of a long file

    @property
    def title(self) -> str:
        """The file, and the series if it is one of several, for a message."""
        return f"{self.path}, {quote(self.series)}" if self.series else str(self.path)

    def __getitem__(self, name: str) -> list:
        return self.columns[self.names.index(name_of(name))]

    def take(self, rows, series: str) -> "Table":
        """Return some of the rows, which are those of one series of a long file."""
        columns = tuple([cells[row] for row in rows] for cells in self.columns)
        lines = [self.lines[row] for row in rows]
        taken = {"columns": columns, "lines": lines, "series": series}
        return dataclasses.replace(self, **taken)

    def where(self, row: int) -> str:
        """Name the file and the line of a row, for a message."""
        return f"{self.path}, {self.place} {self.lines[row]}"


def read(path: Path, layout: Layout) -> Table:
    """Read the columns of a file; those of the layout are among them.

    Raises:
        InputError: names the file, what is wrong with it, and the option that helps.
    """
    content = _content(path)
    digest = hashlib.sha256(content).hexdigest()
    if content.startswith(GZIP):
        content = _unpacked(path, content)
    if not content.strip():
        raise InputError(f"{path} is empty")
    return _text_table(path, content, digest, layout)


# ------------------------------------------------------------------- bytes


def _content(path: Path) -> bytes:
    """Read the bytes of a file, if it is one and not too large."""
    try:
        if path.exists() and not path.is_file():
            raise unreadable(path, "it is a folder or a device")
        if path.stat().st_size > LARGEST:
            raise _too_large(path)
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check --data") from None
    except InputError:
        raise
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        raise unreadable(path, error) from None


def _unpacked(path: Path, content: bytes) -> bytes:
    """Unpack what gzip has packed, never more than LARGEST."""
    try:
        with gzip.open(io.BytesIO(content)) as file:
            unpacked = file.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} is not a whole gzip file: {_reason(error)}") from None
    if len(unpacked) > LARGEST:
        raise _too_large(path)
    return unpacked


def _too_large(path: Path) -> InputError:
    return InputError(
        f"{path} has over {LARGEST >> 20} MB, unpacked if it is packed; keep the "
        "columns and rows of the series alone"
    )


def unreadable(path: Path, reason: object) -> InputError:
    """Return the error of a file that is no table, whatever reason a library gives."""
    return InputError(f"{path} is not a readable CSV file: {_reason(reason)}")


def _reason(error: object) -> str:
    return shorten((str(error).splitlines() or [type(error).__name__])[0], 200)


# ------------------------------------------------------------------- text


def _text_table(path: Path, content: bytes, digest: str, layout: Layout) -> Table:
    """Decode a file, find its separator, and split it."""
    decoded = encoding.decode(path, content, layout.encoding)
    separator = separator_of(layout.separator)
    hint = re.match(r"sep=(.)[\r\n]+", decoded.text)  # what Excel writes and reads
    if hint and not separator:
        separator = hint[1]
    if not separator:
        separator = _by_header(path, decoded.text, layout)
    rows = _rows(path, decoded.text, separator)
    if hint:
        next(rows)
    _, header = next(rows, (1, []))
    names = tuple(name_of(cell) for cell in header)
    guess = "" if decoded.certain else f" (read as {decoded.encoding}; see --encoding)"
    for option, name in layout.columns:
        check_column(path, names, name, option, guess)
    lines, columns = _columns(path, rows, len(names))
    notes = () if decoded.certain else (
        f"read as {decoded.encoding}, for it is not UTF-8 (--encoding)",
    )  # fmt: skip
    return Table(path, names, columns, lines, digest, notes=notes)


def separator_of(option: str | None) -> str | None:
    r"""Return the character that --separator names: itself, or a word like tab.

    Raises:
        InputError: it is neither.
    """
    if option is None:
        return None
    separator = NAMED.get(option.lower(), option)
    if len(separator) != 1 or separator in '"\r\n\0':
        raise InputError(
            f"--separator {quote(option)} is neither one character nor one of "
            f"{', '.join(name for name in NAMED if name.isalpha())}"
        )
    return separator


def _by_header(path: Path, text: str, layout: Layout) -> str:
    """Choose the separator whose header has both columns, or else the most."""
    wanted = {name_of(name) for _, name in layout.columns}
    headers, text = {}, text[:HEAD]
    for separator in SEPARATORS:
        try:
            _, header = next(_rows(path, text, separator), (1, []))
        except InputError:  # quotes that make no sense with this one
            continue
        headers[separator] = [name_of(cell) for cell in header]
        if wanted <= set(headers[separator]):
            return separator
    return max(headers, key=lambda s: len(headers[s]), default=",")


def _rows(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the line it begins in; rows of blank cells are passed by."""
    file = io.StringIO(text, newline="")
    options = {"delimiter": separator, "strict": True}
    reader = csv.reader(file, skipinitialspace=separator != " ", **options)
    csv.field_size_limit(LARGEST)  # of this process; the default is 128 kB
    line = 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise unreadable(path, f"line {line}: {error}") from None


def _columns(path: Path, rows, width: int) -> tuple[list[int], tuple[list, ...]]:
    """Turn rows into columns; cells that are missing at a row's end are blank."""
    lines, table = [], []
    for line, cells in rows:
        if len(cells) != width:
            if any(map(str.strip, cells[width:])):
                raise unreadable(
                    path,
                    f"line {line} has {len(cells)} cells under a header of {width}; "
                    "quote cells that hold the separator, or choose --separator",
                )
            cells = (cells + [""] * width)[:width]
        lines.append(line)
        table.append(cells)
    if not table:
        raise InputError(f"{path} has a header and no rows")
    return lines, tuple(map(list, zip(*table, strict=True)))


# ------------------------------------------------------------------- header


def name_of(cell: object) -> str:
    """Return the name in a cell of the header: no blanks around, letters composed."""
    return normalize("NFC", str(cell).strip())


def check_column(path: Path, names, name: str, option: str, guess: str = "") -> None:
    """Raise InputError unless one column has the name, which `option` has chosen."""
    if len(names) > WIDEST:
        reason = f"it has {len(names):,} columns, and {WIDEST:,} are allowed"
        raise unreadable(path, reason)
    name = name_of(name)
    if names.count(name) == 1:
        return
    if name in names:
        raise InputError(
            f"{path} has {names.count(name)} columns {quote(name)}: rename one, or "
            f"choose another with --{option}-column"
        )
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    known = ", ".join(map(quote, names[:SHOWN])) + more
    raise InputError(
        f"{path} has no column {quote(name)}; it has {shorten(known, 400)}{guess}: "
        f"choose with --{option}-column"
    )
