"""Reading people's CSV files: sound ones exactly, unsound ones refused in a line."""

import datetime
import os
import string
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_tf.data.series import daily
from rnn_tf.data.series.layout import Layout
from rnn_tf.errors import InputError
from tests.fuzz import assert_sturdy

DAYS = [f"2020-01-{day:02d}" for day in range(1, 22)]


def text(days=DAYS, values=None, header="date,value"):
    """A CSV file of one row a day; values 100, 101, ... unless given."""
    values = [100 + i for i in range(len(days))] if values is None else values
    return "\n".join([header, *(f"{d},{v}" for d, v in zip(days, values, strict=True))])


def read(path, fill="none", **layout):
    return daily.read(path, Layout(fill=fill, **layout))


def test_a_sound_file_is_read_as_it_is(csv_file):
    series = read(csv_file(text()))
    assert series.dates[0] == np.datetime64("2020-01-01")
    assert series.values.tolist() == [100 + i for i in range(21)]
    assert not series.filled.any()
    assert series.notes == ()


def test_rows_are_sorted_and_identical_duplicates_counted(csv_file):
    lines = text().splitlines()
    shuffled = [lines[0], *reversed(lines[1:]), lines[3], lines[3]]
    series = read(csv_file("\n".join(shuffled)))
    assert series.values.tolist() == [100 + i for i in range(21)]
    assert series.notes == ("dropped 2 identical duplicate rows",)


def test_other_columns_and_their_gaps_do_not_matter(csv_file):
    lines = [f"{day},{i},," for i, day in enumerate(DAYS)]
    series = read(csv_file("\n".join(["date,value,a,b", *lines])))
    assert len(series.values) == 21


def replaced(index, value):
    values = [100 + i for i in range(21)]
    values[index] = value
    return text(values=values)


HUGE = "x" * 2_000_000
BAD = {
    "two value columns": (text(header="date,value,value"), "has 2 columns 'value'"),
    "two date columns": (text(header="date,date,value"), "has 2 columns 'date'"),
    "too large": (replaced(4, "-1.5e30"), "line 6: '-1.5e30' is beyond 1e.30; divide"),
    "too small": (text(values=[f"{i}e-310" for i in range(21)]), "multiply the series"),
    "huge value": (replaced(4, HUGE), "line 6: 'xxx.*…x*' is not a finite number"),
    "huge date": (text([*DAYS[:-1], HUGE]), "line 22: 'xxx.*…x*' is not a date"),
    "huge header": (
        text(header=HUGE + ",value"),
        "not a readable CSV|no column 'date'",
    ),
    "long header": (
        text(header="d" * 9_999 + ",value"),
        "no column 'date'; it has 'dd",
    ),
    "many columns": (",".join(map(str, range(5_000))) + "\n1", "'9' and 4990 more: "),
    "a million columns": ("a" + ",b" * 999_999 + "\n1", "has 1,000,000 columns"),
    "a huge gap": (text(["0001-01-01", "9999-12-31", "9999-12-30"]), "not daily|gaps"),
    "control characters": (replaced(4, "\x1b[2J"), r"'\\x1b\[2J' is not a finite"),
    "empty file": ("", "is empty"),
    "header alone": ("date,value\n", "no rows"),
    "no such column": (text(header="day,value"), "no column 'date'; it has 'day'"),
    "unparsable date": (
        text(["2020-01-01", "soon", *DAYS[2:]]),
        "line 3: 'soon' is not a date",
    ),
    "impossible date": (text([*DAYS[:-1], "2020-02-31"]), "'2020-02-31' is not a date"),
    "empty date": (text([*DAYS[:-1], ""]), "line 22: '' is not a date"),
    "text value": (replaced(4, "many"), "line 6: 'many' is not a finite number"),
    "infinite value": (replaced(4, "inf"), "'inf' is not a finite number"),
    "overflow": (replaced(4, "1e999"), "'1e999' is not a finite number"),
    "two values for a date": (
        text([*DAYS, "2020-01-03"], [*range(21), 7]),
        "different values for one date: 2020-01-03",
    ),
    "gap": (text(DAYS[:5] + DAYS[7:]), "2 days are missing, the first is 2020-01-06"),
    "empty cell": (replaced(4, ""), "1 days are missing, the first is 2020-01-05"),
    "weekly": (text(DAYS[::7]), "not daily: the usual step is 7 days"),
    "hourly": (
        text([f"2020-01-01 {hour:02d}:00:00" for hour in range(21)]),
        "not daily: 2020-01-01 has 21 rows; sum or average them to days first",
    ),
    "nothing but gaps": (text(values=[""] * 21), "holds no number"),
    "too many columns in a row": (text() + "\n2020-01-22,1,2,3", "not a readable CSV"),
    "binary": (b"\x89PNG\r\n\x1a\n\xff\xfe\x00", "no column|not a readable CSV"),
}


