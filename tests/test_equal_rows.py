"""Rows of a padded batch against each alone: what is padded, masked and compared."""

import numpy as np
import pytest

from rnn_tf.studies import equal_rows
from rnn_tf.studies.equal_rows import LENGTHS, STEPS


def test_padding_by_hand():
    parts = [np.array([[1.0], [2.0]]), np.array([[3.0]])]
    for side, first in (("post", [1, 2]), ("pre", [0] * (STEPS - 2))):
        whole, mask = equal_rows.padded(parts, side)
        assert whole.shape == (2, STEPS, 1)
        assert whole[0, : len(first), 0].tolist() == first
        assert (whole[..., 0] != 0).tolist() == mask.tolist()
        assert mask.sum(axis=1).tolist() == [2, 1]


@pytest.fixture(scope="module")
def table():
    """Rows of a GRU: (way, side, direction, part) -> gap."""
    keys = "way side direction part".split()
    rows = equal_rows.padded_rows("GRU")
    return {tuple(row[key] for key in keys): row["gap"] for row in rows}


def test_a_state_mask_leaves_every_row_alone(table):
    """Would catch a mask that Keras drops, or that one direction does not get."""
    gaps = [gap for key, gap in table.items() if key[0] == "state mask"]
    assert len(gaps) == 8
    assert max(gaps) < 1e-6


def test_without_a_mask_padding_is_read(table):
    """Would catch comparisons that would find nothing: zeros that move no state."""
    untouched = (
        "no mask",
        "post",
        "forward",
        "outputs",
    )  # they come before the padding
    read = {key: gap for key, gap in table.items() if key[0] == "no mask"}
    assert read.pop(untouched) < 1e-6
    assert min(read.values()) > 0.1


def test_outputs_masked_alone_keep_outputs_behind_which_padding_comes(table):
    good = [key for key, gap in table.items() if key[0] == "output mask" and gap < 1e-6]
    assert good == [("output mask", "post", "forward", "outputs")]


def test_chunks_equal_the_whole_where_the_state_is_carried_on():
    gaps = {row["way"]: row["gap"] for row in equal_rows.chunk_rows("LSTM")}
    carried = [gap for way, gap in gaps.items() if way.endswith("carried")]
    assert len(carried) == len(gaps) / 2
    assert max(carried) < 1e-6 < 0.1 < min(g for g in gaps.values() if g not in carried)


def test_functions_of_tensorflow_1():
    """Would catch a formula that both miss alike, and errors that end the study."""
    rows = [*equal_rows.graph_rows("static_rnn", "static")]
    rows += equal_rows.graph_rows("dynamic_rnn", "dynamic")
    gaps = {(row["function"], row["part"]): row.get("gap") for row in rows}
    assert gaps.pop(("static_rnn", "another length")) is None
    assert max(gaps.values()) < 1e-5
    assert len(gaps) == 7
    (error,) = [row["error"] for row in rows if "error" in row]
    assert error.startswith("ValueError: Cannot feed value of shape (32, 17, 32)")


def test_a_tensorflow_without_them_is_a_row(monkeypatch):
    def none(*_):
        raise AttributeError("no static_rnn")

    monkeypatch.setattr(equal_rows.static_and_dynamic, "graph_loop", none)
    (row,) = equal_rows.graph_rows("static_rnn", "static")
    assert row["error"] == "AttributeError: no static_rnn"


def test_lengths_differ():
    assert max(LENGTHS) == STEPS and min(LENGTHS) < STEPS / 2
