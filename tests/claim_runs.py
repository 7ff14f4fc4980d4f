"""Full-size runs with made-up tables, for the tests of claims."""

import itertools

from rnn_tf import files
from rnn_tf.claims import answers, course
from rnn_tf.runs import finished, run_folder

NOISE = -0.1, 0.0, 0.1  # of three seeds
CLAIMS = {claim.name: claim for claim in course.CLAIMS}


def judged(name: str, folder) -> dict:
    """The row of answers.csv on a claim, by the runs in a folder."""
    return answers.judge(CLAIMS[name], finished.find_runs(folder))


def write_run(root, experiment, tables, source="made", **info):
    """Write a finished full-size run with the given tables; return its folder."""
    options = {"size": "full"} | info.pop("config", {})
    with run_folder.open_run(root, experiment, options) as run:
        data = {"source": source, "sha256": f"{len(list(root.iterdir()))}{run.path}"}
        known = {"headline": "mae", "best_baseline": "naive", "data": data}
        run.record(**known | info)
        for name, rows in tables.items():
            files.write_csv(run.path / f"{name}.csv", [], rows)
    return run.path


def scored(errors: dict[str, float | list[float]], days: int = 0) -> dict:
    """Rows of metrics.csv: a baseline has one error, a network one per seed.

    With `days`, each error is that of every day ahead too.
    """
    rows = []
    for model, found in errors.items():
        seeds = [("", found)] if isinstance(found, float) else enumerate(found, 1)
        for (seed, value), part in itertools.product(seeds, ["", *range(1, days + 1)]):
            row = {"model": model, "seed": seed, "split": "test", "metric": "mae"}
            rows.append(row | {"slice": part, "value": value})
    return {"metrics": rows}


def network(error: float, seeds: int = 3, noise: float = 1.0) -> list[float]:
    """The errors of a network over its seeds."""
    return [error + noise * NOISE[seed % 3] for seed in range(seeds)]


def against(winner: str, loser: str, **others):
    """Rows in which one network beats another by far, seed by seed."""
    return scored({winner: network(10), loser: [20.3, 20.1, 20.2]} | others)


def level(*models: str, **others):
    """Rows in which no network is better: what one seed wins, another loses."""
    found = {models[0]: [10.0, 20.0, 15.0], models[1]: [15.0, 10.0, 20.0]}
    return scored(found | others)


def as_given(repairs: int | None) -> dict:
    """Rows of as_given.csv: the program trains after `repairs`, or after none."""
    rows = [
        {"repairs": n, "repair": "", "trains": n == repairs, "error": "ValueError: no"}
        for n in range(5 if repairs is None else repairs + 1)
    ]
    if repairs is not None:
        rows[-1]["error"] = ""
    return {"as_given": rows} | scored({"answer": network(50)})
