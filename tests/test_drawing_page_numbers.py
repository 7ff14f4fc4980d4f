"""The networks of the drawing page, in a browser, against Keras and Python."""

import functools
import json
import math

import numpy as np
import pytest

from experiments import draw
from rnn_tf.data.drawings import ndjson, store
from rnn_tf.data.drawings.stroke3 import Choice
from rnn_tf.recipe.saved_model import load_model
from tests.drawing_runs import (
    NAMES,
    SCALE,
    classifier_run,
    generator_run,
    raw_drawings,
    strokes_of,
)

DRAWINGS = 200
CLASSIFIERS = [("conv_lstm", 1), ("conv_bilstm", 2), ("lstm", 1)]


@pytest.fixture(scope="module")
def raws() -> list:
    """Raw drawings, and some that are hardly any."""
    odd = [
        [[[5, 5], [7, 7], [0, 9]]],  # a dot
        [[[5, 5], [7, 7], [0, 9]], [[9], [9], [20]]],  # two
        [[[0, 10, 20, 20, 0, 0], [0, 0, 0, 20, 20, 0], [0, 1, 2, 3, 4, 5]]],  # closed
        [[[1, 2, 3, 4, 4, 1], [1, 2, 3, 4, 4, 1], [0, 1, 2, 3, 4, 5]]],  # and back
        [[[0, 51, 102, 153, 510], [0, 1, 2, 1, 510], [0, 1, 2, 3, 4]]],  # halves
    ]
    return [*raw_drawings(DRAWINGS), *odd]


@pytest.fixture(scope="module")
def prepared(raws) -> list[np.ndarray]:
    """The moves of these drawings, as Python prepares them."""
    lines = (json.dumps({"drawing": raw}).encode() for raw in raws)
    return [ndjson.decode(line, Choice())[1] for line in lines]


@pytest.fixture(scope="module")
def opened(browser, tmp_path_factory):
    """Open the page of two runs."""
    folder = tmp_path_factory.mktemp("draw")
    drawn = generator_run(folder / "generate")

    @functools.cache
    def open_page(name: str = "conv_lstm", members: int = 1):
        run = classifier_run(folder / name / "sketch", name, members)
        draw.main(run, drawn, results=folder / name)
        page = browser.new_page()
        page.goto((folder / name / "draw.html").as_uri())
        return page, {"sketch": load(run), "generate": load(drawn)}

    @functools.cache
    def load(run):
        return load_model(run / "made.keras")

    return open_page


@pytest.mark.parametrize(("name", "members"), CLASSIFIERS)
def test_guesses_are_those_of_keras_from_raw_points_on(
    opened, raws, prepared, name, members
):
    """Would catch gates in another order, padding that moves, a sum that is no mean."""
    page, models = opened(name, members)
    given = page.evaluate(
        "drawings => drawings.map(d => [...classify(classifier, prepare(d))])",
        [strokes_of(raw) for raw in raws],
    )
    part = store.pack(prepared, np.zeros(len(prepared)))
    steps = max(24, part.lengths.max())
    inputs = part.stroke5(np.arange(len(prepared)), steps, scale=1.0)
    expected = models["sketch"].predict(inputs, verbose=0)
    assert len({row.argmax() for row in expected}) > 2  # weights that say something
    difference = np.abs(np.array(given) - expected).max()
    assert difference < 1e-4


def test_moves_are_those_of_python_to_the_last_unit(opened, raws, prepared):
    """Would catch 0.5 rounded up, and a simplification that keeps other points."""
    page, _ = opened("conv_lstm", 1)
    given = page.evaluate(
        "drawings => drawings.map(d => prepare(d))", [strokes_of(raw) for raw in raws]
    )
    assert given == [moves.tolist() for moves in prepared]
    assert min(map(len, given[:DRAWINGS])) > 1
    # Of a part of a drawing: in a box with a longer side.
    half = page.evaluate("prepare([[[0, 0], [255, 0], [255, 100]]], 510)")
    assert half == [[128, 0, 0], [0, 50, 1]]  # 127.5 to even


