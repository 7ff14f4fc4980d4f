"""Judge forecasts on many series: by a run for each, and by one for all together.

Errors of series in other units have no mean, so each is divided by that of the best
simple baseline on the series' test days, a hard judge. Two entries stand for the way a
run decides: `chosen`, for each series the network that did best on its validation, and
`recommended`, the best there of any kind.
"""

from collections.abc import Iterable

import lazy_loader
import numpy as np

from rnn_tf import files
from rnn_tf.errors import RunError
from rnn_tf.metrics import conformal, relative
from rnn_tf.recipe.series_part import GLOBAL, Part, simple
from rnn_tf.runs.finished import DECISIONS
from rnn_tf.runs.run_folder import Run
from rnn_tf.text import quote

pd = lazy_loader.load("pandas")

COLUMNS = "series model kind validation test relative rank n".split()
DAYS = "series model date forecast low_80 high_80 low_95 high_95".split()
SHOWN = 5  # series that a note names, at most

# ---------------------------------------------------------------- the joint run


def judge(
    run: Run, parts: dict[str, list[Part]], facts: dict, rivals: Iterable[str]
) -> dict[str, list[dict]]:
    """Add the rows of metrics.csv over all series; write series.csv and forecast.csv.

    Args:
        run: the joint run.
        parts: series -> the parts that know it.
        facts: of the data of all series, as config.json has it.
        rivals: models that all are compared with, beside the best baseline.

    Returns:
        "series": the error of each model on each series. "forecast": the days to come.

    Raises:
        RunError: a simple baseline has no error, whatever the series.
    """
    decisions = {series: decide(of) for series, of in parts.items()}
    table = pd.concat(
        [series_table(series, parts[series], decisions[series]) for series in parts]
    )
    errors = relative_errors(table)
    baselines = table.loc[table["kind"] == "baseline", "model"]
    means = {m: relative.geometric_mean(errors[m]) for m in errors}
    best = min((m for m in means if m in set(baselines)), key=means.get)
    run.add("metrics", metric_rows(table, errors, [best, *rivals]))
    run.add("metrics", day_rows(parts))
    run.add("metrics", coverage_rows(decisions))
    run.add("trials", _final_fits(parts))
    rows = {
        "series": table[COLUMNS].to_dict("records"),
        "forecast": days_to_come(decisions),
    }
    files.write_csv(run.path / "series.csv", COLUMNS, rows["series"])
    files.write_csv(run.path / "forecast.csv", DAYS, rows["forecast"])
    chosen, recommended = DECISIONS
    run.record(
        headline=relative.MAE,
        devices=next(iter(parts.values()))[0].run.info["devices"],
        data=_with_note(facts, table),
        best_baseline=best,
        chosen=chosen,
        recommended={
            "model": recommended,
            "parts": [recommended],
            "series": {
                series: {"run": part.run.name, "model": part.name(model)}
                for series, (part, model) in _of(decisions, recommended)
            },
        },
    )
    return rows


def decide(parts: list[Part]) -> dict[str, tuple[Part, str]]:
    """Decide between the parts of a series: decision -> the part, and its model.

    What did better on validation counts. Parts may cut it into other blocks, so errors
    are measured by that of the best simple baseline there.
    """
    tables = [part.errors() for part in parts]
    common = set.intersection(*(set(simple(table)) for table in tables))

    def error(at: int, name: str) -> float:
        errors = tables[at]["validation"]
        best = errors[list(common)].min() or 1.0  # none, of what is closed
        return errors[parts[at].decision(name)] / best

    def best(name: str) -> Part:
        return parts[min(range(len(parts)), key=lambda at: error(at, name))]

    return {name: (best(name), best(name).decision(name)) for name in DECISIONS}


def _of(decisions: dict, name: str) -> list[tuple[str, tuple[Part, str]]]:
    """List the series, each with the part and the model of one decision."""
    return [(series, of[name]) for series, of in decisions.items()]


# ---------------------------------------------------------------- tables


def series_table(series: str, parts: list[Part], decisions: dict):
    """Make the rows of series.csv that are of one series.

    Baselines are those of the first part.

    Returns:
        A DataFrame with `COLUMNS`, and by_seed, seed -> error on test.
    """
    tables = []
    for at, part in enumerate(parts):
        errors = part.errors()
        errors = errors[(errors["kind"] != "baseline") | (at == 0)]
        tables.append(errors.assign(model=errors["name"]))
    best = tables[0].loc[simple(tables[0]), "test"].min()
    for name, (part, model) in decisions.items():
        row = part.errors().loc[[model]].assign(model=name, kind="ensemble")
        tables.append(row.assign(by_seed=[{"": row["test"].item()}]))
    table = pd.concat(tables, ignore_index=True)
    return table.assign(
        series=series,
        relative=table["test"] / best if best > 0 else np.nan,
        rank=table["test"].rank(method="min").astype(int),
    )


def relative_errors(table) -> dict[str, np.ndarray]:
    """Return model -> (series,): its relative errors, averaged over the seeds.

    Models that a series lacks are left out, and series on which a simple baseline has
    no error at all, such as one that was closed.

    Raises:
        RunError: no series is left.
    """
    wide = table.pivot_table(index="series", columns="model", values="relative")
    if wide.empty:
        raise RunError("a simple baseline has no error on the test days of any series")
    wide = wide.dropna(axis="columns")
    return {model: wide[model].to_numpy() for model in wide}


