"""Judge the claims on padding, loops and lengths, P1 to P11, Q10 and K4, by one run.

A rule takes a finished run and returns a `Finding`, or None if the run has no rows for
it; `tests/test_length_rules.py` has each return every verdict that it can. Times are
compared by their quartiles: what is quicker has its upper one below the other's lower.
"""

import lazy_loader
import numpy as np

from rnn_tf.claims import rules
from rnn_tf.claims.comparison import difference
from rnn_tf.claims.rules import CELLS
from rnn_tf.claims.verdict import (
    DEPENDS,
    EQUAL,
    NOT_MEASURED,
    Finding,
    by_share,
    for_names,
)
from rnn_tf.metrics.formatting import number
from rnn_tf.runs.finished import Finished

pd = lazy_loader.load("pandas")

TEXTS = "kind rows function way side direction part lengths model work error".split()
ALIKE = 5.0  # points of error, within which two are alike
HALF = 0.5  # of the memory that rows of full length take
DYNAMIC, STATIC = "dynamic_rnn", "static_rnn"
STATES, OUTPUTS = "state mask", "output mask"


def _table(run: Finished, name: str):
    """Return a table of a run of lengths, with numbers as such; None of another."""
    table = run.table(name) if run.experiment == "lengths" else None
    if table is None or table.empty:
        return None
    numbers = [column for column in table if column not in TEXTS]
    return table.assign(**{n: pd.to_numeric(table[n]) for n in numbers})


def _by_steps(run: Finished, *kinds: str):
    """Return each kind's rows of graphs.csv by steps, where all were measured."""
    table = _table(run, "graphs")
    if table is None:
        return None
    parts = [table[table["kind"] == kind].set_index("steps") for kind in kinds]
    known = set.intersection(*(set(part.index) for part in parts))
    steps = sorted(n for n in known if not any(p.loc[n, "error"] for p in parts))
    return [part.loc[steps] for part in parts] if len(steps) > 1 else None


# ---------------------------------------------------------------- loops


def dynamic_builds_at_run_time(run: Finished) -> Finding | None:
    """P1: dynamic_rnn's graph grows as it runs, and with the steps, as one unrolled."""
    loops = _by_steps(run, "dynamic", "static")
    if loops is None:
        return None
    dynamic, static = loops
    holds = {
        "a graph at run time": bool((dynamic["nodes_after"] > dynamic["nodes"]).any()),
        "unrolling": bool(dynamic["nodes"].iloc[-1] > dynamic["nodes"].iloc[0]),
    }
    first, last = dynamic.index[[0, -1]]
    evidence = (
        f"dynamic_rnn has {_range(dynamic['nodes'])} nodes at {first} to {last} steps, "
        f"{_range(dynamic['nodes_after'])} after calls of other lengths; static_rnn "
        f"{_range(static['nodes'])}"
    )
    return by_share(holds, evidence)


def _range(values) -> str:
    """Write whole numbers as one, or from the least to the most."""
    low, high = int(min(values)), int(max(values))
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def dynamic_runs_steps_at_once(run: Finished) -> Finding | None:
    """P4: with 32 parallel iterations dynamic_rnn is quicker than with one."""
    loops = _by_steps(run, "dynamic", "dynamic_1")
    if loops is None:
        return None
    parallel, single = loops
    quicker = parallel["update_high"] < single["update_low"]
    holds = {f"{steps} steps": bool(value) for steps, value in quicker.items()}
    each = (
        f"{number(parallel.loc[n, 'update_ms'])} and "
        f"{number(single.loc[n, 'update_ms'])} ms at {n} steps"
        for n in parallel.index
    )
    return by_share(
        holds, f"an update with up to 32 steps at once, and with one: {'; '.join(each)}"
    )


def dynamic_is_faster(run: Finished) -> Finding | None:
    """P5: dynamic_rnn is quicker than static_rnn, to begin with and in each update."""
    loops = _by_steps(run, "dynamic", "static")
    if loops is None:
        return None
    dynamic, static = loops
    starts = [loop["build_seconds"] + loop["first_seconds"] for loop in loops]
    times = [loop["update_ms"] for loop in loops]
    quicker = dynamic["update_high"] < static["update_low"]
    first = starts[0] < starts[1]
    holds = {f"the first update at {n}": bool(v) for n, v in first.items()}
    holds |= {f"later updates at {n}": bool(v) for n, v in quicker.items()}
    each = (
        f"{number(times[0][n])} and {number(times[1][n])} ms at {n} steps "
        f"({number(starts[0][n])} and {number(starts[1][n])} s to the first)"
        for n in dynamic.index
    )
    return by_share(
        holds, f"an update of dynamic_rnn and static_rnn: {'; '.join(each)}"
    )


