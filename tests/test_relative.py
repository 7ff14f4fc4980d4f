"""Relative errors over series, by hand."""

import numpy as np
import pytest

from rnn_tf.metrics import relative

ERRORS = {
    "half": np.array([0.5, 0.5, 0.5, 0.5]),
    "mixed": np.array([0.5, 2.0, 0.5, 2.0]),
    "base": np.ones(4),
    "perfect": np.array([0.0, 1.0, 1.0, 1.0]),
}


def rows(model, *rivals):
    return relative.rows(model, ERRORS, rivals)


def test_halving_one_error_and_doubling_another_is_no_gain():
    """Would catch the arithmetic mean, which calls that 25 % worse."""
    assert relative.geometric_mean(ERRORS["mixed"]) == pytest.approx(1)
    assert relative.geometric_mean(ERRORS["half"]) == pytest.approx(0.5)
    assert relative.geometric_mean(ERRORS["perfect"]) == 0


def test_differences_are_paired_by_series():
    mean, to_base, to_mixed = rows("half", "base", "mixed")
    assert (mean["metric"], mean["slice"], mean["n"]) == ("relative_mae_mean", "", 4)
    assert mean["value"] == mean["low"] == mean["high"] == pytest.approx(0.5)
    assert (to_base["metric"], to_base["slice"]) == ("relative_mae_difference", "base")
    assert to_base["value"] == to_base["high"] == pytest.approx(-0.5)
    assert to_mixed["low"] < to_mixed["value"] < to_mixed["high"] <= 0
    mean, own = rows("mixed", "mixed")
    assert mean["low"] < 1 < mean["high"]
    assert [own[key] for key in ("value", "low", "high")] == [0, 0, 0]


def test_the_interval_is_over_series_and_repeatable():
    """Would catch an interval that narrows with windows, or moves from run to run."""
    assert rows("mixed") == rows("mixed")
    (mean,) = rows("mixed")
    assert mean["low"] == pytest.approx(0.5)  # all four draws may be halves
    assert mean["high"] == pytest.approx(2)


def test_one_series_has_no_interval_and_a_perfect_forecast_no_warning():
    (mean,) = relative.rows("a", {"a": np.array([0.8])}, [])
    assert np.isnan([mean["low"], mean["high"]]).all()
    mean, gap = rows("perfect", "base")
    assert (mean["value"], mean["low"], gap["value"]) == (0, 0, -1)
