"""The toy tasks: their rules, and words that are in one part alone."""

import pytest

from rnn_tf.data.text import toys


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ("reversal", "dcba"),
        ("copy", "abcd"),
        ("doubled", "aabbccdd"),
        ("halved", "ac"),
    ],
)
def test_each_rule_is_what_it_is_called(rule, answer):
    assert toys.RULES[rule]("abcd") == answer


def test_words_of_every_length_are_in_one_part_alone():
    text = toys.toy("copy", 2_000, 8)
    words = [word for part in text.parts.values() for word in part.sources]
    assert len(set(words)) == len(words) == 2_000
    assert {len(word) for word in words} == {3, 4, 5, 6, 7, 8}


def test_tasks_differ_in_their_rule_alone():
    parts = [toys.toy(rule, 50, 8).parts["test"] for rule in ("copy", "reversal")]
    assert parts[0].sources == parts[1].sources
