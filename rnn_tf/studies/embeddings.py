"""What lies near what in the vectors that networks learn of tokens.

A label sorts tokens into groups that are alike: letters that differ in case alone,
vowels, nouns of one class. If vectors hold meaning, a token's nearest neighbour is of
its group more often than it would be by chance.
"""

from collections import Counter

import numpy as np

from rnn_tf.baselines import ngrams
from rnn_tf.data.text import grammar
from rnn_tf.data.text.corpus import Corpus
from rnn_tf.studies.language_models import NetworkReader, matrix_of

COLUMNS = "model seed width label tokens groups share shuffled p".split()
MAP = "model token group nearest x y".split()

SEEN = 20  # times that training has a token whose vector is looked at, at least
SHUFFLES = 500
SHOWN = 120  # tokens of the map, at most: the most frequent ones
VOWELS = "aeiou"
KINDS = "consonant", "vowel"

# ---------------------------------------------------------------- labels


def labels(corpus: Corpus) -> dict[str, dict[int, str]]:
    """Give label -> token -> its group, as far as the text has any.

    `case`: what differs in case alone, and `vowel`: vowels against consonants, need a
    text with letters as tokens, or both cases; `class` and `kind`, the noun class and
    the part of speech, need the artificial language.
    """
    last = corpus.parts["train"].tokens[-ngrams.COUNTED :]
    counts = np.bincount(last, None, len(corpus.vocabulary))
    seen = {n: t for n, t in enumerate(corpus.vocabulary) if t and counts[n] >= SEEN}
    lower = Counter(token.lower() for token in seen.values())
    letters = {n: t.lower() for n, t in seen.items() if t.isascii() and t.isalpha()}
    if corpus.unit == "word":
        letters = {}
    every = {
        "case": {n: t.lower() for n, t in seen.items() if lower[t.lower()] > 1},
        "vowel": {n: KINDS[t in VOWELS] for n, t in letters.items()},
        "class": {n: grammar.noun_class(t) for n, t in seen.items()},
        "kind": {n: grammar.kind(t) for n, t in seen.items()},
    }
    every = {
        name: {n: group for n, group in groups.items() if group != ""}
        for name, groups in every.items()
    }
    return {name: g for name, g in every.items() if len(set(g.values())) > 1}


# ---------------------------------------------------------------- neighbours


def rows(readers: list[NetworkReader], corpus: Corpus) -> list[dict]:
    """Count how often the nearest neighbour of a token is of its group.

    By cosine, among the tokens that have the label; against labels that are shuffled.

    Returns:
        `share` of tokens, its mean over shuffles, and `p`, the share of shuffles with
        as much.
    """
    table, every = [], labels(corpus)
    for reader in readers:
        matrix = matrix_of(reader.model)
        for label, groups in every.items():
            near = nearest(matrix[list(groups)])
            names, own = np.unique(list(groups.values()), return_inverse=True)
            share, shuffled, p = _against_chance(near, own)
            row = {"model": reader.name, "seed": reader.seed}
            row |= {"width": matrix.shape[1], "label": label, "tokens": len(own)}
            row |= {"groups": len(names), "share": share}
            table.append(row | {"shuffled": shuffled, "p": p})
    return table


def nearest(vectors: np.ndarray) -> np.ndarray:
    """Return the place of each vector's nearest neighbour by cosine: (vectors,)."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    return cosines.argmax(axis=1)


def _against_chance(near: np.ndarray, groups: np.ndarray) -> tuple:
    """Return the share of neighbours of one's group, its mean by chance, and p."""
    random = np.random.default_rng(1)
    share = float((groups[near] == groups).mean())
    orders = [random.permutation(groups) for _ in range(SHUFFLES)]
    chance = np.array([(order[near] == order).mean() for order in orders])
    as_much = int((chance >= share).sum())
    return share, float(chance.mean()), (1 + as_much) / (1 + SHUFFLES)


def map_rows(reader: NetworkReader, corpus: Corpus) -> list[dict]:
    """Lay the most frequent tokens out in a plane, by their two principal components.

    The vectors are scaled to length 1 first, as neighbours are by cosine.
    """
    every = labels(corpus)
    groups = next((every[k] for k in ("kind", "vowel", "case") if k in every), {})
    tokens = list(range(1, min(SHOWN + 1, len(corpus.vocabulary))))
    vectors = matrix_of(reader.model)[tokens]
    near = nearest(vectors)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    centred = unit - unit.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    return [
        {"model": reader.name, "token": corpus.vocabulary[token]}
        | {"group": groups.get(token, ""), "nearest": corpus.vocabulary[tokens[other]]}
        | {"x": float(x), "y": float(y)}
        for token, other, (x, y) in zip(tokens, near, centred @ axes[:2].T, strict=True)
    ]
