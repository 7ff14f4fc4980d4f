"""Remedies for gradients: each changes one thing, and does what its name says."""

import math

import keras
import numpy as np
import pytest

from rnn_tf.models import remedies
from rnn_tf.models.remedies import REMEDIES, Variant


def test_each_remedy_changes_one_thing():
    """Would catch two remedies in one, whose gain would be that of either."""
    for name, change in REMEDIES.items():
        extra = {"identity_relu", "orthogonal_relu", "batch_between"}
        extra |= {"lstm_bias_0", "lstm_bias_5"}
        assert len(change) == (0 if name == "none" else 1 + (name in extra)), name


@pytest.mark.parametrize(("bias", "share"), [(0.0, 0.5), (5.0, 0.9933)])
def test_an_lstm_begins_with_its_forget_bias(bias, share):
    """Would catch the bias at another gate: Keras has them as i, f, c, o."""
    inputs = keras.Input((3, 2))
    layer_of = keras.Model(
        inputs, remedies.recurrent(inputs, Variant("lstm", forget_bias=bias), 4)
    )
    values = layer_of.layers[1].get_weights()[2].reshape(4, 4)
    np.testing.assert_allclose(1 / (1 + np.exp(-values[1])), share, atol=1e-4)
    assert not values[[0, 2, 3]].any()


@pytest.mark.parametrize("gain", [0.5, 1.5])
def test_weights_of_the_state_have_their_gain(gain):
    def of(kind):
        keras.utils.set_random_seed(1)
        variant = Variant(initial=kind, gain=gain)
        return np.asarray(remedies.initial(variant, 200)((200, 200)))

    singular = np.linalg.svd(of("orthogonal"), compute_uv=False)
    assert singular == pytest.approx(gain, abs=1e-4)
    assert np.array_equal(of("identity"), gain * np.eye(200, dtype="float32"))
    radius = np.abs(np.linalg.eigvals(of("gaussian"))).max()
    assert radius == pytest.approx(gain, rel=0.1)


def test_gradients_are_clipped_or_not():
    """By hand: (3, 4) has norm 5; by norm it keeps its direction, by value not."""
    found = {}
    for clip in ("", "norm", "value"):
        variable = keras.Variable([0.0, 0.0])
        optimizer = remedies.optimizer(Variant(optimizer="sgd", rate=1.0, clip=clip))
        optimizer.apply([keras.ops.convert_to_tensor([3.0, 4.0])], [variable])
        found[clip] = keras.ops.convert_to_numpy(variable).tolist()
    assert found[""] == [-3, -4]
    assert found["norm"] == pytest.approx([-0.6, -0.8])
    assert found["value"] == [-1, -1]


def test_the_last_half_is_all_that_is_read():
    inputs = keras.Input((7, 2))
    model = keras.Model(inputs, remedies.read(inputs, Variant(share=0.5), 3))
    x = np.random.default_rng(1).normal(size=(1, 7, 2)).astype("float32")
    before = model.predict(x, verbose=0)
    x[:, :3] = 9
    assert np.array_equal(model.predict(x, verbose=0), before)
    x[:, 3] = 9
    assert not np.array_equal(model.predict(x, verbose=0), before)


@pytest.mark.parametrize("where", ["inside", "layer"])
def test_an_unrolled_network_is_the_formula(where):
    """In NumPy, in training's statistics at the start: mean 0 and variance 1."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((4, 2))
    model = keras.Model(inputs, remedies.read(inputs, Variant(normalise=where), 3))
    x = np.random.default_rng(1).normal(size=(5, 4, 2)).astype("float32")
    kernel, bias, state, *_ = model.get_weights()
    h = np.tanh(x[:, 0] @ kernel + bias)
    for step in range(1, 4):
        if where == "inside":
            h = np.tanh(
                x[:, step] @ kernel + bias + 0.1 * (h @ state) / math.sqrt(1.001)
            )
        else:
            total = x[:, step] @ kernel + bias + h @ state
            centred = total - total.mean(axis=1, keepdims=True)
            h = np.tanh(centred / np.sqrt(total.var(axis=1, keepdims=True) + 1e-3))
    np.testing.assert_allclose(model.predict(x, verbose=0), h, atol=1e-5)
