"""The gradients experiment from end to end, and the evidence it leaves for claims."""

import csv
import dataclasses
import json
import math
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest

from experiments import gradients
from rnn_tf import config
from rnn_tf.data.text import stories
from rnn_tf.errors import InputError
from rnn_tf.metrics import text
from rnn_tf.studies import remedies
from tests import test_gradient_facts, test_gradient_flow, test_truncated_bptt
from tests.conftest import ROOT, run_python

pytestmark = pytest.mark.usefixtures("quick_scores")

TINY = {
    "cells": ("simple_rnn", "lstm_bias_5"),
    "distances": (0, 4),
    "remedy_distance": 2,
    "remedies": ("none", "clip_norm"),
    "length": 6,
    "gains": (50.0,),
    "rates": (1e6,),
    "chunks": (20,),
    "units": 4,
    "examples": 200,
    "stories": 200,
    "epochs": 2,
    "seeds": 2,
}


# Here the studies leave a file, no more: what is in it is for the tests of each.
TRAINING = dataclasses.replace(
    test_truncated_bptt.TRAINING,
    chunks=(),
    updates=1,
    gains=(1.0,),
    adding_chunks=(),
    adding_updates=1,
)
STUDIES = {
    gradients.gradient_flow: test_gradient_flow.SMALL,
    gradients.gradient_facts: test_gradient_facts.SMALL,
    gradients.truncated_bptt: dataclasses.replace(
        test_truncated_bptt.SMALL, states=("carried",), seeds=1, training=TRAINING
    ),
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Both data sets, small."""
    return run(tmp_path_factory.mktemp("results"))


def run(folder, **changes):
    """Run the experiment with small studies."""
    with pytest.MonkeyPatch.context() as patch:
        for module, sizes in STUDIES.items():
            patch.setitem(module.SIZES, "quick", sizes)
        patch.setattr(gradients.gradient_facts, "fact_rows", lambda sizes: [])
        return gradients.run(gradients.Config(results=folder, **TINY | changes))


def tiny(**changes):
    return gradients.Config(**TINY | changes | {"chunks": (10,)})


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_data_set_is_a_run_of_its_own(done):
    assert list(done) == ["recall", "adding"]
    tables = {"config.json", "trials.csv", "history.csv", "metrics.csv"}
    tables |= {"remedies.csv", "remedies.png", "learning_curves.png"}
    own = {
        "recall": {"recall_gradients.csv", "recall_by_distance.png"}
        | {"truncation.png", "truncated_cost.csv", "truncated_gradients.csv"}
        | {"truncated_recall.csv", "truncated_training.csv"},
        "adding": {"gradient_norms.png", "singular_values.png", "gradient_flow.csv"}
        | {"gradient_decay.csv", "gradient_facts.csv", "state_memory.csv"}
        | {"learning_rates.csv"},
    }
    for name, outcome in done.items():
        info = json.loads((outcome.folder / "config.json").read_text())
        left = {path.name for path in outcome.folder.iterdir()}
        assert left == tables | own[name] | {f"{info['chosen']}.keras"}
        assert info["data"]["source"] == name
        assert info["status"] == "complete"


def test_every_cell_distance_and_remedy_has_its_rows(done):
    def found(name):
        metrics = done[name].tables["metrics"]
        return set(metrics[metrics["split"] == "test"]["model"])

    assert found("recall") == {
        "majority", "any_name", "another_name", "simple_rnn_0", "simple_rnn_4",
        "lstm_bias_5_0", "lstm_bias_5_4", *TINY["remedies"],
    }  # fmt: skip
    assert found("adding") <= {
        "always_1", *TINY["remedies"],
        "gain_50", "gain_50_clip_norm", "gain_50_clip_value",
    }  # fmt: skip


def test_a_fit_that_diverges_is_a_row_and_not_a_crash(done):
    """Would catch remedies that are only scored where they worked."""
    found = rows(done["adding"].folder / "remedies.csv")
    lost = [row for row in found if row["model"] == "rate_1e+06"]
    assert [row["seed"] for row in lost] == ["1", "2"]
    assert {(row["diverged"], row["error"]) for row in lost} == {("1", "")}
    assert all(float(row["final_loss"] or "inf") > 1e20 for row in lost)
    assert all(float(row["always_loss"]) > 0 for row in lost)
    trials = rows(done["adding"].folder / "trials.csv")
    failed = [row for row in trials if row["model"] == "rate_1e+06"]
    assert {row["error"] for row in failed} == {"the loss is not finite"}


def test_remedies_have_the_errors_and_losses_of_the_other_tables(done):
    for name, metric in (("recall", "error"), ("adding", "mse")):
        outcome, found = done[name], rows(done[name].folder / "remedies.csv")
        metrics, history = outcome.tables["metrics"], outcome.tables["history"]
        on_test = metrics[(metrics["split"] == "test") & (metrics["metric"] == metric)]
        ended = [row for row in found if row["error"]]
        assert {row["model"] for row in ended} >= {"none", "clip_norm"}
        for row in ended:
            own = on_test["model"].eq(row["model"]) & on_test["seed"].eq(
                int(row["seed"])
            )
            assert on_test[own]["value"].item() == pytest.approx(float(row["error"]))
            loss, always = float(row["final_loss"]), float(row["always_loss"])
            assert int(row["diverged"]) == (loss > remedies.DIVERGED * always)
            fit = history["model"].eq(row["model"]) & history["seed"].eq(
                int(row["seed"])
            )
            assert history[fit]["validation_loss"].iloc[-1] == pytest.approx(loss)
    against = {row["model"]: row["against"] for row in found}
    assert against["clip_norm"] == "none"
    assert against["gain_50"] == "gain_1"
    assert against["gain_50_clip_value"] == "gain_50"
    assert against["none"] == against["rate_1e+06"] == ""
    assert remedies.against("gain_1") == ""
    assert remedies.against("rate_x10") == "none"


def test_the_gradient_is_followed_through_trained_layers_too(done):
    found = pd.read_csv(done["adding"].folder / "gradient_flow.csv")
    trained = found[found["phase"] == "trained"]
    assert set(trained["seeds"]) == {2}
    assert set(trained["weights"]) == {"gaussian"}  # of "none", alone of those tried


def test_chance_is_known(done):
    metrics = done["recall"].tables["metrics"]
    metrics = metrics[(metrics["split"] == "test") & (metrics["seed"] == "")]
    found = metrics.set_index(["model", "metric"])["value"]
    assert found["any_name", "error"] == pytest.approx(90)
    assert found["any_name", "probability"] == pytest.approx(10)
    assert found["any_name", "cross_entropy"] == pytest.approx(math.log(10))
    assert found["another_name", "error"] == pytest.approx(100 * 8 / 9)


def test_a_guess_among_equals_is_scored_by_its_expectation():
    """By hand: right, one of two, wrong."""
    labels = np.array([0, 1, 2])
    predictions = np.array([[0.8, 0.1, 0.1], [0.4, 0.4, 0.2], [0.5, 0.3, 0.2]])
    right, errors = text.recalled(labels, predictions)
    assert right.tolist() == [0.8, 0.4, 0.2]
    assert errors.tolist() == [0, 50, 100]


def test_networks_train_on_stories_that_begin_anywhere_and_are_tested_on_whole_ones():
    """Would catch a test that is easier than the distance it stands for."""
    made = tiny(data=("recall",), distances=(30,))
    source = gradients.load_data(made).source
    labels = [stories.number(stories.NAMES[y]) for y in source.targets["test"][:, 0]]
    place = -1 - stories.NEAREST - 30
    steps = stories.SHORTEST + 30
    assert source.inputs("test", steps)[:, place].tolist() == labels
    train = source.inputs("train", steps)
    speaker = [np.flatnonzero(row == row[-4])[0] for row in train]  # of "said hi to"
    assert len(set(speaker)) > 20
    assert min(speaker) == 0
    assert max(speaker) == 30


def test_the_gradient_at_the_name_is_measured_before_and_after_training(done):
    found = pd.read_csv(done["recall"].folder / "recall_gradients.csv")
    assert len(found) == 2 * 2 * 2 * 2  # cells, distances, seeds, phases
    fresh = found[found["phase"] == "fresh"].set_index(["model", "seed"])
    lstm, plain = fresh.loc["lstm_bias_5_4"], fresh.loc["simple_rnn_4"]
    assert (lstm["log10_ratio"] > plain["log10_ratio"]).all()
    trained = found[found["phase"] == "trained"].set_index(["model", "seed"])
    assert (trained["log10_ratio"] != fresh["log10_ratio"]).all()


def test_the_fresh_networks_are_those_that_were_trained(tmp_path):
    """Training at a rate of 0 moves nothing; would catch weights of another seed."""
    found = gradients.find_models(tiny(data=("recall",)))
    weights = []
    for _ in range(2):
        keras.utils.set_random_seed(2)
        hp = gradients.hyperparameters(None)
        model = found["simple_rnn_4"](hp, tiny(), 104)
        weights.append(model.get_weights())
    assert all(np.array_equal(*pair) for pair in zip(*weights, strict=True))


def test_the_saved_model_answers_without_us(done):
    outcome = done["recall"]
    info = json.loads((outcome.folder / "config.json").read_text())
    path = outcome.folder / f"{info['chosen']}.keras"
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    words = info["data"]["words"]
    told = "jane walked into the room . john walked in too . jane said hi to".split()
    told = ["."] * (model.input_shape[1] - len(told)) + told
    story = np.array([[words.index(word) for word in told]])
    found = model.predict(story, verbose=0)
    assert found.shape == (1, len(info["data"]["names"]))
    assert found.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.long
def test_the_same_seed_gives_the_same_csv(done, tmp_path):
    again = run(tmp_path, data=("recall",))
    for name in ("metrics.csv", "recall_gradients.csv"):
        before, after = (d["recall"].folder / name for d in (done, again))
        assert before.read_bytes() == after.read_bytes(), name


def test_columns_are_those_of_the_readme_of_results(done):
    text = (ROOT / "results" / "README.md").read_text()
    names = {
        "remedies": remedies.COLUMNS,
        "recall_gradients": gradients.GRADIENT_COLUMNS,
    }
    for name, columns in names.items():
        table = rows(done["recall"].folder / f"{name}.csv")
        assert list(table[0]) == columns
        for column in columns:
            assert f"`{column}`" in text, f"results/README.md lacks `{column}`"


@pytest.mark.parametrize(
    ("problem", "losses", "epochs"),
    [
        ("recall", [3.0, 0.009], 2),  # learnt
        ("recall", [2.3, 2.2, 2.19], 3),  # in vain: log(9) is 2.197
        ("recall", [2.3, 2.2, 2.1, 2.18, 2.19, 2.18], 6),  # a little, so it goes on
        ("recall", [math.nan] * 6, 6),  # the recipe ends these
        ("adding", [0.2] * 6, 6),  # whose plateau may be long
        ("adding", [0.2, 0.0009], 2),
    ],
)
def test_training_ends_when_learnt_or_half_in_vain(problem, losses, epochs):
    """Would catch a fit that is cut off while it learns."""
    model = SimpleNamespace(stop_training=False)
    (callback,) = gradients.stop_early(tiny(data=(problem,), epochs=6), model)
    for epoch, loss in enumerate(losses):
        assert not model.stop_training
        callback.on_epoch_end(epoch, {"loss": loss, "val_loss": loss})
    assert model.stop_training == (epochs < 6)


def test_who_learns_the_training_stories_goes_on():
    """Would catch a plain RNN, sure of itself over short distances alone, cut off."""
    model = SimpleNamespace(stop_training=False)
    (callback,) = gradients.stop_early(tiny(data=("recall",), epochs=6), model)
    callback.on_epoch_end(2, {"loss": 1.2, "val_loss": 4.1})
    assert not model.stop_training


# ------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--gains 0", "--gains is 0.0; it must be above 0"),
        ("--gains 1 -2", "--gains is -2.0; it must be above 0"),
        ("--gains nan", "--gains is nan; it must be above 0"),
        ("--rates 0", "--rates is 0.0; it must be above 0"),
        ("--cells lstm peephole", "'peephole'.*'simple_rnn'"),
        ("--cells", "--cells is empty; give at least one"),
        (
            "--remedies none prayer",
            "--remedies has 'prayer'; known are none, clip_norm",
        ),
        ("--distances -1", "--distances is -1; it must be at least 0"),
        ("--chunks 2000", "a chunk is 2000 steps; of a sequence of 1,000 steps"),
        ("--length 3", "--length is 3; it must be at least 4"),
        ("--data", "--data is empty; give at least one"),
        ("--data cosines", "'cosines'.*'recall', 'adding'"),
        ("--examples 99", "--examples is 99; it must be at least 100"),
    ],
)
def test_a_bad_option_is_one_clear_line(arguments, said):
    with pytest.raises(InputError, match=said) as error:
        config.parse(gradients.Config, gradients.FULL, arguments.split(), "gradients")
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_a_bad_option_leaves_nothing_and_exits_with_2(tmp_path):
    options = "--gains", "0", "--results", tmp_path / "results"
    done = run_python("-m", "experiments.gradients", *options)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: --gains is 0.0; it must be above 0")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "results").exists()
