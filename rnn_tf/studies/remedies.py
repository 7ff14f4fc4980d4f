"""What each remedy did: whether training diverged, and what error is left."""

import math
from collections.abc import Container

from rnn_tf.models.remedies import REMEDIES

COLUMNS = (
    "model against steps seed diverged final_loss always_loss error epochs seconds"
).split()
DIVERGED = 1.5  # times the loss of always answering the same: a loss above that


def rows(
    tables: dict, names: Container[str], metric: str, always: float, steps: int
) -> list[dict]:
    """Say of each remedy and seed whether training diverged, and what error is left.

    It diverged if the loss was not finite, or ended above `DIVERGED` times that of
    always answering the same, both on validation. Fits that failed have no error.

    Args:
        tables: DataFrames of a run, by name.
        names: of the models that remedies are tried on.
        metric: the error of the rows, on the test set.
        always: the validation loss of always answering the same.
        steps: of the sequences that are read.

    Returns:
        Rows of `COLUMNS`.
    """
    metrics, trials = tables["metrics"], tables["trials"]
    errors = metrics[(metrics["split"] == "test") & (metrics["metric"] == metric)]
    errors = errors.set_index(["model", "seed"])["value"].to_dict()
    by_fit = tables["history"].groupby(["model", "seed"])["validation_loss"]
    losses = by_fit.last().to_dict()
    rows = []
    for fit in trials[trials["phase"] == "final"].to_dict("records"):
        if fit["model"] not in names:
            continue
        key = fit["model"], fit["seed"]
        failed, loss = fit["status"] == "failed", losses.get(key, math.nan)
        row = {
            "model": fit["model"],
            "against": against(fit["model"]),
            "steps": steps,
            "seed": fit["seed"],
            "diverged": int(failed or not loss <= DIVERGED * always),
            "final_loss": loss if math.isfinite(loss) else "",
            "always_loss": always,
            "error": "" if failed else errors[key],
            "epochs": fit["epochs"],
            "seconds": fit["seconds"],
        }
        rows.append(row)
    return rows


def against(model: str) -> str:
    """Name the network that differs from `model` in what is tried alone."""
    if model == "batch_between":
        return "two_layers"
    if model in REMEDIES:
        return "" if model == "none" else "none"
    if model.startswith("gain_"):
        unclipped = model.partition("_clip")[0]
        other = unclipped if unclipped != model else "gain_1"
        return "" if other == model else other
    return ""  # the rates
