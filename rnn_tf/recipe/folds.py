"""Judge forecasts by all folds of a series: each tests the days after those it knew.

Rolling origin with an expanding window (Tashman, 2000). Two entries stand for the way
a run decides: `chosen`, in each fold the network that did best on its validation, and
`recommended`, the best there of any kind.
"""

from collections.abc import Iterable

import lazy_loader
import numpy as np

from rnn_tf import files
from rnn_tf.metrics import intervals
from rnn_tf.runs.finished import DECISIONS, Finished
from rnn_tf.runs.run_folder import Run

pd = lazy_loader.load("pandas")

KEYS = "model kind seed split metric slice unit".split()
COLUMNS = "fold begin end model kind error relative rank".split()


def judge(
    run: Run, parts: dict[str, Finished], rivals: Iterable[str], block: int
) -> dict[str, list[dict]]:
    """Add the rows of metrics.csv over all folds, and write folds.csv.

    Args:
        run: the joint run.
        parts: label -> the run of a fold, the oldest first.
        rivals: models that all are compared with, beside the best baseline.
        block: neighbouring windows that are not independent.

    Returns:
        "folds": the error of each model in each fold.
    """
    folds = list(parts.values())
    newest, headline = folds[-1].info, folds[-1].info["headline"]
    rows, errors = metric_rows(folds), example_errors(folds)
    kinds = {row["model"]: row["kind"] for row in rows if row["model"] in errors}
    baselines = [model for model, kind in kinds.items() if kind == "baseline"]
    best = min(baselines, key=lambda model: errors[model].mean())
    compared = dict.fromkeys([best, *(m for m in rivals if m in errors)])
    unit = newest["data"]["unit"]
    for model, kind in kinds.items():
        base = {"model": model, "kind": kind, "seed": "", "split": "test", "unit": unit}
        differences = intervals.rows(headline, model, errors, compared, block)
        rows += [base | row for row in differences]
    run.add("metrics", rows)
    run.add("trials", _final_fits(folds))
    by_fold = fold_rows(parts)
    files.write_csv(run.path / "folds.csv", COLUMNS, by_fold)
    run.record(
        headline=headline,
        devices=newest["devices"],
        data=_facts(folds),
        best_baseline=best,
        chosen=DECISIONS[0],
        recommended={"model": DECISIONS[1], "parts": [DECISIONS[1]]},
    )
    return {"folds": by_fold}


def _facts(folds: list[Finished]) -> dict:
    """Give what config.json records of the data of all folds."""
    first, last = (fold.info["data"] for fold in (folds[0], folds[-1]))
    test = [first["periods"]["test"][0], last["periods"]["test"][1]]
    count = sum(fold.info["data"]["windows"]["test"] for fold in folds)
    says = f"{last['source']}, test {' to '.join(test)} in {len(folds)} folds"
    return last | {
        "periods": {"test": test},
        "windows": {"test": count},
        "says": "; ".join([says, *last["notes"]]),
    }


def _final_fits(folds: list[Finished]) -> list[dict]:
    """Return the rows of trials.csv that are of final fits."""
    tables = (fold.table("trials") for fold in folds)
    rows = [row for table in tables for row in table.to_dict("records")]
    return [row for row in rows if row["phase"] == "final"]


# ---------------------------------------------------------------- tables


def metric_rows(folds: list[Finished]) -> list[dict]:
    """Average the rows of metrics.csv over the windows of all folds.

    A model that a fold lacks is left out.
    """
    tables = [_metrics(fold).assign(fold=n) for n, fold in enumerate(folds)]
    rows = pd.concat(tables)
    power = np.where(rows["metric"] == "rmse", 2.0, 1.0)  # squares have a mean
    rows["total"] = rows["value"].astype(float) ** power * rows["n"]
    groups = rows.groupby(KEYS, sort=False)
    whole = groups.agg(total=("total", "sum"), n=("n", "sum"), of=("fold", "nunique"))
    whole = whole[whole["of"] == len(folds)].reset_index()
    root = np.where(whole["metric"] == "rmse", 0.5, 1.0)
    whole["value"] = (whole["total"] / whole["n"]) ** root
    return whole[[*KEYS, "value", "n"]].to_dict("records")


def _metrics(fold: Finished):
    """Return a fold's rows, and those of its decisions under their own names."""
    table = fold.table("metrics")
    table = table[~table["metric"].str.endswith(("_mean", "_difference"))]
    covers = table["metric"].str.startswith("coverage_")  # of what is recommended
    errors = table[~covers]
    tables = [errors]
    for name, rows in zip(DECISIONS, (errors, table), strict=True):
        rows = rows[rows["model"] == fold.decision(name)]
        rows = rows.assign(model=name, kind="ensemble")
        rows["n"] = rows["n"] / rows["seed"].nunique()
        tables.append(rows.assign(seed=""))
    return pd.concat(tables)


def example_errors(folds: list[Finished]) -> dict[str, np.ndarray]:
    """Return model -> (windows,): its mean absolute error in each window of all folds,
    averaged over the seeds, in the order of time."""
    tables = []
    for fold in folds:
        rows = fold.table("predictions")[["model", "example", "target", "prediction"]]
        rows = rows.assign(error=(rows["target"] - rows["prediction"]).abs())
        table = rows.groupby(["example", "model"])["error"].mean().unstack()
        tables.append(table.assign(**{n: table[fold.decision(n)] for n in DECISIONS}))
    whole = pd.concat(tables).dropna(axis="columns")
    return {model: whole[model].to_numpy() for model in whole}


def fold_rows(parts: dict[str, Finished]) -> list[dict]:
    """Make the rows of folds.csv: the error of each model in each fold, over seeds."""
    rows = []
    for label, fold in parts.items():
        table, (begin, end) = fold.errors(), fold.info["data"]["periods"]["test"]
        table = table[table["slice"] == ""]
        means = table.groupby(["model", "kind"], sort=False)["value"].mean()
        errors = {key: float(value) for key, value in means.items()}
        for name in DECISIONS:
            errors[name, "ensemble"] = means[fold.decision(name)].item()
        best = min(e for (_, kind), e in errors.items() if kind == "baseline")
        order = sorted(errors, key=errors.get)
        base = {"fold": label.removeprefix("fold "), "begin": begin, "end": end}
        rows += [
            base
            | {"model": key[0], "kind": key[1], "error": error}
            | {"relative": error / best, "rank": 1 + order.index(key)}
            for key, error in errors.items()
        ]
    return rows
