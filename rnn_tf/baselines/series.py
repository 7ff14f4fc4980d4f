"""Baselines of forecasts: naive ones; those that learn are in `fitted_series`.

Each takes the whole series (days,), the origins (windows,) and the horizon, reads only
days before an origin, and returns (windows, horizon) in the series' unit. A week has
five days where the series has trading days alone.
"""

from collections.abc import Callable, Collection
from functools import partial

import numpy as np

from rnn_tf.baselines import fitted_series
from rnn_tf.data.series.daily import WEEK, YEAR, Series
from rnn_tf.errors import InputError


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
    """Repeat the weekday 52 weeks before, `year` days; if ahead, a year earlier."""
    return values[origins[:, None] - year + np.arange(horizon) % year]


def drift(values: np.ndarray, origins: np.ndarray, horizon: int) -> np.ndarray:
    """Go on along the line from the first day of the series to the last one known."""
    last = values[origins - 1]
    slope = (last - values[0]) / np.maximum(origins - 1, 1)
    return last[:, None] + slope[:, None] * np.arange(1, horizon + 1)


# ---------------------------------------------------------------- all of them


def predictors(windows, classical: bool, first: str = "validation") -> dict:
    """Gather the baselines that the series is long enough for: name -> predict(split).

    Those that learn are fitted as networks are: for validation on what a fold trains
    on, for test on all that any fold does; and for the future on all days there are.

    Args:
        windows: of a series, `data.series.windows.Windows`.
        classical: also fit SARIMA and exponential smoothing.
        first: the split before which a baseline needs its days.
    """
    days_before = windows.origins[first][0] - windows.periods.train[0]
    of_calendar = naive(windows.series.week, windows.series.year)
    simple = {name: f for name, (f, days) in of_calendar.items() if days <= days_before}
    by_fold = {"ridge": fitted_series.ridge, "trees": fitted_series.trees}
    by_time = {"sarima": fitted_series.sarima, "ets": fitted_series.ets}
    return (
        {name: partial(_look_up, windows, f) for name, f in simple.items()}
        | {name: partial(_fit_by_fold, windows, fit) for name, fit in by_fold.items()}
        | {
            name: partial(_fit, windows, fit)
            for name, fit in by_time.items()
            if classical
        }
    )


def naive(week: int, year: int) -> dict[str, tuple[Callable, int]]:
    """Gather the baselines that need no fitting: name -> forecast, days that it needs.

    Args:
        week: days of a week.
        year: days of 52 weeks.
    """
    return {
        "last_value": (last_value, 1),
        "drift": (drift, 2),
        "week_before": (partial(week_before, week=week), week),
        "mean_of_4_weeks": (partial(mean_of_weeks, week=week), 4 * week),
        "median_of_4_weeks": (partial(median_of_weeks, week=week), 4 * week),
        "year_before": (partial(year_before, year=year), year),
    }


def require_days(series: Series, names: Collection[str]) -> None:
    """Raise InputError if one of these baselines looks back further than the series.

    Args:
        series: whose days to come are to be forecast.
        names: of all parts of a recommended forecast; networks among them are passed.
    """
    count = len(series.values)
    for name, (_, need) in naive(series.week, series.year).items():
        if name in names and count < need:
            raise InputError(
                f"{series.name} is too short: {name}, which is part of what the run "
                f"recommends, needs {need} {series.days}, and this one has {count}"
            )


def _look_up(windows, forecast: Callable, split: str) -> np.ndarray:
    """Forecast by what needs no fitting."""
    return forecast(windows.series.values, windows.origins[split], windows.horizon)


def _fit_by_fold(windows, fit: Callable, split: str) -> np.ndarray:
    """Forecast each block of validation by what was fitted on all other days."""
    if split != "validation":
        return _fit(windows, fit, split)
    blocks = [
        fit(fold, fold.origins["train"])(fold.origins["validation"])
        for fold in windows.folds()
    ]
    return np.concatenate(blocks)


def _fit(windows, fit: Callable, split: str) -> np.ndarray:
    """Forecast by what needs all days in a row, so that it cannot leave out a block."""
    if split == "validation":
        learned = windows.origins["train"]
    elif split == "future":
        learned = windows.known()
    else:
        learned = windows.learned()
    return fit(windows, learned)(windows.origins[split])
