"""Batches from which a network learns the next point of a drawing."""

import numpy as np
import pytest

from rnn_tf.baselines import next_points as baselines
from rnn_tf.data.drawings import doodles, next_points, store
from rnn_tf.data.drawings.next_points import Layout
from rnn_tf.data.order import Order

TWO = store.pack(
    [
        np.array([[4, 0, 0], [0, 8, 1]], "int16"),
        np.array([[2, 2, 1]] * 9, "int16"),
    ],
    np.array([1, 0]),
)


def test_a_batch_by_hand():
    """Would catch inputs that are the targets, or an end that nobody learns."""
    layout = Layout(longest=50, scale=4.0)
    before, label, points, weights = layout.cut(TWO, np.array([0]))
    assert before[0, :4].tolist() == [
        *([0, 0, 1, 0, 0], [4, 0, 1, 0, 0], [0, 8, 0, 1, 0], [0, 0, 0, 0, 1]),
    ]
    assert points[0, :4].tolist() == [
        *([1, 0, 1, 0, 0], [0, 2, 0, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1]),
    ]
    assert weights.tolist() == [[1, 1, 1, 0, 0, 0, 0, 0]]
    assert label.tolist() == [1]
    assert (before.dtype, points.dtype) == ("float32", "float32")


def test_a_drawing_that_is_cut_has_no_end():
    """Would catch a network that learns to end where we have cut."""
    _, _, points, weights = Layout(longest=8, scale=1.0).cut(TWO, np.array([1]))
    assert points.shape == (1, 8, 5)
    assert points[..., 4].sum() == 0
    assert weights.sum() == 8
    _, _, points, weights = Layout(longest=16, scale=1.0).cut(TWO, np.array([1]))
    assert (points[0, 9, 4], weights.sum()) == (1, 10)


def test_an_epoch_has_each_drawing_once_among_others_of_its_length():
    """Would catch a drawing that is seen twice, and batches that are mostly padding."""
    lengths = np.random.default_rng(1).integers(2, 200, 1003)
    first, second = (
        next_points.plan_epoch(lengths, 10, np.random.default_rng(seed))
        for seed in (1, 2)
    )
    assert len(first) == 100
    assert len(np.unique(first)) == 1000
    assert not np.array_equal(first, second)
    spread = np.mean([np.ptp(lengths[which]) for which in first])
    assert spread < 0.15 * np.ptp(lengths)


def test_training_is_repeatable_and_stretched_and_evaluation_is_not():
    """Would catch validation on stretched drawings, and epochs that are all alike."""
    drawings, labels = doodles.doodles(40)
    part = store.pack(drawings, labels)
    layout = Layout(60, next_points.scale(part), stretch=0.1)

    def first(order):
        (_, label), points, _ = next(iter(next_points.dataset(part, layout, 8, order)))
        return label.numpy().tolist(), points.numpy()

    again, one, other = Order(1, 0), Order(1, 0), Order(1, 1)
    assert np.array_equal(first(again)[1], first(one)[1])
    assert first(one)[0] != first(other)[0]
    labels_of_all = np.concatenate(
        [label for (_, label), _, _ in next_points.dataset(part, layout, 7)]
    )
    assert labels_of_all.tolist() == labels.tolist()
    points = next(iter(next_points.dataset(part, layout, 40)))[1].numpy()
    real = part.stroke5(np.arange(40), points.shape[1], layout.scale)
    assert np.array_equal(points, real)
    ratio = {
        float(x) for x in np.round(first(one)[1][..., 0] * layout.scale, 3).ravel()
    }
    assert any(x != round(x) for x in ratio)


def test_one_normal_distribution_by_hand():
    """Would catch an end that costs nothing, or nats of drawings in another order."""
    part = store.pack([TWO.drawing(0), TWO.drawing(1)], TWO.labels)
    nats = baselines.gaussian(part, 2.0)(part)
    pen = -np.log(np.array([1, 10, 2]) / 13)
    assert nats[:, 2].tolist() == [3, 10]
    assert nats[:, 1] == pytest.approx([pen.sum(), 9 * pen[1] + pen[2]])
    turned = part.shortest_first()
    assert baselines.gaussian(part, 2.0)(turned) == pytest.approx(nats)


def test_a_bigram_knows_what_follows_what():
    """Steps go right, down, right, ...: one bit less a step than without order.

    Would catch counts of what comes before instead of after, and a density that does
    not add up: no model can be paid less than the noise costs.
    """
    random = np.random.default_rng(1)
    turns = np.tile([[60, 0, 0], [0, 60, 0]], (10, 1))

    def drawing():
        moves = turns.copy()
        moves[:, :2] += random.integers(-4, 5, (20, 2))
        moves[-1, 2] = 1
        return moves.astype("int16")

    train, test = (
        store.pack([drawing() for _ in range(n)], np.zeros(n)) for n in (200, 50)
    )
    scale = next_points.scale(train)
    one, two = (
        rival(train, scale)(test) for rival in (baselines.gaussian, baselines.bigram)
    )
    assert two[:, 2].tolist() == one[:, 2].tolist() == [21] * 50
    bigram, floor = two[:, 0].mean() / 20, 2 * np.log(9 / scale)
    assert floor - 0.02 < bigram < floor + 0.35
    assert two[:, 0].mean() < one[:, 0].mean() - 10
