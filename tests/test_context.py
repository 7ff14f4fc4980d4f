"""What text before a token is worth, and how sure a network is: by made-up models."""

import numpy as np
import pytest

from rnn_tf.baselines import ngrams
from rnn_tf.data.text.corpus import Part
from rnn_tf.studies import context
from rnn_tf.studies.language_models import NetworkReader, NgramReader

TOKENS = np.tile(np.arange(1, 5), 200).astype("int64")  # 1 2 3 4 1 2 3 4 ...
PART = Part(TOKENS, None)
SIZE = 5


class Counting(NetworkReader):
    """Expects the next number, at odds of `odds` to 1, once it has seen one."""

    odds = 9.0

    def logits(self, tokens):
        expected = np.concatenate([tokens[:, :1] * 0, tokens[:, :-1] % 4 + 1], axis=1)
        return np.log(self.odds) * np.eye(SIZE)[expected]


def test_bits_fall_once_a_network_has_seen_a_token():
    """By hand: 1/13 of a token after none, 9/13 of each after one."""
    reader = Counting("gru", 1, None)
    rows, _ = context.context_tables([reader], PART)
    first, *later = [row["bits"] for row in rows]
    assert first == pytest.approx(-np.log2(1 / 13))
    assert later == pytest.approx([-np.log2(9 / 13)] * 7)
    ends = [(row["before"], row["until"]) for row in rows]
    assert ends[:4] == [(0, 0), (1, 1), (2, 3), (4, 7)] and ends[-1] == (64, 127)
    assert sum(row["n"] for row in rows) == context.STRETCHES * context.LONG


def test_an_ngram_gains_nothing_from_tokens_beyond_its_reach():
    counts = ngrams.count(TOKENS, SIZE, 2)
    reader = NgramReader(ngrams.fit(counts, SIZE))
    rows, calibration = context.context_tables([reader], PART)
    bits = [row["bits"] for row in rows]
    assert bits[0] > 1.5 and max(bits[1:]) < 0.1
    assert calibration == []
    assert {(row["model"], row["order"]) for row in rows} == {("ngram_2", 2)}


def test_a_network_that_is_right_more_often_than_it_is_sure_is_told():
    (row,) = context.context_tables([Counting("gru", 1, None)], PART)[1]
    right = 127 / 128  # all but the first of each stretch
    assert row["accuracy"] == pytest.approx(right)
    assert row["confidence"] == pytest.approx(9 / 13)
    assert row["error"] == pytest.approx(right - 9 / 13)
