"""Days as people write them: every format, every zone, and never another day."""

import time
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_tf.data.series import dates
from rnn_tf.data.series.table import Table
from rnn_tf.errors import InputError

YEAR = [date(2018, 12, 1) + timedelta(i) for i in range(400)]


def parse(cells, form=None):
    table = Table("a.csv", ("day",), (list(cells),), list(range(2, 999_999)), "")
    return dates.parse(table, "day", form)


def days(cells, form=None):
    return parse(cells, form).days.tolist()


def unpadded(form: str):
    """A function that writes a date without leading zeros."""
    return lambda day: form.format(d=day.day, m=day.month, Y=day.year, y=day.year % 100)


WAYS = {
    form: lambda day, form=form: day.strftime(form)
    for form in (
        "%Y-%m-%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d",
        "%Y.%m.%d", "%Y%m%d", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%y-%m-%d",
        "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y", "%d %B %Y",
        "%A, %B %d, %Y", "%a %d %b %Y", "%a, %d/%m/%Y", "%d%b%Y", "%m-%d-%Y",
        "%b. %d, %Y", "%d-%B-%y", "%A %Y-%m-%d",
    )
} | {
    form: unpadded(form)
    for form in ("{m}/{d}/{Y}", "{d}/{m}/{Y}", "{d}.{m}.{Y}", "{d}-{m}-{Y}",
                 "{Y}-{m}-{d}", "{m}/{d}/{y}", "{d}.{m}.{y}")
}  # fmt: skip
TIMES = [
    "",
    " 0:00",
    " 00:00:00",
    "T18:00:00Z",
    " 6:00 PM",
    ", 18:00",
    "T00:00:00.000+0100",
]


@pytest.mark.parametrize("way", WAYS)
def test_a_year_of_days_in_any_format(way):
    """Would catch day and month exchanged, and a time of day that moves a day."""
    for clock in TIMES:
        assert days(WAYS[way](day) + clock for day in YEAR) == YEAR, clock


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "Europe/London", "America/New_York", "Asia/Kolkata"]
)
@pytest.mark.parametrize("hour", [0, 12, 23])
def test_a_zone_leaves_the_day_as_it_is(zone, hour):
    """Would catch local midnights that become the day before in UTC."""
    moments = [
        datetime(d.year, d.month, d.day, hour, tzinfo=ZoneInfo(zone)) for d in YEAR
    ]
    for write in (datetime.isoformat, lambda m: m.strftime("%Y-%m-%d %H:%M:%S%z")):
        found = parse(map(write, moments))
        assert found.days.tolist() == YEAR
        assert found.notes == ()


def test_times_that_vary_from_day_to_day_are_told_apart():
    found = parse(f"{day} {7 + i % 5}:30:15 AM" for i, day in enumerate(YEAR))
    assert found.days.tolist() == YEAR
    assert found.times[:2].tolist() == ["7:30:15 AM", "8:30:15 AM"]


def as_utc(zone: str) -> list[str]:
    """Local midnights of a year, written in UTC."""
    moments = [datetime(d.year, d.month, d.day, tzinfo=ZoneInfo(zone)) for d in YEAR]
    return [
        m.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ") for m in moments
    ]


def test_midnights_written_as_utc_keep_the_files_day_and_a_note_says_so():
    found = parse(as_utc("Europe/Berlin"))
    assert found.days.tolist() == [day - timedelta(1) for day in YEAR]
    [note] = found.notes
    assert "22:00 or 23:00 UTC, which may be midnight further east" in note
    assert "each day is the one that the file writes" in note
    assert "13:00 or 14:00 UTC" in parse(as_utc("Australia/Sydney")).notes[0]
    assert "18:30 UTC" in parse(as_utc("Asia/Kolkata")).notes[0]
    assert parse(as_utc("America/New_York")).days.tolist() == YEAR


def test_londons_midnights_as_utc_are_one_day_each():
    """Would catch two rows on the day on which summer time begins, and a gap later."""
    found = parse(as_utc("Europe/London"))
    assert found.days.tolist() == YEAR
    assert "23:00 UTC" in found.notes[0]


