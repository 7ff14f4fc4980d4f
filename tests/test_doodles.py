"""Doodles: reproducible, in the promised format, varied, and no bag of points."""

import numpy as np
import pytest
import shapely

from rnn_tf.data.drawings.doodles import CLASSES, EPSILON, ROUNDS, doodles

COUNT = 2 * ROUNDS * len(CLASSES) + 7  # two blocks and the beginning of a third


@pytest.fixture(scope="module")
def some() -> tuple[list[np.ndarray], np.ndarray]:
    return doodles(COUNT)


def _points(drawing: np.ndarray) -> np.ndarray:
    """(points, 2): absolute, with the box's corner at 0, 0; the first has no row."""
    points = np.pad(drawing[:, :2].astype(int), [(1, 0), (0, 0)]).cumsum(axis=0)
    return points - points.min(axis=0)


def _strokes(drawing: np.ndarray) -> list[np.ndarray]:
    ends = np.flatnonzero(drawing[:, 2])[:-1] + 2
    return np.split(_points(drawing), ends)


def _of(name: str, count: int = 1200) -> list[np.ndarray]:
    """All drawings of a class among the first `count`."""
    drawings, labels = doodles(count)
    return [d for d, i in zip(drawings, labels, strict=True) if CLASSES[i] == name]


def _same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(map(np.array_equal, one, other))


# ------------------------------------------------------------------- the set


def test_the_same_seed_gives_other_drawings(some):
    again, labels = doodles(COUNT)
    assert _same(some[0], again)
    assert np.array_equal(some[1], labels)


def test_another_seed_gives_the_same_drawings(some):
    drawings, labels = doodles(COUNT, seed=2)
    assert not np.array_equal(some[1], labels)
    assert not {d.tobytes() for d in drawings} & {d.tobytes() for d in some[0]}


@pytest.mark.parametrize("count", [0, 1, 13, ROUNDS * len(CLASSES), COUNT - 1])
def test_a_drawing_depends_on_how_many_there_are(some, count):
    drawings, labels = doodles(count)
    assert labels.shape == (count,)
    assert _same(drawings, some[0][:count])
    assert np.array_equal(labels, some[1][:count])


def test_a_class_is_rare_or_classes_come_in_order(some):
    labels = some[1]
    assert np.issubdtype(labels.dtype, np.integer)
    counts = np.bincount(labels, minlength=len(CLASSES))
    assert counts.max() - counts.min() <= 1
    rounds = labels[: COUNT // len(CLASSES) * len(CLASSES)].reshape(-1, len(CLASSES))
    assert len(np.unique(rounds, axis=0)) == len(rounds)


# ------------------------------------------------------------------- the format


def test_a_row_is_not_dx_dy_and_pen(some):
    for drawing in some[0]:
        assert drawing.dtype == np.int16
        assert drawing.shape[1:] == (3,)
        assert 1 <= len(drawing) <= 200
        assert set(drawing[:, 2]) <= {0, 1}
        assert drawing[-1, 2] == 1


def test_a_stroke_is_a_single_point(some):
    """Would catch pen marks that have slipped by a row."""
    for drawing in some[0]:
        assert min(map(len, _strokes(drawing))) >= 2


def test_a_drawing_does_not_fill_its_box(some):
    """Simplifying may cut a tip by epsilon on either side, rounding by half a unit."""
    for drawing in some[0]:
        assert 255 - 2 * EPSILON - 1 <= _points(drawing).max() <= 255


def test_points_on_a_line_are_left_over(some):
    """What Ramer, Douglas and Peucker's algorithm leaves, it leaves again."""
    lines = [shapely.LineString(s) for d in some[0] for s in _strokes(d)]
    again = shapely.simplify(lines, EPSILON, preserve_topology=False)
    assert len(lines) > COUNT
    assert shapely.equals_exact(lines, again).all()


# ------------------------------------------------------------------- the hand


def test_two_drawings_are_the_same(some):
    assert len({drawing.tobytes() for drawing in some[0]}) == COUNT


def test_strokes_always_come_in_the_same_order():
    """The head of a face is its longest stroke, unless it is cut in two."""
    lengths = [list(map(len, _strokes(face))) for face in _of("smiley")]
    first = np.mean([np.argmax(length) == 0 for length in lengths])
    assert 0.4 < first < 0.95


def test_a_closed_shape_always_begins_at_the_same_corner_or_turns_the_same_way():
    whole = [s[0] for s in map(_strokes, _of("square")) if len(s) == 1]
    corners = {tuple(s[0] > s.max(axis=0) / 2) for s in whole}
    assert len(corners) == 4
    clockwise = [shapely.LinearRing(s).is_ccw for s in whole if len(s) > 3]
    assert 0.2 < np.mean(clockwise) < 0.8


def test_a_closed_shape_always_closes():
    whole = [s[0] for s in map(_strokes, _of("circle")) if len(s) == 1]
    gaps = np.array([np.hypot(*(s[-1] - s[0])) for s in whole])
    assert np.mean(gaps > 25) > 0.2
    assert np.mean(gaps < 10) > 0.05


def test_a_circle_always_is_one_stroke():
    """Would catch strokes that are never cut, and stray ones that are missing."""
    strokes = np.array([len(_strokes(circle)) for circle in _of("circle")])
    assert {1, 2, 3} <= set(strokes)
    assert np.mean(strokes == 1) > 0.5


def test_the_hand_trembles():
    """Would catch white noise: a circle that is drawn slowly bends one way."""
    agree = []
    for stroke in (s for d in _of("circle") for s in _strokes(d) if len(s) > 8):
        dx, dy = np.diff(stroke, axis=0).T
        bends = np.sign(dx[:-1] * dy[1:] - dy[:-1] * dx[1:])
        agree.append(abs(bends.mean()))
    assert np.mean(agree) > 0.9


# ------------------------------------------------------------------- the difficulty


@pytest.mark.parametrize("what", ["points", "moves"])
def test_a_bag_of_points_tells_the_classes(what):
    """Logistic regression on a 16 x 16 histogram: better than chance, far from good."""
    from sklearn.linear_model import LogisticRegression

    drawings, labels = doodles(2400)
    bags = np.array([_bag(drawing, what) for drawing in drawings])
    model = LogisticRegression(C=0.1, tol=0.01).fit(bags[:1800], labels[:1800])
    assert 0.4 < model.score(bags[1800:], labels[1800:]) < 0.8


def _bag(drawing: np.ndarray, what: str) -> np.ndarray:
    """(256,): how many points, or moves from one to the next, each cell holds.

    The root of it, as counts are skewed: the model fits faster and better.
    """
    low, points = (0, _points(drawing)) if what == "points" else (-256, drawing[:, :2])
    cells = np.histogram2d(*points.T, bins=16, range=[[low, 256]] * 2)[0]
    return np.sqrt(cells.ravel())
