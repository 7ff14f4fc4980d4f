"""Beam search: exact where the beam holds all, greedy where it holds one."""

import itertools

import keras
import numpy as np
import pytest

from rnn_tf.models import beam_search

TOKENS, END, LIMIT = 4, 1, 4
RANDOM = np.random.default_rng(3)
FIRST = RANDOM.normal(size=(3, TOKENS)).astype("float32") * 2  # a state for each row
TABLE = RANDOM.normal(size=(TOKENS, TOKENS)).astype("float32") * 2


def logits_of(state, token):
    """Score tokens by what came before, and by a state that changes every step."""
    return TABLE[token] + state


def after(state):
    return np.roll(state, 1, axis=-1) * 0.9


def step(last, states):
    (state,) = states
    table = keras.ops.convert_to_tensor(TABLE)
    logits = keras.ops.take(table, last[:, 0], axis=0) + state
    return logits[:, None], [keras.ops.roll(state, 1, axis=-1) * 0.9]


def search(beams: int, **options) -> list[np.ndarray]:
    options = {"begin": 0, "end": END, "limit": LIMIT, **options}
    states = [keras.ops.convert_to_tensor(FIRST)]
    return [
        keras.ops.convert_to_numpy(part)
        for part in beam_search.search(step, states, beams=beams, **options)
    ]


def log_softmax(x):
    return x - np.log(np.exp(x).sum())


def every_sequence(row: int) -> dict[tuple, float]:
    """Give the log-probability of every sequence, up to its end or the limit."""
    found = {}
    for tokens in itertools.product(range(TOKENS), repeat=LIMIT):
        state, last, total, kept = FIRST[row], 0, 0.0, []
        for token in tokens:
            total += log_softmax(logits_of(state, last))[token]
            state, last = after(state), token
            kept.append(token)
            if token == END:
                break
        found[tuple(kept)] = total
    return found


def cut(tokens: np.ndarray) -> tuple:
    kept = tokens.tolist()
    return tuple(kept[: kept.index(END) + 1] if END in kept else kept)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_beam_that_holds_all_sequences_is_exact(alpha):
    """Would catch states that are not sorted with their sequences."""
    tokens, values, logs, lengths, _ = search(TOKENS**LIMIT, alpha=alpha)
    for row in range(len(FIRST)):
        known = every_sequence(row)
        best = max(known, key=lambda s: known[s] / len(s) ** alpha)
        assert cut(tokens[row, 0]) == best
        assert lengths[row, 0] == len(best)
        assert logs[row, 0] == pytest.approx(known[best], abs=1e-4)
        assert values[row, 0] == pytest.approx(known[best] / len(best) ** alpha, 1e-4)


def test_every_score_is_that_of_its_sequence():
    tokens, _, logs, _, _ = search(3)
    for row, beam in itertools.product(range(len(FIRST)), range(3)):
        right = every_sequence(row)[cut(tokens[row, beam])]
        assert logs[row, beam] == pytest.approx(right, abs=1e-4)


def test_one_beam_is_greedy():
    tokens, *_ = search(1)
    for row in range(len(FIRST)):
        state, last, greedy = FIRST[row], 0, []
        while len(greedy) < LIMIT and END not in greedy:
            last = int(logits_of(state, last).argmax())
            state = after(state)
            greedy.append(last)
        assert cut(tokens[row, 0]) == tuple(greedy)


def test_where_the_search_is_exact_no_wider_beam_is_better():
    exact, wider = (search(n)[2][:, 0] for n in (TOKENS**LIMIT, 2 * TOKENS**LIMIT))
    assert exact == pytest.approx(wider, abs=1e-5)
    assert (exact >= search(2)[2][:, 0] - 1e-5).all()


@pytest.mark.parametrize("tokens", [3, 200, 1_001])
def test_the_largest_are_those_of_a_sort(tokens):
    """Would catch a group left out, padding that is taken, and a wrong offset."""
    x = RANDOM.permutation(7 * tokens).reshape(7, tokens).astype("float32") - 10_000
    places = keras.ops.convert_to_numpy(beam_search.largest(x, 3))
    assert (places == np.argsort(-x, axis=1)[:, :3]).all()


def test_the_search_ends_with_the_longest_sequence():
    """Would catch a loop that goes on to the limit, and one that stops too early."""
    _, _, _, lengths, steps = search(1, limit=50)
    assert lengths.max() < 50
    assert steps == lengths.max()
    assert search(1, limit=50, patient=True)[4] == 50


def test_what_goes_on_when_all_have_ended_changes_nothing():
    early, late = search(3, limit=30), search(3, limit=30, patient=True)
    for ours, right in zip(early[:4], late[:4], strict=True):
        assert ours == pytest.approx(right, abs=1e-5)


def test_without_an_end_all_sequences_are_as_long_as_may_be():
    _, _, _, lengths, steps = search(2, end=-1)
    assert (lengths == LIMIT).all()
    assert steps == LIMIT


def test_samples_are_drawn_by_their_probability():
    """Would catch noise that is added twice, or to all beams alike."""
    seeds = keras.random.SeedGenerator(1)
    noise = beam_search.gumbel(1.0, seeds)
    states = [keras.ops.convert_to_tensor(np.repeat(FIRST[:1], 4_000, axis=0))]
    tokens = beam_search.search(step, states, 0, END, 1, 1, noise=noise)[0]
    drawn = np.bincount(keras.ops.convert_to_numpy(tokens).ravel(), minlength=TOKENS)
    right = np.exp(log_softmax(logits_of(FIRST[0], 0)))
    assert drawn / 4_000 == pytest.approx(right, abs=0.03)
