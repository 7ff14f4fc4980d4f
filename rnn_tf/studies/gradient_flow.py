"""Measure how a gradient shrinks or grows on its way back through time.

The gradient of the last state by an earlier one is a product of Jacobians, one per
step. One backward pass multiplies them, newest first, and thus meets every distance;
the product is kept at size 1 and its logarithm beside it, in float64, so that it ends
neither at 1e-45, as float32 does, nor at 1e-308.

Source: Pascanu, Mikolov and Bengio (2013), "On the difficulty of training recurrent
neural networks". With slopes of at most 1 (tanh, ReLU), a largest singular value of the
recurrent kernel below 1 is sufficient for vanishing; one above 1 is necessary for
exploding, and no more. Without an activation what counts in the end is the spectral
radius, which is never above the largest singular value. `gradient_decay.csv` has both.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rnn_tf import files
from rnn_tf.errors import InputError
from rnn_tf.studies import gradient_decay, recurrent_cells
from rnn_tf.studies.gradient_decay import SETTING, SETTLED
from rnn_tf.studies.recurrent_cells import ACTIVATIONS, CELLS, WEIGHTS

DEPTHS = 1, 2, 4, 8, 16, 32
OTHER_SCALES = 0.1, 3.0, 10.0  # besides 1


@dataclass(frozen=True)
class Sizes:
    """How much of the gradient flow is measured."""

    cells: tuple[str, ...] = tuple(CELLS)
    activations: tuple[str, ...] = tuple(ACTIVATIONS)
    weights: tuple[str, ...] = WEIGHTS
    gains: tuple[float, ...] = (0.5, 0.9, 1.0, 1.1, 1.5, 2.0)
    forget_biases: tuple[float, ...] = (0.0, 1.0, 5.0)
    units: int = 32
    steps: int = 200  # the longest distance; sequences have one step more
    seeds: int = 5

    def __post_init__(self):
        _require(self, "cells", CELLS)
        _require(self, "activations", ACTIVATIONS)
        _require(self, "weights", WEIGHTS)
        for gain in self.gains:
            if not 0 < gain < 1e3:
                raise InputError(
                    f"a gain is {gain:g}; the recurrent weights are multiplied by it: "
                    "name numbers above 0, such as 0.9 or 1.5"
                )
        for name, least in {"units": 2, "steps": 2 * SETTLED, "seeds": 1}.items():
            if getattr(self, name) < least:
                raise InputError(f"{name} is {getattr(self, name)}; at least {least}")

    @property
    def distances(self) -> tuple[int, ...]:
        """The distances that are measured, in steps, 0 among them."""
        wanted = (0, 1, 2, 5, *range(10, 100, 10), *range(100, self.steps, 20))
        return tuple(sorted({d for d in wanted if d <= self.steps} | {self.steps}))


def _require(sizes: Sizes, name: str, known: Iterable[str]) -> None:
    """Refuse a name that is not known, and none at all."""
    values = getattr(sizes, name)
    for value in values or ("nothing",):
        if value not in known:
            raise InputError(f"{name}: {value!r} is none of {', '.join(known)}")


SIZES = {
    "quick": Sizes(gains=(0.9, 1.0, 1.5)),
    "full": Sizes(units=64, seeds=10),
}


@dataclass(frozen=True)
class Trained:
    """A layer after training, and a sequence as it saw it."""

    cell: str
    weights: list[np.ndarray]  # layer.get_weights()
    inputs: np.ndarray  # (steps, features)
    seed: int
    activation: str = "tanh"
    start: str = ""  # the recurrent weights before training, such as "orthogonal"
    forget_bias: float | str = ""


# ---------------------------------------------------------------- one sequence


def norms(
    cell: str,
    weights: list[np.ndarray],
    inputs: np.ndarray,
    activation: str = "tanh",
    distances: Iterable[int] | None = None,
    target: np.ndarray | float = 0.0,
) -> dict[str, np.ndarray]:
    """Measure the gradients of the last state, in one backward pass.

    Args:
        cell: a name of `recurrent_cells.CELLS`.
        weights: arrays in Keras's order.
        inputs: (steps, features).
        activation: of a SimpleRNN.
        distances: steps before the last; by default all, 0 to steps - 1.
        target: (units,), of a loss L, half the squared distance of the last output.

    Returns:
        log10, of each distance, of "state": the spectral norm of d h_T / d state,
        which of an LSTM is h and c; "input": that of d h_T / d x; and "loss": the norm
        of d L / d state. -inf where a gradient is exactly 0. And "saturated", a share.
    """
    steps = recurrent_cells.unroll(cell, weights, inputs, activation)
    count, units = len(inputs), steps.units
    wanted = set(range(count) if distances is None else distances)
    product, scale = np.eye(units, steps.states.shape[1]), 0.0
    error = steps.states[-1, :units] - target  # d L / d h_T
    logs = {"state": [], "input": [], "loss": []}
    for distance in range(count):
        if distance in wanted:
            by_input = product @ steps.by_input[-1 - distance]
            logs["state"].append(scale + _log_norm(product))
            logs["input"].append(scale + _log_norm(by_input))
            logs["loss"].append(scale + _log_norm(error @ product))
        product = product @ steps.by_state[-1 - distance]
        size = np.abs(product).max()
        if size > 0:
            product, scale = product / size, scale + np.log10(size)
    return {k: np.array(v) for k, v in logs.items()} | {"saturated": steps.saturated}


def _log_norm(matrix: np.ndarray) -> float:
    """Return log10 of the largest singular value, or of a vector's length."""
    with np.errstate(divide="ignore"):
        return float(np.log10(np.linalg.norm(matrix, 2)))


