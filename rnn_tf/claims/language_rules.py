"""Judge claims on language models, by the tables of one run: what they see and cost.

As in `rules`, a rule takes a finished run and returns a `Finding`, or None without rows
for it; `tests/test_language_rules.py` has each return every verdict that it can. Those
on speech are in `speech_rules`, those on training in `little_language_rules`.
"""

import re

import numpy as np

from rnn_tf.claims.comparison import SEEDS, Difference, difference
from rnn_tf.claims.verdict import (
    CONFIRMED,
    DEPENDS,
    NOT_MEASURED,
    REFUTED,
    Finding,
    by_share,
    weigh,
    weigh_pairs,
)
from rnn_tf.metrics import intervals
from rnn_tf.metrics.formatting import number
from rnn_tf.runs.finished import Finished

NETWORKS = {"simple_rnn": "SimpleRNN", "gru": "GRU", "lstm": "LSTM"}
GUESS = 1 / 8  # of the classes of the artificial language's nouns
ABOVE_A_GUESS = 2.0  # times it: a verb's class is known, if by no means surely
UNCHANGED = 1e-12  # in n-grams a token out of reach changes nothing at all
CHANGED = 1e-6  # above what rounding does to a network's 32-bit numbers
ROUNDING = 1e-3  # between sums of 32-bit numbers, as a share
SPARSE = 0.01  # seen n-grams, of those that there could be

# ---------------------------------------------------------------- how far they see


def sees_a_fixed_number(run: Finished) -> Finding | None:
    """L1: an n-gram model sees so many tokens and no more, a recurrent network more.

    Tokens further back are changed: the n-gram's probabilities stay as they are.
    """
    rows = table(run, "reach")
    if rows is None:
        return None
    grams, networks = rows[rows["order"] != ""], rows[rows["model"].isin([*NETWORKS])]
    grams = grams.assign(order=grams["order"].astype(int))
    seen = grams[grams["changed"].astype(float) > UNCHANGED]
    reach = seen.groupby("order")["back"].max().to_dict()
    orders = sorted(set(grams["order"]))
    furthest = int(rows["back"].max())
    holds = {f"{n}-grams": reach.get(n, 0) <= n - 1 for n in orders if n - 1 < furthest}
    far = networks[networks["back"] == furthest]
    least = far.groupby("model")["changed"].min().astype(float)
    holds |= {NETWORKS[m]: bool(v > CHANGED) for m, v in least.items()}
    reaches = ", ".join(f"{n}-grams {reach.get(n, 0)}" for n in orders)
    changes = ", ".join(f"{NETWORKS[m]} {number(v)}" for m, v in least.items())
    evidence = f"tokens back that change anything: {reaches}"
    if changes:
        evidence += f"; change by the token {furthest} back: {changes}"
    return by_share(holds, evidence)


def no_distant_dependencies(run: Finished) -> Finding | None:
    """L2: n-grams do not know the class of a subject that is n or more tokens back.

    Proved if no n-gram is far above a guess there, and a recurrent network is.
    """
    rows = table(run, "agreement")
    if rows is None:
        return None
    rows = rows[rows["n"] >= 10]
    grams = rows[rows["order"] != ""]
    beyond = grams[grams["distance"] >= grams["order"].astype(int)]
    far = rows["distance"].max()
    networks = rows[(rows["order"] == "") & (rows["distance"] == far)]
    sure = {model: own["right"] for model, own in networks.groupby("model", sort=False)}
    if beyond.empty or not any(len(v) >= SEEDS for v in sure.values()):
        return Finding(NOT_MEASURED, "too few seeds, or no distances beyond n")
    lows = {m: intervals.t_interval(v)[0] for m, v in sure.items() if len(v) >= SEEDS}
    best = float(beyond["right"].max())
    means = {NETWORKS.get(m, m): number(v.mean()) for m, v in sure.items()}
    named = ", ".join(f"{m} {mean}" for m, mean in means.items())
    evidence = (
        f"probability of the right class: n-grams beyond n at most {number(best)}, a "
        f"guess has {number(GUESS)}; networks at {far} tokens: {named}"
    )
    threshold = ABOVE_A_GUESS * GUESS
    if best >= threshold:
        return Finding(REFUTED, evidence)
    if any(low > threshold for low in lows.values()):
        return Finding(CONFIRMED, evidence)
    return Finding(DEPENDS, evidence, "nor can the networks of this run")


# ---------------------------------------------------------------- how large they are


