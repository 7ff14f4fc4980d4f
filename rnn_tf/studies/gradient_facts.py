"""Check what is said of gradients and cells, one computation at a time, in Keras.

`gradient_facts.csv` holds the outcomes: of what (`subject`), by seed, one number.

| fact | the number |
| --- | --- |
| product_gap | largest difference of d h_T / d h_0: product, tape; relative |
| sum_gap | largest difference of the steps' gradients, summed, to the whole; relative |
| least_step | the smallest norm of a step's gradient : the norm of the whole |
| clip_norm | norm of a gradient of norm 50 after clipping at 1 |
| clip_cosine | cosine of the gradient after clipping to itself before |
| clip_small | largest change, by clipping at 1, of a gradient of norm 0.1 |
| head_gap | largest difference of d L / d h_0 to J d L / d h_T, J of no head |
| head_decline | log10 of the norm of d L / d h_0 : d L / d h_T with this head |
| head_logits | norm of d L / d logits |
| lstm_gap | largest difference of the written-out LSTM to Keras's |
| lstm_parameters | Keras's count minus 4 (n (n + m) + n) |
| output_sum | mean of the sum of a layer's outputs: 1 if they were probabilities |
| output_least | the smallest output: not below 0 if they were probabilities |
| kernel_gradient | the smallest norm of a weight's gradient |
| step_ms, step_ms_low, step_ms_high | a training step: median and quartiles |
| first_input | largest change of h_T if x_0 changes by 1 |
"""

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf import files
from rnn_tf.errors import InputError, warn
from rnn_tf.models import layers
from rnn_tf.studies import (
    cost,
    layer_shapes,
    learning_rates,
    recurrent_cells,
    state_memory,
)

keras = lazy_loader.load("keras")

FACTS = "fact subject seed value".split()
STEPS, UNITS, FEATURES, CLASSES = 20, 16, 8, 10
THRESHOLD, LARGE, SMALL = 1.0, 50.0, 0.1  # of clipping; norms before it


@dataclass(frozen=True)
class Sizes:
    """How much is checked."""

    seeds: int = 5
    rounds: int = 12  # of timing a training step
    rates: tuple[float, ...] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # of Adam
    updates: int = 200
    length: int = 50  # of the adding problem that is trained on
    stream: int = 4_000  # steps, to read the past from states
    distances: tuple[int, ...] = (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50)

    def __post_init__(self):
        if min(self.rates) <= 0:
            raise InputError(f"a learning rate is {min(self.rates):g}; above 0, please")
        if self.seeds < 1 or self.updates < 1 or self.length < 12:
            raise InputError("seeds and updates are at least 1, length at least 12")


SIZES = {
    "quick": Sizes(2, rounds=4, rates=(1e-3, 1.0), updates=20, length=20, stream=1_000),
    "full": Sizes(seeds=10),
}


def write(folder: Path, sizes: Sizes) -> dict[str, list[dict]]:
    """Check the facts, and write three tables into a run's folder.

    Args:
        folder: of the run.
        sizes: one of SIZES, or with some fields replaced.

    Returns:
        "gradient_facts", "state_memory" and "learning_rates": their rows, as the CSV
        files hold them. Nothing on JAX, which has no tape to compare with.
    """
    if keras.config.backend() != "tensorflow":
        warn("left out: the facts of gradients are compared with TensorFlow's tape")
        return {}
    tables = {
        "gradient_facts": (FACTS, fact_rows(sizes)),
        "state_memory": (
            state_memory.COLUMNS,
            state_memory.rows(sizes.stream, sizes.distances, sizes.seeds),
        ),
        "learning_rates": (
            learning_rates.COLUMNS,
            learning_rates.rows(sizes.rates, sizes.updates, sizes.length, sizes.seeds),
        ),
    }
    for name, (columns, rows) in tables.items():
        files.write_csv(folder / f"{name}.csv", columns, rows)
    return {name: rows for name, (_, rows) in tables.items()}


def fact_rows(sizes: Sizes) -> list[dict]:
    """Check every fact; return the rows of `gradient_facts.csv`."""
    checks = product_gaps, step_sums, clipping, heads, lstm_formulas, not_a_softmax
    rows = [
        {"fact": fact, "subject": subject, "seed": seed, "value": float(value)}
        for seed, check in itertools.product(range(1, sizes.seeds + 1), checks)
        for fact, subject, value in check(seed)
    ]
    for row in step_times(sizes.rounds):
        for name, column in (("", "milliseconds"), ("_low", "low"), ("_high", "high")):
            fact = {"fact": f"step_ms{name}", "subject": row["model"], "seed": ""}
            rows.append(fact | {"value": row[column]})
    return rows


# ---------------------------------------------------------------- products and sums


