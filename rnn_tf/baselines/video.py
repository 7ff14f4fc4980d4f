"""Classify clips by a few numbers on how they move: baselines.

Clips are (clips, frames, side, side, channels) uint8; features are (clips, features).
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
    """Measure where it moves: the mean difference between frames, in 6 x 6 cells."""
    mean = _differences(clips).mean(axis=1)
    rows, columns = (_pool(mean.shape[1]) for _ in range(2))
    return (rows @ mean @ columns.T).reshape(len(clips), -1)


def motion_numbers(clips: np.ndarray) -> np.ndarray:
    """Measure when it moves: the area, the amount and the spread, in 8 steps."""
    differences = _differences(clips)
    moved = differences > MOVED
    area = moved.mean(axis=(2, 3))
    grid = np.arange(clips.shape[2]) / clips.shape[2]
    spread = sum(
        _deviation(moved.sum(axis=axis, dtype="float32"), grid) for axis in (2, 3)
    )
    numbers = np.stack([area, differences.mean(axis=(2, 3)) / 255, spread], axis=-1)
    steps = _pool(numbers.shape[1], STEPS)
    return (steps @ numbers).reshape(len(clips), -1)


def _differences(clips: np.ndarray) -> np.ndarray:
    """Subtract each frame from the next: (clips, frames - 1, side, side) float32."""
    grey = clips.mean(axis=-1, dtype="float32")
    return np.abs(np.diff(grey, axis=1))


def _pool(points: int, cells: int = CELLS) -> np.ndarray:
    """Make the matrix that takes the mean of each cell: (cells, points) float32."""
    cell = np.arange(points) * cells // points
    share = (cell == np.arange(cells)[:, None]).astype("float32")
    return share / np.maximum(share.sum(axis=1, keepdims=True), 1)


def _deviation(weights: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Take the standard deviation of the places in `grid`: (..., points) -> (...)."""
    total = np.maximum(weights.sum(axis=-1), 1)
    mean = weights @ grid / total
    return np.sqrt(np.maximum(weights @ grid**2 / total - mean**2, 0))


def features(part: Part, measure: Callable) -> np.ndarray:
    """Average the features over the clips of each video: (videos, features)."""
    which = np.arange(len(part.labels) * part.per_video)
    cuts = np.split(which, range(CHUNK, len(which), CHUNK))
    by_clip = np.concatenate([measure(part.clips(cut)) for cut in cuts])
    return by_clip.reshape(len(part.labels), part.per_video, -1).mean(axis=1)


def classifier(part: Part, measure: Callable) -> Callable:
    """Fit a logistic regression on the features of `part`.

    Args:
        part: the videos to fit on.
        measure: clips -> features, such as `mean_differences`.

    Returns:
        part -> probabilities, (videos, classes).
    """
    model = sklearn.pipeline.make_pipeline(
        sklearn.preprocessing.StandardScaler(),
        sklearn.linear_model.LogisticRegression(
            max_iter=2_000, class_weight="balanced"
        ),
    ).fit(features(part, measure), part.labels)
    return lambda other: model.predict_proba(features(other, measure))
