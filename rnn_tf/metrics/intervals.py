"""Intervals: over seeds with Student's t, over test examples with a block bootstrap."""

import numpy as np


def t_interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Confidence interval of the mean of independent `values` (one per seed).

    Source: Student (1908); scipy.stats.t. Under two values there is none: (nan, nan).
    """
    from scipy import stats

    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return float("nan"), float("nan")
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * stats.sem(values)
    return float(values.mean() - half), float(values.mean() + half)


def block_interval(
    errors: np.ndarray, block: int, level: float = 0.95, draws: int = 2000
) -> tuple[float, float]:
    """Interval of the mean of dependent `errors`, one per test example, in order.

    Neighbouring forecasts share most of their days, so single errors must not be
    drawn one by one: circular block bootstrap with blocks of `block` examples
    (Politis and Romano, 1992), percentile interval, from arch. The seed is fixed, so
    the same errors give the same interval. `block` 1 is the plain bootstrap.

    Args:
        errors: shape (examples,), in the unit of the metric.
        block: examples per block; cut to half the examples if there are few.
        level: the share of draws inside the interval.
        draws: bootstrap replications.
    """
    from arch.bootstrap import CircularBlockBootstrap

    errors = np.asarray(errors, dtype=float)
    if len(errors) < 2:
        return float("nan"), float("nan")
    block = max(1, min(block, len(errors) // 2))
    bootstrap = CircularBlockBootstrap(block, errors, seed=1)
    low, high = bootstrap.conf_int(np.mean, draws, method="percentile", size=level)
    return float(low[0]), float(high[0])
