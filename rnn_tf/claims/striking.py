"""Choose the claims that people see first, and say in a line what came of one.

The first page of the README and the start of the report show the same. No TensorFlow.
"""

from collections import Counter

from rnn_tf.claims.verdict import REFUTED, VERDICTS

# In the order of the experiments, one to three of each.
STRIKING = (
    "S3 S8 Q4 M7 G1 G14 G18 P4 P8 L6 E3 F1 K1 K2 M5 V3 D2 E5"
).split()  # fmt: skip
LENGTH = 110  # characters of a line
EXACT = "experiments.facts"  # in the command of a run that lists case after case


def striking(rows: list[dict]) -> list[dict]:
    """Choose the striking ones of the rows of `answers.csv`, in their own order."""
    by_name = {row["claim"]: row for row in rows}
    return [by_name[name] for name in STRIKING if name in by_name]


def refuted(claims: list[dict]) -> list[dict]:
    """Choose the striking claims that are refuted."""
    return [row for row in striking(claims) if row["verdict"] == REFUTED]


def count_verdicts(claims: list[dict]) -> dict[str, int]:
    """Count how many claims came to each verdict that there is, in their order."""
    counts = Counter(row["verdict"] for row in claims)
    return {verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]}


def outcome(row: dict, length: int = LENGTH) -> str:
    """Say in a line what was measured: the condition, or the first of the numbers.

    Args:
        row: of `answers.csv`.
        length: characters that the line should not pass.
    """
    if row["condition"]:
        return first_clauses(row["condition"], length)
    evidence = row["evidence"].split(" | ")
    if not row["runs"]:
        return first_clauses(evidence[0], length)
    commands = row["commands"].split("; ")
    trained = [
        text
        for text, command in zip(evidence, commands, strict=False)
        if EXACT not in command
    ]
    _, _, numbers = (trained or evidence)[0].partition(": ")  # after the run's name
    return first_clauses(numbers, length)


def first_clauses(text: str, length: int) -> str:
    """Keep the clauses of a text that fit, from the first on, which stays whole."""
    kept, *rest = text.split("; ")
    for clause in rest:
        if len(f"{kept}; {clause}") > length:
            return f"{kept}; …"
        kept = f"{kept}; {clause}"
    return kept