def metric_rows(table, errors: dict[str, np.ndarray], rivals: list[str]) -> list[dict]:
    """Make the rows of metrics.csv over all series, model by model.

    Args:
        table: of all series, see `series_table`.
        errors: see `relative_errors`.
        rivals: models that all are compared with; a global network also with its local
            twin.
    """
    rows, standing = [], standings(errors)
    known = table[table["relative"].notna()]
    for (model, kind), of_model in known.groupby(["model", "kind"], sort=False):
        seeds = _by_seed(of_model)
        if model not in errors or not seeds:  # seeds that failed, each on some series
            continue
        base = {"model": model, "kind": kind, "seed": "", "split": "test", "unit": ""}
        twin = [model.removeprefix(GLOBAL)] if model.startswith(GLOBAL) else []
        compared = dict.fromkeys(m for m in (*rivals, *twin) if m in errors)
        more = relative.rows(model, errors, compared) + standing[model]
        rows += [base | row for row in seeds + more]
    return rows


def _by_seed(of_model) -> list[dict]:
    """Average the relative errors of a model over the series, for each seed."""
    best = of_model["test"] / of_model["relative"]
    seeds = pd.DataFrame(of_model["by_seed"].tolist()).dropna(axis="columns")
    return [
        {
            "seed": seed,
            "metric": relative.MAE,
            "slice": "",
            "value": relative.geometric_mean(seeds[seed].to_numpy() / best.to_numpy()),
            "n": len(seeds),
        }
        for seed in seeds
    ]


def day_rows(parts: dict[str, list[Part]]) -> list[dict]:
    """Average the errors of each day ahead, relative to the best simple baseline's.

    Of the runs of each series; that of all series has none of a series and a day.
    """
    tables = []
    for own in [of[0] for of in parts.values() if not of[0].series]:
        rows = own.run.errors()
        rows = rows[rows["slice"] != ""]
        basic = rows[rows["model"].isin(simple(own.errors()))]
        best = rows["slice"].map(basic.groupby("slice")["value"].min())
        tables.append(rows[best > 0].assign(relative=rows["value"] / best))
    if not tables:
        return []
    keys = "model kind seed split slice".split()
    groups = pd.concat(tables).groupby(keys, sort=False)["relative"]
    rows = groups.agg(value=relative.geometric_mean, n="size").reset_index()
    rows = rows[rows["n"] == rows.groupby("slice")["n"].transform("max")]
    days = rows["slice"].astype(int)
    return rows.assign(slice=days, metric=relative.MAE, unit="").to_dict("records")


def standings(errors: dict[str, np.ndarray]) -> dict[str, list[dict]]:
    """Make the rows of a model's mean rank, and of the share of series it has won."""
    frame = pd.DataFrame(errors)
    ranks = frame.rank(axis="columns").mean()
    won = 100 * (frame < 1).mean()
    base = {"slice": "", "n": len(frame)}
    return {
        model: [
            base | {"metric": "mean_rank", "value": float(ranks[model])},
            base | {"metric": "share_won", "value": float(won[model]), "unit": "%"},
        ]
        for model in frame
    }


def coverage_rows(decisions: dict) -> list[dict]:
    """Make the rows of what the intervals cover: of each series, and on average."""
    name, rows = DECISIONS[1], []
    base = {"model": name, "kind": "ensemble", "seed": "", "split": "test", "unit": "%"}
    for level in conformal.LEVELS:
        metric, shares = f"coverage_{level}", []
        for series, (part, model) in _of(decisions, name):
            table = part.rows(metric)
            row = table[table["model"] == model].iloc[0]
            share = {"value": float(row["value"]), "n": int(row["n"])}
            shares.append(base | {"metric": metric, "slice": series} | share)
        mean = float(np.mean([row["value"] for row in shares]))
        over = {"metric": metric, "slice": "", "value": mean, "n": len(shares)}
        rows += [base | over, *shares]
    return rows


def days_to_come(decisions: dict) -> list[dict]:
    """Make the rows of forecast.csv: for each series, by what is recommended."""
    rows = []
    for series, (part, model) in _of(decisions, DECISIONS[1]):
        table = part.run.table("forecast")
        if part.series:
            table = table[table["series"] == part.series]
        base = {"series": series, "model": part.name(model)}
        rows += [base | row for row in table.to_dict("records")]
    return rows


def _final_fits(parts: dict[str, list[Part]]) -> list[dict]:
    """Return the rows of trials.csv that are of final fits, each run's once."""
    runs = {part.run.folder: part for of in parts.values() for part in of}
    rows = []
    for part in runs.values():
        table = part.run.table("trials")
        table = table[table["phase"] == "final"]
        rows += table.assign(model=part.prefix + table["model"]).to_dict("records")
    return rows


def _with_note(facts: dict, table) -> dict:
    """Note the series that have no relative errors, in what config.json records."""
    lost = dict.fromkeys(table.loc[table["relative"].isna(), "series"])
    if not lost:
        return facts
    note = (
        f"left out of all that is relative: {len(lost)} series on whose test days a "
        f"simple baseline has no error ({', '.join(map(quote, [*lost][:SHOWN]))})"
    )
    notes = {"notes": [*facts["notes"], note], "says": f"{facts['says']}; {note}"}
    return facts | notes
