"""Judge the exact claims by the rows of `facts.csv`, of `make facts`.

What would confirm a case stands in the table, beside the check that measured it. A
claim holds for all of its cases, for some, or for none. No TensorFlow.
"""

from rnn_tf.claims.verdict import Finding, Rule, by_share
from rnn_tf.runs.finished import Finished


def exact(claim: str) -> Rule:
    """Make the rule that judges a claim by its rows; None for a run without any."""

    def rule(run: Finished) -> Finding | None:
        table = run.table("facts")
        if table is None or claim not in set(table["claim"]):
            return None
        return judge_cases(table[table["claim"] == claim].to_dict("records"))

    return rule


def judge_cases(rows: list[dict]) -> Finding:
    """Judge a claim by all of its rows, as `facts.csv` holds them."""
    holds = {row["case"]: str(row["holds"]) == "True" for row in rows}
    return by_share(holds, "; ".join(_told(row, holds[row["case"]]) for row in rows))


def _told(row: dict, holds: bool) -> str:
    """Tell what a case measured and, if it refutes the claim, what it should have."""
    value = f"{row['case']}: {value_text(row['value'])}"
    wanted = row["confirms"].removeprefix("equal to ")
    return value if holds else f"{value}, not {wanted}"


def value_text(value: float | str) -> str:
    """Write a value for people: measured numbers in three digits, all else as it is."""
    text = str(value)
    try:
        return text if text.lstrip("-").isdigit() else f"{float(text):.3g}"
    except ValueError:
        return text
