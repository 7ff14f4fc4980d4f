"""Several folds as one run: what a joint run leaves, and what its tables average."""

import csv
import dataclasses
import json
import shutil

import numpy as np
import pytest

from experiments import forecast
from rnn_tf import files
from rnn_tf.data.series.synthetic import daily_series
from rnn_tf.errors import InputError
from rnn_tf.recipe import folds, next_days, runner
from rnn_tf.report import summary_rows
from rnn_tf.runs.finished import Finished
from tests.conftest import run_python

pytestmark = pytest.mark.usefixtures("quick_scores")

TINY = {
    "models": ("mlp",),
    "trials": 0,
    "epochs": 1,
    "seeds": 2,
    "lookback": 28,
    "classical": False,
    "jobs": 1,
}


def write_series(path, days: int = 420):
    """Write a file with so many days of the made-up series."""
    series = daily_series(days)
    rows = [
        {"date": d, "value": v}
        for d, v in zip(series.dates.astype(str), series.values.tolist(), strict=True)
    ]
    files.write_csv(path, ["date", "value"], rows)
    return str(path)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("joint")
    data = write_series(folder / "rides.csv")
    return forecast.Config(results=folder / "results", data=data, folds=2, **TINY)


@pytest.fixture(scope="module")
def done(config):
    return forecast.run(config)


def rows_of(path) -> list[dict]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


# ------------------------------------------------------------ what it leaves


def test_each_fold_tests_the_days_after_those_it_knew(done):
    """Would catch folds that test the same days, or that know of those they test."""
    old, new = (part.info["data"]["periods"] for part in done.parts.values())
    assert old["test"][1] < new["test"][0]
    assert np.datetime64(old["test"][1]) + 1 == np.datetime64(new["test"][0])
    assert new["test"][1] == str(daily_series(420).dates[-1])
    for periods in (old, new):
        assert np.datetime64(periods["validation"][1]) + 1 == np.datetime64(
            periods["test"][0]
        )
    assert done.info["data"]["periods"]["test"] == [old["test"][0], new["test"][1]]


def test_the_error_over_all_folds_is_that_of_all_their_forecasts(done):
    """Would catch a mean of folds' means, or one of the newest fold alone."""
    forecasts = [
        row
        for part in done.parts.values()
        for row in rows_of(part.folder / "predictions.csv")
    ]
    for model, seed in (("week_before", ""), ("mlp", "2"), ("mlp_ensemble", "")):
        own = [r for r in forecasts if (r["model"], r["seed"]) == (model, seed)]
        error = [float(r["target"]) - float(r["prediction"]) for r in own]
        expected = {
            "mae": np.abs(error).mean(),
            "rmse": np.square(error).mean() ** 0.5,
        }
        for metric, value in expected.items():
            (row,) = [
                r
                for r in rows_of(done.folder / "metrics.csv")
                if (r["model"], r["seed"], r["split"], r["metric"], r["slice"])
                == (model, seed, "test", metric, "")
            ]
            assert float(row["value"]) == pytest.approx(value)
            assert float(row["n"]) == len(error)


def test_recommended_stands_for_what_each_fold_recommends(done):
    table = rows_of(done.folder / "metrics.csv")
    rows = [r for r in table if r["model"] == "recommended" and not r["slice"]]
    (whole,) = [r for r in rows if (r["split"], r["metric"]) == ("test", "mae")]
    means = [
        float(r["error"])
        for r in rows_of(done.folder / "folds.csv")
        if r["model"] == "recommended"
    ]
    parts = list(done.parts.values())
    counts = [part.info["data"]["windows"]["test"] for part in parts]
    assert float(whole["value"]) == pytest.approx(np.average(means, weights=counts))
    assert [part.info["recommended"]["model"] for part in parts]
    for part, mean in zip(parts, means, strict=True):
        model = part.info["recommended"]["model"]
        assert np.mean(list(part.scores(model).values())) == pytest.approx(mean)
    assert {r["metric"] for r in rows} >= {"mae_mean", "coverage_80", "coverage_95"}
    models = {r["model"] for r in table if r["metric"] == "coverage_80"}
    assert models == {"recommended"}


