"""The forecast from end to end: what a run leaves, and what bad input does not."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from experiments import forecast
from rnn_tf.errors import InputError
from rnn_tf.recipe import folds
from rnn_tf.report import next_days, page, summary, summary_rows
from rnn_tf.runs import run_folder
from tests.conftest import ROOT, run_python, take_ctrl_c

pytestmark = pytest.mark.usefixtures("quick_scores")

TINY = {
    "models": ("mlp", "seq2seq"),
    "trials": 2,
    "trial_epochs": 1,
    "epochs": 2,
    "seeds": 2,
    "lookback": 28,
    "classical": False,
}
TINY_OPTIONS = (
    "--models mlp simple_rnn --trials 1 --trial-epochs 1 --epochs 2 --seeds 2 "
    "--lookback 28 --no-classical"
).split()


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """One small run on embedded data."""
    return forecast.run(
        forecast.Config(results=tmp_path_factory.mktemp("results"), **TINY)
    )


def test_a_run_leaves_what_the_readme_promises(done):
    left = {path.name for path in done.folder.iterdir()}
    chosen = json.loads((done.folder / "config.json").read_text())["chosen"]
    assert left - {"recommended.keras"} == {
        "config.json", "trials.csv", "history.csv", "metrics.csv", "predictions.csv",
        "forecasts.png", "error_by_day.png", "learning_curves.png", f"{chosen}.keras",
        "forecast.csv", "next_days.png", "search.png", "hyperparameters.png",
    }  # fmt: skip
    assert ("recommended.keras" in left) == bool(done.recommended.networks)
    for name, columns in run_folder.SCHEMAS.items():
        header = (done.folder / f"{name}.csv").read_text().splitlines()[0].split(",")
        assert header[: len(columns)] == columns


def test_every_column_is_explained():
    """Would catch a column that results/README.md does not know."""
    text = (ROOT / "results" / "README.md").read_text()
    tables = *run_folder.SCHEMAS.values(), summary_rows.COLUMNS, next_days.COLUMNS
    tables += (folds.COLUMNS,)
    for columns in tables:
        for column in columns:
            assert f"`{column}`" in text, f"results/README.md lacks `{column}`"


def test_every_model_and_baseline_has_its_rows(done):
    metrics = rows(done.folder / "metrics.csv")
    kinds = {row["model"]: row["kind"] for row in metrics}
    assert kinds == {
        "last_value": "baseline", "week_before": "baseline", "ridge": "baseline",
        "drift": "baseline", "trees": "baseline",
        "mean_of_4_weeks": "baseline", "median_of_4_weeks": "baseline",
        "year_before": "baseline", "mlp": "answer", "mlp_ensemble": "ensemble",
        "seq2seq": "tuned", "seq2seq_ensemble": "ensemble",
        "mean_of_networks": "ensemble", "mean_of_best": "ensemble",
    }  # fmt: skip
    scores = [r for r in metrics if r["model"] == "mlp" and r["split"] == "test"]
    per_seed = [r for r in scores if r["seed"] == "1"]
    assert len(per_seed) == 4 * (1 + 7)  # metrics x (overall and each day)
    trials = rows(done.folder / "trials.csv")
    assert len(trials) == 2 * (2 + 2)  # models x (trials and seeds)
    assert all(row["status"] == "completed" for row in trials)
    assert len(rows(done.folder / "history.csv")) == 2 * 2 * 2


def test_metrics_can_be_worked_out_again_from_the_predictions(done):
    """Would catch a scale that is left out, or a step that is shifted."""
    frame = done.tables["predictions"]
    error = (frame["target"] - frame["prediction"]).abs()
    again = error.groupby([frame["model"], frame["seed"]]).mean()
    metrics = done.tables["metrics"]
    found = metrics[(metrics["split"] == "test") & (metrics["metric"] == "mae")]
    found = found[found["slice"] == ""].set_index(["model", "seed"])["value"]
    assert len(found) == len(again)
    for key, value in found.items():
        assert again[key] == pytest.approx(value)


def test_an_ensemble_is_the_mean_of_its_seeds(done):
    frame = done.tables["predictions"]
    keys = ["example", "step"]
    seeds = frame[frame["model"] == "mlp"].groupby(keys)["prediction"].mean()
    both = frame[frame["model"] == "mlp_ensemble"].set_index(keys)["prediction"]
    np.testing.assert_allclose(both.sort_index(), seeds.sort_index())


def test_the_choice_is_the_lowest_on_validation(done):
    metrics = done.tables["metrics"]
    overall = metrics[(metrics["slice"] == "") & (metrics["metric"] == "mae")]
    on = overall[overall["split"] == "validation"].groupby(["kind", "model"])["value"]
    on = on.mean().drop(["answer", "tuned"])  # their ensembles stand for them
    info = json.loads((done.folder / "config.json").read_text())
    recommended = info["recommended"]
    assert recommended["model"] == on.droplevel("kind").idxmin()
    networks = on["ensemble"].drop("mean_of_best")  # baselines have a part in it
    assert info["chosen"] == networks.idxmin()
    test = overall[(overall["split"] == "test") & (overall["kind"] == "baseline")]
    best = test.loc[test["value"].idxmin(), "model"]
    assert info["best_baseline"] == best


def test_everyone_is_compared_with_the_best_baseline_and_the_courses_answer(done):
    metrics = done.tables["metrics"]
    info = json.loads((done.folder / "config.json").read_text())
    means = metrics[metrics["metric"] == "mae_mean"].set_index("model")["value"]
    found = metrics[metrics["metric"] == "mae_difference"]
    assert set(found["slice"]) == {info["best_baseline"], "mlp"}
    assert len(found) == 2 * len(means)
    for row in found.to_dict("records"):
        assert row["value"] == pytest.approx(means[row["model"]] - means[row["slice"]])
        assert row["low"] <= row["value"] <= row["high"]


def test_the_saved_model_forecasts_in_riders(done):
    """From the last days, in riders, to the days ahead, in riders."""
    info = json.loads((done.folder / "config.json").read_text())
    path = done.folder / f"{info['chosen']}.keras"
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    frame = done.tables["predictions"]
    frame = frame[frame["model"] == info["chosen"]]
    days = forecast.synthetic.daily_series()
    first = np.flatnonzero(days.dates == np.datetime64(frame["example"].iloc[0]))[0]
    history = model.input_shape[1]
    past = days.values[first - history : first].reshape(1, history, 1)
    ahead = model.predict(past, verbose=0)[0]
    differences = [
        np.abs(of_seed["prediction"].iloc[:7] / ahead - 1).max()
        for _, of_seed in frame.groupby("seed", dropna=False)
    ]
    assert min(differences) < 1e-4  # of several seeds the best one is saved


def test_the_saved_model_knows_no_unit(done):
    """Would catch a unit, or a level, of training in what forecasts from now on."""
    info = json.loads((done.folder / "config.json").read_text())
    path = done.folder / f"{info['chosen']}.keras"
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    values = forecast.synthetic.daily_series().values
    history = model.input_shape[1]
    ends = history + np.arange(0, 1000, 50)
    past = np.stack([values[end - history : end] for end in ends])[..., None]
    ahead = model.predict(past, verbose=0)
    for factor, offset in ((1000, 5e7), (1, -4e5), (50, 0)):
        moved = model.predict(past * factor + offset, verbose=0)
        np.testing.assert_allclose((moved - offset) / factor, ahead, rtol=1e-3)


def test_seeds_validate_a_block_each_and_their_ensemble_all(tmp_path):
    """Would catch validation of what was trained on, or an ensemble of one fold."""
    options = TINY | {"models": ("mlp",), "trials": 0, "seeds": 3, "epochs": 1}
    config = forecast.Config(results=tmp_path, **options)
    metrics = forecast.run(config).tables["metrics"]
    overall = metrics[(metrics["slice"] == "") & (metrics["metric"] == "mae")]
    counts = overall.set_index(["split", "model", "seed"])["n"]
    cut = forecast.load_data(config).source
    assert cut.periods.blocks == 3
    blocks = [cut.of_fold(fold).targets("validation").size for fold in range(3)]
    every = cut.targets("validation").size
    assert sum(blocks) == every
    of_seeds = counts["validation"]["mlp"]
    assert of_seeds.tolist() == blocks
    assert counts["validation"]["mlp_ensemble"].tolist() == [every]
    assert counts["validation"]["ridge"].tolist() == [every]
    assert set(counts["test"]) == {cut.targets("test").size}


def test_predict_gives_what_the_run_has_written(done, tmp_path):
    """Would catch intervals, parts or a level that config.json does not keep whole."""
    forecast.predict_next_days(model=done.folder, output=tmp_path / "again.csv")
    again, first = rows(tmp_path / "again.csv"), rows(done.folder / "forecast.csv")
    assert len(first) == len(again) == 7
    for row, same in zip(first, again, strict=True):
        assert row.pop("date") == same.pop("date")
        values = [list(map(float, r.values())) for r in (row, same)]
        np.testing.assert_allclose(*values, rtol=1e-4)


def test_the_coverage_on_test_is_that_of_the_recommended_predictions(done):
    """Would catch rows of another entry, or intervals that test has seen."""
    info = json.loads((done.folder / "config.json").read_text())
    name, facts = info["recommended"]["model"], info["intervals"]
    metrics, frame = done.tables["metrics"], done.tables["predictions"]
    frame = frame[frame["model"] == name]
    errors = (frame["target"] - frame["prediction"]).to_numpy().reshape(-1, 7)
    cut = done.data.source
    errors = np.abs(errors) / cut.levels[cut.origins["test"], 1:]
    for level in ("80", "95"):
        (row,) = metrics[metrics["metric"] == f"coverage_{level}"].to_dict("records")
        share = 100 * (errors <= facts["half_widths"][level]).mean()
        assert (row["model"], row["unit"], row["split"]) == (name, "%", "test")
        np.testing.assert_allclose(row["value"], share)


def test_the_summary_is_derived_from_the_folder(done):
    table = done.tables["summary"].set_index("model")
    metrics = done.tables["metrics"]
    values = metrics[
        (metrics["model"] == "mlp") & (metrics["split"] == "test")
        & (metrics["metric"] == "mae") & (metrics["slice"] == "")
    ]["value"]  # fmt: skip
    row = table.loc["mlp"]
    assert row["mean"] == pytest.approx(values.mean())
    assert row["sd"] == pytest.approx(values.std(ddof=1))
    assert (row["seeds"], row["kind"], row["status"]) == (2, "answer", "complete")
    assert row["low"] < row["mean"] < row["high"]
    trials = done.tables["trials"]
    units = trials[trials["model"] == "mlp"]["hp.units"].iloc[-1]
    assert row["parameters"] == 28 * units + units + units * 7 + 7
    best = table.loc[row["baseline"]]
    assert row["difference"] == pytest.approx(row["mean"] - best["mean"])
    assert best["difference"] == 0
    assert table["chosen"].sum() == 1


@pytest.mark.long
def test_the_same_seed_gives_the_same_csv(done, tmp_path):
    again = forecast.run(forecast.Config(results=tmp_path, **TINY))
    for name in ("metrics.csv", "predictions.csv"):
        before, after = (d / name for d in (done.folder, again.folder))
        assert before.read_bytes() == after.read_bytes(), name
    for name in ("trials", "history"):
        before, after = (d.tables[name].drop(columns="seconds") for d in (done, again))
        assert before.equals(after), name


@pytest.mark.long
def test_two_replicas_run_the_whole_recipe(tmp_path):
    config = forecast.Config(
        results=tmp_path, strategy="mirrored", **TINY | {"models": ("mlp",)}
    )
    info = json.loads((forecast.run(config).folder / "config.json").read_text())
    assert info["devices"]["replicas"] == 2
    assert info["status"] == "complete"


# ------------------------------------------------------------------- bad input


def daily(count: int, value=lambda i: 100 + 10 * (i % 7) + i * i % 13) -> str:
    """A CSV file of so many days."""
    first = np.datetime64("2020-01-01")
    lines = [f"{first + i},{value(i)}" for i in range(count)]
    return "\n".join(["date,value", *lines])


BAD = {
    "too short": (daily(40), "is too short.*needs .* days .* has 40"),
    "constant": (daily(400, lambda i: 5), "is constant in training"),
    "a gap": (daily(400).replace("2020-03-01,", "2031-03-01,"), "--fill seasonal"),
    "text": (daily(400).replace(",104", ",a lot", 1), "'a lot' is not a finite number"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_leaves_no_run_folder(case, csv_file, tmp_path):
    content, said = BAD[case]
    config = forecast.Config(
        data=str(csv_file(content)), results=tmp_path / "results", **TINY
    )
    with pytest.raises(InputError, match=said):
        forecast.run(config)
    assert not list((tmp_path / "results").rglob("*"))


@pytest.mark.slow
def test_bad_data_is_one_line_and_exit_code_2(tmp_path):
    done = run_python(
        "-m", "experiments.forecast", "--data", tmp_path / "absent.csv",
        "--results", tmp_path / "results",
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "absent.csv', but there is no such file or folder; it can also be" in (
        done.stderr
    )
    assert done.stdout == ""
    assert not list((tmp_path / "results").rglob("*"))


def test_a_shuffled_file_with_gaps_and_duplicates_runs(csv_file, tmp_path):
    """A user's own series, as it comes: filled and dropped rows are recorded."""
    lines = daily(420).splitlines()
    kept = [lines[0], *reversed(lines[1:200] + lines[202:]), lines[7]]
    config = forecast.Config(
        data=str(csv_file("\n".join(kept))),
        fill="seasonal",
        results=tmp_path / "results",
        **TINY | {"models": ("mlp",), "trials": 0, "seeds": 1},
    )
    done = forecast.run(config)
    info = json.loads((done.folder / "config.json").read_text())
    assert info["data"]["notes"] == [
        "dropped 1 identical duplicate rows",
        "filled 2 missing days (seasonal)",
    ]
    assert info["data"]["source"] == "series"
    assert "year_before" not in set(done.tables["metrics"]["model"])


