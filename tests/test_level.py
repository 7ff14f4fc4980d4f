"""The level and the spread of the days before an origin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_tf.data.series.level import SMALLEST, own_levels
from rnn_tf.data.series.periods import by_share
from rnn_tf.data.series.windows import Windows
from tests.conftest import make_series

RANDOM = np.random.default_rng(1)


def by_loop(values, level_days: int, spread_days: int, smallest: float) -> np.ndarray:
    """As the docstring says it, a day at a time."""
    rows = []
    for origin in range(len(values) + 1):
        recent = values[max(0, origin - level_days) : origin]
        level = recent.mean() if len(recent) else 0.0
        longer = values[max(0, origin - spread_days) : origin]
        distance = np.abs(longer - level).mean() if len(longer) else 0.0
        rows.append([level, max(distance, smallest)])
    return np.array(rows)


@pytest.mark.parametrize("spread_days", [1, 5, 28, 56, 90])
@pytest.mark.parametrize("level_days", [1, 5, 28])
def test_against_a_loop(level_days, spread_days):
    """Would catch a window that is a day off, or days before the first that count."""
    values = RANDOM.normal(100, 20, 80)
    options = level_days, spread_days, 3.0
    np.testing.assert_allclose(own_levels(values, *options), by_loop(values, *options))


def test_a_constant_stretch_has_the_smallest_spread():
    """Would catch a division by zero, or a spread under the one that was asked for."""
    values = np.concatenate([RANDOM.normal(100, 20, 40), np.full(40, 7.0)])
    level, spread = own_levels(values, 14, 28, smallest=1.5).T
    assert level[40 + 14 :].tolist() == [7.0] * 27
    assert spread[40 + 28 :].tolist() == [1.5] * 13
    assert (spread[20:40] > 1.5).all()


@given(
    origin=st.integers(0, 60),
    level_days=st.integers(1, 30),
    more=st.integers(0, 30),
    factor=st.floats(-1e6, 1e6),
)
def test_nothing_from_the_origin_on_is_read(origin, level_days, more, factor):
    """Property: would catch a level that has seen its target."""
    values = np.random.default_rng(1).normal(100, 20, 60)
    changed = np.where(np.arange(60) < origin, values, values * factor + 7)
    changed[origin + 1 :] = np.nan
    options = level_days, level_days + more, 0.5
    before, after = own_levels(values, *options), own_levels(changed, *options)
    assert (before[: origin + 1] == after[: origin + 1]).all()


@given(factor=st.floats(1e-3, 1e3), offset=st.floats(-1e3, 1e3))
def test_levels_move_with_the_unit_and_the_offset(factor, offset):
    """Property: would catch a spread that is a share of the level."""
    values = np.random.default_rng(1).normal(10, 2, 60)
    level, spread = own_levels(values, 14, 28, 0.0).T[:, 1:]
    moved, wider = own_levels(values * factor + offset, 14, 28, 0.0).T[:, 1:]
    np.testing.assert_allclose(moved, level * factor + offset, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(wider, spread * factor, rtol=1e-6, atol=1e-6)


# ------------------------------------------------ what becomes of it in windows


def noise(centre: float, width: float, days: int) -> np.ndarray:
    return np.random.default_rng(days).normal(centre, width, days)


ODD = {
    "a launch": np.concatenate([np.zeros(150), noise(1000, 100, 250)]),
    "a launch in test": np.concatenate([noise(10, 1, 330), noise(1000, 100, 70)]),
    "a closure": np.concatenate(
        [noise(1000, 100, 200), np.zeros(90), noise(1000, 100, 110)]
    ),
    "a level near zero": noise(0, 1, 400),
    "mostly zeros": np.where(np.arange(400) % 19 == 3, 40.0, 0.0),
    "a large offset": noise(1e5, 10, 400),
}
# A jump of a hundred usual spreads: at most so many of the smallest one.
MOST = {"a launch in test": 1200 / SMALLEST}


@pytest.mark.parametrize("case", ODD)
def test_no_window_explodes(case):
    """Would catch NaN, or inputs of millions, where a level or a spread comes to 0."""
    values = ODD[case]
    cut = Windows(make_series(values), by_share(400, 3), 56, 7)
    for split in ("train", "validation", "test"):
        level, spread = cut.levels[cut.origins[split]].T[..., None]
        at = cut.origins[split][:, None] + np.arange(-56, 7)
        measured = (values[at] - level) / spread
        assert np.isfinite(measured).all()
        assert np.abs(measured).max() < MOST.get(case, 60)
        assert (spread >= cut.smallest_spread).all()


def test_a_series_that_varied_only_before_its_first_window_is_not_divided_by_0():
    """Would catch NaN in all windows, where a lookback is longer than what it tells."""
    values = np.full(400, 0.1)
    values[:20] = noise(5, 1, 20)
    cut = Windows(make_series(values), by_share(400), 84, 7)
    assert cut.smallest_spread > 1e-6
    assert np.isfinite(cut.levels).all()


def test_the_smallest_spread_is_a_share_of_the_usual_one_in_training():
    """Would catch one that validation or test moves."""
    values = noise(100, 20, 400)
    cut = Windows(make_series(values), by_share(400), 56, 7)
    spreads = [
        np.abs(values[o - 56 : o] - values[o - 28 : o].mean()).mean()
        for o in range(56, 281)
    ]
    assert cut.smallest_spread == pytest.approx(0.25 * np.mean(spreads))
    values[280:] *= 9
    other = Windows(make_series(values), by_share(400), 56, 7)
    assert other.smallest_spread == cut.smallest_spread
