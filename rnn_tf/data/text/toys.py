"""Make words of random letters, and what a rule makes of them: four toy tasks.

    reversal  abcd -> dcba      the first letter is needed last
    copy      abcd -> abcd      all letters are equally far from their copies
    doubled   abcd -> aabbccdd  the answer is twice as long
    halved    abcd -> ac        the answer is half as long

Sources: reversal, Sutskever et al. (2014), who reversed the input; copying, Hochreiter
and Schmidhuber (1997).
"""

import numpy as np

from rnn_tf.data.text.parallel import Pairs, ParallelText, cut, digest

LETTERS = "abcdefghij"
SHORTEST = 3
RULES = {
    "reversal": lambda word: word[::-1],
    "copy": lambda word: word,
    "doubled": lambda word: "".join(letter * 2 for letter in word),
    "halved": lambda word: word[::2],
}


def toy(rule: str, count: int, longest: int, seed: int = 1) -> ParallelText:
    """Make different words, each with its answer, in three parts.

    Args:
        rule: a key of `RULES`.
        count: words of all parts together; fewer, if there are not so many.
        longest: letters of a word, at most; all lengths from 3 on are as likely.
        seed: same seed, same words, whatever the rule is.
    """
    random = np.random.default_rng(seed)
    lengths = random.integers(SHORTEST, longest + 1, 2 * count)
    letters = random.integers(len(LETTERS), size=(2 * count, longest))
    drawn = (
        "".join(LETTERS[letter] for letter in row[:n])
        for row, n in zip(letters, lengths, strict=True)
    )
    words = tuple(dict.fromkeys(drawn))[:count]
    pairs = Pairs(words, tuple(map(RULES[rule], words)))
    return ParallelText(rule, cut(pairs), digest(pairs), ("letters", rule))
