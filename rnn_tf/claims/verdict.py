"""Make one verdict on a claim of several comparisons or facts of a run.

A model is better than another only where the interval of the paired difference of
their errors leaves out 0 (`comparison.difference`).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from rnn_tf.claims.comparison import Difference, difference
from rnn_tf.runs.finished import Finished

CONFIRMED, REFUTED, DEPENDS = "confirmed", "refuted", "depends"
CITED = "cited"  # where no program can check, but somebody wrote on it
NOT_MEASURED = "not measured"  # no rows, or too few seeds, or too wide intervals
VERDICTS = CONFIRMED, REFUTED, DEPENDS, CITED, NOT_MEASURED

# With what a name begins that says how, or when: "by draws", "after 5 steps".
PREPOSITIONS = (
    "after against at before between by from in inside of on over to with without"
).split()
NUMBER = re.compile(r"(?<![\w.-])-?\d+(?:[.,]\d+)*(?:e-?\d+)?(?!\w)")
EQUAL = 1e-5  # between 32-bit results of the same sum in another order


@dataclass(frozen=True)
class Finding:
    """The verdict of one run on a claim, and the numbers behind it."""

    verdict: str
    evidence: str
    condition: str = ""  # on which the verdict DEPENDS


Rule = Callable[[Finished], Finding | None]


def weigh(differences: dict[str, Difference]) -> Finding:
    """Judge the claim that one model is better in all of several comparisons.

    Args:
        differences: what is compared -> the error of the model that the claim favours,
            minus the other's.
    """
    better = [name for name, gap in differences.items() if gap.better]
    evidence = "; ".join(f"{name} {gap}" for name, gap in differences.items())
    if len(better) == len(differences):
        return Finding(CONFIRMED, evidence)
    if better:
        rest = [name for name in differences if name not in better]
        condition = f"proved {for_names(better)}; not {for_names(rest)}"
        return Finding(DEPENDS, evidence, condition)
    if any(gap.worse for gap in differences.values()):
        return Finding(REFUTED, evidence)
    return Finding(NOT_MEASURED, f"undecided: {evidence}")


def by_share(holds: dict, evidence: str, name: Callable | None = None) -> Finding:
    """Judge a claim about exact facts: it holds for all of them, for some, or none.

    Args:
        holds: name of a fact, or its cell, see `by_cell` -> whether the claim holds.
        evidence: the numbers.
        name: names some facts in the condition, "for" included; which says for what
            the claim does not hold, or for what alone it does, if that is less to name.
    """
    if not holds:
        return Finding(NOT_MEASURED, "the run has no rows for it")
    if all(holds.values()):
        return Finding(CONFIRMED, evidence)
    if not any(holds.values()):
        return Finding(REFUTED, evidence)
    name = name or for_names
    fits, fails = ([f for f in holds if holds[f] is fit] for fit in (True, False))
    conditions = f"not {name(fails)}", f"only {name(fits)}"
    return Finding(DEPENDS, evidence, min(conditions, key=_count_names))


def _count_names(condition: str) -> int:
    return 1 + condition.count(", ") + condition.count(" and ")


def by_cell(holds: dict[tuple[str, ...], bool], evidence: str) -> Finding:
    """`by_share` of facts that are cells of a table: ("better", "with attention")."""
    return by_share(holds, evidence, partial(name_cells, every=[*holds]))


def name_cells(cells: list[tuple[str, ...]], every: list[tuple[str, ...]]) -> str:
    """Name some cells of a table briefly: what all values share needs no naming.

    Args:
        cells: those to name, such as all with ("better", ...).
        every: all cells of the table.
    """
    if not every[0]:
        return ""
    groups: dict[str, list[str]] = {}
    for first in dict.fromkeys(cell[0] for cell in cells):
        own, whole = ([c[1:] for c in some if c[0] == first] for some in (cells, every))
        groups.setdefault(name_cells(own, whole), []).append(first)
    (rest, firsts), *others = groups.items()
    if not others and len(firsts) == len({cell[0] for cell in every}):
        return rest
    return ", or ".join(f"{join_names(f)} {rest}".strip() for rest, f in groups.items())


def for_names(names: list[str]) -> str:
    """Say what a verdict is for: "for GRU", but "by draws", where a name says how."""
    text = join_names(names)
    how = all(name.split()[0] in PREPOSITIONS for name in names)
    return text if how else f"for {text}"


def join_names(names: list[str]) -> str:
    """List names, in short where they differ in a number or in the last word alone.

    "after 2 steps", "after 5 steps" become "after 2 and 5 steps".
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for name in names:
        begin, end = _last_item(name)
        groups.setdefault((name[:begin], name[end:]), []).append(name[begin:end])
    return _listed(
        f"{start}{_listed(some)}{end}" for (start, end), some in groups.items()
    )


def _last_item(name: str) -> tuple[int, int]:
    """Find the last number of a name, or its last word: where it begins and ends."""
    numbers = [*NUMBER.finditer(name)]
    return numbers[-1].span() if numbers else (name.rfind(" ") + 1, len(name))


def _listed(items: Iterable[str]) -> str:
    """List items as people do: a, b and c; with one more comma where one is long."""
    items = list(items)
    if len(items) < 2:
        return "".join(items)
    long = any(item.count(" ") > 1 for item in items)
    return f"{', '.join(items[:-1])}{',' * long} and {items[-1]}"


def weigh_pairs(run: Finished, pairs: dict[str, tuple[str, str]]) -> Finding | None:
    """`weigh` the models of each pair, the favoured one first; None without pairs."""
    differences = {name: difference(run, *pair) for name, pair in pairs.items()}
    return weigh(differences) if differences else None
