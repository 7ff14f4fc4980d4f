"""The lengths experiment from end to end, and what its options may be."""

import csv
import json

import numpy as np
import pytest

from experiments import lengths
from rnn_tf import config
from rnn_tf.data.order import Order
from rnn_tf.data.splits import Network
from rnn_tf.errors import InputError
from rnn_tf.studies import static_and_dynamic

TINY = {
    "cells": ("simple_rnn",),
    "bucketed": True,
    "longest": 6,
    "width": 9,
    "units": 4,
    "examples": 200,
    "steps": (4, 20),
    "rounds": 1,
    "rows": 32,
    "epochs": 1,
    "seeds": 1,
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    text = folder / "lines.txt"
    text.write_text("one two three\n\nfour\n" * 20)
    data = "sentences", str(text)
    return lengths.run(lengths.Config(results=folder, data=data, **TINY))


def rows(done, table: str) -> list[dict]:
    with (done.folder / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_run_leaves_its_tables_and_pictures(done):
    info = json.loads((done.folder / "config.json").read_text())
    left = {path.name for path in done.folder.iterdir()}
    tables = "history metrics trials equality graphs memory batching step_costs"
    pictures = "learning_curves graphs waste step_costs padding_errors"
    assert left == {
        *(f"{name}.csv" for name in tables.split()),
        *(f"{name}.png" for name in pictures.split()),
        *("config.json", f"{info['chosen']}.keras"),
    }


def test_no_row_has_failed(done):
    """Would catch a study that reports every error as a result."""
    tables = "graphs memory batching step_costs".split()
    assert [row["error"] for t in tables for row in rows(done, t) if row["error"]] == []
    failed = [row for row in rows(done, "equality") if row["error"]]
    assert [(row["function"], row["part"]) for row in failed] == [
        ("static_rnn", "another length")
    ]


def test_loops_are_measured_in_processes_of_their_own(done):
    """Would catch rows without times, and memory that is not of the rows."""
    graphs = rows(done, "graphs")
    assert [(row["kind"], row["steps"]) for row in graphs] == [
        (kind, steps) for steps in ("4", "20") for kind in ("static", "dynamic")
    ]
    for row in graphs:
        assert 0 < float(row["update_low"]) <= float(row["update_high"])
        assert float(row["build_seconds"]) > 0 < float(row["first_seconds"])
    nodes = {(row["kind"], row["steps"]): int(row["nodes"]) for row in graphs}
    assert nodes["dynamic", "4"] == nodes["dynamic", "20"]
    assert nodes["static", "20"] > 4 * nodes["static", "4"]
    used = {
        row["rows"]: float(row["megabytes"])
        for row in rows(done, "memory")
        if row["kind"] == "dynamic"
    }
    a_state = static_and_dynamic.BATCH * static_and_dynamic.UNITS * 4 / 2**20
    assert used["all long"] - used["all short"] > 18 * a_state
    assert used["one long"] == pytest.approx(used["all long"], rel=0.1)


def test_a_text_of_ones_own_is_batched_too(done):
    """Would catch lengths that count empty lines, or letters."""
    own = [row for row in rows(done, "batching") if row["lengths"] == "lines.txt"]
    assert {row["real_steps"] for row in own} == {str(16 * 3 + 16)}
    waste = {row["way"]: float(row["waste"]) for row in own}
    assert waste["longest of all"] == pytest.approx(100 / 3)
    assert waste["packed"] == waste["one by one"] == 0


def test_an_rnn_is_timed_beside_others_and_as_a_stream(done):
    works = [(row["model"], row["work"]) for row in rows(done, "step_costs")]
    assert len(works) == 10 and set(works) == {
        *(("rnn", "training"), ("conv", "training"), ("mlp", "training")),
        *(("rnn", "all at once"), ("rnn", "step by step")),
    }


def test_every_model_is_scored_on_the_same_sequences(done):
    scored = done.tables["metrics"]
    scored = scored[(scored["split"] == "test") & (scored["metric"] == "error")]
    assert set(scored["model"]) == {
        *("simple_rnn_pre", "simple_rnn_post", "simple_rnn_pre_mask"),
        *("simple_rnn_post_mask", "simple_rnn_post_mask_bucketed"),
        *("majority", "share"),
    }
    assert set(scored["n"]) == {20}


# ---------------------------------------------------------------- padding


@pytest.fixture(scope="module")
def data():
    return lengths.load_data(lengths.Config(**TINY))


def read(data, name: str, order=None) -> tuple[np.ndarray, np.ndarray]:
    """All inputs and labels that a network of this name trains on."""
    batches = data.dataset("train", Network(name, None), order).as_numpy_iterator()
    inputs, labels = zip(*batches, strict=True)
    return np.concatenate(inputs), np.concatenate(labels)


@pytest.mark.parametrize("name", ["simple_rnn_pre", "gru_post_mask", "lstm_pre_mask"])
def test_a_name_says_on_which_side_padding_is(name, data):
    """Would catch networks that are named after data that they have not seen."""
    inputs, labels = read(data, name)
    behind = inputs[:, -1] == 0
    assert behind.all() if "post" in name else (inputs[:, 0] == 0).all()
    first = [row[row > 0][0] - 1 for row in inputs]
    assert labels[:, 0].tolist() == first


def test_buckets_are_of_equal_lengths_and_shuffled(data):
    """Would catch buckets that never change their order, and mixed ones."""
    name = "gru_post_mask_bucketed"
    epochs = [read(data, name, Order(1, epoch)) for epoch in (0, 0, 1)]
    assert (epochs[0][0] == epochs[1][0]).all()
    assert (epochs[0][0] != epochs[2][0]).any()
    spreads = [
        np.ptp((batch > 0).sum(axis=1)) for batch in epochs[0][0].reshape(-1, 32, 9)
    ]
    assert sorted(spreads)[-2:] == [0, 1] or max(spreads) <= 1
    plain = read(data, "gru_post_mask", Order(1, 0))[0].reshape(-1, 32, 9)
    assert np.ptp((plain[0] > 0).sum(axis=1)) == 1


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(("options", "message"), [
    ("--width 10", "--width is 10; it must be at least --longest, 20"),
    ("--longest 3", "--longest is 3; it must be at least 5"),
    ("--steps 1", "--steps is 1; it must be at least 2"),
    ("--rows 3", "--rows is 3; it must be at least 32"),
    ("--rounds 0", "--rounds is 0; it must be at least 1"),
])  # fmt: skip
def test_options_that_do_not_fit_are_one_line(options, message):
    with pytest.raises(InputError, match=message):
        config.parse(lengths.Config, lengths.FULL, options.split(), "lengths")


@pytest.mark.parametrize(("text", "message"), [
    ("\n \n", "has 0 lines with words; give 2 and more"),
    ("", "is empty"),
    (b"\xff\xfe\x00", "no UTF-8 text"),
    (None, "there is no such file"),
])  # fmt: skip
def test_a_text_without_lengths_is_one_line_and_leaves_nothing(tmp_path, text, message):
    """Would catch one that is seen when all networks have been trained."""
    path = tmp_path / "text.txt"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    results = tmp_path / "results"
    with pytest.raises(InputError, match=message):
        lengths.run(lengths.Config(data=(str(path),), results=results, **TINY))
    assert not list(results.glob("*/*"))
