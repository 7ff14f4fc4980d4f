"""Long files: their series told apart, chosen, or all read; one series left alone."""

import time
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_tf.data.series import daily
from rnn_tf.data.series.layout import Layout
from rnn_tf.errors import InputError
from tests.fuzz import assert_sturdy

DAYS = [date(2019, 1, 1) + timedelta(i) for i in range(730)]


def written(rows, header="date,store,value") -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)])


def long_file(names=("a", "b"), days=DAYS) -> str:
    """Each day has a row of each series, with values of its own."""
    return written(
        (d, n, 10 * i + k) for i, d in enumerate(days) for k, n in enumerate(names)
    )


def read(path, **layout):
    return daily.read(path, Layout(**layout))


def test_several_series_are_refused_and_named(csv_file):
    expected = (
        r"holds 2 series by its column 'store' \('a', 'b'\); choose one with "
        "--series-column 'store' --series NAME"
    )
    with pytest.raises(InputError, match=expected):
        read(csv_file(long_file()))


def test_series_that_share_values_and_rows_that_come_again_do_not_hide_them(csv_file):
    """Would catch stores that are both closed on Sundays, dropped as duplicates."""
    rows = [
        (d, n, 0 if d.weekday() == 6 else k) for d in DAYS for k, n in enumerate("ab")
    ]
    with pytest.raises(InputError, match="holds 2 series by its column 'store'"):
        read(csv_file(written([*rows, rows[0]])))


def test_the_column_with_the_fewest_series_is_named(csv_file):
    rows = [(d, n, f"x{i}{n}", i) for i, d in enumerate(DAYS) for n in "ab"]
    path = csv_file(written([*rows, *rows], "date,store,receipt,value"))
    assert len(read(path, series_column="store", series="a").values) == 730
    lines = [(d, n, n + n, k) for d in DAYS for k, n in enumerate("abc")]
    with pytest.raises(InputError, match="holds 3 series by its column 'store'"):
        read(csv_file(written(lines, "date,store,code,value")))


def test_numbers_name_series_if_they_do_on_most_days(csv_file):
    with pytest.raises(
        InputError, match="holds 2 series by its column 'store' .'7', '8'"
    ):
        read(csv_file(long_file((7, 8))))
    rows = [(d, hour, hour) for d in DAYS for hour in range(24)]
    with pytest.raises(InputError, match="sum or average them to days first"):
        read(csv_file(written(rows, "date,hour,value")))
    rows = [(d, 100 * i + k, k) for i, d in enumerate(DAYS) for k in range(2)]
    with pytest.raises(InputError, match="different values for one date: 2019-01-01"):
        read(csv_file(written(rows, "date,visitors,value")))


def test_series_that_follow_one_another_are_refused(csv_file):
    """Would catch store a in 2019 and store b in 2020 read as one series."""
    rows = [(d, "ab"[d.year - 2019], i) for i, d in enumerate(DAYS)]
    expected = (
        r"holds 2 series by its column 'store' \('a' from 2019-01-01, 'b' from "
        r"2020-01-01\); choose one with .*, or leave that column out if they are one"
    )
    for order in (rows, rows[::-1], sorted(rows, key=lambda row: row[0].day)):
        with pytest.raises(InputError, match=expected):
            read(csv_file(written(order)))


@pytest.mark.parametrize("name", ["store", "store_id", "StoreId", "Filiale", "id"])
def test_numbers_that_are_names_are_too(csv_file, name):
    rows = [(d, d.year - 2000, i) for i, d in enumerate(DAYS)]
    rows = [(d, n + 7, i) for d, n, i in rows]
    with pytest.raises(
        InputError, match="holds 2 series by its column .*'26' from 2019"
    ):
        read(csv_file(written(rows, f"date,{name},value")))


