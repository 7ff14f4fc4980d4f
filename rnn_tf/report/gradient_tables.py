"""The tables of the READMEs on gradients: what remedies did, how far cells recall.

Each function takes the folder of a run and returns Markdown. No TensorFlow.
"""

from pathlib import Path

import numpy as np

from rnn_tf.claims import recall_rules
from rnn_tf.metrics import intervals
from rnn_tf.report.markdown import pipe_table
from rnn_tf.report.reference_tables import by_model, rows_of


def remedies(folder: Path, scale: float, digits: int) -> str:
    """Make the table of remedies: errors, gains over the network without, divergence.

    Args:
        folder: of the run, with remedies.csv.
        scale: of errors: 1000 for thousandths.
        digits: of errors, after the point.
    """
    by_variant: dict[str, list[dict]] = {}
    for row in rows_of(folder, "remedies"):
        by_variant.setdefault(row["model"], []).append(row)
    errors = {
        name: {row["seed"]: scale * float(row["error"]) for row in rows if row["error"]}
        for name, rows in by_variant.items()
    }
    cells = []
    for name, rows in by_variant.items():
        own, other = errors[name], errors.get(rows[0]["against"], {})
        gaps = [own[seed] - other[seed] for seed in own if seed in other]
        diverged = sum(int(row["diverged"]) for row in rows)
        cells.append([
            name,
            mean_and_sd(list(own.values()), digits),
            rows[0]["against"],
            difference(gaps, digits),
            f"{diverged} of {len(rows)}",
        ])  # fmt: skip
    headings = ["", "test error", "against", "difference, 95 % interval", "diverged"]
    return pipe_table(cells, headings, ["left", "right", "left", "right", "right"])


def mean_and_sd(values: list[float], digits: int) -> str:
    """Write a mean ± standard deviation over seeds; nothing of no seeds."""
    if not values:
        return ""
    sd = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{sd}"


def difference(gaps: list[float], digits: int) -> str:
    """Write a mean difference with its t interval, from two seeds on."""
    if len(gaps) < 2:
        return ""
    low, high = intervals.t_interval(np.array(gaps))
    mean, low, high = (f"{x:+.{digits}f}" for x in (np.mean(gaps), low, high))
    return f"{mean} [{low}, {high}]"


def recall(folder: Path) -> str:
    """Make the table of errors by cell and words of filler."""
    rows = by_model(folder)
    cells: dict[str, dict[int, str]] = {}
    for name, row in rows.items():
        cell, _, distance = name.rpartition("_")
        if cell in recall_rules.CELLS and distance.isdecimal():
            text = f"{row['mean']:.1f} ± {row['sd']:.1f}"
            cells.setdefault(cell, {})[int(distance)] = text
    distances = sorted({n for own in cells.values() for n in own})
    lines = [
        [text, *(cells[cell].get(n, "") for n in distances)]
        for cell, text in recall_rules.CELLS.items()
        if cell in cells
    ]
    headings = ["", *map(str, distances)]
    return pipe_table(lines, headings, ["left", *["right"] * len(distances)])
