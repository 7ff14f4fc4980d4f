"""Translations without a network, on pairs small enough to see what is right."""

import pytest

from rnn_tf.baselines import translation
from rnn_tf.data.text import parallel, tokens

ROWS = [
    ("der Hund", "the dog"),
    ("der Mann", "the man"),
    ("ein Mann", "a man"),
    ("ein Hund", "a dog"),
    ("ein Hund", "a dog"),
]
TRAIN = parallel.from_rows(ROWS)


@pytest.fixture
def known():
    sides = TRAIN.sources, TRAIN.targets
    return tuple(tokens.learn(side, "word", 1, 99) for side in sides)


def test_the_most_frequent_translation_is_given_always():
    assert translation.most_frequent(TRAIN)(["x", "y"]) == ["a dog", "a dog"]


def test_the_source_is_copied():
    assert translation.copy()(("x", "y")) == ["x", "y"]


def test_the_nearest_source_is_that_with_the_rare_words(known):
    assert translation.nearest(TRAIN, known[0])(["der Mann der Mann", "der Hund"]) == [
        "the man",
        "the dog",
    ]


def test_the_nearest_of_many_is_found_batch_by_batch(known, monkeypatch):
    whole = translation.nearest(TRAIN, known[0])(list(TRAIN.sources))
    monkeypatch.setattr(translation, "ROWS", 2)
    assert translation.nearest(TRAIN, known[0])(list(TRAIN.sources)) == whole


def test_each_word_becomes_the_one_that_stands_with_it(known):
    """Would catch a translation by frequency alone, which says "a" for everything."""
    translate = translation.word_by_word(TRAIN, known)
    assert translate(["ein Mann", "der Kater"]) == ["a man", "the Kater"]
