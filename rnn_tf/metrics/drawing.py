"""Score networks that draw by the probability density that they gave to what came.

Densities depend on the unit: steps are shares of a scale. Times `scale` squared they
would be of another one, ln(scale) * 2 nats a step more.
"""

import numpy as np

from rnn_tf.metrics.scores import Scores


def scores(nats: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> Scores:
    """Score drawings: nats per point, their end counted as one, and what they are of.

    Args:
        nats: (drawings, 3): of all steps, of all states of the pen; and points.
        labels: (drawings,) int.
        classes: their names.

    Returns:
        The error of a drawing is its nats over the mean number of points of a drawing:
        so the mean of the errors is the nats of all over the points of all.
    """
    steps, pens, points = nats.T
    errors = (steps + pens) / points.mean()
    rows = [
        _row("nats", "", errors.mean(), "per point", len(nats)),
        _row("step_nats", "", steps.sum() / points.sum(), "per point", len(nats)),
        _row("pen_nats", "", pens.sum() / points.sum(), "per point", len(nats)),
        _row("drawing_nats", "", (steps + pens).mean(), "per drawing", len(nats)),
    ]
    for label in np.unique(labels):
        own = labels == label
        value = (steps + pens)[own].sum() / points[own].sum()
        rows.append(_row("nats", classes[label], value, "per point", int(own.sum())))
    return Scores(rows, errors)


def _row(metric: str, part: str, value: float, unit: str, n: int) -> dict:
    row = {"metric": metric, "slice": part, "value": float(value), "unit": unit}
    return row | {"n": n}