def tables_become_sparse(run: Finished) -> Finding | None:
    """L3: the more tokens an n-gram has, the emptier its table, the more are unseen."""
    rows = table(run, "ngrams")
    if rows is None:
        return None
    rows = rows[rows["tokens"] == rows["tokens"].max()].sort_values("order")
    shares = (rows["seen"] / rows["possible"]).to_numpy(float)
    unseen = rows["unseen_test"].to_numpy(float)
    last = rows.iloc[-1]
    holds = {
        "emptier with each token": bool((np.diff(shares) < 0).all()),
        "nearly empty": bool(shares[-1] < SPARSE),
        "more unseen with each token": bool((np.diff(unseen) >= 0).all()),
    }
    evidence = (
        f"{int(last['order'])}-grams: {int(last['seen']):,} seen of "
        f"{last['possible']:.2g}, never more than the text's {int(last['tokens']):,} "
        f"tokens; {100 * unseen[-1]:.0f} % of those in test are unseen"
    )
    return by_share(holds, evidence)


def size_hangs_not_on_length(run: Finished) -> Finding | None:
    """L4: a network is as large at any length; n-grams grow with n and the text."""
    grams, outputs = table(run, "ngrams"), table(run, "outputs")
    if grams is None or outputs is None:
        return None
    whole = grams[grams["tokens"] == grams["tokens"].max()].sort_values("order")
    longest = grams[grams["order"] == grams["order"].max()].sort_values("tokens")
    own = outputs[outputs["model"].isin([*NETWORKS])]
    same = (own["parameters"] == own["parameters_longer"]).all()
    holds = {
        "networks": bool(len(own) and same),
        "n-grams by n": bool((whole["parameters"].diff().dropna() > 0).all()),
        "n-grams by text": bool((longest["parameters"].diff().dropna() > 0).all()),
    }
    sizes = own.set_index("model")["parameters"].to_dict()
    sizes = ", ".join(f"{m} {p:,}" for m, p in sizes.items())
    evidence = (
        f"n-grams from {int(whole['parameters'].iloc[0]):,} to "
        f"{int(whole['parameters'].iloc[-1]):,} numbers by n, from "
        f"{int(longest['parameters'].iloc[0]):,} by text; at any length {sizes}"
    )
    return by_share(holds, evidence)


def embedding_lowers_the_dimension(run: Finished) -> Finding | None:
    """L21: an embedding is narrower than the vocabulary; the quiz's is 10 to 30."""
    rows = table(run, "outputs")
    if rows is None:
        return None
    pairs = dict.fromkeys(zip(rows["vocabulary"], rows["width"], strict=True))
    pairs |= {(10, 30): None}  # of the quiz
    holds = {f"{int(v)} to {int(w)}": bool(w < v) for v, w in pairs}
    gap = float(rows["embedding_gap"].max())
    evidence = (
        f"{', '.join(holds)}; the quiz has 10 to 30; an embedding equals a one-hot "
        f"vector times its matrix within {gap:.1g}"
    )
    return by_share(holds, evidence)


# ---------------------------------------------------------------- which is better


def little_data_suffices(run: Finished) -> Finding | None:
    """L5: with little text, n-grams have fewer bits than a GRU."""
    sizes = sorted(int(m[7:]) for m in run.models if re.fullmatch(r"gru_of_\d+", m))
    gaps = {
        f"{n:,} tokens": _negative(difference(run, f"gru_of_{n}", f"ngrams_of_{n}"))
        for n in sizes
        if run.has(f"ngrams_of_{n}")
    }
    return weigh(gaps) if gaps else None


def _negative(gap: Difference) -> Difference:
    """Turn a difference around."""
    return Difference(-gap.value, -gap.high, -gap.low, gap.seeds)


def networks_beat_ngrams(run: Finished) -> Finding | None:
    """L6: each recurrent network has fewer bits than the best n-grams on this test."""
    grams = [m for m in run.models if re.fullmatch(r"ngram_\d+", m)]
    if not grams:
        return None
    best = min(grams, key=lambda m: np.mean([*run.scores(m).values()]))
    pairs = {f"{NETWORKS[m]} minus {best}": (m, best) for m in NETWORKS if run.has(m)}
    return weigh_pairs(run, pairs)


