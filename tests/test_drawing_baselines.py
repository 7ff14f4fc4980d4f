"""A bag of points knows where they are, not in which order they came."""

import numpy as np

from rnn_tf.baselines.drawings import bag_of_points, histograms
from rnn_tf.data.drawings import store


def test_a_bag_of_points_by_hand():
    """A square's points after the first, in a grid of 2 x 2, whatever its size."""
    square = np.array([[10, 0, 0], [0, 10, 0], [-10, 0, 1]], "int16")
    part = store.pack([square, 5 * square], [0, 0])
    found = histograms(part, np.array([0, 1]), cells=2)
    assert found.tolist() == [[0, 1, 1, 1], [0, 1, 1, 1]]


def test_drawings_are_classified_in_the_order_of_their_part():
    """Would catch probabilities that slip against the labels."""
    labels = np.arange(40) % 2
    lengths = np.random.default_rng(1).integers(2, 9, 40)
    steps = np.array([(9, 0, 0), (0, 9, 0)], "int16")  # a line across, or down
    drawings = [steps[[label] * n] for label, n in zip(labels, lengths, strict=True)]
    part = store.pack(drawings, labels)
    found = bag_of_points(part)(part)
    assert found.shape == (40, 2)
    assert np.array_equal(found.argmax(axis=1), labels)
