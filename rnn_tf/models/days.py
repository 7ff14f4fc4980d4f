"""Pieces of models of daily series, in `keras.ops` only: any backend, safe to save.

A window ends the day before the origin, so cut into weeks, column j of every week is
the weekday of the j-th day ahead. A week has five days where the series has trading
days alone; a year has 52 weeks, so that a day's match has its weekday.
"""

import lazy_loader
import numpy as np

from rnn_tf.models import layers

keras = lazy_loader.load("keras")

CLIP = 5.0  # spreads: last year's days may lie so far from their usual week
SMALLEST = 0.25  # spreads of today: no smaller one of last year is believed


def own_level(past, level_days: int, spread_days: int, smallest: float):
    """Measure the last days; see `data.series.level.own_levels`.

    (batch, days, 1) -> level and spread, each (batch, 1).
    """
    level = keras.ops.mean(past[:, -level_days:, 0], axis=1, keepdims=True)
    distance = keras.ops.abs(past[:, -spread_days:, 0] - level)
    spread = keras.ops.mean(distance, axis=1, keepdims=True)
    return level, keras.ops.maximum(spread, smallest)


def with_week_before(past, week: int):
    """Put the difference to the same weekday before beside each day.

    (batch, days, 1) -> (batch, days, 2); 0 in the first week, where it is not known.
    """
    if past.shape[1] <= week:
        return keras.ops.concatenate([past, keras.ops.zeros_like(past)], axis=-1)
    difference = past[:, week:] - past[:, :-week]
    difference = keras.ops.pad(difference, [(0, 0), (week, 0), (0, 0)])
    return keras.ops.concatenate([past, difference], axis=-1)


def weeks(past, week: int):
    """Cut days into weeks: (batch, days, 1) -> (batch, days / week, week)."""
    return keras.ops.reshape(past[:, :, 0], (-1, past.shape[1] // week, week))


def usual_week(past, week: int):
    """Take each weekday's median over the last four weeks: (batch, days, 1) ->
    (batch, week)."""
    return keras.ops.median(weeks(past[:, -4 * week :], week), axis=1)


def last_year(past, week: int, around: int):
    """Subtract last year's usual week from last year's days around the target week.

    Each is measured by the spread of its own time, so growth does not matter; the
    holidays and the season of last year remain.

    Args:
        past: (batch, days, 1) with a year and `4 * week` days, NaN where unknown.
        week: days of a week.
        around: days to each side of the week that matches the target week.

    Returns:
        (batch, around + week + around), in spreads, within `CLIP`; 0 where unknown.
    """
    match = past.shape[1] - 52 * week
    before = past[:, :match]
    level_days, spread_days = 4 * week, min(8 * week, match)
    _, spread = own_level(before, level_days, spread_days, SMALLEST)
    weekdays = np.arange(-around, week + around) % week
    usual = keras.ops.take(usual_week(before, week), weekdays, axis=1)
    days = past[:, match - around : match + week + around, 0]
    difference = (days - usual) / spread
    known = keras.ops.logical_not(keras.ops.isnan(difference))
    return keras.ops.where(known, keras.ops.clip(difference, -CLIP, CLIP), 0.0)


def around_each_day(days, week: int, around: int):
    """Cut out `around` days to each side of each day of the week in the middle.

    (batch, around + week + around) -> (batch, week, 2 * around + 1).
    """
    views = [days[:, day : day + 2 * around + 1] for day in range(week)]
    return keras.ops.stack(views, axis=1)


# ---------------------------------------------------------------- all of a run


def mean_in_unit(models: list, level_days: tuple[int, int], smallest: float):
    """Join networks into one model that forecasts in the series' own unit: their mean.

    Args:
        models: of the last days, in units of their level and spread: (batch, days, 1)
            -> (batch, horizon), or (batch, steps, horizon) with a forecast at each.
        level_days: the last days that tell the level, and those that tell the spread.
        smallest: spread, in the series' unit.

    Returns:
        A Keras model of as many last days as they take, NaN where unknown.
    """
    longest = max(model.input_shape[1] for model in models)
    past = keras.Input((longest, 1), name="past")
    level, spread = own_level(past, *level_days, smallest)
    measured = (past - level[:, None]) / spread[:, None]
    ahead = [
        layers.last_step(model(measured[:, -model.input_shape[1] :]))
        for model in models
    ]
    mean = keras.layers.average(ahead) if ahead[1:] else ahead[0]
    return keras.Model(past, mean * spread + level)
