"""Examples in memory: parts that share nothing, and data sets that fit their model."""

import dataclasses

import keras
import numpy as np
import pytest

from rnn_tf.data import examples
from rnn_tf.data.examples import Examples
from rnn_tf.data.order import Order
from rnn_tf.data.splits import Network


@pytest.fixture
def made() -> Examples:
    """100 sequences of 5 steps; example i counts up from 10 i."""
    parts = examples.parts(10 * np.arange(100.0)[:, None] + np.arange(6))
    return Examples(
        lambda split, _: parts[split][:, :-1, None],
        {split: part[:, 1:] for split, part in parts.items()},
        baselines={},
        scale=2.0,
    )


def model(sequences: bool):
    inputs = keras.Input((None, 1))
    return keras.Model(inputs, keras.layers.GRU(1, return_sequences=sequences)(inputs))


def arrays(dataset):
    """All batches of a data set, one after the other."""
    pairs = list(dataset.as_numpy_iterator())
    return tuple(np.concatenate(part) for part in zip(*pairs, strict=True))


def test_parts_are_80_10_10_and_share_nothing():
    parts = examples.parts(np.arange(1000))
    assert {k: len(v) for k, v in parts.items()} == {
        "train": 800, "validation": 100, "test": 100,
    }  # fmt: skip
    assert np.array_equal(np.concatenate(list(parts.values())), np.arange(1000))


def test_a_target_at_every_step_is_the_next_value(made):
    """Would catch a target that is shifted by a step."""
    x, y = arrays(made.dataset("validation", model(True), 4))
    assert x.shape == y.shape == (10, 5, 1)
    np.testing.assert_array_equal(y[:, :-1], x[:, 1:])
    x, last = arrays(made.dataset("validation", model(False), 4))
    np.testing.assert_array_equal(last, y[:, -1])
    np.testing.assert_array_equal(last, x[:, -1] + 1)


def test_training_is_shuffled_by_the_seed_and_anew_each_epoch(made):
    orders = Order(1), Order(1), Order(1, epoch=1), Order(2)
    first, again, second, other = (
        arrays(made.dataset("train", model(False), 32, order))[0] for order in orders
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, other)
    assert len(first) == 64  # the remainder is dropped
    assert len(np.unique(first[:, 0])) == 64


def test_what_is_scored_is_the_last_step_in_its_unit(made):
    np.testing.assert_array_equal(
        made.scored("test"), 2 * (10 * np.arange(90, 100) + 5)
    )
    assert made.names == tuple(map(str, range(10)))


def test_an_epoch_of_several_passes_has_every_example_as_often(made):
    """Would catch a shuffle that mixes the passes, and steps that are not counted."""
    thrice = dataclasses.replace(made, passes=3)
    x = arrays(thrice.dataset("train", model(False), 24, Order(1)))[0][:, 0, 0]
    assert len(x) == 240
    for number in range(3):
        assert len(set(x[80 * number : 80 * (number + 1)])) == 80
    assert not np.array_equal(x[:80], x[80:160])
    dataset = thrice.data(1, 24, 1, {}).dataset(
        "train", Network("", model(False)), Order(1)
    )
    assert int(dataset.cardinality()) == 10


def test_data_counts_whole_batches(made):
    data = made.data(1, 32, 1, {"source": "made"})
    assert (data.batch_size, data.sizes, data.block) == (32, 1, 1)
    network = Network("gru", model(False))
    assert int(data.dataset("train", network, Order(1)).cardinality()) == 2
    assert next(iter(data.stacked(network, Order(1))))[0].shape == (2, 32, 5, 1)


def test_facts_tell_data_apart():
    one, same, other = (
        examples.facts("made", np.arange(100) + shift) for shift in (0, 0, 1)
    )
    assert one == same
    assert one["sha256"] != other["sha256"]
    assert one["says"] == "made, 80 train, 10 validation, 10 test"
