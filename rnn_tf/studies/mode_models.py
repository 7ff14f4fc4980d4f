"""Build the small networks of `studies.modes`: a body, then a dense layer."""

import functools
from collections.abc import Callable

import lazy_loader

from rnn_tf.models import layers

keras = lazy_loader.load("keras")

UNITS, WIDTH = 32, 16  # of each layer; of the vectors of tokens
FILTERS = 20  # of a convolution: about as many parameters as the GRU has
DILATIONS = 1, 2, 4, 8, 16  # a kernel of 2 then sees 32 steps
PADDING = 0.0
# Beside a GRU: with them and fewer units, as many parameters as UNITS alone, to 5 %.
SMOOTHERS, KERNEL, UNITS_AFTER_CONV, UNITS_BEFORE_CONV = 16, 5, 26, 22

# ---------------------------------------------------------------- bodies
# Each takes vectors, (batch, time, features), unless it says otherwise.


def gru(x):
    """Return the last state of a GRU: (batch, UNITS)."""
    return keras.layers.GRU(UNITS)(x)


def gru_steps(x):
    """Return the states of a GRU: (batch, time, UNITS)."""
    return keras.layers.GRU(UNITS, return_sequences=True)(x)


def bidirectional(x):
    """Return the states of a GRU in each direction: (batch, time, UNITS)."""
    layer = keras.layers.GRU(UNITS // 2, return_sequences=True)
    return keras.layers.Bidirectional(layer)(x)


def simple_rnn(x):
    """Return the last state of h = tanh(W x + U h + b): (batch, UNITS)."""
    return keras.layers.SimpleRNN(UNITS)(x)


def simple_rnn_no_bias(x):
    """Return the last state of h = tanh(W x + U h): (batch, UNITS)."""
    return keras.layers.SimpleRNN(UNITS, use_bias=False)(x)


def linear_rnn(x):
    """Return the last state of h = W x + U h + b: (batch, UNITS)."""
    return keras.layers.SimpleRNN(UNITS, activation=None)(x)


def from_vector(x):
    """Feed a GRU with the same vector at each of 8 steps.

    (batch, features) -> (batch, 8, UNITS).
    """
    return gru_steps(keras.layers.RepeatVector(8)(x))


def learned_state(x):
    """Return the states of a GRU whose first state is learned: (batch, time, UNITS)."""
    # A table of one vector, which begins as zeros: what Keras takes for a first state.
    table = keras.layers.Embedding(1, UNITS, embeddings_initializer="zeros")
    first = table(keras.ops.zeros_like(x[:, 0, 0], dtype="int32"))
    return keras.layers.GRU(UNITS, return_sequences=True)(x, initial_state=first)


def causal_conv(x):
    """Return the last step of dilated causal convolutions: (batch, FILTERS).

    Source: Bai, Kolter and Koltun (2018), without their residual connections.
    """
    for dilation in DILATIONS:
        x = keras.layers.Conv1D(
            FILTERS, 2, padding="causal", dilation_rate=dilation, activation="relu"
        )(x)
    return layers.last_step(x)


def conv_before(x):
    """Return the last state of a GRU on filtered steps: (batch, UNITS_AFTER_CONV)."""
    return keras.layers.GRU(UNITS_AFTER_CONV)(_filtered(x))


def conv_after(x):
    """Return the last step of a GRU's filtered states: (batch, SMOOTHERS)."""
    states = keras.layers.GRU(UNITS_BEFORE_CONV, return_sequences=True)(x)
    return layers.last_step(_filtered(states))


def _filtered(x):
    """Filter steps: (batch, time, features) -> (batch, time, SMOOTHERS)."""
    options = {"padding": "causal", "activation": "relu"}
    return keras.layers.Conv1D(SMOOTHERS, KERNEL, **options)(x)


def flattened(x):
    """Return a hidden layer on all steps, each with weights of its own."""
    return _hidden(keras.layers.Flatten()(x))


def bag(x):
    """Return a hidden layer on the mean of all steps that are no padding."""
    return _hidden(keras.layers.GlobalAveragePooling1D()(_hidden(x)))


def _hidden(x):
    return keras.layers.Dense(UNITS, activation="relu")(x)


# ---------------------------------------------------------------- networks


def network(
    body: Callable, outputs: int, shape: tuple, tokens: int = 0, masked: bool = False
):
    """Build a network: inputs of `shape` -> (batch, outputs), or that at each step.

    Args:
        body: one of the above.
        outputs: how many numbers, or logits of classes.
        shape: of an example, (time,) of tokens, or (time, features); time may be None.
        tokens: how many kinds there are; 0 for numbers.
        masked: whether steps of `PADDING` alone are left out.
    """
    inputs = keras.Input(shape, dtype="int32" if tokens else "float32")
    x = keras.layers.Embedding(tokens, WIDTH)(inputs) if tokens else inputs
    x = keras.layers.Masking(PADDING)(x) if masked else x
    return keras.Model(inputs, keras.layers.Dense(outputs)(body(x)))


def builder(body: Callable, *arguments, **options) -> Callable:
    """Return a function without arguments that builds the network anew."""
    return functools.partial(network, body, *arguments, **options)
