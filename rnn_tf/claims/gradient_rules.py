"""Judge the claims on what gradients do on their way back, by a run's tables.

G1 to G3, G6, G12, G14, G15, G18 and Q9, by the tables of `studies/gradient_flow`. The
facts of single computations are judged in `fact_rules`. No TensorFlow.
"""

import lazy_loader
import numpy as np

from rnn_tf.claims.comparison import SEEDS
from rnn_tf.claims.rules import CELLS
from rnn_tf.claims.verdict import (
    CONFIRMED,
    NOT_MEASURED,
    REFUTED,
    Finding,
    by_share,
)
from rnn_tf.metrics import intervals
from rnn_tf.metrics.formatting import number
from rnn_tf.runs.finished import Finished

pd = lazy_loader.load("pandas")

FLAT = 1e-6  # a slope, or a distance of a singular value from 1, below is rounding
KEPT = -2.0  # log10: at least a hundredth of a gradient arrives
# log10: added to a gradient of the last step, less than this changes no digit of
# float32.
STOPPED = float(np.log10(np.finfo(np.float32).eps))
STRAIGHT = 0.95  # R^2 from which a line of logarithms is called exponential
RECALL = "truncated_recall"
TEXTS = "phase cell activation weights forget_bias".split()
ACTIVATIONS = {"tanh": "tanh", "relu": "ReLU", "linear": "linear"}


def _decay(run: Finished, **wanted):
    """Return the rows of gradient_decay.csv with some values; None without any."""
    table = run.table("gradient_decay")
    if table is None:
        return None
    table = table[table["seeds"] >= SEEDS]
    # Trained layers have no gain, and short sequences no long distances: empty cells.
    numbers = [name for name in table if name not in TEXTS]
    table = table.assign(
        **{name: pd.to_numeric(table[name], errors="coerce") for name in numbers}
    )
    for column, value in wanted.items():
        table = table[table[column] == value]
    return table if len(table) else None


def _plain(run: Finished, **wanted):
    """Return the rows of fresh SimpleRNNs."""
    return _decay(run, phase="fresh", cell="simple_rnn", **wanted)


def _name(row) -> str:
    """Name a setting for people: tanh, orthogonal x 1.5."""
    weights = row.weights.replace("_", "-")
    name = f"{ACTIVATIONS[row.activation]}, {weights} x {row.gain:g}"
    return name if row.input_scale == 1 else f"{name}, inputs x {row.input_scale:g}"


def power(log10: float) -> str:
    """Write a power of ten for people: 1e-16, 0.13 or 27."""
    if log10 <= -300:
        return "0"
    return number(10**log10) if -3 < log10 < 3 else f"1e{log10:+.0f}"


# ---------------------------------------------------------------- singular values


def large_values_explode(run: Finished) -> Finding | None:
    """G1: every kernel with a largest singular value above 1 makes gradients grow."""
    rows = _plain(run)
    if rows is None or not (rows["sigma_max"] > 1 + FLAT).any():
        return None
    large = rows[rows["sigma_max"] > 1 + FLAT]
    grows, falls = large["slope_low"] > FLAT, large["slope_high"] < -FLAT
    small = rows[rows["sigma_max"] <= 1 + FLAT]
    evidence = (
        f"of {len(large)} settings above 1, {grows.sum()} grow and {falls.sum()} "
        f"vanish{_examples(large[falls])}; of {len(small)} at or below 1, "
        f"{(small['slope_low'] > FLAT).sum()} grow"
    )
    if falls.any():
        return Finding(REFUTED, evidence)
    if grows.all():
        return Finding(CONFIRMED, evidence)
    return Finding(NOT_MEASURED, f"undecided: {evidence}")


