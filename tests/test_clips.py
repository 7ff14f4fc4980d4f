"""Networks that classify clips, and their pieces, against NumPy."""

import keras
import numpy as np
import pytest

from rnn_tf.models import clips

RANDOM = np.random.default_rng(1)


def to_numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def tensor(array):
    return keras.ops.convert_to_tensor(np.asarray(array, "float32"))


def test_each_frame_goes_through_the_layer_alone():
    """Would catch frames of one clip that end up in another."""
    x = RANDOM.normal(size=(3, 4, 5, 5, 2)).astype("float32")
    layer = keras.layers.Conv2D(6, 3, 2, "same")
    found = to_numpy(clips.per_frame(layer, tensor(x)))
    assert found.shape == (3, 4, 3, 3, 6)
    for frame in range(4):
        alone = to_numpy(layer(tensor(x[:, frame])))
        np.testing.assert_allclose(found[:, frame], alone, atol=1e-6)
    flat = to_numpy(clips.flat_frames(tensor(found)))
    assert np.array_equal(flat, found.reshape(3, 4, -1))


@pytest.mark.parametrize(
    ("side", "points"), [(16, 4), (24, 3), (48, 3), (64, 4), (96, 3), (224, 4)]
)
def test_convolutions_leave_three_or_four_points_a_side(side, points):
    """Would catch a CNN of large frames whose dense layer has most of the weights."""
    for _ in clips._filters(side):
        side = -(-side // 2)
    assert side == points
