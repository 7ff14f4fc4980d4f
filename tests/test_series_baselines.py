"""Baselines against loops that anybody can follow."""

import dataclasses

import numpy as np
import pytest

from rnn_tf.baselines import series
from rnn_tf.data.series.periods import by_share
from rnn_tf.data.series.synthetic import daily_series
from rnn_tf.data.series.windows import Windows
from tests.conftest import make_series

VALUES = np.random.default_rng(1).normal(100, 20, size=500)
ORIGINS = np.array([400, 401, 430])


def by_loop(forecast):
    """(windows, 7) from a function of origin and day ahead, counted from 0."""
    return np.array([[forecast(o, day) for day in range(7)] for o in ORIGINS])


LOOPS = {
    series.last_value: lambda o, day: VALUES[o - 1],
    series.week_before: lambda o, day: VALUES[o + day - 7],
    series.year_before: lambda o, day: VALUES[o + day - 364],
    series.mean_of_weeks: lambda o, day: np.mean(
        [VALUES[o + day - 7 * week] for week in (1, 2, 3, 4)]
    ),
    series.median_of_weeks: lambda o, day: np.median(
        [VALUES[o + day - 7 * week] for week in (1, 2, 3, 4)]
    ),
}


@pytest.mark.parametrize("baseline", LOOPS, ids=lambda f: f.__name__)
def test_against_a_loop(baseline):
    found = baseline(VALUES, ORIGINS, 7)
    np.testing.assert_allclose(found, by_loop(LOOPS[baseline]))


@pytest.mark.parametrize("horizon", [1, 7, 10, 30])
@pytest.mark.parametrize("baseline", LOOPS, ids=lambda f: f.__name__)
def test_nothing_from_the_origin_on_is_read(baseline, horizon):
    """Would catch a week before that is still ahead, in a horizon of over 7 days."""
    future = VALUES.copy()
    future[400:] = np.nan
    found = baseline(future, np.array([400]), horizon)
    assert found.shape == (1, horizon)
    assert np.isfinite(found).all()


def test_ridge_finds_a_linear_rule_and_reads_no_future():
    """Each day is the mean of the same weekday one and two weeks before."""
    random, values = np.random.default_rng(2), np.zeros(500)
    values[:14] = random.normal(10, 1, size=14)
    for day in range(14, 500):
        values[day] = (values[day - 7] + values[day - 14]) / 2 + random.normal(0, 1e-3)
    train = np.arange(28, 393)
    found = series.ridge(values, ORIGINS, 7, train, 28, 10.0)
    expected = np.array([values[o : o + 7] for o in ORIGINS])
    np.testing.assert_allclose(found, expected, atol=0.02)
    values[400:] = 1e9
    again = series.ridge(values, ORIGINS[:1], 7, train, 28, 10.0)
    np.testing.assert_allclose(again, found[:1])


def test_sarima_forecasts_are_those_of_statsmodels():
    """Would catch a state that is a day late, or that has seen the target."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    values = daily_series(300).values
    begin, end = 20, 220
    origins = np.array([230, 260])
    fitted = series.fit_sarima(values, (begin, end))
    found = series.sarima(values, origins, 7, fitted)
    scale = np.abs(values[begin:end]).mean()
    order = {"order": (1, 0, 0), "seasonal_order": (0, 1, 1, 7)}
    fitted = SARIMAX(values[begin:end] / scale, **order).fit(disp=False)
    for row, origin in zip(found, origins, strict=True):
        known = fitted.apply(values[begin:origin] / scale)
        np.testing.assert_allclose(row, known.forecast(7) * scale, rtol=1e-6)


@pytest.mark.parametrize("horizon", [1, 2, 7, 10])
def test_every_baseline_forecasts_every_horizon(horizon):
    """Would catch ridge's axis, which scikit-learn drops for one day ahead."""
    cut = Windows(daily_series(700), by_share(700), 28, horizon)
    for name, predict in series.predictors(cut, classical=horizon == 1).items():
        for split in ("validation", "test"):
            found = predict(split)
            assert found.shape == cut.targets(split).shape, name
            assert np.isfinite(found).all(), name


def test_a_week_of_trading_days_has_five():
    """Would catch a "week before" of seven trading days: another weekday."""
    made = make_series(VALUES)
    dates = np.busday_offset("2018-01-01", np.arange(500))
    made = dataclasses.replace(made, dates=dates, calendar="business")
    cut = Windows(made, by_share(500), 40, 5)
    found = series.predictors(cut, classical=True)
    at = cut.origins["test"][:, None] + np.arange(5)
    np.testing.assert_allclose(found["week_before"]("test"), VALUES[at - 5])
    np.testing.assert_allclose(found["year_before"]("test"), VALUES[at - 260])
    weeks = np.stack([VALUES[at - 5 * week] for week in (1, 2, 3, 4)])
    np.testing.assert_allclose(found["mean_of_4_weeks"]("test"), weeks.mean(axis=0))
    assert found["sarima"].keywords == {}
    assert np.isfinite(found["sarima"]("test")).all()


def test_a_short_series_does_without_a_year_before():
    made = make_series(VALUES[:250])
    cut = Windows(made, by_share(250), 28, 7)
    found = series.predictors(cut, classical=False)
    assert "year_before" not in found
    assert {"last_value", "median_of_4_weeks", "ridge"} <= set(found)
    assert "sarima" not in found
    for predict in found.values():
        assert predict("test").shape == cut.targets("test").shape
