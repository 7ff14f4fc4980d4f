"""What experiments that tell classes apart share: scores, guesses, pictures.

A prediction is the probability of each class, (examples, classes); a label is the
number of the right one.
"""

from collections.abc import Iterator

import lazy_loader
import numpy as np

from rnn_tf.metrics.scores import Scores

keras = lazy_loader.load("keras")
sklearn = lazy_loader.load("sklearn")


def compile_arguments(optimizer) -> dict:
    """Cross-entropy to train by, and the share of wrong guesses to choose by."""
    return {
        "optimizer": optimizer,
        "loss": keras.losses.SparseCategoricalCrossentropy(),
        "metrics": [keras.metrics.MeanMetricWrapper(wrong, name="score")],
    }


def wrong(labels, probabilities):
    """(batch,): 1 where the likeliest class is not the right one."""
    likeliest = keras.ops.argmax(probabilities, axis=-1)
    # Not `!=`, which in TensorFlow loses the shape where a batch's size is not known.
    missed = keras.ops.not_equal(likeliest, keras.ops.cast(labels, "int32"))
    return keras.ops.cast(missed, "float32")


def majority(labels: np.ndarray, classes: int, count: int) -> np.ndarray:
    """(count, classes): the share of each class in `labels`, whatever is asked."""
    return np.tile(np.bincount(labels, minlength=classes) / len(labels), (count, 1))


def scores(labels: np.ndarray, predictions: np.ndarray, classes) -> Scores:
    """Top-1 and top-5 error and the error of each class, in %; and the macro F1.

    The macro F1 is the mean over the classes that occur, however rare.
    """
    guesses = predictions.argmax(axis=1)
    errors = 100.0 * (guesses != labels)
    right = np.take_along_axis(predictions, labels[:, None], axis=1)
    ranks = (predictions > right).sum(axis=1)  # 0 is the best guess
    f1 = sklearn.metrics.f1_score(
        labels, guesses, labels=np.unique(labels), average="macro", zero_division=0
    )
    rows = [
        _row("error", "", errors, "%"),
        _row("top5_error", "", 100.0 * (ranks >= 5), "%"),
        _row("macro_f1", "", np.full(len(labels), f1), ""),
    ]
    for label in np.unique(labels):
        rows.append(_row("error", classes[label], errors[labels == label], "%"))
    return Scores(rows, errors, _guesses(labels, predictions, classes))


def _row(metric: str, part: str, values: np.ndarray, unit: str) -> dict:
    row = {"metric": metric, "slice": part, "value": float(values.mean())}
    return row | {"unit": unit, "n": len(values)}


def _guesses(labels, predictions, classes) -> list[dict]:
    """The rows of predictions.csv, with the next two guesses."""
    rows = []
    for example, (label, found) in enumerate(
        zip(labels, best_three(predictions, classes), strict=True)
    ):
        names, shares = zip(*found, strict=True)
        row = {"example": example, "step": 1, "target": classes[label]}
        row |= {"prediction": names[0], "probability": shares[0]}
        rows.append(row | {"second": names[1], "third": names[2]})
    return rows


def mean_of(models: list, inputs, x):
    """A model from `inputs` to the mean of what `models` make of `x`.

    Models of several seeds may be called alike, which one model must not hold.
    """
    found = [
        keras.Model(model.input, model.output, name=f"member_{number}")(x)
        for number, model in enumerate(models, start=1)
    ]
    return keras.Model(inputs, keras.layers.average(found) if found[1:] else found[0])


def best_three(predictions: np.ndarray, classes) -> Iterator[list[tuple[str, float]]]:
    """Of each example the three likeliest classes and their probabilities.

    Of two classes there is no third: its name is empty.
    """
    best = np.argsort(-predictions, axis=1, kind="stable")[:, :3]
    sure = np.take_along_axis(predictions, best, axis=1)
    missing = [(0, 0), (0, 3 - best.shape[1])]
    best = np.pad(best, missing, constant_values=-1)
    sure = np.pad(sure, missing)
    names = np.array([*classes, ""])[best]
    for row in zip(names.tolist(), sure.tolist(), strict=True):
        yield list(zip(*row, strict=True))
