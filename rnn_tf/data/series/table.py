"""Read a file of columns: text, plain or packed by gzip, Parquet, or a workbook."""

import dataclasses
import gzip
import hashlib
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

from rnn_tf.data.series import encoding, header, parquet, separator, workbook
from rnn_tf.data.series.header import Rows, name_of, unreadable
from rnn_tf.data.series.layout import Layout
from rnn_tf.errors import InputError
from rnn_tf.text import quote

LARGEST = 1 << 28  # bytes of a file, unpacked: a series of a century has one MB
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Table:
    """The columns of a file, as its cells are written."""

    path: Path
    names: tuple[str, ...]
    columns: tuple[list, ...]  # of cells: text, or numbers if the file types them
    lines: list[int]  # of the file, that each row begins in
    sha256: str  # of the file
    place: str = "line"  # a workbook has rows
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

    Its first bytes tell what it is, whatever its name is.

    Raises:
        InputError: names the file, what is wrong with it, and the option that helps.
    """
    content = _content(path)
    digest = hashlib.sha256(content).hexdigest()
    if content.startswith(GZIP):
        content = _unpacked(path, content)
    rows, place, guess = _rows(path, content, layout)
    names, rows = header.find(rows, layout)
    how = f" (read as {guess}; see --encoding)" if guess else ""
    header.check(path, names, layout, how)
    lines, columns = _columns(path, rows, len(names))
    notes = (f"read as {guess}, for it is not UTF-8 (--encoding)",) if guess else ()
    return Table(path, names, columns, lines, digest, place, notes)


def _rows(path: Path, content: bytes, layout: Layout) -> tuple[Rows, str, str]:
    """Return the rows of a file, what they are called, and an encoding if guessed."""
    if not content.strip():
        raise InputError(f"{path} is empty")
    if content.startswith(parquet.MAGIC):
        return parquet.rows(path, content), "row", ""
    if content.startswith(workbook.MAGIC):
        return workbook.rows(path, content, LARGEST), "row", ""
    text = encoding.decode(path, content, layout.encoding)
    rows = separator.split(path, text.text, layout)
    return rows, "line", "" if text.certain else text.encoding


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
        raise unreadable(path, error, "gzip file") from None
    if len(unpacked) > LARGEST:
        raise _too_large(path)
    return unpacked


def _too_large(path: Path) -> InputError:
    return InputError(
        f"{path} has over {LARGEST >> 20} MB, unpacked if it is packed; keep the "
        "columns and rows of the series alone"
    )


def _columns(path: Path, rows: Rows, width: int) -> tuple[list[int], tuple[list, ...]]:
    """Turn rows into columns; cells that are missing at a row's end are blank."""
    lines, table = [], []
    for line, cells in rows:
        if len(cells) != width:
            if any(str(cell).strip() for cell in cells[width:]):
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
