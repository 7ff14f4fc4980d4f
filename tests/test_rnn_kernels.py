"""Fast kernels: outputs, states and gradients are Keras's, or Keras computes.

`KERAS_BACKEND=jax pytest tests/test_rnn_kernels.py` does so on JAX; CI runs both.
"""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_tf.devices import backend, rnn_kernels
from rnn_tf.studies import layer_shapes

CELLS = ("LSTM", "GRU", "SimpleRNN")


def layer_of(cell: str, units: int, seed: int, shape=None, **options):
    """Build a layer of Keras whose weights and biases are all random."""
    layer = getattr(keras.layers, cell)(units, **options)
    layer.build(shape)
    random = np.random.default_rng(seed)
    for weight in layer.weights:
        weight.assign(random.normal(0, 0.5, weight.shape))
    return layer


def counts(shape) -> np.ndarray:
    """Give each place its own number, so that none can stand in for another."""
    return np.cos(np.arange(np.prod(shape), dtype="float32")).reshape(shape)


def computed(layer, x, states):
    """Compute outputs, flat, and gradients of weights, input and states."""
    weights = [w.value for w in layer.weights]

    def loss(weights, x, states):
        scope = zip(layer.weights, weights, strict=True)
        with keras.StatelessScope(state_mapping=scope):
            outputs = layer(x, initial_state=list(states))
        flat = keras.tree.flatten(outputs)
        return sum(keras.ops.sum(y * counts(y.shape)) for y in flat), flat

    if keras.config.backend() == "jax":
        import jax

        call = jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True)
        (_, outputs), gradients = jax.jit(call)(weights, x, states)
        return [*outputs, *keras.tree.flatten(gradients)]
    import tensorflow as tf

    @tf.function
    def call(x, states):
        with tf.GradientTape() as tape:
            tape.watch([x, *states])
            total, outputs = loss(weights, x, states)
        return outputs, tape.gradient(total, [weights, x, states])

    return keras.tree.flatten(call(x, states))


def compare(cell: str, sizes: tuple, seed=1, compiled=False, **options) -> None:
    """Would catch a gate in the wrong place, or a state that loses its gradient."""
    batch, time, features, units = sizes
    random = np.random.default_rng(seed)
    x, *states = (
        keras.ops.convert_to_tensor(random.normal(size=shape).astype("float32"))
        for shape in [(batch, time, features)] + [(batch, units)] * 2
    )
    states = states[: 2 if cell == "LSTM" else 1]
    options["return_state"] = True
    layer = layer_of(cell, units, seed, x.shape, **options)
    expected = computed(layer, x, states)
    rnn_kernels.use_fast_kernels(keras.Sequential([layer]), compiled)
    assert "inner_loop" in vars(layer)
    for one, other in zip(computed(layer, x, states), expected, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "options", [{}, {"return_sequences": True}], ids=["last", "all"]
)
@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("cell", CELLS)
def test_outputs_states_and_gradients_are_those_of_keras(cell, backwards, options):
    compare(cell, (3, 7, 2, 4), go_backwards=backwards, **options)


@pytest.mark.parametrize("cell", CELLS)
def test_compiled_by_itself_it_is_the_same(cell):
    """Would catch a model without XLA whose recurrence XLA gets wrong."""
    compare(cell, (3, 7, 2, 4), compiled=True, return_sequences=True)


@settings(max_examples=6)
@given(
    st.sampled_from(CELLS),
    st.tuples(*[st.integers(1, 5)] * 4),
    st.booleans(),
    st.integers(1, 99),
)
def test_of_any_size(cell, sizes, all_of_them, seed):
    """Would catch a time axis of one step, or one unit, that is squeezed away."""
    compare(cell, sizes, seed, return_sequences=all_of_them)


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_outputs_are_those_of_the_formula(cell):
    """Would catch a gate that Keras, and so the kernel, computes in another way."""
    x = np.random.default_rng(1).normal(size=(3, 7, 2)).astype("float32")
    layer = layer_of(cell, 4, 1, x.shape, return_sequences=True)
    rnn_kernels.use_fast_kernels(keras.Sequential([layer]))
    weights = layer.get_weights()
    if cell == "LSTM":
        expected = layer_shapes.lstm_gates(weights, x)["output"]
    else:
        expected = layer_shapes.gru_states(weights, x)
    outputs = keras.ops.convert_to_numpy(layer(x))
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)


