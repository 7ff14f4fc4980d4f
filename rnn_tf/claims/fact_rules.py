"""Judge the claims on single facts of gradients and cells, by a run's tables.

G4, G5, G7, G10, G19, T9, Q5 and Q14, by the tables of `studies/gradient_facts`. No
TensorFlow.
"""

import numpy as np

from rnn_tf.claims.comparison import SEEDS
from rnn_tf.claims.gradient_rules import power
from rnn_tf.claims.rules import CELLS
from rnn_tf.claims.verdict import (
    CONFIRMED,
    DEPENDS,
    EQUAL,
    REFUTED,
    Finding,
    by_share,
)
from rnn_tf.metrics import intervals
from rnn_tf.metrics.formatting import number
from rnn_tf.runs.finished import Finished

READ = 0.1  # R^2 from which a linear readout knows something


def _facts(run: Finished, fact: str, least: int = SEEDS):
    """Return subject -> its values by seed; None without rows or with few seeds."""
    table = run.table("gradient_facts")
    if table is None:
        return None
    rows = table[table["fact"] == fact]
    groups = {k: part["value"].to_numpy(float) for k, part in rows.groupby("subject")}
    if not groups or min(map(len, groups.values())) < least:
        return None
    return groups


def softmax_causes_vanishing(run: Finished) -> Finding | None:
    """G4: under a softmax less of a gradient arrives than under a linear head."""
    gaps, declines = _facts(run, "head_gap"), _facts(run, "head_decline")
    if gaps is None or declines is None:
        return None
    difference = declines["softmax"] - declines["linear"]
    low, high = intervals.t_interval(difference)
    gap = max(values.max() for values in gaps.values())
    evidence = (
        f"d h_T / d h_0 differs by {gap:.1e} at most with either head; the loss's "
        f"gradient falls by {declines['softmax'].mean():.2f} decades with softmax, by "
        f"{declines['linear'].mean():.2f} without: difference "
        f"{number(difference.mean(), '+')} [{number(low, '+')}, {number(high, '+')}]"
    )
    if gap > 10 * EQUAL and high < 0:
        return Finding(CONFIRMED, evidence)
    if high < 0:
        condition = "no part of d h_T / d h_0; in the direction of the loss's gradient"
        return Finding(DEPENDS, evidence, condition)
    return Finding(REFUTED, evidence)


def large_rates_cause_vanishing(run: Finished) -> Finding | None:
    """G5: after training at a larger rate less of a gradient arrives."""
    table = run.table("learning_rates")
    if table is None or table["seed"].nunique() < SEEDS:
        return None
    table = table[table["learning_rate"] > 0]
    ratios = table.pivot(index="seed", columns="learning_rate", values="log10_ratio")
    saturated = table.groupby("learning_rate")["saturated"].median()
    first, *others = ratios.columns
    holds = {}
    for rate in others:
        _, high = intervals.median_interval(ratios[rate] - ratios[first])
        holds[f"rate {rate:g}"] = high < 0
    told = [
        f"{power(ratios[rate].median())} at rate {rate:g}, "
        f"{100 * saturated[rate]:.0f} % saturated"
        for rate in ratios.columns
    ]
    return by_share(holds, f"of a gradient arrive: {'; '.join(told)}")


def gradient_is_a_product(run: Finished) -> Finding | None:
    """G7: the product of kernel and slopes is the gradient of backpropagation."""
    gaps = _facts(run, "product_gap")
    if gaps is None:
        return None
    told = ", ".join(f"{name} {gap.max():.1e}" for name, gap in gaps.items())
    holds = {name: bool(gap.max() <= EQUAL) for name, gap in gaps.items()}
    return by_share(holds, f"largest difference, by activation: {told}")


