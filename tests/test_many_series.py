"""Many series from end to end: a run for each, one for all, and the tables on top."""

import dataclasses
import json

import keras
import numpy as np
import pytest

from experiments import forecast, many_series
from rnn_tf.data.series import synthetic
from rnn_tf.errors import InputError
from rnn_tf.report import summary
from tests.test_forecast import rows

pytestmark = pytest.mark.usefixtures("quick_scores")

NAMES = {"north": 420, "7": 380, "far south": 400}
TINY = {
    "models": ("mlp",),
    "trials": 0,
    "epochs": 1,
    "seeds": 2,
    "lookback": 28,
    "classical": False,
    "jobs": 1,
    "series_column": "store",
}


def some_series():
    """Series of other lengths: name -> the series; series k has a unit of 10^k."""
    return {
        name: synthetic.daily_series(days, seed)
        for seed, (name, days) in enumerate(NAMES.items(), start=1)
    }


@pytest.fixture(scope="module")
def long_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "shops.csv"
    lines = [
        f"{day},{name},{value / 10**k}"
        for k, (name, series) in enumerate(some_series().items())
        for day, value in zip(series.dates, series.values, strict=True)
    ]
    path.write_text("\n".join(["date,store,value", *lines]))
    return path


@pytest.fixture(scope="module")
def config(long_file, tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    return forecast.Config(data=str(long_file), results=results, **TINY)


@pytest.fixture(scope="module")
def done(config):
    """One small run of all series: alone, and together."""
    return forecast.run(config)


@pytest.fixture(scope="module")
def every(done):
    """Its part with the networks that are trained on all series."""
    return done.parts[many_series.EVERY]


# ---------------------------------------------------------------- all at once


def test_the_error_of_a_window_is_measured_by_the_spread_before_it(every):
    """Would catch a mean that the series with the largest numbers decides."""
    frame = every.table("metrics")
    frame = frame[(frame["split"] == "test") & (frame["model"] == "week_before")]
    frame = frame.set_index(["metric", "slice"])
    total, count = 0, 0
    for k, (name, series) in enumerate(some_series().items()):
        values, days = series.values / 10**k, NAMES[name]
        test = days - round(0.2 * days)
        origins = np.arange(test, days - 6)
        ahead = origins[:, None] + np.arange(7)
        errors = np.abs(values[ahead] - values[ahead - 7])
        before = values[origins[:, None] - np.arange(28, 0, -1)]  # the lookback
        level = before.mean(axis=1, keepdims=True)
        spread = np.abs(before - level).mean(axis=1, keepdims=True)
        assert frame.loc[("mae", name), "value"] == pytest.approx(errors.mean())
        assert frame.loc[("mae", name), "n"] == errors.size
        total, count = total + (errors / spread).sum(), count + errors.size
    over = frame.loc[("scaled_mae", "")]
    assert over["n"] == count
    assert over["value"] == pytest.approx(total / count)
    by_day = [frame.loc[("scaled_mae", str(day)), "value"] for day in range(1, 8)]
    assert np.mean(by_day) == pytest.approx(over["value"])


def test_baselines_of_a_series_are_those_of_its_own_run(done, every):
    """Would catch a baseline that stands beside another series' targets."""
    for name in NAMES:
        own = done.parts[f"series {name}"].table("metrics")
        for split in ("validation", "test"):
            alone, among = (
                table[
                    (table["metric"] == "mae")
                    & (table["slice"] == part)
                    & (table["split"] == split)
                    & (table["kind"] == "baseline")
                ].set_index("model")["value"]
                for table, part in ((own, ""), (every.table("metrics"), name))
            )
            assert set(alone.index) == set(among.index)
            np.testing.assert_allclose(among[alone.index], alone)


def test_every_example_has_a_name_of_its_own(every):
    frame = every.table("predictions")
    assert not frame.duplicated(["model", "seed", "example", "step"]).any()
    assert {text.rpartition(" ")[0] for text in frame["example"]} == set(NAMES)
    days = frame[frame["model"] == "mlp"].groupby("example")["step"].count()
    assert days.tolist() == [7 * 2] * 3 * many_series.KEPT


def test_the_saved_model_forecasts_each_series_in_its_own_unit(every):
    """Would catch the level, the spread or the unit of another series."""
    chosen = every.info["chosen"]
    path = every.folder / f"{chosen}.keras"
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    history = model.input_shape[1]
    frame = every.table("predictions")
    frame = frame[frame["model"] == chosen]
    for k, (name, series) in enumerate(some_series().items()):
        for example in [e for e in frame["example"].unique() if e.startswith(name)]:
            date = np.datetime64(example.rpartition(" ")[2])
            first = int((date - series.dates[0]).astype(int))
            past = series.values[first - history : first] / 10**k
            ahead = model.predict(past[None, :, None], verbose=0)[0]
            runs = frame[frame["example"] == example].groupby("seed")
            gaps = [np.abs(of["prediction"] / ahead - 1).max() for _, of in runs]
            assert min(gaps) < 1e-4  # of several seeds the best one is saved


def test_seeds_hold_out_a_block_of_every_series(config):
    """Would catch an ensemble whose forecasts stand beside another series' targets."""
    data = many_series.load_data(config)
    assert data.folds == 2
    parts = [data.seen_by(seed).source.targets("validation") for seed in (1, 2)]
    assert np.array_equal(data.join(parts), data.source.targets("validation"))


# ---------------------------------------------------------------- over all


def test_a_joint_run_leaves_what_the_readme_promises(done):
    left = {path.name for path in done.folder.iterdir()}
    assert left == {
        "config.json", "metrics.csv", "trials.csv", "series.csv", "forecast.csv",
        "error_by_series.png", "error_by_day.png", "parts",
    }  # fmt: skip
    assert list(done.parts) == [*(f"series {n}" for n in NAMES), many_series.EVERY]
    pictures = {p.name for p in done.parts[many_series.EVERY].folder.glob("*.png")}
    assert pictures == {"error_by_day.png", "learning_curves.png"}


def test_each_error_is_divided_by_the_best_simple_baseline_of_its_series(done):
    """Would catch trees, or a network, as what all are measured by."""
    frame = done.tables["series"]
    assert list(frame) == "series model kind validation test relative rank n".split()
    for name, part in frame.groupby("series"):
        own = part.set_index("model")
        simple = own[(own["kind"] == "baseline") & (own.index != "trees")]
        np.testing.assert_allclose(own["relative"], own["test"] / simple["test"].min())
        assert own["rank"].min() == 1
        assert (own["test"].rank(method="min") == own["rank"]).all()
        metrics = done.parts[f"series {name}"].table("metrics")
        metrics = metrics[(metrics["metric"] == "mae") & (metrics["slice"] == "")]
        means = metrics.groupby(["model", "split"])["value"].mean()
        for model in ("ridge", "mlp", "mlp_ensemble", "mean_of_best"):
            for split in ("validation", "test"):
                assert own.loc[model, split] == pytest.approx(means[model, split])
        assert {"global_mlp", "global_mlp_ensemble"} <= set(own.index)
        assert "global_ridge" not in set(own.index)


def test_what_is_recommended_did_best_on_validation_and_is_forecast(done, every):
    """Would catch a decision by test, or days to come of another forecast."""
    frame, metrics = done.tables["series"], done.tables["metrics"]
    coverage = metrics[metrics["metric"] == "coverage_80"].set_index("slice")["value"]
    days = done.tables["forecast"].groupby("series")["model"].agg(list)
    for name, part in frame.groupby("series"):
        own = part.set_index("model")
        alone = done.parts[f"series {name}"].info["recommended"]["model"]
        other = every.info["recommended"]["model"]
        twin = f"global_{other}"  # which a baseline has not
        candidates = [alone, twin if twin in own.index else other]
        best = own.loc[candidates, "validation"].idxmin()
        assert days[name] == [best] * 7
        for column in ("validation", "test"):
            assert own.loc["recommended", column] == own.loc[best, column]
        assert 0 <= coverage[name] <= 100
    assert coverage[""] == pytest.approx(coverage.drop("").mean())


def test_the_table_over_all_series_is_of_geometric_means(done):
    frame, metrics = done.tables["series"], done.tables["metrics"]
    overall = metrics[(metrics["metric"] == "relative_mae") & (metrics["slice"] == "")]
    for model, part in overall.groupby("model"):
        own = frame[frame["model"] == model]["relative"]
        if len(part) == 1:
            expected = np.exp(np.log(own).mean())
            assert part["value"].item() == pytest.approx(expected)
    seeds = overall[overall["model"] == "mlp"].set_index("seed")["value"]
    assert list(seeds.index) == ["1", "2"]
    first = [done.parts[f"series {name}"].scores("mlp")["1"] for name in NAMES]
    best = frame[frame["relative"] == 1].groupby("series")["test"].first()
    expected = np.exp(np.mean(np.log(np.array(first) / best[list(NAMES)])))
    assert seeds["1"] == pytest.approx(expected)
    ranks = metrics[metrics["metric"] == "mean_rank"].set_index("model")["value"]
    assert ranks.between(1, len(ranks)).all()
    won = metrics[metrics["metric"] == "share_won"].set_index("model")["value"]
    assert won["last_value"] == 0


def test_the_summary_shows_the_joint_run_as_any_other(done):
    table = summary.refresh(done.folder.parent.parent)
    assert set(table["run"]) == {done.folder.name}
    row = table.set_index("model").loc["recommended"]
    assert row["recommended"]
    shown = row["metric"], row["data"], row["status"]
    assert shown == ("relative_mae", "shops", "complete")
    assert row["low"] <= row["mean"] <= row["high"]
    assert done.info["data"]["series"] == list(NAMES)


def test_forecasts_of_all_series_begin_on_the_day_after_their_last(done):
    days = rows(done.folder / "forecast.csv")
    for name, series in some_series().items():
        own = [day for day in days if day["series"] == name]
        dates = series.dates_ahead(7).astype(str).tolist()
        assert [day["date"] for day in own] == dates
        for day in own:
            assert float(day["low_80"]) <= float(day["forecast"])


def test_predict_gives_what_the_run_has_written(done, tmp_path):
    """Would catch intervals, levels or a model of another series."""
    forecast.predict_next_days(model=done.folder, output=tmp_path / "again.csv")
    again, first = rows(tmp_path / "again.csv"), rows(done.folder / "forecast.csv")
    assert len(again) == len(first) == 3 * 7
    for row, same in zip(again, first, strict=True):
        for column, value in same.items():
            if column in ("series", "model", "date"):
                assert row[column] == value
            else:
                assert float(row[column]) == pytest.approx(float(value), rel=1e-4)


def test_predict_takes_newer_days_of_the_series_that_the_run_knows(
    done, every, long_file, tmp_path, csv_file
):
    lines = long_file.read_text().splitlines()
    lines = [line for line in lines if ",north," not in line]
    newer = csv_file("\n".join([*lines, f"{np.datetime64('2017-01-15')},7,900"]))
    forecast.predict_next_days(newer, model=every.folder, output=tmp_path / "new.csv")
    days = rows(tmp_path / "new.csv")
    assert {day["series"] for day in days} == {"7", "far south"}
    assert [d["date"] for d in days if d["series"] == "7"][0] == "2017-01-16"
    strange = csv_file("\n".join(lines).replace(",7,", ",8,"))
    with pytest.raises(InputError, match="that the run does not know, '8'"):
        forecast.predict_next_days(strange, model=done.folder, output=tmp_path / "x")


# ---------------------------------------------------------------- other ways


def test_a_run_that_was_killed_goes_on_with_its_parts(done, config):
    """Would catch a joint run that trains again what is complete."""
    path = done.folder / "config.json"
    info = json.loads(path.read_text())
    path.write_text(json.dumps(info | {"status": "running"}))
    before = (done.folder / "metrics.csv").read_bytes()
    again = dataclasses.replace(config, resume=done.folder.name)
    assert forecast.run(again).folder == done.folder
    assert (done.folder / "metrics.csv").read_bytes() == before
    assert len(list((done.folder / "parts" / "forecast").iterdir())) == 4


def test_a_folder_and_global_networks_alone(tmp_path):
    """Would catch files that are told apart by a column, and a table without locals."""
    folder = tmp_path / "shops"
    folder.mkdir()
    for name, series in some_series().items():
        lines = [f"{d},{v}" for d, v in zip(series.dates, series.values, strict=True)]
        (folder / f"{name}.csv").write_text("\n".join(["date,value", *lines]))
    options = TINY | {"series_column": None, "seeds": 1, "data": str(folder)}
    options |= {"networks": ("global",), "results": tmp_path / "out"}
    done = forecast.run(forecast.Config(**options))
    models = set(done.tables["series"]["model"])
    assert {"global_mlp", "ridge"} <= models
    assert not {"mlp", "global_ridge"} & models
    assert list(done.tables["series"]["series"].unique()) == sorted(NAMES)


def test_a_single_series_is_a_run_like_any_other(csv_file, tmp_path):
    series = some_series()["7"]
    lines = [f"{d},x,{v}" for d, v in zip(series.dates, series.values, strict=True)]
    path = csv_file("\n".join(["date,store,value", *lines]))
    options = TINY | {"seeds": 1, "data": str(path), "results": tmp_path / "out"}
    done = forecast.run(forecast.Config(**options))
    assert not (done.folder / "parts").exists()
    assert done.data.source.series.name == "series x"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"folds": 3, "train_from": None}, "--folds 3 is for one series"),
        ({"lookback": 300}, "3 series that are too short for windows"),
        ({"series_column": "shop"}, "no column 'shop'"),
    ],
)
def test_what_cannot_be_run_leaves_no_folder(config, tmp_path, changes, expected):
    changed = dataclasses.replace(config, results=tmp_path / "out", **changes)
    with pytest.raises(InputError, match=expected):
        forecast.run(changed)
    assert not (tmp_path / "out").exists()
