"""The tables of the READMEs on lengths: loops over time, and batches with padding.

Each function takes the folder of a run and returns Markdown. No TensorFlow.
"""

from pathlib import Path

from rnn_tf.metrics.formatting import number
from rnn_tf.report.length_plots import KINDS
from rnn_tf.report.markdown import pipe_table
from rnn_tf.report.reference_tables import rows_of


def loops(folder: Path) -> str:
    """Make the table of loops: a line for each kind, at the most steps measured."""
    rows = [row for row in rows_of(folder, "graphs") if row["update_ms"]]
    steps = max(int(row["steps"]) for row in rows)
    cells = []
    for row in rows:
        if int(row["steps"]) == steps:
            first = float(row["build_seconds"]) + float(row["first_seconds"])
            low, high = (number(float(row[f"update_{k}"])) for k in ("low", "high"))
            update = f"{number(float(row['update_ms']))} ({low} to {high})"
            nodes = f"{int(row['nodes']):,}"
            cells.append([KINDS[row["kind"]], nodes, number(first), update])
    headings = [f"at {steps:,} steps", "nodes", "s to the first update", "ms an update"]
    return pipe_table(cells, headings, ["left", *["right"] * 3])


def batching(folder: Path) -> str:
    """Make the table of ways to batch: waste and real steps a second, by lengths."""
    rows = [row for row in rows_of(folder, "batching") if row["steps_per_second"]]
    names = list(dict.fromkeys(row["lengths"] for row in rows))
    known = {(row["way"], row["lengths"]): row for row in rows}
    cells = []
    for way in dict.fromkeys(row["way"] for row in rows):
        of_way = [known[way, name] for name in names]
        waste = [f"{float(row['waste']):.0f} %" for row in of_way]
        speeds = [f"{float(row['steps_per_second']):,.0f}" for row in of_way]
        cells.append([way, *waste, *speeds])
    headings = ["", *(f"{name}, waste" for name in names)]
    headings += [f"{name}, steps a second" for name in names]
    return pipe_table(cells, headings, ["left", *["right"] * (2 * len(names))])
