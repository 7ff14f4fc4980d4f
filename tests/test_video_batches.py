"""Batches of clips: all of them, in order or by chance, changed as a whole or not."""

from collections import Counter

import numpy as np
import pytest

from rnn_tf.data.order import Order
from rnn_tf.data.video import batches
from rnn_tf.data.video.store import Videos


@pytest.fixture
def part() -> Videos:
    """Ten videos of 3 clips, every clip all of one brightness, 10 more each."""
    values = (np.arange(30) * 8).astype("uint8").reshape(10, 3, 1, 1, 1, 1)
    stored = values + np.arange(5, dtype="uint8").reshape(1, 1, 5, 1, 1, 1)
    stored = np.broadcast_to(stored, (10, 3, 5, 16, 16, 1))
    return Videos(stored, np.arange(9, -1, -1), (np.arange(10) % 2).astype("i2"))


def numbers(x) -> list[int]:
    """Which clips these are, by their brightness."""
    return (x.numpy()[:, 0, 0, 0, 0] // 8).tolist()


def test_evaluation_gives_every_clip_once_in_the_order_of_the_videos(part):
    evaluated = [(numbers(x), y.numpy().tolist()) for x, y in batches.dataset(part, 8)]
    order = sum((which for which, _ in evaluated), [])
    assert order == [
        3 * video + clip for video in range(9, -1, -1) for clip in range(3)
    ]
    assert sum((y for _, y in evaluated), []) == np.repeat(part.labels, 3).tolist()


def test_an_epoch_has_one_clip_of_each_video_with_its_label_and_weight(part):
    """Would catch labels or weights that slip against the clips."""
    weights = np.array([0.5, 2.0], "float32")
    epochs, orders = [], []
    for epoch in range(2):
        dataset = batches.dataset(part, 5, Order(1, epoch), weights=weights)
        epochs.append(list(dataset))
    for epoch in epochs:
        assert len(epoch) == dataset.cardinality().numpy() == 2
        order = sum((numbers(x) for x, _, _ in epoch), [])
        assert sorted(number // 3 for number in order) == list(range(10))
        for x, y, w in epoch:
            rows = 9 - np.array(numbers(x)) // 3
            assert y.numpy().tolist() == part.labels[rows].tolist()
            assert w.numpy().tolist() == weights[y.numpy()].tolist()
        orders.append(order)
    again = batches.dataset(part, 5, Order(1), weights=weights)
    assert sum((numbers(x) for x, _, _ in again), []) == orders[0] != orders[1]


def test_frames_lose_their_order_and_nothing_else(part):
    """Would catch a shuffle that loses a frame, or spreads the padding."""
    x = part.clips(np.arange(30)).copy()
    x[:10, 3:] = x[:10, 2:3]  # three frames and padding
    mixed = batches.without_order(x, np.random.default_rng(1))
    assert np.array_equal(batches.frame_mask(mixed), batches.frame_mask(x))
    first, padded = mixed[..., 0, 0, 0], x[..., 0, 0, 0]
    assert np.array_equal(np.sort(first[10:], axis=1), padded[10:])
    assert np.array_equal(np.sort(first[:10, :3], axis=1), padded[:10, :3])
    assert len({tuple(np.argsort(row)) for row in first[10:]}) > 5


@pytest.mark.parametrize(("turn", "mirror"), [(0.0, False), (0.15, True), (3.1, True)])
def test_changes_are_the_same_in_every_frame(turn, mirror):
    """Would catch a person who jumps about, and padding that no longer repeats."""
    random = np.random.default_rng(1)
    x = np.repeat(random.integers(0, 255, (6, 1, 16, 16, 1), "uint8"), 4, axis=1)
    x[:, 1:3] = random.integers(0, 255, (6, 2, 16, 16, 1), "uint8")
    x[:, 3] = x[:, 2]
    changed = batches.mover(turn, mirror)(x, np.random.default_rng(2))
    again = batches.mover(turn, mirror)(x, np.random.default_rng(2))
    assert np.array_equal(changed, again)
    assert (changed.shape, changed.dtype) == (x.shape, np.uint8)
    assert np.array_equal(batches.frame_mask(changed), batches.frame_mask(x))
    assert not np.array_equal(changed, x)


def test_nothing_moves_where_nothing_may(monkeypatch):
    """Would catch a picture that is turned around, or off by half a point."""
    monkeypatch.setattr(batches, "_relight", lambda moved, random: moved)
    x = np.random.default_rng(1).integers(0, 255, (3, 2, 17, 17, 3), "uint8")
    still = batches.mover(0.0, mirror=False, zoom=0.0, shift=0.0)
    assert np.array_equal(still(x, np.random.default_rng(1)), x)
    mirrored = batches.mover(0.0, mirror=True, zoom=0.0, shift=0.0)
    moved = mirrored(np.repeat(x[:1], 50, axis=0), np.random.default_rng(1))
    same = [np.array_equal(one, x[0]) for one in moved]
    swapped = [np.array_equal(one, x[0, :, :, ::-1]) for one in moved]
    assert Counter(same)[True] + Counter(swapped)[True] == 50
    assert min(sum(same), sum(swapped)) > 10
