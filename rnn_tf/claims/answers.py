"""Judge the course's claims by the runs there are: `make answers`.

The rules of `course.CLAIMS` judge them by full-size runs, `exact_rules` by runs of
`make facts`. Verdicts: confirmed; refuted; depends, with the condition; not measured,
where there are no rows, fewer than three seeds, or intervals that hold 0. Runs that
disagree give "depends". What no program can check is cited, see `cited`. No TensorFlow.
"""

import sys
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rnn_tf import config, files
from rnn_tf.claims.cited import CITED_CLAIMS
from rnn_tf.claims.course import CLAIMS, Claim
from rnn_tf.claims.exact_rules import exact
from rnn_tf.claims.verdict import (
    CITED,
    CONFIRMED,
    DEPENDS,
    NOT_MEASURED,
    REFUTED,
    VERDICTS,
    Finding,
    Rule,
)
from rnn_tf.errors import InputError
from rnn_tf.metrics.formatting import plain, plain_table
from rnn_tf.runs import finished
from rnn_tf.runs.finished import Finished, skip_damaged

COLUMNS = "claim source text verdict condition evidence runs commands".split()
HOW_TO_READ = (
    "Differences are of test errors, paired by seed, with 95 % intervals; under 0, the "
    "model named first is better."
)
COLOURS = {
    CONFIRMED: "green",
    REFUTED: "red",
    DEPENDS: "yellow",
    CITED: "cyan",
    NOT_MEASURED: "dim",
}


def judge(claim: Claim, runs: list[Finished]) -> dict:
    """Judge one claim; return its row of `answers.csv`.

    Args:
        claim: the claim.
        runs: finished runs; those without rows for it are ignored.
    """
    findings = {run: skip_damaged(_rule(claim, run), run) for run in runs}
    findings = {run: finding for run, finding in findings.items() if finding}
    whole = combine({run.label: finding for run, finding in findings.items()})
    if not findings:
        whole = Finding(
            NOT_MEASURED, f"no full-size run has rows for it: {claim.command}"
        )
    return {
        "claim": claim.name,
        "source": claim.source,
        "text": claim.text,
        "verdict": whole.verdict,
        "condition": whole.condition,
        "evidence": whole.evidence,
        "runs": "; ".join(run.name for run in findings),
        "commands": "; ".join(run.info["command"] for run in findings),
    }


def _rule(claim: Claim, run: Finished) -> Rule:
    """Choose what judges a claim by a run: of `make facts`, the claim's own rows."""
    return exact(claim.name) if run.experiment == "facts" else claim.rule


def combine(findings: dict[str, Finding]) -> Finding:
    """Combine the findings of several runs; where they disagree, it depends."""
    verdicts = {finding.verdict for finding in findings.values()}
    evidence = " | ".join(f"{run}: {f.evidence}" for run, f in findings.items())
    conditions = {finding.condition for finding in findings.values()}
    if len(verdicts) == len(conditions) == 1:
        return Finding(verdicts.pop(), evidence, conditions.pop())
    runs: dict[tuple[str, str], list[str]] = {}
    for run, finding in findings.items():
        runs.setdefault((finding.verdict, finding.condition), []).append(run)
    parts = (_on(some, *of_some) for of_some, some in runs.items())
    return Finding(DEPENDS, evidence, "; ".join(parts))


def _on(runs: list[str], verdict: str, condition: str) -> str:
    """Say the verdict of some runs: in a word, or by what it depends on."""
    names = ", ".join(runs)
    if condition:
        return f"on {names}: {condition.replace('; ', ', ')}"
    return f"{'undecided' if verdict == NOT_MEASURED else verdict} on {names}"


def rows(*folders: Path) -> list[dict]:
    """Return the rows of `answers.csv`, from the runs below some folders."""
    runs = finished.find_runs(*folders)
    judged = [judge(claim, runs) for claim in CLAIMS]
    return judged + [claim.row() for claim in CITED_CLAIMS]


def refresh(root: Path, reference: Path) -> list[dict]:
    """Judge every claim, write `answers.csv` below `root`, return its rows."""
    judged = rows(reference, root)
    files.write_csv(root / "answers.csv", COLUMNS, judged)
    return judged


def table(judged: list[dict], numbers: bool = True) -> Table:
    """Make a table of the rows of `answers.csv`; without `numbers` in short."""
    headings = ["", "verdict", "claim, and what was measured"]
    shown = plain_table("The course's claims, measured", headings)
    shown.show_lines, shown.pad_edge = numbers, False
    shown.columns[-1].overflow = "fold"
    for row in judged:
        verdict = Text(row["verdict"], style=COLOURS[row["verdict"]])
        lines = [plain(row["text"])]
        if row["condition"]:
            lines.append(plain(row["condition"], COLOURS[DEPENDS]))
        if numbers:
            lines.append(plain(row["evidence"], "dim"))
        shown.add_row(row["claim"], verdict, Text("\n").join(lines))
    shown.caption = f"{counts(judged)}. "
    shown.caption += HOW_TO_READ if numbers else "The numbers: make answers."
    return shown


def counts(judged: list[dict]) -> str:
    """Say in words how many claims came to each verdict."""
    numbers = Counter(row["verdict"] for row in judged)
    return ", ".join(f"{numbers[verdict]} {verdict}" for verdict in VERDICTS)


def main(
    results: Path = Path("results"), reference: Path = Path("results/reference")
) -> None:
    """Judge the course's claims by the runs there are; write answers.csv.

    Args:
        results: Folder that holds your run folders, and gets answers.csv.
        reference: Folder of the reference runs, which count too.
    """
    if not results.is_dir():
        raise InputError(f"{results} is not a folder; nothing has run yet")
    with files.disk_errors(results):
        judged = refresh(results, reference)
    Console().print(table(judged))


if __name__ == "__main__":
    raise SystemExit(
        config.program("python -m rnn_tf.claims.answers", sys.argv[1:], main)
    )
