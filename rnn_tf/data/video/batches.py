"""Turn clips into batches; those on disk are never all in memory.

A clip is uint8, (frames, side, side, channels). One that ends early repeats its last
frame: a frame that repeats the one before it, to the end of the clip, is padding.
"""

from functools import partial
from typing import Protocol

import numpy as np

from rnn_tf.data.order import Order, without_autotune

AHEAD = 8  # batches that are read at once: less work for each


class Part(Protocol):
    """Clips of one split: `Videos`, `Digits`, or `Features` of a pretrained CNN."""

    labels: np.ndarray  # (videos,) int16
    per_video: int  # clips of a video, one after the other

    def clips(self, which: np.ndarray) -> np.ndarray:
        """Read the clips numbered `which`: (clips, frames, side, side, channels)."""


def dataset(
    part: Part,
    batch: int,
    order: Order | None = None,
    weights=None,
    change=None,
    shuffled=False,
):
    """Return a `tf.data.Dataset` of clips, as `Part.clips` gives them, and labels.

    Args:
        part: the clips.
        batch: clips per batch.
        order: an epoch is then one clip of each video, shuffled, without the remainder;
            by default all clips as they come.
        weights: (classes,): of each example in the loss; for training.
        change: (clips, random) -> clips, such as a `mover`.
        shuffled: whether the frames of each clip lose their order.
    """
    import tensorflow as tf  # here, so that --help need not wait for it

    videos = len(part.labels)
    count = -(-videos * part.per_video // batch) if order is None else videos // batch
    load = partial(_load, part, weights, change, shuffled)
    generate = partial(_generate, part, batch, order, load)
    arrays = load(np.array([0]), np.random.default_rng(1))
    signature = tuple(tf.TensorSpec((None, *x.shape[1:]), x.dtype) for x in arrays)
    batches = tf.data.Dataset.from_generator(generate, output_signature=signature)
    # Without a remainder the batch has a static shape, which TPUs want.
    batches = batches.prefetch(1).rebatch(batch, drop_remainder=order is not None)
    batches = batches.apply(tf.data.experimental.assert_cardinality(count))
    return without_autotune(batches.prefetch(4))


def _generate(part: Part, batch: int, order: Order | None, load):
    """Yield the arrays of `AHEAD` batches at a time; the remainder comes last."""
    random = (order or Order(0)).random()
    numbers = np.arange(len(part.labels) * part.per_video)
    if order is not None:
        numbers = _draw_clips(part, random, len(part.labels) // batch * batch)
    for start in range(0, len(numbers), AHEAD * batch):
        yield load(numbers[start : start + AHEAD * batch], random)


def _load(part: Part, weights, change, shuffled: bool, which, random) -> tuple:
    """Read and change the clips numbered `which`; add labels, and weights if given."""
    x, labels = part.clips(which), part.labels[which // part.per_video]
    x = without_order(x, random) if shuffled else x
    x = x if change is None else change(x, random)
    return (x, labels) if weights is None else (x, labels, weights[labels])


def _draw_clips(part: Part, random: np.random.Generator, count: int) -> np.ndarray:
    """Draw a clip of each of `count` videos, in random order: (count,) numbers."""
    numbers = random.permutation(len(part.labels))[:count] * part.per_video
    return numbers + random.integers(0, part.per_video, len(numbers))


def frame_mask(clips: np.ndarray) -> np.ndarray:
    """Find the padding of clips, the frames repeated at the end.

    Args:
        clips: (clips, frames, side, side, channels).

    Returns:
        (clips, frames) bool: False for padding.
    """
    differs = (clips[:, 1:] != clips[:, :-1]).any(axis=(2, 3, 4))
    later = np.logical_or.accumulate(differs[:, ::-1], axis=1)[:, ::-1]
    return np.concatenate([np.ones_like(later[:, :1]), later], axis=1)


def without_order(clips: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Put the frames of each clip in random order; the padding stays at the end."""
    mask = frame_mask(clips)
    order = np.argsort(random.random(mask.shape) + ~mask, axis=1)
    last = np.take_along_axis(order, mask.sum(axis=1, keepdims=True) - 1, axis=1)
    order = np.where(np.arange(order.shape[1]) < mask.sum(1)[:, None], order, last)
    return np.take_along_axis(clips, order[:, :, None, None, None], axis=1)


def mover(turn: float, mirror: bool, zoom: float = 0.12, shift: float = 0.08):
    """Return a function that moves, zooms and relights clips.

    Each clip gets its own change, the same in all its frames.

    Args:
        turn: the largest angle, in radians.
        mirror: whether left and right may be swapped.
        zoom: standard deviation of the logarithm of the size.
        shift: standard deviation of the place, as a share of the side.
    """

    def change(clips: np.ndarray, random: np.random.Generator) -> np.ndarray:
        count, frames, side = clips.shape[:3]
        angle = random.uniform(-turn, turn, count)
        move = np.exp(random.normal(0, zoom, count) + 1j * angle)
        flip = random.choice([-1, 1], count) if mirror else np.ones(count)
        grid = np.arange(side) - (side - 1) / 2
        place = (flip[:, None, None] * grid + 1j * grid[:, None]) * move[:, None, None]
        offset = random.normal(0, shift * side, (count, 2)) + (side - 1) / 2
        columns = np.rint(place.real + offset[:, 0, None, None])
        rows = np.rint(place.imag + offset[:, 1, None, None])
        index = np.clip(rows, 0, side - 1) * side + np.clip(columns, 0, side - 1)
        flat = clips.reshape(count, frames, side * side, -1)
        index = index.astype(int).reshape(count, 1, -1, 1)
        moved = np.take_along_axis(flat, index, axis=2).reshape(clips.shape)
        return _relight(moved, random)

    return change


def _relight(clips: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Change contrast and brightness of each clip, by a table of the 256 values."""
    values = np.arange(256) - 128
    contrast = np.exp(random.normal(0, 0.2, (len(clips), 1)))
    light = random.normal(0, 15, (len(clips), 1))
    tables = np.clip(contrast * values + light + 128, 0, 255).astype("uint8")
    number = np.arange(len(clips))[:, None, None, None, None]
    return tables[number, clips]


# Changes of clips in training, by name; `turn` is for cameras that look down.
CHANGES = {
    "none": None,
    "move": mover(0.0, mirror=False),
    "mirror": mover(0.15, mirror=True),
    "turn": mover(np.pi, mirror=True),
}