def spectrum(recurrent: np.ndarray) -> dict[str, float | str]:
    """Return the singular values' ends and, of a square kernel, its spectral radius."""
    values = np.linalg.svd(np.asarray(recurrent, np.float64), compute_uv=False)
    square = len(recurrent) == len(recurrent.T)
    radius = float(np.abs(np.linalg.eigvals(recurrent)).max()) if square else ""
    return {
        "sigma_max": float(values[0]),
        "sigma_min": float(values[-1]),
        "radius": radius,
    }


# ---------------------------------------------------------------- settings


@dataclass(frozen=True)
class Setting:
    """A fresh layer and the size of its inputs; gated cells have Keras's weights."""

    cell: str
    activation: str = "tanh"
    weights: str = "orthogonal"
    gain: float = 1.0
    forget_bias: float | str = ""
    input_scale: float = 1.0


def settings(sizes: Sizes) -> list[Setting]:
    """List what is measured fresh.

    Every activation with every kind of weights and gain; tanh and orthogonal weights
    with inputs of other sizes; LSTMs by forget bias; a GRU.
    """
    listed = []
    if "simple_rnn" in sizes.cells:
        every = itertools.product(sizes.activations, sizes.weights, sizes.gains)
        listed = [Setting("simple_rnn", *names) for names in every]
        plain = [s for s in listed if (s.activation, s.weights) == _SQUASHED]
        scales = itertools.product(plain, OTHER_SCALES)
        listed += [replace(s, input_scale=scale) for s, scale in scales]
    if "lstm" in sizes.cells:
        listed += [Setting("lstm", forget_bias=bias) for bias in sizes.forget_biases]
    if "gru" in sizes.cells:
        listed.append(Setting("gru"))
    return listed


_SQUASHED = "tanh", "orthogonal"


def fresh_rows(sizes: Sizes) -> list[dict]:
    """Measure fresh layers; a row for each seed and distance.

    Inputs are normal, as many features as units, so that what reaches a unit from
    outside has a standard deviation of about `input_scale`. The same seed gives every
    setting the same inputs and input kernel.
    """
    rows = []
    for setting, seed in itertools.product(settings(sizes), range(1, sizes.seeds + 1)):
        random = np.random.default_rng(seed)
        inputs = (
            random.normal(size=(sizes.steps + 1, sizes.units)) * setting.input_scale
        )
        target = random.normal(size=sizes.units)
        weights = recurrent_cells.initial_weights(
            setting.cell,
            sizes.units,
            sizes.units,
            random,
            setting.weights,
            setting.gain,
            setting.forget_bias or 0.0,
        )
        columns = {"phase": "fresh", **vars(setting), "depth": 1, "seed": seed}
        rows += _rows(columns, weights, inputs, sizes.distances, target)
    return rows


