"""Padded batches of drawings: whole, in bounds, the same again with the same seed."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from rnn_tf.data.drawings import batches
from rnn_tf.data.drawings.batches import Padding
from rnn_tf.data.order import Order

STATUS = Path("/proc/self/status")


def drawing(points: int, start: int = 0) -> np.ndarray:
    """Moves that tell each drawing from every other; the pen is lifted at the end."""
    rows = np.stack(
        [start + np.arange(points), -np.arange(points), np.zeros(points)], 1
    )
    rows[-1, 2] = 1
    return rows.astype("int16")


@pytest.fixture
def part() -> batches.Part:
    """100 drawings of 1 to 100 points; drawing i has label i % 5."""
    lengths = np.random.default_rng(1).permutation(np.arange(1, 101))
    drawings = [drawing(n, start=7 * i) for i, n in enumerate(lengths)]
    return batches.pack(drawings, np.arange(100) % 5)


def test_stroke_5_by_hand():
    """Would catch pen columns that are swapped, and padding that looks like a point."""
    part = batches.pack([drawing(2), np.array([[4, 6, 0], [2, 0, 1]])], [0, 1])
    x = part.stroke5(np.array([1, 0]), steps=3, scale=2.0)
    assert x.dtype == np.float32
    assert x.tolist() == [
        [[2, 3, 1, 0, 0], [1, 0, 0, 1, 0], [0, 0, 0, 0, 1]],
        [[0, 0, 1, 0, 0], [0.5, -0.5, 0, 1, 0], [0, 0, 0, 0, 1]],
    ]


def test_long_drawings_are_cut(part):
    which = np.array([int(np.argmax(part.lengths))])
    x = part.stroke5(which, steps=40, scale=1.0)
    assert x.shape == (1, 40, 5)
    assert not x[..., 4].any()


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


def test_validation_and_test_are_sorted_by_length_and_training_is_not(part):
    """Would catch labels or points that stay behind when drawings are sorted."""
    parts = batches.sort_for_evaluation({"train": part, "test": part})
    assert parts["train"] is part
    ordered = parts["test"]
    assert np.array_equal(ordered.lengths, np.arange(1, 101))
    assert ordered.points is part.points
    for number, original in enumerate(np.argsort(part.lengths)):
        assert np.array_equal(ordered.drawing(number), part.drawing(original))
        assert ordered.labels[number] == part.labels[original]
    assert np.array_equal(ordered.labels[ordered.file_order], part.labels)


def test_training_is_shuffled_by_the_seed_and_anew_each_epoch(part):
    padding = batches.padding(part, 200)
    order = Order(1)
    one, again = (batches.dataset(part, padding, 8, order) for _ in range(2))
    assert one.options().autotune.enabled is False  # see order.as_it_is
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


def test_a_store_gives_back_what_was_written(tmp_path):
    """Would catch drawings that slip by one where chunks or splits meet."""
    splits = ("train", "validation", "test")
    numbers = range(10_000)
    written = [(splits[i % 3], i % 7, drawing(1 + i % 9, i % 30)) for i in numbers]
    batches.write_store(tmp_path / "store", iter(written), {"one point": 2})
    parts, skipped = batches.read_store(tmp_path / "store")
    assert skipped == {"one point": 2}
    for split in splits:
        wanted = [(label, moves) for s, label, moves in written if s == split]
        part = parts[split]
        assert isinstance(part.points, np.memmap)
        assert part.labels.tolist() == [label for label, _ in wanted]
        read = map(part.drawing, range(len(part.labels)))
        assert all(map(np.array_equal, read, [moves for _, moves in wanted]))
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_store_does_not_stay_in_memory(tmp_path):
    """Would catch resident memory that grows by every drawing that was read."""

    def resident():
        return int(re.search(r"RssFile:\s+(\d+)", STATUS.read_text())[1]) << 10

    long = drawing(5000)
    drawings = (("train", 0, long) for _ in range(2000))
    batches.write_store(tmp_path / "store", drawings)
    part = batches.read_store(tmp_path / "store")[0]["train"]
    before, size = resident(), part.points.nbytes
    assert part.points.sum() != 0
    assert resident() > before + size // 2
    part.release()
    assert resident() < before + size // 4
    assert np.array_equal(part.drawing(1999), long)


def test_a_store_that_cannot_be_finished_is_not_there(tmp_path):
    def broken():
        yield "train", 0, drawing(3)
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        batches.write_store(tmp_path / "store", broken())
    assert not list(tmp_path.iterdir())


def test_padding_of_a_long_part_knows_where_drawings_are_cut():
    padding = Padding((24, 48), 10.0)
    assert padding.buckets(np.array([1, 24, 25, 48, 900])).tolist() == [0, 0, 1, 1, 1]