def layer(cell: str, units: int = UNITS, features: int = FEATURES, seed: int = 1, **of):
    """Build a recurrent layer with weights drawn by seed; it returns all states."""
    recurrent = layers.recurrent(cell)(
        units,
        return_sequences=True,
        kernel_initializer=keras.initializers.GlorotUniform(seed),
        recurrent_initializer=keras.initializers.Orthogonal(seed=seed),
        **of,
    )
    recurrent.build((None, None, features))
    return recurrent


def product_gaps(seed: int) -> Iterator[tuple[str, str, float]]:
    """Compare the product of Jacobians with the tape's d h_T / d h_0.

    A batch of as many copies as units, of which copy i asks for output i: one backward
    pass gives all of the matrix. A "relu" of Keras makes TensorFlow's optimizer print
    errors; a leaky one that does not leak is the same function.
    """
    activations = {
        "tanh": "tanh",
        "relu": keras.layers.LeakyReLU(negative_slope=0.0),
        "linear": "linear",
    }
    inputs = np.random.default_rng(seed).normal(size=(STEPS, FEATURES))
    for name, activation in activations.items():
        rnn = layer("simple_rnn", seed=seed, activation=activation)
        product = _product(rnn, inputs, name)
        gap = np.abs(product - tape_jacobian(rnn, inputs)).max()
        yield "product_gap", name, gap / np.abs(product).max()


def _product(rnn, inputs: np.ndarray, activation: str = "tanh") -> np.ndarray:
    """Multiply the Jacobians of a SimpleRNN's steps: d h_T / d h_0."""
    weights = rnn.get_weights()
    steps = recurrent_cells.unroll("simple_rnn", weights, inputs, activation)
    return functools.reduce(lambda product, step: step @ product, steps.by_state)


def tape_jacobian(rnn, inputs: np.ndarray) -> np.ndarray:
    """Compute d h_T / d h_0 of a Keras layer by one backward pass: (units, units)."""
    import tensorflow as tf

    copies = np.repeat(inputs[None].astype("float32"), rnn.units, axis=0)
    before = tf.zeros((rnn.units, rnn.units))
    with tf.GradientTape() as tape:
        tape.watch(before)
        last = rnn(copies, initial_state=before)[:, -1]
        wanted = tf.reduce_sum(tf.linalg.diag_part(last))
    return tape.gradient(wanted, before).numpy()


def step_sums(seed: int) -> Iterator[tuple[str, str, float]]:
    """Compare the sum of the gradients of each step's weights with the whole.

    Every step gets copies of the weights for its own, and an error of its own.
    """
    import tensorflow as tf

    inputs = np.random.default_rng(seed).normal(size=(STEPS, 4, FEATURES))
    for name in layers.CELLS:
        rnn = layer(name, seed=seed)
        weights = [tf.constant(v) for v in rnn.trainable_variables]
        copies = [[tf.identity(w) for w in weights] for _ in range(STEPS)]
        with tf.GradientTape() as tape:
            tape.watch(copies)
            loss = _loss_of_copies(rnn.cell, copies, inputs)
        by_step = tape.gradient(loss, copies)
        with tf.GradientTape() as tape:
            outputs = rnn(np.swapaxes(inputs, 0, 1).astype("float32"))
            loss = tf.reduce_sum((outputs - 0.5) ** 2)
        gradients = [g.numpy() for g in tape.gradient(loss, rnn.trainable_variables)]
        whole = _flat(gradients)
        parts = np.stack([_flat(step) for step in by_step])
        yield "sum_gap", name, np.abs(parts.sum(0) - whole).max() / np.abs(whole).max()
        yield "least_step", name, min(map(_norm, parts)) / _norm(whole)
        yield "kernel_gradient", name, min(map(_norm, gradients))


def _loss_of_copies(cell, copies, inputs):
    """Sum the squared error of every step, each with weights of its own."""
    import tensorflow as tf

    states = [tf.zeros((inputs.shape[1], UNITS))]
    states *= 2 if isinstance(cell, keras.layers.LSTMCell) else 1
    frozen, loss = [v.value for v in cell.non_trainable_variables], 0.0
    for weights, x in zip(copies, inputs.astype("float32"), strict=True):
        (h, states), _ = cell.stateless_call(weights, frozen, x, states)
        loss += tf.reduce_sum((h - 0.5) ** 2)
    return loss


_norm = np.linalg.norm  # of a matrix all its entries, as of one vector


def _flat(gradients) -> np.ndarray:
    """Join gradients into one vector."""
    return np.concatenate([np.ravel(g) for g in gradients])


# ---------------------------------------------------------------- clipping