def small_values_vanish(run: Finished) -> Finding | None:
    """G2: every kernel whose largest singular value is below 1 makes them shrink."""
    rows = _plain(run)
    if rows is None or not (rows["sigma_max"] < 1 - FLAT).any():
        return None
    small = rows[rows["sigma_max"] < 1 - FLAT]
    falls, holds = small["slope_high"] < -FLAT, small["slope_low"] >= -FLAT
    mixed = rows[(rows["sigma_min"] < 1 - FLAT) & (rows["slope_low"] > FLAT)]
    mixed = mixed[mixed["sigma_max"] > 1]
    evidence = (
        f"all values below 1: {falls.sum()} of {len(small)} settings vanish; "
        f"only some below 1: {len(mixed)} settings grow{_examples(mixed)}"
    )
    if holds.any():
        return Finding(REFUTED, evidence)
    if falls.all():
        return Finding(CONFIRMED, evidence)
    return Finding(NOT_MEASURED, f"undecided: {evidence}")


def _examples(rows, count: int = 2) -> str:
    """Tell what arrives of a gradient with the largest singular values."""
    rows = rows.sort_values("sigma_max", ascending=False).head(count)
    told = [
        f"{_name(row)} (values {number(row.sigma_min)} to {number(row.sigma_max)}): "
        f"{power(row.log10_100)} after 100 steps"
        for row in rows.itertuples()
    ]
    return f" ({'; '.join(told)})" if told else ""


def larger_values_vanish(run: Finished) -> Finding | None:
    """G3: the larger the singular values of a tanh layer, the less gradient arrives."""
    rows = _plain(run, activation="tanh", weights="orthogonal")
    if rows is None:
        return None
    holds, told = {}, []
    for scale, part in rows.groupby("input_scale"):
        part = part[part["gain"].isin([0.9, 1.1, 1.5])].sort_values("gain")
        lows, highs = (part[f"log10_100_{end}"].to_numpy() for end in ("low", "high"))
        if len(part) < 2:
            continue
        holds[f"inputs x {scale:g}"] = bool((highs[1:] < lows[:-1]).all())
        values = [f"{power(x)} at {g:g}" for g, x in part[["gain", "log10_100"]].values]
        told.append(f"inputs x {scale:g}: {', '.join(values)}")
    evidence = f"of a gradient arrive after 100 steps, {'; '.join(told)}"
    return by_share(holds, evidence) if holds else None


# ---------------------------------------------------------------- steps and layers


def decay_is_exponential(run: Finished) -> Finding | None:
    """G6: a gradient's logarithm is a line over time steps, and over layers."""
    rows = _decay(run, input_scale=1)
    if rows is None:
        return None
    rows, holds, told = _as_in_keras(rows[rows["phase"] != "trained"]), {}, []
    for row in rows.itertuples():
        name = f"time steps of {_cell(row)}" if row.phase == "fresh" else "layers"
        same_sign = row.slope_low * row.slope_high > 0
        holds[name] = bool(same_sign and row.r2 >= STRAIGHT)
        told.append(f"{name}: x {10**row.slope:.2f} each, R² {row.r2:.2f}")
    return by_share(holds, "; ".join(told)) if holds else None


def _as_in_keras(rows):
    """Leave out SimpleRNNs but the one that Keras has: tanh, orthogonal weights."""
    plain = (rows["cell"] == "simple_rnn") & (rows["phase"] != "stack")
    names = {"activation": "tanh", "weights": "orthogonal", "gain": 1, "input_scale": 1}
    usual = np.all([rows[name] == value for name, value in names.items()], axis=0)
    return rows[~plain | usual]


def _cell(row) -> str:
    """Name a cell for people: trained LSTM with forget bias 5."""
    name = CELLS[row.cell]
    if row.cell == "lstm" and row.forget_bias != "":
        name += f" with forget bias {float(row.forget_bias):g}"
    return name if row.phase == "fresh" else f"trained {name}"


# ---------------------------------------------------------------- remedies


