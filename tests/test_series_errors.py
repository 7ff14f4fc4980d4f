"""What a joint run says of made-up series: each verdict, and what is left out."""

import json

import numpy as np
import pandas as pd
import pytest

from rnn_tf import files
from rnn_tf.claims import rules
from rnn_tf.errors import RunError
from rnn_tf.recipe.many_series import judge
from rnn_tf.recipe.series_part import parts_of
from rnn_tf.runs import run_folder
from rnn_tf.runs.finished import Finished

FACTS = {"source": "shops", "sha256": "1", "unit": "", "notes": [], "says": "shops"}
KINDS = {"last": "baseline", "trees": "baseline", "gru_ensemble": "ensemble"}
DAY = {"date": "2020-01-01", "forecast": 1.0}


def metric_rows(errors, part="", by_day=False):
    """Rows of metrics.csv: model -> (on validation, on test), a list has seeds."""
    rows = []
    for model, pair in errors.items():
        for split, found in zip(("validation", "test"), pair, strict=True):
            seeds = enumerate(found, 1) if isinstance(found, list) else [("", found)]
            for seed, value in seeds:
                row = {"model": model, "kind": KINDS.get(model, "tuned"), "seed": seed}
                row |= {"split": split, "metric": "mae", "value": value, "n": 70}
                slices = [part, *([1, 2] if by_day else [])]
                rows += [row | {"slice": of} for of in slices]
    return rows


def write_run(root, errors, recommended, every=None):
    """Write a finished run of one series; of all if `every` names them."""
    with run_folder.open_run(root, "forecast", {}) as run:
        rows, days = [], []
        for name, of_series in (every or {"": errors}).items():
            rows += metric_rows(of_series, name, by_day=every is None)
            base = {"model": recommended, "kind": "ensemble", "split": "test"}
            for level in (80, 95):
                coverage = {"metric": f"coverage_{level}", "slice": name, "n": 70}
                rows.append(base | coverage | {"value": level - 10.0})
            days.append(({"series": name} if every else {}) | DAY)
        files.write_csv(run.path / "metrics.csv", [], rows)
        files.write_csv(run.path / "forecast.csv", [], days)
        final = {"model": "gru", "phase": "final", "parameters": 7, "seconds": 2.0}
        files.write_csv(run.path / "trials.csv", [], [final])
        decisions = {"chosen": "gru_ensemble", "recommended": {"model": recommended}}
        run.record(headline="mae", devices={}, **decisions)
    return Finished(run.path, json.loads((run.path / "config.json").read_text()))


def local(last=10.0, trees=8.0, gru=(9.0, 7.0, 8.0), validation=8.0):
    return {
        "last": (10.0, last),
        "trees": (10.0, trees),
        "gru": (list(gru), list(gru)),
        "gru_ensemble": (validation, sum(gru) / 3),
    }


def joint(tmp_path, series, every=None, recommended="gru_ensemble"):
    """Judge made-up runs; return the joint run and its tables."""
    own = {
        name: write_run(tmp_path / "parts", errors, recommended)
        for name, errors in series.items()
    }
    whole = every and write_run(tmp_path / "parts", None, recommended, every)
    parts = {name: parts_of(name, own[name], whole) for name in series}
    with run_folder.open_run(tmp_path, "forecast", {}) as run:
        tables = judge(run, parts, FACTS, ["gru"])
    metrics = pd.DataFrame(run.rows["metrics"])
    return run, metrics, {name: pd.DataFrame(rows) for name, rows in tables.items()}


def row(metrics, model, metric, part=""):
    wanted = (metrics["model"] == model) & (metrics["metric"] == metric)
    (found,) = metrics[wanted & (metrics["slice"] == part)].to_dict("records")
    return found


def test_a_network_that_is_better_on_every_series_is_proved_better(tmp_path):
    _, metrics, _ = joint(tmp_path, {name: local() for name in "abcdef"})
    gap = row(metrics, "gru_ensemble", "relative_mae_difference", "trees")
    assert gap["value"] == pytest.approx(0)
    gap = row(metrics, "gru", "relative_mae_difference", "trees")
    assert gap["low"] == gap["high"] == pytest.approx(0)
    better = local(gru=(5.0, 4.0, 6.0))
    _, metrics, _ = joint(tmp_path, dict.fromkeys("abcdef", better))
    assert row(metrics, "gru", "relative_mae_difference", "trees")["high"] < 0
    assert row(metrics, "gru", "share_won")["value"] == 100
    worse = local(gru=(15.0, 14.0, 16.0))
    _, metrics, _ = joint(tmp_path, dict.fromkeys("abcdef", worse))
    assert row(metrics, "gru", "relative_mae_difference", "trees")["low"] > 0
    mixed = {name: (better, worse)[k % 2] for k, name in enumerate("abcdef")}
    _, metrics, _ = joint(tmp_path, mixed)
    gap = row(metrics, "gru", "relative_mae_difference", "trees")
    assert gap["low"] < 0 < gap["high"]


