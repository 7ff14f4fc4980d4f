"""Judge the claims that compare models, S8 to D2, by the tables of one run.

A rule takes a finished run and returns a `Finding`, or None if the run has no rows for
it. No rule knows what is right; `tests/test_rules.py` has each of them return every
verdict that it can.
"""

import itertools
import re
import statistics

from rnn_tf.claims.comparison import SEEDS, difference
from rnn_tf.claims.verdict import (
    CONFIRMED,
    DEPENDS,
    EQUAL,
    NOT_MEASURED,
    REFUTED,
    Finding,
    Rule,
    by_share,
    weigh,
    weigh_pairs,
)
from rnn_tf.metrics.formatting import number
from rnn_tf.runs.finished import Finished

CELLS = {"simple_rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}
GATED = "lstm", "gru"
# "Long" as in the paper of the adding problem: Hochreiter and Schmidhuber (1997),
# experiment 4, begins at 100 steps.
LONG = 100
# The course's and the textbook's networks for drawings read the padding too.
READ_PADDING = "answer", "textbook"

# ---------------------------------------------------------------- memory


def gates_remember(run: Finished) -> Finding | None:
    """S8: LSTM and GRU have smaller errors than a plain RNN on long sequences."""
    plain = [re.fullmatch(r"simple_rnn_(\d+)", model) for model in run.models]
    lengths = [int(match[1]) for match in plain if match]
    pairs = {
        f"{CELLS[cell]} at {n} steps": (f"{cell}_{n}", f"simple_rnn_{n}")
        for n in sorted(lengths)
        for cell in GATED
        if n >= LONG and run.has(f"{cell}_{n}")
    }
    return weigh_pairs(run, pairs)


# ---------------------------------------------------------------- forecasts


def mlp_is_a_good_choice(run: Finished) -> Finding | None:
    """F1: an MLP beats the best baseline, and no recurrent network beats the MLP."""
    networks = [name for name in CELLS if run.has(name)]
    if not run.has("mlp") or not networks or run.experiment != "forecast":
        return None
    baseline = run.info["best_baseline"]
    against = difference(run, "mlp", baseline)
    rivals = {name: difference(run, "mlp", name) for name in networks}
    gaps = "; ".join(f"{name} {gap}" for name, gap in rivals.items())
    evidence = f"MLP minus {baseline} {against}; minus {gaps}"
    beaten = any(gap.worse for gap in rivals.values())
    if against.better and not beaten:
        return Finding(CONFIRMED, evidence)
    if against.better:
        condition = f"better than {baseline}, worse than a recurrent network"
        return Finding(DEPENDS, evidence, condition)
    if beaten or against.worse:
        return Finding(REFUTED, evidence)
    return Finding(NOT_MEASURED, f"undecided: {evidence}")


def one_neuron_for_all_days(run: Finished) -> Finding | None:
    """F2: one output neuron, applied day by day, forecasts every day ahead well.

    A day holds if the iterated forecast is proved better there than the week before,
    and is not proved worse than the network with an output for each day.
    """
    if not run.has("iterated", "gru", "week_before"):
        return None
    days = run.slices("iterated")
    naive = {day: difference(run, "iterated", "week_before", day) for day in days}
    direct = {day: difference(run, "iterated", "gru", day) for day in days}
    holds = {f"day {day}": naive[day].better and not direct[day].worse for day in days}
    if any(gap.seeds < SEEDS for gap in direct.values()):
        return Finding(NOT_MEASURED, "too few seeds")
    gaps = "; ".join(f"day {day} {gap}" for day, gap in direct.items())
    return by_share(holds, f"iterated minus direct: {gaps}")


def loss_at_every_step(run: Finished) -> Finding | None:
    """F3: a loss at every step beats a loss at the last."""
    if run.has("seq2seq", "gru"):
        return weigh_pairs(run, {"GRU": ("seq2seq", "gru")})
    stacks = [m for m in run.models if m.endswith("_seq2seq")]
    pairs = {m: (m, m.replace("seq2seq", "seq2vec")) for m in stacks}
    pairs = {_stack(name): pair for name, pair in pairs.items() if run.has(*pair)}
    return weigh_pairs(run, pairs)


def _stack(name: str) -> str:
    """Name a stack for people: gru_2_seq2seq -> GRU x 2."""
    cell, depth, _ = name.rsplit("_", 2)
    return f"{CELLS.get(cell, cell)} x {depth}"


def conv_before_rnn(run: Finished) -> Finding | None:
    """F4: a convolution before the GRU lowers the error."""
    if not run.has("conv_gru", "gru"):
        return None
    return weigh_pairs(run, {"with minus without": ("conv_gru", "gru")})


# ---------------------------------------------------------------- drawings


def given_program_trains(run: Finished) -> Finding | None:
    """K1: the program trains as given; it depends if it does once its data exists."""
    table = run.table("as_given")
    if table is None:
        return None
    trains = table["trains"].astype(str) == "True"
    if not trains.any():
        return Finding(REFUTED, f"it does not train after {len(table) - 1} repairs")
    repairs = int(table[trains]["repairs"].min())
    broken = [row.split(":")[0] for row in table["error"] if row]
    evidence = f"it trains after {repairs} repairs ({', then '.join(broken)})"
    if run.has("answer"):
        errors = list(run.scores("answer").values())
        sd = f" ± {number(statistics.stdev(errors))}" if errors[1:] else ""
        evidence += f"; test error {number(statistics.mean(errors))}{sd} %"
    if repairs == 1:
        return Finding(DEPENDS, evidence, "once its data set is there")
    return Finding(REFUTED if repairs else CONFIRMED, evidence)


def strides_cut_cost(run: Finished) -> Finding | None:
    """K2: the larger the stride, the shorter a training step, beyond its quartiles."""
    table = run.table("cost")
    if table is None:
        return None
    table = table[table["model"].str.startswith("conv_lstm")].sort_values("stride")
    if table["stride"].nunique() < 2:
        return None
    steps = list(table.itertuples())
    pairs = itertools.pairwise(steps)
    holds = {f"stride {b.stride}": b.high < a.low for a, b in pairs}
    times = ", ".join(f"stride {s.stride} {s.milliseconds:.0f} ms" for s in steps)
    first, last = steps[0].model, steps[-1].model
    error = difference(run, last, first)
    return by_share(holds, f"{times}; error with the longest stride {error} points")


def conv_finds_local_patterns(run: Finished) -> Finding | None:
    """K3: convolutions and LSTMs beat LSTMs with as many parameters."""
    if not run.has("conv_lstm_stride_1", "lstm") or run.experiment != "sketch":
        return None
    pair = "conv_lstm_stride_1", "lstm"
    return weigh_pairs(run, {"with minus without, percentage points:": pair})


def masks_make_padding_harmless(run: Finished) -> Finding | None:
    """K4: padding changes no score of a network with a mask.

    It depends if padding changes no score without a mask either: then it is not the
    mask that helps.
    """
    table = run.table("padding")
    if table is None:
        return None
    gaps = table.groupby("model", sort=False)["max_difference"].max()
    plain = gaps.index.isin(READ_PADDING)
    masked, unmasked = gaps[~plain], gaps[plain]
    if masked.empty or unmasked.empty:
        return None
    holds = {model: gap <= EQUAL for model, gap in masked.items()}
    changes = ", ".join(f"{model} {gap:.1g}" for model, gap in gaps.items())
    evidence = f"largest change of a probability by padding: {changes}"
    if all(holds.values()) and not (unmasked > EQUAL).any():
        return Finding(DEPENDS, evidence, "it was harmless without a mask too")
    return by_share(holds, evidence)


# ---------------------------------------------------------------- videos


def classifies(models: tuple[str, ...]) -> Rule:
    """V1, V2: networks beat guessing and the best baseline."""

    def rule(run: Finished) -> Finding | None:
        if run.experiment != "video" or not run.has(*models, "majority"):
            return None
        best = run.info["best_baseline"]
        guess = {m: difference(run, m, "majority") for m in models}
        simple = {f"{m} minus {best}": difference(run, m, best) for m in models}
        finding = weigh(simple)
        if finding.verdict != CONFIRMED and all(d.better for d in guess.values()):
            gaps = "; ".join(f"{m} minus majority {d}" for m, d in guess.items())
            condition = f"better than guessing, not proved better than {best}"
            return Finding(DEPENDS, f"{gaps}; {finding.evidence}", condition)
        return finding

    return rule


def time_is_what_adds(run: Finished) -> Finding | None:
    """V3: CNN and LSTM beat the mean over the frames, and frames in random order."""
    rivals = {"cnn_mean": "the mean of frames", "cnn_lstm_shuffled": "shuffled frames"}
    if not run.has("cnn_lstm", *rivals):
        return None
    pairs = {f"minus {text}": ("cnn_lstm", name) for name, text in rivals.items()}
    return weigh_pairs(run, pairs)


def pretrained_features(run: Finished) -> Finding | None:
    """V4: features of ImageNet beat random ones, and training from end to end."""
    rivals = {"frozen_random": "random ones", "cnn_lstm": "training from end to end"}
    if not run.has("frozen_features", *rivals):
        return None
    pairs = {
        f"against {text}": ("frozen_features", name) for name, text in rivals.items()
    }
    return weigh_pairs(run, pairs)


# ---------------------------------------------------------------- devices


def same_weights(run: Finished) -> Finding | None:
    """D1: two replicas, and two workers, end with the weights of one device."""
    table = run.table("devices")
    if table is None:
        return None
    if table["seed"].nunique() < SEEDS:
        return Finding(NOT_MEASURED, "too few seeds")
    several = table[table["count"] > 1]
    gaps = several.groupby("setting", sort=False)["max_difference"].max()
    text = ", ".join(f"{setting} {gap:.1e}" for setting, gap in gaps.items())
    holds = {setting: gap <= EQUAL for setting, gap in gaps.items()}
    return by_share(holds, f"largest difference of a weight: {text}")


def one_device_updates(run: Finished) -> Finding | None:
    """D2: of the replicas' copies of weights and momenta, only one is updated."""
    table = run.table("devices")
    if table is None:
        return None
    several = table[table["count"] > 1].drop_duplicates("setting")
    counts = "; ".join(
        f"{row.setting}: {row.updated} of {row.copies} copies of weights and momenta, "
        f"on {len(row.devices.split())} devices"
        for row in several.itertuples()
    )
    holds = {row.setting: row.updated == 1 for row in several.itertuples()}
    return by_share(holds, f"updated in each step: {counts}")
