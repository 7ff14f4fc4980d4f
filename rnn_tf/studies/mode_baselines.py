"""Guess the targets of the small tasks of `mode_tasks` without a network.

Each function takes the parts and returns what it guesses on test.
"""

import numpy as np

Parts = dict[str, tuple[np.ndarray, np.ndarray]]  # split -> inputs and targets


def constant(parts: Parts, classes: bool) -> np.ndarray:
    """Guess the commonest class, or the mean, of training, whatever the input is."""
    y, y_test = parts["train"][1], parts["test"][1]
    guess = commonest(y) if classes else y.mean(axis=0)
    return np.broadcast_to(guess, y_test.shape)


def commonest(y: np.ndarray) -> np.ndarray:
    """Return the commonest class at each place: (examples, ...) -> (...)."""
    counts = [(y == number).sum(axis=0) for number in range(y.max() + 1)]
    return np.argmax(counts, axis=0)


def logistic(parts: Parts) -> np.ndarray:
    """Guess by logistic regression on all steps side by side."""
    from sklearn.linear_model import LogisticRegression

    (x, y), (x_test, _) = parts["train"], parts["test"]
    model = LogisticRegression(max_iter=1_000).fit(x.reshape(len(x), -1), y)
    return model.predict(x_test.reshape(len(x_test), -1))


def ridge(parts: Parts) -> np.ndarray:
    """Guess by ridge regression on all steps side by side."""
    from sklearn.linear_model import Ridge

    (x, y), (x_test, _) = parts["train"], parts["test"]
    model = Ridge(1e-3).fit(x.reshape(len(x), -1), y)
    return model.predict(x_test.reshape(len(x_test), -1))


def bigram(parts: Parts) -> np.ndarray:
    """Guess the token that most often followed the last one in training."""
    (x, y), (x_test, _) = parts["train"], parts["test"]
    counts = np.zeros((max(x.max(), x_test.max()) + 1, y.max() + 1))
    np.add.at(counts, (x[:, -1], y), 1)
    return counts.argmax(axis=1)[x_test[:, -1]]


def class_mean(parts: Parts) -> np.ndarray:
    """Guess the mean drawing of the class: no network can do better."""
    (x, y), (x_test, _) = parts["train"], parts["test"]
    means = np.array([y[x.argmax(axis=1) == k].mean(axis=0) for k in range(x.shape[1])])
    return means[x_test.argmax(axis=1)]


def last_value(parts: Parts) -> np.ndarray:
    """Guess that the last price stays: (examples, DAYS_AHEAD)."""
    x, y = parts["test"]
    return np.broadcast_to(x[:, -1], y.shape)


def drift(parts: Parts) -> np.ndarray:
    """Guess that prices go on from the last one by the mean change of training."""
    (x, y), (x_test, y_test) = parts["train"], parts["test"]
    return x_test[:, -1] + (y - x[:, -1]).mean(axis=0) + np.zeros_like(y_test)
