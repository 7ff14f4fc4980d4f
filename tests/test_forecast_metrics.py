"""Metrics against numbers worked out by hand."""

import numpy as np
import pytest

from rnn_tf.metrics import forecast

Y = np.array([10.0, 20.0, 30.0])
F = np.array([12.0, 20.0, 24.0])


def test_by_hand():
    assert forecast.mae(Y, F) == pytest.approx((2 + 0 + 6) / 3)
    assert forecast.rmse(Y, F) == pytest.approx(np.sqrt((4 + 0 + 36) / 3))
    assert forecast.smape(Y, F) == pytest.approx(200 * (2 / 22 + 0 + 6 / 54) / 3)


def test_smape_of_two_zeros_is_no_error():
    zero = np.array([0.0, 4.0])
    assert forecast.smape(zero, np.array([0.0, 4.0])) == 0
    assert forecast.smape(zero, np.array([1.0, 4.0])) == pytest.approx(100)


def test_mase_is_the_error_in_units_of_the_seasonal_naive_in_training():
    training = np.array([1.0, 2, 3, 4, 5, 6, 7, 2, 4, 3, 4, 5, 6, 7])
    scale = (1 + 2 + 0 + 0 + 0 + 0 + 0) / 7
    assert forecast.mase(Y, F, training) == pytest.approx(8 / 3 / scale)


def test_mase_does_not_divide_by_zero():
    with pytest.raises(ValueError, match="MASE is undefined"):
        forecast.mase(Y, F, np.tile(np.arange(7.0), 3))


def test_rows_scale_by_the_week_of_the_series():
    """Would catch trading days scaled by the day seven before them."""
    training = np.tile([1.0, 2, 3, 4, 5], 8) + np.arange(40)
    y, f = np.array([1.0]), np.array([3.0])
    found = {r["metric"]: r["value"] for r in forecast.rows(y, f, training, "", "", 5)}
    assert found["mase"] == pytest.approx(2 / 5)
