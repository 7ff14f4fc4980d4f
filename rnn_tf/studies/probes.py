"""Probe layers: build them with drawn weights, call them, compare what they give.

What the checks of `facts` share. Weights and inputs are drawn with a fixed seed.
"""

from collections.abc import Callable

import lazy_loader
import numpy as np

keras = lazy_loader.load("keras")

CELLS = ("SimpleRNN", "LSTM", "GRU")
# All different, so that a shape says which axis is which: the course's own example.
BATCH, STEPS, FEATURES, UNITS = 4, 10, 32, 64
MIDDLE = STEPS // 2

SAME = 1e-6  # between 32-bit results of one computation
EQUAL = 1e-5  # between 32-bit results of the same sum in another order
MOVED = 1e-4  # more than rounding does

# ---------------------------------------------------------------- layers


def draw(*shape: int) -> np.ndarray:
    """Draw numbers of a normal distribution, float32."""
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def changed(x: np.ndarray, step: int) -> np.ndarray:
    """Return inputs that differ at one step."""
    x = x.copy()
    x[:, step] += 1
    return x


def built(layer, features: int = FEATURES):
    """Build a layer for BATCH rows of features, with all weights drawn, biases too.

    They are small, so that a state forgets and rounding does not grow.
    """
    layer.build((BATCH, None, features))
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(0, 0.1, w.shape) for w in layer.get_weights()])
    return layer


def recurrent(cell: str, units: int = UNITS, **options):
    """Build a recurrent layer, for FEATURES, that returns every state."""
    options = {"return_sequences": True} | options
    return built(getattr(keras.layers, cell)(units, **options))


def stacked(*pattern: bool, units: int = UNITS) -> str:
    """Write the shape that a stack of such return_sequences gives."""
    x = draw(BATCH, STEPS, FEATURES)
    for sequences in pattern:
        x = keras.layers.SimpleRNN(units, return_sequences=sequences)(x)
    return shape(x)


def masked(rnn, rows: np.ndarray, lengths) -> np.ndarray:
    """Call a layer on rows of these lengths: what is behind is zeros, and masked."""
    mask = np.arange(rows.shape[1]) < np.array(lengths)[:, None]
    real = keras.ops.convert_to_tensor(mask)
    return array(rnn((rows * mask[..., None]).astype("float32"), mask=real))


def as_first(rnn, x: np.ndarray, step: int):
    """Return the output of a step that is called alone, from the state before it."""
    _, *states = rnn(x[:, :step])
    return rnn(x[:, step : step + 1], initial_state=states)[0][:, 0]


# ---------------------------------------------------------------- what they give


def array(tensor) -> np.ndarray:
    """Return what a layer gives as a NumPy array of 64-bit numbers."""
    return keras.ops.convert_to_numpy(tensor).astype(float)


def gap(one, other) -> float:
    """Return the largest difference of two outputs."""
    return float(np.abs(array(one) - array(other)).max())


def shape(tensor) -> str:
    """Write the shape of an output without its batch: (10, 64)."""
    return f"({', '.join(map(str, tensor.shape[1:]))})"


def outcome(call: Callable, *arguments) -> str:
    """Call a layer, or what makes one; return "runs" or "error"."""
    try:
        call(*arguments)
    except Exception:  # every engine has a type of its own for shapes
        return "error"
    return "runs"


# ---------------------------------------------------------------- gradients


def gradients(rnn, x: np.ndarray, step: int | None = None) -> list[np.ndarray]:
    """Compute the gradients of a squared error by the weights, and last by the input.

    The error is a mean over rows, and a sum over units and steps, or that of one step.
    """
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = rnn(x) if step is None else rnn(x)[:, step]
        loss = tf.reduce_sum((outputs - 0.5) ** 2) / len(x)
    return [array(g) for g in tape.gradient(loss, [*rnn.trainable_variables, x])]


def distance(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    """Return the largest difference of gradients, as a share of the largest entry."""
    pairs = zip(one, other, strict=True)
    return max(float(np.abs(a - b).max() / np.abs(a).max()) for a, b in pairs)


def after_updates(x: np.ndarray, parts: int) -> np.ndarray:
    """Return the recurrent weights after SGD has seen a batch, in so many parts."""
    rnn = recurrent("GRU")
    steps = parts if parts > 1 else None
    optimizer = keras.optimizers.SGD(0.01, gradient_accumulation_steps=steps)
    optimizer.build(rnn.trainable_variables)
    for part in np.split(x, parts):
        by_weight = gradients(rnn, part)[:-1]
        optimizer.apply([keras.ops.convert_to_tensor(g, "float32") for g in by_weight])
    return rnn.get_weights()[1]


def clipped(option: str, gradient: np.ndarray) -> np.ndarray:
    """Return what an optimizer with `option`, at 1, leaves of a gradient."""
    weights = keras.Variable(np.zeros_like(gradient, dtype="float32"))
    optimizer = keras.optimizers.SGD(1.0, **{option: 1.0})
    optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [weights])
    return -array(weights)
