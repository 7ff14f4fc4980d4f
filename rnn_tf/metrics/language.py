"""Score language models by the probability that they gave to what came."""

import numpy as np

from rnn_tf.metrics.scores import Scores

STRETCH = 1_000  # characters of an example, about
SMALLEST = 1e-30  # a probability that rounding has made 0


def bits(probabilities: np.ndarray) -> np.ndarray:
    """Return the bits that each token costs, -log2 of its probability."""
    return -np.log2(np.maximum(np.asarray(probabilities, float), SMALLEST))


def scores(
    probabilities: np.ndarray, ends: np.ndarray, lengths: np.ndarray | None = None
) -> Scores:
    """Score the tokens of a text: bits per character, and what follows from them.

    Args:
        probabilities: (tokens,) that the model gave to the token that came, after all
            before it.
        ends: (stretches,) where each stretch of the text ends, the last one with it.
        lengths: (tokens,) characters of each token; None if all have one.

    Returns:
        The error of an example, a stretch, is its mean bits per character.
    """
    cost, starts = bits(probabilities), np.concatenate([[0], ends[:-1]])
    width = np.ones(len(cost)) if lengths is None else lengths.astype(float)
    errors = np.add.reduceat(cost, starts) / np.add.reduceat(width, starts)
    values = {
        "bits": float(errors.mean()),
        "nats": float(np.log(2) * errors.mean()),
        "perplexity": float(2 ** cost.mean()),
    }
    units = {"bits": "per character", "nats": "per character", "perplexity": ""}
    rows = [
        {"metric": name, "slice": "", "value": value, "unit": units[name]}
        | {"n": len(cost) if name == "perplexity" else len(errors)}
        for name, value in values.items()
    ]
    return Scores(rows, errors)


def calibration_error(
    confidence: np.ndarray, right: np.ndarray, bins: int = 10
) -> float:
    """Return how far confidence is from accuracy, between 0 and 1.

    The expected calibration error: guesses are sorted into bins by confidence, and the
    distance of each bin's mean confidence to its share of right guesses is weighed by
    its size (Guo et al., 2017, "On calibration of modern neural networks").

    Args:
        confidence: the highest probability of each guess, any shape.
        right: whether it was right, the same shape.
        bins: of equal width.
    """
    confidence, right = np.ravel(confidence), np.ravel(right)
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(number, confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))
