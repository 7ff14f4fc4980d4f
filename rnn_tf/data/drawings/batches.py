"""Turn drawings into padded batches; those on disk are never all in memory.

A drawing is stroke-3, int16 (points, 3): dx, dy, pen lifted after this point. A model
sees stroke-5 (Ha and Eck, 2017), float32 (batch, time, 5): dx and dy as shares of a
scale, pen down, pen lifted, ended; after its last point a drawing is padded with
(0, 0, 0, 0, 1).
"""

import functools
from dataclasses import dataclass

import numpy as np

from rnn_tf.data.drawings.store import Part
from rnn_tf.data.order import Order, without_autotune

SHORTEST = 24  # steps; three convolutions with stride 2 need 21 to leave one


@dataclass(frozen=True)
class Padding:
    """The lengths to which drawings are padded; few compile quickly."""

    lengths: tuple[int, ...]  # to pad to, ascending; drawings are cut to the last
    scale: float  # dx and dy are divided by it
    plain: bool = False  # any drawings in a batch, padded to the longest of them

    def in_plain_batches(self, longest: int) -> "Padding":
        """Return the padding of most programs, for drawings cut to `longest` points."""
        return Padding((longest,), self.scale, plain=True)

    def steps(self, lengths: np.ndarray) -> int:
        """Return the steps to which a batch of drawings of these lengths is padded."""
        if self.plain:
            return int(np.clip(lengths.max(), SHORTEST, self.lengths[-1]))
        return self.lengths[self.buckets(lengths).max()]

    def buckets(self, lengths: np.ndarray) -> np.ndarray:
        """Return the index of the length to which each is padded, (drawings,)."""
        return np.searchsorted(self.lengths, np.minimum(lengths, self.lengths[-1]))


def padding(part: Part, longest: int, sample: int = 1_000_000) -> Padding:
    """Choose lengths that fit the drawings, multiples of 8, and the scale of dx, dy.

    Args:
        part: for training.
        longest: points after which a drawing is cut.
        sample: points whose standard deviation is the scale.
    """
    lengths = np.minimum(part.lengths, longest)
    quantiles = np.quantile(lengths, [0.25, 0.5, 0.75, 0.95, 1.0])
    multiples = {max(SHORTEST, int(-(-length // 8) * 8)) for length in quantiles}
    scale = np.std(part.points[:sample, :2].astype("float32"))
    return Padding(tuple(sorted(multiples)), float(max(scale, 1.0)))


def plan_epoch(part: Part, padding: Padding, batch: int, random) -> list[np.ndarray]:
    """Choose the drawings of each batch of an epoch, alike in length, by chance.

    The remainder of each length is dropped, so that every batch is full.
    """
    order = random.permutation(len(part.labels))
    buckets, plan = padding.buckets(part.lengths)[order], []
    for bucket in range(len(padding.lengths)):
        members = order[buckets == bucket]
        full = members[: len(members) // batch * batch]
        plan += list(full.reshape(-1, batch))
    random.shuffle(plan)
    return plan


def steps_per_epoch(part: Part, padding: Padding, batch: int) -> int:
    """Count the full batches of one epoch."""
    return int((np.bincount(padding.buckets(part.lengths)) // batch).sum())


def dataset(
    part: Part, padding: Padding, batch: int, order: Order | None = None, change=None
):
    """Return a `tf.data.Dataset` of inputs (batch, time, 5) and labels (batch,).

    Args:
        part: the drawings.
        padding: to which lengths.
        batch: drawings per batch.
        order: shuffles anew each epoch and drops remainders; else all, as they come.
        change: (inputs, seed) -> inputs, such as `augmentation.augment`.
    """
    import tensorflow as tf  # here, so that --help need not wait for it

    if order is None:
        count, size = -(-len(part.labels) // batch), None
        read = _evaluation_reader(part, padding, batch)
    else:
        count, size = steps_per_epoch(part, padding, batch), batch
        read = _training_reader(part, padding, batch, order)
    shapes = (size, None, 5), (size,), (2,)  # as static as they can be

    # Not `from_generator`, which takes three times as long for each batch.
    def load(number):
        arrays = tf.numpy_function(read, [number], (tf.float32, tf.int16, tf.int32))
        x, y, seed = map(tf.ensure_shape, arrays, shapes)
        return x if change is None else change(x, seed), tf.cast(y, tf.int32)

    batches = tf.data.Dataset.range(count).map(load, num_parallel_calls=1)
    return without_autotune(batches.prefetch(4))


def _training_reader(part: Part, padding: Padding, batch: int, order: Order):
    """Return a function: number of a batch -> its arrays, see `_read_batch`."""

    @functools.lru_cache(maxsize=1)
    def plan(seed, epoch):
        return plan_epoch(part, padding, batch, np.random.default_rng((seed, epoch)))

    def read(number):
        seed, epoch = order.seed, order.epoch
        which = plan(seed, epoch)[number]
        random = np.random.default_rng((seed, epoch, number))
        return _read_batch(part, padding, which, part.lengths[which], random)

    return read


def _evaluation_reader(part: Part, padding: Padding, batch: int):
    """Return a function: number of a batch -> its arrays, in the order of the part."""

    def read(number):
        which = np.arange(number * batch, min((number + 1) * batch, len(part.labels)))
        lengths, random = part.lengths[which], np.random.default_rng((0, 0, number))
        if padding.plain:  # as padded as in training, where any lengths are together
            others = part.file_order[random.integers(0, len(part.labels), batch)]
            lengths = np.concatenate([lengths, part.lengths[others]])
        return _read_batch(part, padding, which, lengths, random)

    return read


def _read_batch(part: Part, padding: Padding, which, lengths, random) -> tuple:
    """Read inputs and labels, padded as for `lengths`, and draw a seed for changes."""
    x = part.stroke5(which, padding.steps(lengths), padding.scale)
    part.release()
    return x, part.labels[which], random.integers(0, 2**31, 2, dtype="int32")
