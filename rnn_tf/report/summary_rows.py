"""Derive the rows of summary.csv, one for each model of a run. No TensorFlow."""

import hashlib
import json
from pathlib import Path

import lazy_loader

from rnn_tf import files
from rnn_tf.claims import comparison
from rnn_tf.claims.comparison import difference
from rnn_tf.metrics import intervals
from rnn_tf.runs import finished
from rnn_tf.runs.finished import Finished, skip_damaged
from rnn_tf.text import printable

pd = lazy_loader.load("pandas")

# The keys of config.json's `data` that describe its parts, in any experiment.
SPLIT = "periods windows examples drawings clips groups classes".split()

COLUMNS = (
    "experiment run status data model kind chosen recommended best metric unit mean sd "
    "seeds seed_low seed_high low high baseline difference difference_low "
    "difference_high verdict parameters seconds sha256 split machine commit dirty "
    "command"
).split()


# Rows of runs that have been read before, beside summary.csv; it can be deleted.
CACHE = ".summary.json"
SOURCES = Path(__file__), Path(comparison.__file__), Path(finished.__file__)
TABLES = "config.json", "metrics.csv", "trials.csv"  # that the rows come from


def read_rows(root: Path) -> list[dict]:
    """Return the rows of all runs below `root`; only new or changed ones are read."""
    code = hashlib.sha256(b"".join(path.read_bytes() for path in SOURCES)).hexdigest()
    known, runs, rows = _read_cache(root, code), {}, []
    for path in sorted(root.glob("*/*/config.json")):
        name, stamp = str(path.parent.relative_to(root)), _stamp(path.parent)
        run = known.get(name)
        if run is None or run["stamp"] != stamp:
            read = skip_damaged(summarise, path.parent)
            run = {"stamp": stamp, "rows": read or []}
        if run["rows"]:
            runs[name] = run
            rows += run["rows"]
    if runs != known:
        cache = {"code": code, "runs": runs}
        files.write_text(root / CACHE, json.dumps(cache, default=lambda x: x.item()))
    return rows


def _read_cache(root: Path, code: str) -> dict:
    """Read what is known of each run; nothing if other code has derived it."""
    try:
        cache = json.loads((root / CACHE).read_text(encoding="utf-8"))
        return cache["runs"] if cache["code"] == code else {}
    except (OSError, ValueError, TypeError, LookupError):
        return {}


def _stamp(folder: Path) -> list:
    """Return size and time of each file that the rows of a run come from."""
    paths = [folder / name for name in TABLES]
    stats = [path.stat() if path.is_file() else None for path in paths]
    return [stat and [stat.st_size, stat.st_mtime_ns] for stat in stats]


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
    # Also what is no UTF-8, which would fail in a DataFrame of all runs.
    shared = {k: printable(v) if isinstance(v, str) else v for k, v in shared.items()}
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
        "recommended": model == info.get("recommended", {}).get("model"),
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
