"""Tunes: each rule by hand, what may follow, who plays, and what is counted."""

import numpy as np
import pytest

from rnn_tf.data.series import tunes
from rnn_tf.data.series.tunes import END
from rnn_tf.data.text import tokens
from rnn_tf.data.text.tokens import SPECIAL
from rnn_tf.studies import tune_models
from rnn_tf.studies import tunes as study

# Two bars in C: c d e d, c e d c. The leap from c to e goes back to d.
GOOD = [0, 2, 4, 2, 0, 4, 2, 0]
BROKEN = {
    "scale": [0, 2, 3, 2, 0, 4, 2, 0],
    "ends": [0, 2, 4, 2, 0, 4, 2, 4],
    "steps": [0, 2, 4, 2, 2, 4, 2, 0],
    "leaps": [0, 4, 2, 0, 4, 5, 2, 0],
    "bars": [0, 2, 4, 2, 4, 2, 0],
}


def padded(notes: list[int]) -> np.ndarray:
    return np.array([notes + [END] * (tunes.MOST - len(notes))])


@pytest.mark.parametrize("key", [0, 11])
def test_a_good_tune_keeps_all_rules_in_every_key(key):
    kept = tunes.keeps(np.array([key]), padded([n + key for n in GOOD]))
    assert {rule: bool(own[0]) for rule, own in kept.items()} == dict.fromkeys(
        tunes.RULES, True
    )
    high = [0, 2, 4, 5, 7, 9, 11, 12]
    assert tunes.keeps(np.array([key]), padded([n + key for n in high]))["ends"][0]


@pytest.mark.parametrize("rule", tunes.RULES)
def test_a_tune_that_breaks_a_rule_is_seen(rule):
    """Would catch a rule that all tunes keep."""
    kept = tunes.keeps(np.array([0]), padded(BROKEN[rule]))
    broken = {name for name, own in kept.items() if not own[0]}
    allowed = {
        "scale": {"scale", "ends", "steps", "leaps"},
        "leaps": {"leaps", "steps"},
    }
    assert rule in broken <= allowed.get(rule, {rule})


def test_a_tune_of_another_key_or_without_notes_keeps_few_rules():
    assert not tunes.keeps(np.array([1]), padded(GOOD))["scale"][0]
    kept = tunes.keeps(np.array([0]), padded([]))
    assert not any(own[0] for own in kept.values())
    long = np.array([GOOD + GOOD[:4] + GOOD[4:] + [2]])
    assert not tunes.keeps(np.array([0]), long)["bars"][0]


def test_tunes_are_made_by_the_rules_and_not_one_for_all():
    keys, notes = tunes.tunes(90, seed=1)
    assert all(own.all() for own in tunes.keeps(keys, notes).values())
    lengths = (notes != END).sum(axis=1)
    assert np.bincount(lengths)[[8, 12, 16]].tolist() == [30, 30, 30]
    assert len(np.unique(notes - keys[:, None], axis=0)) > 60
    assert set(keys) == set(range(12))
    assert (tunes.tunes(90, seed=1)[1] == notes).all()


@pytest.mark.parametrize(("before", "following", "may"), [
    ([0], 2, True),
    ([0], 4, True),
    ([0], 5, False),  # three steps
    ([0], 1, False),  # not of the scale
    ([0, 4], 2, True),
    ([0, 4], 5, False),  # a leap that goes on
    ([0, 4, 2], 0, True),
    (GOOD, END, True),
    (GOOD, 2, True),
    (GOOD[:7], END, False),  # in the middle of a bar
    (GOOD + GOOD[:7] + [0], 2, False),  # a fifth bar
    ([0, 2, 4, 2, 0, 2, 4, 0], END, False),  # ends with a leap
])  # fmt: skip
def test_what_may_follow(before, following, may):
    keys, nexts = np.array([0]), np.array([following])
    assert tunes.may_follow(keys, padded(before), nexts).tolist() == [may]


def test_every_note_of_a_tune_may_follow_those_before_it():
    keys, notes = tunes.tunes(60, seed=2)
    for step in range(1, tunes.MOST):
        before = np.where(np.arange(tunes.MOST) < step, notes, END)
        own = notes[:, step - 1] != END
        assert tunes.may_follow(keys, before, notes[:, step])[own].all()


# ---------------------------------------------------------------- players


def sure(token_of):
    """A player that always plays what a function of its step and key says."""

    def player(keys, so_far):
        step = so_far.shape[1] - 1
        return np.eye(study.TOKENS)[[token_of(step, key) for key in keys]]

    return player


def test_what_is_played_ends_with_the_end_and_no_later():
    """Would catch notes after the end, a key for another, and a tune cut short."""
    random = np.random.default_rng(1)

    def good(step, key):
        return tokens.END if step == len(GOOD) else SPECIAL + key + GOOD[step % 8]

    keys = np.array([0, 7])
    notes = study.play(sure(good), keys, random)
    assert notes[1, :8].tolist() == [n + 7 for n in GOOD]
    assert (notes[:, 8:] == END).all()
    endless = study.play(sure(lambda step, key: SPECIAL + step % 2), keys, random)
    assert endless.shape == (2, tunes.MOST + 1)
    assert (endless != END).all()
    assert not tunes.keeps(keys, endless)["bars"].any()