def test_trading_days_run_to_the_end(csv_file, tmp_path):
    """Would catch a week of seven days anywhere: windows, baselines, MASE, pictures."""
    days = np.busday_offset("2016-01-04", np.arange(700))
    random = np.random.default_rng(1)
    values = 100 + np.arange(700) % 5 + random.normal(size=700).cumsum()
    lines = [f"{day},{value}" for day, value in zip(days, values, strict=True)]
    del lines[99]
    path = csv_file("\n".join(["date,value", *lines]))
    options = TINY | {"models": ("mlp",), "trials": 0, "seeds": 1, "epochs": 1}
    options |= {"calendar": "business", "lookback": None, "results": tmp_path / "out"}
    done = forecast.run(forecast.Config(data=str(path), **options))
    info = json.loads((done.folder / "config.json").read_text())
    assert info["data"]["notes"] == ["filled 1 missing days (last)"]
    assert (info["config"]["horizon"], info["config"]["lookback"]) == (5, 40)
    metrics = done.tables["metrics"]
    assert set(metrics["slice"].astype(str)) >= {"1", "2", "3", "4", "5"}
    assert "6" not in set(metrics["slice"].astype(str))
    assert "year_before" in set(metrics["model"])
    assert len(list(done.folder.glob("*.png"))) == 4