def only_real_lengths_take_memory(run: Finished) -> Finding | None:
    """P3: short rows take dynamic_rnn less than half of what as many long ones do."""
    table = _table(run, "memory")
    if table is None or table["megabytes"].isna().any():
        return None
    shares = {}
    for kind, own in table.groupby("kind", sort=False):
        used = own.set_index("rows")["megabytes"]
        shares[kind] = used / used["all long"]
    if "dynamic" not in shares:
        return None
    names = {
        "all short": "rows that are all short",
        "one long": "one long row among short ones",
    }
    holds = {text: bool(shares["dynamic"][row] < HALF) for row, text in names.items()}
    told = (
        f"{kind}_rnn {' and '.join(f'{100 * share[row]:.0f} %' for row in names)}"
        for kind, share in shares.items()
    )
    steps = int(table["steps"].iloc[0])
    evidence = (
        f"of the memory of rows of {steps} steps, rows of {steps // 10} take, and the "
        f"same with one of {steps}: {', '.join(told)}"
    )
    return by_share(holds, evidence)


# ---------------------------------------------------------------- equality


def _named(run: Finished, function: str):
    """Return the rows of equality.csv on a function of TensorFlow 1, by part."""
    rows = _gaps(run, function=function)
    if rows is None or "part" not in rows or rows["part"].eq("").any():
        return None  # it could not be built
    return rows.set_index("part")


def _gaps(run: Finished, **wanted: str):
    """Return the rows of equality.csv with these values; None without any."""
    table = _table(run, "equality")
    if table is None:
        return None
    for column, value in wanted.items():
        table = table[table[column] == value]
    return None if table.empty else table


def static_needs_equal_lengths(run: Finished) -> Finding | None:
    """P2: static_rnn fails on rows of several lengths, and on other lengths of all."""
    parts = _named(run, STATIC)
    if parts is None:
        return None
    gap, error = parts.loc["last", "gap"], parts.loc["another length", "error"]
    holds = {"rows of one batch": bool(gap > EQUAL), "batches": bool(error)}
    evidence = (
        f"rows of several lengths in a batch differ from each alone by {gap:.1e}; "
        f"another number of steps: {error or 'it runs'}"
    )
    return by_share(holds, evidence)


def rows_end_at_their_step(run: Finished) -> Finding | None:
    """P6: with sequence_length rows equal rows alone, and outputs after them are 0."""
    parts, static = _named(run, DYNAMIC), _named(run, STATIC)
    if parts is None:
        return None
    names = {
        "outputs": "outputs",
        "last": "last states",
        "after the end": "zeros after the end",
    }
    gaps = parts["gap"]
    holds = {text: bool(gaps[part] <= EQUAL) for part, text in names.items()}
    told = f"largest gaps {', '.join(f'{t} {gaps[p]:.1e}' for p, t in names.items())}"
    if static is not None:
        told += f"; of static_rnn, which takes it too, {static['gap'].max():.1e}"
    return by_share(holds, told)


def lengths_may_change(run: Finished) -> Finding | None:
    """P7: one graph takes any length, and a stream in chunks equals the whole."""
    parts, loops = _named(run, DYNAMIC), _by_steps(run, "dynamic")
    if parts is None or loops is None:
        return None
    rows = _gaps(run)
    chunks = rows[rows["way"].str.endswith("carried")]
    another = parts.loc["another length", "gap"]
    grows = (loops[0]["nodes_after"] != loops[0]["nodes"]).any()
    holds = {
        "another length": bool(another <= EQUAL),
        "one graph": not grows,
        "streams in chunks": bool((chunks["gap"] <= EQUAL).all()),
    }
    evidence = (
        f"dynamic_rnn on another length differs from the formula by {another:.1e}, its "
        f"graph {'grows' * bool(grows) or 'stays'}; chunks with the state carried on "
        f"differ from the whole by {chunks['gap'].max():.1e} at most"
    )
    return by_share(holds, evidence)


