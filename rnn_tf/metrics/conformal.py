"""Intervals of forecasts: split conformal, from the errors on validation.

Whatever the forecast, the interval holds the truth as often as its level says, if the
errors to come are exchangeable with those on validation (Vovk, Gammerman and Shafer,
2005; Lei et al., 2018). Those of a series are not quite; the coverage on test tells.
"""

import math

import numpy as np

LEVELS = (80, 95)  # %


def half_widths(errors: np.ndarray, level: float) -> np.ndarray:
    """Measure how far to each side of a forecast its interval reaches.

    Args:
        errors: (windows, horizon), on validation, each in units of its own window's
            spread.
        level: the share of targets that the interval is to hold, such as 0.8.

    Returns:
        (horizon,), in the same units: of n absolute errors of a day ahead the
        ceil((n + 1) level)-th smallest, or the largest, where there are too few.
    """
    count = len(errors)
    # 0.8 x 5 is a little over 4 in floating point, and 4 is meant.
    rank = math.ceil(round((count + 1) * level, 9))
    return np.sort(np.abs(errors), axis=0)[min(rank, count) - 1]


def coverage(targets: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """Return the share of targets inside their intervals, ends included, in %."""
    return float(100 * ((low <= targets) & (targets <= high)).mean())
