"""Small networks on small tasks: baselines and scores by hand, what training keeps."""

import json

import keras
import numpy as np
import pandas as pd
import pytest

from experiments import modes as experiment
from rnn_tf import config, errors
from rnn_tf.report import mode_plots
from rnn_tf.studies import (
    mode_baselines,
    mode_clips,
    mode_filters,
    mode_lengths,
    mode_models,
    mode_tasks,
    modes,
    restarts,
)
from rnn_tf.studies.mode_tasks import TASKS, Task
from tests.conftest import ROOT, run_python

CLASSES = np.array([[0, 1], [0, 2], [1, 2]])


@pytest.fixture
def quick(monkeypatch):
    """Few examples, and nothing compiled by XLA."""
    monkeypatch.setattr(restarts, "COMPILED", False)
    monkeypatch.setattr(mode_tasks, "EXAMPLES", 200)
    monkeypatch.setattr(mode_lengths, "TRAINED", 100)
    monkeypatch.setattr(mode_lengths, "HELD_OUT", 50)


def parts_of(x, y, x_test=None, y_test=None) -> dict:
    x, y = np.asarray(x), np.asarray(y)
    test = (
        x if x_test is None else np.asarray(x_test),
        y if y_test is None else y_test,
    )
    return {"train": (x, y), "validation": (x, y), "test": test}


# ---------------------------------------------------------------- baselines


def test_the_constant_is_the_commonest_class_of_each_place():
    """Would catch one class for all places, and a guess that test has chosen."""
    parts = parts_of(np.zeros((3, 2)), CLASSES, y_test=np.array([[1, 1]]))
    assert mode_baselines.constant(parts, classes=True).tolist() == [[0, 2]]
    numbers = parts_of(np.zeros(2), np.array([1.0, 3.0]), y_test=np.array([9.0]))
    assert mode_baselines.constant(numbers, classes=False).tolist() == [2]


def test_a_bigram_guesses_by_the_last_token():
    parts = parts_of([[5, 1], [5, 1], [5, 1], [5, 2]], np.array([3, 3, 4, 4]),
                     x_test=[[1, 2], [2, 1]])  # fmt: skip
    assert mode_baselines.bigram(parts).tolist() == [4, 3]


def test_a_class_has_the_mean_of_its_drawings():
    one_hot = np.eye(2)[[0, 0, 1]]
    parts = parts_of(one_hot, np.array([1.0, 3.0, 7.0]), x_test=np.eye(2)[[1, 0]])
    assert mode_baselines.class_mean(parts).tolist() == [7, 2]


def test_prices_stay_or_go_on_by_their_drift():
    """Would catch the first price for the last, and a drift that test has chosen."""
    train = np.array([[[1.0], [2.0]], [[5.0], [4.0]]]), np.array([[3.0, 4], [7, 8]])
    test = np.array([[[9.0], [1.0]]]), np.array([[0.0, 0]])
    parts = {"train": train, "test": test}
    assert mode_baselines.last_value(parts).tolist() == [[1, 1]]
    assert mode_baselines.drift(parts).tolist() == [[3, 4]]


# ---------------------------------------------------------------- tasks and networks


@pytest.mark.parametrize("name", TASKS)
def test_networks_take_the_examples_and_answer_in_their_shape(name):
    """Would catch a vocabulary that is too small, and a last step alone."""
    task = TASKS[name]
    (x, y), (x_test, _) = task.data(1)["train"], task.data(1)["test"]
    assert len(x) == 8 * len(x_test) or abs(len(x) - 8 * len(x_test)) < 10
    assert not (task.data(2)["train"][0][:100] == x[:100]).all()
    for build in task.networks.values():
        model = build()
        guesses = modes.guess(model, x[:3], task.classes)
        assert modes.errors(y[:3], guesses, task.classes).shape == y[:3].shape
        if task.classes:
            assert model.output_shape[-1] == y.max() + 1
            assert np.issubdtype(y.dtype, np.integer)


def test_a_causal_convolution_and_the_gru_it_is_compared_with_are_of_one_size():
    counts = [
        TASKS["sines"].networks[name]().count_params()
        for name in ("gru", "causal_conv")
    ]
    assert abs(counts[0] - counts[1]) < 0.05 * counts[0]


def test_convolutions_before_and_after_a_gru_cost_no_more_than_units():
    """Would catch a network that wins by its size."""
    for task in ("sines_ahead", "planted"):
        counts = {n: b().count_params() for n, b in TASKS[task].networks.items()}
        assert all(abs(n / counts["gru"] - 1) < 0.05 for n in counts.values()), counts


