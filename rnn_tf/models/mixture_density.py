"""Mixtures of normal distributions in the plane, as what a network says of a pen.

Of each step a network gives `WIDTH` numbers: 20 mixture logits, 20 means of x, 20 of y,
20 logarithms of sigma x, 20 of sigma y, 20 correlations before tanh; then the logits of
the pen's three states: it goes on, is lifted, has ended. A point is stroke-5, (dx, dy,
and the three states as 0 and 1), with dx and dy as shares of a scale.

Sources: Graves (2013), arXiv:1308.0850, equations 20 to 25; Ha and Eck (2017),
arXiv:1704.03477, for pen states and temperature. In `keras.ops` only.
"""

import math
from typing import NamedTuple

import lazy_loader

keras = lazy_loader.load("keras")

MIXTURES, PENS = 20, 3
WIDTH = 6 * MIXTURES + PENS
# Steps are whole numbers in a box of 255, and many are 0: without a floor a component
# can stand on one number with any density. exp(-4) is some half of a unit.
NARROWEST = -4.0  # log sigma, at least
CORRELATED = 4.0  # before tanh, at most: 1 - rho * rho is 0.0013 there
NOISE = 4  # numbers that a draw takes: two uniform, 0 to 1, and two normal


class Mixture(NamedTuple):
    """What the numbers of a step mean; all (..., MIXTURES) but the pen."""

    logits: object
    x: object
    y: object
    log_sigma_x: object
    log_sigma_y: object
    correlation: object  # before tanh
    pen: object  # (..., PENS) logits


def split(outputs) -> Mixture:
    """Split outputs, (..., WIDTH), into their parts, within their limits."""
    parts = [outputs[..., n * MIXTURES : (n + 1) * MIXTURES] for n in range(6)]
    logits, x, y, *sigmas, correlation = parts
    sigmas = [keras.ops.maximum(sigma, NARROWEST) for sigma in sigmas]
    correlation = keras.ops.clip(correlation, -CORRELATED, CORRELATED)
    return Mixture(logits, x, y, *sigmas, correlation, outputs[..., 6 * MIXTURES :])


def log_density(outputs, steps):
    """Return the logarithm of the density of steps: (...).

    Args:
        outputs: (..., WIDTH).
        steps: (..., 2), dx and dy as shares of the scale.
    """
    ops, mixture = keras.ops, split(outputs)
    rho = ops.tanh(mixture.correlation)
    left = 1 - rho * rho
    x = (steps[..., 0:1] - mixture.x) * ops.exp(-mixture.log_sigma_x)
    y = (steps[..., 1:2] - mixture.y) * ops.exp(-mixture.log_sigma_y)
    logs = -0.5 * (x * x + y * y - 2 * rho * x * y) / left - 0.5 * ops.log(left)
    logs = logs - mixture.log_sigma_x - mixture.log_sigma_y - math.log(2 * math.pi)
    weights = mixture.logits - ops.logsumexp(mixture.logits, axis=-1, keepdims=True)
    return ops.logsumexp(weights + logs, axis=-1)


def nats(points, outputs) -> tuple:
    """Return what points cost, in nats: their steps, and the states of the pen.

    Where a drawing has ended there is no step, which then costs nothing.

    Args:
        points: (..., 5), stroke-5.
        outputs: (..., WIDTH).

    Returns:
        Two of (...).
    """
    ops = keras.ops
    points, outputs = (ops.convert_to_tensor(x, "float32") for x in (points, outputs))
    steps = -log_density(outputs, points[..., :2]) * (1 - points[..., 4])
    logits = outputs[..., 6 * MIXTURES :]
    logs = logits - ops.logsumexp(logits, axis=-1, keepdims=True)
    return steps, -ops.sum(points[..., 2:] * logs, axis=-1)


def loss(points, outputs):
    """Return the nats of each point, step and pen: (...); a Keras loss and metric."""
    steps, pen = nats(points, outputs)
    return steps + pen


def sample(outputs, noise, temperature):
    """Draw a point from each mixture.

    Logits are divided by the temperature and sigma is multiplied by its square root
    (Ha and Eck, 2017, equation 8).

    Args:
        outputs: (rows, WIDTH).
        noise: (rows, NOISE): two numbers that are uniform from 0 to 1, two normal ones.
        temperature: above 0; 1 draws as the network expects.

    Returns:
        (rows, 5), stroke-5. Where the pen has ended the step is 0.
    """
    ops, mixture = keras.ops, split(outputs)
    chosen = _choose(mixture.logits / temperature, noise[:, 0:1])
    pen = _choose(mixture.pen / temperature, noise[:, 1:2])
    parts = (ops.sum(chosen * part, axis=-1, keepdims=True) for part in mixture[1:6])
    x, y, sigma_x, sigma_y, correlation = parts
    rho, wide = ops.tanh(correlation), ops.sqrt(temperature)
    first, second = noise[:, 2:3], noise[:, 3:4]
    second = rho * first + ops.sqrt(1 - rho * rho) * second
    x = x + wide * ops.exp(sigma_x) * first
    y = y + wide * ops.exp(sigma_y) * second
    goes_on = 1 - pen[:, 2:]
    return ops.concatenate([x * goes_on, y * goes_on, pen], axis=-1)


def _choose(logits, uniform):
    """Choose one of each row: (rows, n) and (rows, 1) -> (rows, n) of 0 and one 1."""
    ops = keras.ops
    # Of sums of probabilities the last may be rounded to less than 1.
    below = ops.cumsum(ops.softmax(logits, axis=-1), axis=-1)[:, :-1] < uniform
    place = ops.sum(ops.cast(below, "int32"), axis=-1)
    return ops.one_hot(place, logits.shape[-1])
