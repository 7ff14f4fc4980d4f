"""Conformal intervals against numbers worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_tf.metrics import conformal


@pytest.mark.parametrize(
    ("count", "level", "rank"),
    [
        (4, 0.8, 4),  # ceil(5 x 0.8) = 4
        (9, 0.8, 8),
        (10, 0.8, 9),  # ceil(8.8)
        (19, 0.95, 19),
        (20, 0.95, 20),  # ceil(19.95)
        (99, 0.95, 95),
        (3, 0.8, 3),  # ceil(3.2) is 4, of three
        (1, 0.95, 1),
    ],
)
def test_the_half_width_is_the_error_of_its_rank(count, level, rank):
    """Would catch a quantile without the + 1, one rank off, or one interpolated."""
    errors = np.random.default_rng(1).permutation(np.arange(1.0, count + 1))
    assert conformal.half_widths(errors[:, None], level) == [rank]


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("count", [99, 199, 999, 9_999])
def test_rounding_does_not_move_the_rank(level, count):
    """Would catch 80.00000000000001, whose ceiling is 81."""
    errors = np.arange(1.0, count + 1)[:, None]
    exact = round(level * 100) * (count + 1) // 100
    assert conformal.half_widths(errors, level) == [exact]


def test_each_day_ahead_has_its_own_and_signs_do_not_count():
    errors = np.array([[-1.0, 40.0], [2.0, -10.0], [-3.0, 20.0], [4.0, -30.0]])
    np.testing.assert_array_equal(conformal.half_widths(errors, 0.8), [4, 40])
    np.testing.assert_array_equal(conformal.half_widths(errors, 0.5), [3, 30])


def test_coverage_counts_the_ends():
    targets = np.array([[1.0, 2.0], [3.0, 9.0]])
    low, high = np.array([[1.0, 3.0], [2.0, 8.0]]), np.array([[2.0, 4.0], [3.0, 10.0]])
    assert conformal.coverage(targets, low, high) == 75
    assert conformal.coverage(targets, low - 9, high + 9) == 100
    assert conformal.coverage(targets, low + 90, high + 90) == 0


@given(
    seed=st.integers(0, 2**32 - 1),
    level=st.sampled_from([0.5, 0.8, 0.95]),
    count=st.integers(40, 200),
    power=st.sampled_from([1, 3]),
)
def test_exchangeable_errors_are_covered_at_the_level(seed, level, count, power):
    """Would catch a half width of the signed errors, or of the whole horizon's.

    Over many draws the coverage is between the level and 1 / (n + 1) more; here it is
    the mean of 2,000 draws, whatever the errors' distribution.
    """
    draws = 2_000
    # A day ahead is a draw of its own: (errors on validation, draws), and one to come.
    errors = np.random.default_rng(seed).standard_normal((count + 1, draws)) ** power
    width = conformal.half_widths(errors[:-1], level)
    share = conformal.coverage(errors[-1], -width, width) / 100
    noise = 5 * np.sqrt(level * (1 - level) / draws)
    assert level - noise <= share <= level + 1 / (count + 1) + noise
