"""Step through recurrent cells in NumPy, float64, with the Jacobians of every step.

Written out by hand, so that what one step does to a gradient can be read; Keras's
layers are the judge (tests). Weights are in Keras's order, `layer.get_weights()`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnn_tf.errors import InputError

SATURATED = 0.99  # a tanh beyond it has a slope below 0.02


@dataclass(frozen=True)
class Steps:
    """What a cell did over one sequence, step by step."""

    states: np.ndarray  # (steps, state): h, and for an LSTM h and c
    by_state: np.ndarray  # (steps, state, state): d state / d state before
    by_input: np.ndarray  # (steps, state, features): d state / d input
    units: int  # the first so many of the state are the output h
    saturated: float  # share of tanh beyond +-0.99; of ReLU, of units that are off


# activation -> its value, its slope from that value, and whether a unit is saturated
ACTIVATIONS = {
    "tanh": (np.tanh, lambda h: 1 - h**2, lambda h: np.abs(h) > SATURATED),
    "relu": (lambda a: np.maximum(a, 0), lambda h: (h > 0) * 1.0, lambda h: h <= 0),
    "linear": (lambda a: a, np.ones_like, lambda h: np.zeros_like(h, bool)),
}


def simple_rnn(x, state, weights, activation: str):
    """Step a SimpleRNN: h = f(x W + h U + b).

    d h / d h before = diag(f') U^T, d h / d x = diag(f') W^T.

    Args:
        x: (features,).
        state: (units,), h before.
        weights: W (features, units), U (units, units), b (units,).
        activation: a name of ACTIVATIONS.

    Returns:
        The state after, its Jacobians by state and by input, and which units are
        saturated.
    """
    kernel, recurrent, bias = weights
    function, slope, saturated = ACTIVATIONS[activation]
    h = function(x @ kernel + state @ recurrent + bias)
    slopes = slope(h)[:, None]
    return h, slopes * recurrent.T, slopes * kernel.T, saturated(h)


def lstm(x, state, weights, _):
    """Step an LSTM: c = f c + i g, h = o tanh(c); see `layer_shapes.lstm_gates`.

    Args:
        x: (features,).
        state: (2 units,), h and c before.
        weights: W (features, 4 units), U (units, 4 units), b (4 units,).

    Returns:
        As `simple_rnn`, of the state h and c.
    """
    kernel, recurrent, bias = weights
    h, c = np.split(state, 2)
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4)
    i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
    new_c = f * c + i * g
    squashed = np.tanh(new_c)
    slopes = g * i * (1 - i), c * f * (1 - f), i * (1 - g**2), squashed * o * (1 - o)
    through = (o * (1 - squashed**2))[:, None]  # d h / d c at the same step

    def jacobian(matrix):
        """By h or by x: through the gates to c, then to h."""
        quarters = np.split(matrix.T, 4)
        parts = [s[:, None] * m for s, m in zip(slopes, quarters, strict=True)]
        by_c = sum(parts[:3])
        return np.vstack([through * by_c + parts[3], by_c])

    by_c = np.vstack([through * np.diag(f), np.diag(f)])
    by_state = np.hstack([jacobian(recurrent), by_c])
    states = np.concatenate([o * squashed, new_c])
    return states, by_state, jacobian(kernel), np.abs(squashed) > SATURATED


def gru(x, state, weights, _):
    """Step a GRU: h = z h + (1 - z) g; see `layer_shapes.gru_states`.

    Args:
        x: (features,).
        state: (units,), h before.
        weights: W (features, 3 units), U (units, 3 units), b and u (2, 3 units).

    Returns:
        As `simple_rnn`.
    """
    kernel, recurrent, (input_bias, state_bias) = weights
    x_z, x_r, x_g = np.split(x @ kernel + input_bias, 3)
    h_z, h_r, h_g = np.split(state @ recurrent + state_bias, 3)
    z, r = _sigmoid(x_z + h_z), _sigmoid(x_r + h_r)
    g = np.tanh(x_g + r * h_g)
    to_z = ((state - g) * z * (1 - z))[:, None]
    to_g = ((1 - z) * (1 - g**2))[:, None]
    to_r = to_g * (h_g * r * (1 - r))[:, None]
    u_z, u_r, u_g = np.split(recurrent.T, 3)
    w_z, w_r, w_g = np.split(kernel.T, 3)
    by_state = np.diag(z) + to_z * u_z + to_r * u_r + to_g * r[:, None] * u_g
    by_input = to_z * w_z + to_r * w_r + to_g * w_g
    return z * state + (1 - z) * g, by_state, by_input, np.abs(g) > SATURATED


CELLS: dict[str, Callable] = {"simple_rnn": simple_rnn, "lstm": lstm, "gru": gru}


def unroll(cell: str, weights, inputs: np.ndarray, activation: str = "tanh") -> Steps:
    """Step a cell through one sequence, from a state of zeros.

    Args:
        cell: a name of CELLS.
        weights: arrays in Keras's order.
        inputs: (steps, features).
        activation: of a SimpleRNN; the gated cells have their own.
    """
    if cell not in CELLS:
        raise InputError(f"cell is {cell!r}; choose of {', '.join(CELLS)}")
    weights = [np.asarray(w, np.float64) for w in weights]
    units = len(weights[1])
    state = np.zeros(2 * units if cell == "lstm" else units)
    rows = []
    for x in np.asarray(inputs, np.float64):
        rows.append(CELLS[cell](x, state, weights, activation))
        state = rows[-1][0]
    states, by_state, by_input, saturated = map(np.stack, zip(*rows, strict=True))
    return Steps(states, by_state, by_input, units, float(saturated.mean()))


def _sigmoid(a: np.ndarray) -> np.ndarray:
    """Compute the logistic function."""
    from scipy.special import expit

    return expit(a)


# ---------------------------------------------------------------- weights

WEIGHTS = "identity", "orthogonal", "gaussian", "non_normal"


def recurrent_weights(
    kind: str, units: int, gain: float, random: np.random.Generator
) -> np.ndarray:
    """Draw a recurrent kernel: (units, units).

    | kind       | before the gain                  | singular values | radius |
    | ---------- | -------------------------------- | --------------- | ------ |
    | identity   | 1 on the diagonal                | all 1           | 1      |
    | orthogonal | a random rotation or reflection  | all 1           | 1      |
    | gaussian   | normal, variance 1 / units       | 0 to about 2    | near 1 |
    | non_normal | a triangle, rotated: -0.5 to 0.5 | 0 to about 3    | 0.5    |
    |            | on the diagonal, normal above it |                 |        |

    Args:
        kind: a name of WEIGHTS.
        units: of the layer.
        gain: what the kernel is multiplied by, above 0.
        random: where it is drawn from.
    """
    if kind not in WEIGHTS:
        raise InputError(f"weights are {kind!r}; choose of {', '.join(WEIGHTS)}")
    if kind == "identity":
        return gain * np.eye(units)
    if kind == "orthogonal":
        return gain * orthogonal(units, units, random)
    normal = random.normal(scale=units**-0.5, size=(units, units))
    if kind == "gaussian":
        return gain * normal
    turn = orthogonal(units, units, random)
    triangle = np.diag(np.linspace(-0.5, 0.5, units)) + np.triu(2 * normal, k=1)
    return gain * turn @ triangle @ turn.T


def orthogonal(rows: int, columns: int, random: np.random.Generator) -> np.ndarray:
    """Draw a matrix with orthonormal rows, as Keras's Orthogonal: rows <= columns.

    Source: Saxe, McClelland and Ganguli (2014).
    """
    q, r = np.linalg.qr(random.normal(size=(columns, rows)))
    return (q * np.sign(np.diag(r))).T


def glorot(rows: int, columns: int, random: np.random.Generator) -> np.ndarray:
    """Draw a kernel as Keras's GlorotUniform. Source: Glorot and Bengio (2010)."""
    limit = np.sqrt(6 / (rows + columns))
    return random.uniform(-limit, limit, (rows, columns))


def initial_weights(
    cell: str,
    features: int,
    units: int,
    random: np.random.Generator,
    kind: str = "orthogonal",
    gain: float = 1.0,
    forget_bias: float = 1.0,
) -> list[np.ndarray]:
    """Draw the weights of a fresh layer, in Keras's order.

    A SimpleRNN's recurrent kernel is of the given kind and gain; those of LSTM and GRU
    are Keras's own, with the forget bias of an LSTM set.
    """
    if cell not in CELLS:
        raise InputError(f"cell is {cell!r}; choose of {', '.join(CELLS)}")
    if cell == "simple_rnn":
        recurrent = recurrent_weights(kind, units, gain, random)
        return [glorot(features, units, random), recurrent, np.zeros(units)]
    gates = {"lstm": 4, "gru": 3}[cell]
    kernel = glorot(features, gates * units, random)
    recurrent = orthogonal(units, gates * units, random)
    if cell == "gru":
        return [kernel, recurrent, np.zeros((2, gates * units))]
    bias = np.zeros(4 * units)
    bias[units : 2 * units] = forget_bias
    return [kernel, recurrent, bias]
