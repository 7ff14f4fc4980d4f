"""Dropout whose masks XLA draws quickly on a CPU; layers stay Keras's own.

XLA takes 26 ms for the 115,000 random numbers of a training step of conv_lstm, more
than for all the rest of it. Here number i of a mask is a hash of i and of two keys:
whole-number products and shifts, which XLA makes into one loop. A layer counts its
masks as Keras does, in its seed generator. So runs are repeatable, a run that goes on
draws what it would have drawn, and both engines draw the same masks.

Models are saved, loaded and used elsewhere as before: `use_fast_masks` changes how the
layers of one model compute in this process.
"""

import functools

import lazy_loader
import numpy as np

keras = lazy_loader.load("keras")


def use_fast_masks(model) -> None:
    """Have the dropout layers of `model` draw their masks by `mask`.

    Args:
        model: built, not compiled. Layers with a `noise_shape` stay as they are.
    """
    for layer in _layers(model):
        if layer.noise_shape is None and 0 < layer.rate < 1:
            layer.call = functools.partial(_call, layer)


def _layers(model):
    """Yield the dropout layers of a model, also those in nested models."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        elif type(layer) is keras.layers.Dropout:
            yield layer


def _call(layer, inputs, training=False):
    """Compute what the layer's own `call` does, by another mask."""
    if not training:
        return inputs
    kept = mask(keras.ops.shape(inputs), layer.rate, layer.seed_generator.next())
    scaled = inputs / (1 - layer.rate)
    return keras.ops.where(kept, scaled, keras.ops.zeros_like(inputs))


def mask(shape, rate: float, seed):
    """Draw what dropout keeps: True with probability `1 - rate`, by `_mixed`.

    Args:
        shape: of the mask; fewer than 2**31 numbers.
        rate: share that is dropped, 0 to 1.
        seed: two whole numbers, such as a layer's seed and how many masks it has drawn.

    Returns:
        `shape`, bool.
    """
    first, second = (keras.ops.cast(seed[place], "uint32") for place in (0, 1))
    key = _mixed(_mixed(first) + second)
    count = functools.reduce(lambda a, b: a * b, shape, 1)
    numbers = keras.ops.cast(keras.ops.arange(count, dtype="int32"), "uint32")
    # The key goes in twice: once alone, and all masks would be parts of one sequence.
    bits = _mixed(keras.ops.bitwise_xor(_mixed(numbers + key), key))
    return keras.ops.reshape(bits >= np.uint32(rate * 2**32), shape)


def _mixed(x):
    """Mix the bits of each uint32, one to one.

    Source: Wellons (2018), "Prospecting for hash functions", lowbias32: a change of
    one bit turns over each bit of the result with probability 1/2, to 0.2 %.
    """
    x = keras.ops.bitwise_xor(x, keras.ops.right_shift(x, np.uint32(16)))
    x = x * np.uint32(0x7FEB352D)
    x = keras.ops.bitwise_xor(x, keras.ops.right_shift(x, np.uint32(15)))
    x = x * np.uint32(0x846CA68B)
    return keras.ops.bitwise_xor(x, keras.ops.right_shift(x, np.uint32(16)))