def test_intervals_are_over_the_windows_of_all_folds(done):
    rows = rows_of(done.folder / "metrics.csv")
    count = sum(p.info["data"]["windows"]["test"] for p in done.parts.values())
    differences = [r for r in rows if r["metric"] == "mae_difference"]
    assert {int(r["n"]) for r in differences} == {count}
    assert {r["slice"] for r in differences} == {done.info["best_baseline"], "mlp"}
    for row in differences:
        assert float(row["low"]) <= float(row["value"]) <= float(row["high"])


def test_the_summary_has_the_joint_run_and_not_its_parts(done, config):
    table = done.tables["summary"]
    assert set(table["run"]) == {done.folder.name}
    assert set(table[table["recommended"]]["model"]) == {"recommended"}
    assert set(table[table["chosen"]]["model"]) == {"chosen"}
    assert summary_rows.read_rows(config.results)[0]["data"] == "rides"


def test_the_days_to_come_are_those_of_the_newest_fold(done, tmp_path, monkeypatch):
    """Would catch the forecast of a fold that does not know the last days."""
    rows = rows_of(done.folder / "forecast.csv")
    assert rows == rows_of(done.newest.folder / "forecast.csv")
    assert rows[0]["date"] == str(daily_series(420).dates[-1] + 1)
    output = tmp_path / "ahead.csv"
    forecast.predict_next_days(model=done.folder, output=output)
    for row, again in zip(rows, rows_of(output), strict=True):
        assert float(again["forecast"]) == pytest.approx(float(row["forecast"]))


@pytest.mark.parametrize("place", ["../elsewhere", "/etc", 7, None])
def test_a_part_that_lies_elsewhere_is_refused(tmp_path, place):
    info = {"experiment": "forecast", "config": {}, "parts": {"fold 1": place}}
    files.write_text(tmp_path / "config.json", json.dumps(info))
    with pytest.raises(InputError, match="damaged"):
        next_days.find(tmp_path)


# ------------------------------------------------------------ a run that goes on


def test_a_joint_run_that_was_stopped_goes_on_with_its_parts(
    done, config, tmp_path, monkeypatch
):
    """Would catch folds that train twice, or other numbers after a kill."""
    config = dataclasses.replace(config, results=tmp_path)
    calls, run_part = [], runner.run

    def stop_at_second(define, options, show=True):
        calls.append(options.fold)
        if options.fold == 2:
            raise KeyboardInterrupt("the part's own words")
        return run_part(define, options, show)

    monkeypatch.setattr(runner, "run", stop_at_second)
    with pytest.raises(KeyboardInterrupt, match="go on with --resume") as stopped:
        forecast.run(config)
    assert "own words" not in str(stopped.value)
    (folder,) = (tmp_path / "forecast").iterdir()
    assert json.loads((folder / "config.json").read_text())["status"] == "interrupted"
    monkeypatch.setattr(runner, "run", run_part)
    calls.clear()
    again = forecast.run(dataclasses.replace(config, resume=folder.name))
    assert (folder / "metrics.csv").read_bytes() == (
        done.folder / "metrics.csv"
    ).read_bytes()
    assert [part.info["config"]["fold"] for part in again.parts.values()] == [1, 2]
    first = again.parts["fold 1"].info
    assert "resumed" not in first


def test_a_fold_that_cannot_run_takes_nothing_with_it(config, tmp_path, monkeypatch):
    """Would catch hours of folds removed, because the last one's file is gone."""
    config, run_part = dataclasses.replace(config, results=tmp_path), runner.run

    def fail_at_second(define, options, show=True):
        if options.fold == 2:
            raise InputError("the file is gone")
        return run_part(define, options, show)

    monkeypatch.setattr(runner, "run", fail_at_second)
    with pytest.raises(InputError, match="gone"):
        forecast.run(config)
    (folder,) = (tmp_path / "forecast").iterdir()
    assert len(list((folder / "parts" / "forecast").iterdir())) == 1


def test_bad_input_of_the_first_fold_leaves_nothing(config, tmp_path):
    short = write_series(tmp_path / "short.csv", 80)
    options = {"data": short, "folds": 3, "results": tmp_path / "results"}
    with pytest.raises(InputError, match="too short for --folds 3: .* take fewer"):
        forecast.run(dataclasses.replace(config, **options))
    assert not (tmp_path / "results" / "forecast").exists()


# ------------------------------------------------------------ tables by hand


