"""Pieces of models, in `keras.ops` only: they run on any engine and save in safe mode.

A window of a daily series ends the day before the origin, so cut into weeks of seven
days, column j of every week is the weekday of the j-th day ahead.
"""

import lazy_loader

keras = lazy_loader.load("keras")

WEEK = 7
YEAR = 364  # 52 weeks: the same weekday, a year before


def median(x, axis: int = 1):
    """Median over an axis of known length, which is dropped."""
    x, count = keras.ops.sort(x, axis=axis), x.shape[axis]
    low = keras.ops.take(x, (count - 1) // 2, axis=axis)
    return (low + keras.ops.take(x, count // 2, axis=axis)) / 2


def level(past, otherwise=None):
    """Mean of the absolute values of the last 364 days, over the days that are known.

    Args:
        past: (batch, days, 1), NaN where unknown.
        otherwise: (batch, 1), taken where less than half of the year is known.

    Returns:
        (batch, 1), above 0.
    """
    year = keras.ops.abs(past[:, -YEAR:, 0])
    known = keras.ops.logical_not(keras.ops.isnan(year))
    total = keras.ops.sum(keras.ops.where(known, year, 0.0), axis=1, keepdims=True)
    days = keras.ops.sum(keras.ops.cast(known, past.dtype), axis=1, keepdims=True)
    mean = total / keras.ops.maximum(days, 1.0) + 1e-6
    if otherwise is None:
        return mean
    return keras.ops.where(days >= YEAR / 2, mean, otherwise)


def weeks(past, scale):
    """(batch, days, 1) and (batch, 1) -> (batch, days / 7, 7), divided by the scale."""
    shares = past[:, :, 0] / scale
    return keras.ops.reshape(shares, (-1, past.shape[1] // WEEK, WEEK))


def usual_week(by_week):
    """(batch, weeks, 7) -> (batch, 7): each weekday's median over the last four."""
    return median(by_week[:, -4:])


def last_year(past, scale, usual, before: int, after: int):
    """How the weeks around the target week, a year ago, differ from this year's usual.

    Each year is measured by its own level, so growth does not matter; the season and
    the holidays of last year are what is left.

    Args:
        past: (batch, days, 1), NaN where unknown.
        scale: this year's level, (batch, 1).
        usual: this year's usual week, as a share of its level, (batch, 7).
        before: weeks before the week that matches the target week.
        after: weeks after it.

    Returns:
        (batch, before + 1 + after, 7); 0 where a day is unknown.
    """
    by_week = weeks(past, level(past[:, :-YEAR], otherwise=scale))
    match = by_week.shape[1] - YEAR // WEEK
    found = by_week[:, match - before : match + after + 1] - usual[:, None]
    return keras.ops.where(keras.ops.isnan(found), 0.0, found)


def around_each_day(by_week, week: int, days: int):
    """A view of `days` days to each side of each day of one week.

    (batch, weeks, 7) -> (batch, 7, 2 * days + 1).
    """
    flat = keras.ops.reshape(by_week, (-1, WEEK * by_week.shape[1]))
    first = WEEK * week - days
    views = [flat[:, first + j : first + j + 2 * days + 1] for j in range(WEEK)]
    return keras.ops.stack(views, axis=1)
