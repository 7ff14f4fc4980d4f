"""Judge the claims on truncated backpropagation through time, T1 to T6.

By the tables of `studies/truncated_bptt`. No TensorFlow.
"""

import lazy_loader
import numpy as np

from rnn_tf.claims.comparison import SEEDS
from rnn_tf.claims.gradient_rules import ACTIVATIONS
from rnn_tf.claims.rules import CELLS
from rnn_tf.claims.verdict import EQUAL, NOT_MEASURED, Finding, by_share
from rnn_tf.metrics import intervals
from rnn_tf.metrics.formatting import number
from rnn_tf.runs.finished import Finished

pd = lazy_loader.load("pandas")

LARGEST = float(np.finfo(np.float32).max)


def truncation_eases_exploding(run: Finished) -> Finding | None:
    """T1: gradients that are cut off are smaller, where weights are large.

    Of layers with a gain above 1, before training, paired by seed.
    """
    table = _seeded(run, "truncated_training")
    if table is None:
        return None
    table = table[table["gain"] > 1]
    # What has exploded beyond float32 is inf, or the nan that came of it.
    norms = pd.to_numeric(table["first_norm"], errors="coerce").fillna(LARGEST)
    table, holds, told = table.assign(first_norm=norms), {}, []
    for (activation, gain), part in table.groupby(["activation", "gain"], sort=False):
        name = f"{ACTIVATIONS[activation]} x {gain:g}"
        steps = part["steps"].iloc[0]
        norms = part.pivot(index="seed", columns="chunk", values="first_norm")
        norms = np.log10(norms.clip(upper=LARGEST))
        for chunk in norms.columns[norms.columns < steps]:
            _, high = intervals.t_interval(norms[chunk] - norms[steps])
            holds[f"{name}, k = {chunk}"] = bool(high < 0)
        lost = part.groupby("chunk")["diverged"].apply(_share)
        values = [
            f"norm {10 ** norms[k].mean():.2g} and {lost[k]:.0f} % diverged at k = {k}"
            for k in norms.columns
        ]
        told.append(f"{name}: {', '.join(values)}")
    return by_share(holds, "; ".join(told)) if holds else None


def _share(flags) -> float:
    """Return how many of a column's True and False are True, in percent."""
    return 100 * float((flags.astype(str) == "True").mean())


def truncation_reduces_computation(run: Finished) -> Finding | None:
    """T2: an update, and all updates of a sequence, take less time than the whole."""
    table = run.table("truncated_cost")
    if table is None:
        return None
    table = table[table["state"] == "carried"]
    holds, told = {}, []
    for cell, part in table.groupby("cell", sort=False):
        steps = part["steps"].iloc[0]
        whole = part[part["chunk"] == steps].iloc[0]
        cut = part[part["chunk"] < steps].sort_values("chunk")
        # The same of an update for every chunk, so that the condition stays short.
        update = (cut["update_high"] < whole["update_low"]).all()
        holds[f"an update of {CELLS[cell]}"] = bool(update)
        for row in cut.itertuples():
            faster = row.sequence_high < whole["sequence_low"]
            holds[f"{steps:,} steps of {CELLS[cell]} by {row.chunk}"] = bool(faster)
        told.append(f"{CELLS[cell]}, {steps:,} steps: {_times([*cut.itertuples()])}")
        told[-1] += f", {number(whole['sequence_ms'] / 1000)} s whole"
    return by_share(holds, "; ".join(told)) if holds else None


def _times(rows: list) -> str:
    """Tell the seconds of a sequence and milliseconds of an update, by chunk."""
    return ", ".join(
        f"{number(row.sequence_ms / 1000)} s by {row.chunk} "
        f"({number(row.update_ms)} ms an update)"
        for row in rows
    )