def fold(tmp_path, name, values, count):
    """A finished fold with one baseline and one model of two seeds."""
    place, rows = tmp_path / name, []
    place.mkdir()
    for (model, kind, seed), (mae, rmse) in values.items():
        base = {"model": model, "kind": kind, "seed": seed, "split": "test"}
        base |= {"slice": "", "unit": "rides", "n": count}
        rows.append(base | {"metric": "mae", "value": mae})
        rows.append(base | {"metric": "rmse", "value": rmse})
    files.write_csv(place / "metrics.csv", [], rows)
    info = {"headline": "mae", "chosen": "gru", "recommended": {"model": "naive"}}
    info["data"] = {"periods": {"test": ["2020-01-01", "2020-02-01"]}}
    return Finished(place, info)


def two_folds(tmp_path) -> list[Finished]:
    naive, first, second = (
        ("naive", "baseline", ""),
        *(("gru", "tuned", s) for s in "12"),
    )
    old = {naive: (4.0, 3.0), first: (1.0, 1.0), second: (3.0, 1.0)}
    old[("lost", "tuned", "1")] = (1.0, 1.0)
    new = {naive: (8.0, 5.0), first: (2.0, 2.0), second: (5.0, 2.0)}
    return [fold(tmp_path, "old", old, 30), fold(tmp_path, "new", new, 10)]


def test_means_are_weighted_by_windows_and_squares_have_a_mean(tmp_path):
    rows = folds.metric_rows(two_folds(tmp_path))
    values = {(r["model"], r["seed"], r["metric"]): (r["value"], r["n"]) for r in rows}
    assert values["naive", "", "mae"] == (5.0, 40)  # (4 x 30 + 8 x 10) / 40
    assert values["naive", "", "rmse"][0] == pytest.approx(13**0.5)  # (270 + 250) / 40
    assert values["gru", "1", "mae"] == (1.25, 40)
    assert values["chosen", "", "mae"] == (2.375, 40)  # 2 x 3/4 + 3.5 / 4
    assert values["recommended", "", "mae"] == (5.0, 40)
    assert not any(model == "lost" for model, _, _ in values)


def test_a_fold_ranks_its_models_and_measures_them_by_its_best_baseline(tmp_path):
    old, new = two_folds(tmp_path)
    rows = folds.fold_rows({"fold 1": old, "fold 2": new})
    errors = {(r["fold"], r["model"]): (r["error"], r["relative"]) for r in rows}
    assert errors["2", "gru"] == (3.5, 3.5 / 8)
    assert errors["1", "recommended"] == (4.0, 1.0)
    ranks = {r["model"]: r["rank"] for r in rows if r["fold"] == "1"}
    assert ranks["lost"] == 1
    assert ranks["gru"] == 2


# ------------------------------------------------------------ options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 0}, "--folds is 0; it must be at least 1"),
        ({"folds": 2, "fold": 3}, "--fold is 3; with --folds 2 take 1 to 2"),
        ({"fold": 2}, "--fold is 2; with --folds 1 take 1 to 1"),
        ({"data": "cta", "folds": 13}, "--folds is 13; with cta take 1 to 12"),
        (
            {"data": "cta", "folds": 5, "train_from": 2013},
            "take 2001 to 2012, three years before the first of 5 test years",
        ),
        ({"data": "cta", "train_from": 2018}, "take 2001 to 2017$"),
    ],
)
def test_folds_that_there_are_not_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        forecast.Config(**options)


def test_the_first_year_of_cta_is_that_of_the_old_protocol_or_of_the_data():
    assert forecast.Config(data="cta").train_from == 2016
    assert forecast.Config(data="cta", folds=5).train_from == 2001


def test_workers_in_step_share_one_run_at_a_time():
    config = forecast.Config(folds=2, strategy="multiworker")
    with pytest.raises(InputError, match="share one run at a time"):
        forecast.run(config)


def test_the_command_line_takes_folds(tmp_path):
    data = write_series(tmp_path / "rides.csv", 300)
    options = "--folds 2 --fold 1 --models mlp --trials 0 --epochs 1 --seeds 1"
    options += " --lookback 28 --no-classical --jobs 1"
    command = "-m", "experiments.forecast", "--data", data, *options.split()
    process = run_python(*command, "--results", tmp_path / "results")
    assert process.returncode == 0, process.stderr
    (folder,) = (tmp_path / "results" / "forecast").iterdir()
    info = json.loads((folder / "config.json").read_text())
    last = info["data"]["periods"]["test"][1]
    assert last == str(daily_series(300).dates[239])  # 60 days before the end
    shutil.rmtree(folder)
