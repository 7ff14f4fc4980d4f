"""Make texts of random letters, each with its summary: the first of each letter.

    f b f c b f -> f b c

A summary keeps what is new, in its order. How long it is, and what is next, hangs on
the order of all letters before.
"""

from dataclasses import dataclass

import numpy as np

from rnn_tf.data.text.tokens import Tokens

LETTERS = "abcdef"
TOKENS = Tokens("character", tuple(LETTERS))
SHORTEST, LONGEST = 3, 9  # letters of a text


@dataclass(frozen=True)
class Texts:
    """Texts and their summaries."""

    texts: tuple[str, ...]
    summaries: tuple[str, ...]


def summary(text: str) -> str:
    """Keep the first of each letter."""
    return "".join(dict.fromkeys(text))


def texts(count: int, tested: int, seed: int) -> dict[str, Texts]:
    """Make different texts, of which none is in two parts.

    Args:
        count: texts of training.
        tested: texts of test.
        seed: same seed, same texts.

    Returns:
        The parts `train` and `test`; all lengths are as likely, but for the shortest,
        of which there are few.
    """
    random, drawn = np.random.default_rng(seed), {}
    while len(drawn) < count + tested:
        letters = random.integers(len(LETTERS), size=LONGEST)
        length = random.integers(SHORTEST, LONGEST + 1)
        drawn["".join(LETTERS[n] for n in letters[:length])] = None
    every = tuple(drawn)
    # The last are long, since short ones have been drawn before: mix them.
    every = tuple(every[n] for n in random.permutation(len(every)))
    parts = {"train": every[:count], "test": every[count:]}
    return {split: Texts(own, tuple(map(summary, own))) for split, own in parts.items()}
