"""Tables of people: their separator, header, lines and packing."""

import gzip
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_tf.data.series import table
from rnn_tf.data.series.layout import Layout
from rnn_tf.errors import InputError

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}


def read(path, **layout):
    return table.read(path, Layout(**layout))


def test_lines_are_those_of_the_file(csv_file):
    """Would catch a count of rows: blank lines, breaks in quotes, blank cells."""
    text = '\n \ndate,value,note\n1,2,"a\nb"\n,,\n\n3,4,\n5,6\n'
    for ending in ("\n", "\r\n", "\r"):
        found = read(csv_file(text.replace("\n", ending)))
        assert found["date"] == ["1", "3", "5"]
        assert found.lines == [4, 8, 9]
        assert found["note"][1:] == ["", ""]
        assert found.where(2).endswith("series.csv, line 9")


BAD = {
    "extra cells": ("date,value\n\n1,2\n01.01.2020,111,4", {}, "line 4 has 3 cells"),
    "open quote": ('date,value\n1,2\n3,"4\n5,6', {}, "line 3: unexpected end of data"),
    "text after a quote": ('date,value\n1,"2"3', {}, "line 2: ',' expected after"),
    "no column": (
        "day;value;x,y\n1;2;3",
        {},
        "no column 'date'; it has 'day', 'value'",
    ),
    "cut gzip": (
        gzip.compress(b"date,value\n1,2")[:-9],
        {},
        "is not a readable gzip file",
    ),
    "no gzip": (b"\x1f\x8bdate", {}, "is not a readable gzip file"),
    "blanks": (" \n \r\n", {}, "is empty"),
    "packed nothing": (gzip.compress(b""), {}, "is empty"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_table_is_refused_in_one_line(csv_file, case):
    content, layout, expected = BAD[case]
    with pytest.raises(InputError, match=expected) as refused:
        read(csv_file(content), **layout)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 700


def test_gzip_is_unpacked_whatever_the_name(csv_file):
    content = gzip.compress(b"date,value\n1,2\n")
    for name in ("a.csv.gz", "a.csv"):
        assert read(csv_file(content, name))["value"] == ["2"]


def test_a_bomb_is_refused_before_it_is_unpacked(csv_file):
    """Would catch 2 MB that become 2 GB in memory."""
    started = time.perf_counter()
    bomb = gzip.compress(bytes(2 << 20)) * 1_000
    with pytest.raises(InputError, match="has over 256 MB, unpacked"):
        read(csv_file(bomb))
    assert time.perf_counter() - started < 20


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(table.LARGEST + 1)  # a hole, which takes no space
    with pytest.raises(InputError, match="has over 256 MB"):
        read(tmp_path / "large.csv")


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=9)


@given(
    rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=9),
    separator=st.sampled_from(list(SEPARATORS.values())),
)
def test_what_is_quoted_comes_back(csv_file, rows, separator):
    """Property: any text in quotes is one cell, and its row's line is its own."""
    rows = [row for row in rows if any(map(str.strip, row))] or [("a", "b")]
    quoted = [
        separator.join('"{}"'.format(cell.replace('"', '""')) for cell in row)
        for row in [("date", "value"), *rows]
    ]
    found = read(csv_file("\n".join(quoted)))
    assert found["date"] == [row[0] for row in rows]
    assert found["value"] == [row[1] for row in rows]
    starts = [1 + sum(row.count("\n") + 1 for row in quoted[:i]) for i in range(1, 10)]
    assert found.lines == starts[: len(rows)]
