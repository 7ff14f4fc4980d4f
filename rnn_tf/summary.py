"""The results table: derived from the run folders, never written by hand.

`python -m rnn_tf.summary` is `make summary`. No TensorFlow.
"""

import json
import sys
from pathlib import Path

import filelock
import lazy_loader
from rich import box
from rich.console import Console
from rich.table import Table

from rnn_tf import config, results, stats
from rnn_tf.config import InputError

pd = lazy_loader.load("pandas")

COLUMNS = (
    "experiment run status data model kind chosen metric unit mean sd seeds seed_low "
    "seed_high low high baseline difference difference_low difference_high "
    "parameters seconds commit dirty command"
).split()


def refresh(root: Path):
    """Read every run folder below `root`, write `summary.csv`, return it.

    One process at a time: of two runs that end together, the one that writes last has
    read both.
    """
    with filelock.FileLock(root / ".lock"):
        rows = []
        for path in sorted(root.glob("*/*/config.json")):
            try:
                rows += summarise(path.parent)
            except (ValueError, KeyError, IndexError, TypeError) as error:
                reason = f"{type(error).__name__}: {error}".splitlines()[0]
                print(f"left out: {path.parent} is damaged ({reason})", file=sys.stderr)
        results.write_csv(root / "summary.csv", COLUMNS, rows)
    return pd.DataFrame(rows, columns=COLUMNS)


def summarise(folder: Path) -> list[dict]:
    """One row per model of one run; none while its test set has not been read."""
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
        **{key: info[key] for key in ("commit", "dirty", "command")},
    }
    return [
        shared | _row(model, part, info, trials)
        for model, part in frame.groupby("model", sort=False)
    ]


def _final_runs(folder: Path):
    """Parameters and seconds of the final runs, by model."""
    path = folder / "trials.csv"
    if not path.is_file():
        return pd.DataFrame(columns=["parameters", "seconds"])
    trials = pd.read_csv(path)
    final = trials[trials["phase"] == "final"]
    return final.groupby("model")[["parameters", "seconds"]].mean()


def _row(model: str, part, info: dict, trials) -> dict:
    """Mean, spread and intervals of one model on the test set."""
    headline = info["headline"]
    overall = part[part["slice"].astype(str) == ""]
    scores = overall[overall["metric"] == headline]["value"].astype(float).to_numpy()
    low, high = stats.t_interval(scores)
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
    row |= {"low": float(mean["low"]), "high": float(mean["high"])}
    row |= {"difference": difference["value"]}
    row |= {f"difference_{k}": float(difference[k]) for k in ("low", "high")}
    base = model.removesuffix("_ensemble")
    if base in trials.index:
        row |= {"parameters": int(trials.loc[base, "parameters"])}
        row |= {"seconds": round(trials.loc[base, "seconds"], 1)}
    return row


def verdict(row) -> str:
    """What the interval of the paired difference to the best baseline allows."""
    if row["model"] == row["baseline"]:
        return "(itself)"
    if row["difference_high"] < 0:
        return "better"
    return "worse" if row["difference_low"] > 0 else "unclear"


def show(summary, console: Console, run: str | None = None) -> None:
    """Print one table per run; of `run` alone if it is given."""
    wanted = summary if run is None else summary[summary["run"] == run]
    if wanted.empty:
        console.print("no results yet; try: make results")
    for name, part in wanted.groupby("run", sort=False):
        console.print(_widest(name, part.sort_values("mean"), console))
        console.print(_caption(part), highlight=False)


def _widest(name: str, part, console: Console) -> Table:
    """The table with as much as fits the terminal; cells wrap before they are cut."""
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
    table = Table(title_justify="left", box=box.SIMPLE_HEAD)
    table.padding, table.collapse_padding, table.pad_edge = (0, 1), True, False
    metric = part["metric"].iloc[0].upper()
    table.add_column("model", no_wrap=True)
    table.add_column(f"test {metric}", justify="right", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    if "interval" in columns:
        table.add_column("95 % interval", justify="right", no_wrap=True)
    table.add_column("against best baseline", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for _, row in part.iterrows():
        sd = f" ± {number(row['sd'])}" if row["seeds"] > 1 else ""
        marked = f"{row['model']} *" if row["chosen"] else row["model"]
        cells = [marked, f"{number(row['mean'])}{sd}", str(row["seeds"])]
        if "interval" in columns:
            cells.append(f"{number(row['low'])} to {number(row['high'])}")
        keys = "difference", "difference_low", "difference_high"
        difference, low, high = (number(row[key], "+") for key in keys)
        against = f"{difference} " if "difference" in columns else ""
        table.add_row(*cells, f"{against}[{low}, {high}]", verdict(row))
    return table


def _caption(part) -> str:
    """How to read the table."""
    baseline = part["baseline"].iloc[0]
    return (
        "* chosen on validation. n: seeds; ±: standard deviation over them. Intervals: "
        "95 %, block bootstrap over test examples, errors averaged over the seeds. "
        f"Differences are paired, to {baseline}, the baseline that did best on this "
        "test set; where the interval holds 0, nothing is proved."
    )


def number(value: float, sign: str = "") -> str:
    """Whole from 100 on, three digits below: 41,234 or 0.0412."""
    if abs(value) >= 100:
        return f"{value:{sign},.0f}"
    return f"{value:{sign}.3g}"


def main(results: Path = Path("results")) -> None:
    """Rebuild summary.csv from the run folders and print the tables.

    Args:
        results: Folder that holds the run folders.
    """
    if not results.is_dir():
        raise InputError(f"{results} is not a folder; nothing has run yet")
    show(refresh(results), Console())


if __name__ == "__main__":
    call, program = config.call, "python -m rnn_tf.summary"
    raise SystemExit(config.exit_code(lambda: call(main, program, sys.argv[1:])))
