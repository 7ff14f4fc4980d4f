"""Derive the results table from the run folders; it is never written by hand.

`python -m rnn_tf.report.summary` is `make summary`. No TensorFlow.
"""

import hashlib
import json
import sys
from pathlib import Path

import filelock
import lazy_loader
from rich.console import Console
from rich.table import Table

from rnn_tf import config, files
from rnn_tf.claims.comparison import difference
from rnn_tf.errors import InputError
from rnn_tf.metrics import intervals
from rnn_tf.metrics.formatting import metric_name, number, plain_table
from rnn_tf.report import markdown
from rnn_tf.runs.finished import Finished, skip_damaged

pd = lazy_loader.load("pandas")

# The keys of config.json's `data` that describe its parts, in any experiment.
SPLIT = "periods windows examples drawings clips groups classes".split()

COLUMNS = (
    "experiment run status data model kind chosen best metric unit mean sd seeds "
    "seed_low seed_high low high baseline difference difference_low difference_high "
    "verdict parameters seconds sha256 split machine commit dirty command"
).split()


def refresh(root: Path):
    """Read every run folder below `root`, write `summary.csv` and `.md`, return it.

    One process at a time: of two runs that end together, the one that writes last has
    read both.
    """
    with filelock.FileLock(root / ".lock"):
        rows = []
        for path in sorted(root.glob("*/*/config.json")):
            rows += skip_damaged(summarise, path.parent) or []
        files.write_csv(root / "summary.csv", COLUMNS, rows)
        complete = [dict.fromkeys(COLUMNS, "") | row for row in rows]
        summary = pd.DataFrame(complete, columns=COLUMNS)
        text = markdown.document(summary, incomparable(summary))
        files.write_text(root / "summary.md", text)
    return summary


def summarise(folder: Path) -> list[dict]:
    """Return a row per model of a run; none before its test set has been read."""
    info = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    metrics = folder / "metrics.csv"
    if "best_baseline" not in info or not metrics.is_file():
        return []
    frame = pd.read_csv(metrics, keep_default_na=False, na_values={"value": [""]})
    frame = frame[frame["split"] == "test"]
    trials = _final_runs(folder)
    shared = {
        "experiment": info["experiment"],
        "run": folder.name,
        "status": info["status"],
        "data": info["data"]["source"],
        "metric": info["headline"],
        "baseline": info["best_baseline"],
        "sha256": info["data"]["sha256"],
        "split": _split(info["data"]),
        **{key: info[key] for key in ("machine", "commit", "dirty", "command")},
    }
    models = frame.groupby("model", sort=False)
    rows = [shared | _row(model, part, info, trials) for model, part in models]
    best = _best(Finished(folder, info), rows)
    for row in rows:
        row |= {"best": row["model"] == best, "verdict": verdict(row)}
    return rows


def _split(data: dict) -> str:
    """Return a checksum of the parts that a run's data was cut into."""
    parts = {key: data[key] for key in SPLIT if key in data}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _best(run: Finished, rows: list[dict]) -> str | None:
    """Return the model that is proved better than every other, or None.

    Models are paired by seed; ensembles have no seeds and are left out.
    """
    entries = [row for row in rows if row["kind"] != "ensemble"]
    first, *others = sorted(entries, key=lambda row: row["mean"])
    gaps = (difference(run, first["model"], row["model"]) for row in others)
    return first["model"] if others and all(gap.better for gap in gaps) else None


def _final_runs(folder: Path):
    """Return parameters and seconds of the final runs, by model."""
    path = folder / "trials.csv"
    if not path.is_file():
        return pd.DataFrame(columns=["parameters", "seconds"])
    trials = pd.read_csv(path)
    final = trials[trials["phase"] == "final"]
    return final.groupby("model")[["parameters", "seconds"]].mean()


def _row(model: str, part, info: dict, trials) -> dict:
    """Return mean, spread and intervals of one model on the test set."""
    headline = info["headline"]
    overall = part[part["slice"].astype(str) == ""]
    scores = overall[overall["metric"] == headline]["value"].astype(float).to_numpy()
    low, high = intervals.t_interval(scores)
    row = {
        "model": model,
        "kind": part["kind"].iloc[0],
        "chosen": model == info.get("chosen"),
        "unit": part[part["metric"] == headline]["unit"].iloc[0],
        "mean": scores.mean(),
        "sd": scores.std(ddof=1) if len(scores) > 1 else "",
        "seeds": len(scores),
    }
    if len(scores) > 1:
        row |= {"seed_low": low, "seed_high": high}
    mean = part[part["metric"] == f"{headline}_mean"].iloc[0]
    differences = part[part["metric"] == f"{headline}_difference"]
    difference = differences[differences["slice"] == info["best_baseline"]].iloc[0]
    row |= {
        "low": float(mean["low"]),
        "high": float(mean["high"]),
        "difference": difference["value"],
        "difference_low": float(difference["low"]),
        "difference_high": float(difference["high"]),
    }
    base = model.removesuffix("_ensemble")
    if base in trials.index:
        row["parameters"] = int(trials.loc[base, "parameters"])
        row["seconds"] = round(trials.loc[base, "seconds"], 1)
    return row


def verdict(row) -> str:
    """Judge a model by the interval of its difference to the best baseline."""
    if row["model"] == row["baseline"]:
        return "(itself)"
    if row["difference_high"] < 0:
        return "better"
    return "worse" if row["difference_low"] > 0 else "unclear"


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
        console.print(_caption(part), highlight=False)


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
    table.title = f"{first['experiment']} on {data} · {name} ({status})"
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
        marked = f"{row['model']} *" if row["chosen"] else row["model"]
        cells = [marked, f"{number(row['mean'])}{sd}", str(row["seeds"])]
        if "interval" in columns:
            cells.append(f"{number(row['low'])} to {number(row['high'])}")
        keys = "difference", "difference_low", "difference_high"
        difference, low, high = (number(row[key], "+") for key in keys)
        against = f"{difference} " if "difference" in columns else ""
        table.add_row(*cells, f"{against}[{low}, {high}]", row["verdict"])
    return table


def _caption(part) -> str:
    """Explain how to read the table."""
    baseline = part["baseline"].iloc[0]
    return (
        "* chosen on validation. n: seeds; ±: standard deviation over them. Intervals: "
        "95 %, block bootstrap over test examples, errors averaged over the seeds. "
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
    console, summary = Console(), refresh(results)
    show(summary, console)
    for line in incomparable(summary):
        console.print(f"not to be compared: {line}", highlight=False, style="yellow")


if __name__ == "__main__":
    raise SystemExit(
        config.program("python -m rnn_tf.report.summary", sys.argv[1:], main)
    )
