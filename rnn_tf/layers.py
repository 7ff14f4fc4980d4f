"""Pieces of models, in `keras.ops` only: they run on any engine and save in safe mode.

A window of a daily series ends the day before the origin, so cut into weeks of seven
days, column j of every week is the weekday of the j-th day ahead.
"""

import lazy_loader

keras = lazy_loader.load("keras")

WEEK = 7
YEAR = 364  # 52 weeks: the same weekday, a year before
AROUND = 3  # weeks to each side that say what is usual for a weekday at that time


def median(x, axis: int = 1):
    """Median over an axis of known length, which is dropped."""
    x, count = keras.ops.sort(x, axis=axis), x.shape[axis]
    low = keras.ops.take(x, (count - 1) // 2, axis=axis)
    return (low + keras.ops.take(x, count // 2, axis=axis)) / 2


def level(past):
    """Mean of the absolute values of the last 364 days, over the days that are known.

    (batch, days, 1) -> (batch, 1); unknown days are NaN.
    """
    year = keras.ops.abs(past[:, -YEAR:, 0])
    known = keras.ops.logical_not(keras.ops.isnan(year))
    total = keras.ops.sum(keras.ops.where(known, year, 0.0), axis=1, keepdims=True)
    days = keras.ops.sum(keras.ops.cast(known, past.dtype), axis=1, keepdims=True)
    return total / days + 1e-6  # a year of zeros must not divide by zero


def weeks(past, scale):
    """(batch, days, 1) and (batch, 1) -> (batch, days / 7, 7), divided by the scale."""
    shares = past[:, :, 0] / scale
    return keras.ops.reshape(shares, (-1, past.shape[1] // WEEK, WEEK))


def usual_week(by_week):
    """The week to expect: each weekday's median over the last four weeks, (batch, 7)."""
    return median(by_week[:, -4:])


def deviations(by_week, years: int, before: int, after: int):
    """How unlike their neighbours the weeks around the target week were, years ago.

    Each day minus the median of its weekday over three weeks to each side. A holiday
    stands out, the season does not.

    Args:
        by_week: (batch, weeks, 7), NaN where unknown.
        years: how many years back.
        before: weeks before the week that matches the target week.
        after: weeks after it.

    Returns:
        (batch, before + 1 + after, 7); 0 where a day or its neighbours are unknown.
    """
    match = by_week.shape[1] - years * YEAR // WEEK
    rows = [
        by_week[:, week] - median(by_week[:, week - AROUND : week + AROUND + 1])
        for week in range(match - before, match + after + 1)
    ]
    stacked = keras.ops.stack(rows, axis=1)
    return keras.ops.where(keras.ops.isnan(stacked), 0.0, stacked)


def around_each_day(by_week, week: int, days: int):
    """A view of `days` days to each side of each day of one week.

    (batch, weeks, 7) -> (batch, 7, 2 * days + 1).
    """
    flat = keras.ops.reshape(by_week, (-1, WEEK * by_week.shape[1]))
    first = WEEK * week - days
    views = [flat[:, first + j : first + j + 2 * days + 1] for j in range(WEEK)]
    return keras.ops.stack(views, axis=1)
