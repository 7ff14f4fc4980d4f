"""Padded batches of drawings: whole, in bounds, the same again with the same seed."""

import numpy as np
import pytest

from rnn_tf.data.drawings import batches
from rnn_tf.data.drawings.batches import Padding
from rnn_tf.data.order import Order
from tests.drawing_files import hundred_drawings


@pytest.fixture
def part():
    """Drawings of 1 to 100 points by chance."""
    return hundred_drawings()


def test_padding_fits_the_drawings(part):
    padding = batches.padding(part, longest=200)
    assert padding.lengths == (32, 56, 80, 96, 104)
    assert padding.scale == pytest.approx(part.points[:, :2].std())
    assert batches.padding(part, longest=50).lengths == (32, 56)
    assert padding.steps(np.array([3, 57, 40])) == 80
    plain = padding.in_plain_batches(60)
    assert plain.steps(np.array([3, 57, 40])) == 57
    assert plain.steps(np.array([3, 570])) == 60
    assert plain.steps(np.array([3])) == batches.SHORTEST


def test_an_epoch_has_whole_batches_of_alike_drawings(part):
    """Would catch a drawing that comes twice, and one padded to more than it needs."""
    padding = batches.padding(part, 200)
    plan = batches.plan_epoch(part, padding, 4, np.random.default_rng(1))
    assert {len(which) for which in plan} == {4}
    assert len(plan) == batches.steps_per_epoch(part, padding, 4)
    members = np.concatenate(plan)
    assert len(np.unique(members)) == len(members) >= 100 - 3 * len(padding.lengths)
    for which in plan:
        assert len(set(padding.buckets(part.lengths[which]).tolist())) == 1


def arrays(dataset) -> list:
    return [(x.numpy(), y.numpy()) for x, y in dataset]


def test_evaluation_gives_every_drawing_once_in_the_order_of_the_part(part):
    """Would catch an evaluation with an order of its own, that others must know."""
    padding = batches.padding(part, 200)
    evaluated = arrays(batches.dataset(part, padding, 32))
    labels = np.concatenate([y for _, y in evaluated])
    assert np.array_equal(labels, part.labels)
    lengths = np.concatenate([(x[..., 4] == 0).sum(axis=1) for x, _ in evaluated])
    assert np.array_equal(lengths, part.lengths)
    assert [len(x) for x, _ in evaluated] == [32, 32, 32, 4]


def test_training_is_shuffled_by_the_seed_and_anew_each_epoch(part):
    padding = batches.padding(part, 200)
    order = Order(1)
    one, again = (batches.dataset(part, padding, 8, order) for _ in range(2))
    assert one.options().autotune.enabled is False  # see order.without_autotune
    first, same = arrays(one), arrays(again)
    order.begin(1)
    second = arrays(one)
    assert len(first) == one.cardinality().numpy()
    assert all(np.array_equal(x, z) for (x, _), (z, _) in zip(first, same, strict=True))
    assert not all(
        np.array_equal(x, z) for (x, _), (z, _) in zip(first, second, strict=True)
    )


def test_plain_batches_mix_lengths_and_are_as_padded_in_evaluation(part):
    """Would catch short drawings that are evaluated without the padding they met."""
    plain = batches.padding(part, 200).in_plain_batches(90)
    training = arrays(batches.dataset(part, plain, 20, Order(1)))
    lengths = [(x[..., 4] == 0).sum(axis=1) for x, _ in training]
    assert len(training) == batches.steps_per_epoch(part, plain, 20) == 5
    assert all(own.max() - own.min() > 30 for own in lengths)
    assert all(
        x.shape[1] == n.max() for (x, _), n in zip(training, lengths, strict=True)
    )
    evaluated = arrays(batches.dataset(part.shortest_first(), plain, 20))
    assert min(x.shape[1] for x, _ in evaluated) > 60
    assert (evaluated[0][0][..., 4] == 0).sum(axis=1).max() == 20


def test_padding_of_a_long_part_knows_where_drawings_are_cut():
    padding = Padding((24, 48), 10.0)
    assert padding.buckets(np.array([1, 24, 25, 48, 900])).tolist() == [0, 0, 1, 1, 1]