def shorter_sequences_help(run: Finished) -> Finding | None:
    """G12: more of a gradient arrives over fewer steps, and nothing else is lost.

    What is before the steps that are read is lost if networks that read the last ones
    alone, with a state of zeros, are not proved to be nearer to all than to chance.
    """
    rows, recall = _decay(run, phase="fresh", input_scale=1), run.table(RECALL)
    if rows is None and recall is None:
        return None
    holds, told = {}, []
    for row in () if rows is None else _as_in_keras(rows).itertuples():
        name = f"the gradient of {_cell(row)}"
        holds[name] = row.log10_10_low > row.log10_200_high
        near, far = power(row.log10_10), power(row.log10_200)
        told.append(f"{name}: {near} over 10 steps, {far} over 200")
    if recall is not None:
        unread = recall["chunk"] <= recall["distance"]
        cut = recall[unread & recall["state"].eq("reset") & recall["task"].eq("first")]
        for cell, part in cut.groupby("cell", sort=False):
            accuracy, chance = part["accuracy"].to_numpy(), part["chance"].iloc[0]
            low, _ = intervals.t_interval(accuracy)
            holds[f"what {CELLS[cell]} does not read"] = bool(low > (1 + chance) / 2)
            told.append(
                f"{CELLS[cell]} that reads the last steps alone recalls "
                f"{100 * accuracy.mean():.0f} % (chance {100 * chance:.0f})"
            )
    return by_share(holds, "; ".join(told)) if holds else None


def identity_cures(run: Finished) -> Finding | None:
    """G14: a recurrent layer that begins as the identity keeps gradients."""
    rows = _plain(run, gain=1.0, input_scale=1.0)
    if rows is None:
        return None
    first = rows[rows["weights"] == "identity"]
    holds = {
        ACTIVATIONS[row.activation]: bool(row.log10_200_low >= KEPT)
        for row in first.itertuples()
        if row.activation != "linear"
    }
    told = [
        f"{ACTIVATIONS[row.activation]}, {row.weights} {power(row.log10_200)}"
        for row in rows[rows["weights"].isin(["identity", "orthogonal"])].itertuples()
        if row.activation != "linear"
    ]
    gated = _decay(run, phase="fresh", cell="lstm")
    for row in () if gated is None else gated.itertuples():
        told.append(f"{_cell(row)} {power(row.log10_200)}")
    return by_share(holds, f"of a gradient arrive after 200 steps: {'; '.join(told)}")


def relu_cures(run: Finished) -> Finding | None:
    """G15: with ReLU gradients arrive, whatever the recurrent weights."""
    rows = _plain(run, input_scale=1.0)
    if rows is None:
        return None
    rows = rows[rows["gain"].isin([0.5, 1.0, 1.5])]
    rows = rows[rows["weights"].isin(["identity", "orthogonal", "gaussian"])]
    holds, told = {}, []
    for (weights, gain), part in rows.groupby(["weights", "gain"], sort=False):
        part = {row.activation: row for row in part.itertuples()}
        if not {"relu", "tanh"} <= set(part):
            continue
        holds[f"{weights} x {gain:g}"] = bool(part["relu"].log10_100_low >= KEPT)
        values = (power(part[name].log10_100) for name in ("relu", "tanh"))
        told.append(f"{weights} x {gain:g} {' / '.join(values)}")
    text = f"of a gradient arrive after 100 steps, ReLU / tanh: {'; '.join(told)}"
    return by_share(holds, text)


def gates_solve_vanishing(run: Finished) -> Finding | None:
    """G18: gradients arrive through LSTM and GRU, before and after training."""
    rows = _decay(run)
    if rows is None:
        return None
    rows = rows[rows["cell"].isin(["lstm", "gru"])]
    holds, told = {}, []
    for row in rows.itertuples():
        holds[_cell(row)] = bool(row.log10_first_low >= KEPT)
        arrives = power(row.log10_first)
        told.append(f"{_cell(row)} {arrives} over {row.longest:.0f} steps")
    return by_share(holds, "; ".join(told)) if holds else None


def tanh_stops_gradients(run: Finished) -> Finding | None:
    """Q9: through tanh, less arrives after 100 steps than float32 would notice.

    The weights are orthogonal: without tanh, all of a gradient arrives.
    """
    rows = _plain(run, activation="tanh", weights="orthogonal", gain=1.0)
    if rows is None:
        return None
    rows = rows.sort_values("input_scale")
    holds = {
        f"inputs x {row.input_scale:g}": bool(row.log10_100_high < STOPPED)
        for row in rows.itertuples()
    }
    told = [
        f"{power(row.log10_100)} for inputs x {row.input_scale:g}, "
        f"{100 * row.saturated:.0f} % saturated"
        for row in rows.itertuples()
    ]
    return by_share(holds, f"of a gradient arrive after 100 steps: {'; '.join(told)}")