def test_a_window_is_what_a_causal_filter_sees():
    """Would catch a window that looks ahead, or is one step late."""
    x = np.array([[[1.0], [2.0], [3.0]]])
    expected = [[0, 0, 0, 0, 1], [0, 0, 0, 1, 2], [0, 0, 1, 2, 3]]
    assert mode_filters.windows(x)[0].tolist() == expected


def test_filters_are_read_before_and_after_training(quick):
    """Would catch trained outputs for random ones, and targets of other series."""
    rows = list(modes.rows("filters", 1, 1))
    values = {(row["model"], row["slice"]): row["value"] for row in rows}
    for part in ("trend", "season", "spikes"):
        assert values["constant", part] == pytest.approx(1, abs=0.1)
        assert values["trained_filters", part] != values["random_filters", part]
        assert values["window", part] < 0.9


def test_flattened_clips_cost_more_than_pooled_ones(quick, monkeypatch):
    """Would catch rows without parameters, and the same joint twice."""
    monkeypatch.setattr(mode_clips, "CLIPS", 80)
    rows = list(modes.rows("clips", 1, 1))
    counts = {row["model"]: row["parameters"] for row in rows}
    assert counts["clips_flattened"] - counts["clips_pooled"] == 16 * 95 * 32
    assert rows[0]["value"] == pytest.approx(87.5, abs=5), "a class in eight"


def test_a_causal_convolution_sees_all_steps():
    """Would catch dilations that do not reach the first number of a sum."""
    build = mode_models.builder(mode_models.causal_conv, outputs=1, shape=(20, 1))
    keras.utils.set_random_seed(1)
    model, x = build(), np.ones((2, 20, 1), "float32")
    x[1, 0] = -3
    first, second = np.asarray(model(x)).ravel()
    assert first != second


def test_a_learned_first_state_begins_as_zeros_and_is_trained():
    """Would catch a state that no gradient reaches, or that starts elsewhere."""
    build = TASKS["first_state"].networks["learned_state"]
    model, plain = build(), TASKS["first_state"].networks["gru_steps"]()
    assert model.count_params() - plain.count_params() == mode_models.UNITS
    (place,) = [n for n, w in enumerate(model.get_weights()) if w.shape[0] == 1
                and w.shape == (1, mode_models.UNITS)]  # fmt: skip
    assert not model.get_weights()[place].any()
    rest = [w for n, w in enumerate(model.get_weights()) if n != place]
    plain.set_weights(rest)
    x = np.random.default_rng(1).normal(size=(4, 20, 1)).astype("float32")
    assert np.allclose(model(x), plain(x), atol=1e-6)
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(x, x + 1, verbose=0)
    assert model.get_weights()[place].any()


# ---------------------------------------------------------------- training


def test_training_keeps_the_weights_that_are_best_on_validation(quick):
    """Would catch those of the last epoch: here each epoch makes them worse."""
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(inputs))
    modes.compiled(model, classes=False, xla=False)
    model.set_weights([np.zeros((1, 1), "float32")])
    x = np.ones((128, 1), "float32")
    parts = {"train": (x, 9 * x[:, 0]), "validation": (x, 0 * x[:, 0])}
    modes.train(model, parts, 9, classes=False)
    kept = model.get_weights()[0].item()
    assert 0 < kept < 0.02, "the first epoch's, a step of 0.01"


def test_errors_and_slices_by_hand():
    wrong = modes.errors(CLASSES, np.array([[0, 1], [2, 2], [1, 0]]), classes=True)
    assert wrong.tolist() == [[0, 0], [100, 0], [0, 100]]
    squares = modes.errors(np.array([1.0, 2]), np.array([[3.0], [2.0]]), classes=False)
    assert squares.tolist() == [4, 0]
    task = Task(data=None, networks={}, classes=True, steps=(1, 2))
    guesses = np.array([[0, 1], [2, 2], [1, 0]])
    rows = modes.scores(task, parts_of(CLASSES, CLASSES), guesses)
    assert [row["slice"] for row in rows] == ["1", "2"]
    assert [row["value"] for row in rows] == pytest.approx([100 / 3, 100 / 3])
    assert [row["n"] for row in rows] == [3, 3]


@pytest.mark.parametrize(
    ("body", "linear"), [("linear_rnn", True), ("simple_rnn", False)]
)
def test_only_a_linear_network_is_a_linear_map(body, linear):
    build = mode_models.builder(getattr(mode_models, body), outputs=2, shape=(4, 1))
    x = np.random.default_rng(1).normal(size=(30, 4, 1)).astype("float32")
    assert (modes.map_difference(build(), x) < 1e-5) == linear


