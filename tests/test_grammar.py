"""The artificial language: its entropy by another way, and agreement in any text."""

import numpy as np
import pytest

from rnn_tf.data.text import grammar
from rnn_tf.data.text.grammar import CLASSES, MORE, PREPOSITIONS, VERBS, Language


def test_the_entropy_is_that_of_all_sentences_one_by_one():
    """Two nouns, one verb: the sentences with m phrases are equally likely, and there
    are 2 * (4 * 2)^m * 2 of them. The series is cut where it is below 1e-10.
    """
    small, bits = Language(classes=2, stems=1, verbs=1), 0.0
    for phrases in range(120):
        sentences = 2 * (len(PREPOSITIONS) * 2) ** phrases * 2
        chance = (1 - MORE) * MORE**phrases / sentences
        bits -= sentences * chance * np.log2(chance)
    assert small.bits == pytest.approx(bits)


def test_sentences_are_as_likely_as_the_grammar_has_them():
    """Would catch an entropy of another language than that of the text."""
    sentences = Language(classes=2, stems=1, verbs=1).sentences(20_000)
    whole = [" ".join(s.split()[:2]) for s in sentences]
    assert set(whole) == {"the bantu", "the kintu"}
    assert np.mean([s == "the bantu" for s in whole]) == pytest.approx(0.5, abs=0.02)
    phrases = [sum(word in PREPOSITIONS for word in s.split()) for s in sentences]
    expected = [(1 - MORE) * MORE**n for n in range(4)]
    shares = [np.mean(np.array(phrases) == n) for n in range(4)]
    assert shares == pytest.approx(expected, abs=0.02)


def test_the_verb_always_agrees_with_the_subject_however_far_away():
    """Would catch a verb that agrees with the nearest noun."""
    far = 0
    for sentence in Language().sentences(2_000):
        words = sentence.split()
        assert words[0] == words[-3] == "the" and words[-1] == "."
        subject, verb = words[1], words[-4]
        prefix = next(c for c in CLASSES if subject.startswith(c))
        assert verb in {prefix + stem for stem in VERBS}
        between = words[2:-4]
        far += len(between) > 6
        phrases = zip(between[::3], between[1::3], between[2::3], strict=True)
        for preposition, article, noun in phrases:
            assert preposition in PREPOSITIONS and article == "the"
            assert noun in Language().nouns
    assert far > 100


def test_a_text_is_its_sentences_a_line_each_and_follows_from_the_seed():
    text = Language().text(50)
    assert text.splitlines() == Language().sentences(50)
    assert text.endswith(".\n")
    assert text != Language().text(50, seed=2)


def test_each_word_has_one_part_of_speech_and_nouns_have_a_class():
    """Would catch a verb that is taken for a noun, since both begin with a class."""
    kinds = {word: grammar.kind(f" {word}") for word in Language().text(200).split()}
    assert kinds["the"] == kinds["."] == ""
    assert {grammar.kind(noun) for noun in Language().nouns} == {"noun"}
    assert set(kinds.values()) == {"", "noun", "verb", "preposition"}
    assert grammar.noun_class(" kisimba") == "ki"
    assert grammar.noun_class("kisoma") == ""
