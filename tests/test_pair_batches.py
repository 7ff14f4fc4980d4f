"""Batches of pairs: what stands where, what counts, and in which order."""

import numpy as np
import pytest

from rnn_tf.data.order import Order
from rnn_tf.data.text import pair_batches, parallel, tokens
from rnn_tf.data.text.pair_batches import Layout
from rnn_tf.data.text.tokens import BEGIN, END, PAD

PAIRS = parallel.from_rows([("abc", "x"), ("a", "xyxy"), ("ab", "yx")])


def part(pairs=PAIRS):
    sides = (pairs.sources, pairs.targets)
    return pair_batches.part(
        pairs, tuple(tokens.learn(side, "character", 1, 99) for side in sides)
    )


def test_a_target_is_read_one_step_after_it_is_asked_for():
    """Would catch a decoder that reads what it must say."""
    (x, before), y, weights = Layout().cut(part(), np.array([1, 2]))
    assert before[:, 0].tolist() == [BEGIN, BEGIN]
    assert (before[:, 1:] == y[:, :-1]).all()
    assert weights.tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    assert y[1, 2] == END
    assert y[1, 3:].tolist() == [PAD, PAD]
    assert x.shape == (2, 4)  # the longest source of the part, and its end


def test_a_plain_network_has_an_output_per_step_of_its_source_alone():
    x, y, weights = Layout(plain=True).cut(part(), np.array([0, 1]))
    assert x.shape == y.shape == weights.shape
    assert weights.tolist() == [[1, 1, 0, 0], [1, 1, 0, 0]]  # x and end; xy of xyxy


def test_without_ends_none_is_learned():
    _, y, weights = Layout(ends=False).cut(part(), np.array([0]))
    assert weights.sum() == 1
    assert (y[weights > 0] != END).all()


def test_a_fixed_width_is_kept():
    (_, before), y, _ = Layout(width=9).cut(part(), np.array([0]))
    assert before.shape == y.shape == (1, 9)


def long_part(count=200):
    random = np.random.default_rng(1)
    words = ["a" * n for n in random.integers(1, 100, count)]
    return part(parallel.from_rows([(w, w) for w in words]))


def test_long_sentences_come_in_few_widths_with_those_of_like_length():
    """Would catch a program that is compiled for every batch, and padding galore."""
    whole = long_part()
    cuts = pair_batches.batches(whole, 8, Order(1))
    widths = [Layout().cut(whole, which)[0][0].shape[1] for which in cuts]
    assert set(widths) <= {*range(8, 100, 8), whole.sources.lengths.max()}
    padded = sum(8 * width for width in widths)
    assert padded < 1.3 * whole.sources.lengths.sum()


def test_an_epoch_has_each_pair_once_and_another_order_than_the_next():
    whole, order = long_part(64), Order(1)
    first = np.concatenate(pair_batches.batches(whole, 8, order))
    assert sorted(first) == list(range(64))
    order.begin(1)
    assert (np.concatenate(pair_batches.batches(whole, 8, order)) != first).any()


@pytest.mark.parametrize("plain", [True, False])
def test_a_data_set_gives_what_is_cut(plain):
    whole, layout = part(), Layout(plain=plain)
    (batch,) = pair_batches.dataset(whole, layout, 5).as_numpy_iterator()
    for ours, right in zip(
        np.hstack([np.ravel(a) for a in _flat(batch)]),
        np.hstack([np.ravel(a) for a in _flat(layout.cut(whole, np.arange(3)))]),
        strict=True,
    ):
        assert ours == right


def _flat(batch) -> list:
    x, *rest = batch
    return [*(x if isinstance(x, tuple) else [x]), *rest]


def test_scoring_has_all_pairs_in_order():
    cuts = pair_batches.batches(long_part(10), 4)
    assert np.concatenate(cuts).tolist() == list(range(10))
