"""Guess the name that a story ends on: baselines that read nothing, or one word.

A prediction is the probability of each name, (stories, names).
"""

from collections.abc import Callable

import numpy as np

from rnn_tf.data.text.stories import NAMES, Stories


def predictors(parts: dict[str, Stories]) -> dict[str, Callable]:
    """Return each baseline's predict(split), by name.

    "majority" gives each name its share in training, "any_name" all the same, and
    "another_name" all but the one that speaks, which no story ends on.

    Args:
        parts: split -> its stories.
    """
    shares = np.bincount(parts["train"].labels, minlength=len(NAMES))
    shares = shares / shares.sum()
    others = (1 - np.eye(len(NAMES))) / (len(NAMES) - 1)

    def the_same(values):
        return lambda split: np.tile(values, (len(parts[split].labels), 1))

    return {
        "majority": the_same(shares),
        "any_name": the_same(np.full(len(NAMES), 1 / len(NAMES))),
        "another_name": lambda split: others[parts[split].people[:, 0]],
    }