SAYS_OF_A_DAY = {
    "weekday": lambda d: f"{d:%A}",
    "a": lambda d: f"{d:%a}",
    "b": lambda d: f"{d:%B}",
    "c": lambda d: f"{d:%b}",
    "d": lambda d: f"Q{(d.month + 2) // 3}",
    "e": lambda d: f"FY{d:%y}",
    "f": lambda d: f"fiscal {d.year}",
    "g": lambda d: f"KW {d:%V}",
    "h": lambda d: ("winter", "spring", "summer", "autumn")[d.month % 12 // 3],
    "season": lambda d: ("low", "high")[4 < d.month < 10],
    "i": lambda d: "workday" if d.weekday() < 5 else "weekend",
    "j": lambda d: "strike" if d == date(2019, 3, 3) else "",
    "k": lambda d: "New Year" if (d.month, d.day) == (1, 1) else "none",
    "l": lambda d: f"note of {d}",
    "status": lambda d: "final" if d < date(2020, 12, 1) else "provisional",
    "school_term": lambda d: "before" if d < date(2019, 9, 1) else "after",
    "m": lambda d: f"{d.year}",
    "n": lambda d: f"{d.year}-{(d.month + 2) // 3}",
    "o": lambda d: f"{d.year}Q{(d.month + 2) // 3}",
    "p": lambda d: "x",
    "q": lambda d: f"{d:%m/%d/%Y}",
    "price": lambda d: "1.99" if d < date(2019, 9, 1) else "2.49",
    "stores_open": lambda d: 5 + (d > date(2019, 6, 1)) + (d > date(2020, 2, 1)),
    "paid": lambda d: int(d > date(2019, 6, 1)),
    "rain": lambda d: f"{d.day / 10}",
}  # fmt: skip


@settings(max_examples=60)
@given(
    first=st.dates(date(2018, 1, 1), date(2019, 12, 1)),
    count=st.integers(20, 800),
    column=st.sampled_from(sorted(SAYS_OF_A_DAY)),
)
def test_a_column_that_says_something_of_the_day_is_no_series(
    csv_file, first, count, column
):
    """Property: would catch a file refused for its weekdays, months, years or notes."""
    days = [first + timedelta(i) for i in range(count)]
    rows = [(d, SAYS_OF_A_DAY[column](d), i) for i, d in enumerate(days)]
    assert len(read(csv_file(written(rows, f"date,{column},value"))).values) == count


def test_one_series_is_chosen(csv_file):
    path = csv_file(long_file(("a", "b b", 7)), "sales.csv")
    for k, name in enumerate(("a", " b b ", "7")):
        series = read(path, series_column="store", series=name)
        assert series.values[:2].tolist() == [k, 10 + k]
        assert series.name == f"sales {name.strip()}"
    digests = {read(path, series_column="store", series=n).sha256 for n in ("a", "7")}
    assert len(digests) == 2


def test_a_single_series_need_not_be_named(csv_file):
    path = csv_file(long_file(("a",)))
    assert len(read(path, series_column="store").values) == 730


BAD = {
    "none": ({"series_column": "store"}, "holds 2 series .*choose one with --series"),
    "other": (
        {"series_column": "store", "series": "c"},
        "'b'.*, and not 'c'; choose one",
    ),
    "alone": ({"series": "a"}, "--series 'a' needs --series-column"),
    "column": (
        {"series_column": "shop"},
        "no column 'shop'.*choose with --series-column",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_choice_is_refused(csv_file, case):
    layout, expected = BAD[case]
    with pytest.raises(InputError, match=expected):
        read(csv_file(long_file()), **layout)


def test_a_second_column_that_tells_series_apart_is_named_too(csv_file):
    rows = [(d, n, item, i) for i, d in enumerate(DAYS) for n in "ab" for item in "xy"]
    rows = [(*row[:3], k) for k, row in enumerate(rows)]
    path = csv_file(written(rows, "date,store,item,value"))
    expected = (
        r"series.csv, 'a' holds 2 series by its column 'item'.*keep one of them in"
    )
    with pytest.raises(InputError, match=expected):
        read(path, series_column="store", series="a")


def test_a_row_without_a_name_is_refused_by_its_line(csv_file):
    path = csv_file(long_file().replace("2019-01-02,a", "2019-01-02,"))
    with pytest.raises(
        InputError, match="line 4 has no series: its column 'store' is bl"
    ):
        read(path, series_column="store", series="a")


def test_a_panel_has_every_series_as_it_is_alone(csv_file):
    """Would catch rows that end up in another series, and a file that is not sorted."""
    rows = long_file(("a", "b", "c")).splitlines()
    path = csv_file("\n".join([rows[0], *rows[:0:-1]]))
    found = daily.read_panel(path, Layout(series_column="store"))
    assert list(found) == ["c", "b", "a"]
    for name, series in found.items():
        alone = read(path, series_column="store", series=name)
        assert (series.values == alone.values).all()
        assert (series.dates == alone.dates).all()
        assert (series.name, series.sha256) == (alone.name, alone.sha256)


def test_what_is_wrong_with_one_series_names_it(csv_file):
    path = csv_file(long_file().replace("2019-01-05,b,41\n", ""))
    with pytest.raises(
        InputError, match="series.csv, 'b' has gaps: 1 days are missing"
    ):
        daily.read_panel(path, Layout(series_column="store"))
    filled = daily.read_panel(path, Layout(series_column="store", fill="last"))
    assert [series.filled.sum() for series in filled.values()] == [0, 1]


def test_a_panel_of_100_series_takes_seconds(csv_file):
    days = [date(2015, 1, 1) + timedelta(i) for i in range(2_000)]
    path = csv_file(long_file([f"store {i}" for i in range(100)], days))
    started = time.perf_counter()
    found = daily.read_panel(path, Layout(series_column="store"))
    assert time.perf_counter() - started < 15  # 1.5 s on a machine that is not busy
    assert len(found) == 100
    assert found["store 99"].values[-1] == 19_990 + 99
    assert np.shape([series.values for series in found.values()]) == (100, 2_000)


def read_panel(path):
    return daily.read_panel(path, Layout(series_column="store"))


def test_damaged_files_are_read_or_refused_in_a_line(csv_file):
    assert_sturdy(read_panel, csv_file(long_file(days=DAYS[:20])))
