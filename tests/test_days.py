"""Pieces of models of daily series against NumPy."""

import keras
import numpy as np
import pytest

from rnn_tf.data.series.level import own_levels
from rnn_tf.models import days

AROUND = 3
WEEKS = {
    5: np.array([1.0, 3.0, 2.0, 4.0, 0.0]),
    7: np.array([1.0, 3.0, 2.0, 4.0, 0.0, 2.0, 5.0]),
}
both_weeks = pytest.mark.parametrize("week", WEEKS)


def to_numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def tensor(array):
    return keras.ops.convert_to_tensor(np.asarray(array, "float32"))


def repeated(week: int, before: int = 8) -> np.ndarray:
    """One clean week, over a year and `before` weeks: (days,)."""
    return np.tile(WEEKS[week], 52 + before)


def of_last_year(past, week: int) -> np.ndarray:
    """What `last_year` says of one series: (AROUND + week + AROUND,)."""
    return to_numpy(days.last_year(tensor(past)[None, :, None], week, AROUND))[0]


# ---------------------------------------------------------------- level


@pytest.mark.parametrize(
    ("centre", "width"),
    [(100, 20), (-100, 20), (0, 1), (5_000, 30), (40, 1e-3), (0, 0)],
    ids=["usual", "negative", "around 0", "offset", "nearly constant", "zeros"],
)
def test_the_level_of_a_saved_model_is_that_of_training(centre, width):
    """Would catch a saved model that measures windows otherwise than training."""
    values = np.random.default_rng(1).normal(centre, width, 90)
    expected = own_levels(values, 28, 56, smallest=2.5)
    origins = np.arange(56, 91)
    past = np.stack([values[origin - 56 : origin] for origin in origins])
    level, spread = days.own_level(tensor(past)[..., None], 28, 56, 2.5)
    assert level.shape == spread.shape == (35, 1)
    measured = np.concatenate([to_numpy(level), to_numpy(spread)], axis=1)
    np.testing.assert_allclose(measured, expected[56:], rtol=2e-4, atol=1e-5)
    assert (measured[:, 1] == 2.5).all() == (width < 3)


def test_the_last_days_alone_tell_the_level():
    """Would catch a level of all that a model sees, which may be years."""
    past = np.random.default_rng(1).normal(size=(1, 400, 1))
    other = past.copy()
    other[:, :-56] = np.nan
    for one, same in zip(
        days.own_level(tensor(past), 28, 56, 0.1),
        days.own_level(tensor(other), 28, 56, 0.1),
        strict=True,
    ):
        assert to_numpy(one) == to_numpy(same)


# ---------------------------------------------------------------- weeks


@both_weeks
def test_each_day_stands_beside_its_difference_to_the_week_before(week):
    past = np.random.default_rng(1).normal(size=(2, 4 * week + 3, 1))
    beside = to_numpy(days.with_week_before(tensor(past), week))
    assert beside.shape == (2, 4 * week + 3, 2)
    np.testing.assert_allclose(beside[..., :1], past, rtol=1e-6)
    assert not beside[:, :week, 1].any()
    difference = past[:, week:, 0] - past[:, :-week, 0]
    np.testing.assert_allclose(beside[:, week:, 1], difference, atol=1e-6)


@pytest.mark.parametrize("length", [1, 6, 7])
def test_a_lookback_of_a_week_knows_no_week_before(length):
    """Would catch a lookback of a week that fails, or that loses its days."""
    past = np.arange(1.0, length + 1)[None, :, None]
    beside = to_numpy(days.with_week_before(tensor(past), 7))
    assert beside[0].tolist() == [[day, 0.0] for day in range(1, length + 1)]


@both_weeks
def test_the_usual_week_is_the_median_of_the_last_four(week):
    past = np.random.default_rng(1).normal(size=(2, 9 * week, 1))
    by_week = past.reshape(2, 9, week)
    expected = np.median(by_week[:, -4:], axis=1)
    usual = to_numpy(days.usual_week(tensor(past), week))
    np.testing.assert_allclose(usual, expected, rtol=1e-6)
    cut = to_numpy(days.weeks(tensor(past), week))
    np.testing.assert_allclose(cut, by_week, rtol=1e-6)


# ---------------------------------------------------------------- last year


@both_weeks
@pytest.mark.parametrize("before", [4, 8, 11])
def test_a_usual_week_of_last_year_leaves_no_trace(week, before):
    """Would catch weekdays that are shifted, by a week of another length too."""
    assert np.abs(of_last_year(repeated(week, before), week)).max() < 1e-6


@both_weeks
def test_a_holiday_stands_at_its_place(week):
    """Would catch a match that is a day, or a week, off."""
    past = repeated(week)
    past[-52 * week + 2] += 3.0  # a year before the third day ahead
    seen = of_last_year(past, week)
    usual = np.tile(WEEKS[week], 8)
    spread = np.abs(usual - usual[-4 * week :].mean()).mean()
    assert seen[AROUND + 2] == pytest.approx(3.0 / spread, rel=1e-5)
    assert np.abs(np.delete(seen, AROUND + 2)).max() < 1e-6


@both_weeks
def test_growth_leaves_no_trace(week):
    """Would catch last year measured by the level or the spread of today."""
    past = repeated(week) + np.random.default_rng(1).normal(0, 0.3, 60 * week)
    now = past.copy()
    now[12 * week :] = now[12 * week :] * 30 - 400
    np.testing.assert_allclose(of_last_year(now, week), of_last_year(past, week))
    then = past.copy()
    then[: 12 * week] = then[: 12 * week] * 30 - 400
    np.testing.assert_allclose(
        of_last_year(then, week), of_last_year(past, week), atol=1e-4
    )


@both_weeks
def test_an_outlier_of_last_year_is_clipped(week):
    """Would catch a strike of last year that throws this year's forecast."""
    past = repeated(week)
    past[-52 * week : -52 * week + 2] = 1e6, -1e6
    assert of_last_year(past, week)[AROUND : AROUND + 2].tolist() == [5.0, -5.0]


def test_a_constant_time_of_last_year_is_not_blown_up():
    """Would catch a division by the spread of a closure, which is 0."""
    past = repeated(7)
    past[: 8 * 7] = 2.0
    past[8 * 7 + 1] = 2.1
    seen = of_last_year(past, 7)
    assert seen[AROUND + 1] == pytest.approx(0.1 / days.SMALLEST, rel=1e-5)
    assert np.isfinite(seen).all()


@both_weeks
def test_unknown_days_of_last_year_are_usual(week):
    """Would catch NaN, which the first windows of a series would spread to all."""
    past = repeated(week)
    past[-52 * week + 2] += 3.0
    for unknown in (1, 5 * week, 9 * week):  # of the time before, by which it is seen
        some = past.copy()
        some[:unknown] = np.nan
        assert not of_last_year(some, week).any()
    one = past.copy()
    one[-52 * week + 1] = np.nan
    seen = of_last_year(one, week)
    assert seen[AROUND + 1] == 0
    assert seen[AROUND + 2] == of_last_year(past, week)[AROUND + 2] > 0


@both_weeks
def test_the_view_around_each_day_is_centred_on_it(week):
    around = 10
    flat = np.arange(around + week + around)
    views = to_numpy(days.around_each_day(tensor(flat)[None], week, around))
    assert views.shape == (1, week, 2 * around + 1)
    for day in range(week):
        assert views[0, day].tolist() == list(range(day, day + 2 * around + 1))
        assert views[0, day, around] == around + day