def test_what_the_generator_says_is_what_keras_says(opened, prepared):
    """Would catch a class that is read one row off, or a state that begins at 0."""
    page, models = opened("conv_lstm", 1)
    for label, moves in enumerate(prepared[: len(NAMES)]):
        part = store.pack([moves], np.zeros(1))
        points = part.stroke5(np.arange(1), len(moves), 1.0)
        before = np.concatenate([[[[0, 0, 1, 0, 0]]], points[:, :-1]], axis=1)
        inputs = [before, np.array([label])]
        expected = models["generate"].predict(inputs, verbose=0)[0]
        given = page.evaluate(
            """([label, points]) => {
              const state = beginDrawing(generator, label);
              return points.map((point) => [...nextMixture(generator, state, point)]);
            }""",
            [label, (before[0] / [SCALE, SCALE, 1, 1, 1]).tolist()],
        )
        assert np.abs(np.array(given) - expected).max() < 1e-4
        assert np.abs(expected).max() > 0.5


def sample(page, outputs, temperature, numbers):
    """Draw a point with uniform numbers that are given."""
    return page.evaluate(
        """([outputs, degrees, numbers]) =>
          samplePoint(Float32Array.from(outputs), degrees, () => numbers.shift())""",
        [outputs, temperature, numbers],
    )


def test_points_are_drawn_as_ha_and_eck_have_it(opened):
    """Would catch a temperature that misses sigma, the weights or the pen."""
    page, _ = opened("conv_lstm", 1)
    outputs = np.zeros(123)
    outputs[:20] = -30
    outputs[[2, 5]] = 0.0, math.log(3)  # of two mixtures the second has 3 of 4
    outputs[20 + 5], outputs[40 + 5] = 1.5, -0.5
    outputs[60 + 5], outputs[80 + 5] = math.log(0.2), -9.0  # the floor: exp(-4)
    outputs[100 + 5] = 0.5
    outputs[120:] = math.log(0.5), math.log(0.25), math.log(0.25)
    # Box and Muller's first number: sqrt(-2 log 0.5) = 1.17741 at angle 0; second: 0.
    x, y, *pen = sample(page, outputs.tolist(), 1.0, [0.3, 0.6, 0.5, 0.0])
    rho = math.tanh(0.5)
    assert x == pytest.approx(1.5 + 0.2 * 1.17741, abs=1e-5)
    assert y == pytest.approx(-0.5 + math.exp(-4) * rho * 1.17741, abs=1e-5)
    assert pen == [0, 1, 0]
    # At 0.25 weights are to the 4th power: 1 and 81, 16 to 1 to 1; sigma is halved.
    x, y, *pen = sample(page, outputs.tolist(), 0.25, [0.02, 0.8, 0.5, 0.0])
    assert x == pytest.approx(1.5 + 0.1 * 1.17741, abs=1e-5)
    assert pen == [1, 0, 0]
    assert sample(page, outputs.tolist(), 1.0, [0.3, 0.8]) == [0, 0, 0, 0, 1]
    first, *_ = sample(page, outputs.tolist(), 1.0, [0.2, 0.1, 0.0, 0.0])
    assert first == 0  # the other mixture, at its mean


def test_a_drawing_goes_on_to_its_end_or_to_the_limit(opened):
    """Would catch a generator that begins anew, or never stops."""
    page, _ = opened("conv_lstm", 1)
    points, ended = page.evaluate(
        """() => {
          const before = [[1, 0, 1, 0, 0], [0, 1, 0, 1, 0]];
          const { points, ended } = goOn(generator, 1, before, 0.5, 9, () => 0.01);
          return [points, ended];
        }"""
    )
    assert not ended
    assert len(points) == 7
    count, ended = page.evaluate(
        """() => {
          const never = { ...generator, tensors: { ...generator.tensors } };
          const bias = generator.tensors["mixture.bias"];
          never.tensors["mixture.bias"] = { ...bias, data: bias.data.map(
            (x, n) => n === 122 ? 99 : x) };
          const { points, ended } = goOn(never, 1, [], 0.5, 9);
          return [points.length, ended];
        }"""
    )
    assert (count, ended) == (0, True)
