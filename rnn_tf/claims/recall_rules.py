"""Judge what remedies do and how far cells recall, by the runs of `make gradients`.

Gains are paired over the seeds. A remedy helps if the interval leaves out 0. It does
not help if the interval leaves out even a gain of a tenth: of the error without it, or
of the runs that diverge. Anything else is undecided.
"""

import math
import re
from dataclasses import dataclass

import lazy_loader
import numpy as np

from rnn_tf.claims.comparison import SEEDS, Difference, difference
from rnn_tf.claims.verdict import (
    CONFIRMED,
    DEPENDS,
    NOT_MEASURED,
    REFUTED,
    Finding,
    by_share,
    for_names,
)
from rnn_tf.metrics import intervals
from rnn_tf.runs.finished import Finished

pd = lazy_loader.load("pandas")

SHARE = 0.1  # of an error, or of the runs: a smaller gain counts as none
SHORT = 10  # words of filler: the short dependencies that plain RNNs do well
RECALLED = 50.0  # % of errors, at most, where a cell counts as recalling
CELLS = {
    "simple_rnn": "SimpleRNN",
    "identity_rnn": "identity and ReLU",
    "lstm": "LSTM",
    "lstm_bias_5": "LSTM with forget bias 5",
    "gru": "GRU",
}

# ---------------------------------------------------------------- remedies


@dataclass(frozen=True)
class Gain:
    """What a remedy changes, lower is better, and the least that counts as a gain."""

    gap: Difference
    least: float

    @property
    def helps(self) -> bool | None:
        """Whether the remedy helps; None if that is undecided."""
        if self.gap.better:
            return True
        return False if self.gap.low > -self.least else None


def gain(run: Finished, column: str, model: str, control: str) -> Gain:
    """Subtract a column of remedies.csv of `control` from a model's, paired by seed.

    Args:
        run: with that table.
        column: "error", of the seeds that both could train, or "diverged", 1 or 0.
        model: with the remedy.
        control: without it.
    """
    first, second = (_by_seed(run, column, name) for name in (model, control))
    values = (first - second).dropna()
    value = float(values.mean()) if len(values) else math.nan
    low, high = -math.inf, math.inf
    if len(values) >= SEEDS:
        low, high = intervals.t_interval(values.to_numpy())
    least = SHARE * float(second.mean()) if column == "error" else SHARE
    return Gain(Difference(value, low, high, len(values)), least)


def _by_seed(run: Finished, column: str, model: str):
    """Return a column of a model's rows of remedies.csv: a Series by seed."""
    rows = run.table("remedies")
    rows = rows[rows["model"] == model].set_index("seed")
    return pd.to_numeric(rows[column], errors="coerce")


def judge(gains: dict[str, Gain]) -> Finding | None:
    """Judge the claim that each of several remedies helps; None without any."""
    if not gains:
        return None
    evidence = "; ".join(f"{name} {gain.gap}" for name, gain in gains.items())
    by_verdict = {True: [], False: [], None: []}
    for name, gain in gains.items():
        by_verdict[gain.helps].append(name)
    helps, useless, undecided = by_verdict.values()
    if len(helps) == len(gains):
        return Finding(CONFIRMED, evidence)
    if helps:
        parts = [f"proved {for_names(helps)}"]
        parts += [f"not {for_names(useless)}"] * bool(useless)
        parts += [f"undecided {for_names(undecided)}"] * bool(undecided)
        return Finding(DEPENDS, evidence, "; ".join(parts))
    if useless:
        return Finding(REFUTED, evidence)
    return Finding(NOT_MEASURED, f"undecided: {evidence}")


def tried(run: Finished, *models: str) -> bool:
    """Whether remedies.csv has rows of all the models."""
    table = run.table("remedies")
    return table is not None and set(models) <= set(table["model"])


def numbers(run: Finished, kind: str) -> list[float]:
    """List the gains, or the rates, that were tried without clipping, in order."""
    table = run.table("remedies")
    names = [] if table is None else table["model"].unique()
    matches = (re.fullmatch(rf"{kind}_([\d.e-]+)", name) for name in names)
    return sorted(float(match[1]) for match in matches if match)


def diverged(run: Finished, model: str) -> float:
    """Return the share of a model's runs that diverged."""
    return float(_by_seed(run, "diverged", model).mean())