def trained_rows(layers: Iterable[Trained], sizes: Sizes) -> list[dict]:
    """Measure trained layers; a row for each seed and distance."""
    rows = []
    for layer in layers:
        columns = {"phase": "trained", "cell": layer.cell, "seed": layer.seed}
        columns |= {"activation": layer.activation, "weights": layer.start, "depth": 1}
        columns |= {"forget_bias": layer.forget_bias, "gain": "", "input_scale": ""}
        last = len(layer.inputs) - 1
        distances = sorted({d for d in sizes.distances if d < last} | {last})
        target = np.random.default_rng(layer.seed).normal(size=len(layer.weights[1]))
        rows += _rows(columns, layer.weights, layer.inputs, distances, target)
    return rows


def _rows(columns: dict, weights, inputs, distances, target) -> list[dict]:
    """Measure one layer on one sequence: a row for each distance."""
    cell, activation = columns["cell"], columns["activation"]
    logs = norms(cell, weights, inputs, activation, distances, target)
    measured = spectrum(weights[1]) | {"saturated": logs["saturated"]}
    columns = {name: columns[name] for name in [*SETTING, "seed"]}
    parts = zip(distances, logs["state"], logs["input"], logs["loss"], strict=True)
    return [
        columns
        | {"distance": distance, "log10_norm": state, "log10_input": by_input}
        | {"log10_loss": loss, **measured}
        for distance, state, by_input, loss in parts
    ]


def depth_rows(sizes: Sizes) -> list[dict]:
    """Measure d h / d x of the first step through stacks of SimpleRNNs, by depth.

    At the first step there is no past: what is left are the layers, dense ones in
    effect, each with an input kernel of its own and tanh. Distance 0, depth 1 to 32.
    """
    rows = []
    for seed in range(1, sizes.seeds + 1):
        random = np.random.default_rng(seed)
        h, product, scale = random.normal(size=sizes.units), np.eye(sizes.units), 0.0
        for depth in range(1, max(DEPTHS) + 1):
            kernel = recurrent_cells.glorot(sizes.units, sizes.units, random)
            h = np.tanh(h @ kernel)
            product = (1 - h**2)[:, None] * kernel.T @ product
            size = np.abs(product).max()
            product, scale = product / size, scale + np.log10(size)
            if depth in DEPTHS:
                norm = scale + _log_norm(product)
                columns = {"phase": "stack", **vars(Setting("simple_rnn"))}
                columns |= {"weights": "", "gain": "", "depth": depth, "seed": seed}
                rows.append(columns | {"distance": 0, "log10_input": norm})
    return rows


def write(
    folder: Path, sizes: Sizes, trained: Iterable[Trained] = ()
) -> dict[str, list[dict]]:
    """Measure the gradient flow, and write its two tables into a run's folder.

    Args:
        folder: of the run.
        sizes: one of SIZES, or with some fields replaced.
        trained: layers after training, whose rows are added with phase "trained".

    Returns:
        "gradient_flow" and "gradient_decay": their rows, as the CSV files hold them.
    """
    measured = fresh_rows(sizes) + trained_rows(trained, sizes) + depth_rows(sizes)
    flow, decay = gradient_decay.by_distance(measured), gradient_decay.rows(measured)
    files.write_csv(folder / "gradient_flow.csv", gradient_decay.FLOW, flow)
    files.write_csv(folder / "gradient_decay.csv", gradient_decay.COLUMNS, decay)
    return {"gradient_flow": flow, "gradient_decay": decay}
