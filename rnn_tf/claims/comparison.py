"""Compare two models of a run, seed by seed. No TensorFlow."""

import math
from dataclasses import dataclass

import numpy as np

from rnn_tf.metrics import intervals
from rnn_tf.metrics.formatting import number
from rnn_tf.runs.finished import Finished

SEEDS = 3  # fewer prove nothing


@dataclass(frozen=True)
class Difference:
    """A model's test score minus another's, paired by seed, with a 95 % interval."""

    value: float
    low: float
    high: float
    seeds: int
    higher: bool = False  # whether a higher score is better, as of BLEU

    @property
    def better(self) -> bool:
        """Whether the interval leaves out 0, on the side of the first model."""
        return self.low > 0 if self.higher else self.high < 0

    @property
    def worse(self) -> bool:
        """Whether the interval leaves out 0, on the side of the other model."""
        return self.high < 0 if self.higher else self.low > 0

    def __str__(self):
        if math.isinf(self.low):
            return f"{number(self.value, '+')} (of {self.seeds} seeds: too few)"
        value, low, high = (number(v, "+") for v in (self.value, self.low, self.high))
        return f"{value} [{low}, {high}]"


def difference(
    run: Finished,
    model: str,
    other: str,
    part: str = "",
    *,
    metric: str | None = None,
    higher: bool = False,
) -> Difference:
    """Subtract the test score of `other` from that of `model`, seed by seed.

    Student's t interval over paired seeds; a baseline has no seeds, and is the same for
    all. Where the run has an interval over test examples too (the rows
    `<metric>_difference`), the interval reaches as far as both: a difference must
    outlast other seeds and other test data. Under three seeds its ends are infinite.

    Args:
        run: with scores of both models.
        model: the first model.
        other: the second one.
        part: a slice of the test set, such as a day ahead; by default all of it.
        metric: of metrics.csv; by default the run's headline.
        higher: whether a higher score is better.
    """
    metric = metric or run.info["headline"]
    first, second = run.scores(model, part, metric), run.scores(other, part, metric)
    if set(second) == {""}:
        second = dict.fromkeys(first, second[""])
    seeds = sorted(set(first) & set(second))
    values = np.array([first[seed] - second[seed] for seed in seeds])
    value = float(values.mean()) if len(values) else math.nan
    if len(seeds) < SEEDS:
        return Difference(value, -math.inf, math.inf, len(seeds), higher)
    low, high = intervals.t_interval(values)
    if not part:
        ends = _ends_over_examples(run, model, other, metric)
        low, high = min([low, *ends]), max([high, *ends])
    return Difference(value, low, high, len(seeds), higher)


def _ends_over_examples(
    run: Finished, model: str, other: str, metric: str
) -> list[float]:
    """Return the ends of the bootstrap's interval of the difference, if it is there."""
    table = run.table("metrics")
    rows = table[table["metric"] == f"{metric}_difference"]
    for first, second, sign in ((model, other, 1), (other, model, -1)):
        row = rows[(rows["model"] == first) & (rows["slice"] == second)]
        if len(row):
            return [sign * float(row.iloc[0][key]) for key in ("low", "high")]
    return []


def paired(first, second, higher: bool = False) -> Difference:
    """Subtract a column of some rows from that of others, seed by seed.

    Args:
        first: pandas Series by seed, one row each.
        second: the same of what it is compared with; seeds that one lacks are left out.
        higher: whether a higher number is better.
    """
    values = (first - second).dropna().to_numpy(float)
    value = float(values.mean()) if len(values) else math.nan
    low, high = -math.inf, math.inf
    if len(values) >= SEEDS:
        low, high = intervals.t_interval(values)
    return Difference(value, low, high, len(values), higher)
