"""The scores of one set of predictions, as `evaluate` gives them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scores:
    """Metrics over all examples, the error of each, and what to show of them."""

    metrics: list[dict]  # metric, slice, value, unit, n
    errors: np.ndarray  # (examples,): the headline metric of each example, in order
    predictions: Sequence[dict] = ()  # example, step, target, prediction; () for none
