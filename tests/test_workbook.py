"""Workbooks: what is typed stays as it is; what is too large is not unpacked."""

import io
import sys
import time
import zipfile
from datetime import date, timedelta

import numpy as np
import pytest

from rnn_tf.data.series import daily, table, workbook
from rnn_tf.data.series.layout import Layout
from rnn_tf.errors import InputError
from tests.fuzz import assert_sturdy
from tests.workbook_files import EXCEL, archive, ods, xlsx, xlsx_of

DAYS = [date(2020, 1, 1) + timedelta(i) for i in range(30)]
VALUES = [1 + i / 8 for i in range(30)]
ROWS = [["date", "value"], *map(list, zip(DAYS, VALUES, strict=True))]


def read(path, **layout):
    return daily.read(path, Layout(**layout))


BOOKS = {
    "xlsx": xlsx(dict(enumerate(ROWS, start=1))),
    "ods": ods(ROWS),
}


@pytest.mark.parametrize("kind", BOOKS)
def test_the_first_sheet_is_read_with_the_types_of_its_cells(csv_file, kind):
    """Would catch 1.125 of a cell read as text, which may be 1125."""
    series = read(csv_file(BOOKS[kind], f"riders.{kind}"))
    assert series.values.tolist() == VALUES
    assert series.dates.tolist() == DAYS
    assert series.name == "riders"


def test_rows_are_those_of_the_sheet(csv_file):
    """Would catch a message that counts from the header of a sheet with a title."""
    rows = {2: ["Riders"], 5: ["x", "date", "value"]}
    rows |= {7 + i: ["", day, i] for i, day in enumerate(DAYS)}
    rows[9][2] = "many"
    with pytest.raises(InputError, match="series.xlsx, row 9: 'many' is not a finite"):
        read(csv_file(xlsx(rows), "series.xlsx"))
    rows[9][2] = None
    series = read(csv_file(xlsx(rows), "series.xlsx"), fill="last")
    assert np.flatnonzero(series.filled).tolist() == [2]


def test_text_in_cells_is_read_as_in_a_text_file(csv_file):
    rows = [["date", "value"]] + [[f"{d:%d.%m.%y}", "1.234,5"] for d in DAYS]
    series = read(csv_file(ods(rows), "a.ods"))
    assert series.values[0] == 1234.5
    assert series.dates.tolist() == DAYS


def test_blank_rows_that_fill_a_sheet_do_not_matter(csv_file):
    """Would catch LibreOffice's sheet of 2^20 rows, whose end it writes as one."""
    blank = (
        '<table:table-row table:number-rows-repeated="1048545"><table:table-cell '
        'table:number-columns-repeated="16384"/></table:table-row>'
    )
    assert len(read(csv_file(ods(ROWS, blank), "a.ods")).values) == 30
    styled = '<row r="1048576"><c r="XFD1048576" s="1"/></row>'
    first = '<row r="1"><c r="A1" t="inlineStr"><is><t>date</t></is></c></row>'
    with pytest.raises(InputError, match="has no column 'value'; it has 'date'"):
        read(csv_file(xlsx_of(first + styled), "a.xlsx"))


FAR = (
    '<row r="1"><c r="A1"><v>1</v></c></row>'
    '<row r="9"><c r="XFD1048576"><v>2</v></c></row>'
)
MANY = (
    '<table:table-row table:number-rows-repeated="1000000"><table:table-cell '
    'table:number-columns-repeated="30" office:value-type="float" office:value="1"/>'
    "</table:table-row>"
)
BAD = {
    "two far cells": (xlsx_of(FAR), "sheet of 17,179,869,184 cells, and 5,000,000 are"),
    "a repeated row": (ods(ROWS, MANY), "sheet of 30,000,930 cells"),
    "no workbook": (
        archive({"a.csv": "date,value"}),
        "is a zip archive and no workbook",
    ),
    "cut": (BOOKS["xlsx"][:-30], "is not a readable workbook"),
    "no sheet": (archive({"xl/workbook.xml": "<a/>"}), "is not a readable workbook"),
    "empty sheet": (xlsx_of(""), "has no column 'date'"),
    "no zip": (b"PK\x03\x04" + bytes(99), "is not a readable workbook"),
    "no .xls": (workbook.MAGIC[1] + bytes(9_999), "is not a readable workbook"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_small_workbook_is_refused_in_one_line(csv_file, case):
    """Would catch a process that ends without a word, out of memory."""
    content, expected = BAD[case]
    started = time.perf_counter()
    with pytest.raises(InputError, match=expected) as refused:
        read(csv_file(content, "a.xlsx"))
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 700
    assert time.perf_counter() - started < 20


def test_a_bomb_is_not_unpacked(csv_file, monkeypatch):
    monkeypatch.setattr(table, "LARGEST", 1 << 20)
    bomb = archive(EXCEL | {"xl/worksheets/sheet1.xml": " " * (1 << 20)})
    with pytest.raises(InputError, match="unpacks to over 1 MB; save the sheet as CSV"):
        read(csv_file(bomb, "a.xlsx"))


def test_a_part_whose_checksum_is_wrong_is_named(csv_file):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("xl/workbook.xml", "<workbook/>")
    content = file.getvalue().replace(b"<workbook/>", b"<workbooc/>")
    with pytest.raises(InputError, match="its part xl/workbook.xml is damaged"):
        read(csv_file(content, "a.xlsx"))


def test_a_reader_that_is_missing_is_named(csv_file, monkeypatch):
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(
        InputError, match="pip install python-calamine, or save .* as CSV"
    ):
        read(csv_file(BOOKS["ods"]))


@pytest.mark.parametrize("kind", BOOKS)
def test_damaged_workbooks_are_read_or_refused_in_a_line(csv_file, kind):
    assert_sturdy(read, csv_file(BOOKS[kind], f"a.{kind}"))
