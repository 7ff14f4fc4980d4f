"""The parts of a series, and the blocks of its validation."""

import dataclasses
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_tf.data.series import periods
from rnn_tf.data.series.periods import Periods, by_share, count_blocks, days_needed
from rnn_tf.data.series.windows import Windows
from rnn_tf.errors import InputError
from tests.conftest import make_series


def test_shares_of_the_days():
    assert by_share(200) == Periods((0, 140), (140, 160), (160, 200), 1)
    assert by_share(200, 3) == Periods((0, 100), (100, 160), (160, 200), 3)


@given(days=st.integers(30, 5000), blocks=st.integers(1, 5))
def test_blocks_tile_validation_newest_first(days, blocks):
    """Property: would catch a day in no block, or in two, or blocks of other sizes."""
    parts = by_share(days, blocks)
    cut = [parts.block(fold) for fold in range(blocks)]
    assert cut[0][1] == parts.validation[1] == parts.test[0]
    assert cut[-1][0] == parts.validation[0] == parts.train[1]
    for newer, older in zip(cut, cut[1:], strict=False):
        assert older[1] == newer[0]
    lengths = [end - begin for begin, end in cut]
    assert min(lengths) > 0
    assert max(lengths) - min(lengths) <= 1
    assert by_share(days).test == parts.test  # whatever the number of blocks


@pytest.mark.parametrize(
    ("days", "lookback", "horizon", "most", "blocks"),
    [
        (1461, 56, 7, 3, 3),
        (1461, 56, 7, 1, 1),
        (1461, 56, 7, 5, 5),
        (251, 56, 7, 3, 3),  # half of them are two windows
        (250, 56, 7, 3, 2),
        (209, 56, 7, 3, 1),
        (40, 56, 7, 3, 1),
        (297, 10, 30, 3, 2),  # a third of 89 days holds no 30
        (300, 10, 30, 3, 3),
    ],
)
def test_a_short_series_has_fewer_blocks(days, lookback, horizon, most, blocks):
    split = partial(by_share, days)
    assert count_blocks(split, lookback, horizon, most) == blocks


@given(lookback=st.integers(8, 80), horizon=st.integers(1, 40), more=st.integers(0, 80))
def test_a_series_that_is_long_enough_is_so_in_every_fold(lookback, horizon, more):
    """Property: would catch one refused because a block is a day too short."""
    days = days_needed(lookback, horizon) + more
    blocks = count_blocks(partial(by_share, days), lookback, horizon, 3)
    values = np.random.default_rng(1).normal(size=days)
    cut = Windows(make_series(values), by_share(days, blocks), lookback, horizon)
    for fold in cut.folds():
        assert all(len(origins) for origins in fold.origins.values())


@pytest.mark.parametrize(("lookback", "horizon"), [(56, 7), (28, 1), (10, 30)])
def test_the_fewest_days_are_exactly_enough(lookback, horizon):
    """Would catch a message that asks for too few days, or too many."""
    need = days_needed(lookback, horizon)
    random = np.random.default_rng(1)

    def cut(days):
        series = make_series(random.normal(size=days))
        return Windows(series, by_share(days), lookback, horizon)

    assert all(len(origins) for origins in cut(need).origins.values())
    with pytest.raises(InputError, match=f"needs {need} days .* has {need - 1}"):
        cut(need - 1)


@given(days=st.integers(100, 5000), count=st.integers(1, 9))
def test_test_periods_tile_the_end_of_the_series(days, count):
    """Property: would catch a day that two folds test, or one that none does."""
    tests = periods.test_periods(days, count)
    assert len(tests) == count
    assert tests[-1][1] == days
    for older, newer in zip(tests, tests[1:], strict=False):
        assert older[1] == newer[0]
    assert len({end - begin for begin, end in tests}) == 1
    assert tests[0][0] >= days // 2 - count
    assert periods.test_periods(days, 1) == [by_share(days).test]


def test_periods_of_five_folds():
    tests = periods.test_periods(1000, 5)
    assert tests == [(500, 600), (600, 700), (700, 800), (800, 900), (900, 1000)]
    assert periods.before(tests[0], 2, first=100) == Periods(
        (100, 400), (400, 500), (500, 600), 2
    )


BOUNDS = {
    "train": ("2018-01-01", "2019-03-31"),  # a Sunday
    "validation": ("2019-04-01", "2019-06-30"),
    "test": ("2019-07-01", "2019-12-27"),
}


def business():
    """Two years of trading days, from a Monday on."""
    dates = np.busday_offset("2018-01-01", np.arange(520))
    series = make_series(np.random.default_rng(1).normal(size=520))
    return dataclasses.replace(series, dates=dates, calendar="business")


def test_periods_by_date_know_of_weekends():
    series = business()
    parts = periods.by_date(series, BOUNDS)
    assert series.dates[parts.train[1] - 1] == np.datetime64("2019-03-29")
    assert parts.train[1] == parts.validation[0]
    assert parts.test == (390, 520)
    assert parts.blocks == 1


def test_a_date_outside_the_series_is_refused():
    late = BOUNDS | {"test": ("2019-07-01", "2019-12-31")}
    expected = "made has no 2019-12-31: it runs from 2018-01-01 to 2019-12-27"
    with pytest.raises(InputError, match=expected):
        periods.by_date(business(), late)
