"""The order in which a model sees its training set: anew each epoch, and repeatable."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

STACK = 64 * 2**20  # bytes of batches that are stacked, at most


@dataclass
class Order:
    """That of one training run.

    An epoch's order follows from its number, not from how often the data set has been
    gone through: Keras begins more passes than there are epochs, and a run that was
    killed goes on in the middle.
    """

    seed: int
    epoch: int = 0  # from 0
    # Whether batches come in stacks, epoch after epoch from this one on, without end;
    # for `whole_epochs`, and only from data sets that `shuffled` makes.
    stacked: bool = False

    def begin(self, epoch: int, logs=None) -> None:
        """The epoch that begins now; for a Keras callback, as `on_epoch_begin`."""
        self.epoch = epoch

    def random(self) -> np.random.Generator:
        """This epoch's own source of randomness."""
        return np.random.default_rng((self.seed, self.epoch))


def shuffled(count: int, batch: int, order: Order, cut: Callable, passes: int = 1):
    """A `tf.data.Dataset` of batches of shuffled examples.

    One `map` and no more: each costs 3 ms whenever an epoch begins, when an epoch of a
    short series takes 50. Stacks go on into the next epoch, and so cost it nothing.

    Args:
        count: examples that there are.
        batch: examples per batch; the remainder of an epoch is dropped.
        order: that of the training run.
        cut: (n,) int64, which examples -> them.
        passes: how often an epoch goes through all, each time shuffled anew.

    Returns:
        Batches, (batch, ...), of the epoch that `order` is at. Or stacks of them,
        (steps, batch, ...), as many as fit into `STACK` and make whole epochs.
    """
    import tensorflow as tf  # here, so that --help need not wait for it

    steps = count * passes // batch
    together = _together(steps, batch, cut) if order.stacked else 1
    each, size = steps // together, together * batch

    @functools.lru_cache(maxsize=1)
    def numbers(seed, epoch):
        random = np.random.default_rng((seed, epoch))
        return np.concatenate([random.permutation(count) for _ in range(passes)])

    def which(place):
        epoch = order.epoch
        if order.stacked:
            epoch, place = divmod(place, each)
        return numbers(order.seed, epoch)[place * size : (place + 1) * size]

    def batches(place):
        found = tf.numpy_function(which, [place], tf.int64)
        found = cut(tf.ensure_shape(found, (size,)))
        if not order.stacked:
            return found
        shapes = [(together, batch, *part.shape[1:]) for part in found]
        return tuple(map(tf.reshape, found, shapes))

    places = tf.data.Dataset.range(each)
    if order.stacked:
        places = tf.data.Dataset.counter(order.epoch * each)
    return as_it_is(places.map(batches, num_parallel_calls=1).prefetch(2))


def as_it_is(dataset):
    """A `tf.data.Dataset` whose numbers of calls and elements ahead are not tuned.

    The thread that tunes them sleeps longer and longer, and whoever ends an iteration
    may wait until it wakes: 0.2 s of a fit of 0.6, every other time.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _together(steps: int, batch: int, cut: Callable) -> int:
    """How many batches make a stack: as many as `STACK` allows, and divide an epoch."""
    one = sum(part.numpy().nbytes for part in cut(np.zeros(1, "int64")))
    most = max(1, STACK // (one * batch))
    return max(n for n in range(1, min(steps, most) + 1) if steps % n == 0)