def chunks_will_do(run: Finished) -> Finding | None:
    """T7: training in short chunks is no worse than in long ones, state carried or not.

    Proved on chunks of 8 tokens; it depends, if carrying the state is what does it.
    """
    if not run.has("gru", "gru_8", "gru_8_reset"):
        return None
    longer = difference(run, "gru_8", "gru")
    carried = difference(run, "gru_8", "gru_8_reset")
    evidence = f"chunks of 8: minus long ones {longer}; minus state reset {carried}"
    if longer.seeds < SEEDS:
        return Finding(NOT_MEASURED, f"too few seeds: {evidence}")
    if longer.worse and not carried.better:
        return Finding(REFUTED, evidence)
    if carried.better:
        condition = "if the state is carried from chunk to chunk"
        if longer.worse:
            condition += ", and then longer chunks are better still"
        return Finding(DEPENDS, evidence, condition)
    return Finding(CONFIRMED, evidence)


# ---------------------------------------------------------------- softmax and loss


def summed_cross_entropy(run: Finished) -> Finding | None:
    """L10: the loss is cross-entropy, summed over the steps; Keras takes the mean."""
    rows = table(run, "outputs")
    if rows is None:
        return None
    mean, summed = (rows[k].astype(float) for k in ("loss_mean", "loss_sum"))
    holds = {
        "cross-entropy": bool(
            (abs(mean * rows["count"] / summed - 1) < ROUNDING).all()
        ),
        "its sum over the steps": bool((abs(mean / summed - 1) < ROUNDING).all()),
    }
    first = rows.iloc[0]
    evidence = (
        f"{first['model']}: by hand {number(first['loss_sum'])} nats over "
        f"{first['count']} steps, Keras has {number(first['loss_mean'])}"
    )
    return by_share(holds, evidence)


def softmax_sums_to_one(run: Finished) -> Finding | None:
    """L12: softmax gives non-negative numbers that sum to 1, as many as it takes."""
    rows = table(run, "outputs")
    if rows is None:
        return None
    holds = {
        "not negative": bool((rows["smallest"].astype(float) >= 0).all()),
        "sum to 1": bool((rows["sum_gap"].astype(float) < ROUNDING).all()),
        "as many": bool((rows["logits"] == rows["probabilities"]).all()),
    }
    evidence = (
        f"smallest {rows['smallest'].min():.1g}, sums within "
        f"{rows['sum_gap'].max():.1g} of 1, {rows['logits'].iloc[0]} numbers in and out"
    )
    return by_share(holds, evidence)


# ---------------------------------------------------------------- tiny tasks


def learns_hello(run: Finished) -> Finding | None:
    """L15: an RNN learns all letters of "hello", which no bigram can."""
    rows = table(run, "hello")
    if rows is None:
        return None
    right = rows[rows["model"] == "rnn"]["right"].astype(int)
    letters, whole = int(rows["letters"].iloc[0]), 0
    whole = int((right == letters).sum())
    others = rows[rows["model"] != "rnn"].groupby("model")["right"].max()
    limits = ", ".join(f"{m} at most {int(n)}" for m, n in others.items())
    evidence = f"all {letters} letters with {whole} of {len(right)} seeds; {limits}"
    if len(right) < SEEDS:
        return Finding(NOT_MEASURED, f"too few seeds: {evidence}")
    if whole == len(right):
        return Finding(CONFIRMED, evidence)
    if whole:
        return Finding(DEPENDS, evidence, f"with {whole} of {len(right)} seeds")
    return Finding(REFUTED, evidence)


def feed_forward_cannot_tell(run: Finished) -> Finding | None:
    """L18: a network without a state cannot tell two meanings of a word apart."""
    rows = table(run, "bank")
    if rows is None:
        return None
    names = {"word": "word by word", "window": "with a window"}
    errors = {m: rows[rows["model"] == m]["error"].astype(float) for m in names}
    if min(map(len, errors.values())) < SEEDS:
        return Finding(NOT_MEASURED, "too few seeds")
    highs = {m: intervals.t_interval(v)[1] for m, v in errors.items()}
    holds = {names[m]: bool(high > 45) for m, high in highs.items()}  # a guess has 50
    rnn = rows[rows["model"] == "rnn"]["error"].astype(float).mean()
    means = ", ".join(f"{names[m]} {number(v.mean())} %" for m, v in errors.items())
    return by_share(holds, f"wrong: {means}, RNN {number(rnn)} %, a guess 50 %")


def table(run: Finished, name: str):
    """Return a table of a language run; None of another."""
    return run.table(name) if run.experiment == "language" else None