def test_two_formats_that_both_make_a_daily_series_are_refused():
    """Would catch a guess: all days up to the 12th, so that day and month exchange."""
    rows = [f"{d:02d}/{m:02d}/2020" for m in range(1, 13) for d in range(1, 13)]
    expected = r"'01/02/2020' may be 2020-01-02 \(%m/%d/%Y\) or 2020-02-01 \(%d/%m/%Y\)"
    with pytest.raises(InputError, match=rf"{expected}|'02/01/2020'.*--date-format"):
        parse(rows)
    assert days(rows, "%d/%m/%Y")[1] == date(2020, 1, 2)
    assert days(rows, "%m/%d/%Y")[1] == date(2020, 2, 1)


def test_the_format_that_makes_the_series_daily_is_taken():
    assert days(["01/02/2020", "02/02/2020", "03/02/2020"])[2] == date(2020, 2, 3)
    assert days(["02/01/2020", "02/02/2020", "02/03/2020"])[2] == date(2020, 2, 3)
    assert days(["01-02-03", "01-02-04", "01-02-05"])[2] == date(2001, 2, 5)


def test_a_named_format_is_taken_beside_a_time_of_day():
    assert days(["31|01|19", "01|02|19"], "%d|%m|%y")[0] == date(2019, 1, 31)
    assert days(["31.01.19 18:00", "1.2.19 7:00"], "%d.%m.%y")[0] == date(2019, 1, 31)
    found = parse(["31.01.19 18.30", "31.01.19 19.30"], "%d.%m.%y %H.%M")
    assert found.times.tolist() == ["18:30:00", "19:30:00"]
    late = parse(["2019-01-31 23:30 +0100"], "%Y-%m-%d %H:%M %z")
    assert late.days.tolist() == [date(2019, 1, 31)]


BAD_FORMATS = [
    "%q",
    "%",
    "",
    "%d.%m.",
    "%d %d %m %Y",
    "a\0b",
    "%H:%M",
    "%Y-%m",
    "\ud800%Y",
]


@pytest.mark.parametrize("form", BAD_FORMATS)
def test_a_format_that_reads_no_date_is_refused(form):
    with pytest.raises(
        InputError, match="--date-format .* reads no day, month and year"
    ):
        parse(["2020-01-31"], form)


def test_a_format_that_does_not_fit_is_refused_by_line():
    expected = (
        "a.csv, line 3: '2020-02-31' is not a date in --date-format '%Y-%m-%d' .1 of"
    )
    with pytest.raises(InputError, match=expected):
        parse(["2020-02-01", "2020-02-31"], "%Y-%m-%d")


@pytest.mark.parametrize(
    "text",
    ["soon", "", "2020-02-31", "31/31/2020", "2020-13-01", "202011", "2020111", "43831",
     "2020-01-01 25:61", "1 Foo 2020", "1.1", "9" * 2_000_000, "1 " * 1_000_000],
)  # fmt: skip
def test_what_is_no_date_is_refused_quickly(text):
    started = time.perf_counter()
    with pytest.raises(InputError, match="line 4: .* is not a date.*--date-format"):
        parse(["2020-01-01", "2020-01-02", text])
    assert time.perf_counter() - started < 5


def test_a_typed_number_and_a_typed_time_are_dates():
    """Would catch 20200131.0, as a spreadsheet keeps it."""
    assert days([20200131, 20200201.0]) == [date(2020, 1, 31), date(2020, 2, 1)]
    assert days(np.array(["2020-01-31"], "datetime64[ns]").astype(str))


def test_20_000_days_take_well_under_a_second():
    cells = [f"{date(1960, 1, 1) + timedelta(i):%d.%m.%Y} 18:00" for i in range(20_000)]
    started = time.perf_counter()
    parse(cells)
    assert time.perf_counter() - started < 3  # 0.2 s on a machine that is not busy


@settings(max_examples=200)
@given(
    first=st.dates(date(1970, 1, 1), date(2060, 1, 1)),
    count=st.integers(2, 70),
    way=st.sampled_from(sorted(WAYS)),
    clock=st.sampled_from(TIMES),
)
def test_any_stretch_of_days_is_read_as_it_was_written_or_refused(
    first, count, way, clock
):
    """Property: however days are written, none is ever read as another."""
    meant = [first + timedelta(i) for i in range(count)]
    try:
        found = days(WAYS[way](day) + clock for day in meant)
    except InputError as refused:
        assert "--date-format" in str(refused)
        return
    assert found == meant


@given(text=st.text(max_size=12))
def test_any_text_is_a_date_or_one_line(text):
    try:
        parse([text, "2020-01-01"])
    except InputError as refused:
        assert str(refused).isprintable()
