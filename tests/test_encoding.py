"""Encodings: what is certain is read, what is not is named."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rnn_tf.data.series import daily
from rnn_tf.data.series.layout import Layout
from rnn_tf.errors import InputError

ROWS = "".join(f"2020-01-{day:02d},{100 + day}\n" for day in range(1, 22))
TEXT = "date,Übernachtungen\n" + ROWS


def read(path, encoding=None, value="Übernachtungen", **layout):
    return daily.read(path, Layout(value_column=value, encoding=encoding, **layout))


MARKED = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]


@pytest.mark.parametrize("name", [*MARKED, "utf-16-le", "utf-16-be", "cp1252"])
def test_what_the_bytes_show_is_read(csv_file, name):
    """Would catch a file from Excel, as "Unicode text" or as plain CSV, refused."""
    series = read(csv_file(TEXT.encode(name)))
    assert series.values[:2].tolist() == [101, 102]
    assert bool(series.notes) == (name == "cp1252")


def test_a_guess_is_noted(csv_file):
    [note] = read(csv_file(TEXT.encode("cp1252"))).notes
    assert note == "read as cp1252, for it is not UTF-8 (--encoding)"


@pytest.mark.parametrize("name", ["utf-16-be", "UTF8", "cp1250", "latin-1"])
def test_an_encoding_that_is_named_is_taken(csv_file, name):
    text = TEXT.replace("Übernachtungen", "Łódź") if name == "cp1250" else TEXT
    value = "Łódź" if name == "cp1250" else "Übernachtungen"
    assert len(read(csv_file(text.encode(name)), name, value).values) == 21


def test_a_column_that_is_missing_is_looked_for_in_the_decoded_names(csv_file):
    """Would catch a list of columns with question marks or escapes in it."""
    expected = r"it has 'date', 'Übernachtungen' \(read as cp1252; see --encoding\)"
    with pytest.raises(InputError, match=expected):
        read(csv_file(TEXT.encode("cp1252")), value="visitors")


BAD = {
    "no such encoding": (TEXT.encode(), "utf-9", "--encoding 'utf-9' is no encoding"),
    "not of text": (TEXT.encode(), "base64", "'base64' is no encoding"),
    "empty": (TEXT.encode(), "", "'' is no encoding"),
    "a NUL": (TEXT.encode(), "a\0b", "is no encoding"),
    "the wrong one": (
        TEXT.encode("cp1252"),
        "utf-8",
        "byte 0xdc in line 1 is not 'utf",
    ),
    "neither": (TEXT.encode() + b"\n\x81", None, r"byte 0x81 in line 24\).*--encoding"),
    "a mark that lies": (
        b"\xef\xbb\xbf\xff" + TEXT.encode(),
        None,
        "0xff in line 1 is",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_not_certain_is_one_line(csv_file, case):
    content, name, expected = BAD[case]
    with pytest.raises(InputError, match=expected) as refused:
        read(csv_file(content), name)
    assert str(refused.value).isprintable()


@settings(max_examples=50)
@given(value=st.text(st.characters(categories=["L"]), min_size=1, max_size=9))
def test_any_name_of_a_column_is_found_in_any_unicode(csv_file, value):
    """Property: the encoding of a file with a mark never matters."""
    assume(value != "date")
    text = f"date,{value}\n{ROWS}"
    for name in MARKED:
        assert len(read(csv_file(text.encode(name)), value=value).values) == 21
