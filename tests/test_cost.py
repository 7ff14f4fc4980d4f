"""What models cost and do, measured: goldens by hand."""

import io
import itertools
from unittest import mock

import keras
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from rnn_tf.studies import cost


def summing(masked: bool):
    """A classifier that adds up what it sees; padding is -1, which a mask hides."""
    inputs = keras.Input((None, 2))
    x = keras.layers.Masking(-1.0)(inputs) if masked else inputs
    cell = keras.layers.SimpleRNN(2, activation=None, use_bias=False)
    model = keras.Model(inputs, cell(x))
    cell.set_weights([np.eye(2), np.eye(2)])
    return model


def test_padding_is_seen_by_what_reads_it():
    """By hand: [1, 0] padded by two (-1, -1) sums to [-1, -2]; the guess stays."""
    examples = np.array([[[1.0, 0.0]], [[0.0, 1.0]]], "float32")
    padded = np.pad(examples, [(0, 0), (0, 2), (0, 0)], constant_values=-1)
    padded[1, 1:] = (3, -1)  # and this one is led astray
    models = {"masked": summing(True), "plain": summing(False)}
    rows = cost.padding_rows(models, {1: examples, 3: padded}, np.array([0, 0]))
    assert [(row["model"], row["steps"]) for row in rows] == [
        ("masked", 1), ("masked", 3), ("plain", 1), ("plain", 3),
    ]  # fmt: skip
    assert rows[2]["max_difference"] == rows[2]["changed"] == 0
    assert rows[3]["max_difference"] == pytest.approx(6)
    assert rows[3]["changed"] == 50
    assert [row["error"] for row in rows[2:]] == [50, 0]
    assert all(set(row) == set(cost.PADDING) for row in rows)


def strided(*strides: int):
    inputs = x = keras.Input((None, 5))
    for stride in strides:
        x = keras.layers.Conv1D(4, 3, strides=stride)(x)
    x = keras.layers.LSTM(4)(x)
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))


def test_the_cost_of_a_step(monkeypatch):
    """Would catch seconds for milliseconds, and a stride that is a sum.

    Half a second passes from one look at the clock to the next.
    """
    ticks = itertools.count(step=0.5)
    clock = mock.Mock(perf_counter=lambda: next(ticks))
    monkeypatch.setattr(cost, "time", clock)
    inputs = np.zeros((4, 40, 5), "float32")
    models = {"short": strided(2, 3), "long": strided()}
    rows = cost.cost_rows(models, inputs, np.array([0, 1, 2, 0]), rounds=5)
    assert [row["stride"] for row in rows] == [6, 1]
    assert rows[1]["parameters"] == 4 * (4 * (5 + 4) + 4) + 4 * 3 + 3
    for row in rows:
        assert [row[key] for key in ("low", "milliseconds", "high")] == [500] * 3
        assert set(row) == set(cost.COST)
    padding = cost.padding_rows(models, {40: inputs}, np.zeros(4, int))
    console = Console(width=60, record=True, file=io.StringIO())
    console.print(cost.table(rows, padding))
    assert "short" in (text := console.export_text())
    assert max(map(len, text.splitlines())) <= 60


def test_the_time_to_a_score_by_hand():
    """Would catch seconds since the run began, or another seed's target."""
    runs = {
        ("rival", 1): [0.9, 0.5, 0.6],
        ("rival", 2): [0.9, 0.8, 0.4],
        ("quick", 1): [0.5, 0.3, 0.2],
        ("quick", 2): [0.7, 0.4, 0.1],
        ("slow", 1): [0.9, 0.8, 0.7],
        ("slow", 2): [0.9, 0.8, 0.4],
    }
    history = pd.DataFrame(
        {"model": model, "seed": seed, "epoch": epoch, "score": score}
        | {"seconds": epoch * (5.0 if model == "rival" else 1.0)}
        for (model, seed), scores in runs.items()
        for epoch, score in enumerate(scores, start=1)
    )
    rows = cost.time_to_score_rows(history, "rival")
    found = {(row["model"], row["seed"]): row for row in rows}
    assert found["rival", 1]["speedup"] == found["rival", 2]["speedup"] == 1
    assert found["quick", 1]["score"] == 0.5
    assert found["quick", 1]["speedup"] == 10  # epoch 1 of 1 s, epoch 2 of 5 s
    assert found["quick", 2] == {
        "model": "quick", "seed": 2, "score": 0.4, "epoch": 2, "seconds": 2.0,
        "speedup": 7.5,
    }  # fmt: skip
    assert "speedup" not in found["slow", 1]
    assert found["slow", 2]["epoch"] == 3
    assert cost.time_to_score_rows(history, "absent") == []


def test_the_quickest_network_is_that_of_the_shortest_epochs():
    """Would catch a trial, a failed run, or a run that is short by its few epochs."""
    rows = [
        ("long", "final", "completed", 30.0, 10),
        ("short", "final", "completed", 8.0, 2),
        ("tried", "search", "completed", 1.0, 1),
        ("broken", "final", "failed", 0.1, 1),
    ]
    columns = ["model", "phase", "status", "seconds", "epochs"]
    assert cost.quickest(pd.DataFrame(rows, columns=columns)) == "long"


def test_waiting_is_measured_step_by_step(monkeypatch):
    """Would catch a wait that counts as training, and the reverse.

    The clock goes on by 1 for each batch and by 3 for each step of training, and not
    otherwise, so that what else the machine does cannot tell.
    """
    now = [0.0]

    def pass_time(seconds, result=None):
        now[0] += seconds
        return result

    batches = (pass_time(1, ("x", "y")) for _ in itertools.count())
    dataset, model = mock.MagicMock(), mock.MagicMock()
    dataset.repeat.return_value.as_numpy_iterator.return_value = batches
    model.train_on_batch.side_effect = lambda *batch: pass_time(3)
    monkeypatch.setattr(cost, "time", mock.Mock(perf_counter=lambda: now[0]))
    assert cost.waiting(model, dataset, steps=5) == {
        "steps": 5, "step_seconds": 4, "waiting_seconds": 1, "share": 0.25
    }  # fmt: skip
    assert model.train_on_batch.call_count == 10  # five before the clock starts
