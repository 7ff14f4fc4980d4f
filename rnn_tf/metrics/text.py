"""Score guesses of a word: whether it is the likeliest, and how likely it is."""

import numpy as np

from rnn_tf.metrics.scores import Scores


def scores(labels: np.ndarray, predictions: np.ndarray) -> Scores:
    """Score guesses: the error and the right word's probability in %, and the nats.

    Args:
        labels: (examples,), places of the right words.
        predictions: (examples, words), probabilities.
    """
    right, errors = recalled(labels, predictions)
    nats = -np.log(np.maximum(right, 1e-12))
    values = {"error": (errors, "%"), "probability": (100 * right, "%")}
    values |= {"cross_entropy": (nats, "nats")}
    rows = [
        {
            "metric": metric,
            "slice": "",
            "value": float(of_examples.mean()),
            "unit": unit,
            "n": len(labels),
        }
        for metric, (of_examples, unit) in values.items()
    ]
    return Scores(rows, errors)


def recalled(labels: np.ndarray, predictions: np.ndarray) -> tuple:
    """Give the probability of the right word, and the error in %, of each example.

    Among words that are equally likely a guess is drawn; its expected error counts.

    Returns:
        Two arrays, (examples,): shares of 1, and 0 to 100.
    """
    row = np.arange(len(labels))
    likeliest = predictions == predictions.max(axis=1, keepdims=True)
    hits = likeliest[row, labels] / likeliest.sum(axis=1)
    return predictions[row, labels], 100 * (1 - hits)
