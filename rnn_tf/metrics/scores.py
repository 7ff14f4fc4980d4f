"""What an evaluation gives for one set of predictions."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scores:
    """What `evaluate` says of one set of predictions."""

    metrics: list[dict]  # metric, slice, value, unit, n
    errors: np.ndarray  # (examples,): the headline metric of each example, in order
    predictions: list[dict]  # example, step, target, prediction
