"""Bits of a text: by hand, and comparable between characters and words."""

import numpy as np
import pytest

from rnn_tf.metrics import language


def value(scores, metric: str) -> float:
    (row,) = [row for row in scores.metrics if row["metric"] == metric]
    return row["value"]


def test_bits_nats_and_perplexity_by_hand():
    """1/2, 1/4, 1/4, 1/8 cost 1, 2, 2, 3 bits: 2 on average, a perplexity of 4."""
    scores = language.scores(np.array([1 / 2, 1 / 4, 1 / 4, 1 / 8]), np.array([2, 4]))
    assert scores.errors == pytest.approx([1.5, 2.5])
    assert value(scores, "bits") == pytest.approx(2)
    assert value(scores, "nats") == pytest.approx(2 * np.log(2))
    assert value(scores, "perplexity") == pytest.approx(4)


def test_words_are_paid_for_by_their_characters():
    """8 bits for words of 3 and 1 characters: 2 a character."""
    scores = language.scores(
        np.array([2**-6, 2**-2]), np.array([2]), np.array([3, 1], "<u4")
    )
    assert value(scores, "bits") == pytest.approx(2)
    assert value(scores, "perplexity") == pytest.approx(16)  # of a word


def test_a_probability_of_0_costs_much_but_not_infinitely_much():
    assert 90 < language.bits(np.zeros(1))[0] < 110


def test_the_calibration_error_by_hand():
    """Two guesses at .95 of which one is right, two at .3 of which none is."""
    confidence, right = np.array([[0.95, 0.95], [0.3, 0.3]]), np.eye(2) > 0
    right[1] = False
    error = language.calibration_error(confidence, right)
    assert error == pytest.approx((2 * 0.45 + 2 * 0.3) / 4)


def test_over_and_underconfidence_do_not_cancel_out():
    """Would catch an error that is the mean confidence minus the accuracy."""
    confidence, right = np.array([0.05, 0.95]), np.array([True, False])
    assert language.calibration_error(confidence, right) == pytest.approx(0.95)
    assert language.calibration_error(np.ones(3), np.ones(3, bool)) == 0