def test_one_day_ahead_runs_to_the_end(tmp_path):
    options = TINY | {"models": ("mlp",), "trials": 0, "seeds": 1, "epochs": 1}
    done = forecast.run(forecast.Config(horizon=1, results=tmp_path, **options))
    assert "ridge" in set(done.tables["metrics"]["model"])


# ------------------------------------------------------------ Ctrl-C and kill -9


def start(folder) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "experiments.forecast", "--results", str(folder)]
        + TINY_OPTIONS,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "80"},
        preexec_fn=take_ctrl_c,
    )


def wait_for_line(process, word: str) -> None:
    for line in process.stdout:
        if word in line:
            return
    raise AssertionError(f"no line with {word!r}; stderr: {process.stderr.read()}")


@pytest.mark.slow
def test_ctrl_c_keeps_the_rows_that_are_complete(tmp_path):
    process = start(tmp_path)
    wait_for_line(process, "mlp · seed 1/2")
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    (folder,) = (tmp_path / "forecast").iterdir()
    assert process.returncode == 130
    go_on = f"go on with --resume {folder.name}"
    assert error == f"\ninterrupted: the rows so far are in {folder}; {go_on}\n"
    assert json.loads((folder / "config.json").read_text())["status"] == "interrupted"
    finals = [r for r in rows(folder / "trials.csv") if r["phase"] == "final"]
    assert finals[0]["seed"] == "1"
    assert len(rows(folder / "history.csv")) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("pause", [0.0, 0.4, 1.3])
