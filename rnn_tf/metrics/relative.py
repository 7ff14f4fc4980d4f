"""Errors on many series, each relative to a baseline of its own; intervals over series.

Under the geometric mean a model that halves one error and doubles another is as good as
the baseline, and under no other (Davydenko and Fildes, 2013).
"""

from collections.abc import Iterable

import numpy as np

DRAWS = 2000


def geometric_mean(ratios: np.ndarray) -> float:
    """Return the geometric mean of ratios, (series,) or more; 0 if one of them is 0."""
    return float(_mean(_logarithms(ratios)))


def rows(
    headline: str, model: str, ratios: dict[str, np.ndarray], rivals: Iterable[str]
) -> list[dict]:
    """Give the mean of a model, and its difference to its rivals, intervals.

    Series are drawn anew, all models together: the bootstrap for independent series
    (Efron, 1979), percentile intervals of 95 %, from arch. The draws have a fixed seed.

    Args:
        headline: the metric that the ratios are of.
        model: whose rows these are.
        ratios: model -> (series,), errors averaged over the seeds, relative.
        rivals: the models to compare with.
    """
    own = _logarithms(ratios[model])
    compared = [(f"{headline}_mean", "", [own], _mean)]
    compared += [
        (f"{headline}_difference", rival, [own, _logarithms(ratios[rival])], _gap)
        for rival in rivals
    ]
    rows = []
    for metric, rival, logarithms, statistic in compared:
        low, high = _interval(logarithms, statistic)
        value = float(statistic(*logarithms))
        row = {"metric": metric, "slice": rival, "value": value}
        rows.append(row | {"low": low, "high": high, "n": len(own)})
    return rows


def _interval(logarithms: list[np.ndarray], statistic) -> tuple[float, float]:
    """Return the interval of a statistic over series; of one series alone, nan."""
    from arch.bootstrap import IIDBootstrap

    if len(logarithms[0]) < 2:
        return float("nan"), float("nan")
    bootstrap = IIDBootstrap(*logarithms, seed=1)
    low, high = bootstrap.conf_int(statistic, DRAWS, method="percentile", size=0.95)
    return float(low[0]), float(high[0])


def _logarithms(ratios: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(np.asarray(ratios, dtype=float))


def _mean(logarithms: np.ndarray) -> float:
    return np.exp(logarithms.mean())


def _gap(logarithms: np.ndarray, others: np.ndarray) -> float:
    return _mean(logarithms) - _mean(others)
