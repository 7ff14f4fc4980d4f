"""N-grams: values by hand, the formula by brute force, and what any model must hold."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_tf.baselines import ngrams
from rnn_tf.data.text.corpus import Part

A, B = 0, 1
TEXT = np.array([A, B, A, B, B])


def model(tokens, vocabulary: int, order: int) -> ngrams.KneserNey:
    return ngrams.fit(ngrams.count(np.asarray(tokens), vocabulary, order), vocabulary)


def test_the_probabilities_of_a_tiny_text_are_those_worked_out_by_hand():
    """Bigrams ab 2, ba 1, bb 1: the discount is 2 / (2 + 2 * 1) = 1/2. a follows one
    token, b two: 1/3 off each, so p(a) = (2/3 + 2/3 * 1/2) / 3 = 1/3, p(b) = 2/3.
    """
    bigrams = model(TEXT, 2, 2)
    assert bigrams.distribution(np.array([A])) == pytest.approx([1 / 12, 11 / 12])
    assert bigrams.distribution(np.array([B])) == pytest.approx([5 / 12, 7 / 12])
    assert bigrams.distribution(np.array([], int)) == pytest.approx([1 / 3, 2 / 3])
    expected = [1 / 3, 11 / 12, 5 / 12, 11 / 12, 7 / 12]
    assert bigrams.probabilities(TEXT) == pytest.approx(expected)


def test_unigrams_count_tokens_and_not_what_they_follow():
    """Counts 2 and 3, none seen once: 1/2 off each, shared out over three tokens."""
    unigrams = model(TEXT, 3, 1).distribution(np.array([], int))
    assert unigrams == pytest.approx([1.5 / 5 + 1 / 15, 2.5 / 5 + 1 / 15, 1 / 15])


def test_a_token_that_was_never_seen_has_a_share_of_the_uniform_distribution():
    """Would catch a probability of 0, and so bits without end."""
    wide = model(TEXT, 4, 2)
    rest = wide.distribution(np.array([A]))[2:]
    assert rest == pytest.approx([0.25 * 2 / 9 / 4] * 2)


def test_counts_are_of_ngrams_and_of_what_stands_before_them():
    unigrams, bigrams, trigrams = ngrams.count(TEXT, 2, 3)
    assert unigrams.seen.tolist() == [2, 3]
    assert unigrams.follows.tolist() == [1, 2]
    assert bigrams.seen.tolist() == [2, 1, 1]  # ab, ba, bb
    assert bigrams.follows.tolist() == [1, 1, 1]  # bab, aba, abb
    assert trigrams.seen.tolist() == [1, 1, 1]


def test_parameters_are_counted():
    """Two unigrams, three bigrams; one context of unigrams, two of bigrams."""
    assert model(TEXT, 2, 2).parameters == 2 + 2 + 3 + 4


# ---------------------------------------------------------------- by brute force


def brute_force(tokens: list, vocabulary: int, order: int, context: tuple) -> list:
    """Return the distribution after a context by the formula, without any sorting."""
    p = [1 / vocabulary] * vocabulary
    for n in range(1, order + 1):
        if n - 1 > len(context):
            break
        counts = numbers(tokens, n, highest=n == order)
        once, twice = (sum(c == k for c in counts.values()) for k in (1, 2))
        discount = once / (once + 2 * twice) if once else 0.5
        before = context[len(context) - n + 1 :]
        total = sum(c for gram, c in counts.items() if gram[:-1] == before)
        if not total:
            continue
        follow = sum(gram[:-1] == before for gram in counts)
        off = sum(min(discount, c) for gram, c in counts.items() if gram[:-1] == before)
        assert discount > 1 or off == pytest.approx(discount * follow)
        p = [
            max(counts.get((*before, w), 0) - discount, 0) / total + off / total * p[w]
            for w in range(vocabulary)
        ]
    return p


def numbers(tokens: list, n: int, highest: bool) -> Counter:
    """Count n-grams, or below the highest n the different tokens before each."""
    grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    if highest:
        return Counter(grams)
    longer = {tuple(tokens[i : i + n + 1]) for i in range(len(tokens) - n)}
    return Counter(gram[1:] for gram in longer)


TEXTS = st.lists(st.integers(0, 3), min_size=6, max_size=40)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.integers(1, 4), st.lists(st.integers(0, 3), max_size=5))
def test_any_distribution_is_that_of_the_formula(tokens, order, context):
    ours = model(tokens, 4, order).distribution(np.array(context, int))
    assert ours == pytest.approx(brute_force(tokens, 4, order, tuple(context)))


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.integers(1, 4), TEXTS)
def test_probabilities_sum_to_1_and_both_ways_to_them_agree(tokens, order, heard):
    grams = model(tokens, 4, order)
    each = [grams.distribution(np.array(heard[:i], int)) for i in range(len(heard))]
    assert np.sum(each, axis=1) == pytest.approx(1)
    assert np.min(each) > 0
    expected = [p[token] for p, token in zip(each, heard, strict=True)]
    assert grams.probabilities(np.array(heard)) == pytest.approx(expected)


@settings(max_examples=30, deadline=None)
@given(TEXTS, st.lists(st.integers(0, 3), min_size=4, max_size=4), st.integers(0, 3))
def test_an_ngram_sees_n_minus_1_tokens_and_none_before(tokens, heard, other):
    """Would catch a context that is one too long, or too short."""
    grams = model(tokens, 4, 3)
    changed = [heard[0], other, *heard[2:]]
    p, q = (grams.distribution(np.array(h)) for h in (heard, changed))
    assert (p == q).all()


# ---------------------------------------------------------------- models of a text


def test_the_models_of_a_text_predict_as_those_fitted_by_hand():
    """Would catch an order that is one off, and n-grams of the whole text."""
    random = np.random.default_rng(1)
    tokens = random.integers(0, 4, 400).astype("uint16")
    parts = {"validation": Part(tokens[:80], None), "test": Part(tokens[80:160], None)}
    models = ngrams.Models(tokens[160:], 4, 3)
    known = models.predictors(parts, sizes=(50,))
    assert list(known) == ["uniform", "ngram_1", "ngram_2", "ngram_3", "ngrams_of_50"]
    assert (known["uniform"]("test") == 0.25).all()
    text = tokens[80:160].astype("int64")
    for order in (1, 2, 3):
        counts = ngrams.count(tokens[160:].astype("int64"), 4, order)
        expected = ngrams.fit(counts, 4).probabilities(text)
        assert known[f"ngram_{order}"]("test") == pytest.approx(expected)
    best = models.best_order(parts["validation"], 50)
    assert known["ngrams_of_50"]("test") == pytest.approx(
        models.model(best, 50).probabilities(text)
    )


def test_the_order_that_is_best_on_validation_is_chosen():
    """Of a text that repeats 0 1 1: pairs do not tell what follows a 1."""
    tokens = np.tile([0, 1, 1], 60).astype("uint16")
    models = ngrams.Models(tokens, 2, 4)
    assert models.best_order(Part(tokens[:30], None), 150) == 3
    assert models.model(9).order == 4