@pytest.mark.parametrize("case", BAD)
def test_an_unsound_file_is_refused_in_one_line(csv_file, case):
    content, expected = BAD[case]
    with pytest.raises(InputError, match=expected) as refused:
        read(csv_file(content))
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 700
    assert "series.csv" in str(refused.value)


def test_a_column_that_looks_like_a_repeated_one_is_no_error(csv_file):
    """Would catch pandas's own names for the second column of a name."""
    rows = [f"{day},{i},7" for i, day in enumerate(DAYS)]
    path = csv_file("\n".join(["\ufeff", " ", "date,value,value.1", *rows]))
    assert read(path).values.tolist() == list(range(21))


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path):
    """Would catch a run that hangs for ever, or fills the memory with zeros."""
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(InputError, match="is not a readable CSV file"):
            read(path)


def test_damaged_files_are_read_or_refused_in_a_line(csv_file):
    """Fuzzes the reader: quotes, dates, numbers, bytes; memory and time too."""
    rows = [f'{day},{100 + i}.5,"a note, {i}"' for i, day in enumerate(DAYS)]
    assert_sturdy(read, csv_file("\n".join(["date,value,note", *rows])))


def test_damaged_european_files_are_read_or_refused_in_a_line(csv_file):
    """Fuzzes what the reader must find out: separators, marks, dates, encodings."""
    rows = [f"{day[8:]}.01.20 18:00;1.{100 + i};é{i}" for i, day in enumerate(DAYS)]
    rows.append("22.01.20 18:00;987;")
    text = "\n".join(["date;value;note", *rows]).encode("cp1252")
    assert_sturdy(read, csv_file(text))


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="not a readable CSV"):
        read(tmp_path)


def test_seasonal_fill_takes_the_week_before_and_linear_the_neighbours(csv_file):
    path = csv_file(text(DAYS[:9] + DAYS[11:], [*range(9), *range(11, 21)]))
    seasonal, linear = read(path, "seasonal"), read(path, "linear")
    assert seasonal.values[9:11].tolist() == [2, 3]
    assert linear.values[9:11].tolist() == [9, 10]
    assert np.flatnonzero(linear.filled).tolist() == [9, 10]
    assert linear.notes == ("filled 2 missing days (linear)",)


def test_a_gap_longer_than_a_week_is_filled_week_by_week(csv_file):
    series = read(csv_file(text(DAYS[:7] + DAYS[17:], range(11))), "seasonal")
    assert series.values[7:17].tolist() == [0, 1, 2, 3, 4, 5, 6, 0, 1, 2]


def test_fill_refuses_to_make_up_what_it_cannot_know(csv_file):
    with pytest.raises(InputError, match="no same weekday before it"):
        read(csv_file(text(DAYS[:3] + DAYS[4:])), "seasonal")
    far = [*DAYS, "2099-01-01"]
    with pytest.raises(InputError, match="more than half would be made up"):
        read(csv_file(text(far)), "linear")


cells = st.one_of(
    st.text(string.printable, max_size=12),
    st.sampled_from(["", "nan", "inf", "1e400", '"', "2020-01-01", "0", "-3.5", "1,2"]),
    st.dates().map(str),
    st.floats().map(str),
    st.sampled_from("1.234 5,5 1'000 31.01.20 1/2/20 NaN Feb".split()),
)
tables = st.lists(st.lists(cells, min_size=0, max_size=4), max_size=12)


@settings(max_examples=300)
@given(
    rows=tables,
    fill=st.sampled_from(["none", "seasonal", "linear"]),
    sep=st.sampled_from(",;"),
)
def test_any_table_is_a_sound_series_or_one_clear_line(csv_file, rows, fill, sep):
    """Property: never another exception, never a gap, a NaN or an unsorted day."""
    lines = [f"date{sep}value", *(sep.join(row) for row in rows)]
    try:
        series = read(csv_file("\n".join(lines)), fill)
    except InputError as refused:
        assert "\n" not in str(refused)
        return
    assert (np.diff(series.dates).astype(int) == 1).all()
    assert np.isfinite(series.values).all()
    assert len(series.dates) == len(series.values) == len(series.filled)


@settings(max_examples=200)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_refused_in_one_line(csv_file, content):
    with pytest.raises(InputError):
        read(csv_file(content))


def usual(value: float) -> float:
    """Return 0 for a value that is refused: a series of nothing larger."""
    return value if abs(value) >= 1e-30 else 0.0


@settings(max_examples=100)
@given(
    values=st.lists(st.floats(-1e9, 1e9).map(usual), min_size=2, max_size=30),
    start=st.dates(datetime.date(1700, 1, 1), datetime.date(2200, 1, 1)),
)
def test_what_is_written_is_read(csv_file, values, start):
    """Property: any gapless series comes back, to the last bit."""
    days = np.datetime64(start) + np.arange(len(values))
    rows = text([str(day) for day in days], [repr(value) for value in values])
    series = read(csv_file(rows), decimal="point")
    assert series.values.tolist() == values
    assert (series.dates == days).all()
