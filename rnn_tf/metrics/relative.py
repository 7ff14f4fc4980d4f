"""Errors on many series, each relative to a baseline of its own; intervals over series.

Under the geometric mean a model that halves one error and doubles another is as good as
the baseline, and under no other (Davydenko and Fildes, 2013).
"""

from collections.abc import Callable, Iterable

import numpy as np

MAE = "relative_mae"  # MAE, divided by that of the best simple baseline of the series
DRAWS = 2000


def geometric_mean(ratios: np.ndarray) -> float:
    """Return the geometric mean of ratios, (series,) or more; 0 if one of them is 0."""
    return float(_mean(_logarithms(ratios)))


def rows(
    model: str, ratios: dict[str, np.ndarray], rivals: Iterable[str]
) -> list[dict]:
    """Give the mean of a model, and its difference to its rivals, intervals.

    Series are drawn anew, of all models together: the bootstrap of independent series
    (Efron, 1979), percentile intervals of 95 %, as scipy has it. The draws have a fixed
    seed, so the same ratios give the same interval.

    Args:
        model: whose rows these are.
        ratios: model -> (series,), errors averaged over the seeds, relative.
        rivals: the models to compare with.
    """
    own = _logarithms(ratios[model])
    rows = [_row(f"{MAE}_mean", "", _mean, own)]
    for rival in rivals:
        pair = own, _logarithms(ratios[rival])
        rows.append(_row(f"{MAE}_difference", rival, _difference, *pair))
    return rows


def _row(metric: str, rival: str, statistic: Callable, *logarithms) -> dict:
    """Work out a statistic over series, and its interval; of one series alone, nan."""
    from scipy import stats

    low = high = float("nan")
    if len(logarithms[0]) > 1:
        options = {"paired": True, "vectorized": True, "method": "percentile"}
        options |= {"n_resamples": DRAWS, "random_state": 1}
        drawn = stats.bootstrap(logarithms, statistic, **options)
        low, high = map(float, drawn.confidence_interval)
    value, count = float(statistic(*logarithms)), len(logarithms[0])
    ends = {"low": low, "high": high}
    return {"metric": metric, "slice": rival, "value": value, **ends, "n": count}


def _logarithms(ratios: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(np.asarray(ratios, dtype=float))


def _mean(logarithms: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.exp(logarithms.mean(axis=axis))


def _difference(logarithms, others, axis: int = -1) -> np.ndarray:
    return _mean(logarithms, axis) - _mean(others, axis)
