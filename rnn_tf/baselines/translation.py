"""Translate without a network: what any network has to beat.

Each function takes the training pairs, and returns `translate(sources)`, a list of
texts.
"""

import collections
from collections.abc import Callable, Sequence

import lazy_loader
import numpy as np

from rnn_tf.data.text.parallel import Pairs
from rnn_tf.data.text.tokens import Tokens

sklearn = lazy_loader.load("sklearn")

Translate = Callable[[Sequence[str]], list[str]]
ROWS = 500  # sources that are compared with all of training at a time


def copy() -> Translate:
    """Take the source for its translation."""
    return list


def most_frequent(train: Pairs) -> Translate:
    """Give the translation that training has most often, always."""
    (text, _), *_ = collections.Counter(train.targets).most_common(1)
    return lambda sources: [text] * len(sources)


def nearest(train: Pairs, tokens: Tokens) -> Translate:
    """Give the translation of the most similar training source.

    By the cosine of their tf-idf: of words, or of one to three characters or subwords
    in a row.
    """
    longest = 1 if tokens.unit == "word" else 3
    tf_idf = sklearn.feature_extraction.text.TfidfVectorizer(
        analyzer=lambda sentence: _grams(tokens.pieces(sentence), longest),
        dtype=np.float32,
    )
    known = tf_idf.fit_transform(train.sources).T.tocsc()

    def translate(sources):
        texts = []
        for start in range(0, len(sources), ROWS):
            asked = tf_idf.transform(sources[start : start + ROWS])
            best = np.asarray((asked @ known).argmax(axis=1)).ravel()
            texts += [train.targets[n] for n in best]
        return texts

    return translate


def _grams(pieces: list[str], longest: int) -> list[tuple[str, ...]]:
    """List the runs of one to `longest` pieces."""
    sizes = range(1, longest + 1)
    return [tuple(pieces[n : n + s]) for s in sizes for n in range(len(pieces) - s + 1)]


def word_by_word(train: Pairs, tokens: tuple[Tokens, Tokens]) -> Translate:
    """Translate each token by the one that stands with it most often.

    "Most often" is by Dice's coefficient of sentences that have both: 2 c(s, t) / (c(s)
    + c(t)), an alignment without regard to places (Smadja et al., 1996). Tokens that
    training has not stay as they are.
    """
    source, target = tokens
    counter = sklearn.feature_extraction.text.CountVectorizer
    counters = [
        counter(analyzer=side.pieces, binary=True, dtype=np.float32) for side in tokens
    ]
    sides = zip(counters, (train.sources, train.targets), strict=True)
    there = [each.fit_transform(sentences) for each, sentences in sides]
    together = (there[0].T @ there[1]).tocoo()
    counts = [np.asarray(each.sum(axis=0)).ravel() for each in there]
    total = counts[0][together.row] + counts[1][together.col]
    together.data = 2 * together.data / total
    best = np.asarray(together.tocsr().argmax(axis=1)).ravel()
    names = counters[1].get_feature_names_out()
    table = {name: names[best[n]] for name, n in counters[0].vocabulary_.items()}

    def translate(sources):
        return [
            target.join([table.get(p, p) for p in source.pieces(s)]) for s in sources
        ]

    return translate
