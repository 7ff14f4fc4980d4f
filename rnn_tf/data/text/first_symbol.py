"""Make sequences of symbols, of several lengths, whose first symbol is asked for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnn_tf.data import examples
from rnn_tf.data.splits import SPLITS

SYMBOLS = 4
SHORTEST = 5  # symbols of a sequence
PADDING = 0  # stands where a sequence has no symbol


@dataclass(frozen=True)
class Sequences:
    """The sequences of one part."""

    symbols: np.ndarray  # (sequences, longest): 1 to SYMBOLS, then PADDING
    lengths: np.ndarray  # (sequences,)

    @property
    def labels(self) -> np.ndarray:
        """The first symbol of each, counted from 0: (sequences,) int32."""
        return (self.symbols[:, 0] - 1).astype("int32")

    def padded(self, width: int, side: str) -> np.ndarray:
        """Pad each to `width`, "pre" its first symbol or "post" its last.

        Returns:
            (sequences, width) int32.
        """
        behind = width - self.symbols.shape[1]
        padded = np.pad(self.symbols, ((0, 0), (0, behind)), constant_values=PADDING)
        if side == "pre":  # what is behind the last symbol comes to the front
            place = np.arange(width) - (width - self.lengths[:, None])
            padded = np.take_along_axis(padded, place % width, axis=1)
        return padded.astype("int32")

    def by_length(self) -> "Sequences":
        """Sort them by length; those of a length keep their order."""
        order = np.argsort(self.lengths, kind="stable")
        return Sequences(self.symbols[order], self.lengths[order])


def sequences(count: int, longest: int, seed: int = 1) -> dict[str, Sequences]:
    """Draw symbols and lengths evenly, in three parts: 80, 10 and 10 %.

    Args:
        count: sequences of all parts together.
        longest: symbols of a sequence, at most; at least `SHORTEST`.
        seed: same seed, same sequences.
    """
    parts = {}
    for key, (split, part) in enumerate(examples.parts(np.arange(count)).items()):
        random = np.random.default_rng((seed, key))
        lengths = random.integers(SHORTEST, longest + 1, len(part))
        symbols = random.integers(1, SYMBOLS + 1, (len(part), longest))
        symbols[np.arange(longest) >= lengths[:, None]] = PADDING
        parts[split] = Sequences(symbols, lengths)
    return parts


def predictors(parts: dict[str, Sequences]) -> dict[str, Callable]:
    """Return each baseline's predict(split), by name: (sequences, SYMBOLS).

    "majority" gives each symbol its share of first symbols in training, "share" its
    share of the sequence that is asked about, whose first symbol is one of it.
    """
    first = np.bincount(parts["train"].labels, minlength=SYMBOLS)

    def majority(split):
        return np.tile(first / first.sum(), (len(parts[split].labels), 1))

    def share(split):
        symbols, lengths = parts[split].symbols, parts[split].lengths
        counts = [(symbols == n).sum(axis=1) for n in range(1, SYMBOLS + 1)]
        return np.stack(counts, axis=1) / lengths[:, None]

    return {"majority": majority, "share": share}


def flat(parts: dict[str, Sequences], width: int) -> np.ndarray:
    """Join the parts, padded behind: (sequences, width)."""
    return np.concatenate([parts[split].padded(width, "post") for split in SPLITS])
