"""Judge the claims on shapes, S1 to S7, by exact facts of the stacked experiment.

Its tables are `shapes.csv`, `lengths.csv` and `quiz.csv`. A rule takes a finished run
and returns a `Finding`, or None if the run has no rows for it.
"""

import re

from rnn_tf.claims.verdict import EQUAL, Finding, by_share
from rnn_tf.runs.finished import Finished


def _shapes(run: Finished, wrong: bool = False):
    """Return the rows of shapes.csv whose input has three axes, or the wrong ones."""
    table = run.table("shapes")
    if table is None:
        return None
    table = table.assign(
        builds=table["builds"].astype(str) == "True",
        pattern=[row.split() for row in table["return_sequences"]],
    )
    ranks = table["input"].str.count(",") + 1
    return table[(ranks != 3) == wrong]


def input_is_batch_time_features(run: Finished) -> Finding | None:
    """S1: a first layer builds on three axes, and on no other number of them."""
    right, wrong = _shapes(run), _shapes(run, wrong=True)
    if right is None:
        return None
    right = right[right["depth"] == 1]
    holds = {_layer(row): row.builds for row in right.itertuples()}
    holds |= {_layer(row): not row.builds for row in wrong.itertuples()}
    return by_share(
        holds,
        f"{right['builds'].sum()} of {len(right)} layers build on (batch, time, "
        f"features), {wrong['builds'].sum()} of {len(wrong)} on two or four axes",
    )


def _layer(row) -> str:
    """Name a row of shapes.csv: LSTM True False on (4, 10, 32)."""
    return f"{row.cell} {row.return_sequences} on {row.input}"


def output_begins_with_hidden_size(run: Finished) -> Finding | None:
    """S2: every output has the axes hidden size, batch, time."""
    table = _shapes(run)
    if table is None:
        return None
    table = table[table["builds"] & (table["depth"] == 1)]
    batch, time, _ = table["input"].iloc[0].strip("()").split(", ")
    holds = {
        _layer(row): row.outputs.endswith(f", {batch}, {time})")
        for row in table.itertuples()
    }
    heads = table.groupby("head", sort=False)["outputs"].unique()
    text = "; ".join(f"{head} {', '.join(shapes)}" for head, shapes in heads.items())
    return by_share(holds, f"of input {table['input'].iloc[0]}: {text}")


def _deep(run: Finished, last: str, others: str):
    """Return the rows of two and more layers with such return_sequences."""
    table = _shapes(run)
    if table is None:
        return None
    fits = [p[-1] == last and set(p[:-1]) == {others} for p in table["pattern"]]
    return table[fits]


def all_but_the_last_for_sequences(run: Finished) -> Finding | None:
    """S3: True, ..., True, False outputs a sequence, and learns a target per step."""
    table = _deep(run, "False", "True")
    if table is None or table.empty:
        return None
    holds, whole = _sequences(table), _sequences(_deep(run, "True", "True"))
    return by_share(
        holds,
        f"{sum(holds.values())} of {len(holds)} such stacks give a sequence and train "
        "on a target at every step; with True on all layers "
        f"{sum(whole.values())} of {len(whole)} do",
    )


def _sequences(table) -> dict[str, bool]:
    """Tell which stacks output a sequence and train on a target at every step."""
    return {
        _layer(row): row.head == "seq-to-seq" and str(row.trains_on_7) == "True"
        for row in table.itertuples()
    }


def none_for_vectors(run: Finished) -> Finding | None:
    """S4: False on all layers of a deep stack builds."""
    table = _deep(run, "False", "False")
    if table is None or table.empty:
        return None
    holds = {_layer(row): row.builds for row in table.itertuples()}
    errors = " ".join(table["error"])
    reason = re.search(r"expected ndim=\d+, found ndim=\d+", errors)
    evidence = f"{sum(holds.values())} of {len(holds)} such stacks build"
    return by_share(holds, evidence + (f" ({reason[0]})" if reason else ""))


def true_then_false(run: Finished) -> Finding | None:
    """S5: two layers, True then False, output (time, units) and then (units)."""
    table = _shapes(run)
    if table is None:
        return None
    table = table[table["return_sequences"] == "True False"]
    shapes = {row.cell: row.outputs.split(" -> ") for row in table.itertuples()}
    holds = {c: [s.count(",") + 1 for s in o] == [3, 2] for c, o in shapes.items()}
    text = ", ".join(f"{cell} {' to '.join(both)}" for cell, both in shapes.items())
    return by_share(holds, text)


def any_length(run: Finished) -> Finding | None:
    """S6: one recurrent model takes every length, with the same parameters."""
    table = run.table("lengths")
    if table is None:
        return None
    recurrent = table[~table["model"].str.startswith("mlp")]
    if recurrent.empty:
        return None
    first = recurrent["parameters"].iloc[0]
    holds = {
        f"{row.length} steps": str(row.runs) == "True" and row.parameters == first
        for row in recurrent.itertuples()
    }
    grown = table[table["model"] == "mlp_of_this_length"]["parameters"]
    lengths = recurrent["length"]
    return by_share(
        holds,
        f"{recurrent['model'].iloc[0]} runs with the same parameters on "
        f"{sum(holds.values())} of {len(holds)} lengths, "
        f"{lengths.min()} to {lengths.max()}: "
        f"{' or '.join(f'{n:,}' for n in recurrent['parameters'].unique())} parameters;"
        f" an MLP would have {grown.min():,} to {grown.max():,}",
    )


def quiz_model(run: Finished) -> Finding | None:
    """S7: the quiz's model has the shapes of the quiz and computes the formula."""
    table = run.table("quiz")
    if table is None:
        return None
    rows = table.set_index("part")
    sizes = {"embedding": 30, "rnn": 128, "decoder": 10}
    holds = {p: rows.loc[p, "output"].endswith(f", {n})") for p, n in sizes.items()}
    gap = float(rows.loc["model", "max_difference"])
    return by_share(
        holds | {"the formula": gap <= EQUAL},
        f"{int(rows.loc['model', 'parameters']):,} parameters in Keras "
        f"({int(rows.loc['model', 'pytorch_parameters']):,} as PyTorch counts); "
        f"largest difference to the formula {gap:.1e}",
    )
