"""The order of a training set: so many steps, each example as often as others."""

import numpy as np
import pytest
import tensorflow as tf

from rnn_tf.data import order as orders
from rnn_tf.data.order import Order, shuffled, stacked

COUNT, BATCH = 50, 8


def numbers(which):
    """An example is its own number."""
    which = tf.convert_to_tensor(which)
    return which, tf.cast(which, tf.float32) / 2


def epoch(order, steps=None, count=COUNT) -> np.ndarray:
    """The numbers of one epoch's examples: (steps, BATCH)."""
    batches = shuffled(count, BATCH, order, numbers, steps)
    return np.array([which.numpy() for which, _ in batches])


@pytest.mark.parametrize("steps", [1, 3, 6, 7, 25, 100])
def test_an_epoch_has_exactly_so_many_steps(steps):
    """Would catch examples that are seen more often than others, or not at all."""
    batches = epoch(Order(1), steps)
    assert batches.shape == (steps, BATCH)
    times = np.bincount(batches.ravel(), minlength=COUNT)
    assert times.max() - times.min() <= 1
    assert times.sum() == steps * BATCH


def test_all_are_seen_before_one_is_seen_again():
    """Would catch numbers that are drawn with replacement."""
    order = epoch(Order(1), 100).ravel()
    for start in range(0, 800 - COUNT, COUNT):
        assert sorted(order[start : start + COUNT]) == list(range(COUNT))
    assert order[:COUNT].tolist() != order[COUNT : 2 * COUNT].tolist()


def test_fewer_examples_than_a_batch_fill_it():
    """Would catch a series of a few windows that has no batch at all."""
    batches = epoch(Order(1), steps=4, count=3)
    assert batches.shape == (4, BATCH)
    assert np.ptp(np.bincount(batches.ravel())) <= 1


def test_without_steps_an_epoch_goes_through_all_once():
    assert epoch(Order(1)).shape == (COUNT // BATCH, BATCH)
    assert np.bincount(epoch(Order(1)).ravel()).max() == 1
    steps = 3 * COUNT // BATCH
    assert epoch(Order(1), steps).shape == (steps, BATCH)


def test_an_epochs_order_follows_from_its_number():
    """Would catch a run that goes on in the middle in another order."""
    assert (epoch(Order(1, 2), 20) == epoch(Order(1, 2), 20)).all()
    assert (epoch(Order(1, 2), 20) != epoch(Order(1, 3), 20)).any()
    assert (epoch(Order(1, 2), 20) != epoch(Order(2, 2), 20)).any()


@pytest.mark.parametrize("most", [1, 7, 100])
@pytest.mark.parametrize("steps", [None, 12, 20])
def test_stacks_are_the_batches_of_shuffled(monkeypatch, most, steps):
    """Would catch a stack that runs over the end of an epoch of so many steps."""
    monkeypatch.setattr(orders, "STACK", most * BATCH * 12)  # bytes of an example
    stacks = iter(stacked(COUNT, BATCH, Order(1, 2), numbers, steps=steps))
    for which in (2, 3):
        expected = epoch(Order(1, which), steps)
        batches = []
        while len(batches) < len(expected):
            batches += list(next(stacks)[0].numpy())
        assert np.array_equal(batches, expected)
