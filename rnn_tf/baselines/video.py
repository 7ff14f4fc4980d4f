"""How clips move, in a few numbers: what any network has to beat.

All take clips, (clips, frames, side, side, channels) uint8, and give features,
(clips, features).
"""

from collections.abc import Callable

import lazy_loader
import numpy as np

from rnn_tf.data.video.batches import Part

sklearn = lazy_loader.load("sklearn")

CHUNK = 256  # clips in memory at a time
CELLS = 6  # of a picture of differences, each way
STEPS = 8  # parts of a clip
MOVED = 15  # of 255: by how much a point that moves differs from the frame before


def mean_differences(clips: np.ndarray) -> np.ndarray:
    """Where it moves: the mean difference of one frame to the next, 6 x 6 cells."""
    mean = _differences(clips).mean(axis=1)
    rows, columns = (_pool(mean.shape[1]) for _ in range(2))
    return (rows @ mean @ columns.T).reshape(len(clips), -1)


def motion_numbers(clips: np.ndarray) -> np.ndarray:
    """When it moves: how large an area, how much, how far spread, in 8 steps."""
    found = _differences(clips)
    moved = found > MOVED
    area = moved.mean(axis=(2, 3))
    grid = np.arange(clips.shape[2]) / clips.shape[2]
    spread = sum(
        _deviation(moved.sum(axis=axis, dtype="float32"), grid) for axis in (2, 3)
    )
    numbers = np.stack([area, found.mean(axis=(2, 3)) / 255, spread], axis=-1)
    steps = _pool(numbers.shape[1], STEPS)
    return (steps @ numbers).reshape(len(clips), -1)


def _differences(clips: np.ndarray) -> np.ndarray:
    """(clips, frames - 1, side, side) float32: from one frame to the next."""
    grey = clips.mean(axis=-1, dtype="float32")
    return np.abs(np.diff(grey, axis=1))


def _pool(points: int, cells: int = CELLS) -> np.ndarray:
    """(cells, points) float32: a matrix that takes the mean of each cell."""
    cell = np.arange(points) * cells // points
    share = (cell == np.arange(cells)[:, None]).astype("float32")
    return share / np.maximum(share.sum(axis=1, keepdims=True), 1)


def _deviation(weights: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Standard deviation of the places in `grid`, (..., points) -> (...)."""
    total = np.maximum(weights.sum(axis=-1), 1)
    mean = weights @ grid / total
    return np.sqrt(np.maximum(weights @ grid**2 / total - mean**2, 0))


def features(part: Part, of: Callable) -> np.ndarray:
    """(videos, features): the mean over the clips of each video."""
    which = np.arange(len(part.labels) * part.each)
    cuts = np.split(which, range(CHUNK, len(which), CHUNK))
    found = np.concatenate([of(part.clips(cut)) for cut in cuts])
    return found.reshape(len(part.labels), part.each, -1).mean(axis=1)


def classifier(part: Part, of: Callable) -> Callable:
    """part -> (videos, classes): logistic regression on features, fitted on `part`."""
    model = sklearn.pipeline.make_pipeline(
        sklearn.preprocessing.StandardScaler(),
        sklearn.linear_model.LogisticRegression(
            max_iter=2_000, class_weight="balanced"
        ),
    ).fit(features(part, of), part.labels)
    return lambda other: model.predict_proba(features(other, of))
