"""Cut drawings into batches from which a network learns what comes next.

A drawing of n points has n + 1 targets, the last of which is its end; what a network
sees at each is the point before. Both are stroke-5 (Ha and Eck, 2017).
"""

import functools
from dataclasses import dataclass

import numpy as np

from rnn_tf.data.drawings.store import Part
from rnn_tf.data.order import Order, without_autotune

BEGIN = np.array([0, 0, 1, 0, 0], "float32")  # the point before the first
WIDTH = 8  # lengths of batches are multiples of it: few shapes
POOL = 20  # batches whose drawings are sorted by length together
STRETCH = 0.1  # of a whole drawing, each axis: at most so much more or less


@dataclass(frozen=True)
class Layout:
    """How drawings become batches."""

    longest: int  # steps after which a drawing is cut; it then has no end
    scale: float  # dx and dy of targets are divided by it, those of inputs are not
    stretch: float = 0.0  # of drawings of training, by chance, see `STRETCH`

    def steps(self, lengths: np.ndarray) -> int:
        """Return the steps of a batch of drawings of these lengths."""
        return min(self.longest, -(-int(lengths.max() + 1) // WIDTH) * WIDTH)

    def cut(self, part: Part, which: np.ndarray, factors=1.0) -> tuple:
        """Cut a batch.

        Args:
            part: the drawings.
            which: their numbers, (batch,).
            factors: that dx and dy are multiplied by, (batch, 1, 2).

        Returns:
            Points before, (batch, steps, 5), in the drawings' own unit; classes,
            (batch,) int32; the points that come, (batch, steps, 5), in shares of the
            scale; weights, (batch, steps): 1 up to a drawing's end, 0 after it.
        """
        lengths = part.lengths[which]
        points = part.stroke5(which, self.steps(lengths), 1.0)
        part.release()
        points[..., :2] *= factors
        begin = np.broadcast_to(BEGIN, (len(points), 1, 5))
        before = np.concatenate([begin, points[:, :-1]], axis=1)
        points[..., :2] /= np.float32(self.scale)
        weights = (np.arange(points.shape[1]) <= lengths[:, None]).astype("float32")
        return before, part.labels[which].astype("int32"), points, weights


def scale(part: Part, sample: int = 1_000_000) -> float:
    """Return the standard deviation of dx and dy, (points,) of training, at least 1."""
    return float(max(np.std(part.points[:sample, :2].astype("float32")), 1.0))


def plan_epoch(lengths: np.ndarray, batch: int, random) -> list[np.ndarray]:
    """Choose the drawings of each batch of an epoch, alike in length, by chance.

    The order is cut into pools, and each pool sorted. The remainder is dropped, so that
    every batch is full.
    """
    order = random.permutation(len(lengths))[: len(lengths) // batch * batch]
    pools = np.split(order, range(POOL * batch, len(order), POOL * batch))
    by_length = [pool[np.argsort(lengths[pool], kind="stable")] for pool in pools]
    plan = np.concatenate(by_length).reshape(-1, batch)
    return list(random.permutation(plan))


def dataset(part: Part, layout: Layout, batch: int, order: Order | None = None):
    """Return a `tf.data.Dataset` of inputs, targets and weights; see `Layout.cut`.

    Args:
        part: the drawings.
        layout: how they become batches.
        batch: drawings per batch.
        order: shuffles anew each epoch and drops the remainder; else all, as they come.
    """
    import tensorflow as tf  # here, so that --help need not wait for it

    count = len(part.labels) // batch if order else -(-len(part.labels) // batch)

    @functools.lru_cache(maxsize=1)
    def plan(seed, epoch):
        return plan_epoch(part.lengths, batch, np.random.default_rng((seed, epoch)))

    def read(number):
        if order is None:
            first = number * batch
            which = np.arange(first, min(first + batch, len(part.labels)))
            return layout.cut(part, which)
        random = np.random.default_rng((order.seed, order.epoch, number))
        factors = random.uniform(-layout.stretch, layout.stretch, (batch, 1, 2)) + 1
        which = plan(order.seed, order.epoch)[number]
        return layout.cut(part, which, factors.astype("float32"))

    def load(number):
        types = tf.float32, tf.int32, tf.float32, tf.float32
        arrays = tf.numpy_function(read, [number], types)
        rows = batch if order else None
        shapes = (rows, None, 5), (rows,), (rows, None, 5), (rows, None)
        before, label, points, weights = map(tf.ensure_shape, arrays, shapes)
        return (before, label), points, weights

    batches = tf.data.Dataset.range(count).map(load, num_parallel_calls=1)
    return without_autotune(batches.prefetch(4))
