"""The tables of the READMEs on translations: by model, and by length of the source.

Each function takes the folder of a run and returns Markdown. No TensorFlow.
"""

from pathlib import Path

import numpy as np

from rnn_tf.report.gradient_tables import mean_and_sd
from rnn_tf.report.markdown import pipe_table
from rnn_tf.report.reference_tables import rows_of

METRICS = {
    "chrf_error": ("100 - chrF", 1),
    "bleu": ("BLEU", 1),
    "exact": ("exact, %", 1),
    "length_ratio": ("length ratio", 2),
}


def models(folder: Path) -> str:
    """Make a table of models and baselines by their scores on test, the best first."""
    scores = _scores(folder, list(METRICS))
    names = sorted(
        dict.fromkeys(name for name, _, _ in scores),
        key=lambda n: np.mean(scores[n, "chrf_error", ""]),
    )
    cells = [
        [
            name,
            *(
                mean_and_sd(scores[name, metric, ""], METRICS[metric][1])
                for metric in METRICS
            ),
        ]
        for name in names
    ]
    headings = ["model", *(heading for heading, _ in METRICS.values())]
    return pipe_table(cells, headings, ["left", *["right"] * len(METRICS)])


def by_length(folder: Path) -> str:
    """Make a table of exact matches of networks, a column for each length of source."""
    scores = _scores(folder, ["exact"])
    parts = sorted({part for _, _, part in scores if part}, key=_first)
    trained = (row["model"] for row in rows_of(folder, "trials"))
    cells = [
        [name, *(mean_and_sd(scores[name, "exact", part], 1) for part in parts)]
        for name in dict.fromkeys(trained)
    ]
    return pipe_table(cells, ["exact, %", *parts], ["left", *["right"] * len(parts)])


def _scores(folder: Path, metrics: list[str]) -> dict:
    """Read scores on test: model, metric and slice -> a value for each seed."""
    scores = {}
    for row in rows_of(folder, "metrics"):
        if row["split"] == "test" and row["metric"] in metrics:
            key = row["model"], row["metric"], row["slice"]
            scores.setdefault(key, []).append(float(row["value"]))
    return scores


def _first(part: str) -> int:
    """Return the least length of a slice like "3-12 tokens"."""
    return int(part.split("-")[0])
