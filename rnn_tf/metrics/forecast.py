"""Errors of forecasts, in the series' own unit where they have one.

All take targets and predictions of shape (values,), and lower is better.
"""

import lazy_loader
import numpy as np

sklearn = lazy_loader.load("sklearn")


def mae(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Return the mean absolute error."""
    return float(sklearn.metrics.mean_absolute_error(targets, predictions))


def rmse(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Return the root of the mean squared error."""
    return float(sklearn.metrics.root_mean_squared_error(targets, predictions))


def smape(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Return the symmetric mean absolute percentage error, 0 to 200 %.

    200 |y - f| / (|y| + |f|), and 0 where both are 0 (Makridakis et al., 2020, M4).
    """
    total = np.abs(targets) + np.abs(predictions)
    error = np.abs(targets - predictions)
    parts = np.divide(error, total, out=np.zeros_like(total), where=total > 0)
    return float(200 * parts.mean())


def mase(
    targets: np.ndarray, predictions: np.ndarray, training: np.ndarray, season: int = 7
) -> float:
    """Return the mean absolute scaled error (Hyndman and Koehler, 2006), no unit.

    It is the MAE divided by that of the seasonal naive forecast ("as a week ago")
    inside the training period; below 1 is better than that forecast was there.

    Raises:
        ValueError: the training period repeats itself exactly, so the scale is 0.
    """
    scale = np.abs(training[season:] - training[:-season]).mean()
    if scale == 0:
        raise ValueError(
            f"MASE is undefined: the training period repeats every {season} days"
        )
    return float(np.abs(targets - predictions).mean() / scale)


def rows(
    targets, predictions, training, unit: str, part: str | int, season: int = 7
) -> list[dict]:
    """Return all four metrics as rows of `metrics.csv`.

    Args:
        targets: any shape, in `unit`.
        predictions: the same shape.
        training: (days,), for MASE.
        unit: of the series.
        part: for the column `slice`.
        season: days of a week, for MASE.
    """
    y, f = targets.ravel(), predictions.ravel()
    metrics = {
        "mae": (mae(y, f), unit),
        "rmse": (rmse(y, f), unit),
        "smape": (smape(y, f), "%"),
        "mase": (mase(y, f, training, season), ""),
    }
    return [
        {"metric": name, "slice": part, "value": value, "unit": unit, "n": y.size}
        for name, (value, unit) in metrics.items()
    ]
