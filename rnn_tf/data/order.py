"""The order in which a model sees its training set: anew each epoch, and repeatable."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

STACK = 64 * 2**20  # bytes of batches that are stacked, at most


@dataclass
class Order:
    """The order of one training run.

    An epoch's order follows from its number, not from how often the data set has been
    gone through: Keras begins more passes than there are epochs, and a run that was
    killed goes on in the middle.
    """

    seed: int
    epoch: int = 0  # from 0

    def begin(self, epoch: int, logs=None) -> None:
        """Go on to an epoch; a Keras callback calls it as `on_epoch_begin`."""
        self.epoch = epoch

    def random(self) -> np.random.Generator:
        """Return this epoch's own source of randomness."""
        return np.random.default_rng((self.seed, self.epoch))


def shuffled(
    count: int,
    batch: int,
    order: Order,
    cut: Callable,
    steps: int | None = None,
):
    """Return a `tf.data.Dataset` of shuffled batches, those of one epoch.

    One `map` and no more: each costs 3 ms whenever an epoch begins, when an epoch of a
    short series takes 50.

    Args:
        count: examples that there are.
        batch: examples per batch; the remainder of an epoch is dropped.
        order: of the training run; the epoch is the one that it is at.
        cut: numbers of examples, (n,) int64 -> inputs and targets, each (n, ...) or a
            structure of such.
        steps: batches of an epoch, which goes through all as often as that takes, each
            time shuffled anew; by default once.

    Returns:
        Tuples of (batch, ...).
    """
    import tensorflow as tf  # here, so that --help need not wait for it

    steps, numbers = _epoch(count, batch, steps)

    def examples(step):
        start = step * batch
        return numbers(order.seed, order.epoch)[start : start + batch]

    def cut_batch(step):
        chosen = tf.numpy_function(examples, [step], tf.int64)
        return cut(tf.ensure_shape(chosen, (batch,)))

    batches = tf.data.Dataset.range(steps).map(cut_batch, num_parallel_calls=1)
    return without_autotune(batches.prefetch(2))


def stacked(
    count: int,
    batch: int,
    order: Order,
    cut: Callable,
    steps: int | None = None,
):
    """Return the batches of `shuffled` in stacks, epoch after epoch without end.

    For `compiled_epoch`. A pass that goes on into the next epoch costs it no beginning.

    Returns:
        Tuples of (steps, batch, ...): as many steps as fit into `STACK` and divide an
        epoch, from the epoch on that `order` is at.
    """
    import tensorflow as tf

    steps, numbers = _epoch(count, batch, steps)
    together = _together(steps, batch, cut)
    stacks, size = steps // together, together * batch

    def examples(place):
        epoch, place = divmod(place, stacks)
        return numbers(order.seed, epoch)[place * size : (place + 1) * size]

    def cut_stack(place):
        chosen = tf.numpy_function(examples, [place], tf.int64)
        flat = cut(tf.ensure_shape(chosen, (size,)))
        return tf.nest.map_structure(
            lambda x: tf.reshape(x, (together, batch, *x.shape[1:])), flat
        )

    places = tf.data.Dataset.counter(order.epoch * stacks)
    return without_autotune(places.map(cut_stack, num_parallel_calls=1).prefetch(2))


def _epoch(count: int, batch: int, steps: int | None) -> tuple:
    """Count the batches of an epoch, and say in which order it goes through examples.

    Returns:
        The batches, and (seed, epoch) -> the numbers of examples in that epoch's order.
    """
    steps = count // batch if steps is None else steps
    return steps, _permutations(count, passes=math.ceil(steps * batch / count))


def _permutations(count: int, passes: int) -> Callable:
    """(seed, epoch) -> the numbers of all examples in the order of that epoch."""

    @functools.lru_cache(maxsize=1)
    def numbers(seed, epoch):
        random = np.random.default_rng((seed, epoch))
        return np.concatenate([random.permutation(count) for _ in range(passes)])

    return numbers


def _together(steps: int, batch: int, cut: Callable) -> int:
    """How many batches make a stack: as many as `STACK` allows, and divide an epoch."""
    import tensorflow as tf

    example = tf.nest.flatten(cut(np.zeros(1, "int64")))
    one = sum(part.numpy().nbytes for part in example)
    most = max(1, STACK // (one * batch))
    return max(n for n in range(1, min(steps, most) + 1) if steps % n == 0)


def without_autotune(dataset):
    """Return a `tf.data.Dataset` whose parallel calls and prefetching are not tuned.

    The thread that tunes them sleeps longer and longer, and whoever ends an iteration
    may wait until it wakes: 0.2 s of a fit of 0.6, every other time.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
