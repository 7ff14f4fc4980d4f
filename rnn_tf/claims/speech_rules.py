"""Judge the claims on what language models say: L7, L14, L16 and L17."""

import lazy_loader
import numpy as np

from rnn_tf.claims.comparison import SEEDS, Difference, paired
from rnn_tf.claims.language_rules import NETWORKS, table
from rnn_tf.claims.recall_rules import Gain, judge
from rnn_tf.claims.verdict import NOT_MEASURED, Finding, by_share
from rnn_tf.runs.finished import Finished

pd = lazy_loader.load("pandas")

LEAST = 0.1  # bits of a token that count as a difference
WORSE = 0.1  # what the last tenth may cost more than the first, as a share

# ---------------------------------------------------------------- words again and again


def unigrams_repeat_themselves(run: Finished) -> Finding | None:
    """L7: a model of independent words says one word, again and again."""
    rows = table(run, "speech")
    if rows is None or "ngram_1" not in set(rows["model"]):
        return None
    own = rows[rows["model"] == "ngram_1"]
    counts = (own["distinct"] * own["tokens"]).round().astype(int)
    holds, parts = {}, []
    for temperature, how in ((0.0, "by the likeliest"), (1.0, "by draws")):
        distinct = counts[own["temperature"] == temperature]
        holds[how] = bool(len(distinct) and (distinct == 1).all())
        parts.append(f"{how} {distinct.mean():.0f} different tokens")
    length = int(own["tokens"].iloc[0])
    return by_share(holds, f"of {length} tokens: {', '.join(parts)}")


def softmax_always_says_the_same(run: Finished) -> Finding | None:
    """L14: what a network says does not change from one time to the next."""
    rows = table(run, "speech")
    if rows is None:
        return None
    holds, parts = {}, []
    for model, own in rows[rows["model"].isin([*NETWORKS])].groupby("model"):
        drawn = own[own["temperature"] == 1]["text"].nunique()
        likeliest = own[own["temperature"] == 0]["text"].nunique()
        holds[NETWORKS[model]] = drawn == 1
        parts.append(f"{NETWORKS[model]} {drawn} different by draws, {likeliest} by the"
                     " likeliest")  # fmt: skip
    return by_share(holds, f"texts of {_seeds(rows)} seeds: {'; '.join(parts)}")


def _seeds(rows) -> int:
    return rows["seed"].nunique()


# ---------------------------------------------------------------- one after another


def output_is_fed_back(run: Finished) -> Finding | None:
    """L16: a network has to hear what it said: fed with anything else, it talks worse.

    By what a token costs n-grams of the training text; least where it is fed with its
    own output.
    """
    rows = table(run, "fed")
    if rows is None:
        return None
    gains = {}
    for model, own in rows.groupby("model", sort=False):
        by_fed = {
            fed: part.set_index("seed")["bits"] for fed, part in own.groupby("fed")
        }
        for fed in [fed for fed in by_fed if fed != "own" and "own" in by_fed]:
            gap = paired(by_fed["own"], by_fed[fed])
            gains[f"{NETWORKS.get(model, model)} against {fed}"] = Gain(gap, LEAST)
    finding = judge(gains)
    if finding is None or not (rows["known"] != "").any():
        return finding
    known = pd.to_numeric(rows["known"], errors="coerce").groupby(rows["fed"]).mean()
    shares = ", ".join(f"{fed} {100 * share:.0f} %" for fed, share in known.items())
    evidence = f"bits of a token, {finding.evidence}; known words: {shares}"
    return Finding(finding.verdict, evidence, finding.condition)


def one_token_after_another(run: Finished) -> Finding | None:
    """L17: text comes token by token, from any prompt, for as long as one likes.

    A dense layer that writes all at once is worse; prompts of any length are taken; and
    the last tenth of a long text is about as good as the first.
    """
    rows, long = table(run, "at_once"), table(run, "long_speech")
    if rows is None or long is None:
        return None
    by_seed = rows.groupby(["model", "seed"])["bits"].mean()
    if not {"one_by_one", "at_once"} <= set(rows["model"]):
        return None
    gap = paired(by_seed["one_by_one"], by_seed["at_once"])
    lasting = {m: _later(own) for m, own in long.groupby("model", sort=False)}
    if min([gap.seeds, *(later.seeds for later, _ in lasting.values())]) < SEEDS:
        return Finding(NOT_MEASURED, "too few seeds")
    taken = rows[rows["tokens"] > 0]["prompt"]
    holds = {
        "one after another": gap.better,
        "any prompt": bool(taken.nunique() > 1 and len(taken) == len(rows)),
    }
    for model, (later, first) in lasting.items():
        name = f"for long by {NETWORKS.get(model, model)}"
        holds[name] = bool(later.high < WORSE * first)
    told = ", ".join(f"{NETWORKS.get(m, m)} {gap}" for m, (gap, _) in lasting.items())
    evidence = (
        f"bits of a token: one by one minus all at once {gap}, prompts of "
        f"{taken.min()} to {taken.max()} tokens; last tenth minus first: {told}"
    )
    return by_share(holds, f"{evidence}{_loops(run)}")


def _later(rows) -> tuple[Difference, float]:
    """Subtract what the first tenth costs from the last; and give the first's."""
    tenths = {
        tenth: own.set_index("seed")["bits"] for tenth, own in rows.groupby("tenth")
    }
    first, last = tenths[min(tenths)], tenths[max(tenths)]
    return paired(last, first), float(first.mean())


def _loops(run: Finished) -> str:
    """Say how often the likeliest token goes in circles; "" without rows."""
    rows = table(run, "loops")
    if rows is None or rows.empty:
        return ""
    periods = pd.to_numeric(rows["period"], errors="coerce").dropna()
    share = 100 * len(periods) / len(rows)
    length = f" of {int(np.median(periods))} tokens" if len(periods) else ""
    return f"; by the likeliest token {share:.0f} % end in a loop{length}"
