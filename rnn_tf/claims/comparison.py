"""What the difference of two models proves. No TensorFlow."""

import math
from dataclasses import dataclass

import numpy as np

from rnn_tf.metrics import intervals
from rnn_tf.metrics.formatting import number
from rnn_tf.runs.finished import Finished

SEEDS = 3  # fewer prove nothing


@dataclass(frozen=True)
class Difference:
    """A model's test error minus another's, paired by seed, with a 95 % interval."""

    value: float
    low: float
    high: float
    seeds: int

    @property
    def better(self) -> bool:
        """Whether the interval leaves out 0, below it."""
        return self.high < 0

    @property
    def worse(self) -> bool:
        """Whether the interval leaves out 0, above it."""
        return self.low > 0

    def __str__(self):
        if math.isinf(self.low):
            return f"{number(self.value, '+')} (of {self.seeds} seeds: too few)"
        value, low, high = (number(v, "+") for v in (self.value, self.low, self.high))
        return f"{value} [{low}, {high}]"


def difference(run: Finished, one: str, other: str, part: str = "") -> Difference:
    """The error of `one` minus that of `other` on the test set, or on a slice of it.

    Student's t interval over paired seeds; a baseline has no seeds, and is the same for
    all. Where the run holds an interval over test examples too (the rows
    `<metric>_difference`), the interval reaches as far as both: a difference must
    outlast other seeds and other test data. Under three seeds it has no ends.
    """
    first, second = run.scores(one, part), run.scores(other, part)
    if set(second) == {""}:
        second = dict.fromkeys(first, second[""])
    seeds = sorted(set(first) & set(second))
    values = np.array([first[seed] - second[seed] for seed in seeds])
    value = float(values.mean()) if len(values) else math.nan
    if len(seeds) < SEEDS:
        return Difference(value, -math.inf, math.inf, len(seeds))
    low, high = intervals.t_interval(values)
    if not part:
        ends = _over_examples(run, one, other)
        low, high = min([low, *ends]), max([high, *ends])
    return Difference(value, low, high, len(seeds))


def _over_examples(run: Finished, one: str, other: str) -> list[float]:
    """The ends of the bootstrap's interval of the same difference, if there is one."""
    table = run.table("metrics")
    rows = table[table["metric"] == f"{run.info['headline']}_difference"]
    for model, rival, sign in ((one, other, 1), (other, one, -1)):
        found = rows[(rows["model"] == model) & (rows["slice"] == rival)]
        if len(found):
            return [sign * float(found.iloc[0][key]) for key in ("low", "high")]
    return []
