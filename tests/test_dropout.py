"""Dropout's masks: random where it matters, and otherwise Keras's own layers.

`KERAS_BACKEND=jax pytest tests/test_dropout.py` does so on JAX. Statistics are bounded
by five standard deviations; the seeds are fixed, so a test that passes always does.
"""

import math

import keras
import numpy as np
import pytest

from rnn_tf.config import RunConfig
from rnn_tf.devices import dropout, strategy

SHAPE = 64, 28, 64  # (batch, time, features): 114,688 numbers


def mask(rate: float, *seed: int, shape=SHAPE) -> np.ndarray:
    seed = keras.ops.convert_to_tensor(np.array(seed, "uint32"))
    return keras.ops.convert_to_numpy(dropout.mask(shape, rate, seed))


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """In standard deviations of that of independent numbers."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1] * math.sqrt(a.size))


def model(rate: float = 0.2, **options):
    """Build dropout and nothing else: (batch, time, 3) -> the same."""
    x = keras.Input((None, 3))
    return keras.Model(x, keras.layers.Dropout(rate, **options)(x))


def fast(model):
    dropout.use_fast_masks(model)
    return model


ONES = np.ones((4, 50, 3), "float32")


@pytest.mark.parametrize("rate", [0.001, 0.2, 0.4, 0.5, 0.9])
def test_drops_at_the_rate(rate):
    """Would catch a threshold of another width than the bits."""
    dropped = 1 - np.mean([mask(rate, 1, step) for step in range(20)])
    deviation = math.sqrt(rate * (1 - rate) / (20 * math.prod(SHAPE)))
    assert abs(dropped - rate) < 5 * deviation


def test_extreme_rates():
    """Would catch an overflow, or one number in four billion."""
    assert mask(0.0, 1, 2).all()
    assert mask(1 - 1e-9, 1, 2).mean() < 1e-3


@pytest.mark.parametrize("lag", [1, 2, 16, 64, 128, 28 * 64])
def test_neighbours_are_independent(lag):
    """Along features, steps and drawings; would catch a hash that mixes too little."""
    flat = mask(0.2, 3, 4).ravel()
    assert abs(correlation(flat[:-lag], flat[lag:])) < 5


@pytest.mark.parametrize("other", [(1, 1), (2, 0), (0, 1), (1, 1 << 16), (1 << 31, 0)])
def test_steps_and_layers_are_independent(other):
    """Would catch a seed or a counter that is lost, or added up with the other."""
    assert abs(correlation(mask(0.2, 1, 0), mask(0.2, *other))) < 5


def test_no_mask_is_another_one_shifted():
    """Would catch a key that moves along one sequence, which layers then share."""
    one, others = mask(0.5, 1, 0).ravel()[:2048] - 0.5, range(1, 17)
    for step in others:
        long = np.pad(mask(0.5, 1, step).ravel() - 0.5, 2048)
        matches = np.correlate(long, one) / (0.25 * math.sqrt(one.size))
        assert np.abs(matches).max() < 6.5  # of two million


def test_eight_in_a_row_come_in_all_patterns_alike():
    """Chi-square of 256 patterns: 255 expected, with a deviation of 22.6."""
    rows = np.packbits(mask(0.5, 9, 9).reshape(-1, 8), axis=1)
    counts, expected = np.bincount(rows.ravel(), minlength=256), rows.size / 256
    assert abs(((counts - expected) ** 2 / expected).sum() - 255) < 113


def test_masks_are_the_same_on_every_engine():
    """The hash, in Python's whole numbers; would catch signed shifts or products."""

    def mixed(x):
        x = (x ^ (x >> 16)) * 0x7FEB352D % 2**32
        x = (x ^ (x >> 15)) * 0x846CA68B % 2**32
        return x ^ (x >> 16)

    key = mixed((mixed(3_000_000_000) + 7) % 2**32)
    bits = [mixed(mixed((number + key) % 2**32) ^ key) for number in range(100)]
    expected = [x >= int(0.3 * 2**32) for x in bits]
    assert mask(0.3, 3_000_000_000, 7, shape=(100,)).tolist() == expected