def clipping_resets(run: Finished) -> Finding | None:
    """G10: what is clipped is not the gradient any more, but a small number."""
    cosines, norms = _facts(run, "clip_cosine"), _facts(run, "clip_norm")
    small = _facts(run, "clip_small")
    if cosines is None or norms is None or small is None:
        return None
    holds = {f"by {k}": bool((v < 1 - EQUAL).any()) for k, v in cosines.items()}
    told = [
        f"by {kind}: norm 50 becomes {number(norms[kind].mean())}, cosine to itself "
        f"{cosines[kind].min():.3g}"
        for kind in cosines
    ]
    change = max(values.max() for values in small.values())
    evidence = f"{'; '.join(told)}; a gradient of norm 0.1 changes by {change:.0e}"
    return by_share(holds, evidence)


def all_steps_update(run: Finished) -> Finding | None:
    """T9: the errors of all steps update the shared weights: their gradients add up."""
    gaps, least = _facts(run, "sum_gap"), _facts(run, "least_step")
    if gaps is None or least is None:
        return None
    holds = {
        CELLS[cell]: bool(gap.max() <= EQUAL and least[cell].min() > 0)
        for cell, gap in gaps.items()
    }
    told = "; ".join(
        f"{CELLS[cell]} {gap.max():.1e} (least share of a step {least[cell].min():.2g})"
        for cell, gap in gaps.items()
    )
    return by_share(holds, f"the steps' gradients, summed, miss the whole by {told}")


def lstm_replaces(run: Finished) -> Finding | None:
    """G19: LSTM takes softmax's place, trains faster, and needs no backpropagation."""
    sums, least = _facts(run, "output_sum"), _facts(run, "output_least")
    gradients = _facts(run, "kernel_gradient")
    ends = {end: _facts(run, f"step_ms{end}", 1) for end in ("", "_low", "_high")}
    if None in (sums, least, gradients, *ends.values()):
        return None
    simplex = np.abs(sums["lstm"] - 1).max() <= 1e-3 and least["lstm"].min() >= -EQUAL
    holds = {
        "in softmax's place": bool(simplex),
        "speed": bool(ends["_high"]["lstm"][0] < ends["_low"]["simple_rnn"][0]),
        "training without backpropagation": bool(gradients["lstm"].max() == 0),
    }
    times = ", ".join(
        f"{CELLS[cell]} {number(ms[0])} ms" for cell, ms in ends[""].items()
    )
    evidence = (
        f"outputs sum to {number(sums['lstm'].mean())}, the least is "
        f"{number(least['lstm'].min())}; a training step: {times}; the smallest "
        f"gradient of a weight has norm {number(gradients['lstm'].min())}"
    )
    return by_share(holds, evidence)


def state_holds_the_past(run: Finished) -> Finding | None:
    """Q5: past inputs can be read from the state, by a linear readout."""
    table = run.table("state_memory")
    if table is None or table["seed"].nunique() < SEEDS:
        return None
    holds, told = {}, []
    for cell, part in table[table["distance"] > 0].groupby("cell", sort=False):
        scores = {}
        for distance, rows in part.groupby("distance"):
            low, _ = intervals.t_interval(rows["r2"].to_numpy())
            holds[f"{CELLS[cell]} at {distance}"] = bool(low > READ)
            scores[distance] = f"{rows['r2'].mean():.2f} at {distance}"
        told.append(f"{CELLS[cell]} {', '.join(scores.values())}")
    return by_share(holds, f"R² of the input so many steps ago: {'; '.join(told)}")


def lstm_has_gates(run: Finished) -> Finding | None:
    """Q14: an LSTM computes what its gates' formulas say, with 4 (n (n + m) + n)."""
    gaps, counts = _facts(run, "lstm_gap"), _facts(run, "lstm_parameters")
    if gaps is None or counts is None:
        return None
    gap = max(values.max() for values in gaps.values())
    off = max(np.abs(values).max() for values in counts.values())
    holds = {"the formulas": bool(gap <= EQUAL), "the parameters": bool(off == 0)}
    evidence = (
        f"formulas differ from Keras by {gap:.1e} at most; parameters differ from "
        f"4 (n (n + m) + n) by {off:.0f}, for {', '.join(gaps)}"
    )
    return by_share(holds, evidence)
