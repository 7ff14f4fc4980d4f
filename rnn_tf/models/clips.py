"""Networks that classify clips, in `keras.ops` only: any backend, safe to save.

Each takes clips, (batch, frames, side, side, channels) from 0 to 255, and gives the
probability of each class, (batch, classes). All frames of a batch go through a CNN at
once, as one large batch. Frames that repeat the last one are padding, which a mask
leaves out: (batch, frames, 1), 1 for a real frame, else 0.

Of each, `shape` is that of a clip, and `rate` the share of numbers between layers that
training drops.
"""

import math

import lazy_loader

from rnn_tf.models import layers

keras = lazy_loader.load("keras")


def cnn_rnn(shape, classes: int, rate=0.2, *, cell: str, differences=False):
    """Build a CNN per frame, a recurrent layer over the frames, and a pool over all.

    The CNN may be shown what differs from the frame before, beside the frame.
    """
    inputs, x, mask = _input(shape)
    if differences:
        before = keras.ops.concatenate([x[:, :1], x[:, :-1]], axis=1)
        x = keras.ops.concatenate([x, 2 * (x - before)], axis=-1)
    x = keras.layers.Dropout(rate)(_cnn(x))
    x = layers.recurrent(cell)(64, return_sequences=True)(x)
    x = layers.masked_pool(x, mask)
    x = keras.layers.Dropout(rate)(x)
    return keras.Model(inputs, layers.output(classes, "softmax")(x))


def cnn_mean(shape, classes: int, rate=0.2):
    """Build the same CNN, its scores averaged over frames: it knows nothing of time."""
    inputs, x, mask = _input(shape)
    x = keras.layers.Dropout(rate)(_cnn(x))
    x = keras.layers.Dense(64, activation="relu")(x)
    x = layers.output(classes)(keras.layers.Dropout(rate)(x))
    x = keras.ops.sum(x * mask, axis=1) / keras.ops.sum(mask, axis=1)
    return keras.Model(inputs, keras.layers.Softmax(dtype="float32")(x))


def conv3d(shape, classes: int, rate=0.2):
    """Build convolutions over time and space, the course's other answer."""
    inputs, x, mask = _input(shape)
    for filters in _filters(x.shape[2]):
        x = keras.layers.Conv3D(
            filters, 3, strides=(1, 2, 2), padding="same", activation="relu"
        )(x)
    x = flat_frames(x)
    x = keras.layers.Dense(64, activation="relu")(x)
    x = keras.layers.Dropout(rate)(layers.masked_pool(x, mask))
    return keras.Model(inputs, layers.output(classes, "softmax")(x))


def conv_lstm(shape, classes: int, rate=0.2):
    """Build an LSTM whose states are pictures and whose products are convolutions.

    Source: Shi et al. (2015), "Convolutional LSTM network", arXiv:1506.04214.
    """
    inputs, x, mask = _input(shape)
    for filters in _filters(x.shape[2])[:-2] or (8,):
        x = per_frame(keras.layers.Conv2D(filters, 3, 2, "same", activation="relu"), x)
    x = keras.layers.ConvLSTM2D(8, 3, 2, "same", return_sequences=True)(x)
    x = flat_frames(x)
    x = keras.layers.Dropout(rate)(layers.masked_pool(x, mask))
    return keras.Model(inputs, layers.output(classes, "softmax")(x))


def feature_lstm(shape, classes: int, rate=0.2, *, standardised=False):
    """Build an LSTM over what `pretrained_cnn` gives of each frame.

    It takes these features in place of clips: (batch, frames, features).
    """
    inputs = keras.Input(shape, name="features")
    mask = frame_mask(inputs)
    x = keras.ops.cast(inputs, "float32")
    if standardised:
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
    x = keras.layers.LSTM(64, return_sequences=True)(keras.layers.Dropout(rate)(x))
    x = keras.layers.Dropout(rate)(layers.masked_pool(x, mask))
    return keras.Model(inputs, layers.output(classes, "softmax")(x))


# ---------------------------------------------------------------- pieces


def _input(shape):
    """Make the input; the same, standardised; and its mask, (batch, frames, 1)."""
    inputs = keras.Input(shape, name="clips")
    mask = frame_mask(inputs)
    return inputs, standardise(keras.ops.cast(inputs, "float32"), mask), mask


def _cnn(x):
    """Encode frames: (batch, frames, side, side, channels) -> (batch, frames, 64)."""
    for filters in _filters(x.shape[2]):
        x = per_frame(keras.layers.Conv2D(filters, 3, 2, "same", activation="relu"), x)
    return keras.layers.Dense(64, activation="relu")(flat_frames(x))


def _filters(side: int) -> tuple[int, ...]:
    """Choose as many convolutions of stride 2 as leave 3 or 4 points a side."""
    count = max(2, math.ceil(math.log2(side / 4)))
    return (8, 16, 32, 64, 64, 64, 64, 64)[:count]


def per_frame(layer, x):
    """Apply a layer for pictures to all frames at once.

    (batch, frames, *shape of a picture) -> (batch, frames, *shape of its output).
    """
    pictures = layer(keras.ops.reshape(x, (-1, *x.shape[2:])))
    return keras.ops.reshape(pictures, (-1, x.shape[1], *pictures.shape[1:]))


def flat_frames(x):
    """Flatten each picture: (batch, frames, ...) -> (batch, frames, points)."""
    return keras.ops.reshape(x, (-1, x.shape[1], math.prod(x.shape[2:])))


def standardise(clips, mask):
    """Scale each clip to mean 0 and variance 1 over its real frames.

    Dark and bright films then look alike. (batch, frames, side, side, channels), 0 to
    255, and the mask, (batch, frames, 1) -> the shape of the clips.
    """
    axes, mask = (1, 2, 3, 4), mask[..., None, None]
    share = mask / keras.ops.mean(mask, axis=1, keepdims=True)
    x = clips - keras.ops.mean(clips * share, axis=axes, keepdims=True)
    variance = keras.ops.mean(x * x * share, axis=axes, keepdims=True)
    return x / keras.ops.sqrt(variance + 1)


def frame_mask(clips):
    """Mask the padding of clips: the repetitions of the last frame at the end.

    (batch, frames, ...) -> (batch, frames, 1): 0 for a frame if it and all after it
    equal the frame before, else 1.
    """
    axes = tuple(range(2, len(clips.shape)))
    differs = keras.ops.any(clips[:, 1:] != clips[:, :-1], axis=axes)
    differs = keras.ops.cast(keras.ops.flip(differs, axis=1), "float32")
    later = keras.ops.flip(keras.ops.cumsum(differs, axis=1), axis=1) > 0
    mask = keras.ops.pad(later, [(0, 0), (1, 0)], constant_values=True)
    return keras.ops.cast(mask, "float32")[..., None]
