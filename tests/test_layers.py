"""Pieces of models against NumPy."""

import keras
import numpy as np

from rnn_tf.data.drawings import store
from rnn_tf.models import layers

RANDOM = np.random.default_rng(1)


def test_padding_changes_nothing_behind_a_mask():
    """Claim K4: the same drawing padded to several lengths has the same output."""
    inputs = keras.Input((None, 5))
    mask = 1 - inputs[:, :, 4:]
    x, mask = layers.masked_conv(inputs, mask, 8, 5, stride=2)
    x, mask = layers.masked_conv(x, mask, 8, 4, stride=2)
    x = layers.masked_bidirectional(keras.layers.LSTM, x, mask, 6)
    model = keras.Model(inputs, layers.masked_pool(x, mask))
    lengths = (1, 2, 5, 12, 29)
    moves = [RANDOM.integers(-90, 90, (n, 3)) % [181, 181, 2] for n in lengths]
    part = store.pack(moves, np.zeros(5))
    found = [
        model.predict(part.stroke5(np.arange(5), steps, 20.0), verbose=0)
        for steps in (30, 31, 50, 97)
    ]
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], atol=1e-5)


def test_a_bidirectional_layer_is_keras_own_where_nothing_is_padded():
    x = np.random.default_rng(1).normal(size=(3, 9, 4)).astype("float32")
    inputs = keras.Input((None, 4))
    mask = keras.ops.ones_like(inputs[:, :, :1])
    model = keras.Model(
        inputs, layers.masked_bidirectional(keras.layers.GRU, inputs, mask, 5)
    )
    own = keras.layers.Bidirectional(keras.layers.GRU(5, return_sequences=True))
    own.build((None, None, 4))
    grus = [layer for layer in model.layers if isinstance(layer, keras.layers.GRU)]
    forward, backward = sorted(grus, key=lambda layer: layer.input is not inputs)
    own.set_weights([*forward.get_weights(), *backward.get_weights()])
    np.testing.assert_allclose(model.predict(x, verbose=0), own(x), atol=1e-6)


def test_the_mean_and_maximum_leave_the_padding_out():
    x = np.array([[[1.0], [-3.0], [9.0]]], "float32")
    mask = np.array([[[1.0], [1.0], [0.0]]], "float32")
    found = keras.ops.convert_to_numpy(layers.masked_pool(x, mask))
    assert found.tolist() == [[-1.0, 1.0]]
