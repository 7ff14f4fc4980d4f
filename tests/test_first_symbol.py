"""Sequences whose first symbol is asked for: parts, padding, baselines."""

import numpy as np
import pytest

from rnn_tf.data.text import first_symbol
from rnn_tf.data.text.first_symbol import PADDING, SHORTEST, SYMBOLS, Sequences

TWO = Sequences(np.array([[3, 1, 2, 0], [4, 4, 0, 0]]), np.array([3, 2]))


def test_padding_by_hand():
    """Would catch sequences that padding in front turns round, or cuts."""
    assert TWO.padded(5, "post").tolist() == [[3, 1, 2, 0, 0], [4, 4, 0, 0, 0]]
    assert TWO.padded(5, "pre").tolist() == [[0, 0, 3, 1, 2], [0, 0, 0, 4, 4]]
    assert TWO.labels.tolist() == [2, 3]


@pytest.mark.parametrize("width", [20, 33])
def test_both_sides_hold_the_same_symbols(width):
    part = first_symbol.sequences(300, 20)["train"]
    for side in ("pre", "post"):
        padded = part.padded(width, side)
        assert padded.shape == (240, width)
        rows = [row[row != PADDING].tolist() for row in padded]
        known = zip(part.symbols, part.lengths, strict=True)
        assert rows == [row[:end].tolist() for row, end in known]


def test_all_lengths_and_symbols_are_there():
    """Would catch sequences whose first symbol tells their length."""
    part = first_symbol.sequences(4_000, 20)["train"]
    assert set(part.lengths) == set(range(SHORTEST, 21))
    assert set(part.symbols[:, :SHORTEST].ravel()) == set(range(1, SYMBOLS + 1))
    for label in range(SYMBOLS):
        own = part.lengths[part.labels == label]
        assert own.mean() == pytest.approx(12.5, abs=0.6)


def test_parts_share_no_order_and_the_seed_decides():
    first, again = (first_symbol.sequences(100, 9) for _ in range(2))
    assert [len(p.lengths) for p in first.values()] == [80, 10, 10]
    for split in first:
        assert (first[split].symbols == again[split].symbols).all()
    assert (first["validation"].symbols != first["test"].symbols).any()
    other = first_symbol.sequences(100, 9, seed=2)
    assert (other["test"].symbols != first["test"].symbols).any()


def test_by_length_keeps_each_row_whole():
    """Would catch lengths that are sorted without their symbols."""
    part = first_symbol.sequences(200, 15)["train"].by_length()
    assert (np.diff(part.lengths) >= 0).all()
    assert ((part.symbols != PADDING).sum(axis=1) == part.lengths).all()


def test_baselines_by_hand():
    parts = {"train": TWO, "test": TWO}
    predict = first_symbol.predictors(parts)
    assert predict["majority"]("test").tolist() == [[0, 0, 0.5, 0.5]] * 2
    shares = predict["share"]("test")
    assert shares == pytest.approx(np.array([[1 / 3] * 3 + [0], [0, 0, 0, 1]]))
