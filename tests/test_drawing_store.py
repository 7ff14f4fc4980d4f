"""Stores of drawings: what was written comes back, sorted or cut, and leaves memory."""

import re
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from rnn_tf import files
from rnn_tf.data.drawings import store
from tests.drawing_files import hundred_drawings, numbered_drawing

STATUS = Path("/proc/self/status")


def test_stroke_5_by_hand():
    """Would catch pen columns that are swapped, and padding that looks like a point."""
    part = store.pack([numbered_drawing(2), np.array([[4, 6, 0], [2, 0, 1]])], [0, 1])
    x = part.stroke5(np.array([1, 0]), steps=3, scale=2.0)
    assert x.dtype == np.float32
    assert x.tolist() == [
        [[2, 3, 1, 0, 0], [1, 0, 0, 1, 0], [0, 0, 0, 0, 1]],
        [[0, 0, 1, 0, 0], [0.5, -0.5, 0, 1, 0], [0, 0, 0, 0, 1]],
    ]


def test_long_drawings_are_cut():
    part = hundred_drawings()
    which = np.array([int(np.argmax(part.lengths))])
    x = part.stroke5(which, steps=40, scale=1.0)
    assert x.shape == (1, 40, 5)
    assert not x[..., 4].any()


def test_validation_and_test_are_sorted_by_length_and_training_is_not():
    """Would catch labels or points that stay behind when drawings are sorted."""
    part = hundred_drawings()
    parts = store.sort_for_evaluation({"train": part, "test": part})
    assert parts["train"] is part
    ordered = parts["test"]
    assert np.array_equal(ordered.lengths, np.arange(1, 101))
    assert ordered.points is part.points
    for number, original in enumerate(np.argsort(part.lengths)):
        assert np.array_equal(ordered.drawing(number), part.drawing(original))
        assert ordered.labels[number] == part.labels[original]
    assert np.array_equal(ordered.labels[ordered.file_order], part.labels)


def test_a_store_gives_back_what_was_written(tmp_path):
    """Would catch drawings that slip by one where chunks or splits meet."""
    splits = ("train", "validation", "test")
    written = [
        (splits[i % 3], i % 7, numbered_drawing(1 + i % 9, i % 30))
        for i in range(10_000)
    ]
    store.write(tmp_path / "store", iter(written), {"one point": 2})
    parts, skipped = store.read(tmp_path / "store")
    assert skipped == {"one point": 2}
    for split in splits:
        wanted = [(label, moves) for s, label, moves in written if s == split]
        part = parts[split]
        assert isinstance(part.points, np.memmap)
        assert part.labels.tolist() == [label for label, _ in wanted]
        read = map(part.drawing, range(len(part.labels)))
        assert all(map(np.array_equal, read, [moves for _, moves in wanted]))
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_a_store_is_written_in_chunks_of_points(tmp_path, monkeypatch):
    """Would catch chunks of 4,096 drawings, however long they are."""
    monkeypatch.setattr(files, "CHECKED", 0)  # else 64 MB are read at once
    long = numbered_drawing(10_000)
    drawings = (("train", 0, long.copy()) for _ in range(1_000))
    tracemalloc.start()
    store.write(tmp_path / "store", drawings)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 << 20  # of 60 MB
    assert len(store.read(tmp_path / "store")[0]["train"].labels) == 1_000


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_store_does_not_stay_in_memory(tmp_path):
    """Would catch resident memory that grows by every drawing that was read."""

    def resident():
        return int(re.search(r"RssFile:\s+(\d+)", STATUS.read_text())[1]) << 10

    long = numbered_drawing(5000)
    drawings = (("train", 0, long) for _ in range(2000))
    store.write(tmp_path / "store", drawings)
    part = store.read(tmp_path / "store")[0]["train"]
    before, size = resident(), part.points.nbytes
    assert part.points.sum() != 0
    assert resident() > before + size // 2
    part.release()
    assert resident() < before + size // 4
    assert np.array_equal(part.drawing(1999), long)


def test_a_store_that_cannot_be_finished_is_not_there(tmp_path):
    def broken():
        yield "train", 0, numbered_drawing(3)
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        store.write(tmp_path / "store", broken())
    assert not list(tmp_path.iterdir())