@pytest.mark.long
def test_kill_9_leaves_whole_files(tmp_path, pause):
    """Would catch a file written in place, and a summary that trips over a dead run."""
    process = start(tmp_path)
    wait_for_line(process, "mlp · seed 1/2")
    time.sleep(pause)
    process.kill()
    process.communicate()
    (folder,) = (tmp_path / "forecast").iterdir()
    assert json.loads((folder / "config.json").read_text())["status"] == "running"
    for path in folder.glob("*.csv"):
        table = rows(path)
        assert table
        assert all(None not in row and None not in row.values() for row in table)
    assert summary.refresh(tmp_path).empty


def test_any_name_of_a_column_comes_to_the_end(csv_file, tmp_path, capsys):
    """Would catch a run that fails, or a table of all runs that does, over a name."""
    name = "[/] $_{$ <img src=x>|`a` \x1b[2J"
    values = np.random.default_rng(1).normal(100, 5, 300)
    days = np.datetime64("2020-01-01") + np.arange(300)
    lines = [f"{day},{value}" for day, value in zip(days, values, strict=True)]
    path = csv_file("\n".join([f"date,{name}", *lines]), "[red]m.csv")
    options = TINY | {"models": ("mlp",), "trials": 0, "seeds": 1, "epochs": 1}
    chosen = {"data": str(path), "value_column": name, "results": tmp_path / "results"}
    done = forecast.run(forecast.Config(**options | chosen))
    assert len(list(done.folder.glob("*.png"))) == 4
    summary.main(tmp_path / "results")
    page.main(tmp_path / "results", done.folder)
    shown = capsys.readouterr()
    assert "[red]m, train" in shown.out
    assert r"[/] $_{$ <img src=x>|`a` \x1b[2J" in shown.out.replace("\n", " ")
    assert "\x1b" not in shown.out
    assert "left out" not in shown.err