def clipping(seed: int) -> Iterator[tuple[str, str, float]]:
    """Clip a large and a small gradient by norm and by value, as Keras does.

    A step of SGD at rate 1 subtracts the gradient, so the difference of the weights is
    what clipping has left of it.
    """
    direction = np.random.default_rng(seed).normal(size=20)
    direction /= np.linalg.norm(direction)
    for name in ("norm", "value"):
        large, small = LARGE * direction, SMALL * direction
        clipped = _clipped(f"clip{name}", large)
        norm = np.linalg.norm(clipped)
        yield "clip_norm", name, norm
        yield "clip_cosine", name, clipped @ direction / norm
        change = np.abs(_clipped(f"clip{name}", small) - small).max()
        yield "clip_small", name, change


def _clipped(option: str, gradient: np.ndarray) -> np.ndarray:
    """Return what an optimizer with `option` makes of a gradient."""
    weights = keras.Variable(np.zeros_like(gradient, dtype="float32"))
    optimizer = keras.optimizers.SGD(1.0, **{option: THRESHOLD})
    optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [weights])
    return -keras.ops.convert_to_numpy(weights).astype(float)


# ---------------------------------------------------------------- heads


def heads(seed: int) -> Iterator[tuple[str, str, float]]:
    """Follow gradients back under a softmax with cross-entropy, and a linear head.

    The recurrent layer and the dense one behind it have the same weights in both; the
    linear head's loss is the squared error to the same one-hot target.
    """
    import tensorflow as tf

    random = np.random.default_rng(seed)
    inputs = random.normal(size=(STEPS, FEATURES))
    rnn, glorot = layer("simple_rnn", seed=seed), keras.initializers.GlorotUniform(seed)
    dense = keras.layers.Dense(CLASSES, kernel_initializer=glorot)
    jacobian = _product(rnn, inputs)
    target = tf.one_hot([random.integers(CLASSES)], CLASSES)
    losses = {
        "softmax": lambda z: tf.nn.softmax_cross_entropy_with_logits(target, z),
        "linear": lambda z: tf.reduce_sum((z - target) ** 2, axis=1) / 2,
    }
    first, inputs = tf.zeros((1, UNITS)), inputs[None].astype("float32")
    for name, loss in losses.items():
        with tf.GradientTape() as tape:
            tape.watch(first)
            last = rnn(inputs, initial_state=first)[:, -1]
            logits = dense(last)
            value = loss(logits)
        parts = tape.gradient(value, [first, last, logits])
        start, end, top = (part.numpy()[0].astype(float) for part in parts)
        yield "head_gap", name, np.abs(end @ jacobian - start).max() / _norm(start)
        yield "head_decline", name, np.log10(_norm(start) / _norm(end))
        yield "head_logits", name, _norm(top)


# ---------------------------------------------------------------- inside an LSTM


def lstm_formulas(seed: int) -> Iterator[tuple[str, str, float]]:
    """Compare Keras's LSTM with its formulas written out, and its parameters."""
    for units, features in ((16, 8), (5, 3), (64, 1)):
        rnn = layer("lstm", units, features, seed)
        inputs = np.random.default_rng(seed).normal(size=(4, STEPS, features))
        outputs = keras.ops.convert_to_numpy(rnn(inputs.astype("float32")))
        written = layer_shapes.lstm_gates(rnn.get_weights(), inputs)["output"]
        name = f"n {units}, m {features}"
        yield "lstm_gap", name, np.abs(outputs - written).max()
        formula = 4 * (units * (units + features) + units)
        yield "lstm_parameters", name, rnn.count_params() - formula


def not_a_softmax(seed: int) -> Iterator[tuple[str, str, float]]:
    """Sum the outputs of layers as if they were probabilities; move the first input."""
    inputs = np.random.default_rng(seed).normal(size=(4, STEPS, FEATURES))
    inputs = inputs.astype("float32")
    moved = inputs.copy()
    moved[:, 0] += 1
    for name in layers.CELLS:
        rnn = layer(name, seed=seed)
        outputs, others = (keras.ops.convert_to_numpy(rnn(x)) for x in (inputs, moved))
        yield "output_sum", name, outputs[:, -1].sum(axis=1).mean()
        yield "output_least", name, outputs[:, -1].min()
        yield "first_input", name, np.abs(outputs[:, -1] - others[:, -1]).max()


def step_times(rounds: int) -> list[dict]:
    """Time a training step of each cell with the same units, as `cost.cost_rows`."""
    random = np.random.default_rng(1)
    inputs = random.normal(size=(32, 50, FEATURES)).astype("float32")
    models = {}
    for name in layers.CELLS:
        x = start = keras.Input((None, FEATURES))
        x = layers.recurrent(name)(32)(x)
        outputs = keras.layers.Dense(CLASSES, activation="softmax")(x)
        models[name] = keras.Model(start, outputs)
    return cost.cost_rows(models, inputs, random.integers(0, CLASSES, 32), rounds)
