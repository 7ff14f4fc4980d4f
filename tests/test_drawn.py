"""What networks draw: are drawings compared as the page says, and counted right?"""

import numpy as np
import pytest

from rnn_tf.data.drawings import ndjson, store, stroke3, svg
from rnn_tf.data.drawings.stroke3 import BadDrawing, Choice
from rnn_tf.models.drawing import Drawn
from rnn_tf.studies import drawn
from rnn_tf.studies.drawn import Sample
from rnn_tf.studies.judges import Judges

# Right, then with the pen up, then down on the right side.
DRAWING = np.array([[100, 0, 1], [155, 0, 0], [0, 200, 1]], "int16")


def test_a_drawing_is_followed_along_its_lines_alone():
    """Would catch points that lie where the pen was in the air."""
    x, y = drawn.outline(DRAWING).reshape(2, drawn.POINTS)
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 255, 200)
    on_first = np.isclose(y, 0) & (x <= 100)
    on_second = np.isclose(x, 255)
    assert (on_first | on_second).all()
    assert on_first.sum() == 11  # 100 of 300 units, at 31 steps from the first


def test_distances_are_in_units_of_the_box():
    """Would catch sums in place of means: every point is 3 and 4 away, so 5."""
    rows = drawn.outlines([DRAWING])
    moved = rows + np.repeat([3.0, 4.0], drawn.POINTS) / np.sqrt(drawn.POINTS)
    assert np.linalg.norm(rows - moved) == pytest.approx(5)
    nearest = drawn.nearest_training(store.pack([DRAWING], np.zeros(1)))
    assert nearest(moved) == pytest.approx([5])
    assert drawn.variety(np.concatenate([rows, moved]), np.array(["a", "a"])) == (
        pytest.approx(5)
    )


def test_a_row_by_hand():
    """Would catch empty drawings that are left out of what was asked for."""
    far = np.array([[0, 255, 0], [3, -255, 0], [3, 255, 1]], "int16")
    sample = Sample(
        [DRAWING, far, None, DRAWING],
        np.array(["a", "b", "b", "b"]),
        np.array([True, True, False, True]),
        [far],
        np.array(["a"]),
    )
    judges = Judges(
        lambda some: np.array(["a" if d is DRAWING else "b" for d in some]),
        lambda some: np.array(["b"] * len(some)),
    )
    nearest = drawn.nearest_training(store.pack([DRAWING], np.zeros(1)))
    row = drawn.row(sample, judges, nearest)
    assert (row["n"], row["recognised"], row["recognised_by_other"]) == (4, 50, 50)
    assert (row["choice"], row["ended"], row["near_copies"]) == (0, 75, 50)
    assert row["nearest"] == 0


def test_the_temperature_is_chosen_over_the_seeds_and_not_by_what_is_reported():
    """Would catch a choice by the numbers that stand in the table."""
    rows = [{"model": "test drawings", "seed": "", "temperature": "", "chosen": ""}]
    for seed, heights in ((1, (50, 60)), (2, (90, 50))):
        for temperature, choice in zip((0.2, 0.5), heights, strict=True):
            row = {"model": "lstm", "seed": seed, "temperature": temperature}
            rows.append(row | {"choice": choice, "recognised": 100 - choice})
    drawn.choose(rows)
    assert [row["chosen"] for row in rows] == ["", 1, 0, 1, 0]


def test_what_was_drawn_fits_the_box_and_can_be_read_again():
    """Would catch drawings that `predict` and --data refuse."""
    points = np.zeros((2, 4, 5), "float32")
    points[0, :3] = [[1, 0, 1, 0, 0], [0, 2.5, 1, 0, 0], [-1, 0, 1, 0, 0]]
    first, second = drawn.to_drawings(Drawn(points, np.array([3, 0]), np.ones(2, bool)))
    assert first.tolist() == [[102, 0, 0], [0, 255, 0], [-102, 0, 1]]
    assert second is None
    line = ndjson.encode(first, "cat")
    assert ndjson.decode(line.encode(), Choice(), "cat")[1].tolist() == first.tolist()
    for drawing in (DRAWING, np.array([[3, 4, 1], [9, 9, 1], [240, 1, 1]], "int16")):
        again = ndjson.decode(ndjson.encode(drawing, "cat").encode(), Choice())[1]
        assert again.tolist() == drawing.tolist()


@pytest.mark.parametrize("rows", [np.zeros((0, 3)), np.zeros((2, 3)), [[np.nan, 0, 1]]])
def test_what_is_no_drawing_is_said_to_be_none(rows):
    with pytest.raises(BadDrawing):
        stroke3.fit_box(np.array(rows))


def test_the_picture_has_a_path_for_each_drawing_and_no_markup_of_its_own():
    """Would catch a title that breaks out of the SVG, and a stroke that is lost."""
    from xml.etree import ElementTree

    text = svg.grid([DRAWING] * 5, "a<b&c")
    root = ElementTree.fromstring(text)
    assert root.find("{*}title").text == "a<b&c"
    paths = root.findall("{*}g/{*}path")
    assert [path.get("d").count("M") for path in paths] == [2] * 5
    assert root.get("viewBox") == f"0 0 {3 * svg.CELL} {2 * svg.CELL}"
    assert paths[0].get("d").startswith(f"M{svg.MARGIN},{svg.MARGIN + 27.5} L")
