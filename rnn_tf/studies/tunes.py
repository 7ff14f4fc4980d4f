"""Make tunes: from a key, or note by note; and count the rules that they keep.

The course calls music vector-to-sequence, and sequence-to-vector:

    key_to_tune  a decoder begins with the key, a vector, and reads what it has played
    unheard      the key at every step, and a note from each: none is read
    next_note    all notes so far give one output, the next note; played again and
                 again from the tonic, that is a tune, too

All learn the same tunes (see `data.series.tunes`) and draw notes as they expect them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import lazy_loader
import numpy as np

from rnn_tf.data.series import tunes
from rnn_tf.data.series.tunes import END, KEYS, MOST, RULES
from rnn_tf.data.text import tokens
from rnn_tf.data.text.tokens import BEGIN, SPECIAL
from rnn_tf.models.sampling import draw_each
from rnn_tf.studies import restarts
from rnn_tf.studies.tune_models import NETWORKS, TOKENS, numbered, one_hot, train

keras = lazy_loader.load("keras")

COLUMNS = (
    "task model kind seed temperature n kept".split()
    + [*RULES, "new"]
    + ["different", "parameters"]
)

RATE = 4e-3
TEMPERATURES = 1.0, 0.5
FRESH = 1_000  # added to a seed for the tunes that are no part of training
# (keys; tokens so far from BEGIN on, (tunes, steps)) -> the probability of each next
# token, (tunes, TOKENS)
Player = Callable


@dataclass(frozen=True)
class Plan:
    """How much work there is."""

    tunes: int  # for training
    played: int
    updates: int  # of each network's weights
    networks: tuple[str, ...]


PLANS = {
    "quick": Plan(1_000, 240, 60, ("key_to_tune", "next_note")),
    "full": Plan(3_000, 480, 900, ("key_to_tune", "unheard", "next_note")),
}

# ---------------------------------------------------------------- players


def network_player(model, name: str) -> Player:
    """Make the player of a network."""
    from scipy.special import softmax

    def play(keys, so_far):
        step = so_far.shape[1] - 1
        if name == "next_note" and step == 0:  # it begins with the tonic
            return np.eye(TOKENS)[SPECIAL + keys]
        heard = np.pad(so_far, [(0, 0), (0, MOST - step)])
        if name == "next_note":
            return softmax(np.asarray(model.predict_on_batch(heard[:, 1:])), axis=-1)
        inputs = [one_hot(keys), heard] if name == "key_to_tune" else one_hot(keys)
        logits = np.asarray(model.predict_on_batch(inputs))
        return softmax(logits[:, step], axis=-1)

    return play


def ngram_player(order: int, keys: np.ndarray, notes: np.ndarray) -> Player:
    """Count what follows order - 1 notes in tunes of a key; 0 is all the same."""
    y = numbered(notes)
    before = [np.zeros_like(y[:, :1])] * (order - 2) + [np.full_like(y[:, :1], BEGIN)]
    heard = np.concatenate([*before[: max(order - 1, 0)], y], axis=1)
    counts = np.zeros((KEYS,) + (TOKENS,) * max(order, 1))
    if order:
        windows = np.lib.stride_tricks.sliding_window_view(heard, order, axis=1)
        own = np.repeat(keys, windows.shape[1])
        np.add.at(counts, (own, *windows.reshape(-1, order).T), 1)
    counts[..., :SPECIAL] *= np.arange(SPECIAL) == tokens.END

    def play(keys, so_far):
        wide = np.pad(so_far, [(0, 0), (max(order, 2), 0)])
        context = wide[:, wide.shape[1] - max(order - 1, 0) :]
        seen = counts[(keys, *context.T)]
        total = seen.sum(axis=-1, keepdims=True)
        even = np.ones(TOKENS)
        return np.where(total > 0, seen, even) / np.where(total > 0, total, TOKENS)

    return play


BASELINES = {"random": 0, "unigram": 1, "bigram": 2, "trigram": 3}  # name -> order


def choose(
    player: Player, keys: np.ndarray, so_far: np.ndarray, random, temperature: float
) -> np.ndarray:
    """Draw the next note of each tune, or `END`: (tunes,)."""
    chances = np.array(player(keys, so_far))
    chances[:, [tokens.PAD, tokens.UNKNOWN, BEGIN]] = 0
    drawn = draw_each(chances, random, temperature)
    return np.where(drawn == tokens.END, END, drawn - SPECIAL)


def play(
    player: Player, keys: np.ndarray, random, temperature: float = 1.0
) -> np.ndarray:
    """Play a tune of each key, note by note.

    Returns:
        (tunes, MOST + 1) notes, `END` behind the last; one that has no end by then
        goes on too long.
    """
    so_far, notes = np.full((len(keys), 1), BEGIN, "int32"), []
    ended = np.zeros(len(keys), bool)
    for _ in range(MOST + 1):
        drawn = choose(player, keys, so_far, random, temperature)
        ended |= drawn == END
        notes.append(np.where(ended, END, drawn))
        token = np.where(ended, tokens.PAD, drawn + SPECIAL).astype("int32")
        so_far = np.concatenate([so_far, token[:, None]], axis=1)
    return np.stack(notes, axis=1)


# ---------------------------------------------------------------- rows


def rows(seeds: int, size: str, show: Callable | None = None) -> Iterator[dict]:
    """Train networks on tunes, have each play, and count the rules that are kept.

    Args:
        seeds: of the tunes, weights, order and draws.
        size: quick or full.
        show: gets a model's name, keys, (tunes,), and the notes that it played,
            (tunes, MOST + 1), of each model's first seed.

    Yields:
        Rows of `tunes.csv`.
    """
    plan = PLANS[size]
    parts = [
        (tunes.tunes(plan.tunes, seed), tunes.tunes(plan.played, seed + FRESH))
        for seed in range(1, seeds + 1)
    ]
    players = _players(parts, plan, xla=size == "full")
    for row, player in players:
        known, test = parts[row["seed"] - 1]
        random = np.random.default_rng(row["seed"])
        for temperature in TEMPERATURES if row["kind"] == "network" else (1.0,):
            notes = play(player, test[0], random, temperature)
            if show and (row["seed"], temperature) == (1, 1.0):
                show(row["model"], test[0], notes)
            own = row | {"temperature": temperature}
            yield _row(own | {"task": "tune"} | scores(test[0], notes, known))
            if row["model"] != "unheard":
                kept = next_notes(player, *test, random, temperature)
                yield _row(own | {"task": "next"} | kept)
    for seed, (known, test) in enumerate(parts, start=1):
        own = {"model": "by_rules", "kind": "rules", "seed": seed, "task": "tune"}
        yield _row(own | scores(*test, known))


def _row(row: dict) -> dict:
    return {column: row.get(column, "") for column in COLUMNS}


def _players(parts: list[tuple], plan: Plan, xla: bool) -> Iterator[tuple]:
    """Yield what each row begins with and a player, which plays until the next one."""
    for seed, (own, _) in enumerate(parts, start=1):
        for name, order in BASELINES.items():
            row = {"model": name, "kind": "baseline", "seed": seed}
            yield row, ngram_player(order, *own)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for name in plan.networks:
        build = NETWORKS[name]
        model = build()
        blank = restarts.compiled(model, loss, RATE, xla=xla)
        player = network_player(model, name)
        row = {"model": name, "kind": "network", "parameters": model.count_params()}
        for seed, (own, _) in enumerate(parts, start=1):
            restarts.restart(model, build, blank, seed)
            train(model, name, *own, plan.updates)
            yield row | {"seed": seed}, player


def scores(keys: np.ndarray, notes: np.ndarray, known: tuple) -> dict:
    """Score tunes: % that keep each rule, and all; % of those that are new.

    Args:
        keys: (tunes,).
        notes: (tunes, steps).
        known: keys and notes of training.
    """
    by_rule = tunes.keeps(keys, notes)
    kept = tunes.keeps_all(keys, notes)
    learned = set(_names(*known))
    good = _names(keys[kept], notes[kept])
    shares = {rule: 100 * float(own.mean()) for rule, own in by_rule.items()}
    row = {"n": len(notes), "kept": 100 * float(kept.mean())} | shares
    if good:
        row["new"] = 100 * sum(name not in learned for name in good) / len(good)
    return row | {"different": len(set(_names(keys, notes)))}


def _names(keys: np.ndarray, notes: np.ndarray) -> list[tuple]:
    """Write each tune so that equal ones are equal, whatever is behind the end."""
    pairs = zip(keys.tolist(), notes.tolist(), strict=True)
    return [(key, *(n for n in own if n != END)) for key, own in pairs]


def next_notes(
    player: Player, keys: np.ndarray, notes: np.ndarray, random, temperature: float
) -> dict:
    """Have a player draw what comes after each note of tunes; score the rules kept."""
    so_far = np.pad(numbered(notes), [(0, 0), (1, 0)], constant_values=BEGIN)
    kept = []
    for step in range(1, MOST + 1):
        own = np.flatnonzero(so_far[:, step + 1] > 0)
        drawn = choose(player, keys[own], so_far[own, : step + 1], random, temperature)
        before = np.where(np.arange(MOST) < step, notes[own], END)
        kept.append(tunes.may_follow(keys[own], before, drawn))
    every = np.concatenate(kept)
    return {"n": len(every), "kept": 100 * float(every.mean())}
