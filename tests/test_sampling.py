"""How the next token is chosen: by hand, and where chance may not go."""

import itertools

import numpy as np
import pytest

from rnn_tf.models.sampling import Choice, draw_each, speak, speak_side_by_side

P = np.array([0.1, 0.4, 0.2, 0.3])


def test_a_temperature_of_1_changes_nothing_and_0_takes_the_likeliest():
    assert Choice().weigh(P) == pytest.approx(P)
    assert Choice(temperature=0).weigh(P).tolist() == [0, 1, 0, 0]


def test_a_temperature_of_one_half_squares_the_odds():
    expected = P**2 / (P**2).sum()
    assert Choice(temperature=0.5).weigh(P) == pytest.approx(expected)


def test_top_k_keeps_the_k_likeliest():
    assert Choice(top_k=2).weigh(P) == pytest.approx([0, 4 / 7, 0, 3 / 7])


@pytest.mark.parametrize(
    ("top_p", "kept"), [(0.39, [1]), (0.41, [1, 3]), (0.71, [1, 2, 3]), (1, range(4))]
)
def test_top_p_keeps_the_fewest_that_reach_it(top_p, kept):
    """Would catch a nucleus without the token that reaches the share."""
    assert np.flatnonzero(Choice(top_p=top_p).weigh(P)).tolist() == list(kept)


def test_a_token_that_cannot_come_stays_impossible_at_any_temperature():
    p = np.array([0.5, 0.5, 0.0])
    assert Choice(temperature=5.0).weigh(p)[2] < 1e-30


def test_draws_come_as_often_as_is_likely():
    random = np.random.default_rng(1)
    draws = [Choice().draw(P, random) for _ in range(4_000)]
    assert np.bincount(draws) / 4_000 == pytest.approx(P, abs=0.03)


def test_each_token_is_fed_back():
    """Would catch a speaker that hears its prompt alone."""
    heard = []

    def counts_up(token):
        heard.append(token)
        return np.eye(10)[(token + 1) % 10]

    spoken = speak(counts_up, [3, 4], Choice(), np.random.default_rng(1))
    assert list(itertools.islice(spoken, 7)) == [5, 6, 7, 8, 9, 0, 1]
    assert heard == [3, 4, 5, 6, 7, 8, 9, 0]


# ---------------------------------------------------------------- side by side


def test_draws_of_many_come_as_often_as_is_likely():
    """Would catch noise that is added to the probabilities, not to their logarithms."""
    random = np.random.default_rng(1)
    draws = draw_each(np.tile(P, (4_000, 1)), random)
    assert np.bincount(draws) / 4_000 == pytest.approx(P, abs=0.03)
    assert (draw_each(np.tile(P, (9, 1)), random, temperature=0) == 1).all()


def test_each_text_hears_its_prompt_and_then_what_is_fed_back():
    """Would catch texts that hear each other."""
    heard = []

    def counts_up(tokens):
        heard.append(tokens.tolist())
        return np.eye(10)[(tokens + 1) % 10]

    random, prompts = np.random.default_rng(1), np.array([[1, 2], [4, 5]])
    spoken = speak_side_by_side(counts_up, prompts, 3, random)
    assert spoken.tolist() == [[3, 4, 5], [6, 7, 8]]
    assert heard == [[1, 4], [2, 5], [3, 6], [4, 7], [5, 8]]
    spoken = speak_side_by_side(counts_up, prompts, 3, random, feed=np.zeros_like)
    assert spoken.tolist() == [[3, 1, 1], [6, 1, 1]]
