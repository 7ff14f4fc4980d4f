"""Weights of each step, set alike, are a SimpleRNN; a restart is a fresh network."""

import keras
import numpy as np
import pytest

from rnn_tf.studies import restarts, weight_sharing


def test_with_the_same_weights_at_each_step_it_is_a_simple_rnn():
    """Would catch a step that does not read the state before it, or its own input."""
    shared, each = weight_sharing.shared(), weight_sharing.of_each_step()
    *recurrent, head, bias = shared.get_weights()
    kernel, matrix, shift = recurrent
    dense = [layer for layer in each.layers if isinstance(layer, keras.layers.Dense)]
    for layer in dense:
        rows, units = layer.kernel.shape
        if units == 1:
            layer.set_weights([head, bias])
        else:
            layer.set_weights([kernel, shift] if rows == 1 else [matrix])
    x = np.random.default_rng(1).normal(size=(3, weight_sharing.STEPS, 1))
    expected = np.asarray(shared(x.astype("float32")))
    assert np.asarray(each(x.astype("float32"))) == pytest.approx(expected, abs=1e-5)


def test_each_step_has_weights_of_its_own():
    steps, units = weight_sharing.STEPS, weight_sharing.UNITS
    count = steps * 2 * units + (steps - 1) * units**2 + units + 1
    assert weight_sharing.of_each_step().count_params() == count


def test_a_restarted_network_trains_as_a_fresh_one_does(monkeypatch):
    """Would catch momentum, or a count of steps, that outlives a seed."""
    monkeypatch.setattr(restarts, "COMPILED", False)
    x = np.random.default_rng(1).normal(size=(8, 3)).astype("float32")

    def build():
        inputs = keras.Input((3,))
        return keras.Model(inputs, keras.layers.Dense(2)(inputs))

    def trained(model, blank, seed):
        restarts.restart(model, build, blank, seed)
        for _ in range(3):
            model.train_on_batch(x, x[:, :2])
        return np.concatenate([w.ravel() for w in model.get_weights()])

    model = build()
    blank = restarts.compiled(model, "mse", 0.1, decay=0.1)
    first, other, again = (trained(model, blank, seed) for seed in (1, 2, 1))
    assert first == pytest.approx(again, abs=1e-7)
    assert np.abs(first - other).max() > 1e-3
