"""Intervals, against textbook numbers and their own promise."""

import numpy as np
import pytest

from rnn_tf.metrics import intervals


def test_t_interval_by_hand():
    """Mean 2, standard error 1 / sqrt(3), t(0.975, 2) = 4.302653."""
    low, high = intervals.t_interval(np.array([1.0, 2.0, 3.0]))
    half = 4.302653 / np.sqrt(3)
    assert (low, high) == pytest.approx((2 - half, 2 + half), abs=1e-5)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("values", [[3.0, 3.0, 3.0], [0.3, 0.1 + 0.2], [0.0, 0.0]])
def test_seeds_that_agree_have_an_interval_of_no_width(values):
    """Would catch scipy's warning of precision loss on the screen of a user."""
    low, high = intervals.t_interval(np.array(values))
    assert low == high == pytest.approx(values[0])


def test_one_value_has_no_interval():
    assert np.isnan(intervals.t_interval(np.array([1.0]))).all()
    assert np.isnan(intervals.block_interval(np.array([1.0]), 14)).all()


def test_blocks_widen_the_interval_of_dependent_errors():
    """Would catch a bootstrap that draws neighbouring forecasts one by one."""
    random = np.random.default_rng(1)
    errors = np.repeat(random.normal(size=20), 10)  # ten equal neighbours each
    narrow = np.ptp(intervals.block_interval(errors, 1))
    wide = np.ptp(intervals.block_interval(errors, 20))
    assert wide > 2 * narrow


def test_the_same_errors_give_the_same_interval_around_their_mean():
    errors = np.random.default_rng(2).exponential(size=200)
    first, second = (intervals.block_interval(errors, 14) for _ in range(2))
    assert first == second
    assert first[0] < errors.mean() < first[1]


def test_plain_bootstrap_agrees_with_theory():
    """Of independent errors it is the normal interval, mean +- 1.96 standard errors."""
    errors = np.random.default_rng(3).normal(10, 2, size=1000)
    half = 1.96 * errors.std() / np.sqrt(1000)
    low, high = intervals.block_interval(errors, 1)
    assert low == pytest.approx(errors.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(errors.mean() + half, abs=0.1 * half)


def test_the_interval_of_a_median_is_two_of_the_values():
    """P(at most 1 head of 10) = 11 / 1024: the second smallest and largest."""
    values = [5, -np.inf, 1, 2, 3, 4, 6, 7, 8, 9]
    assert intervals.median_interval(values) == (1, 8)
    assert intervals.median_interval([3, 1, 2]) == (1, 3)
