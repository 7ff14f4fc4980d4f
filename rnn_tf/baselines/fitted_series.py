"""Baselines of forecasts that learn: ridge, trees, SARIMA, exponential smoothing.

Each is fitted on the windows of some origins, and gives a function of other origins,
(windows,) -> (windows, horizon) in the series' unit, that reads only days before them.
"""

import warnings
from collections.abc import Callable

import numpy as np

Forecast = Callable[[np.ndarray], np.ndarray]


def ridge(windows, train: np.ndarray) -> Forecast:
    """Fit a linear model of the days ahead on the days of the lookback."""
    values, scale, horizon = windows.series.values, windows.scale, windows.horizon
    back, ahead = np.arange(-windows.lookback, 0), np.arange(horizon)

    def cut(origins, days):
        return values[origins[:, None] + days] / scale

    model = fit_ridge(cut(train, back), cut(train, ahead))

    def predict(origins):
        days = model.predict(cut(origins, back)) * scale
        return days.reshape(-1, horizon)  # scikit-learn drops an axis of 1

    return predict


def fit_ridge(x: np.ndarray, y: np.ndarray):
    """Fit a linear model of y (examples, outputs) on x (examples, features).

    The penalty is chosen by leave-one-out cross-validation inside the training
    examples (scikit-learn's RidgeCV).
    """
    from sklearn.linear_model import RidgeCV

    return RidgeCV(alphas=np.logspace(-3, 3, 13)).fit(x, y)


# ---------------------------------------------------------------- trees


def trees(windows, train: np.ndarray) -> Forecast:
    """Fit boosted trees, one for each day ahead, on what a forecaster would look up.

    The lookback, the same days of last year, both in units of the window's own level
    and spread, and the weekday. Source: Friedman (2001), as scikit-learn's histograms
    have it (Ke et al., 2017, LightGBM).
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    values, ahead = windows.series.values, np.arange(windows.horizon)
    level, spread = windows.levels[train].T[..., None]
    targets = (values[train[:, None] + ahead] - level) / spread
    features = tree_features(windows, train)
    known = ~np.isnan(features).all(axis=0)  # scikit-learn fails at any other column
    options = {"loss": "absolute_error", "max_leaf_nodes": 15, "random_state": 1}
    forests = [
        HistGradientBoostingRegressor(**options).fit(
            features[:, known], targets[:, day]
        )
        for day in ahead
    ]

    def predict(origins):
        level, spread = windows.levels[origins].T[..., None]
        features = tree_features(windows, origins)[:, known]
        days = np.stack([forest.predict(features) for forest in forests], axis=1)
        return days * spread + level

    return predict


def tree_features(windows, origins: np.ndarray) -> np.ndarray:
    """Cut the features of `trees`: (windows, lookback + horizon + 1), NaN if unknown.

    Where the horizon is over a year, last year's days are not known and left out.
    """
    days = np.arange(-windows.lookback, 0)
    if windows.horizon <= windows.series.year:
        days = np.concatenate([days, np.arange(windows.horizon) - windows.series.year])
    at = origins[:, None] + days
    values, begin = windows.series.values, windows.periods.train[0]
    known = np.where(at >= begin, values[np.maximum(at, 0)], np.nan)
    level, spread = windows.levels[origins].T[..., None]
    weekday = origins[:, None] % windows.series.week
    return np.concatenate([(known - level) / spread, weekday], axis=1)


# ---------------------------------------------------------------- state space


def sarima(windows, train: np.ndarray) -> Forecast:
    """Fit SARIMA(1,0,0)(0,1,1,7) on the days up to the last target; 7 is the week.

    Source: Box and Jenkins (1970), as statsmodels has it.
    """
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    season = (0, 1, 1, windows.series.week)
    return _state_space(windows, train, SARIMAX, order=(1, 0, 0), seasonal_order=season)


def ets(windows, train: np.ndarray) -> Forecast:
    """Fit exponential smoothing with a damped trend and a week's season, ETS(A,Ad,A).

    Source: Hyndman, Koehler, Ord and Snyder (2008), as statsmodels has it.
    """
    from statsmodels.tsa.statespace.exponential_smoothing import ExponentialSmoothing

    parts = {"trend": True, "damped_trend": True, "seasonal": windows.series.week}
    start = {"initialization_method": "heuristic"}  # of states, by the first weeks
    return _state_space(windows, train, ExponentialSmoothing, **parts, **start)


def _state_space(windows, train: np.ndarray, model: Callable, **options) -> Forecast:
    """Fit a state-space model, and filter it forward over the series.

    The forecast of h days is the filtered state of the day before the origin moved h
    times by the transition matrix, which is exact for a model without regressors.
    """
    begin, end = windows.periods.train[0], train[-1] + windows.horizon
    known = windows.series.values[begin:] / windows.scale
    with warnings.catch_warnings():  # the estimate after the last step is one, too
        warnings.simplefilter("ignore")
        fitted = model(known[: end - begin], **options).fit(disp=False)
        filtered = fitted.apply(known)
    transition, design = (filtered.model.ssm[n] for n in ("transition", "design"))

    def predict(origins):
        state = filtered.filter_results.predicted_state[:, origins - begin]
        days = []
        for _ in range(windows.horizon):
            days.append((design @ state)[0])
            state = transition @ state
        return np.stack(days, axis=1) * windows.scale

    return predict
