"""Judge the claims on encoder-decoders and decoding, E1 to E10 and M3, by one run.

A rule takes a finished run and returns a `Finding`, or None if the run has no rows for
it; `tests/test_translation_rules.py` has each return every verdict that it can.
"""

import lazy_loader
import numpy as np

from rnn_tf.claims.comparison import SEEDS, Difference, difference
from rnn_tf.claims.verdict import NOT_MEASURED, Finding, by_cell, by_share, weigh
from rnn_tf.metrics import intervals
from rnn_tf.metrics.formatting import number
from rnn_tf.runs.finished import Finished

pd = lazy_loader.load("pandas")

PLAIN = {
    "plain": "an output per step",
    "plain_bidirectional": "the same, bidirectional",
    "plain_delayed": "outputs after the input",
}
NETWORKS = {
    "attention": "with attention",
    "encoder_decoder": "without attention",
}
# Columns of beams.csv, and what a higher number there means.
SOUGHT = ("log_probability", "likelier outputs"), ("bleu", "better outputs")
WEIGHED = ("length_ratio", "longer outputs"), ("bleu", "better outputs")
HALF = 50.0  # % of the test sentences, from which on a network can do it
SAME_LENGTHS = "copy", "doubled", "halved"  # no output needs an input that comes later
WHOLE = 100.0  # %


def _of(run: Finished, *models: str) -> bool:
    """Whether it is a run of the experiment that has scored all of the models."""
    return run.experiment == "translate" and run.has(*models)


def _source(run: Finished) -> str:
    return run.info["data"]["source"]


def _table(run: Finished, name: str):
    """Return a table of a run of the experiment; None of another."""
    return run.table(name) if run.experiment == "translate" else None


def _lengths_differ(run: Finished) -> bool:
    """Whether what is right has several lengths, as ISO dates have not."""
    return _source(run) != "dates"


def _gap(first, second) -> Difference:
    """Subtract one Series by seed from another; higher is better."""
    values = (first - second).dropna()
    value = float(values.mean()) if len(values) else float("nan")
    if len(values) < SEEDS:
        return Difference(value, -np.inf, np.inf, len(values), higher=True)
    low, high = intervals.t_interval(values.to_numpy(float))
    return Difference(value, low, high, len(values), higher=True)


# ---------------------------------------------------------------- networks


def encoder_decoders_translate_better(run: Finished) -> Finding | None:
    """E1: where outputs need later inputs, an encoder-decoder beats plain networks."""
    if not _of(run, "encoder_decoder") or _source(run) in SAME_LENGTHS:
        return None
    gaps = {
        f"against {text}": difference(run, "encoder_decoder", name)
        for name, text in PLAIN.items()
        if run.has(name)
    }
    return weigh(gaps) if gaps else None


def only_they_change_lengths(run: Finished) -> Finding | None:
    """E2: encoder-decoders give outputs of another length, and plain networks do not.

    A network gives them if half of its lengths are right.
    """
    if not _of(run, "encoder_decoder") or _source(run) not in ("doubled", "halved"):
        return None
    names = ["encoder_decoder", *(name for name in PLAIN if run.has(name))]
    scores = {name: run.scores(name, metric="right_length") for name in names}
    if min(map(len, scores.values())) < SEEDS:
        return Finding(NOT_MEASURED, "too few seeds")
    shares = {
        name: float(np.mean(list(each.values()))) for name, each in scores.items()
    }
    holds = {
        PLAIN.get(name, "an encoder-decoder"): (share >= HALF) != (name in PLAIN)
        for name, share in shares.items()
    }
    text = ", ".join(f"{name} {number(share)} %" for name, share in shares.items())
    return by_share(holds, f"{_source(run)}: right lengths of {text}")


def one_vector_holds_the_input(run: Finished) -> Finding | None:
    """E3: without attention, long inputs are kept as well as with it.

    By the share of exact matches, of the shortest and of the longest sources. A network
    that has none right can be worse, but no tie at this floor, 0 %, is evidence that it
    is as good: such sources are left out.
    """
    if not _of(run):
        return None
    models = [name for name in run.models if name.startswith("encoder_decoder")]
    rivals = {m: m.replace("encoder_decoder", "attention") for m in models}
    sized = {
        m: r for m, r in rivals.items() if m == "encoder_decoder" or m[-1:].isdigit()
    }
    holds, told = {}, []
    for model, rival in sized.items():
        parts = _by_length(run, model)
        if not run.has(rival) or len(parts) < 2:
            continue
        for part in (parts[0], parts[-1]):
            gap = difference(run, model, rival, part, metric="exact", higher=True)
            if gap.seeds < SEEDS:
                return Finding(NOT_MEASURED, "too few seeds")
            units = model.removeprefix("encoder_decoder").strip("_")
            cell = f"for {part}", f"with {units} units" * bool(units)
            told.append(f"{' '.join(cell).strip()} {gap}")
            if gap.worse or any(run.scores(model, part, "exact").values()):
                holds[cell] = not gap.worse
    text = f"exact matches in %, without attention minus with it: {'; '.join(told)}"
    if told and not holds:
        return Finding(NOT_MEASURED, f"no network has any right; {text}")
    return by_cell(holds, text) if told else None


def _by_length(run: Finished, model: str) -> list[str]:
    """List the slices by length of the source, the shortest first."""
    parts = run.slices(model, "exact")
    return sorted(parts, key=lambda part: int(part.split("-")[0]))