# ---------------------------------------------------------------- lengths


def test_a_network_is_called_with_the_length_there_is(quick):
    """Would catch padding that hides that a flattened network takes one length."""
    rows = pd.DataFrame(modes.rows("lengths", seeds=1, epochs=1))
    taken = rows[rows["value"] != ""].groupby("model")["slice"].apply(list)
    every = [str(length) for length in mode_lengths.LENGTHS]
    assert taken["flattened"] == [str(mode_lengths.OWN)]
    for name in ("padded", "pooled", "gru", "gru_untrained", "constant"):
        assert taken[name] == every
    assert list(rows) == modes.COLUMNS


def test_padding_adds_zeros_at_the_end():
    padded = mode_lengths.pad(np.ones((2, 5, 1)))
    assert padded.shape == (2, mode_lengths.LONGEST, 1)
    assert padded.sum(axis=1).ravel().tolist() == [5, 5]
    assert padded[0, :5].all()


# ---------------------------------------------------------------- the experiment


def test_a_run_leaves_its_table_and_picture(quick, tmp_path):
    """And its columns are explained; would catch a model that the picture names not."""
    options = experiment.Config(
        tasks=("parity", "counting", "parity"), seeds=1, jobs=1, results=tmp_path
    )
    folder = experiment.run(options)
    info = json.loads((folder / "config.json").read_text())
    assert (info["status"], info["devices"]["strategy"]) == ("complete", "cpu")
    rows = pd.read_csv(folder / "modes.csv", keep_default_na=False)
    assert (folder / "modes.png").is_file()
    assert set(rows["task"]) == {"parity", "counting"}
    assert list(rows[rows["task"] == "counting"]["model"]) == [
        "constant", "ridge", "gru", "gru_shuffled", "simple_rnn", "simple_rnn_no_bias",
    ]  # fmt: skip
    text = (ROOT / "results" / "README.md").read_text()
    assert all(f"`{column}`" in text for column in rows)


@pytest.mark.slow
def test_numbers_are_the_same_with_any_number_of_jobs(tmp_path):
    """Would catch rows in the order in which tasks end, and a seed that is not set."""
    tables = []
    for count in ("1", "2"):
        own = ["--tasks", "before", "parity", "--jobs", count, "--results"]
        done = run_python("-m", "experiments.modes", *own, tmp_path / count)
        assert done.returncode == 0, done.stderr
        (folder,) = (tmp_path / count / "modes").iterdir()
        info = json.loads((folder / "config.json").read_text())
        assert info["devices"]["jobs"] == int(count)
        tables.append((folder / "modes.csv").read_text())
    assert tables[0] == tables[1]


def test_the_picture_has_words_for_every_task_and_network():
    networks = {name for task in TASKS.values() for name in task.networks}
    networks |= set(mode_lengths.NETWORKS) | set(mode_clips.NETWORKS)
    networks |= {"trained_filters", "random_filters", "window"}
    assert networks <= set(mode_plots.MODELS)
    assert set(modes.NAMES) == set(mode_plots.TASKS)


def test_errors_are_drawn_in_terms_of_the_same_seed_s_guess():
    """Would catch another seed's, and a slice without value that counts as 0."""
    row = {"task": "lengths", "kind": "network", "metric": "error"}
    rows = [
        row | {"model": model, "seed": seed, "slice": part, "value": value}
        for model, seed, part, value in (
            ("constant", 1, "5", 40), ("constant", 2, "5", 50), ("mlp", 1, "5", 10),
            ("mlp", 1, "9", None), ("mlp", 2, "5", 5),
        )
    ]  # fmt: skip
    shares = mode_plots.relative(pd.DataFrame(rows))
    shares = shares[shares["model"] == "mlp"]
    assert shares["share"].tolist() == [0.25, 0.1]
    assert shares["fails"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--tasks parrot", "--tasks has 'parrot'; known are class_to_columns"),
        ("--seeds 0", "--seeds is 0; it must be at least 1"),
        ("--epochs 0", "--epochs is 0; it must be at least 1"),
        ("--jobs 0", "--jobs is 0; it must be at least 1"),
        ("--strategy tpu", "Unrecognized options"),
    ],
)
def test_a_wrong_option_is_one_line(argument, message):
    with pytest.raises(errors.InputError, match=message):
        arguments = argument.split()
        config.parse(experiment.Config, experiment.FULL, arguments, "modes")


def test_full_trains_longer_over_more_seeds():
    full = config.parse(experiment.Config, experiment.FULL, ["--size", "full"], "modes")
    assert (full.seeds, full.epochs, full.tasks) == (5, 8, modes.NAMES)