def test_special_tokens_are_never_played():
    even = np.zeros((50, study.TOKENS))
    even[:, [tokens.PAD, tokens.UNKNOWN, tokens.BEGIN, SPECIAL]] = 1
    keys = np.zeros(50, int)
    drawn = study.choose(
        lambda *_: even, keys, keys[:, None], np.random.default_rng(1), 1
    )
    assert set(drawn) == {0}


def test_ngrams_by_hand():
    """Would catch counts of all keys together, and a context in the wrong order."""
    keys, notes = np.array([0, 1]), np.concatenate([padded([0, 2, 0]), padded([1, 3])])
    begin = np.array([[tokens.BEGIN]])

    def chances(order, key, *heard):
        so_far = np.concatenate([begin, [[SPECIAL + n for n in heard]]], axis=1)
        p = study.ngram_player(order, keys, notes)(np.array([key]), so_far.astype(int))
        return {int(n) - SPECIAL: float(p[0, n]) for n in np.flatnonzero(p)}

    end = tokens.END - SPECIAL
    assert chances(1, 0) == {0: 0.5, 2: 0.25, end: 0.25}
    assert chances(2, 0) == {0: 1}
    assert chances(2, 1) == {1: 1}
    assert chances(2, 0, 0) == {2: 0.5, end: 0.5}
    assert chances(3, 0, 0) == {2: 1}
    assert chances(3, 0, 2, 0) == {end: 1}
    assert len(chances(0, 0)) == len(chances(3, 1, 9)) == study.TOKENS


def test_examples_of_the_next_note_are_all_beginnings():
    """Would catch a target that its input holds, and ends that are not learned."""
    keys, y = np.array([5]), study.numbered(padded([5, 7]))
    x, following, weights = tune_models.examples("next_note", keys, y)
    shown = [[n - SPECIAL for n in row if n] for row in x.tolist()]
    assert shown == [[5], [5, 7]]
    assert following.tolist() == [SPECIAL + 7, tokens.END]
    assert weights.tolist() == [1, 1]
    (vectors, so_far), y, weights = tune_models.examples("key_to_tune", keys, y)
    assert vectors.argmax() == 5
    assert so_far[0, :4].tolist() == [tokens.BEGIN, SPECIAL + 5, SPECIAL + 7, 1]
    assert weights[0].tolist() == [1] * 3 + [0] * 14


def test_scores_by_hand():
    keys = np.zeros(4, int)
    notes = np.concatenate([padded(GOOD), padded(GOOD), padded(BROKEN["bars"]),
                            padded([0, 2, 4, 5, 7, 9, 11, 12])])  # fmt: skip
    row = study.scores(keys, notes, (keys[:1], notes[:1]))
    assert (row["n"], row["kept"], row["bars"], row["ends"]) == (4, 75, 75, 100)
    assert row["new"] == pytest.approx(100 / 3)
    assert row["different"] == 3


def test_a_player_who_knows_what_follows_keeps_the_rules():
    keys, notes = tunes.tunes(30, seed=1)
    right = study.numbered(notes)

    def player(asked, so_far):
        step = so_far.shape[1] - 1
        known = right[(right[:, step] > 0) & (right[:, step - 1] != tokens.END)]
        assert len(known) == len(asked)
        return np.eye(study.TOKENS)[known[:, step]]

    row = study.next_notes(player, keys, notes, np.random.default_rng(1), 1.0)
    assert (row["kept"], row["n"]) == (100, int((right[:, 1:] > 0).sum()))


@pytest.mark.slow
def test_every_model_and_seed_has_its_rows(monkeypatch):
    plan = study.Plan(96, 12, 2, tuple(study.NETWORKS))
    monkeypatch.setitem(study.PLANS, "quick", plan)
    shown = {}
    rows = list(study.rows(2, "quick", lambda *given: shown.update({given[0]: given})))
    assert {tuple(row) for row in rows} == {tuple(study.COLUMNS)}
    names = {*study.BASELINES, *study.NETWORKS}
    assert set(shown) == names
    assert shown["unheard"][2].shape == (12, tunes.MOST + 1)
    counts = {(r["task"], r["model"]): 0 for r in rows}
    for row in rows:
        counts[row["task"], row["model"]] += 1
    assert counts["tune", "key_to_tune"] == 2 * len(study.TEMPERATURES)
    assert ("next", "unheard") not in counts
    (first, *_) = (row for row in rows if row["model"] == "by_rules")
    assert first["kept"] == 100


@pytest.mark.slow
@pytest.mark.parametrize("name", study.NETWORKS)
def test_a_network_hears_only_what_was_played(name):
    """Would catch one that reads the note it is asked for."""
    model = study.NETWORKS[name]()
    player = study.network_player(model, name)
    keys = np.array([0, 0])
    so_far = np.array([[tokens.BEGIN, SPECIAL, SPECIAL + 2]] * 2, "int32")
    p = player(keys, so_far)
    assert p.shape == (2, study.TOKENS)
    assert p.sum(axis=1) == pytest.approx([1, 1], abs=1e-5)
    other = so_far.copy()
    other[1, 2] = SPECIAL + 4
    changes = np.abs(np.diff(player(keys, other), axis=0)).max() > 1e-6
    assert changes == (name != "unheard")
