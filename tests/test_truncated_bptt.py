"""Truncated backpropagation: what is cut is cut, and what is carried is carried."""

import keras
import numpy as np
import pandas as pd
import pytest

from rnn_tf.errors import InputError
from rnn_tf.studies import peak_memory, truncated_bptt, truncated_training
from rnn_tf.studies.truncated_bptt import Sizes

TRAINING = truncated_training.Sizes(
    cells=("simple_rnn",),
    distance=4,
    chunks=(2,),
    states=("carried", "reset"),
    stream=False,
    updates=40,
    seeds=1,
    activations=("tanh",),
    gains=(1.0, 2.0),
    length=12,
    adding_chunks=(3,),
    adding_updates=4,
)
SMALL = Sizes(
    cells=("simple_rnn",),
    chunks=(7, 10),
    steps=20,
    rounds=1,
    seeds=2,
    processes=0,
    training=TRAINING,
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """The tables of a small study; and where they were written."""
    folder = tmp_path_factory.mktemp("truncated")
    return truncated_bptt.write(folder, SMALL) | {"folder": folder}


def test_tables_are_written_with_their_columns(tables):
    columns = {
        "truncated_cost": truncated_bptt.COST,
        "truncated_gradients": truncated_bptt.GRADIENTS,
        "truncated_recall": truncated_training.RECALL,
        "truncated_training": truncated_training.TRAINING,
    }
    for name, expected in columns.items():
        table = pd.read_csv(tables["folder"] / f"{name}.csv")
        assert list(table) == expected
        assert len(table) == len(tables[name])


def test_the_whole_is_among_the_chunks_and_is_its_own_gradient(tables):
    rows = pd.DataFrame(tables["truncated_gradients"])
    assert sorted(set(rows["chunk"])) == [7, 10, 20]
    whole = rows[rows["chunk"] == 20]
    assert whole["cosine"].to_numpy() == pytest.approx([1, 1])
    assert (rows[rows["chunk"] == 7]["cosine"] < 1).all()


@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
def test_chunks_side_by_side_are_chunks_one_after_the_other(cell):
    """Would catch a chunk that starts from the state of another one, or a padded step
    that counts."""
    import tensorflow as tf

    recurrent, head = truncated_bptt._layers(cell)
    truncated_bptt._draw_weights(recurrent, head, cell, 1)
    inputs, targets = truncated_bptt.delayed_stream(9, seed=1)
    states = truncated_bptt._states(cell, recurrent, inputs)
    gradient = truncated_bptt._gradient_function(recurrent, head, 4)
    found = gradient(*truncated_bptt._cut(4, inputs, targets, states))

    by_steps = keras.layers.RNN(
        recurrent.cell, return_state=True, return_sequences=True
    )
    variables = [v.value for v in recurrent.trainable_variables]
    with tf.GradientTape() as tape:
        first, errors = None, []
        for start in (0, 4, 8):
            part = slice(start, min(start + 4, 9))
            outputs, *first = by_steps(inputs[:, part], initial_state=first)
            first = [tf.stop_gradient(state) for state in first]
            errors.append((head(outputs) - targets[:, part]) ** 2)
        loss = tf.reduce_mean(tf.concat(errors, axis=1))
    expected = tape.gradient(loss, variables)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_sequence_is_as_many_updates_as_chunks_fit():
    model = truncated_bptt.chunk_model("simple_rnn", 7, carried=True)
    data = truncated_bptt.delayed_stream(20, seed=1)
    assert truncated_bptt.train_by_chunks(model, data, 7) == 2


def test_targets_are_inputs_of_ten_steps_before():
    inputs, targets = truncated_bptt.delayed_stream(30, seed=1)
    assert np.array_equal(inputs[:, :-10], targets[:, 10:])


def test_times_of_an_update_and_of_a_sequence_belong_together(tables):
    for row in tables["truncated_cost"]:
        ratio = row["sequence_ms"] / row["update_ms"]
        assert ratio == pytest.approx(row["steps"] / row["chunk"])
        assert row["update_low"] <= row["update_ms"] <= row["update_high"]
    states = {row["state"] for row in tables["truncated_cost"]}
    assert states == {"carried", "reset"}


@pytest.mark.long
def test_longer_chunks_need_more_memory():
    """In processes of their own; would catch the peak of whoever started them."""
    short, long = (peak_memory.peak("simple_rnn", n, 3_000) for n in (300, 3_000))
    if short == "":
        pytest.skip("this system does not tell a process's peak")
    assert 0 < short < long


# ---------------------------------------------------------------- training


def outputs_and_gradient(carried: bool):
    """What a model of 5 steps, cut 2 before the end, makes of two first symbols."""
    import tensorflow as tf

    model = truncated_training.first_model("gru", 5, 2, carried)
    inputs, _ = truncated_training.first_symbol(1, 4, seed=1)
    moved = inputs.copy()
    moved[:, 0] += 1
    inputs = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = model(inputs)
        total = tf.reduce_sum(outputs[:, 0])
    moves = np.abs(model(moved) - outputs).max()
    return moves, np.abs(tape.gradient(total, inputs)).sum(axis=(0, 2))


def test_a_carried_state_tells_of_what_no_gradient_reaches():
    moves, gradient = outputs_and_gradient(carried=True)
    assert moves > 1e-4
    assert list(gradient > 0) == [False, False, False, True, True]


def test_a_reset_state_tells_nothing():
    moves, gradient = outputs_and_gradient(carried=False)
    assert moves == 0
    assert list(gradient > 0) == [False, False, False, True, True]


def test_streams_name_the_symbol_of_three_steps_before():
    inputs, symbols = truncated_training.symbol_stream(2, 10, 3, seed=1)
    assert np.array_equal(inputs.argmax(axis=2)[:, :-3], symbols[:, 3:])


def test_a_stream_in_chunks_is_one_stream_forward():
    """Would catch a state that is lost between chunks."""
    whole = truncated_training.stream_model("lstm", truncated_training.STREAM)
    parts = truncated_training.stream_model("lstm", 10)
    truncated_training._start_anew(whole, "lstm", 1)
    truncated_training._start_anew(parts, "lstm", 1)
    inputs, _ = truncated_training.symbol_stream(3, 60, 3, seed=2)
    np.testing.assert_allclose(whole(inputs), parts(inputs), atol=1e-5)


def test_what_is_reset_is_guessed_and_the_whole_is_better(tables):
    rows = pd.DataFrame(tables["truncated_recall"])
    accuracy = rows.set_index(["chunk", "state"])["accuracy"]
    assert accuracy[2, "reset"] < 0.35
    assert accuracy[5, "carried"] > 0.5
    assert set(rows["chance"]) == {0.25}


def test_settings_of_a_seed_start_from_the_same_weights():
    """What differs is the gradient alone; would catch an optimizer that remembers."""
    models = [truncated_training.first_model("gru", 5, chunk, True) for chunk in (2, 5)]
    for model in models:
        truncated_training._start_anew(model, "gru", 3)
    first, second = (model.get_weights() for model in models)
    for ours, theirs in zip(first, second, strict=True):
        assert np.array_equal(ours, theirs)
    model = models[0]
    model.fit(*truncated_training.first_symbol(64, 4, 1), verbose=0)
    truncated_training._start_anew(model, "gru", 3)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-2)
    assert all(np.all(v == 0) for v in model.optimizer.variables[2:])


