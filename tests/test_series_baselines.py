"""Baselines against loops that anybody can follow."""

import dataclasses
import functools

import numpy as np
import pytest
import sklearn.ensemble
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor

from rnn_tf.baselines import fitted_series, series
from rnn_tf.data.series.periods import Periods, by_share
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
    series.drift: lambda o, day: (
        VALUES[o - 1] + (day + 1) * (VALUES[o - 1] - VALUES[0]) / (o - 1)
    ),
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


@pytest.mark.parametrize("horizon", [1, 7, 10, 30, 364, 365, 400])
@pytest.mark.parametrize("baseline", LOOPS, ids=lambda f: f.__name__)
def test_nothing_from_the_origin_on_is_read(baseline, horizon):
    """Would catch a week, or a year, before that is still ahead in a long horizon."""
    future = VALUES.copy()
    future[400:] = np.nan
    found = baseline(future, np.array([400]), horizon)
    assert found.shape == (1, horizon)
    assert np.isfinite(found).all()


def test_drift_goes_on_along_a_line():
    """Would catch a slope that is counted from another day than the first."""
    line = 5 + 3.0 * np.arange(100)
    ahead = series.drift(line, np.array([2, 60]), 7)
    np.testing.assert_allclose(ahead, [line[2:9], line[60:67]])
    assert series.drift(line, np.array([1]), 3).tolist() == [[5.0, 5.0, 5.0]]


# ---------------------------------------------------------------- all of them

NAIVE = ["last_value", "drift", "week_before", "mean_of_4_weeks", "median_of_4_weeks"]
LEARN = ["ridge", "trees", "sarima", "ets"]


@pytest.fixture
def quick_trees(monkeypatch):
    """Boost a few times alone: what is tested is not how well trees learn."""
    few = functools.partial(HistGradientBoostingRegressor, max_iter=3)
    monkeypatch.setattr(sklearn.ensemble, "HistGradientBoostingRegressor", few)


def check_all_are_finite(cut: Windows) -> None:
    """Every baseline, fitted or not, forecasts both splits."""
    predictors = series.predictors(cut, classical=True)
    assert set(predictors) >= {*NAIVE, *LEARN}
    for name, predict in predictors.items():
        for split in ("validation", "test"):
            ahead = predict(split)
            assert ahead.shape == cut.targets(split).shape, name
            assert np.isfinite(ahead).all(), name


@pytest.mark.parametrize("horizon", [1, 10])
def test_every_baseline_forecasts_every_horizon(horizon, quick_trees):
    """Would catch ridge's axis, which scikit-learn drops for one day ahead."""
    check_all_are_finite(Windows(daily_series(300), by_share(300, 2), 28, horizon))


def test_a_horizon_of_more_than_a_year_runs(monkeypatch):
    """Would catch last year's days that are not there yet, or past the end."""
    monkeypatch.setattr(
        sklearn.ensemble, "HistGradientBoostingRegressor", lambda **_: DummyRegressor()
    )
    values = daily_series(1190).values
    parts = Periods((0, 430), (430, 805), (805, 1180))
    cut = Windows(make_series(values), parts, 28, 370)
    check_all_are_finite(cut)
    year_before = series.predictors(cut, classical=False)["year_before"]("test")
    assert (
        year_before[0].tolist() == values[[*range(441, 805), *range(441, 447)]].tolist()
    )


def closed(values, begin: int, end: int):
    return np.where(
        (np.arange(len(values)) < begin) | (np.arange(len(values)) >= end), values, 0
    )


ODD = {
    "mostly zeros": np.where(np.arange(500) % 19 == 3, 40.0, 0.0),
    "a closure in training": closed(VALUES, 100, 180),
    "a closure in validation": closed(VALUES, 360, 399),
    "a launch": closed(VALUES, 0, 120),
    "a closure for good": closed(VALUES, 420, 500),
    "around zero": VALUES - 100,
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_series_has_finite_forecasts_from_all(case, quick_trees):
    """Would catch a spread, or a variance, of zero."""
    check_all_are_finite(Windows(make_series(ODD[case]), by_share(500, 2), 56, 7))


def test_a_week_of_trading_days_has_five(quick_trees):
    """Would catch a "week before" of seven trading days: another weekday."""
    business = make_series(VALUES)
    dates = np.busday_offset("2018-01-01", np.arange(500))
    business = dataclasses.replace(business, dates=dates, calendar="business")
    cut = Windows(business, by_share(500, 2), 40, 5)
    check_all_are_finite(cut)
    predictors = series.predictors(cut, classical=False)
    at = cut.origins["test"][:, None] + np.arange(5)
    np.testing.assert_allclose(predictors["week_before"]("test"), VALUES[at - 5])
    np.testing.assert_allclose(predictors["year_before"]("test"), VALUES[at - 260])
    weeks = np.stack([VALUES[at - 5 * week] for week in (1, 2, 3, 4)])
    mean = predictors["mean_of_4_weeks"]("test")
    np.testing.assert_allclose(mean, weeks.mean(axis=0))


def test_a_short_series_does_without_a_year_before():
    """Would catch a year that is looked up before the first day."""
    cut = Windows(make_series(VALUES[:250]), by_share(250), 28, 7)
    predictors = series.predictors(cut, classical=False)
    assert set(predictors) == {*NAIVE, "ridge", "trees"}
    for predict in predictors.values():
        assert predict("test").shape == cut.targets("test").shape


# ---------------------------------------------------------------- who has seen what


def parrot(cut: Windows, train: np.ndarray):
    """A forecast that knows each day that was among its targets, and no other: -1."""
    days = np.unique(train[:, None] + np.arange(cut.horizon))
    known = np.full(len(cut.series.values), -1.0)
    known[days] = cut.series.values[days]
    return lambda origins: known[origins[:, None] + np.arange(cut.horizon)]


@pytest.mark.parametrize("blocks", [1, 3])
@pytest.mark.parametrize("name", LEARN)
def test_no_forecast_has_been_fitted_on_what_it_forecasts(name, blocks, monkeypatch):
    """Would catch a baseline of validation that is fitted on its block, or on test."""
    monkeypatch.setattr(fitted_series, name, parrot)
    cut = Windows(make_series(VALUES), by_share(500, blocks), 28, 7)
    predict = series.predictors(cut, classical=True)[name]
    for split in ("validation", "test"):
        assert (predict(split) == np.full(cut.targets(split).shape, -1)).all()


@pytest.mark.parametrize("name", LEARN)
def test_who_is_fitted_on_what(name, monkeypatch):
    """Would catch blocks in another order, or a fold that is fitted on too little."""
    fitted = []

    def fit(windows, train):
        fitted.append(train)
        return lambda origins: np.repeat(origins[:, None], windows.horizon, axis=1)

    monkeypatch.setattr(fitted_series, name, fit)
    cut = Windows(make_series(VALUES), by_share(500, 3), 28, 7)
    predict = series.predictors(cut, classical=True)[name]
    for split in ("validation", "test"):
        assert predict(split)[:, 0].tolist() == cut.origins[split].tolist()
    folds = [fold.origins["train"].tolist() for fold in cut.folds()]
    in_a_row = [cut.origins["train"].tolist()]  # a state space leaves no block out
    expected = folds if name in ("ridge", "trees") else in_a_row
    expected = [*expected, cut.learned().tolist()]
    assert [train.tolist() for train in fitted] == expected
