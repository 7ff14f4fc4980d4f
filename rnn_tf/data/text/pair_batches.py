"""Cut pairs of sentences, as numbers, into padded batches.

Training batches hold pairs of about the same length, so that little is padded: an
epoch's order is cut into pools, and each pool sorted. Long data has widths that are
multiples of 8: few shapes, as few programs to compile.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnn_tf.data.order import Order, without_autotune
from rnn_tf.data.text.parallel import Pairs
from rnn_tf.data.text.tokens import BEGIN, END, Tokens, padded

STEP, SHORT = 8, 40  # widths are multiples of it, unless all sentences are short
POOL = 20  # batches that are sorted by length together


@dataclass(frozen=True)
class Numbers:
    """Sentences as rows of numbers, each with its end."""

    rows: tuple[tuple[int, ...], ...]

    @property
    def lengths(self) -> np.ndarray:
        """How many tokens each sentence has, its end among them: (sentences,)."""
        return np.array([len(row) for row in self.rows])

    def pad(self, which: Sequence[int], width: int) -> np.ndarray:
        """Pad, or cut, the sentences numbered `which`: (sentences, width) int32."""
        return padded([self.rows[n][:width] for n in which], width)


def number(sentences: Sequence[str], tokens: Tokens) -> Numbers:
    """Number the tokens of sentences, and end each."""
    return Numbers(tuple((*tokens.encode(s), END) for s in sentences))


@dataclass(frozen=True)
class Part:
    """A part of parallel text, as it is and as numbers."""

    pairs: Pairs
    sources: Numbers
    targets: Numbers

    def __len__(self):
        return len(self.pairs)

    def first(self, count: int) -> "Part":
        """Return the first pairs of the part, `count` at most."""
        sides = (Numbers(side.rows[:count]) for side in (self.sources, self.targets))
        return Part(self.pairs.pick(range(min(count, len(self)))), *sides)


def part(pairs: Pairs, tokens: tuple[Tokens, Tokens]) -> Part:
    """Number the tokens of pairs, by those of each language."""
    sides = zip((pairs.sources, pairs.targets), tokens, strict=True)
    return Part(pairs, *(number(sentences, known) for sentences, known in sides))


@dataclass(frozen=True)
class Layout:
    """What a model takes and gives.

    By default sources, (batch, steps), and targets after a beginning, (batch, steps):
    they give the logits of each target. A model that is `plain` takes sources alone,
    and gives logits at each of their steps.
    """

    plain: bool = False
    ends: bool = True  # whether sentences have an end that is learned
    width: int | None = None  # of targets, where it is fixed

    def widths(self, part: Part) -> tuple[int | None, int | None]:
        """Return the steps of sources and of targets; None where batches differ."""
        longest = [int(side.lengths.max()) for side in (part.sources, part.targets)]
        source, target = (n if n <= SHORT else None for n in longest)
        return source, source if self.plain else self.width or target

    def cut(self, part: Part, which: np.ndarray) -> tuple:
        """Cut a batch: inputs, (batch, steps) each, targets and weights alike.

        Weights are 1 for a target, its end among them, and 0 for padding.
        """
        x = part.sources.pad(which, width(part.sources, which))
        lengths = part.targets.lengths[which]
        if self.plain:
            y = part.targets.pad(which, x.shape[1])
            # No source gives more outputs than it has steps.
            lengths = np.minimum(lengths, part.sources.lengths[which])
        else:
            y = part.targets.pad(which, self.width or width(part.targets, which))
        if not self.ends:
            lengths = lengths - 1
        weights = (np.arange(y.shape[1]) < lengths[:, None]).astype("float32")
        if self.plain:
            return x, y, weights
        before = np.concatenate([np.full((len(y), 1), BEGIN), y[:, :-1]], axis=1)
        return (x, before.astype("int32")), y, weights


def layout(model, ends: bool = True) -> Layout:
    """Read from a model what it takes."""
    plain = len(model.inputs) == 1
    return Layout(plain, ends, None if plain else model.inputs[1].shape[1])


def width(numbers: Numbers, which: np.ndarray) -> int:
    """Choose the width of a batch of sentences: one of a few."""
    longest = int(numbers.lengths.max())
    if longest <= SHORT:
        return longest
    own = int(numbers.lengths[which].max())
    return min(longest, -(-own // STEP) * STEP)


# ---------------------------------------------------------------- batches


def batches(part: Part, batch: int, order: Order | None = None) -> list[np.ndarray]:
    """Number the pairs of each batch of an epoch.

    Args:
        part: of which they are.
        batch: pairs of a batch; in training the remainder of an epoch is dropped.
        order: of the training run; without one, all pairs in order.
    """
    if order is None:
        return np.array_split(np.arange(len(part)), range(batch, len(part), batch))
    random = order.random()
    numbers = random.permutation(len(part))
    pools = np.array_split(numbers, range(POOL * batch, len(part), POOL * batch))
    lengths = part.sources.lengths + part.targets.lengths
    cuts = []
    for pool in pools:
        by_length = pool[np.argsort(lengths[pool], kind="stable")]
        count = len(pool) // batch
        cuts += np.split(by_length[: count * batch], count) if count else []
    return [cuts[n] for n in random.permutation(len(cuts))]


def dataset(part: Part, layout: Layout, batch: int, order: Order | None = None):
    """Return a `tf.data.Dataset` of inputs, targets and weights; see `Layout.cut`."""
    import tensorflow as tf  # here, so that --help need not wait for it

    count = len(batches(part, batch, order))
    epochs = {}

    def read(step):
        epoch = order.epoch if order else 0
        if epoch not in epochs:
            epochs.clear()
            epochs[epoch] = batches(part, batch, order)
        x, y, weights = layout.cut(part, epochs[epoch][step])
        return (x, y, weights) if layout.plain else (*x, y, weights)

    inputs = 1 if layout.plain else 2

    def load(step):
        types = [tf.int32] * (inputs + 1) + [tf.float32]
        arrays = tf.numpy_function(read, [step], types)
        rows, (source, target) = batch if order else None, layout.widths(part)
        for array, width in zip(arrays, (source, target, target, target), strict=False):
            array.set_shape((rows, width))
        x = arrays[0] if layout.plain else tuple(arrays[:2])
        return x, *arrays[inputs:]

    steps = tf.data.Dataset.range(count).map(load, num_parallel_calls=1)
    return without_autotune(steps.prefetch(4))
