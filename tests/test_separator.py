"""Separators: of the header, or named; any other is an error."""

import pytest

from rnn_tf.data.series import table
from rnn_tf.data.series.layout import Layout
from rnn_tf.errors import InputError

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}


def read(path, **layout):
    return table.read(path, Layout(**layout))


@pytest.mark.parametrize("name", SEPARATORS)
def test_the_header_tells_the_separator(csv_file, name):
    """Would catch "1;2,5" split at its decimal comma."""
    sep = SEPARATORS[name]
    path = csv_file(f'date{sep}value{sep}note\n1{sep}"2,5"{sep}"a, b; c|d"\n')
    for given_name in (None, sep, name):
        read_as = read(path, separator=given_name)
        assert read_as["value"] == ["2,5"]
        assert read_as["note"] == ["a, b; c|d"]


def test_excels_first_line_is_no_header(csv_file):
    """Would catch "sep=;", which Excel asks for and writes, taken for the columns."""
    found = read(csv_file("sep=:\r\ndate:value\r\n1:2\r\n"))
    assert (found["date"], found["value"], found.lines) == (["1"], ["2"], [3])


def test_columns_that_blanks_align_are_split_at_them(csv_file):
    path = csv_file("date        value\n2020-01-01      7\n  2020-01-02   100  \n")
    assert read(path)["value"] == ["7", "100"]
    with pytest.raises(InputError, match="no column 'date'; it has 'the day', 'value'"):
        read(csv_file("the day,value\n1,2\n"))


BAD = {
    "wrong": (";", "has 'date,value'"),
    "two characters": (
        ";;",
        "';;' is neither one character nor one of comma, semicolon",
    ),
    "no character": ("", "'' is neither one char"),
    "a quote": ('"', "is neither one character nor"),
    "a control character": ("\x1b[", r"'\\x1b\[' is neither one"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_separator_is_refused_in_one_line(csv_file, case):
    option, expected = BAD[case]
    with pytest.raises(InputError, match=expected) as refused:
        read(csv_file("date,value\n1,2"), separator=option)
    assert str(refused.value).isprintable()
