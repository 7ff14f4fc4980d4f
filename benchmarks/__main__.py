"""Measure speed side by side: every part, or some.

    make bench                       all of them, 30 minutes on two cores
    make bench-forecast              one part
    python -m benchmarks --parts forecast strokes

Expect the ratios of results/bench.md: training 5 to 6 times as fast as Keras's defaults
for LSTM(32) and GRU(32) on two cores. Contenders beyond stock Keras are installed by
requirements-bench.txt; those that are not installed are left out, with a line that says
so.
"""

import dataclasses
import importlib
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import contest
from rnn_tf import config, files
from rnn_tf.errors import InputError
from rnn_tf.metrics.formatting import plain_table
from rnn_tf.runs.provenance import provenance

PARTS = (
    "forecast",
    "language",
    "translate",
    "sketch",
    "search",
    "strokes",
    "clips",
    "lengths",
    "start",
    "limit",
    "jobs",
)


def works(part: str) -> tuple[contest.Work, ...]:
    """Return the works that a part measures."""
    return importlib.import_module(f"benchmarks.{part}").WORKS


def serve(part: str, work: str, contender: str) -> None:
    """Be one contender, for `contest.measure`.

    Args:
        part: one of PARTS.
        work: name of one of its works.
        contender: name of one of its contenders.
    """
    (chosen,) = (w for w in works(part) if w.name == work)
    (own,) = (c for c in chosen.contenders if c.name == contender)
    contest.serve(own, chosen.warm_up)


def main(
    parts: tuple[str, ...] = PARTS,
    rounds: int | None = None,
    results: Path = Path("results"),
) -> None:
    """Measure side by side; takes some minutes.

    Args:
        parts: Which of forecast, language, translate, sketch, search, strokes, clips,
            lengths, start, limit, jobs.
        rounds: How often each contender is timed; by default what each work says.
        results: Folder for bench.csv and bench.json.
    """
    for part in parts:
        if part not in PARTS:
            raise InputError(f"--parts has {part!r}; known are {', '.join(PARTS)}")
    if rounds is not None and rounds < 1:
        raise InputError(f"--rounds is {rounds}; it must be at least 1")
    console, rows = Console(), []
    results.mkdir(parents=True, exist_ok=True)
    for part in parts:
        for work in works(part):
            if rounds:
                work = dataclasses.replace(work, rounds=rounds)
            with console.status(work.name) as status:
                measured = contest.measure(part, work, _reporter(console, status))
            console.print(table(work, measured))
            rows += measured
            files.write_csv(results / "bench.csv", contest.COLUMNS, rows)
    about = json.dumps(provenance(), indent=2) + "\n"
    files.write_text(results / "bench.json", about)


def _reporter(console: Console, status):
    """Return a function that shows a line: what is left out stays on the screen."""

    def report(line: str) -> None:
        if line.startswith("left out"):
            console.print(line)
        else:
            status.update(line)

    return report


def table(work: contest.Work, rows: list[dict]) -> Table:
    """Show the rows of one work in the terminal."""
    has_result = any("result" in row for row in rows)
    numbers = [work.unit, "quartiles", "ratio", *has_result * ["result"], "MB"]
    shown = plain_table(work.name, ["contender"], numbers)
    for row in rows:
        low, median, high = (f"{row[k]:,.4g}" for k in ("low", "median", "high"))
        cells = row["contender"], median, f"{low} to {high}", f"{row['ratio']:.2f}"
        result = (f"{row['result']:.4g}",) if has_result else ()
        shown.add_row(*cells, *result, f"{row['megabytes']:,.0f}")
    return shown


if __name__ == "__main__":
    name = "python -m benchmarks"
    raise SystemExit(config.program(name, sys.argv[1:], main, serve=serve))
