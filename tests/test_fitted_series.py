"""Baselines that learn: they read no future, and forecast as their libraries do."""

import dataclasses

import numpy as np
import pytest
from statsmodels.tsa.statespace.exponential_smoothing import ExponentialSmoothing
from statsmodels.tsa.statespace.sarimax import SARIMAX

from rnn_tf.baselines import fitted_series
from rnn_tf.data.series.periods import Periods, by_share
from rnn_tf.data.series.synthetic import daily_series
from rnn_tf.data.series.windows import Windows
from tests.conftest import make_series


def by_rule(days: int = 500) -> np.ndarray:
    """Each day is the mean of the same weekday one and two weeks before."""
    random, values = np.random.default_rng(2), np.zeros(days)
    values[:14] = random.normal(10, 1, size=14)
    for day in range(14, days):
        values[day] = (values[day - 7] + values[day - 14]) / 2 + random.normal(0, 1e-3)
    return values


def test_ridge_finds_a_linear_rule():
    cut = Windows(make_series(by_rule()), by_share(500), 28, 7)
    ahead = fitted_series.ridge(cut, cut.origins["train"])(cut.origins["test"])
    np.testing.assert_allclose(ahead, cut.targets("test"), atol=0.02)


def test_trees_find_what_no_line_can():
    """Would catch features of another day, or a target in another unit.

    Each day is far up or far down: up, if exactly one of two earlier days was.
    """
    random = np.random.default_rng(1)
    up = random.random(1200) < 0.5
    for day in range(7, 1200):
        up[day] = (up[day - 2] != up[day - 7]) != (random.random() < 0.03)
    values = np.where(up, 120.0, 80.0) + random.normal(0, 1, 1200)
    cut = Windows(make_series(values), by_share(1200), 14, 1)
    errors = {
        fit.__name__: np.abs(
            fit(cut, cut.origins["train"])(cut.origins["test"]) - cut.targets("test")
        ).mean()
        for fit in (fitted_series.trees, fitted_series.ridge)
    }
    assert errors["trees"] < 5  # 3 % of the days are as they should not be
    assert errors["ridge"] > 15


def test_trees_look_up_a_holiday_of_last_year():
    """Would catch last year's days that lie a day, or a week, off."""
    values = (
        100
        + 20 * (np.arange(1500) % 7 == 3)
        + np.random.default_rng(1).normal(size=1500)
    )
    values[np.arange(1500) % 364 % 29 == 11] -= 50  # the same days every 52 weeks
    cut = Windows(make_series(values), by_share(1500), 14, 2)
    ahead = fitted_series.trees(cut, cut.origins["train"])(cut.origins["test"])
    holiday = cut.targets("test") < 80
    assert holiday.any(axis=0).all()
    assert np.abs(ahead - cut.targets("test"))[holiday].mean() < 10


FITS = [
    fitted_series.ridge, fitted_series.trees, fitted_series.sarima, fitted_series.ets,
]  # fmt: skip


@pytest.mark.parametrize("fit", FITS, ids=lambda fit: fit.__name__)
def test_nothing_from_the_origin_on_is_read(fit):
    """Would catch a feature, a level or a state of a day that is still ahead."""
    values = daily_series(200).values
    parts, train = by_share(200), np.arange(28, 139)
    cut = Windows(make_series(values), parts, 28, 2)
    origins = np.array([150, 171])
    ahead = fit(cut, train)(origins)
    for row, origin in zip(ahead, origins, strict=True):
        changed = values.copy()
        changed[origin:] = changed[origin:] * 3 + 7
        other = Windows(make_series(changed), parts, 28, 2)
        again = fit(other, train)(np.array([origin]))
        np.testing.assert_allclose(again[0], row, rtol=1e-9)


@pytest.mark.parametrize("fit", FITS[:2], ids=lambda fit: fit.__name__)
def test_a_forecast_has_the_unit_of_the_series(fit):
    """Would catch a scale that is left out: the forecasts grow with the series."""
    values, origins = daily_series(300).values, np.array([200, 250])
    one, other = (
        fit(cut, cut.origins["train"])(origins)
        for factor in (1, 1024)  # exact in floating point
        for cut in [Windows(make_series(values * factor), by_share(300), 28, 2)]
    )
    np.testing.assert_allclose(other, one * 1024, rtol=1e-6)


STATE_SPACES = {
    fitted_series.sarima: lambda values, week: SARIMAX(
        values, order=(1, 0, 0), seasonal_order=(0, 1, 1, week)
    ),
    fitted_series.ets: lambda values, week: ExponentialSmoothing(
        values,
        trend=True,
        damped_trend=True,
        seasonal=week,
        initialization_method="heuristic",
    ),
}


@pytest.mark.parametrize("calendar", ["daily", "business"])
@pytest.mark.parametrize("fit", STATE_SPACES, ids=lambda fit: fit.__name__)
def test_forecasts_are_those_of_statsmodels(fit, calendar):
    """Would catch a state that is a day late, or that has seen the target."""
    series = dataclasses.replace(daily_series(200), calendar=calendar)
    parts = Periods((20, 140), (140, 160), (160, 200))
    cut = Windows(series, parts, 28, 7)
    origins = np.array([150, 171])
    ahead = fit(cut, cut.origins["train"])(origins)
    known = series.values / np.abs(series.values[20:140]).mean()
    own = STATE_SPACES[fit]
    fitted = own(known[20:140], series.week).fit(disp=False)
    for row, origin in zip(ahead, origins, strict=True):
        expected = fitted.apply(known[20:origin]).forecast(7)
        np.testing.assert_allclose(row / cut.scale, expected, rtol=1e-6)


# ---------------------------------------------------------------- features of trees


def test_what_trees_see():
    """Would catch a year of 365 days, or a weekday that is counted from the origin."""
    values = np.random.default_rng(1).normal(100, 20, 600)
    cut = Windows(make_series(values), by_share(600), 28, 7)
    origins = np.array([364, 400])
    features = fitted_series.tree_features(cut, origins)
    assert features.shape == (2, 28 + 7 + 1)
    for row, origin in zip(features, origins, strict=True):
        level, spread = cut.levels[origin]
        seen = row[:-1] * spread + level
        np.testing.assert_allclose(seen[:28], values[origin - 28 : origin])
        np.testing.assert_allclose(seen[28:], values[origin - 364 : origin - 357])
        assert row[-1] == origin % 7


def test_a_day_before_training_is_unknown_to_trees():
    """Would catch a series of less than a year that fails, or its end read as its past,
    or trees that see days which no network does."""
    values = np.random.default_rng(1).normal(100, 20, 300)
    cut = Windows(make_series(values), by_share(300), 28, 7)
    features = fitted_series.tree_features(cut, np.array([28, 299]))
    assert np.isnan(features).tolist() == 2 * [28 * [False] + 7 * [True] + [False]]
    later = Windows(
        make_series(values), Periods((50, 200), (200, 240), (240, 300)), 28, 7
    )
    longer = dataclasses.replace(later, horizon=7)
    assert np.isnan(fitted_series.tree_features(longer, np.array([78]))[0, 28:35]).all()


def test_a_horizon_of_over_a_year_leaves_last_year_out():
    """Would catch features that lie among the days to forecast."""
    values = np.random.default_rng(1).normal(100, 20, 1600)
    parts = Periods((0, 800), (800, 1200), (1200, 1600))
    for horizon, last_year in ((364, 364), (365, 0)):
        cut = Windows(make_series(values), parts, 28, horizon)
        features = fitted_series.tree_features(cut, np.array([900]))
        assert features.shape == (1, 28 + last_year + 1)
