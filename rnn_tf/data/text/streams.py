"""Cut a part of a text into parallel streams, and each stream into chunks.

A batch holds the next chunk of every stream, so that a network's state can be carried
from chunk to chunk: row b of one batch goes on where row b of the one before ended.
Each position's target is its token; the input is the one before it.
"""

from dataclasses import dataclass

import numpy as np

from rnn_tf.data.order import Order, without_autotune
from rnn_tf.data.text.corpus import Part

WARM_UP = 256  # tokens that a stream reads before it is scored


@dataclass(frozen=True)
class Size:
    """The shape of a batch."""

    streams: int  # read side by side
    chunk: int  # tokens of each, in a batch
    context: int = 0  # tokens before a chunk's own inputs: for networks without a state

    def inputs(self, part: Part, starts: np.ndarray) -> np.ndarray:
        """Read the inputs of the targets from `starts` on: (streams, context + chunk).

        Before the first token stands the unknown one.
        """
        return part.read(starts - 1 - self.context, self.context + self.chunk)


def steps(part: Part, size: Size) -> int:
    """Count the batches of an epoch."""
    return max(0, (len(part.tokens) - size.chunk) // size.streams // size.chunk)


def training(part: Part, size: Size, order: Order, passes: int = 1):
    """Return a `tf.data.Dataset` of inputs and targets: int32 (streams, chunk).

    Streams lie end to end. All begin later by as many tokens, fewer than a chunk, as
    the order draws for each epoch.

    Args:
        part: of the text.
        size: of a batch.
        order: of the training run.
        passes: how often an epoch goes through the part.
    """
    count = steps(part, size)
    first = np.arange(size.streams) * (len(part.tokens) - size.chunk) // size.streams

    def read(number):
        number, later = number % count, order.random().integers(size.chunk)
        starts = first + later + number * size.chunk
        return size.inputs(part, starts), part.read(starts, size.chunk)

    shapes = (size.streams, size.context + size.chunk), (size.streams, size.chunk)
    return _dataset(passes * count, read, ("int32", "int32"), shapes)


# ---------------------------------------------------------------- evaluation


@dataclass(frozen=True)
class Layout:
    """Streams that go through a whole part, and score each token once.

    All but the first read a few tokens before those that they score, so that a state
    is carried there as it is in a single stream.
    """

    tokens: int
    streams: int

    @property
    def warm_up(self) -> int:
        """Tokens that are read, and scored by the stream before."""
        return min(WARM_UP, self.tokens // 2)

    @property
    def each(self) -> int:
        """Tokens that a stream scores; the first one scores the warm-up too."""
        return -(-(self.tokens - self.warm_up) // self.streams)

    @property
    def starts(self) -> np.ndarray:
        """Where each stream begins: (streams,)."""
        return np.arange(self.streams) * self.each

    def counts(self, step: np.ndarray) -> np.ndarray:
        """Say which of the streams' tokens count: (streams, steps) bool.

        Args:
            step: (steps,) from the beginning of a stream.
        """
        inside = (step < self.warm_up + self.each) & (step >= self.warm_up)
        inside = np.tile(inside, (self.streams, 1))
        inside[0] |= step < self.warm_up
        return inside & (self.starts[:, None] + step < self.tokens)

    def in_order(self, values: np.ndarray, chunk: int) -> np.ndarray:
        """Sort what a network gives for each batch: (tokens,), one for each token.

        Args:
            values: (batches * streams, chunk), batch after batch.
            chunk: tokens of a stream in a batch.
        """
        by_stream = values.reshape(-1, self.streams, chunk).transpose(1, 0, 2)
        by_stream = by_stream.reshape(self.streams, -1)
        return by_stream[self.counts(np.arange(by_stream.shape[1]))]


def evaluation(part: Part, size: Size):
    """Return a `tf.data.Dataset` of inputs, targets, and weights: 0 or 1, float32."""
    layout = Layout(len(part.tokens), size.streams)
    count = -(-(layout.warm_up + layout.each) // size.chunk)

    def read(number):
        starts = layout.starts + number * size.chunk
        weights = layout.counts(number * size.chunk + np.arange(size.chunk))
        x, y = size.inputs(part, starts), part.read(starts, size.chunk)
        return x, y, weights.astype("float32")

    flat = size.streams, size.chunk
    shapes = (size.streams, size.context + size.chunk), flat, flat
    return _dataset(count, read, ("int32", "int32", "float32"), shapes)


def _dataset(count: int, read, types: tuple, shapes: tuple):
    import tensorflow as tf  # here, so that --help need not wait for it

    def load(number):
        arrays = tf.numpy_function(read, [number], [tf.as_dtype(t) for t in types])
        return tuple(map(tf.ensure_shape, arrays, shapes))

    batches = tf.data.Dataset.range(count).map(load, num_parallel_calls=1)
    return without_autotune(batches.prefetch(4))
