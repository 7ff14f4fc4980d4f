"""The stacked experiment from end to end, and the evidence it leaves for claims."""

import csv
import functools
import json

import keras
import numpy as np
import pytest

from experiments import stacked
from rnn_tf import config
from rnn_tf.data.series import daily, ridership
from rnn_tf.errors import InputError
from rnn_tf.studies import layer_shapes
from tests.conftest import ROOT, make_series, run_python

pytestmark = pytest.mark.usefixtures("quick_scores")

TINY = {
    "cells": ("lstm",),
    "depths": (1, 2),
    "lengths": (5, 9),
    "lookback": 12,
    "units": 4,
    "examples": 200,
    "epochs": 2,
    "seeds": 2,
}


@pytest.fixture(scope="module", autouse=True)
def shapes_once():
    """Try the layers of one cell once: they are the same in each run, and those of
    the other cells are for the study's own tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layer_shapes, "CELLS", ("LSTM",))
        once = functools.cache(layer_shapes.shape_rows)
        patch.setattr(layer_shapes, "shape_rows", once)
        yield


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Both embedded data sets, small."""
    folder = tmp_path_factory.mktemp("results")
    return stacked.run(stacked.Config(results=folder, **TINY))


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_data_set_is_a_run_of_its_own(done):
    assert list(done) == ["sines", "adding"]
    tables = {"config.json", "trials.csv", "history.csv", "metrics.csv"}
    tables |= {"predictions.csv", "learning_curves.png"}
    own = {
        "sines": {"shapes.csv", "quiz.csv", "lengths.csv", "error_by_depth.png"},
        "adding": {"error_by_length.png", "gates.png"},
    }
    for name, outcome in done.items():
        info = json.loads((outcome.folder / "config.json").read_text())
        left = {path.name for path in outcome.folder.iterdir()}
        assert left == tables | own[name] | {f"{info['chosen']}.keras"}
        assert info["data"]["source"] == name
        assert info["config"]["data"] == [name]
        assert info["status"] == "complete"


def test_every_cell_depth_head_and_length_has_its_rows(done):
    def found(name):
        metrics = done[name].tables["metrics"]
        return set(metrics[metrics["split"] == "test"]["model"])

    assert found("sines") == {"last_value", "ridge", "mlp"} | {
        f"lstm_{depth}_{head}" for depth in (1, 2) for head in ("seq2vec", "seq2seq")
    }
    assert found("adding") == {"always_1", "lstm_5", "lstm_9"}


def test_without_trials_the_defaults_are_trained(done):
    trials = rows(done["adding"].folder / "trials.csv")
    assert {row["phase"] for row in trials} == {"final"}
    assert {float(row["hp.learning_rate"]) for row in trials} == {1e-2}
    assert len(trials) == 2 * 2


def test_always_answering_1_has_an_error_of_a_sixth(done):
    metrics = done["adding"].tables["metrics"]
    row = metrics[(metrics["model"] == "always_1") & (metrics["metric"] == "mse")]
    assert row["value"].to_numpy() == pytest.approx([1 / 6, 1 / 6], rel=0.5)
    frame = done["adding"].tables["predictions"]
    frame = frame[frame["model"] == "always_1"]
    by_hand = np.mean((frame["target"] - 1) ** 2)
    assert row[row["split"] == "test"]["value"].item() == pytest.approx(by_hand)


def test_errors_can_be_worked_out_again_from_the_predictions(done):
    """Would catch a seq-to-seq model that is scored on another step than the last."""
    for outcome in done.values():
        frame, metrics = outcome.tables["predictions"], outcome.tables["metrics"]
        again = (frame["target"] - frame["prediction"]) ** 2
        again = again.groupby([frame["model"], frame["seed"]]).mean()
        on_test = (metrics["split"] == "test") & (metrics["metric"] == "mse")
        found = metrics[on_test].set_index(["model", "seed"])["value"]
        assert set(found.index) == set(again.index)
        for key, value in found.items():
            assert again[key] == pytest.approx(value)


def test_all_models_of_a_run_are_scored_on_the_same_targets(done):
    for outcome in done.values():
        frame = outcome.tables["predictions"]
        targets = frame.groupby("example")["target"].nunique()
        assert set(targets) == {1}


def test_one_model_ran_on_every_length_and_the_mlp_on_its_own(done):
    found = rows(done["sines"].folder / "lengths.csv")
    recurrent = [row for row in found if not row["model"].startswith("mlp")]
    assert [int(row["length"]) for row in recurrent] == list(stacked.ANY_LENGTH)
    assert {row["runs"] for row in recurrent} == {"True"}
    assert len({row["parameters"] for row in recurrent}) == 1
    assert all(float(row["mse"]) > 0 for row in recurrent)
    assert {row["runs"] for row in found if row["model"] == "mlp"} == {"False"}
    grown = [int(r["parameters"]) for r in found if r["model"] == "mlp_of_this_length"]
    assert grown == [(n + 1) * 4 + 4 + 1 for n in stacked.ANY_LENGTH]


def test_the_shapes_refute_s3_and_s4_and_confirm_s5(done):
    """The rows themselves, as the answers will read them from the file."""
    found = rows(done["sines"].folder / "shapes.csv")
    found = [row for row in found if row["input"] == "(4, 10, 32)"]
    deep = [row for row in found if int(row["depth"]) > 1]
    pattern = {row["return_sequences"]: row for row in deep if row["cell"] == "LSTM"}
    s3, s4, s5 = (
        pattern["True True False"],
        pattern["False False"],
        pattern["True False"],
    )
    assert (s3["head"], s3["trains_on_7"]) == ("seq-to-vector", "False")
    assert (s4["builds"], s4["head"]) == ("False", "")
    assert (s5["builds"], s5["outputs"]) == ("True", "(4, 10, 64) -> (4, 64)")