# ---------------------------------------------------------------- layers


def test_keeps_the_mean_and_only_what_it_keeps():
    """Would catch a scale that is missing."""
    keras.utils.set_random_seed(1)
    out = keras.ops.convert_to_numpy(fast(model(0.2))(ONES, training=True))
    assert set(np.unique(out)) == {0.0, np.float32(1.25)}


def test_does_nothing_in_inference():
    """Would catch a model whose predictions are random."""
    np.testing.assert_array_equal(fast(model())(ONES), ONES)
    np.testing.assert_array_equal(fast(model()).predict(ONES, verbose=0), ONES)


def test_repeats_with_the_seed_and_differs_from_step_to_step():
    """Would catch a mask that a compiled program holds as a constant."""

    def run():
        keras.utils.set_random_seed(5)
        net = fast(model())
        return [np.array(net(ONES, training=True)) for _ in range(3)]

    first, again = run(), run()
    np.testing.assert_array_equal(first, again)
    assert all((first[a] != first[b]).any() for a, b in ((0, 1), (1, 2), (0, 2)))


def test_a_restored_layer_goes_on_where_it_was():
    """Would catch a counter of our own, which a checkpoint does not keep."""
    net = fast(model())
    net(ONES, training=True)
    kept = [keras.ops.convert_to_numpy(v) for v in net.non_trainable_variables]
    expected = np.array(net(ONES, training=True))
    for variable, value in zip(net.non_trainable_variables, kept, strict=True):
        variable.assign(value)
    np.testing.assert_array_equal(net(ONES, training=True), expected)


def test_compiled_by_xla_training_draws_the_same_masks():
    """Would catch a program that draws once for all of its steps."""

    def losses(jit: bool):
        keras.utils.set_random_seed(2)
        inputs = keras.Input((None, 3))
        x = keras.layers.Dropout(0.5)(keras.layers.Dense(8)(inputs))
        net = fast(keras.Model(inputs, keras.layers.Dense(1)(x)))
        net.compile("sgd", "mse", jit_compile=jit)
        return [net.train_on_batch(ONES, ONES[:, :, :1]) for _ in range(4)]

    np.testing.assert_allclose(losses(True), losses(False), rtol=1e-4)


def test_a_model_is_saved_as_keras_has_it(tmp_path):
    """Would catch a file that a stranger cannot load without this project."""
    net, plain = fast(model()), model()
    names = [layer.name for layer in plain.layers]
    assert [type(layer) for layer in net.layers] == [type(x) for x in plain.layers]
    net.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert len(loaded.layers) == len(names)
    assert type(loaded.layers[-1]) is keras.layers.Dropout
    np.testing.assert_array_equal(loaded(ONES), ONES)


@pytest.mark.parametrize("xla", [True, False])
def test_masks_are_fast_where_xla_compiles_all_of_a_network(xla):
    """Would catch a long run that waits for XLA's own random numbers."""
    net, devices = model(), strategy.start(RunConfig())
    devices.compile(net, 10_000, xla, loss="mse")
    assert ("call" in vars(net.layers[-1])) is xla


def test_layers_of_nested_models_are_found():
    """Would catch a part of a network that stays slow."""
    inner = model()
    inputs = keras.Input((None, 3))
    fast(keras.Model(inputs, inner(inputs)))
    assert "call" in vars(inner.layers[-1])


def test_shared_masks_and_a_rate_of_nothing():
    """Would catch `noise_shape` dropped, or ones scaled by a rate of 0."""
    net = fast(model(0.5, noise_shape=(None, 1, 3)))
    out = np.array(net(ONES, training=True))
    np.testing.assert_array_equal(out, np.repeat(out[:, :1], 50, axis=1))
    np.testing.assert_array_equal(fast(model(0.0))(ONES, training=True), ONES)


def test_bfloat16_stays_bfloat16():
    """Would catch a mask that makes the rest of a network compute in float32."""
    net = fast(model(dtype="bfloat16"))
    assert keras.backend.standardize_dtype(net(ONES, training=True).dtype) == "bfloat16"
