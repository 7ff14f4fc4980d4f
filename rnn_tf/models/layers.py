"""Pieces of models, in `keras.ops` only: they run on any engine and save in safe mode.

A window of a daily series ends the day before the origin, so cut into weeks of seven
days, column j of every week is the weekday of the j-th day ahead.
"""

import math

import lazy_loader

from rnn_tf.data.series.daily import WEEK, YEAR

keras = lazy_loader.load("keras")


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


def usual_week(recent):
    """(batch, weeks, 7) -> (batch, 7): each weekday's median over the last four."""
    return median(recent[:, -4:])


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
    then = weeks(past, level(past[:, :-YEAR], otherwise=scale))
    match = then.shape[1] - YEAR // WEEK
    found = then[:, match - before : match + after + 1] - usual[:, None]
    return keras.ops.where(keras.ops.isnan(found), 0.0, found)


def output(units: int, activation: str | None = None):
    """A dense layer that ends a model: float32, whatever the others compute in."""
    return keras.layers.Dense(units, activation=activation, dtype="float32")


def last_step(x):
    """(batch, steps, features) -> (batch, features); two axes stay as they are.

    What a model forecasts, whether or not it has a target at every step.
    """
    return x[:, -1] if len(x.shape) == 3 else x


def around_each_day(year, week: int, days: int):
    """A view of `days` days to each side of each day of one week.

    (batch, weeks, 7) -> (batch, 7, 2 * days + 1).
    """
    flat = keras.ops.reshape(year, (-1, WEEK * year.shape[1]))
    first = WEEK * week - days
    views = [flat[:, first + j : first + j + 2 * days + 1] for j in range(WEEK)]
    return keras.ops.stack(views, axis=1)


def by_week(past, lookback: int):
    """What a model that works in weeks needs, as shares of this year's level.

    Args:
        past: (batch, days, 1) with two years of days, NaN where unknown.
        lookback: days to read week by week, 28 or more and 7 times something.

    Returns:
        The level, (batch, 1). The usual week, (batch, 7). Last year's weeks, less the
        usual one, from `weeks` before the match of the target week to 2 after it,
        (batch, weeks + 3, 7). The steps of a recurrent layer, (batch, weeks, 21): each
        week less the usual one, the usual one, and the week that followed it last year.
    """
    count, scale = lookback // WEEK, level(past)
    recent = weeks(past[:, -lookback:], scale)
    usual = usual_week(recent)
    year = last_year(past, scale, usual, before=count, after=2)
    steps = [recent - usual[:, None], keras.ops.repeat(usual[:, None], count, axis=1)]
    steps += [year[:, 1 : count + 1]]
    return scale, usual, year, keras.ops.concatenate(steps, axis=-1)


# ---------------------------------------------------------------- frames


def per_frame(layer, x):
    """A layer of pictures, on all frames at once: (batch, frames, ...) -> the same."""
    found = layer(keras.ops.reshape(x, (-1, *x.shape[2:])))
    return keras.ops.reshape(found, (-1, x.shape[1], *found.shape[1:]))


def flat_frames(x):
    """(batch, frames, ...) -> (batch, frames, points): each picture as one vector."""
    return keras.ops.reshape(x, (-1, x.shape[1], math.prod(x.shape[2:])))


# ---------------------------------------------------------------- masks
# A mask is float, (batch, time, 1): 1 where a step is there, 0 in the padding at the
# end. It is handed on by hand, because Conv1D and pooling layers drop Keras's own.


def masked_conv(x, mask, filters: int, kernel: int, stride: int = 1):
    """Conv1D with ReLU that neither reads the padding nor depends on how much there is.

    Step i of the output is centred on step i * stride of the input, whatever the
    length: "same" padding would move with it.

    Args:
        x: (batch, time, features).
        mask: (batch, time, 1).
        filters: of the convolution.
        kernel: steps that it sees.
        stride: steps between two outputs.

    Returns:
        (batch, ceil(time / stride), filters), and its mask.
    """
    x = keras.layers.ZeroPadding1D(((kernel - 1) // 2, kernel // 2))(x * mask)
    x = keras.layers.Conv1D(filters, kernel, strides=stride, activation="relu")(x)
    return x, mask[:, ::stride]


def masked_reverse(x, mask):
    """The steps that are there, backwards; the padding stays at the end.

    (batch, time, features) -> the same. A recurrent layer that reads this and is turned
    around again is the backward half of a bidirectional one, without a Keras mask.
    """
    ones = keras.ops.ones_like(mask)
    row, step = (keras.ops.cumsum(ones, axis=axis) - 1 for axis in (0, 1))
    last = keras.ops.sum(mask, axis=1, keepdims=True) - 1
    source = keras.ops.where(mask > 0, last - step, step)
    source = source + row * (keras.ops.max(step) + 1)
    flat = keras.ops.reshape(x, (-1, x.shape[-1]))
    return keras.ops.take(flat, keras.ops.cast(source[:, :, 0], "int32"), axis=0)


def masked_bidirectional(layer, x, mask, units: int):
    """A recurrent layer in both directions: (batch, time, 2 * units).

    Right-padded, so the forward half needs no mask; nor does the backward half, which
    reads the drawing turned around.
    """
    forward = layer(units, return_sequences=True)(x)
    backward = layer(units, return_sequences=True)(masked_reverse(x, mask))
    return keras.ops.concatenate([forward, masked_reverse(backward, mask)], axis=-1)


def masked_pool(x, mask):
    """Mean and maximum over the steps that are there: (batch, 2 * features)."""
    mean = keras.ops.sum(x * mask, axis=1) / keras.ops.sum(mask, axis=1)
    return keras.ops.concatenate(
        [mean, keras.ops.max(keras.ops.where(mask > 0, x, -1e9), axis=1)], axis=-1
    )


def standardised(clips, mask):
    """Each clip with mean 0 and variance 1 over the frames that are there.

    A dark film and a bright one are then alike. (batch, frames, side, side, channels),
    0 to 255, and (batch, frames, 1) -> the shape of the clips.
    """
    axes, mask = (1, 2, 3, 4), mask[..., None, None]
    share = mask / keras.ops.mean(mask, axis=1, keepdims=True)
    x = clips - keras.ops.mean(clips * share, axis=axes, keepdims=True)
    variance = keras.ops.mean(x * x * share, axis=axes, keepdims=True)
    return x / keras.ops.sqrt(variance + 1)


def frames_that_are_there(clips):
    """The mask of clips that end early, and repeat their last frame to the end.

    (batch, frames, ...) -> (batch, frames, 1): 0 for a frame that equals the one before
    it, if so do all that follow.
    """
    axes = tuple(range(2, len(clips.shape)))
    differs = keras.ops.any(clips[:, 1:] != clips[:, :-1], axis=axes)
    differs = keras.ops.cast(keras.ops.flip(differs, axis=1), "float32")
    later = keras.ops.flip(keras.ops.cumsum(differs, axis=1), axis=1) > 0
    mask = keras.ops.pad(later, [(0, 0), (1, 0)], constant_values=True)
    return keras.ops.cast(mask, "float32")[..., None]
