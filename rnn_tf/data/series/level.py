"""The level and the spread of the days before an origin, by which a window is measured.

A network that sees a series in units of its whole past is helpless where the level
moves; one that sees each window in units of its own is not (Kim et al., 2022, RevIN).
"""

import numpy as np

WEEKS = 4  # of the level
SPREAD_WEEKS = 8  # of the spread
SMALLEST = 0.25  # of the usual spread: a launch or a closure must not explode


def own_levels(
    values: np.ndarray, level_days: int, spread_days: int, smallest: float
) -> np.ndarray:
    """Measure the days before each origin.

    The level is the mean of the last `level_days`, the spread the mean distance of the
    last `spread_days` from it.

    Args:
        values: of the series, (days,).
        level_days: at least 1.
        spread_days: at least 1.
        smallest: no spread is under it.

    Returns:
        (days + 1, 2): level and spread of the days before origin i, in the unit of
        `values`. What lies before the first day does not count.
    """
    level = _known_mean(_windows(values, level_days))
    spread = _known_mean(np.abs(_windows(values, spread_days) - level[:, None]))
    return np.stack([level, np.maximum(spread, smallest)], axis=1)


def _known_mean(windows: np.ndarray) -> np.ndarray:
    """Average what is known in each window: (windows, days) -> (windows,)."""
    known = ~np.isnan(windows)
    total = windows.sum(axis=1, where=known)
    return total / np.maximum(known.sum(axis=1), 1)


def _windows(values: np.ndarray, days: int) -> np.ndarray:
    """Return the days before each origin, NaN before the first: (days + 1, `days`)."""
    padded = np.concatenate([np.full(days, np.nan), values])
    return np.lib.stride_tricks.sliding_window_view(padded, days)
