"""Augmented drawings: changed by the seed, and drawings still."""

import numpy as np
import pytest
import tensorflow as tf

from rnn_tf.data.drawings import augmentation, doodles


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    """Twenty doodles as stroke-5, (20, 104, 5), each of several strokes or one."""
    part = doodles.labelled(200).parts["train"]
    return part.stroke5(np.arange(20), 104, 20.0)


def test_without_strength_nothing_changes(x):
    """Would catch a point that is lost on the way to places and back."""
    changed = augmentation.augment(tf.constant(x), tf.constant([1, 2]), 0.0)
    np.testing.assert_allclose(changed, x, atol=1e-4)


def test_augmented_drawings_are_drawings(x):
    changed = augmentation.augment(tf.constant(x), tf.constant([1, 2])).numpy()
    again = augmentation.augment(tf.constant(x), tf.constant([1, 2])).numpy()
    other = augmentation.augment(tf.constant(x), tf.constant([1, 3])).numpy()
    assert np.array_equal(changed, again)
    assert not np.array_equal(changed, other)
    mask, before = changed[..., 4] == 0, x[..., 4] == 0
    assert mask.any(axis=1).all()
    assert (mask.sum(axis=1) <= before.sum(axis=1)).all()
    assert mask.sum() < before.sum()
    assert (np.diff(mask.astype(int), axis=1) <= 0).all()  # padding at the end
    assert np.array_equal(changed[~mask], np.tile([0, 0, 0, 0, 1], (np.sum(~mask), 1)))
    np.testing.assert_array_equal(changed[mask][:, 2] + changed[mask][:, 3], 1)


def test_the_pen_is_lifted_as_often_where_no_stroke_is_lost(x, monkeypatch):
    """Would catch strokes that run together because their last point was lost."""
    monkeypatch.setattr(augmentation, "LOST_STROKES", 0.0)
    changed = augmentation.augment(tf.constant(x), tf.constant([5, 6])).numpy()
    assert np.array_equal(changed[..., 3].sum(axis=1), x[..., 3].sum(axis=1))
