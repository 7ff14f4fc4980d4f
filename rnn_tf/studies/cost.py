"""Measure what models cost and what padding does to them, as rows of tables."""

import time

import lazy_loader
import numpy as np
from rich.table import Table

from rnn_tf.metrics.formatting import plain_table

keras = lazy_loader.load("keras")

PADDING = "model steps n max_difference changed error".split()
COST = "model stride parameters milliseconds low high rounds".split()
WAITING = "model steps step_seconds waiting_seconds share".split()
TIME_TO_SCORE = "model seed score epoch seconds speedup".split()


# ---------------------------------------------------------------- padding


def padding_rows(models: dict, inputs: dict[int, np.ndarray], labels) -> list[dict]:
    """Measure the effect of padding; return the rows of `padding.csv`.

    Args:
        models: name -> a classifier, (batch, steps, features) -> (batch, classes).
        inputs: steps -> the examples padded to so many; the first is the reference.
        labels: (batch,), the right classes.

    Returns:
        One row per model and length: the largest difference of a probability to the
        reference, and in percent the guesses that changed and those that are wrong.
    """
    rows = []
    for name, model in models.items():
        outputs = {steps: model.predict(x, verbose=0) for steps, x in inputs.items()}
        first = next(iter(outputs.values()))
        for steps, scores in outputs.items():
            guesses = scores.argmax(axis=1)
            changed = (guesses != first.argmax(axis=1)).mean()
            rows.append(
                {
                    "model": name,
                    "steps": steps,
                    "n": len(labels),
                    "max_difference": float(np.abs(scores - first).max()),
                    "changed": 100.0 * float(changed),
                    "error": 100.0 * float((guesses != labels).mean()),
                }
            )
    return rows


# ---------------------------------------------------------------- cost


def cost_rows(models: dict, inputs, labels, rounds: int = 8) -> list[dict]:
    """Time a training step on the same batch; return the rows of `cost.csv`.

    The models take turns, so that what else the machine does slows all of them down.

    Args:
        models: name -> an uncompiled classifier; it is trained.
        inputs: (batch, steps, features).
        labels: (batch,), the right classes.
        rounds: steps of each model that are timed, after two that are not.

    Returns:
        One row per model: median, and quartiles as low and high. `stride` is how many
        steps of the input make one step of the recurrent layers.
    """
    for model in models.values():
        model.compile("adam", "sparse_categorical_crossentropy")
    seconds = {name: [] for name in models}
    for _ in range(rounds + 2):
        for name, model in models.items():
            started = time.perf_counter()
            model.train_on_batch(inputs, labels)
            seconds[name].append(time.perf_counter() - started)
    rows = []
    for name, model in models.items():
        low, median, high = np.quantile(seconds[name][2:], [0.25, 0.5, 0.75]) * 1000
        rows.append(
            {
                "model": name,
                "stride": _stride(model),
                "rounds": rounds,
                "parameters": model.count_params(),
                "milliseconds": float(median),
                "low": float(low),
                "high": float(high),
            }
        )
    return rows


def _stride(model) -> int:
    """Multiply the strides of a model's convolutions."""
    convolutions = [x for x in model.layers if isinstance(x, keras.layers.Conv1D)]
    return int(np.prod([layer.strides[0] for layer in convolutions], initial=1))


# ---------------------------------------------------------------- waiting


def quickest(trials) -> str:
    """Find the model whose epochs are the shortest, in the final runs.

    Args:
        trials: DataFrame of the rows of trials.csv.
    """
    finals = trials.query("phase == 'final' and status == 'completed'")
    epoch = finals["seconds"] / finals["epochs"]
    return epoch.groupby(finals["model"]).mean().idxmin()


def waiting(model, dataset, steps: int = 40) -> dict:
    """Measure how long a training step takes and how long it waits for its batch.

    Measured by hand, step by step, after the first few; `fit` hides it.

    Args:
        model: an uncompiled classifier; it is trained.
        dataset: a `tf.data.Dataset` of whole batches to train on.
        steps: that are timed.

    Returns:
        Of one step: seconds, those of them spent waiting, and their share.
    """
    model.compile("adam", "sparse_categorical_crossentropy")
    batches, waited, started = dataset.repeat().as_numpy_iterator(), 0.0, 0.0
    for step in range(-5, steps):
        if step == 0:
            waited, started = 0.0, time.perf_counter()
        before = time.perf_counter()
        batch = next(batches)
        waited += time.perf_counter() - before
        model.train_on_batch(*batch)
    seconds = time.perf_counter() - started
    return {
        "steps": steps,
        "step_seconds": seconds / steps,
        "waiting_seconds": waited / steps,
        "share": waited / seconds,
    }


# ---------------------------------------------------------------- time to a score


def time_to_score_rows(history, rival: str) -> list[dict]:
    """Find when each model is as good as `rival` at its best, by its history.

    Args:
        history: DataFrame of the rows of history.csv.
        rival: the model whose best validation score is to be reached, seed by seed.

    Returns:
        The rows of `time_to_score.csv`, one per model and seed. `epoch` and `seconds`
        are empty if the score is never reached; `speedup` is the rival's seconds to it,
        divided by the model's.
    """
    runs = dict(list(history.groupby(["model", "seed"], sort=False)))
    rows = []
    for (model, seed), run in runs.items():
        if (rival, seed) not in runs:
            continue
        target = runs[rival, seed]["score"].min()
        row = {"model": model, "seed": seed, "score": target}
        if (run["score"] <= target).any():
            needed = _first(runs[rival, seed], target)["seconds"]
            first = _first(run, target)
            row |= {
                "epoch": int(first["epoch"]),
                "seconds": first["seconds"],
                "speedup": needed / first["seconds"],
            }
        rows.append(row)
    return rows


def _first(run, target: float):
    """Return the first epoch of a run whose score is as good as the target."""
    return run[run["score"] <= target].iloc[0]


# ---------------------------------------------------------------- for reading


def table(cost: list[dict], padding: list[dict]) -> Table:
    """Make a table of the cost of a step and the changes by the longest padding."""
    headings = ["stride", "ms a step", "changed by padding", "difference"]
    shown = plain_table("Cost and padding", ["model"], headings)
    shown.columns[0].no_wrap = True
    longest = {row["model"]: row for row in padding}  # the last of each stays
    for row in cost:
        most = longest[row["model"]]
        changes = f"{most['changed']:.1f} %", f"{most['max_difference']:.1g}"
        stride, spent = str(row["stride"]), f"{row['milliseconds']:.0f}"
        shown.add_row(row["model"], stride, spent, *changes)
    shown.caption = (
        "stride: points for one step of the LSTMs. ms a step: training, the same batch "
        f"for all. By padding to {padding[-1]['steps']} instead of "
        f"{padding[0]['steps']} steps: the guesses that change, and the largest "
        "difference of a probability"
    )
    return shown
