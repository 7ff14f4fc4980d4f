"""Streams of a text: rows go on from batch to batch, and each token counts once."""

import numpy as np
import pytest

from rnn_tf.data.order import Order
from rnn_tf.data.text import streams
from rnn_tf.data.text.corpus import Part
from rnn_tf.data.text.streams import Layout, Size


def part(tokens: int) -> Part:
    """The tokens are 1, 2, 3, ...: each tells its place."""
    return Part(np.arange(1, tokens + 1, dtype="<u4"), None)


def arrays(dataset) -> list:
    return [[np.asarray(a) for a in batch] for batch in dataset]


@pytest.mark.parametrize("context", [0, 3])
def test_each_row_goes_on_where_it_ended_in_the_batch_before(context):
    """Would catch shuffled chunks: a state that is carried to another text."""
    size = Size(4, 5, context)
    batches = arrays(streams.training(part(103), size, Order(1)))
    assert len(batches) == streams.steps(part(103), size) == 4
    targets = np.concatenate([y for _, y in batches], axis=1)
    assert (np.diff(targets, axis=1) == 1).all()
    for x, y in batches:
        assert x.shape == (4, 5 + context)
        assert (x[:, context:] == y - 1).all()  # the input is the token before
        assert (
            x == np.maximum(y[:, :1] - 1 - context + np.arange(5 + context), 0)
        ).all()


def test_streams_begin_elsewhere_in_each_epoch_and_as_the_seed_has_it():
    order, begin = Order(1), []
    dataset = streams.training(part(200), Size(2, 20), order)
    for epoch in (0, 1, 2, 0):
        order.begin(epoch)
        begin.append(int(arrays(dataset)[0][1][0, 0]))
    assert begin[0] == begin[3]
    assert len(set(begin)) > 1
    assert max(begin) <= 20


def test_training_goes_through_nearly_all_of_the_text():
    """Would catch streams that overlap, or leave most of the text out."""
    batches = arrays(streams.training(part(1_000), Size(4, 10), Order(1)))
    seen = np.concatenate([y.ravel() for _, y in batches])
    assert len(set(seen)) == len(seen) >= 950


@pytest.mark.parametrize("tokens", [2, 7, 100, 600, 1_001])
@pytest.mark.parametrize("rows", [1, 3, 16])
def test_every_token_counts_once_and_in_its_order(tokens, rows):
    size = Size(rows, 8)
    batches = arrays(streams.evaluation(part(tokens), size))
    weights = np.concatenate([w for *_, w in batches])
    targets = np.concatenate([y for _, y, _ in batches])
    assert sorted(targets[weights == 1]) == list(range(1, tokens + 1))
    in_order = Layout(tokens, rows).in_order(targets, 8)
    assert in_order.tolist() == list(range(1, tokens + 1))


def test_all_streams_but_the_first_warm_up():
    """Would catch states that begin at zero in the middle of a text."""
    layout = Layout(10_000, 4)
    counts = layout.counts(np.arange(3_000))
    assert counts[0, 0]
    assert not counts[1:, : streams.WARM_UP].any()
    assert counts[1:, streams.WARM_UP].all()
