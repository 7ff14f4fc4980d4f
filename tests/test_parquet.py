"""Parquet: typed columns, as pandas and others write them."""

import io
import sys

import numpy as np
import pandas as pd
import pytest

from rnn_tf.data.series import daily, parquet
from rnn_tf.data.series.layout import Layout
from rnn_tf.errors import InputError
from tests.fuzz import assert_sturdy

DAYS = pd.date_range("2020-01-01", periods=30)
VALUES = [1 + i / 8 for i in range(30)]


def written(columns, **options) -> bytes:
    file = io.BytesIO()
    pd.DataFrame(columns).to_parquet(file, **options)
    return file.getvalue()


def read(path, **layout):
    return daily.read(path, Layout(**layout))


DATES = {
    "times": DAYS,
    "days": DAYS.date,
    "local times": DAYS.tz_localize("Europe/Berlin"),
    "text": DAYS.strftime("%d.%m.%Y"),
    "numbers": DAYS.strftime("%Y%m%d").astype(int),
    "categories": pd.Categorical(DAYS.strftime("%Y-%m-%d")),
}


@pytest.mark.parametrize("kind", DATES)
def test_dates_of_any_type(csv_file, kind):
    """Would catch local midnights that become the day before in UTC."""
    content = written({"date": DATES[kind], "value": VALUES})
    series = read(csv_file(content, "riders.parquet"))
    assert series.dates.tolist() == DAYS.date.tolist()
    assert series.values.tolist() == VALUES
    assert series.name == "riders"


def test_an_index_is_a_column(csv_file):
    frame = pd.DataFrame({"value": VALUES}, index=DAYS.rename("date"))
    file = io.BytesIO()
    frame.to_parquet(file)
    assert len(read(csv_file(file.getvalue())).values) == 30
    with pytest.raises(InputError, match="no column 'date'; it has 'value': choose"):
        read(csv_file(written({"value": VALUES})))


def test_missing_numbers_are_missing_days(csv_file):
    values = pd.array([1, None, *range(3, 31)], dtype="Int64")
    series = read(csv_file(written({"date": DAYS, "value": values})), fill="last")
    assert series.values[:3].tolist() == [1, 1, 3]
    assert np.flatnonzero(series.filled).tolist() == [1]


def test_a_bad_cell_is_named_by_its_row(csv_file):
    values = ["1", "2", "many", *map(str, range(27))]
    with pytest.raises(
        InputError, match="series.csv, row 3: 'many' is not a finite num"
    ):
        read(csv_file(written({"date": DAYS, "value": values})))


def test_few_bytes_of_many_rows_are_refused(csv_file, monkeypatch):
    """Would catch a file of some kB that fills the memory."""
    monkeypatch.setattr(parquet, "MOST", 59)
    with pytest.raises(InputError, match="has 60 cells, and 59 are allowed"):
        read(csv_file(written({"date": DAYS, "value": VALUES})))


def test_a_reader_that_is_missing_is_named(csv_file, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match="which pyarrow reads: pip install pyarrow"):
        read(csv_file(b"PAR1"))


def test_damaged_files_are_read_or_refused_in_a_line(csv_file):
    assert_sturdy(read, csv_file(written({"date": DAYS, "value": VALUES}), "a.parquet"))