def test_the_saved_model_forecasts_without_us(done):
    """In the unit of the data, from the values of the data."""
    for outcome in done.values():
        info = json.loads((outcome.folder / "config.json").read_text())
        path = outcome.folder / f"{info['chosen']}.keras"
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        frame = outcome.tables["predictions"]
        frame = frame[frame["model"] == info["chosen"]]
        if info["data"]["source"] == "sines":
            x = stacked.synthetic.two_sines(200, 13)[180:, :-1, None]
        else:
            length = int(info["chosen"].rsplit("_")[-1])
            x = stacked.synthetic.adding_problem(200, length)[0][180:]
        found = model.predict(x, verbose=0)[:, 0]
        seeds = frame.groupby("seed")["prediction"].apply(np.array)
        assert any(np.allclose(found, seed, atol=1e-5) for seed in seeds)


def test_columns_are_those_of_the_readme_of_results(done):
    text = (ROOT / "results" / "README.md").read_text()
    columns = {
        "shapes": layer_shapes.SHAPES,
        "quiz": layer_shapes.QUIZ,
        "lengths": layer_shapes.LENGTHS,
    }  # fmt: skip
    for name, names in columns.items():
        table = rows(done["sines"].folder / f"{name}.csv")
        assert list(table[0]) == names
        for column in names:
            assert f"`{column}`" in text, f"results/README.md lacks `{column}`"


def test_chicago_is_forecast_in_boardings(monkeypatch, tmp_path):
    """The last step of a window is scored, by its day and in its unit."""
    random = np.random.default_rng(1)
    days = 1_000 + np.tile([0, 50, 60, 60, 40, -300, -400], 1000)
    made = make_series(days + random.normal(0, 9, 7000), "2001-01-01", "cta")
    made = daily.rename(made, "cta", "boardings")
    monkeypatch.setattr(ridership, "load", lambda folder: made)
    options = {"cells": ("simple_rnn", "gru"), "depths": (1,), "seeds": 1}
    options |= {"data": ("cta",), "results": tmp_path}
    outcome = stacked.run(stacked.Config(**TINY | options))["cta"]
    frame = outcome.tables["predictions"]
    naive = frame[frame["model"] == "last_value"]
    np.testing.assert_allclose(naive["prediction"][1:], naive["target"][:-1], rtol=1e-6)
    assert frame["target"].between(500, 1_200).all()
    metrics = outcome.tables["metrics"]
    assert set(metrics["model"]) > {"last_value", "ridge", "mlp"} | {
        f"{cell}_1_{head}"
        for cell in ("simple_rnn", "gru")
        for head in ("seq2vec", "seq2seq")
    }
    assert set(metrics[metrics["metric"] == "mae"]["unit"]) == {"boardings"}
    assert not (outcome.folder / "lengths.csv").exists()
    assert (outcome.folder / "shapes.csv").exists()


def test_the_same_seed_gives_the_same_csv(done, tmp_path):
    again = stacked.run(
        stacked.Config(results=tmp_path, **TINY | {"data": ("adding",)})
    )
    for name in ("metrics.csv", "predictions.csv"):
        before, after = (d["adding"].folder / name for d in (done, again))
        assert before.read_bytes() == after.read_bytes(), name


def test_an_identity_rnn_starts_as_a_sum_that_forgets_nothing():
    """Would catch the remedy without its identity, or with a slope below 0."""
    layer = stacked.CELLS["identity_rnn"](units=3)
    layer.build((1, None, 2))
    kernel, recurrent, bias = layer.get_weights()
    assert np.array_equal(recurrent, np.eye(3))
    assert not bias.any()
    kernel = np.array([[1.0, 2.0, -1.0], [0.0, 0.0, 0.0]])
    layer.set_weights([kernel, recurrent, bias])
    numbers = np.array([[[1.0, 0.0], [2.0, 0.0], [4.0, 0.0]]], "float32")
    found = keras.ops.convert_to_numpy(layer(numbers))
    assert found.tolist() == [[7.0, 14.0, 0.0]]


# ------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--depths 0", "--depths is 0; it must be at least 1"),
        ("--depths 1 -2", "--depths is -2; it must be at least 1"),
        ("--cells lstm peephole", "'peephole'.*'simple_rnn', 'lstm', 'gru'"),
        ("--cells", "--cells is empty; give at least one"),
        ("--lengths 25 1", "--lengths is 1; it must be at least 2"),
        ("--lookback 1", "--lookback is 1; it must be at least 2"),
        ("--data", "--data is empty; give at least one"),
        ("--data cosines", "'cosines'.*'sines', 'adding', 'cta'"),
        ("--examples 99", "--examples is 99; it must be at least 100"),
        ("--cells identity_rnn", "the adding problem alone.*--data adding"),
    ],
)
def test_a_bad_option_is_one_clear_line(arguments, said):
    with pytest.raises(InputError, match=said) as error:
        config.parse(stacked.Config, stacked.FULL, arguments.split(), "stacked")
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_a_bad_option_leaves_nothing_and_exits_with_2(tmp_path):
    options = "--depths", "0", "--results", tmp_path / "results"
    done = run_python("-m", "experiments.stacked", *options)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: --depths is 0; it must be at least 1")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "results").exists()


def test_results_of_a_batch_that_is_too_large_are_not_left(tmp_path):
    made = stacked.Config(results=tmp_path / "results", batch_size=500, **TINY)
    with pytest.raises(InputError, match="a batch of 500"):
        stacked.run(made)
    assert not list((tmp_path / "results").rglob("*"))
