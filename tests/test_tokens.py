"""Tokens of sentences: there and back, what is unknown, and subwords."""

import pytest

from rnn_tf.data.text import tokens
from rnn_tf.data.text.tokens import BEGIN, END, PAD, SPECIAL, UNKNOWN, Tokens
from rnn_tf.errors import InputError

SENTENCES = ["a dog runs.", "a man's dog", "the dog"] * 20


@pytest.mark.parametrize("unit", tokens.UNITS)
def test_a_sentence_of_known_tokens_comes_back(unit):
    known = tokens.learn(SENTENCES, unit, fewest=1, most=60)
    numbers = known.encode("a dog runs.")
    assert UNKNOWN not in numbers
    right = "a dog runs ." if unit == "word" else "a dog runs."
    assert known.decode([BEGIN, *numbers, END, 7, PAD]) == right
    assert max(numbers) < len(known)


def test_what_is_too_rare_is_unknown():
    known = tokens.learn(["a a b", "a b c"], "word", fewest=2, most=9)
    assert known.names == ("a", "b")
    assert known.encode("b c a") == [SPECIAL + 1, UNKNOWN, SPECIAL]
    assert known.decode([UNKNOWN, SPECIAL]) == f"{tokens.REPLACEMENT} a"


def test_the_most_frequent_are_known():
    assert tokens.learn(["b b a c c c"], "word", 1, 2).names == ("c", "b")


def test_subwords_are_the_same_in_another_process():
    """Would catch a run whose config.json does not hold what cuts its sentences."""
    known = tokens.learn(SENTENCES, "subword", 1, 40)
    again = Tokens("subword", known.names, known.subwords)
    assert again.encode("the man runs") == known.encode("the man runs")


@pytest.mark.parametrize("subwords", ["?", "AAAA"])
def test_damaged_subwords_are_one_line(subwords):
    with pytest.raises(InputError, match="the subwords are damaged"):
        Tokens("subword", ("a",), subwords).encode("a")


def test_too_few_subwords_are_one_line():
    with pytest.raises(InputError, match="cannot make 4 subwords") as error:
        tokens.learn(SENTENCES, "subword", 1, 4)
    assert "\n" not in str(error.value)