def truncation_needs_more_memory(run: Finished) -> Finding | None:
    """T3: the peak of memory is higher with chunks than with the whole sequence."""
    table = run.table("truncated_cost")
    if table is None:
        return None
    table = table.assign(peak=pd.to_numeric(table["peak_mb"], errors="coerce"))
    table = table.dropna(subset=["peak"])
    holds, told = {}, []
    for cell, part in table.groupby("cell", sort=False):
        peaks = part.set_index("chunk")["peak"].sort_index()
        steps = part["steps"].iloc[0]
        for chunk, peak in peaks[peaks.index < steps].items():
            holds[f"{CELLS[cell]} by {chunk}"] = bool(peak > peaks[steps])
        values = (f"{peak:.0f} by {chunk}" for chunk, peak in peaks.items())
        told.append(f"{CELLS[cell]} {', '.join(values)}")
    return by_share(holds, f"peak, MiB: {'; '.join(told)}") if holds else None


def long_dependencies_are_missed(run: Finished) -> Finding | None:
    """T4: over more steps than the gradient goes back, nothing is recalled.

    With the state carried on. Recalled is what is proved to be nearer to all than to
    chance; missed is what is proved not to be; the rest is left open.
    """
    table = _seeded(run, "truncated_recall")
    if table is None:
        return None
    table = table[(table["task"] == "first") & (table["state"] == "carried")]
    table = table[table["chunk"] <= table["distance"]]
    return _missed(table)


def short_dependencies_are_lost(run: Finished) -> Finding | None:
    """T5: dependencies shorter than a chunk are not learned either."""
    table = _seeded(run, "truncated_recall")
    if table is None:
        return None
    table = table[table["task"] == "stream"]
    whole = table[table["chunk"] == table["length"]].groupby("cell")["accuracy"].mean()
    finding = _missed(table[table["chunk"] < table["length"]])
    told = ", ".join(f"{CELLS[k]} {100 * v:.0f} %" for k, v in whole.items())
    if finding is None:
        return None
    return Finding(
        finding.verdict, f"{finding.evidence}; whole: {told}", finding.condition
    )


def _missed(table) -> Finding | None:
    """Judge whether what was to be recalled was missed, for each cell and chunk."""
    holds, told, open_ = {}, [], []
    for (cell, chunk), part in table.groupby(["cell", "chunk"], sort=False):
        name, values = f"{CELLS[cell]} with k = {chunk}", part["accuracy"].to_numpy()
        low, high = intervals.t_interval(values)
        half = (1 + part["chance"].iloc[0]) / 2
        told.append(f"{name} {100 * values.mean():.0f} % [{_percent(low, high)}]")
        if low > half or high < half:
            holds[name] = bool(high < half)
        else:
            open_.append(name)
    if not told:
        return None
    evidence = f"recalled, of {table['distance'].iloc[0]} steps before: "
    evidence += "; ".join(told)
    evidence += f"; open: {', '.join(open_)}" if open_ else ""
    if not holds:
        return Finding(NOT_MEASURED, f"undecided: {evidence}")
    return by_share(holds, evidence)


def _percent(low: float, high: float) -> str:
    """Write the ends of an interval of a share in percent."""
    return f"{100 * max(low, 0):.0f}, {100 * min(high, 1):.0f}"


def truncated_updates_are_perfect(run: Finished) -> Finding | None:
    """T6: cut off, a gradient has the direction of the whole one."""
    table = _seeded(run, "truncated_gradients")
    if table is None:
        return None
    table = table[table["chunk"] < table["steps"]]
    holds, told = {}, []
    for cell, part in table.groupby("cell", sort=False):
        cosines = part.groupby("chunk")["cosine"]
        for chunk, least in cosines.min().items():
            holds[f"{CELLS[cell]} with k = {chunk}"] = bool(least >= 1 - EQUAL)
        values = (f"{mean:.3g} at {chunk}" for chunk, mean in cosines.mean().items())
        told.append(f"{CELLS[cell]} {', '.join(values)}")
    return by_share(holds, f"cosine to the whole gradient: {'; '.join(told)}")


def _seeded(run: Finished, name: str):
    """Return a table with enough seeds, or None."""
    table = run.table(name)
    if table is None or table["seed"].nunique() < SEEDS:
        return None
    return table
