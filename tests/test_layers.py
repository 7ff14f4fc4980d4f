"""Pieces of models against NumPy."""

import keras
import numpy as np

from rnn_tf.data.drawings import store
from rnn_tf.models import layers

RANDOM = np.random.default_rng(1)


def to_numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def tensor(array):
    return keras.ops.convert_to_tensor(np.asarray(array, "float32"))


def test_level_is_the_mean_of_the_known_days_of_a_year():
    past = np.full((3, 400, 1), 3.0)
    past[0, :380] = np.nan
    past[1, :100] = -1000  # longer ago than a year, but for 64 days
    past[2] = 0
    found = to_numpy(layers.level(tensor(past)))
    expected = [[3.0], [(64 * 1000 + 300 * 3) / 364], [1e-6]]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_level_of_less_than_half_a_year_is_not_trusted():
    past = np.full((2, 364, 1), 3.0)
    past[0, :183], past[1, :182] = np.nan, np.nan
    found = to_numpy(layers.level(tensor(past), otherwise=tensor([[7.0], [7.0]])))
    np.testing.assert_allclose(found, [[7.0], [3.0]], rtol=1e-5)


def two_years():
    """104 weeks of one clean pattern, half as many riders in the first 56 of them."""
    week = np.array([1.0, 1.1, 1.2, 1.1, 1.0, 0.9, 0.7])
    past = np.tile(week, 104)[None, :, None]
    past[:, : 56 * 7] /= 2
    return past, week


def test_growth_leaves_no_trace_and_a_holiday_stands_at_its_place():
    """Would catch a match that is a week off, or a year measured by another's level."""
    past, week = two_years()
    past[0, 364 + 3, 0] = 0.0  # 364 days before the fourth day ahead
    scale = layers.level(tensor(past))
    usual = tensor(week[None]) / scale
    found = to_numpy(layers.last_year(tensor(past), scale, usual, before=1, after=1))
    now, then = past[0, 364:].mean(), past[0, :364].mean()
    expected = past[0, 357:378, 0].reshape(3, 7) / then - week / now
    np.testing.assert_allclose(found[0], expected, atol=1e-5)
    assert np.unravel_index(found[0].argmin(), (3, 7)) == (1, 3)
    assert np.abs(np.delete(found[0].ravel(), 10)).max() < 0.06


def test_unknown_days_differ_by_nothing():
    past, week = two_years()
    past[0, :380] = np.nan
    scale = layers.level(tensor(past))
    found = layers.last_year(tensor(past), scale, tensor(week[None]), 2, 2)
    assert not to_numpy(found)[0, :4].any()


def test_the_view_around_each_day_is_centred_on_it():
    by_week = np.arange(35, dtype="float32").reshape(1, 5, 7)
    found = to_numpy(layers.around_each_day(tensor(by_week), week=2, days=10))
    assert found.shape == (1, 7, 21)
    for day in range(7):
        assert found[0, day].tolist() == list(range(14 + day - 10, 14 + day + 11))


def test_usual_week_is_the_median_of_the_last_four():
    by_week = RANDOM.normal(size=(2, 9, 7)).astype("float32")
    found = to_numpy(layers.usual_week(tensor(by_week)))
    np.testing.assert_allclose(found, np.median(by_week[:, -4:], axis=1), rtol=1e-6)


def test_each_frame_goes_through_the_layer_alone():
    """Would catch frames of one clip that end up in another."""
    x = RANDOM.normal(size=(3, 4, 5, 5, 2)).astype("float32")
    layer = keras.layers.Conv2D(6, 3, 2, "same")
    found = to_numpy(layers.per_frame(layer, tensor(x)))
    assert found.shape == (3, 4, 3, 3, 6)
    for frame in range(4):
        alone = to_numpy(layer(tensor(x[:, frame])))
        np.testing.assert_allclose(found[:, frame], alone, atol=1e-6)
    flat = to_numpy(layers.flat_frames(tensor(found)))
    assert np.array_equal(flat, found.reshape(3, 4, -1))


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
