"""What is measured of speech: loops, known words, and what a speaker is fed with."""

from types import SimpleNamespace

import numpy as np
import pytest

from rnn_tf.baselines import ngrams
from rnn_tf.data.text import corpus, reader
from rnn_tf.models import sampling
from rnn_tf.studies import speech

TEXT = corpus.in_memory(
    reader.from_string("text", "abc abd. " * 40), "character", (80, 10, 10), 50
)
SIZE = len(TEXT.vocabulary)
TOKENS = TEXT.parts["train"].tokens.astype("int64")
JUDGE = ngrams.fit(ngrams.count(TOKENS, SIZE, 3), SIZE)


def numbers(text: str) -> np.ndarray:
    return np.array([TEXT.vocabulary.index(x) for x in text])


@pytest.mark.parametrize(
    ("tokens", "period"),
    [
        ([7, 8, 9, 1, 2, 1, 2, 1, 2, 1], 2),
        ([1, 2, 3, 4, 5, 5, 5, 5, 5, 5], 1),
        ([1, 2, 3, 1, 2, 3, 1, 2, 4, 1], ""),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 0], ""),
    ],
)
def test_a_loop_is_as_long_as_what_it_repeats(tokens, period):
    assert speech.period(np.array(tokens)) == period


def test_words_are_known_that_training_has_but_not_cut_ones():
    """Would catch the halves of words at both ends of a text, which count for none."""
    known = speech.known_words(TEXT)
    assert known(np.array([numbers("bd. abc abd ac ab")])) == pytest.approx(2 / 3)
    assert known(np.array([numbers("abc abd.")])) == ""
    words = corpus.in_memory(
        reader.from_string("text", "abc abd. " * 40), "word", (80, 10, 10), 50
    )
    assert speech.known_words(words)(np.ones((2, 9), int)) == ""


@pytest.fixture
def heard(monkeypatch) -> list:
    """What speakers of a made-up network hear, which says b for ever."""
    tokens = []

    def begin():
        def speaker(own):
            tokens.append(np.array(own).tolist())
            return np.eye(SIZE)[np.full(len(own), numbers("b")[0])]

        return speaker

    monkeypatch.setattr(sampling, "speakers_side_by_side", lambda model, texts: begin)
    return tokens


READER = SimpleNamespace(name="gru", seed=1, speaks=None)


def test_a_network_is_fed_with_its_output_with_zeros_or_by_chance(heard):
    """Would catch a network that hears itself whatever it is to be fed with."""
    rows = speech.fed_rows([READER], JUDGE, speech.known_words(TEXT), length=4)
    assert [row["fed"] for row in rows] == ["own", "zeros", "random"]
    own, zeros, random = (heard[start : start + 5] for start in (0, 5, 10))
    b = numbers("b")[0]
    assert own == [[0] * 8] + [[b] * 8] * 4
    assert zeros == [[0] * 8] * 5
    assert len(set(np.ravel(random[1:]))) > 3 and min(np.ravel(random[1:])) > 0
    expected = -np.log2(JUDGE.probabilities(numbers("bbbb"))).mean()
    assert [row["bits"] for row in rows] == pytest.approx([expected] * 3)


def test_a_long_text_is_scored_by_tenths_all_of_it(heard):
    rows = speech.long_rows([READER], JUDGE, lambda texts: "", length=8 * 25)
    assert [row["tenth"] for row in rows] == list(range(1, 11))
    assert sum(row["tokens"] for row in rows) == 8 * 25


def test_prompts_are_heard_and_loops_found(heard):
    prompts = np.tile(numbers("ab"), (8, 1))
    rows = speech.loop_rows([READER], prompts, length=6)
    assert [row["period"] for row in rows] == [1] * 8
    assert heard[:2] == [[numbers("a")[0]] * 8, [numbers("b")[0]] * 8]
