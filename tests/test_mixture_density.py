"""Mixtures of normal distributions: their density, and draws from them."""

import keras
import numpy as np
import pytest
from scipy import stats

from rnn_tf.models import mixture_density as density


def outputs(**parts) -> np.ndarray:
    """The numbers of a step, (1, WIDTH): components that are alike but for `parts`."""
    names = "logits x y log_sigma_x log_sigma_y correlation".split()
    columns = [
        np.broadcast_to(parts.get(name, 0.0), density.MIXTURES) for name in names
    ]
    pen = parts.get("pen", [0.0, 0.0, 0.0])
    return np.concatenate([*columns, pen])[None].astype("float32")


def numpy(x) -> np.ndarray:
    return keras.ops.convert_to_numpy(x)


def test_the_density_is_that_of_scipy():
    """Would catch a swapped axis, a wrong determinant, or weights that add up to 2."""
    random = np.random.default_rng(1)
    numbers = random.normal(size=(5, density.WIDTH)).astype("float32")
    steps = random.normal(size=(5, 2)).astype("float32")
    parts = [numpy(part).astype(float) for part in density.split(numbers)]
    logits, x, y, log_x, log_y, correlation, _ = parts
    weights = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = np.zeros(5)
    for row in range(5):
        for n in range(density.MIXTURES):
            sigma = np.exp([log_x[row, n], log_y[row, n]])
            both = np.tanh(correlation[row, n]) * sigma[0] * sigma[1]
            covariance = [[sigma[0] ** 2, both], [both, sigma[1] ** 2]]
            normal = stats.multivariate_normal([x[row, n], y[row, n]], covariance)
            expected[row] += weights[row, n] * normal.pdf(steps[row])
    found = numpy(density.log_density(numbers, steps))
    assert found == pytest.approx(np.log(expected), abs=1e-4)


def test_what_lies_far_away_costs_what_it_should():
    """Would catch densities that are added before the logarithm: log(0)."""
    found = numpy(density.log_density(outputs(), np.array([[100.0, 0.0]], "float32")))
    assert found == pytest.approx(-np.log(2 * np.pi) - 5000)


def test_no_component_can_stand_on_one_number():
    """Steps are whole numbers: would catch a density without end on one of them."""
    narrow = outputs(log_sigma_x=-50.0, log_sigma_y=-50.0, correlation=50.0)
    found = float(numpy(density.log_density(narrow, np.zeros((1, 2), "float32")))[0])
    left = 1 - np.tanh(density.CORRELATED) ** 2
    highest = -np.log(2 * np.pi) - 2 * density.NARROWEST - 0.5 * np.log(left)
    assert found == pytest.approx(highest, abs=1e-2)


def test_the_pen_is_paid_for_at_the_end_and_the_step_is_not():
    """Would catch a loss that asks for a step where a drawing has ended."""
    numbers = np.repeat(outputs(pen=np.log([0.5, 0.25, 0.25])), 3, axis=0)
    points = np.array([[0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [9, 9, 0, 0, 1]], "float32")
    steps, pen = map(numpy, density.nats(points, numbers))
    assert steps == pytest.approx([np.log(2 * np.pi)] * 2 + [0], abs=1e-5)
    assert pen == pytest.approx(-np.log([0.5, 0.25, 0.25]), abs=1e-5)
    assert numpy(density.loss(points, numbers)) == pytest.approx(steps + pen)


def drawn(numbers: np.ndarray, temperature: float, count: int = 20_000) -> np.ndarray:
    """Draw points of one step: (count, 5)."""
    random = np.random.default_rng(1)
    noise = np.concatenate(
        [random.random((count, 2)), random.normal(size=(count, 2))], 1
    )
    rows = np.repeat(numbers, count, axis=0)
    temperatures = np.full((count, 1), temperature, "float32")
    return numpy(density.sample(rows, noise.astype("float32"), temperatures))


@pytest.mark.parametrize("temperature", [1.0, 0.25])
def test_draws_have_the_moments_that_the_network_gave(temperature):
    """Would catch a sigma that is divided by the temperature, or not by its root."""
    numbers = outputs(x=3.0, y=-1.0, log_sigma_x=0.0, log_sigma_y=-1.0, correlation=0.8)
    steps = drawn(numbers, temperature)[:, :2]
    steps = steps[(steps != 0).any(axis=1)]  # the pen has not ended
    assert steps.mean(axis=0) == pytest.approx([3, -1], abs=0.03)
    wide = np.sqrt(temperature)
    assert steps.std(axis=0) == pytest.approx([wide, wide * np.exp(-1)], rel=0.03)
    assert np.corrcoef(steps.T)[0, 1] == pytest.approx(np.tanh(0.8), abs=0.02)


def test_temperature_sharpens_the_mixture_and_the_pen():
    """Would catch one that is left out: p ** (1 / 0.5), 16 : 1 and 4 : 1 : 1."""
    logits = np.full(density.MIXTURES, -50.0)
    logits[:2] = np.log([4, 1])
    place = np.zeros(density.MIXTURES)
    place[1] = 10.0
    narrow = {"log_sigma_x": -4.0, "log_sigma_y": -4.0}
    numbers = outputs(logits=logits, x=place, y=5.0, pen=np.log([2, 1, 1]), **narrow)
    points = drawn(numbers, 0.5)
    assert points[:, 2:].mean(axis=0) == pytest.approx([4 / 6, 1 / 6, 1 / 6], abs=0.01)
    on = points[points[:, 4] == 0]
    assert (on[:, 0] > 5).mean() == pytest.approx(1 / 17, abs=0.006)
    assert (points[points[:, 4] == 1][:, :2] == 0).all()


def test_a_number_just_below_one_chooses_the_last():
    """Would catch a place after the last, where sums are rounded to less than 1."""
    logits = np.zeros((1, 3), "float32")
    chosen = density._choose(logits, np.array([[0.99999997]], "float32"))
    assert numpy(chosen).tolist() == [[0, 0, 1]]
