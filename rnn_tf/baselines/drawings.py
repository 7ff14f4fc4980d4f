"""Classify drawings by where their points lie, in any order: a baseline."""

from collections.abc import Callable

import lazy_loader
import numpy as np

from rnn_tf.data.drawings.store import Part

sklearn = lazy_loader.load("sklearn")

CHUNK = 4096  # drawings in memory at a time
CELLS = 16  # of the grid in which points are counted, each way
MOST = 20_000  # drawings to fit on


def histograms(part: Part, which: np.ndarray, cells: int = CELLS) -> np.ndarray:
    """Count the points in each cell of a grid over the drawings numbered `which`.

    (drawings, cells * cells) float32. The counts hold nothing of the order in which the
    points were drawn.
    """
    grids = np.zeros((len(which), cells * cells), "float32")
    for start in range(0, len(which), CHUNK):
        chunk = which[start : start + CHUNK]
        x = part.stroke5(chunk, int(part.lengths[chunk].max()), 1.0)
        place, real = np.cumsum(x[..., :2], axis=1), x[..., 4:] == 0
        low = np.min(place, axis=1, keepdims=True, where=real, initial=np.inf)
        high = np.max(place, axis=1, keepdims=True, where=real, initial=-np.inf)
        side = np.maximum((high - low).max(axis=2, keepdims=True), 1)
        cell = np.clip((place - low) / side * cells, 0, cells - 1).astype(int)
        index = np.arange(len(chunk))[:, None] * cells * cells
        index = index + cell[..., 1] * cells + cell[..., 0]
        counts = np.bincount(index[real[..., 0]], minlength=len(chunk) * cells * cells)
        grids[start : start + CHUNK] = counts.reshape(len(chunk), -1)
    return grids


def bag_of_points(part: Part) -> Callable:
    """Fit logistic regression to drawings of `part` by chance, 20,000 at most.

    Returns:
        part -> the probability of each class, (drawings, classes).
    """
    known = np.random.default_rng(1).permutation(len(part.labels))[:MOST]
    model = sklearn.linear_model.LogisticRegression(max_iter=300)
    model.fit(histograms(part, known), part.labels[known])
    return lambda other: model.predict_proba(
        histograms(other, np.arange(len(other.labels)))
    )
