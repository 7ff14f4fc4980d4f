"""Read the first sheet of a workbook (.xlsx, .xls, .ods) as rows.

Workbooks come from anywhere: the size of what one unpacks to, and of the sheet that its
cells span, is known before the library that reads it asks for the memory.
"""

import io
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import lazy_loader

from rnn_tf.data.series.cells import plain
from rnn_tf.data.series.header import Rows, unreadable
from rnn_tf.errors import InputError

pd = lazy_loader.load("pandas")

ZIP = b"PK\x03\x04"
MAGIC = (ZIP, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")  # .xlsx and .ods; .xls
MOST = 5_000_000  # cells of the rectangle from A1 to the last one
REPEATED = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}number-%s-repeated"
TYPED = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}value-type"


def rows(path: Path, content: bytes, largest: int) -> Rows:
    """Yield the rows of the first sheet that are not blank, with their numbers.

    Args:
        path: for messages.
        content: of the file.
        largest: bytes that it may unpack to.

    Raises:
        InputError: it is damaged, too large, no workbook, or its reader is not there.
    """
    try:
        if content.startswith(ZIP):
            _check(path, content, largest)
        frame = pd.read_excel(
            io.BytesIO(content), engine="calamine", header=None, dtype=object,
            keep_default_na=False, na_filter=False,
        )  # fmt: skip
    except ImportError:
        raise InputError(
            f"{path} is a workbook, which python-calamine reads: "
            "pip install python-calamine, or save the sheet as CSV"
        ) from None
    except (InputError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of the reader, written in Rust, is one
        raise unreadable(path, error, "workbook") from None
    for number, row in enumerate(frame.itertuples(index=False), start=1):
        cells = [plain(value) for value in row]
        if any(str(cell).strip() for cell in cells):
            yield number, cells


def _check(path: Path, content: bytes, largest: int) -> None:
    """Raise InputError unless a zipped workbook is one, and small enough to be read."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        names = {member.filename for member in members}
        if not names & {"xl/workbook.xml", "content.xml"}:
            raise InputError(
                f"{path} is a zip archive and no workbook in .xlsx or .ods; unpack it, "
                "or save the sheet as CSV"
            )
        if sum(member.file_size for member in members) > largest:
            raise InputError(
                f"{path} unpacks to over {largest >> 20} MB; save the sheet as CSV, "
                "with the columns and rows of the series alone"
            )
        if (damaged := archive.testzip()) is not None:
            raise unreadable(path, f"its part {damaged} is damaged", "workbook")
        for name in names:
            if name.endswith(".xml") and (size := _cells(archive, name)) > MOST:
                raise InputError(
                    f"{path} has a sheet of {size:,} cells, and {MOST:,} are allowed; "
                    "save the columns of the series as CSV"
                )


def _cells(archive: zipfile.ZipFile, name: str) -> int:
    """Count the cells from A1 to the last that is not blank, in the largest sheet."""
    with archive.open(name) as file:
        elements = (element for _, element in ElementTree.iterparse(file))
        return (_ods_cells if name == "content.xml" else _xlsx_cells)(elements)


def _xlsx_cells(elements) -> int:
    """Count them in a sheet of Excel, whose cells say where they are."""
    height = width = 0
    for element in elements:
        kind = element.tag.rpartition("}")[2]
        if kind == "c" and len(element):
            row, column = _position(element.get("r", ""))
            height, width = max(height, row), max(width, column)
        elif kind == "row":
            element.clear()
    return height * width


def _ods_cells(elements) -> int:
    """Count them in the sheets of an OpenDocument file, where rows and cells repeat."""
    most = row = height = width = 0
    for element in elements:
        kind = element.tag.rpartition("}")[2]
        if kind == "table-row":
            row += _repeats(element, "rows")
            if filled := _filled(element):
                height, width = row, max(width, filled)
                most = max(most, height * width)
            element.clear()
        elif kind == "table":
            row = height = width = 0
    return most


def _filled(row) -> int:
    """Return the column of the last cell of a row that is not blank, from 1; or 0."""
    column = last = 0
    for cell in row:
        column += _repeats(cell, "columns")
        last = column if cell.get(TYPED) else last
    return last


def _repeats(element, axis: str) -> int:
    text = element.get(REPEATED % axis, "1")
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else 1


def _position(reference: str) -> tuple[int, int]:
    """Return the row and the column of a cell like B7, from 1; (0, 0) for no such."""
    match = re.fullmatch("([A-Z]{1,3})([0-9]{1,9})", reference)
    if not match:
        return 0, 0
    column = 0
    for letter in match[1]:
        column = 26 * column + ord(letter) - ord("A") + 1
    return int(match[2]), column