def test_a_step_by_hand():
    """One unit, one step, all weights 1, no bias, from an input of 1.

    LSTM: c = s * t, h = s * tanh(c); GRU: h = (1 - s) * t; with s = 1 / (1 + 1/e) =
    0.731059 and t = tanh(1) = 0.761594.
    """
    by_hand = {"LSTM": 0.369606, "GRU": 0.204824, "SimpleRNN": 0.761594}
    for cell, value in by_hand.items():
        layer = layer_of(cell, 1, 1, (1, 1, 1))
        for weight in layer.weights:
            weight.assign(np.full(weight.shape, float("bias" not in weight.path)))
        rnn_kernels.use_fast_kernels(keras.Sequential([layer]))
        assert float(layer(np.ones((1, 1, 1), "float32"))[0, 0]) == pytest.approx(
            value, abs=1e-6
        )


def uses_fast_kernels(layer) -> bool:
    rnn_kernels.use_fast_kernels(keras.Sequential([keras.Input((5, 2)), layer]))
    return "inner_loop" in vars(layer)


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("LSTM", {"activation": "relu"}),
        ("LSTM", {"recurrent_activation": "hard_sigmoid"}),
        ("LSTM", {"use_bias": False}),
        ("GRU", {"dropout": 0.1}),
        ("GRU", {"recurrent_dropout": 0.1}),
        ("GRU", {"reset_after": False}),
        ("GRU", {"unroll": True}),
        ("SimpleRNN", {"activation": "relu"}),
    ],
)
def test_what_it_does_not_do_is_left_to_keras(cell, options):
    """Would catch another function in the place of the one that was asked for."""
    assert uses_fast_kernels(getattr(keras.layers, cell)(3))
    assert not uses_fast_kernels(getattr(keras.layers, cell)(3, **options))


def test_sixteen_bits_and_layers_of_others_are_left_to_keras():
    class Own(keras.layers.LSTM):
        """Somebody's own."""

    assert not uses_fast_kernels(Own(3))
    with backend.computing_in("bfloat16"):
        assert not uses_fast_kernels(keras.layers.LSTM(3))


def test_where_there_is_a_mask_keras_computes():
    """Would catch padding that is read as if it were data."""
    inputs = keras.Input((None, 2))
    x = keras.layers.Masking(-1.0)(inputs)
    model = keras.Model(inputs, keras.layers.LSTM(3)(x))
    short = np.random.default_rng(1).normal(size=(2, 4, 2)).astype("float32")
    padded = np.concatenate([short, np.full((2, 3, 2), -1, "float32")], axis=1)
    rnn_kernels.use_fast_kernels(model)
    one, other = (model.predict(x, verbose=0) for x in (short, padded))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_layers_in_pairs_and_in_models_are_found():
    """Would catch a bidirectional network that stays slow."""
    pair = keras.layers.Bidirectional(keras.layers.GRU(3))
    inner = keras.Sequential([keras.Input((5, 2)), pair])
    inputs = keras.Input((5, 2))
    rnn_kernels.use_fast_kernels(keras.Model(inputs, inner(inputs)))
    assert all(
        "inner_loop" in vars(x) for x in (pair.forward_layer, pair.backward_layer)
    )


def test_a_model_with_fast_kernels_is_saved_as_keras_own(tmp_path):
    """Would catch a file that a stranger, without this project, cannot load."""
    inputs = keras.Input((5, 2))
    model = keras.Model(inputs, keras.layers.LSTM(3)(inputs))
    rnn_kernels.use_fast_kernels(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    (layer,) = (x for x in loaded.layers if isinstance(x, keras.layers.LSTM))
    assert "inner_loop" not in vars(layer)
    x = np.random.default_rng(1).normal(size=(4, 5, 2)).astype("float32")
    outputs = (m.predict(x, verbose=0) for m in (loaded, model))
    np.testing.assert_allclose(*outputs, atol=1e-6)
