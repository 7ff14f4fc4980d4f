"""Pieces of models, in `keras.ops` only: they run on any backend, save in safe mode.

Those of daily series are in `days`, those of clips in `clips`.
"""

import lazy_loader

keras = lazy_loader.load("keras")

CELLS = {"simple_rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}  # Keras's layers


def recurrent(cell: str):
    """Give Keras's layer of a cell, one of `CELLS`."""
    return getattr(keras.layers, CELLS[cell])


def output(units: int, activation: str | None = None):
    """Make the dense layer that ends a model: float32 under any precision."""
    return keras.layers.Dense(units, activation=activation, dtype="float32")


def last_step(x):
    """Take a model's forecast, whether or not it has a target at every step.

    (batch, steps, features) -> (batch, features); (batch, features) stays as it is.
    """
    return x[:, -1] if len(x.shape) == 3 else x


# ---------------------------------------------------------------- masks
# A mask is float, (batch, time, 1): 1 for a real step, 0 in the padding at the end. It
# is passed on by hand, because Conv1D and pooling layers drop Keras's own.


def masked_conv(x, mask, filters: int, kernel: int, stride: int = 1):
    """Apply Conv1D and ReLU so that the amount of padding changes nothing.

    Step i of the output is centred on step i * stride of the input, whatever the
    length: "same" padding would move with it.

    Args:
        x: (batch, time, features).
        mask: (batch, time, 1).
        filters: of the convolution.
        kernel: steps that each output depends on.
        stride: steps between two outputs.

    Returns:
        (batch, ceil(time / stride), filters), and its mask.
    """
    x = keras.layers.ZeroPadding1D(((kernel - 1) // 2, kernel // 2))(x * mask)
    x = keras.layers.Conv1D(filters, kernel, strides=stride, activation="relu")(x)
    return x, mask[:, ::stride]


def pick(x, places, count=None):
    """Pick along the second axis: (rows, n, ...), (rows, k) int32 -> (rows, k, ...).

    As `take_along_axis`, whose int64 has TensorFlow's oneDNN print an error.

    Args:
        x: what is picked from.
        places: 0 to n - 1.
        count: n, where it is not known before the model runs.
    """
    count = x.shape[1] if count is None else count
    first = (keras.ops.cumsum(keras.ops.ones_like(places), axis=0) - 1) * count
    flat = keras.ops.reshape(x, (-1, *x.shape[2:]))
    return keras.ops.take(flat, first + places, axis=0)


def masked_reverse(x, mask):
    """Reverse the real steps; the padding stays at the end.

    (batch, time, features) -> the same. A recurrent layer on the reversed steps, its
    output reversed again, is the backward half of a bidirectional one; it needs no
    Keras mask.
    """
    ones = keras.ops.ones_like(mask)
    row, step = (keras.ops.cumsum(ones, axis=axis) - 1 for axis in (0, 1))
    last = keras.ops.sum(mask, axis=1, keepdims=True) - 1
    source = keras.ops.where(mask > 0, last - step, step)
    source = source + row * (keras.ops.max(step) + 1)
    flat = keras.ops.reshape(x, (-1, x.shape[-1]))
    return keras.ops.take(flat, keras.ops.cast(source[:, :, 0], "int32"), axis=0)


def masked_bidirectional(layer, x, mask, units: int):
    """Apply a recurrent layer in both directions: (batch, time, 2 * units).

    The padding is at the end, so the forward half needs no mask; nor does the backward
    half, which reads the reversed steps.
    """
    forward = layer(units, return_sequences=True)(x)
    backward = layer(units, return_sequences=True)(masked_reverse(x, mask))
    return keras.ops.concatenate([forward, masked_reverse(backward, mask)], axis=-1)


def masked_pool(x, mask):
    """Take mean and maximum over the real steps: (batch, 2 * features)."""
    mean = keras.ops.sum(x * mask, axis=1) / keras.ops.sum(mask, axis=1)
    return keras.ops.concatenate(
        [mean, keras.ops.max(keras.ops.where(mask > 0, x, -1e9), axis=1)], axis=-1
    )
