"""Moving digits: repeatable, and only time tells a motion from its reverse."""

import numpy as np

from rnn_tf.data.video import batches, moving_digits


def digits(count=400, **options):
    return moving_digits.digits(count, frames=10, side=24, **options)


def test_three_parts_with_all_classes_and_no_digit_in_two():
    parts = digits(1000)
    assert {split: len(part.labels) for split, part in parts.items()} == {
        "train": 800, "validation": 100, "test": 100,
    }  # fmt: skip
    used = [set(part.digit.tolist()) for part in parts.values()]
    assert not (used[0] & used[1] or used[0] & used[2] or used[1] & used[2])
    for part in parts.values():
        counts = np.bincount(part.labels, minlength=8)
        assert counts.max() - counts.min() <= 1


def test_the_same_seed_gives_the_same_clips_however_they_are_asked_for():
    one, again, other = (digits(seed=seed)["train"] for seed in (1, 1, 2))
    clips = one.clips(np.arange(20))
    assert clips.shape == (20, 10, 24, 24, 1)
    assert clips.dtype == np.uint8
    assert np.array_equal(again.clips(np.array([7, 3])), clips[[7, 3]])
    assert not np.array_equal(other.clips(np.arange(20)), clips)


def test_each_motion_goes_where_its_name_says():
    """Would catch up and down swapped: y grows downward."""
    part = digits()["train"]
    x, y, width = np.moveaxis(part.path[:, -1] - part.path[:, 0], -1, 0)
    for name, value in {
        "right": x, "left": -x, "down": y, "up": -y, "growing": width,
        "shrinking": -width,
    }.items():  # fmt: skip
        assert (value[part.labels == moving_digits.CLASSES.index(name)] > 0).all(), name
    step = np.diff(part.path[..., 0] + 1j * part.path[..., 1], axis=1)
    turn = np.angle(step[:, 1:] / step[:, :-1]).sum(axis=1)
    assert (turn[part.labels == moving_digits.CLASSES.index("clockwise")] > 0).all()
    assert (
        turn[part.labels == moving_digits.CLASSES.index("counter-clockwise")] < 0
    ).all()


def test_the_brightest_points_are_where_the_path_says():
    """Would catch rows and columns swapped when a clip is drawn."""
    part = digits()["train"]
    x = part.clips(np.arange(50))[..., 0].astype(float)
    bright = np.maximum(x - 80, 0)
    total, grid = bright.sum(axis=(2, 3)), (np.arange(24) + 0.5) / 24
    columns = bright.sum(axis=2) @ grid / total
    rows = bright.sum(axis=3) @ grid / total
    assert np.abs(columns - part.path[:50, :, 0]).mean() < 0.03
    assert np.abs(rows - part.path[:50, :, 1]).mean() < 0.03


def test_a_motion_and_its_reverse_show_the_same_frames():
    """Would catch a class that a heap of frames gives away: by place, size or noise."""
    part = digits(8000)["train"]
    for label in range(0, 8, 2):
        pair = [part.path[part.labels == i].reshape(-1, 3) for i in (label, label + 1)]
        for power in (1, 2):
            means = [(path**power).mean(axis=0) for path in pair]
            assert np.abs(means[0] - means[1]).max() < 0.02


def test_all_of_a_digit_is_inside_the_frame():
    for part in digits().values():
        half = part.path[..., 2:] / 2
        assert (part.path[..., :2] - half > -1e-6).all()
        assert (part.path[..., :2] + half < 1 + 1e-6).all()


def test_no_frame_counts_as_padding():
    part = digits()["train"]
    assert batches.frame_mask(part.clips(np.arange(100))).all()
