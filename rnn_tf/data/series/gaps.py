"""Give every day of a series a value, or refuse it: its calendar, and how gaps fill.

The calendar `business` has weeks of five days, Monday to Friday; holidays are gaps.
"""

import numpy as np

from rnn_tf.data.series.layout import Layout
from rnn_tf.errors import InputError

WEEKS = {"daily": 7, "business": 5}  # calendar -> days of a week
DAY = np.timedelta64(1, "D")
MOST_WEEKENDS = 0.01  # of the days: a few special sessions, and not a daily series


def fill(title: str, layout: Layout, days: np.ndarray, values: np.ndarray):
    """Give every day from the first known to the last a value.

    Args:
        title: of the series, for messages.
        layout: names the calendar, and how missing days are filled.
        days: (rows,) datetime64[D], sorted, each once.
        values: (rows,) float64, NaN where missing.

    Returns:
        Days, values, which were filled (all of (days,)), and notes.

    Raises:
        InputError: days are missing and not to be filled, or too many are.
    """
    known = np.isfinite(values)
    if not known.any():
        raise InputError(f"{title} holds no number")
    days, values, notes = _on_calendar(title, layout, days[known], values[known])
    every = _every_day(layout.calendar, days[0], days[-1])
    _check_daily(title, layout.calendar, np.searchsorted(every, days))
    filled = ~np.isin(every, days)
    if not filled.any():
        return every, values, filled, notes
    _check_gaps(title, layout, every, filled)
    full = _filled(title, layout, every, values, filled)
    count = f"filled {filled.sum()} missing days ({layout.filling})"
    return every, full, filled, (*notes, count)


def _on_calendar(title: str, layout: Layout, days, values):
    """Drop a few weekends from trading days, and count them; many are an error."""
    weekend = ~np.is_busday(days)
    if layout.calendar == "daily" or not weekend.any():
        return days, values, ()
    if weekend.sum() > MOST_WEEKENDS * len(days):
        raise InputError(
            f"{title} has weekends, {weekend.sum()} days of {len(days)}, the first is "
            f"{days[weekend][0]}: choose --calendar daily, or drop them"
        )
    note = f"dropped {weekend.sum()} days on weekends (--calendar business)"
    return days[~weekend], values[~weekend], (note,)


def _every_day(calendar: str, first, last) -> np.ndarray:
    days = np.arange(first, last + DAY)
    return days if calendar == "daily" else days[np.is_busday(days)]


def _check_daily(title: str, calendar: str, at: np.ndarray) -> None:
    """Raise InputError unless the usual step is one day of the calendar."""
    step = np.median(np.diff(at)) if len(at) > 1 else 1
    if step != 1:
        kind = "days" if calendar == "daily" else "trading days"
        raise InputError(f"{title} is not daily: the usual step is {step:g} {kind}")


def _check_gaps(title: str, layout: Layout, days, filled) -> None:
    """Raise InputError if gaps are not to be filled, or make up most of the series."""
    count, rest = filled.sum(), len(days) - filled.sum()
    first = f"{count} days are missing, the first is {days[filled][0]}"
    if layout.filling in ("none", "seasonal") and lacks_weekends(days, filled):
        raise InputError(
            f"{title} has no weekends ({first}): choose --calendar business"
        )
    if layout.filling == "none":
        raise InputError(
            f"{title} has gaps: {first}; choose --fill seasonal, --fill last or "
            "--fill linear"
        )
    if count > rest:
        raise InputError(
            f"{title}: {count} days are missing and {rest} are there; more than half "
            "would be made up"
        )


def lacks_weekends(days: np.ndarray, filled: np.ndarray) -> bool:
    """Whether the days that are not filled are working days, but for a few."""
    weekends = ~np.is_busday(days)
    there = (weekends & ~filled).sum()
    return weekends.sum() > 1 and there <= MOST_WEEKENDS * (~filled).sum()


def _filled(title: str, layout: Layout, days, values, filled) -> np.ndarray:
    """Fill with the same weekday a week before (seasonal), the last known value, or
    the line between the neighbours (linear), which alone looks at what comes after."""
    if layout.filling == "linear":
        return np.interp(np.arange(len(days)), np.flatnonzero(~filled), values)
    if layout.filling == "last":
        return values[np.cumsum(~filled) - 1]
    week, full = WEEKS[layout.calendar], np.full(len(days), np.nan)
    full[~filled] = values
    for day in np.flatnonzero(filled):  # in order, so that long gaps fill week by week
        full[day] = full[day - week] if day >= week else np.nan
    if np.isnan(full).any():
        raise InputError(
            f"{title}: {days[np.isnan(full)][0]} has no same weekday before it; "
            "choose --fill last or --fill linear"
        )
    return full
