"""Intervals of means: Student's t over seeds, a block bootstrap over test examples."""

from collections.abc import Iterable

import numpy as np


def t_interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Return the confidence interval of the mean of independent `values`.

    Source: Student (1908), as scipy has it.

    Args:
        values: one per seed; under two of them the ends are nan.
        level: how often the interval holds the true mean.
    """
    from scipy import stats

    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return float("nan"), float("nan")
    if np.allclose(values, values[0], rtol=1e-12, atol=0):  # scipy warns of these
        return float(values.mean()), float(values.mean())
    interval = stats.ttest_1samp(values, 0).confidence_interval(level)
    return float(interval.low), float(interval.high)


def block_interval(
    errors: np.ndarray, block: int, level: float = 0.95, draws: int = 2000
) -> tuple[float, float]:
    """Return the interval of the mean of dependent `errors`, in their order.

    Neighbouring forecasts share most of their days, so single errors must not be
    drawn one by one: circular block bootstrap with blocks of `block` examples
    (Politis and Romano, 1992), percentile interval, from arch. The seed is fixed, so
    the same errors give the same interval. `block` 1 is the plain bootstrap.

    Args:
        errors: (examples,), one per test example, in the unit of the metric.
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


def rows(
    headline: str, model: str, errors: dict, rivals: Iterable[str], block: int
) -> list[dict]:
    """Give the mean error of a model, and its difference to its rivals, intervals.

    Intervals are over test examples: each example's error is averaged over the seeds
    first, and differences are paired by example.

    Args:
        headline: the metric that the errors are of.
        model: whose rows these are.
        errors: model -> (examples,), averaged over the seeds.
        rivals: the models to compare with.
        block: neighbouring examples that are not independent.
    """
    own = errors[model]
    compared = [(f"{headline}_mean", "", own)]
    compared += [(f"{headline}_difference", r, own - errors[r]) for r in rivals]
    rows = []
    for metric, rival, values in compared:
        low, high = block_interval(values, block)
        row = {
            "metric": metric,
            "slice": rival,
            "value": float(values.mean()),
            "low": low,
            "high": high,
            "n": len(values),
        }
        rows.append(row)
    return rows


def median_interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Return an interval of the median of independent `values`: two of them.

    For what has outliers without end, such as a logarithm of 0. No distribution is
    assumed: the median lies outside k-th smallest to k-th largest as often as a fair
    coin falls that one-sidedly. Under six values no k is rare enough, and the ends are
    the smallest and the largest.

    Source: order statistics, e.g. Conover (1999), "Practical Nonparametric Statistics".

    Args:
        values: one per seed.
        level: how often the interval holds the true median, at least.
    """
    from scipy import stats

    values = np.sort(np.asarray(values, dtype=float))
    tail = stats.binom.cdf(np.arange(len(values)), len(values), 0.5)
    k = max(1, int((tail <= (1 - level) / 2).sum()))
    return float(values[k - 1]), float(values[-k])