def explosions_ruin_training(run: Finished) -> Finding | None:
    """G8: fewer runs diverge at gain 1 than at larger gains."""
    gains = [g for g in numbers(run, "gain") if g > 1]
    if not tried(run, "gain_1"):
        return None
    return judge(
        {
            f"diverged at gain 1 minus gain {g:g}": gain(
                run, "diverged", "gain_1", f"gain_{g:g}"
            )
            for g in gains
        }
    )


def clipping_handles_explosions(run: Finished) -> Finding | None:
    """G9: where runs diverge, fewer do with gradients clipped by norm or by value."""
    gains = [f"gain_{g:g}" for g in numbers(run, "gain")]
    pairs = {
        f"by {how} at {name.replace('_', ' ')}": (f"{name}_clip_{how}", name)
        for name in gains
        for how in ("norm", "value")
        if tried(run, f"{name}_clip_{how}") and diverged(run, name) > 0
    }
    if gains and not pairs:
        return Finding(NOT_MEASURED, "no run without clipping diverged")
    gaps = {name: gain(run, "diverged", *pair) for name, pair in pairs.items()}
    return _clipped("diverged", judge(gaps))


def clipping_helps_vanishing(run: Finished) -> Finding | None:
    """G11: where nothing explodes, clipping lowers the error of a plain RNN."""
    if not tried(run, "none", "clip_norm", "clip_value"):
        return None
    kinds = "norm", "value"
    gaps = {f"by {how}": gain(run, "error", f"clip_{how}", "none") for how in kinds}
    return _clipped("error", judge(gaps))


def _clipped(what: str, finding: Finding | None) -> Finding | None:
    """Say of what the evidence is: with gradients clipped, minus without."""
    if finding is None:
        return None
    evidence = f"{what}, clipped minus not: {finding.evidence}"
    return Finding(finding.verdict, evidence, finding.condition)


def batch_normalisation_helps(run: Finished) -> Finding | None:
    """G13: batch normalisation lowers the error, wherever it is put."""
    pairs = {
        "on the input": ("batch_input", "none"),
        "between layers": ("batch_between", "two_layers"),
        "inside the recurrence": ("batch_inside", "none"),
    }
    if not tried(run, *(name for pair in pairs.values() for name in pair)):
        return None
    finding = judge({name: gain(run, "error", *pair) for name, pair in pairs.items()})
    if not tried(run, "layer_inside"):
        return finding
    layer = gain(run, "error", "layer_inside", "none").gap
    evidence = f"{finding.evidence}; layer normalisation inside {layer}"
    return Finding(finding.verdict, evidence, finding.condition)


def initialisation_helps(run: Finished) -> Finding | None:
    """G16: weights that keep a norm help against vanishing, and against exploding."""
    gains = numbers(run, "gain")
    if not tried(run, "none", "orthogonal", "gain_1") or max(gains) <= 1:
        return None
    worst = f"gain_{max(gains):g}"
    return judge(
        {
            "vanishing: error, orthogonal minus random": gain(
                run, "error", "orthogonal", "none"
            ),
            f"exploding: diverged at gain 1 minus {max(gains):g}": gain(
                run, "diverged", "gain_1", worst
            ),
        }
    )


def rates_ease_explosions(run: Finished) -> Finding | None:
    """G17: fewer runs diverge at the highest rate than at each lower one."""
    rates = [f"rate_{rate:g}" for rate in numbers(run, "rate")]
    if len(rates) < 2:
        return None
    shares = {name: diverged(run, name) for name in rates}
    text = ", ".join(f"{n[5:]}: {100 * s:.0f} %" for n, s in shares.items())
    if not any(shares.values()):
        return Finding(NOT_MEASURED, f"no run diverged, at any rate ({text})")
    finding = judge(
        {
            f"the highest minus {rate[5:]}": gain(run, "diverged", rates[-1], rate)
            for rate in rates[:-1]
        }
    )
    return Finding(finding.verdict, f"diverged by rate: {text}; {finding.evidence}")


# ---------------------------------------------------------------- recall


def distances(run: Finished) -> dict[str, list[int]]:
    """List the distances over which each cell had to recall, in order."""
    cells = "|".join(CELLS)
    places = {}
    for model in run.models if run.experiment == "gradients" else []:
        if match := re.fullmatch(rf"({cells})_(\d+)", model):
            places.setdefault(match[1], []).append(int(match[2]))
    return {cell: sorted(known) for cell, known in places.items()}


