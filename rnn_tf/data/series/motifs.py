"""Make small tasks on sequences, of which it is known what each has to look at.

Each function takes a random generator: same seed, same examples. Tokens and targets
are int32, numbers float32. NumPy alone.
"""

import numpy as np

BASES = "ACGT"
MOTIF = "TATAA"
DNA_STEPS = 30  # bases of a sequence; random ones alone hold the motif in 3 %

# Words that are names before a verb, and common words elsewhere: "Rose laughed".
WORDS, AMBIGUOUS, VERBS = 20, 5, 10  # 0-4 may be names, 5-14 are verbs, others neither
WORD_STEPS = 15
NAME_SHARE = 0.25  # of the words; verbs are half, so that no word is a name by itself

ORDER_TOKENS, ORDER_STEPS = 10, 15  # of "a before b"; a is 0, b is 1
BITS, BIT_NOISE = 4, 0.2
COUNT_STEPS = 20

Examples = tuple[np.ndarray, np.ndarray]  # inputs and targets


def planted_motifs(count: int, random: np.random.Generator) -> Examples:
    """Make DNA, half of it with a motif at a random place, and mark the motif.

    Args:
        count: of sequences.
        random: generator.

    Returns:
        Bases, (count, DNA_STEPS), places in `BASES`; and 1 for each base of a motif,
        also where chance put it, else 0: (count, DNA_STEPS).
    """
    motif = np.array([BASES.index(base) for base in MOTIF], "int32")
    bases = random.integers(len(BASES), size=(count, DNA_STEPS), dtype="int32")
    starts = random.integers(DNA_STEPS - len(motif) + 1, size=count)
    places = starts[:, None] + np.arange(len(motif))
    chosen = np.flatnonzero(random.random(count) < 0.5)
    bases[chosen[:, None], places[chosen]] = motif
    return bases, mark(bases, motif)


def mark(bases: np.ndarray, motif: np.ndarray) -> np.ndarray:
    """Mark each base of a motif wherever it stands: (count, steps) of 0 and 1."""
    windows = np.lib.stride_tricks.sliding_window_view(bases, len(motif), axis=1)
    marked = np.zeros(bases.shape, "int32")
    for row, start in np.argwhere((windows == motif).all(axis=2)):
        marked[row, start : start + len(motif)] = 1
    return marked


def names_before_verbs(count: int, random: np.random.Generator) -> Examples:
    """Make sentences in which a word is a name if the next one is a verb.

    Returns:
        Words, (count, WORD_STEPS), numbers under `WORDS`; and 1 for each name, else 0.
        The last word is none: nothing follows it.
    """
    kinds = random.choice(3, (count, WORD_STEPS), p=[NAME_SHARE, 0.5, 0.5 - NAME_SHARE])
    low = np.array([0, AMBIGUOUS, AMBIGUOUS + VERBS])[kinds]
    high = np.array([AMBIGUOUS, AMBIGUOUS + VERBS, WORDS])[kinds]
    words = random.integers(low, high).astype("int32")
    names = np.zeros(words.shape, "int32")
    names[:, :-1] = (kinds[:, :-1] == 0) & (kinds[:, 1:] == 1)
    return words, names


def a_before_b(count: int, random: np.random.Generator) -> Examples:
    """Make tokens with one a and one b among them; is the a first?

    Returns:
        Tokens, (count, ORDER_STEPS), in which 0 is a and 1 is b; and (count,) of 1
        where a stands before b, else 0.
    """
    tokens = random.integers(2, ORDER_TOKENS, (count, ORDER_STEPS), dtype="int32")
    places = random.permuted(np.tile(np.arange(ORDER_STEPS), (count, 1)), axis=1)[:, :2]
    tokens[np.arange(count)[:, None], places] = [0, 1]
    return tokens, (places[:, 0] < places[:, 1]).astype("int32")


def parity(count: int, random: np.random.Generator) -> Examples:
    """Make bits with noise, one at a step; is the number of ones odd?

    Returns:
        (count, BITS, 1) near -1 or 1, and (count,) of 0 for an even number, 1 for odd.
    """
    bits = random.integers(2, size=(count, BITS))
    noise = random.normal(scale=BIT_NOISE, size=bits.shape)
    inputs = (2 * bits - 1 + noise).astype("float32")
    return inputs[..., None], (bits.sum(axis=1) % 2).astype("int32")


def counting(count: int, random: np.random.Generator) -> Examples:
    """Make zeros and ones; which share are ones?

    Returns:
        (count, COUNT_STEPS, 1), and (count,), where every share is equally likely.
    """
    share = random.random((count, 1))
    ones = (random.random((count, COUNT_STEPS)) < share).astype("float32")
    return ones[..., None], ones.mean(axis=1)


def majority(count: int, lengths, width: int, random: np.random.Generator) -> Examples:
    """Make sequences of -1 and 1, padded by 0; are more than half of them 1?

    Args:
        count: of sequences.
        lengths: odd numbers, of which each sequence has one at random.
        width: steps with the padding, which stands at the end.
        random: generator.

    Returns:
        (count, width, 1), and (count,) of 1 or 0; half are 1.
    """
    signs = 2 * random.integers(2, size=(count, width)) - 1
    own = random.choice(lengths, (count, 1))
    signs = np.where(np.arange(width) < own, signs, 0).astype("float32")
    return signs[..., None], (signs.sum(axis=1) > 0).astype("int32")


def shuffled(x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Put the steps of each example in an order of its own: (count, steps, ...)."""
    orders = random.random(x.shape[:2]).argsort(axis=1)
    return x[np.arange(len(x))[:, None], orders]