def distant_dependencies_are_easier(run: Finished) -> Finding | None:
    """E4: on the longest sources, two parts beat the same cell that answers later."""
    if not _of(run) or _source(run) not in ("reversal", "copy"):
        return None
    pairs = {
        "GRU": ("encoder_decoder", "plain_delayed"),
        "LSTM": ("encoder_decoder_lstm", "plain_delayed_lstm"),
    }
    gaps = {}
    for name, pair in pairs.items():
        parts = _by_length(run, pair[0]) if run.has(*pair) else []
        if parts:
            gap = difference(run, *pair, parts[-1], metric="exact", higher=True)
            gaps[f"{name} at {parts[-1]}"] = gap
    return weigh(gaps) if gaps else None


def a_stop_token_frees_lengths(run: Finished) -> Finding | None:
    """E6: with a stop token more translations have the right length."""
    pair = "encoder_decoder", "encoder_decoder_no_end"
    if not _of(run, *pair) or not _lengths_differ(run):
        return None
    gap = difference(run, *pair, metric="right_length", higher=True)
    return weigh({"right lengths in %, with minus without": gap})


def speech_is_many_to_one(run: Finished) -> Finding | None:
    """M3: one answer for a recording gets as many of its words right as a sequence."""
    table = _table(run, "tones")
    if table is None:
        return None
    rows = table[table["words"] == ""].set_index(["task", "model", "seed"])["exact"]
    holds, told = {}, []
    for task, text in (("one", "one word"), ("several", "several words")):
        gap = _gap(*(rows[task][model] for model in ("many_to_one", "seq_to_seq")))
        if gap.seeds < SEEDS:
            return Finding(NOT_MEASURED, "too few seeds")
        holds[f"recordings of {text}"] = not gap.worse
        right = rows[task].groupby("model").mean()
        parts = " and ".join(f"{number(right[m])} %" for m in right.index)
        told.append(f"{text}: {parts}, {gap}")
    text = "all words right by many-to-one and seq-to-seq, the first minus the second"
    return by_share(holds, f"{text}: {'; '.join(told)}")


# ---------------------------------------------------------------- decoding


def _network(model: str) -> str:
    """Say in words which network it is."""
    return NETWORKS.get(model, f"by {model}")


def _column(table, model: str, beams: int, alpha: float, column: str):
    """Return a column of beams.csv: a Series by seed."""
    rows = table[(table["model"] == model) & (table["beams"] == beams)]
    rows = rows[rows["alpha"].astype(float) == alpha].set_index("seed")
    return pd.to_numeric(rows[column])


def _fallible(table) -> list[str]:
    """List the networks of beams.csv whose greedy translations are not all right.

    Where all are, no other search can be better, and a tie says nothing.
    """
    greedy = table[table["beams"] == 1].groupby("model", sort=False)
    return [model for model, rows in greedy if (rows["exact"] < WHOLE).any()]


ALL_RIGHT = Finding(NOT_MEASURED, "greedy translations are all right")


def beams_find_better(run: Finished) -> Finding | None:
    """E7: with more beams, translations are likelier, and better."""
    table = _table(run, "beams")
    if table is None:
        return None
    holds, told = {}, []
    for model in _fallible(table):
        for beams in sorted(set(table["beams"]) - {1}):
            for column, text in SOUGHT:
                gap = _gap(*(_column(table, model, n, 0.0, column) for n in (beams, 1)))
                if gap.seeds < SEEDS:
                    return Finding(NOT_MEASURED, "too few seeds")
                cell = text, _network(model), f"by a beam of {beams}"
                holds[cell] = gap.better
                told.append(f"{' '.join(cell)} {gap}")
    text = f"against greedy, nats and BLEU: {'; '.join(told)}"
    return by_cell(holds, text) if told else ALL_RIGHT


def beams_allow_lengths(run: Finished) -> Finding | None:
    """E8: it takes a beam search for translations to have several lengths."""
    table = _table(run, "beams")
    if table is None or not _lengths_differ(run):
        return None
    greedy = table[table["beams"] == 1]
    most = greedy.groupby("model")["different_lengths"].max()
    text = ", ".join(f"{model} {count}" for model, count in most.items())
    holds = {model: int(count) == 1 for model, count in most.items()}
    return by_share(holds, f"different lengths of greedy translations: {text}")


def length_is_weighed(run: Finished) -> Finding | None:
    """E9: chosen by log-probability per token, translations are longer, and better."""
    table = _table(run, "beams")
    if table is None or not _lengths_differ(run):
        return None
    widest, holds, told = table["beams"].max(), {}, []
    for model in _fallible(table):
        for column, text in WEIGHED:
            pair = (_column(table, model, widest, a, column) for a in (1.0, 0.0))
            gap = _gap(*pair)
            if gap.seeds < SEEDS:
                return Finding(NOT_MEASURED, "too few seeds")
            holds[text, _network(model)] = gap.better
            told.append(f"{text} {_network(model)} {gap}")
    text = f"{widest} beams, with minus without normalisation by length"
    return by_cell(holds, f"{text}: {'; '.join(told)}") if told else ALL_RIGHT


def decoding_stops(run: Finished) -> Finding | None:
    """E10: decoding takes as many steps as the longest translation, and less time."""
    table = _table(run, "stopping")
    if table is None:
        return None
    holds, told = {}, []
    for model, rows in table.groupby("model", sort=False):
        rows = rows.set_index("seed")
        gap = _gap(1000 * rows["seconds_fixed"], 1000 * rows["seconds"])
        if gap.seeds < SEEDS:
            return Finding(NOT_MEASURED, "too few seeds")
        as_few = (rows["steps"] == rows["longest"]).all()
        holds["in as few steps", _network(model)] = bool(as_few)
        holds["in less time", _network(model)] = gap.better
        steps = ", ".join(f"{row.steps} of {row.limit}" for row in rows.itertuples())
        told.append(f"{_network(model)} {steps} steps, {gap} ms saved a batch")
    return by_cell(holds, "; ".join(told))
