"""Make scenes of one to three handwritten digits, each with a sentence on it.

    a three
    a three above an eight
    an eight left of a one
    a three above an eight left of a one     the three on top, a row of two below it
    a three left of an eight above a one     the three on the left, a column beside it

The digits are scikit-learn's (Alpaydin and Kaynak, 1998); no handwritten digit is in
two parts. Of all pairs, digit, relation and digit, a fifth are never in training: the
scenes of the part `held_out` have at least one of them.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from rnn_tf.data import examples
from rnn_tf.data.drawings import tiny_digits
from rnn_tf.data.splits import SPLITS
from rnn_tf.data.text.tokens import Tokens

SIDE = 20  # of a scene, in pixels
HELD_OUT = "held_out"
NAMES = "zero one two three four five six seven eight nine".split()
ABOVE, LEFT = "above", "left of"
TOKENS = Tokens("word", ("a", "an", "above", "left", "of", *NAMES))

# Relations -> row and column of each digit's corner.
LAYOUTS = {
    (): ((6, 6),),
    (ABOVE,): ((1, 6), (11, 6)),
    (LEFT,): ((6, 1), (6, 11)),
    (ABOVE, LEFT): ((1, 6), (11, 1), (11, 11)),
    (LEFT, ABOVE): ((6, 1), (1, 11), (11, 11)),
}
MOVED = 1  # pixels that a digit may be off its place, either way


@dataclass(frozen=True)
class Scenes:
    """Scenes of one part."""

    pictures: np.ndarray  # (scenes, SIDE, SIDE, 1) float32, ink from 0 to 1
    captions: tuple[str, ...]
    digits: np.ndarray  # (scenes,): how many each has
    shown: np.ndarray  # (scenes, 3): numbers of the handwritten digits; -1: none


def scenes(count: int, tested: int, seed: int) -> dict[str, Scenes]:
    """Make scenes for training and, of other handwriting, to score.

    Args:
        count: scenes of training.
        tested: scenes of validation, test and `held_out`, each.
        seed: same seed, same scenes.

    Returns:
        The three parts, whose pairs of digits are all known from training; and
        `held_out`, of the test part's handwriting, in pairs that are not.
    """
    columns, classes = tiny_digits.columns_and_classes(seed)
    digits = columns.transpose(0, 2, 1)
    numbers = examples.parts(np.arange(len(classes)))
    parts = {}
    for key, split in enumerate((*SPLITS, HELD_OUT)):
        own = numbers["test" if split == HELD_OUT else split]
        random = np.random.default_rng((seed, key))
        drawn = _draw(count if split == "train" else tested, split, random)
        parts[split] = _paint(drawn, digits, classes, own, random)
    return parts


def caption(digits: tuple[int, ...], relations: tuple[str, ...]) -> str:
    """Describe a scene: a three above an eight."""
    names = [f"{'an' if n == 8 else 'a'} {NAMES[n]}" for n in digits]
    words = [names[0]]
    for relation, name in zip(relations, names[1:], strict=True):
        words += [relation, name]
    return " ".join(words)


def is_held_out(first: int, relation: str, second: int) -> bool:
    """Whether a pair is never in training; each digit is in known ones, either side."""
    return (first + 2 * second + (relation == LEFT)) % 5 == 0


def _draw(count: int, split: str, random: np.random.Generator) -> list[tuple]:
    """Draw digits and relations of scenes; one, two and three digits take turns."""
    by_number = {}
    for relations in LAYOUTS:
        known = combinations(relations, held_out=split == HELD_OUT)
        if known:
            by_number.setdefault(len(relations), []).append((relations, known))
    turns, drawn = list(by_number.values()), []
    for n in range(count):
        layouts = turns[n % len(turns)]
        relations, known = layouts[random.integers(len(layouts))]
        drawn.append((known[random.integers(len(known))], relations))
    return drawn


def combinations(relations: tuple[str, ...], held_out: bool) -> list[tuple[int, ...]]:
    """List the digits that may stand so, in training or in what is held out."""
    every = itertools.product(range(tiny_digits.CLASSES), repeat=len(relations) + 1)

    def is_new(digits):
        pairs = zip(digits, relations, digits[1:], strict=False)
        return any(is_held_out(*pair) for pair in pairs)

    return [digits for digits in every if is_new(digits) == held_out]


def _paint(drawn: list[tuple], digits, classes, own, random) -> Scenes:
    """Paint scenes with handwritten digits of one part, those numbered `own`."""
    by_class = [own[classes[own] == n] for n in range(tiny_digits.CLASSES)]
    pictures = np.zeros((len(drawn), SIDE, SIDE, 1), "float32")
    shown = np.full((len(drawn), 3), -1)
    for picture, numbers, (names, relations) in zip(
        pictures, shown, drawn, strict=True
    ):
        for place, name in enumerate(names):
            numbers[place] = which = random.choice(by_class[name])
            moved = random.integers(-MOVED, MOVED + 1, 2)
            corner = LAYOUTS[relations][place] + moved
            rows, columns = (slice(n, n + tiny_digits.SIDE) for n in corner)
            picture[rows, columns, 0] = digits[which]
    captions = tuple(itertools.starmap(caption, drawn))
    return Scenes(pictures, captions, (shown >= 0).sum(axis=1), shown)