def masking_outputs_suffices(run: Finished) -> Finding | None:
    """P10: with outputs masked alone, rows of a padded batch equal each row alone."""
    rows = _gaps(run, way=OUTPUTS)
    if rows is None:
        return None
    holds, told = {}, []
    for keys, own in rows.groupby(["part", "side", "direction"], sort=False):
        name, gap = _case(*keys), own["gap"].max()
        holds[name] = bool(gap <= EQUAL)
        told.append(f"{name} {gap:.1g}")
    states = _gaps(run, way=STATES)
    evidence = f"largest gap with outputs masked: {'; '.join(told)}"
    if states is not None:
        evidence += f"; with a mask of the state {states['gap'].max():.1g} in all"
    finding = by_share(holds, evidence)
    if finding.verdict != DEPENDS:
        return finding
    good = for_names([name for name, fits in holds.items() if fits])
    return Finding(DEPENDS, evidence, f"only {good}")  # the shorter list


def _case(part: str, side: str, direction: str) -> str:
    """Name a case for people: the last state, padding behind, both directions."""
    parts = {"outputs": "outputs at each step", "last": "the last state"}
    sides = {"post": "padding behind", "pre": "padding in front"}
    both = " in both directions" * (direction == "both")
    return f"{parts[part]} with {sides[side]}{both}"


def masks_make_padding_harmless(run: Finished) -> Finding | None:
    """K4: with a mask padding changes nothing: of drawings, or of any padded rows."""
    rows = _gaps(run, way=STATES)
    if rows is None:
        return rules.masks_make_padding_harmless(run)
    gaps = rows.groupby("function", sort=False)["gap"].max()
    holds = {cell: bool(gap <= EQUAL) for cell, gap in gaps.items()}
    told = ", ".join(f"{cell} {gap:.1g}" for cell, gap in gaps.items())
    unmasked = _gaps(run, way="no mask")
    without = "" if unmasked is None else f", without {unmasked['gap'].max():.1g}"
    evidence = f"padded rows differ from each alone, with a mask, by {told}{without}"
    return by_share(holds, evidence)


# ---------------------------------------------------------------- padding, batches


def either_end_alike(run: Finished) -> Finding | None:
    """P8: padding in front or behind leaves about the same error."""
    if run.experiment != "lengths":
        return None
    holds, told = {}, []
    for cell, name in CELLS.items():
        for mask in ("", "_mask"):
            pair = f"{cell}_post{mask}", f"{cell}_pre{mask}"
            if not run.has(*pair):
                continue
            gap, text = difference(run, *pair), f"{name}{' with a mask' * bool(mask)}"
            told.append(f"{text} {gap}")
            alike = gap.low >= -ALIKE and gap.high <= ALIKE
            if alike or gap.better or gap.worse:  # else nothing is proved
                holds[text] = alike
    if not told:
        return None
    evidence = f"error behind minus in front, in points: {'; '.join(told)}"
    return by_share(holds, evidence) if holds else Finding(NOT_MEASURED, evidence)


def padding_lets_batches_run_at_once(run: Finished) -> Finding | None:
    """P11: padded batches train on more real steps a second than single rows."""
    table = _table(run, "batching")
    if table is None:
        return None
    holds, told = {}, []
    for name, own in table.groupby("lengths", sort=False):
        ways = own.set_index("way")
        padded, single = ways.loc["longest of all"], ways.loc["one by one"]
        holds[name] = bool(padded["low"] > single["high"])
        speeds = (
            f"{way} {row['steps_per_second']:,.0f} ({row['waste']:.0f} % waste)"
            for way, row in ways.iterrows()
            if np.isfinite(row["steps_per_second"])
        )
        told.append(f"{name}: {', '.join(speeds)}")
    return by_share(holds, f"real steps a second, {'; '.join(told)}")


def recurrence_is_slow(run: Finished) -> Finding | None:
    """Q10: an RNN's training step takes longer than those of others as large."""
    table = _table(run, "step_costs")
    if table is None:
        return None
    table = table[(table["work"] == "training") & (table["cores"] == 1)]
    table = table[table["milliseconds"].notna()]
    holds, told = {}, []
    for steps, own in table.groupby("steps"):
        rows = own.set_index("model")
        if len(rows) < 2 or "rnn" not in rows.index:
            continue
        others = rows.drop(index="rnn")
        holds[f"{steps} steps"] = bool(rows.loc["rnn", "low"] > others["high"].max())
        times = ", ".join(f"{m} {number(v)}" for m, v in rows["milliseconds"].items())
        told.append(f"{steps} steps: {times}")
    return by_share(holds, f"ms of a training step on a core, {'; '.join(told)}")
