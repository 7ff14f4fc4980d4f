"""Score classifiers: their loss, their errors by class, their three best guesses.

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
    """Return what to compile with: cross-entropy, and the wrong guesses as score."""
    return {
        "optimizer": optimizer,
        "loss": keras.losses.SparseCategoricalCrossentropy(),
        "metrics": [keras.metrics.MeanMetricWrapper(wrong, name="score")],
    }


def wrong(labels, probabilities):
    """Return 1 where the likeliest class is not the right one, else 0: (batch,)."""
    likeliest = keras.ops.argmax(probabilities, axis=-1)
    # Not `!=`, which in TensorFlow loses the shape where a batch's size is not known.
    missed = keras.ops.not_equal(likeliest, keras.ops.cast(labels, "int32"))
    return keras.ops.cast(missed, "float32")


def majority(labels: np.ndarray, classes: int, count: int) -> np.ndarray:
    """Predict the share of each class in `labels`, `count` times: (count, classes)."""
    return np.tile(np.bincount(labels, minlength=classes) / len(labels), (count, 1))


def scores(labels: np.ndarray, predictions: np.ndarray, classes) -> Scores:
    """Score predictions: top-1, top-5 and each class's error, in %, and the macro F1.

    The macro F1 is the mean over the classes that occur, however rare.

    Args:
        labels: (examples,), the number of the right class.
        predictions: (examples, classes), probabilities.
        classes: their names.
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
    return {
        "metric": metric,
        "slice": part,
        "value": float(values.mean()),
        "unit": unit,
        "n": len(values),
    }


def _guesses(labels, predictions, classes) -> list[dict]:
    """Return the rows of predictions.csv, with the next two guesses."""
    guesses = zip(labels, three_best(predictions, classes), strict=True)
    return [
        {
            "example": example,
            "step": 1,
            "target": classes[label],
            "prediction": first,
            "probability": probability,
            "second": second,
            "third": third,
        }
        for example, (label, best) in enumerate(guesses)
        for (first, probability), (second, _), (third, _) in [best]
    ]


def average_models(models: list, inputs, x):
    """Build a model from `inputs` to the mean output of `models` on `x`.

    Models of several seeds may have the same name, which one model must not hold.
    """
    outputs = [
        keras.Model(model.input, model.output, name=f"member_{number}")(x)
        for number, model in enumerate(models, start=1)
    ]
    mean = keras.layers.average(outputs) if len(outputs) > 1 else outputs[0]
    return keras.Model(inputs, mean)


def three_best(predictions: np.ndarray, classes) -> Iterator[list[tuple[str, float]]]:
    """Yield each example's three likeliest classes with their probabilities.

    Of two classes there is no third: its name is empty.
    """
    best = np.argsort(-predictions, axis=1, kind="stable")[:, :3]
    probabilities = np.take_along_axis(predictions, best, axis=1)
    missing = [(0, 0), (0, 3 - best.shape[1])]
    best = np.pad(best, missing, constant_values=-1)
    probabilities = np.pad(probabilities, missing)
    names = np.array([*classes, ""])[best]
    for row in zip(names.tolist(), probabilities.tolist(), strict=True):
        yield list(zip(*row, strict=True))
