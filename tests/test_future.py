"""The window after the last day: what it sees, and what baselines forecast for it."""

import dataclasses

import numpy as np
import pytest

from rnn_tf.baselines import fitted_series, series
from rnn_tf.data import splits
from rnn_tf.data.series.periods import by_share
from rnn_tf.data.series.synthetic import daily_series
from rnn_tf.data.series.windows import Windows
from tests.conftest import make_series
from tests.test_windows import collected, network_of, ramp


def business(cut_days: int = 520, start: str = "2018-01-01"):
    """A series of trading days, which begins on a Monday."""
    dates = np.busday_offset(start, np.arange(cut_days))
    values = np.random.default_rng(1).normal(100, 20, cut_days)
    return dataclasses.replace(make_series(values), dates=dates, calendar="business")


@pytest.mark.parametrize("steps", [None, 5])
def test_the_future_window_sees_the_last_day_and_has_no_targets(steps):
    """Would catch a window that is a day early, and an index beyond the series.

    At every step but the last some of the days after it are known.
    """
    cut = ramp()
    (x, y) = collected(cut.dataset("future", network_of(steps=steps), 1))
    level, spread = cut.levels[-1]
    np.testing.assert_allclose(x[0, :, 0] * spread + level, np.arange(160, 200))
    last = y[0] if steps is None else y[0, -1]
    assert np.isnan(last).all()
    if steps:
        first = y[0, 0] * spread + level
        np.testing.assert_allclose(first, [196, 197, 198, 199, *[np.nan] * 3])
    assert cut.targets("future").shape == (1, 7)
    assert np.isnan(cut.targets("future")).all()
    assert cut.dates("future") == cut.series.dates[-1] + np.timedelta64(1, "D")


def test_the_future_is_no_part_of_what_is_measured():
    """Would catch a split more in config.json, or NaN among the targets of a part."""
    cut = ramp()
    assert set(cut.facts()["windows"]) == set(splits.SPLITS)
    for split in splits.SPLITS:
        assert np.isfinite(cut.targets(split)).all()
    assert "future" in cut.of_fold(0).origins


def test_days_ahead_are_days_or_weekdays():
    """Would catch a forecast for a Saturday on which nothing is traded."""
    daily = make_series(np.arange(3), start="2026-11-27")  # ends on a Sunday
    assert list(daily.dates_ahead(2).astype(str)) == ["2026-11-30", "2026-12-01"]
    trading = business(5, "2026-11-23")  # ends on a Friday
    assert list(trading.dates_ahead(2).astype(str)) == ["2026-11-30", "2026-12-01"]
    assert trading.dates_ahead(11)[-1] == np.datetime64("2026-12-14")


def test_a_window_before_whose_origin_a_line_was_drawn_is_not_learned_from():
    """Would catch a fit on what linear filling has drawn towards its target."""
    filled = np.zeros(200, bool)
    filled[190] = True
    values = np.arange(200) % 9
    made = dataclasses.replace(make_series(values), filled=filled, fill="linear")
    known = Windows(made, by_share(200), 28, 7).known()
    assert (known[0], known[-1]) == (28, 193)
    assert set(range(28, 194)) - set(known.tolist()) == {191}


@pytest.mark.parametrize("horizon", [1, 7])
def test_every_baseline_forecasts_the_days_after_the_last(horizon):
    """Would catch an index beyond the series in any of them."""
    cut = Windows(daily_series(700), by_share(700), 28, horizon)
    for name, predict in series.predictors(cut, classical=True).items():
        ahead = predict("future")
        assert ahead.shape == (1, horizon), name
        assert np.isfinite(ahead).all(), name


def test_the_future_of_baselines_is_that_of_a_loop():
    values = np.random.default_rng(1).normal(100, 20, size=500)
    cut = Windows(make_series(values), by_share(500), 28, 7)
    ahead = {
        n: f("future")[0] for n, f in series.predictors(cut, False, "future").items()
    }
    np.testing.assert_allclose(ahead["last_value"], [values[-1]] * 7)
    np.testing.assert_allclose(ahead["week_before"], values[-7:])
    np.testing.assert_allclose(ahead["year_before"], values[-364:-357])
    weeks = values[-28:].reshape(4, 7)
    np.testing.assert_allclose(ahead["mean_of_4_weeks"], weeks.mean(axis=0))
    np.testing.assert_allclose(ahead["median_of_4_weeks"], np.median(weeks, axis=0))
    slope = (values[-1] - values[0]) / 499
    np.testing.assert_allclose(ahead["drift"], values[-1] + slope * np.arange(1, 8))


def test_a_week_of_trading_days_ahead_has_five():
    cut = Windows(business(), by_share(520), 40, 5)
    ahead = series.predictors(cut, classical=False)
    values = cut.series.values
    np.testing.assert_allclose(ahead["week_before"]("future")[0], values[-5:])
    np.testing.assert_allclose(ahead["year_before"]("future")[0], values[-260:-255])


@pytest.mark.parametrize("name", ["ridge", "trees", "sarima", "ets"])
def test_what_learns_is_fitted_up_to_the_last_day(name, monkeypatch):
    """Would catch a forecast of tomorrow by what was fitted a test period ago."""
    fits = []

    def fit(windows, train):
        fits.append(train)
        return lambda origins: np.zeros((len(origins), windows.horizon))

    monkeypatch.setattr(fitted_series, name, fit)
    cut = Windows(daily_series(500), by_share(500, 2), 28, 7)
    series.predictors(cut, classical=True)[name]("future")
    np.testing.assert_array_equal(fits, [np.arange(28, 500 - 7 + 1)])
    series.predictors(cut, classical=True)[name]("test")
    assert fits[-1][-1] + 7 <= cut.periods.test[0]


def test_a_year_of_days_ahead_repeats_the_year_that_is_known():
    """Would catch a `year_before` that reads days after the origin."""
    values = np.arange(500.0)
    ahead = series.year_before(values, np.array([400]), 400)[0]
    assert ahead.max() == 399
    np.testing.assert_array_equal(ahead[364:], ahead[:36])


def test_a_baseline_needs_its_days_before_the_first_origin():
    """Would catch a week before a series that is a day old."""
    cut = Windows(make_series(np.arange(400) % 9), by_share(400), 28, 7)
    assert "year_before" not in series.predictors(cut, False)
    assert "year_before" in series.predictors(cut, False, "future")