def plain_rnns_do_short_ones_well(run: Finished) -> Finding | None:
    """G20: over short distances a plain RNN recalls, and is not worse than an LSTM."""
    known = distances(run).get("simple_rnn", [])
    pairs = {
        n: (f"simple_rnn_{n}", f"lstm_{n}")
        for n in known
        if n <= SHORT and run.has(f"lstm_{n}")
    }
    gaps = {n: difference(run, *pair) for n, pair in pairs.items()}
    if not gaps:
        return None
    if any(gap.seeds < SEEDS for gap in gaps.values()):
        return Finding(NOT_MEASURED, "too few seeds")
    holds = {
        f"{n} words": not gap.worse and _error(run, "simple_rnn", n) <= RECALLED
        for n, gap in gaps.items()
    }
    text = "; ".join(f"{n} words {gap}" for n, gap in gaps.items())
    return by_share(holds, f"error in %, SimpleRNN minus LSTM, by filler: {text}")


def _error(run: Finished, cell: str, distance: int) -> float:
    """Return the mean test error of a cell at a distance, in %."""
    return float(np.mean(list(run.scores(f"{cell}_{distance}").values())))


def far_back_is_hard_to_reach(run: Finished) -> Finding | None:
    """G21: a cell does not recall over the longest distance, but over a shorter one."""
    known = {c: n for c, n in distances(run).items() if len(n) > 1}
    if not known:
        return None
    if any(len(run.scores(f"{c}_{n[-1]}")) < SEEDS for c, n in known.items()):
        return Finding(NOT_MEASURED, "too few seeds")
    reach = {
        cell: [n for n in places if _error(run, cell, n) <= RECALLED]
        for cell, places in known.items()
    }
    holds = {CELLS[c]: bool(reach[c]) and known[c][-1] not in reach[c] for c in known}
    text = ", ".join(
        f"{CELLS[c]} up to {max(reach[c])}" if reach[c] else f"{CELLS[c]} nothing"
        for c in known
    )
    return by_share(holds, f"words of filler over which names are recalled: {text}")


def longer_filler_less_recalled(run: Finished) -> Finding | None:
    """L8: the error after the longest filler is above that after the shortest."""
    known = {c: n for c, n in distances(run).items() if len(n) > 1}
    gains = {}
    for cell, places in known.items():
        pair = f"{cell}_{places[0]}", f"{cell}_{places[-1]}"
        # The shortest is the favoured one; a gain of a point counts.
        gains[CELLS[cell]] = Gain(difference(run, *pair), 1.0)
    finding = judge(gains)
    if finding is None:
        return None
    evidence = f"error in %, shortest minus longest filler: {finding.evidence}"
    return Finding(finding.verdict, evidence, finding.condition)


def recall_follows_the_gradient(run: Finished) -> Finding | None:
    """L9: of the cells at one distance, those recall whose gradient reaches the name.

    It is measured before training. Distances at which all cells recall, or none, say
    nothing.
    """
    table, known = run.table("recall_gradients"), distances(run)
    if table is None or not known:
        return None
    fresh = table[table["phase"] == "fresh"]
    ratios = fresh.groupby(["cell", "distance"])["log10_ratio"].median()
    holds, texts = {}, []
    for n in sorted({n for places in known.values() for n in places}):
        cells = [c for c, places in known.items() if n in places and (c, n) in ratios]
        if any(len(run.scores(f"{c}_{n}")) < SEEDS for c in cells):
            return Finding(NOT_MEASURED, "too few seeds")
        by_recall = {True: {}, False: {}}
        for c in cells:
            by_recall[_error(run, c, n) <= RECALLED][c] = ratios[c, n]
        recalled, lost = by_recall.values()
        if recalled and lost:
            holds[f"{n} words"] = min(recalled.values()) > max(lost.values())
            texts.append(f"{n} words: {_list(recalled)} recalled, {_list(lost)} not")
    if not holds:
        return Finding(NOT_MEASURED, "at each distance all cells recall, or none")
    return by_share(holds, f"log10 of the gradient: {'; '.join(texts)}")


def _list(ratios: dict[str, float]) -> str:
    return ", ".join(f"{CELLS[c]} {ratio:.1f}" for c, ratio in ratios.items())
