"""Choose the claims that people see first, and say in a line what came of one.

The first page of the README and the start of the report show the same. No TensorFlow.
"""

from collections import Counter

from rnn_tf.claims.verdict import REFUTED, VERDICTS

# In the order of the experiments, one to three of each.
STRIKING = "S3 S8 Q4 M7 G1 G14 G18 P4 P8 L6 E3 F1 K1 K2 M5 V3 D2 E5".split()
LENGTH = 110  # characters of a line
LINES = 8  # of refuted claims, which fill a projector's screen
EXACT = "experiments.facts"  # in the command of a run that lists case after case


def striking(rows: list[dict]) -> list[dict]:
    """Choose the striking ones of the rows of `answers.csv`, in their own order."""
    by_name = {row["claim"]: row for row in rows}
    return [by_name[name] for name in STRIKING if name in by_name]


def refuted(claims: list[dict]) -> list[dict]:
    """Choose the striking claims that are refuted, as many as a screen holds."""
    rows = [row for row in striking(claims) if row["verdict"] == REFUTED]
    return rows[:LINES]


def count_verdicts(claims: list[dict]) -> dict[str, int]:
    """Count how many claims came to each verdict that there is, in their order."""
    counts = Counter(row["verdict"] for row in claims)
    return {verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]}


def outcome(row: dict, length: int = LENGTH) -> str:
    """Say in a line what was measured: the condition, and the first of the numbers.

    Args:
        row: of `answers.csv`.
        length: characters that the line should not pass.
    """
    parts = row["condition"], _numbers(row)
    return first_clauses("; ".join(filter(None, parts)), length)


def _numbers(row: dict) -> str:
    """Return the evidence of one run, if there is one that did not list facts."""
    evidence = row["evidence"].split(" | ")
    if not row["runs"]:
        return evidence[0]
    by_command = zip(evidence, row["commands"].split("; "), strict=False)
    trained = [text for text, command in by_command if EXACT not in command]
    return (trained or evidence)[0].partition(": ")[2]  # what follows the run's name


def first_clauses(text: str, length: int) -> str:
    """Keep the clauses of a text that fit, from the first on, which always stays.

    What stands in brackets that are not closed by then is left out.
    """
    kept, *rest = text.split("; ")
    while rest and len(f"{kept}; {rest[0]}") <= length:
        kept = f"{kept}; {rest.pop(0)}"
    if kept.count("(") > kept.count(")"):
        kept = kept[: kept.index(" (")]
    return f"{kept}; …" if rest else kept
