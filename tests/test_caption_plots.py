"""Pictures of scenes and tunes: what is shown, and in which words."""

import numpy as np
from matplotlib.figure import Figure

from rnn_tf.report import caption_plots, plots


def drawn(monkeypatch, draw, *arguments) -> Figure:
    """Draw a picture; return the figure instead of writing it."""
    figures = []
    monkeypatch.setattr(plots, "save", lambda figure, path: figures.append(figure))
    draw("none.png", *arguments)
    return figures[0]


def test_right_scenes_stand_above_wrong_ones_with_what_is_right(monkeypatch):
    """Would catch a wrong caption in the colour of right ones, and no word on it."""
    pictures = np.zeros((5, 4, 4, 1))
    said = ["a one", "a two", "a two", "a two", "an eight above a one"]
    right = ["a one", "a two", "a two", "a one", "an eight above a two"]
    figure = drawn(monkeypatch, caption_plots.scenes, pictures, right, said)
    titles = [axis.title for axis in figure.axes]
    assert [t.get_text() for t in titles[:4]] == ["a one", "a two", "a two", ""]
    assert titles[4].get_text() == "a two\n(it is: a one)"
    assert titles[0].get_color() != titles[4].get_color()


def test_long_captions_break_before_the_last_relation():
    lines = caption_plots._lines
    assert lines("a one") == "a one"
    assert (
        lines("a one above a two left of a six") == "a one above a two\nleft of a six"
    )
    assert (
        lines("a one left of a two above a six") == "a one left of a two\nabove a six"
    )


def test_a_roll_has_a_bar_for_each_note(monkeypatch):
    """Would catch the blank behind the end as a note, and models in wrong rows."""
    notes = np.array([[0, 2, 4, -1], [5, 7, -1, -1]])
    played = {"first": (np.zeros(2, int), notes), "second": (np.zeros(2, int), notes)}
    figure = drawn(
        monkeypatch, caption_plots.tunes, played, lambda k, n: np.array([True, False])
    )
    bars = [len(axis.patches) for axis in figure.axes]
    assert bars == [3, 2, 0, 0, 3, 2, 0, 0]
    assert figure.axes[4].get_ylabel() == "second"
    colours = [axis.patches[0].get_facecolor() for axis in figure.axes[:2]]
    assert colours[0] != colours[1]
