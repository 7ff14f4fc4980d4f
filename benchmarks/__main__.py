"""`make bench`: every work, every contender; `make bench-forecast` does one part.

    python -m benchmarks
    python -m benchmarks --parts forecast strokes

Contenders beyond stock Keras are installed by requirements-bench.txt; those that are
not are left out, with a word.
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
    "sketch",
    "search",
    "strokes",
    "clips",
    "lengths",
    "start",
    "limit",
)


def works(part: str) -> tuple[contest.Work, ...]:
    """What a part measures."""
    return importlib.import_module(f"benchmarks.{part}").WORKS


def serve(part: str, work: str, contender: str) -> None:
    """Be one contender, for `contest.measure`.

    Args:
        part: one of PARTS.
        work: name of one of its works.
        contender: name of one of its contenders.
    """
    (found,) = (one for one in works(part) if one.name == work)
    (own,) = (one for one in found.contenders if one.name == contender)
    contest.serve(own, found.warm_up)


def main(
    parts: tuple[str, ...] = PARTS,
    rounds: int | None = None,
    results_folder: Path = Path("results"),
) -> None:
    """Measure side by side; takes some minutes.

    Args:
        parts: Which of forecast, sketch, search, strokes, clips, lengths, start, limit.
        rounds: How often each contender is timed; by default what each work says.
        results_folder: Folder for bench.csv and bench.json.
    """
    for part in parts:
        if part not in PARTS:
            raise InputError(f"--parts has {part!r}; known are {', '.join(PARTS)}")
    if rounds is not None and rounds < 1:
        raise InputError(f"--rounds is {rounds}; it must be at least 1")
    console, rows = Console(), []
    results_folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        for work in works(part):
            if rounds:
                work = dataclasses.replace(work, rounds=rounds)
            with console.status(work.name) as status:
                made = contest.measure(part, work, _teller(console, status))
            console.print(table(work, made))
            rows += made
            files.write_csv(results_folder / "bench.csv", contest.COLUMNS, rows)
    about = json.dumps(provenance(), indent=2) + "\n"
    files.write_text(results_folder / "bench.json", about)


def _teller(console: Console, status):
    """What is left out stays on the screen; the rest is a line that changes."""

    def say(line: str) -> None:
        if line.startswith("left out"):
            console.print(line)
        else:
            status.update(line)

    return say


def table(work: contest.Work, rows: list[dict]) -> Table:
    """One work, for the terminal."""
    came_to = any("result" in row for row in rows)
    numbers = [work.unit, "quartiles", "ratio", *came_to * ["result"], "MB"]
    made = plain_table(work.name, ["contender"], numbers)
    for row in rows:
        low, median, high = (f"{row[k]:,.4g}" for k in ("low", "median", "high"))
        cells = row["contender"], median, f"{low} to {high}", f"{row['ratio']:.2f}"
        result = (f"{row['result']:.4g}",) if came_to else ()
        made.add_row(*cells, *result, f"{row['megabytes']:,.0f}")
    return made


if __name__ == "__main__":
    name = "python -m benchmarks"
    raise SystemExit(config.program(name, sys.argv[1:], main, serve=serve))
