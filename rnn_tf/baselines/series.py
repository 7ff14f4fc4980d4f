"""Baselines of forecasts: naive ones, a linear one, a classical one.

Each takes the whole series (days,), the origins (windows,) and the horizon, reads only
days before an origin, and returns (windows, horizon) in the series' unit. A week has
five days where the series has trading days alone.
"""

from functools import partial

import numpy as np

from rnn_tf.data.series.daily import WEEK, YEAR


def last_value(values: np.ndarray, origins: np.ndarray, horizon: int) -> np.ndarray:
    """Repeat the day before the origin for every day ahead."""
    return np.repeat(values[origins - 1][:, None], horizon, axis=1)


def _same_weekdays(values, origins, horizon, weeks: int, week: int) -> np.ndarray:
    """Look up the last `weeks` same weekdays: (windows, horizon, weeks)."""
    day = np.arange(horizon) % week
    back = week * np.arange(1, weeks + 1)
    return values[origins[:, None, None] + day[:, None] - back]


def week_before(values, origins, horizon: int, week: int = WEEK) -> np.ndarray:
    """Repeat the last known same weekday: the seasonal naive forecast."""
    return _same_weekdays(values, origins, horizon, 1, week)[..., 0]


def mean_of_weeks(
    values, origins, horizon: int, weeks: int = 4, week: int = WEEK
) -> np.ndarray:
    """Take the mean of the last `weeks` same weekdays."""
    return _same_weekdays(values, origins, horizon, weeks, week).mean(axis=-1)


def median_of_weeks(
    values, origins, horizon: int, weeks: int = 4, week: int = WEEK
) -> np.ndarray:
    """Take the median of the last `weeks` same weekdays; one holiday changes little."""
    return np.median(_same_weekdays(values, origins, horizon, weeks, week), axis=-1)


def year_before(values, origins, horizon: int, year: int = YEAR) -> np.ndarray:
    """Repeat the same weekday 52 weeks before, which are `year` days."""
    return values[origins[:, None] - year + np.arange(horizon)]


def ridge(values, origins, horizon: int, train_origins, lookback: int, scale: float):
    """Forecast by ridge regression of the horizon on the days of the lookback."""
    back = np.arange(-lookback, 0)
    x, y = train_origins[:, None] + back, train_origins[:, None] + np.arange(horizon)
    model = fit_ridge(values[x] / scale, values[y] / scale)
    days = model.predict(values[origins[:, None] + back] / scale) * scale
    return days.reshape(len(origins), horizon)  # scikit-learn drops an axis of 1


def fit_ridge(x: np.ndarray, y: np.ndarray):
    """Fit a linear model of y (examples, outputs) on x (examples, features).

    The penalty is chosen by leave-one-out cross-validation inside the training
    examples (scikit-learn's RidgeCV).
    """
    from sklearn.linear_model import RidgeCV

    return RidgeCV(alphas=np.logspace(-3, 3, 13)).fit(x, y)


def fit_sarima(values: np.ndarray, train: tuple[int, int], week: int = WEEK):
    """Fit SARIMA(1,0,0)(0,1,1,7) on the training period; 7 are the days of a week.

    Source: Box and Jenkins (1970), as statsmodels has it.

    Returns:
        statsmodels' results, the first day of training, and the scale of the series.
    """
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    begin, end = train
    scale = np.abs(values[begin:end]).mean()
    order, seasonal = (1, 0, 0), (0, 1, 1, week)
    model = SARIMAX(values[begin:end] / scale, order=order, seasonal_order=seasonal)
    return model.fit(disp=False), begin, scale


def sarima(values: np.ndarray, origins: np.ndarray, horizon: int, fitted):
    """Forecast by the model of `fit_sarima`, filtered forward over the series.

    The forecast of h days is the filtered state of the day before the origin moved h
    times by the transition matrix, which is exact for a model without regressors.
    """
    results, begin, scale = fitted
    filtered = results.apply(values[begin:] / scale)
    ssm = filtered.model.ssm
    transition, design = ssm["transition"], ssm["design"]
    state = filtered.filter_results.predicted_state[:, origins - begin]
    days = []
    for _ in range(horizon):
        days.append((design @ state)[0])
        state = transition @ state
    return np.stack(days, axis=1) * scale


def predictors(windows, classical: bool) -> dict:
    """Fit the baselines that the series is long enough for: name -> predict(split).

    Args:
        windows: of a series, `data.series.windows.Windows`.
        classical: also fit SARIMA.
    """
    values, horizon = windows.series.values, windows.horizon
    begin = windows.periods.train[0]
    week, year = windows.series.week, windows.series.year
    naive = {
        "last_value": (last_value, 1),
        "week_before": (partial(week_before, week=week), week),
        "mean_of_4_weeks": (partial(mean_of_weeks, week=week), 4 * week),
        "median_of_4_weeks": (partial(median_of_weeks, week=week), 4 * week),
        "year_before": (partial(year_before, year=year), year),
    }
    days_before = windows.origins["validation"][0] - begin
    baselines = {name: f for name, (f, days) in naive.items() if days <= days_before}
    train = windows.origins["train"]
    baselines["ridge"] = partial(
        ridge, train_origins=train, lookback=windows.lookback, scale=windows.scale
    )
    if classical:
        fitted = fit_sarima(values, windows.periods.train, week)
        baselines["sarima"] = partial(sarima, fitted=fitted)

    def predict(baseline, split):
        return baseline(values, windows.origins[split], horizon)

    return {name: partial(predict, baseline) for name, baseline in baselines.items()}
