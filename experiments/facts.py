"""Check the exact claims, one small function each: a shape, a count, an equality.

    make facts                      half a minute at most, most of it TensorFlow's start

No training, and no data but numbers that are drawn with a fixed seed. A function of
`rnn_tf.studies.facts` reads as its claim does, and returns cases: a value each, beside
what would confirm the claim. `facts.csv` holds them all; `facts.md` is the page to
read, with claim, outcome and code of each.
"""

import hashlib
import inspect
import sys
from pathlib import Path

import lazy_loader
from rich.table import Table

from rnn_tf import config, files
from rnn_tf.claims import course, exact_rules
from rnn_tf.claims.exact_rules import value_text
from rnn_tf.devices import backend
from rnn_tf.metrics.formatting import plain_table
from rnn_tf.recipe import progress
from rnn_tf.report.markdown import escape, pipe_table
from rnn_tf.runs import run_folder
from rnn_tf.studies import case, facts, probes
from rnn_tf.studies.facts import Check

keras = lazy_loader.load("keras")

HEADINGS = ["case", "value", "would confirm", "holds"]
INTRODUCTION = """\
# The exact claims, checked

Each claim below is of the course, in our own words. Under it stand what was measured,
what would confirm the claim (written down before), and the code that measured it. The
verdict follows from the last column: all hold, some, or none. `make facts` makes this
page."""

# ---------------------------------------------------------------- evaluation


def table(measured: list[dict]) -> Table:
    """Show the rows of `facts.csv` in the terminal, a claim's name at its first."""
    shown = plain_table("The exact claims, checked", ["", *HEADINGS])
    before = ""
    for row in measured:
        name = row["claim"] if row["claim"] != before else ""
        before = row["claim"]
        shown.add_row(name, *cells(row))
    return shown


def cells(row: dict) -> list[str]:
    """Write the cells of a case, under HEADINGS."""
    holds = "yes" if row["holds"] else "no"
    return [row["case"], value_text(row["value"]), row["confirms"], holds]


def page(claims: dict[str, Check], measured: list[dict]) -> str:
    """Write `facts.md`: of each claim the text, the verdict, the cases and the code."""
    parts = [INTRODUCTION]
    texts = {claim.name: claim.text for claim in course.CLAIMS}
    for claim, check in claims.items():
        rows = [row for row in measured if row["claim"] == claim]
        finding = exact_rules.judge_cases(rows)
        condition = f": {escape(finding.condition)}" if finding.condition else ""
        parts += [
            f"## {claim}: {escape(texts[claim])}",
            f"**{finding.verdict}**{condition}",
            pipe_table(
                [list(map(escape, cells(r))) for r in rows], HEADINGS, ["left"] * 4
            ),
            code_block(check),
        ]
    parts += ["## What the checks share", code_block(case), code_block(probes)]
    return "\n\n".join(parts) + "\n"


def code_block(source) -> str:
    """Write the code of a function or module as Markdown."""
    return f"```python\n{inspect.getsource(source).rstrip()}\n```"


# ---------------------------------------------------------------- run


def main(results: Path = Path("results")) -> Path:
    """Check the exact claims of the course.

    Args:
        results: Folder for the run folder, with facts.csv and facts.md.

    Returns:
        The run folder.
    """
    backend.use_one_thread(backend.import_tensorflow())
    # A run on each engine counts: they are to agree.
    options = {"size": "full", "engine": keras.config.backend()}
    with run_folder.open_run(results, "facts", options) as run:
        sha256 = hashlib.sha256(probes.draw(probes.STEPS).tobytes()).hexdigest()
        run.record(data={"source": "drawn", "sha256": sha256})
        claims = facts.checks()
        with keras.device("cpu"):  # a GPU rounds products to 10 bits
            measured = facts.rows(claims)
        files.write_csv(run.path / "facts.csv", facts.COLUMNS, measured)
        files.write_text(run.path / "facts.md", page(claims, measured))
    console = progress.console()
    if not console.is_jupyter:  # there people show the table themselves
        console.print(table(measured))
    console.print(f"the page, with the code: {run.path / 'facts.md'}")
    return run.path


if __name__ == "__main__":
    raise SystemExit(config.program("python -m experiments.facts", sys.argv[1:], main))
