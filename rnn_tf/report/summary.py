"""Derive the results table from the run folders; it is never written by hand.

`python -m rnn_tf.report.summary` is `make summary`. No TensorFlow.
"""

import sys
from pathlib import Path

import filelock
import lazy_loader
from rich.console import Console
from rich.table import Table

from rnn_tf import config, files
from rnn_tf.errors import InputError
from rnn_tf.metrics import relative
from rnn_tf.metrics.formatting import metric_name, number, plain, plain_table
from rnn_tf.report import markdown
from rnn_tf.report.summary_rows import COLUMNS, read_rows

pd = lazy_loader.load("pandas")

SHOWN = 30  # runs, the newest


def refresh(root: Path):
    """Read every run folder below `root`, write `summary.csv` and `.md`, return it.

    One process at a time: of two runs that end together, the one that writes last has
    read both.
    """
    with filelock.FileLock(root / ".lock"):
        rows = read_rows(root)
        files.write_csv(root / "summary.csv", COLUMNS, rows)
        complete = [dict.fromkeys(COLUMNS, "") | row for row in rows]
        summary = pd.DataFrame(complete, columns=COLUMNS)
        shown, older = newest(summary)
        text = markdown.document(shown, incomparable(shown), older)
        files.write_text(root / "summary.md", text)
    return summary


def newest(summary) -> tuple:
    """Return the rows of the newest runs, which are shown; and how many are not."""
    runs = sorted(set(summary["run"]))  # names begin with the time
    return summary[summary["run"].isin(runs[-SHOWN:])], max(0, len(runs) - SHOWN)


def incomparable(summary) -> list[str]:
    """List the runs that cannot be compared with the newest of their experiment."""
    lines = []
    for experiment, rows in summary.groupby("experiment", sort=False):
        runs = rows.drop_duplicates("run").sort_values("run").to_dict("records")
        for run in runs[:-1]:
            reasons = _differences(run, runs[-1])
            if reasons:
                names = f"{run['run']} and {runs[-1]['run']}"
                lines.append(f"{experiment}: {names} have {', '.join(reasons)}")
    return lines


def _differences(run: dict, other: dict) -> list[str]:
    """List what keeps the errors of two runs from being compared."""
    reasons = []
    if run["sha256"] != other["sha256"]:
        reasons.append("other data")
    elif run["split"] != other["split"]:
        reasons.append("other splits")
    if run["metric"] != other["metric"]:
        reasons.append("other metrics")
    if run["commit"] != other["commit"]:
        reasons.append("other commits")
    elif run["dirty"] or other["dirty"]:
        reasons.append("files that differ from the commit")
    return reasons


def show(summary, console: Console, run: str | None = None) -> None:
    """Print one table per run; of `run` alone if it is given."""
    wanted = summary if run is None else summary[summary["run"] == run]
    if wanted.empty:
        console.print("no results yet; try: make results")
    for name, part in wanted.groupby("run", sort=False):
        console.print(_widest(name, part.sort_values("mean"), console))
        console.print(plain(_caption(part)))


def _widest(name: str, part, console: Console) -> Table:
    """Make the table with the most columns that fit the terminal; else cells wrap."""
    unlimited = console.options.update(width=1000)
    for columns in ({"interval", "difference"}, {"difference"}, set()):
        table = _table(part, columns)
        if console.measure(table, options=unlimited).maximum <= console.width:
            break
    else:
        for column in table.columns:
            column.no_wrap, column.overflow = False, "fold"
    first = part.iloc[0]
    unit = f", {first['unit']}" if first["unit"] else ""
    data, status = f"{first['data']}{unit}", first["status"]
    title = f"{first['experiment']} on {data} · {name} ({status})"
    table.title = plain(title, "table.title")
    return table


def _table(part, columns: set[str]) -> Table:
    """Without a title, so that it can be measured; `columns` are those to add."""
    interval = ["95 % interval"] if "interval" in columns else []
    headings = [f"test {metric_name(part['metric'].iloc[0])}", "n", *interval]
    table = plain_table(None, ["model"], [*headings, "against best baseline"])
    table.add_column("")
    table.padding, table.collapse_padding, table.pad_edge = (0, 1), True, False
    for column in table.columns:
        column.no_wrap = True
    for _, row in part.iterrows():
        sd = f" ± {number(row['sd'])}" if row["seeds"] > 1 else ""
        marks = " *" * bool(row["chosen"]) + " +" * bool(row["recommended"])
        marked, mean = f"{row['model']}{marks}", f"{number(row['mean'])}{sd}"
        cells = [marked, mean, str(row["seeds"])]
        if "interval" in columns:
            cells.append(f"{number(row['low'])} to {number(row['high'])}")
        keys = "difference", "difference_low", "difference_high"
        difference, low, high = (number(row[key], "+") for key in keys)
        against = f"{difference} " if "difference" in columns else ""
        table.add_row(*cells, f"{against}[{low}, {high}]", row["verdict"])
    return table


def _caption(part) -> str:
    """Explain how to read the table."""
    baseline, drawn = part["baseline"].iloc[0], "block bootstrap over test examples"
    if part["metric"].iloc[0] == relative.MAE:
        drawn = "bootstrap over series (errors by their best simple baselines')"
    return (
        "* best network on validation, saved. + best there of any kind, recommended. "
        "n: seeds; ±: standard deviation over them. Intervals: "
        f"95 %, {drawn}, errors averaged over the seeds. "
        f"Differences are paired, to {baseline}, the baseline that did best on this "
        "test set; where the interval holds 0, nothing is proved."
    )


def main(results: Path = Path("results")) -> None:
    """Rebuild summary.csv from the run folders and print the tables.

    Args:
        results: Folder that holds the run folders.
    """
    if not results.is_dir():
        raise InputError(f"{results} is not a folder; nothing has run yet")
    console = Console()
    with files.disk_errors(results):
        summary, older = newest(refresh(results))
    show(summary, console)
    if older:
        place = results / "summary.csv"
        console.print(plain(f"{older} older runs are in {place} alone"))
    for line in incomparable(summary):
        console.print(plain(f"not to be compared: {line}", "yellow"))


if __name__ == "__main__":
    raise SystemExit(
        config.program("python -m rnn_tf.report.summary", sys.argv[1:], main)
    )