def test_cut_off_gradients_of_large_weights_are_smaller(tables):
    rows = pd.DataFrame(tables["truncated_training"])
    norms = rows.set_index(["gain", "chunk"])["first_norm"]
    assert norms[2.0, 3] < norms[2.0, 12]
    assert set(rows["chunk"]) == {3, 12}


@pytest.mark.parametrize(("options", "message"), [
    ({"chunks": (2_000,)}, "a chunk is 2000 steps; of a sequence of 1,000"),
    ({"chunks": (0,)}, "a chunk is 0 steps"),
    ({"chunks": ()}, "a chunk is 0 steps"),
    ({"cells": ("rnn",)}, "'rnn' is none of simple_rnn"),
    ({"rounds": 0}, "rounds"),
])  # fmt: skip
def test_wrong_sizes_are_one_line(options, message):
    with pytest.raises(InputError, match=message) as error:
        Sizes(**options)
    assert "\n" not in str(error.value)


def test_on_jax_the_study_is_left_out_with_a_line(tmp_path, monkeypatch, capsys):
    """Would catch a run that dies after its training, for want of a tape."""
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    assert truncated_bptt.write(tmp_path, SMALL) == {}
    assert capsys.readouterr().err.startswith("left out: ")
    assert list(tmp_path.iterdir()) == []
