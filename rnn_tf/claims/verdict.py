"""What a run says of a claim, and how several comparisons make one verdict.

A model is better than another only where the interval of the paired difference of
their errors leaves out 0 (`evidence.difference`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from rnn_tf.claims.comparison import Difference, difference
from rnn_tf.runs.finished import Finished

CONFIRMED, REFUTED, DEPENDS = "confirmed", "refuted", "depends"
NOT_MEASURED = "not measured"  # no rows, or too few seeds, or too wide intervals
VERDICTS = CONFIRMED, REFUTED, DEPENDS, NOT_MEASURED

EQUAL = 1e-5  # between 32-bit results of the same sum in another order


@dataclass(frozen=True)
class Finding:
    """What one run says of a claim."""

    verdict: str
    evidence: str
    condition: str = ""  # of what a verdict depends on


Rule = Callable[[Finished], Finding | None]


def weigh(found: dict[str, Difference]) -> Finding:
    """A claim that something is better, in all of several comparisons.

    Args:
        found: what is compared -> the error of what the claim favours, minus the
            other's.
    """
    better = [name for name, said in found.items() if said.better]
    evidence = "; ".join(f"{name} {said}" for name, said in found.items())
    if len(better) == len(found):
        return Finding(CONFIRMED, evidence)
    if better:
        rest = [name for name in found if name not in better]
        condition = f"proved for {joined(better)}; not for {joined(rest)}"
        return Finding(DEPENDS, evidence, condition)
    if any(said.worse for said in found.values()):
        return Finding(REFUTED, evidence)
    return Finding(NOT_MEASURED, f"undecided: {evidence}")


def by_share(holds: dict[str, bool], evidence: str) -> Finding:
    """A claim about exact facts: it holds for all of them, for some, or for none."""
    if not holds:
        return Finding(NOT_MEASURED, "the run has no rows for it")
    if all(holds.values()):
        return Finding(CONFIRMED, evidence)
    if not any(holds.values()):
        return Finding(REFUTED, evidence)
    names = [name for name, fits in holds.items() if not fits]
    return Finding(DEPENDS, evidence, f"not for {joined(names)}")


def joined(names: list[str]) -> str:
    """Names in a row, in short where all but the last word is the same: LSTM x 1, 2."""
    groups: dict[str, list[str]] = {}
    for name in names:
        start, _, end = name.rpartition(" ")
        groups.setdefault(start, []).append(end)
    return ", ".join(f"{k} {', '.join(ends)}".strip() for k, ends in groups.items())


def weigh_pairs(run: Finished, pairs: dict[str, tuple[str, str]]) -> Finding | None:
    """`weigh` the models of each pair, the favoured one first; None without pairs."""
    found = {name: difference(run, *pair) for name, pair in pairs.items()}
    return weigh(found) if found else None
