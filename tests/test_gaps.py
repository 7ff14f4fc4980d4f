"""Gaps of a series: on a calendar of all days, and on one of trading days."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_tf.data.series import gaps
from rnn_tf.data.series.layout import Layout
from rnn_tf.errors import InputError

EVERY = np.datetime64("2018-01-01") + np.arange(364)  # begins on a Monday
WORKING = EVERY[np.is_busday(EVERY)]
HOLIDAYS = [10, 11, 50, 200]  # a Monday and a Tuesday, ...


def fill(days, values=None, **layout):
    values = np.arange(float(len(days))) if values is None else values
    return gaps.fill("my.csv", Layout(**layout), days, values)


def test_trading_days_are_gapless_without_weekends():
    days, values, filled, notes = fill(WORKING, calendar="business")
    assert (days == WORKING).all()
    assert values.tolist() == list(range(260))
    assert not filled.any()
    assert notes == ()


def test_holidays_take_the_last_value_unless_another_way_is_chosen():
    """Would catch a holiday filled with what comes after it."""
    rest = np.delete(WORKING, HOLIDAYS)
    kept = np.delete(np.arange(260.0), HOLIDAYS)
    days, values, filled, notes = fill(rest, kept, calendar="business")
    assert (days == WORKING).all()
    assert np.flatnonzero(filled).tolist() == HOLIDAYS
    assert values[HOLIDAYS].tolist() == [9, 9, 49, 199]
    assert notes == ("filled 4 missing days (last)",)
    seasonal = fill(rest, kept, calendar="business", fill="seasonal")[1]
    assert seasonal[HOLIDAYS].tolist() == [5, 6, 45, 195]
    linear = fill(rest, kept, calendar="business", fill="linear")[1]
    assert linear[HOLIDAYS].tolist() == HOLIDAYS
    with pytest.raises(InputError, match="4 days are missing, the first is 2018-01-15"):
        fill(rest, kept, calendar="business", fill="none")


def test_empty_cells_on_weekends_are_no_weekends():
    values = np.where(np.is_busday(EVERY), 1.0, np.nan)
    days, _, filled, notes = fill(EVERY, values, calendar="business")
    assert (days == WORKING).all()
    assert not filled.any()
    assert notes == ()


def test_a_few_weekends_are_dropped_and_counted_and_many_are_refused():
    """Would catch a Saturday's session that moves all days after it."""
    some = np.sort(np.append(WORKING, [EVERY[5], EVERY[12]]))
    days, _, _, notes = fill(some, calendar="business")
    assert (days == WORKING).all()
    assert notes == ("dropped 2 days on weekends (--calendar business)",)
    expected = (
        "has weekends, 104 days of 364, the first is 2018-01-06: choose --calendar"
    )
    with pytest.raises(InputError, match=expected):
        fill(EVERY, calendar="business")


@pytest.mark.parametrize("way", ["none", "seasonal"])
def test_a_daily_series_without_weekends_is_offered_the_other_calendar(way):
    """Would catch "choose --fill", which makes up two days in seven."""
    expected = (
        r"my.csv has no weekends \(103 days are missing, the first is 2018-01-06\): "
        "choose --calendar business"
    )
    days = np.delete(WORKING, [50])
    with pytest.raises(InputError, match=expected):
        fill(days, fill=way)
    with pytest.raises(InputError, match="has gaps: 1 days are missing"):
        fill(np.delete(EVERY, 5))


def test_other_steps_are_not_daily():
    with pytest.raises(InputError, match="the usual step is 7 days"):
        fill(EVERY[::7])
    with pytest.raises(InputError, match="the usual step is 5 trading days"):
        fill(WORKING[::5], calendar="business")


@given(
    missing=st.sets(st.integers(1, 258), max_size=60),
    way=st.sampled_from(["last", "seasonal", "linear"]),
    at=st.integers(1, 259),
)
def test_only_linear_filling_looks_ahead(missing, way, at):
    """Property: a value that changes leaves all days before it as they were."""
    rest = np.delete(np.arange(260), list(missing))
    days, values = WORKING[rest], rest.astype(float)
    later = np.where(rest < at, values, -7.0)
    try:
        before, after = (
            fill(days, v, calendar="business", fill=way)[1] for v in (values, later)
        )
    except InputError as refused:
        assert "no same weekday before it" in str(refused)
        return
    ahead = at if way != "linear" else rest[rest < at].max() + 1
    assert (before[:ahead] == after[:ahead]).all()
