"""Draw seeded doodles as by hand, so that the classifier needs no download.

The classes come in pairs that share their parts and differ in how these are joined
or arranged: where a pen has been says little, the order in which it went there a lot.
"""

import hashlib

import lazy_loader
import numpy as np

from rnn_tf.data import examples
from rnn_tf.data.drawings import store
from rnn_tf.data.drawings.stroke3 import BOX, EPSILON
from rnn_tf.data.labelled import Labelled

shapely = lazy_loader.load("shapely")

STEPS = 96  # of a stroke before it is simplified; 1, 2, 3 and 4 divide it
ROUNDS = 10  # drawings of each class in a block
RECTANGLE = np.array([-1 - 1j, 1 - 1j, 1 + 1j, -1 + 1j])


def doodles(count: int, seed: int = 1) -> tuple[list[np.ndarray], np.ndarray]:
    """Draw doodles of the `CLASSES`, in the format of Quick, Draw!'s simplified files.

    Scaled to a box whose larger side is 255, strokes simplified by Ramer, Douglas and
    Peucker's algorithm with epsilon 2. The drawings come in rounds of one per class in
    random order, and a longer set begins with the shorter one.

    Args:
        count: how many.
        seed: same seed, same drawings.

    Returns:
        Drawings, each (points, 3) int16, see `rnn_tf.data.drawings.stroke3`; and labels
        (count,) int, indices of `CLASSES`.
    """
    size = ROUNDS * len(CLASSES)
    blocks = [_block(seed, block) for block in range(-(-count // size))]
    drawings = [drawing for block, _ in blocks for drawing in block]
    labels = [np.empty(0, int), *(labels for _, labels in blocks)]
    return drawings[:count], np.concatenate(labels)[:count]


def labelled(count: int) -> Labelled:
    """Draw `count` doodles in three parts, 80, 10 and 10 %."""
    drawings, labels = doodles(count)
    parts = {
        split: store.pack([drawings[i] for i in cut], labels[cut])
        for split, cut in examples.parts(np.arange(count)).items()
    }
    digest = hashlib.sha256(b"".join(drawing.tobytes() for drawing in drawings))
    facts = {"source": "doodles", "sha256": digest.hexdigest(), "notes": []}
    return Labelled(CLASSES, store.sort_for_evaluation(parts), facts)


def _block(seed: int, block: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Draw a block of `ROUNDS` rounds: drawings and labels."""
    random = np.random.default_rng((seed, block))
    classes = np.tile(np.arange(len(CLASSES)), (ROUNDS, 1))
    labels = random.permuted(classes, axis=1).ravel()
    figures = [FIGURES[CLASSES[label]](random) for label in labels]
    drawings = [_draw(random, figure) for figure in figures]
    owner = np.repeat(np.arange(len(drawings)), [len(d) for d in drawings])
    strokes = np.array([stroke for drawing in drawings for stroke in drawing])
    strokes = _wobble(random, _cut_corners(random, strokes, owner), owner)
    points, stroke = _sample(random, _tilt(random, strokes, owner), owner)
    points = _fit(points, owner[stroke])
    return _encode(*_simplify(points, stroke), owner), labels


# ------------------------------------------------------------------- what is drawn
# Points are complex numbers in a box from -1 - 1j (top left) to 1 + 1j. A figure is a
# list of paths; one that ends where it begins is closed.


def _closed(random: np.random.Generator, corners: np.ndarray) -> np.ndarray:
    """Move each corner a little, and go back to the first: (corners + 1,)."""
    corners = corners + _normal(random, 0.05, len(corners))
    return np.append(corners, corners[0])


def _normal(random: np.random.Generator, scale: float, size) -> np.ndarray:
    return scale * (random.normal(size=size) + 1j * random.normal(size=size))


def _ring(corners: int, turns: int = 1) -> np.ndarray:
    """Place corners evenly around the unit circle, from the top: (corners,)."""
    return -1j * np.exp(2j * np.pi * turns * np.arange(corners) / corners)


def _circle() -> np.ndarray:
    """Return the unit circle, closed: (33,)."""
    ring = _ring(32)
    return np.append(ring, ring[0])


def _spiral(random):
    angle = 2 * np.pi * np.linspace(0.2, random.uniform(1.8, 3.5), 60)
    sense = random.choice([-1, 1])
    turn = np.exp(1j * sense * (angle + random.uniform(0, 2 * np.pi)))
    return [angle / angle[-1] * turn]


def _box_with_chevron(random: np.random.Generator, depth: float) -> list[np.ndarray]:
    """Draw a roof above a box or a flap inside it, at times with a door or a stamp."""
    box = _closed(random, RECTANGLE)
    chevron = np.array([-1 - 1j, depth * 1j - 1j, 1 - 1j])
    chevron = chevron + _normal(random, 0.06, 3)
    if random.random() < 0.5:
        return [box, chevron]
    place = complex(random.uniform(-0.5, 0.5), random.uniform(0.4, 0.6))
    return [box, chevron, place + 0.3 * _closed(random, RECTANGLE)]


def _face(random: np.random.Generator, bend: float) -> list[np.ndarray]:
    """Draw a head, eyes and a mouth whose corners are up by `bend`."""
    x = np.linspace(-1, 1, 12)
    mouth = random.uniform(0.35, 0.55) * x + 1j * (0.45 + bend * (0.5 - x**2))
    tall = 1j * random.uniform(0.08, 0.2)
    eye = np.array([-tall, tall]) if random.random() < 0.5 else 0.12 * _circle()
    eyes = complex(0, -0.3) + random.uniform(0.3, 0.45) * np.array([-1, 1])
    return [_circle(), eyes[0] + eye, eyes[1] + eye, mouth]


def _wave(random):
    """Draw a curve through the peaks of a zigzag, flat at each and steep between."""
    peaks = _peaks(random)
    at = np.linspace(0, len(peaks) - 1, 12 * len(peaks) - 11)
    height = np.floor(at) + (1 - np.cos(np.pi * (at % 1))) / 2
    along = at + 0.1 * np.sin(2 * np.pi * at)
    index = np.arange(len(peaks))
    x, y = np.interp(along, index, peaks).real, np.interp(height, index, peaks).imag
    return [x + 1j * y]


def _peaks(random: np.random.Generator) -> np.ndarray:
    """Draw the peaks of a zigzag from left to right: (4 to 7,)."""
    count = random.integers(4, 8)
    sign = (-1.0) ** (np.arange(count) + random.integers(2))
    height = random.uniform(0.2, 0.45)
    return np.linspace(-1, 1, count) + 1j * height * sign + _normal(random, 0.04, count)


FIGURES = {
    "circle": lambda random: [_circle()],
    "spiral": _spiral,
    "square": lambda random: [_closed(random, RECTANGLE)],
    "hourglass": lambda random: [_closed(random, RECTANGLE[[0, 1, 3, 2]])],
    "pentagon": lambda random: [_closed(random, _ring(5))],
    "star": lambda random: [_closed(random, _ring(5, turns=2))],
    "house": lambda random: _box_with_chevron(random, -random.uniform(0.7, 1.3)),
    "envelope": lambda random: _box_with_chevron(random, random.uniform(0.7, 1.2)),
    "smiley": lambda random: _face(random, random.uniform(0.25, 0.5)),
    "frown": lambda random: _face(random, -random.uniform(0.25, 0.5)),
    "zigzag": lambda random: [_peaks(random)],
    "wave": _wave,
}
CLASSES: tuple[str, ...] = tuple(FIGURES)


# ------------------------------------------------------------------- how it is drawn


def _draw(random: np.random.Generator, figure: list) -> list[np.ndarray]:
    """Draw the paths of a figure in some order, at times with a stray one: strokes."""
    if random.random() < 0.25:
        place = complex(*random.uniform(-1.4, 1.4, 2))
        figure = [*figure, place + _normal(random, 0.12, 3).cumsum()]
    if random.random() < 0.3:
        figure = [figure[i] for i in random.permutation(len(figure))]
    return [stroke for path in figure for stroke in _trace(random, path)]


def _trace(random: np.random.Generator, path: np.ndarray) -> np.ndarray:
    """Follow a path from either end, at times in two strokes: (1 or 2, STEPS + 1)."""
    if random.random() < 0.3:
        path = path[::-1]
    stop = 1.0
    if path[0] == path[-1]:  # closed: begins at any corner, ends early or late
        path = np.roll(path[:-1], random.integers(len(path)))
        path = np.concatenate([path, path, path[:1]])
        stop = random.normal(0.5, 0.025)
    reach = np.append(0, np.abs(np.diff(path)).cumsum())
    cuts = [0, random.uniform(0.2, 0.8), 1] if random.random() < 0.15 else [0, 1]
    steps = np.linspace(cuts[:-1], cuts[1:], STEPS + 1, axis=1)
    return np.interp(steps * stop * reach[-1], reach, path)


def _cut_corners(random, strokes: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Move each point toward the mean of its neighbours, more for a hasty hand."""
    from scipy.ndimage import uniform_filter1d

    haste = random.random(owner[-1] + 1)[owner, None]
    return strokes + haste * (uniform_filter1d(strokes, 5, mode="nearest") - strokes)


def _wobble(random, strokes: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Add three sines of the way covered, the slower the larger."""
    moves = np.abs(np.diff(strokes, axis=1, prepend=strokes[:, :1]))
    way = moves.cumsum(axis=1)
    unsteady = random.uniform(0.2, 1.2, owner[-1] + 1)[owner, None]
    for low, high in ((0.1, 0.3), (0.3, 0.8), (0.8, 2.0)):
        frequency = random.uniform(low, high, (len(way), 1))
        phase = random.uniform(0, 2 * np.pi, (len(way), 1))
        size = unsteady * _normal(random, 0.05, (len(way), 1)) / (1 + 2 * frequency)
        strokes = strokes + size * np.sin(2 * np.pi * frequency * way + phase)
    return strokes


def _tilt(random, strokes: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Stretch the width, slant and turn, each drawing by its own amounts."""
    drawings = owner[-1] + 1
    wide = np.exp(random.uniform(-0.4, 0.4, drawings))[owner, None]
    slant = random.uniform(-0.2, 0.2, drawings)[owner, None]
    turn = np.exp(1j * np.radians(random.uniform(-18, 18, drawings)))[owner, None]
    return turn * (wide * strokes.real + slant * strokes.imag + 1j * strokes.imag)


def _sample(
    random, strokes: np.ndarray, owner: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Take all points of a drawing, or every second, third or fourth for a fast hand.

    Returns:
        Points (points, 2) end to end, and the stroke (points,) of each.
    """
    speed = random.integers(1, 5, owner[-1] + 1)[owner, None]
    stroke, step = np.nonzero(np.arange(STEPS + 1) % speed == 0)
    points = strokes[stroke, step]
    return np.stack([points.real, points.imag], axis=-1), stroke


def _fit(points: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Scale each drawing to a box whose longer side is `BOX`: (points, 2)."""
    first = np.searchsorted(owner, np.arange(owner[-1] + 1))
    low = np.minimum.reduceat(points, first)
    high = np.maximum.reduceat(points, first)
    scale = BOX / (high - low).max(axis=1)
    return (points - low[owner]) * scale[owner, None]


def _simplify(points: np.ndarray, stroke: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Drop the points that lie near a line between others; see `EPSILON`.

    Points are rounded beforehand, since rounding could put what remains on a line
    again.

    Returns:
        The points that remain, and the stroke of each.
    """
    lines = shapely.linestrings(np.round(points), indices=stroke)
    simple = shapely.simplify(lines, EPSILON, preserve_topology=False)
    return shapely.get_coordinates(simple, return_index=True)


def _encode(points: np.ndarray, stroke: np.ndarray, owner: np.ndarray) -> list:
    """Cut points that lie end to end into drawings; the first point has no row."""
    first = np.searchsorted(owner[stroke], np.arange(owner[-1] + 1))
    rows = np.zeros((len(points), 3), np.int16)
    rows[1:, :2] = np.diff(points, axis=0)
    rows[:, 2] = np.diff(stroke, append=stroke[-1] + 1)
    return [drawing[1:] for drawing in np.split(rows, first[1:])]
