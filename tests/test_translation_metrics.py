"""Scores of translations, by sacrebleu and by hand."""

import numpy as np
import pytest

from rnn_tf.metrics import translation
from rnn_tf.metrics.translation import References, Translations

RIGHT = ["the dog runs here", "a man", "2026-11-27"]
SLICES = ["long", "short", "short"]


def values(texts, stopped=(True, True, True)) -> dict:
    scores = translation.scores(
        Translations(texts, np.array(stopped)), References(RIGHT, SLICES, "none")
    )
    known = {(row["metric"], row["slice"]): row["value"] for row in scores.metrics}
    return known | {"errors": scores.errors}


def test_what_is_right_has_no_error():
    scores = values(RIGHT)
    assert scores["errors"] == pytest.approx([0, 0, 0])
    assert scores["bleu", ""] == pytest.approx(100)
    assert scores["exact", ""] == scores["right_length", ""] == 100
    assert scores["unstopped", ""] == 0


def test_the_headline_is_the_mean_of_the_errors_of_sentences():
    scores = values(["the dog", "a man", ""])
    assert scores["errors"][1:] == pytest.approx([0, 100])
    assert scores["chrf_error", ""] == pytest.approx(scores["errors"].mean())
    assert scores["chrf_error", "short"] == pytest.approx(50)
    assert scores["exact", "long"] == 0


def test_chrf_is_the_formula():
    """By hand, bigrams at most: 2-grams of abc and abd share ab; chrF is their F2."""
    errors = translation.sentence_errors(["abc"], ["abd"])
    orders = [2 / 3, 1 / 2, 0]  # precision and recall are alike
    assert errors == pytest.approx([100 - 100 * np.mean(orders)], abs=0.1)


def test_lengths_and_stops_are_counted():
    scores = values(["the dog runs HERE", "a", "x"], (True, False, True))
    assert scores["right_length", ""] == pytest.approx(100 / 3)
    assert scores["unstopped", ""] == pytest.approx(100 / 3)
    assert scores["length_ratio", ""] == pytest.approx(6 / 7)  # in words


def test_the_signatures_say_how_it_was_computed():
    known = translation.signatures("none")
    assert "tok:none" in known["bleu"]
    assert "nc:6" in known["chrf"]