def test_seeds_and_days_are_averaged_over_series(tmp_path):
    """Would catch trees as what all are measured by, and an arithmetic mean."""
    series = {"a": local(), "b": local(last=20.0, gru=(10.0, 10.0, 10.0))}
    _, metrics, tables = joint(tmp_path, series)
    seeds = metrics[(metrics["model"] == "gru") & (metrics["metric"] == "relative_mae")]
    first = seeds[(seeds["seed"] == "1") & (seeds["slice"] == "")]["value"].item()
    assert first == pytest.approx(np.sqrt(0.9 * 0.5))
    day = seeds[(seeds["seed"] == "1") & (seeds["slice"] == 2)]
    assert day["value"].item() == pytest.approx(np.sqrt(0.9 * 0.5))
    assert set(seeds["n"]) == {2}
    of = tables["series"].set_index(["series", "model"])
    assert of.loc[("b", "last"), "relative"] == 1
    assert of.loc[("b", "trees"), "relative"] == pytest.approx(0.4)
    assert of.loc[("b", "gru"), "rank"] == 2


def global_of(names, validation=8.0, gru=(6.0, 6.0, 6.0)):
    return {name: local(gru=gru, validation=validation) for name in names}


@pytest.mark.parametrize(("validation", "best"), [(7.0, "global_"), (9.0, "")])
def test_validation_decides_between_a_series_own_run_and_that_of_all(
    tmp_path, validation, best
):
    """Would catch a decision by test, where the global network is better."""
    every = global_of("ab", validation)
    run, metrics, tables = joint(tmp_path, {n: local() for n in "ab"}, every)
    assert set(tables["forecast"]["model"]) == {f"{best}gru_ensemble"}
    of = tables["series"].set_index(["series", "model"])
    for name in ("chosen", "recommended"):
        own = of.loc[("a", f"{best}gru_ensemble"), "test"]
        assert of.loc[("a", name), "test"] == own
    gap = row(metrics, "global_gru", "relative_mae_difference", "gru")
    assert gap["high"] < 0
    assert "global_last" not in set(tables["series"]["model"])
    assert row(metrics, "recommended", "coverage_80")["value"] == 70
    names = [r["model"] for r in run.rows["trials"]]
    assert sorted(names) == ["global_gru", "gru", "gru"]


def test_other_blocks_of_validation_are_measured_by_their_own_baselines(tmp_path):
    """Would catch a global network that is chosen because its blocks were easier."""
    easier = {
        name: {m: (v / 3 if m != "gru" else v, t) for m, (v, t) in errors.items()}
        for name, errors in global_of("ab", validation=9.0).items()
    }
    _, _, tables = joint(tmp_path, {n: local() for n in "ab"}, easier)
    assert set(tables["forecast"]["model"]) == {"gru_ensemble"}


def test_a_model_that_a_series_lacks_is_left_out(tmp_path):
    series = {"a": local(), "b": local()}
    del series["b"]["trees"]
    run, metrics, tables = joint(tmp_path, series)
    assert "trees" not in set(metrics["model"])
    assert "trees" in set(tables["series"]["model"])
    assert run.info["best_baseline"] == "last"


def test_a_closed_shop_is_left_out_of_what_is_relative_and_named(tmp_path):
    """Would catch a division by the error of a constant that never errs."""
    run, metrics, _ = joint(tmp_path, {"a": local(), "shut": local(last=0.0)})
    assert np.isfinite(metrics["value"]).all()
    assert row(metrics, "gru", "relative_mae_mean")["n"] == 1
    (note,) = run.info["data"]["notes"]
    assert note.endswith("1 series on whose test days a simple baseline has no error "
                         "('shut')")  # fmt: skip
    with pytest.raises(RunError, match="has no error on the test days of any series"):
        joint(tmp_path / "all", {"shut": local(last=0.0)})


def test_names_of_series_stay_text(tmp_path):
    """Would catch shop 007 that is looked for as 7."""
    names = ["007", "NA", "1e3"]
    every = global_of(names, validation=1.0)
    _, _, tables = joint(tmp_path, {n: local() for n in names}, every)
    assert tables["forecast"]["series"].tolist() == names
    assert set(tables["forecast"]["model"]) == {"global_gru_ensemble"}


# ---------------------------------------------------------------- the course's claims

CLAIMS = {
    "F1": rules.mlp_is_a_good_choice,
    "F2": rules.one_neuron_for_all_days,
    "F3": rules.loss_at_every_step,
    "F4": rules.conv_before_rnn,
}


def networks(**means):
    """Errors of a series: baselines, and networks whose seeds lie around a mean."""
    seeds = {name: [mean - 0.1, mean, mean + 0.1] for name, mean in means.items()}
    simple = {"week_before": (10.0, 10.0), "trees": (10.0, 11.0)}
    return simple | {n: (of, of) for n, of in seeds.items()} | {"gru_ensemble": (8, 8)}


def test_claims_are_judged_over_series(tmp_path, monkeypatch):
    """Would catch a joint run of which no rule can read the rows."""
    monkeypatch.setitem(KINDS, "week_before", "baseline")
    good = networks(mlp=5.0, gru=8.0, iterated=7.0, seq2seq=7.0, conv_gru=7.0)
    poor = networks(mlp=9.0, gru=8.0, iterated=9.0, seq2seq=9.0, conv_gru=9.0)
    verdicts = {}
    for name, kinds in (("good", (good,)), ("poor", (poor,)), ("both", (good, poor))):
        series = {f"s{k}": kinds[k % len(kinds)] for k in range(4)}
        run, _, _ = joint(tmp_path / name, series)
        finished = Finished(run.path, run.info)
        verdicts[name] = {c: rule(finished).verdict for c, rule in CLAIMS.items()}
    assert set(verdicts["good"].values()) == {"confirmed"}
    assert verdicts["poor"] == dict.fromkeys(["F2", "F3", "F4"], "refuted") | {
        "F1": "depends"
    }
    assert "refuted" not in verdicts["both"].values()
