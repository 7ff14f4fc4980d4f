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
