"""Make clips of digits that move over noise, so that videos need no download.

The class is the motion. Each motion and its reverse show the same frames in opposite
order: neither one frame nor all frames without their order tell them apart. The digits
are scikit-learn's (Alpaydin and Kaynak, 1998), the idea is the moving MNIST of
Srivastava et al. (2015, arXiv:1502.04681).
"""

import functools
import hashlib
from dataclasses import dataclass

import lazy_loader
import numpy as np

from rnn_tf.data.labelled import Labelled
from rnn_tf.data.splits import SPLITS

sklearn = lazy_loader.load("sklearn")

MOTIONS = ("right", "down", "clockwise", "growing")
REVERSED = ("left", "up", "counter-clockwise", "shrinking")
CLASSES = tuple(name for pair in zip(MOTIONS, REVERSED, strict=True) for name in pair)

PIXELS = 8  # of a digit, each way
NOISE = 70  # the brightest point of the background, of 255
STRIP = 1 << 20  # points of noise, of which each frame cuts out its own


@dataclass(frozen=True)
class Digits:
    """Clips of one part, kept as parameters and drawn whenever they are read."""

    images: np.ndarray  # (digits, 8, 8) float32, 0 to 1
    digit: np.ndarray  # (clips,): which of them moves
    path: np.ndarray  # (clips, frames, 3) float32: centre x, y and width, of the side
    noise: np.ndarray  # (clips, frames): where in the strip a frame's noise begins
    labels: np.ndarray  # (clips,) int16
    side: int
    per_video: int = 1  # clips of a video

    def clips(self, which: np.ndarray) -> np.ndarray:
        """Draw the clips numbered `which`: (clips, frames, side, side, 1) uint8."""
        grid = (np.arange(self.side, dtype="float32") + 0.5) / self.side
        x, y, width = np.moveaxis(self.path[which], -1, 0)[..., None]
        columns, rows = _weights((grid - x) / width), _weights((grid - y) / width)
        drawn = rows @ self.images[self.digit[which], None] @ columns.swapaxes(-1, -2)
        pieces = np.lib.stride_tricks.sliding_window_view(_strip(), self.side**2)
        noise = pieces[self.noise[which]].reshape(drawn.shape)
        return (noise + (255 - noise) * drawn)[..., None].astype("uint8")


def _weights(place: np.ndarray) -> np.ndarray:
    """Weigh the pixels of a digit for bilinear interpolation.

    Args:
        place: (..., points), -0.5 to 0.5 across the digit.

    Returns:
        (..., points, 8).
    """
    pixel = np.arange(PIXELS, dtype="float32") - (PIXELS - 1) / 2
    return np.maximum(1 - np.abs(PIXELS * place[..., None] - pixel), 0)


@functools.cache
def _strip() -> np.ndarray:
    """Make the noise, (points,) float32, the same in every run.

    It is longer than `STRIP`, so that a frame may begin anywhere in that.
    """
    return np.random.default_rng(1).integers(0, NOISE, STRIP + 2**18).astype("float32")


def digits(count: int, frames: int, side: int, seed: int = 1) -> dict[str, Digits]:
    """Make moving digits in three parts, 80, 10 and 10 %.

    No handwritten digit is in two parts.

    Args:
        count: clips of all parts together; the classes take turns.
        frames: of a clip.
        side: of a frame, in pixels, up to 512.
        seed: same seed, same clips.
    """
    images = (sklearn.datasets.load_digits().images / 16).astype("float32")
    known = np.random.default_rng(seed).permutation(len(images))
    ends = [round(len(images) * share) for share in (0.8, 0.9)]
    counts = count - 2 * (count // 10), count // 10, count // 10
    parts = {}
    for key, (split, n) in enumerate(zip(SPLITS, counts, strict=True)):
        random = np.random.default_rng((seed, key))
        labels = np.arange(n) % len(CLASSES)
        path = _paths(random, labels, frames)
        digit = random.choice(np.split(known, ends)[key], n)
        noise = random.integers(0, STRIP, (n, frames))
        parts[split] = Digits(images, digit, path, noise, labels.astype("int16"), side)
    return parts


def labelled(count: int, frames: int, side: int) -> Labelled:
    """Make moving digits in three parts, see `digits`; the sha256 is of their paths."""
    parts = digits(count, frames, side)
    digest = hashlib.sha256(b"".join(part.path.tobytes() for part in parts.values()))
    facts = {"source": "digits", "sha256": digest.hexdigest(), "notes": []}
    return Labelled(CLASSES, parts, facts)


def _paths(random: np.random.Generator, labels: np.ndarray, frames: int) -> np.ndarray:
    """Draw the path of each clip, its motion or the reverse: (clips, frames, 3).

    A path is turned around as a whole, with its jitter: forward and backward, frames
    are drawn from the same distribution.
    """
    time = np.linspace(-1, 1, frames)
    motion, backward = labels[:, None] // 2, labels % 2 == 1
    reach = _uniform(random, labels, 0.12, 0.3)
    angle = _uniform(random, labels, 0, 2 * np.pi)
    angle = angle + _uniform(random, labels, 0.6, 0.9) * np.pi * time
    x = np.select([motion == 0, motion == 2], [reach * time, reach * np.cos(angle)], 0)
    y = np.select([motion == 1, motion == 2], [reach * time, reach * np.sin(angle)], 0)
    growth = _uniform(random, labels, 0.25, 0.45) * time
    width = np.exp(np.where(motion == 3, growth, 0 * time))
    width = width * _uniform(random, labels, 0.28, 0.4)
    place = np.stack([x, y], axis=-1) + random.normal(0, 0.008, (*width.shape, 2))
    place = _move_inside(random, place, width)
    path = np.concatenate([place, width[..., None]], axis=-1)
    path[backward] = path[backward, ::-1]
    return path.astype("float32")


def _uniform(random: np.random.Generator, labels, low: float, high: float):
    """Draw a number for each clip: (clips, 1)."""
    return random.uniform(low, high, (len(labels), 1))


def _move_inside(random, place: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Move each path to where all of it is inside, if it fits: (clips, frames, 2)."""
    half = width[..., None] / 2
    low = -(place - half).min(axis=1, keepdims=True)
    high = 1 - (place + half).max(axis=1, keepdims=True)
    return place + low + random.uniform(0, 1, low.shape) * (high - low)
