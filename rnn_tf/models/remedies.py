"""Recurrent networks that differ in one remedy for vanishing or exploding gradients.

`Variant` names all that may differ; `read` builds the recurrent part, `optimizer` what
trains it. Models are built in `keras.ops` and Keras's own layers: they load anywhere.
"""

import math
from dataclasses import dataclass

import lazy_loader
import numpy as np

keras = lazy_loader.load("keras")

THRESHOLD = 1.0  # at which gradients are clipped


@dataclass(frozen=True)
class Variant:
    """A recurrent network and its training; a remedy changes one field of another's.

    The defaults are a plain RNN, as it was before any remedy: random weights of the
    state, whose spectral radius is about 1, and Adam without clipping.
    """

    cell: str = "simple_rnn"  # or lstm, gru
    activation: str = "tanh"  # of a plain RNN; or relu
    initial: str = "gaussian"  # weights of its state; or orthogonal, identity
    gain: float = 1.0  # by which these are multiplied
    forget_bias: float = 1.0  # of an LSTM, at the start
    # Where it is normalised: batch normalisation of the input, between two layers or
    # inside the recurrence, or layer normalisation inside it.
    normalise: str = ""  # or input, between, inside, layer
    depth: int = 1
    share: float = 1.0  # of the steps, the last ones, which is all that it reads
    optimizer: str = "adam"  # or sgd
    rate: float = 3e-3
    clip: str = ""  # or norm, value


NONE = Variant()
# Each remedy is one change to the network without any.
REMEDIES = {
    "none": {},
    "clip_norm": {"clip": "norm"},
    "clip_value": {"clip": "value"},
    "orthogonal": {"initial": "orthogonal"},
    "identity": {"initial": "identity"},
    "relu": {"activation": "relu"},
    "orthogonal_relu": {"initial": "orthogonal", "activation": "relu"},
    "identity_relu": {"initial": "identity", "activation": "relu"},
    "batch_input": {"normalise": "input"},
    "two_layers": {"depth": 2},
    "batch_between": {"depth": 2, "normalise": "between"},  # against two layers
    "batch_inside": {"normalise": "inside"},
    "layer_inside": {"normalise": "layer"},
    "last_half": {"share": 0.5},
    "rate_x10": {"rate": 10 * NONE.rate},
    "lstm_bias_0": {"cell": "lstm", "forget_bias": 0.0},
    "lstm": {"cell": "lstm"},
    "lstm_bias_5": {"cell": "lstm", "forget_bias": 5.0},
    "gru": {"cell": "gru"},
}
# What is compared on stories, each at a rate that did well on validation, with one
# seed: of 0.001, 0.003 and 0.01 at 10 and 50 words for the plain ones, of the last two
# at 100 words for the others.
CELLS = {
    "simple_rnn": Variant(initial="orthogonal", rate=3e-3),  # as Keras has it
    "identity_rnn": Variant(activation="relu", initial="identity", rate=1e-3),
    "lstm": Variant(cell="lstm", rate=3e-3),
    "lstm_bias_5": Variant(cell="lstm", forget_bias=5.0, rate=3e-3),
    "gru": Variant(cell="gru", rate=3e-3),
}


# ---------------------------------------------------------------- networks


def read(x, variant: Variant, units: int):
    """Read a sequence, (batch, time, features), into a vector, (batch, units)."""
    unread = x.shape[1] - math.ceil(x.shape[1] * variant.share)
    x = x[:, unread:]
    if variant.normalise == "input":
        x = keras.layers.BatchNormalization()(x)
    for _ in range(variant.depth - 1):
        x = recurrent(x, variant, units, return_sequences=True)
        if variant.normalise == "between":
            x = keras.layers.BatchNormalization()(x)
    if variant.normalise in ("inside", "layer"):
        return normalised(x, variant, units)
    return recurrent(x, variant, units)


def recurrent(x, variant: Variant, units: int, **options):
    """Apply a recurrent layer, (batch, time, features), as a variant describes it."""
    if variant.cell == "gru":
        return keras.layers.GRU(units, **options)(x)
    if variant.cell == "lstm":
        layer = keras.layers.LSTM(units, unit_forget_bias=False, **options)
        output = layer(x)
        # Keras's order: input, forget, candidate, output.
        gates = np.array([0, variant.forget_bias, 0, 0], "float32")
        layer.cell.bias.assign(np.repeat(gates, units))
        return output
    layer = keras.layers.SimpleRNN(
        units,
        activation=activation(variant.activation),
        recurrent_initializer=initial(variant, units),
        **options,
    )
    return layer(x)


def activation(name: str):
    """Make an activation for a recurrent layer.

    A "relu" there makes TensorFlow 2.21's graph optimizer print errors; a leaky one
    without a leak is the same function.
    """
    return keras.layers.LeakyReLU(negative_slope=0.0) if name == "relu" else name


def initial(variant: Variant, units: int):
    """Make the initializer of the weights of a plain RNN's state.

    Gaussian weights with a standard deviation of gain / sqrt(units) have a spectral
    radius of about the gain, and a largest singular value of about twice that.
    """
    kinds = {
        "gaussian": lambda: keras.initializers.RandomNormal(
            stddev=variant.gain / math.sqrt(units)
        ),
        "orthogonal": lambda: keras.initializers.Orthogonal(variant.gain),
        "identity": lambda: keras.initializers.Identity(variant.gain),
    }
    return kinds[variant.initial]()


def normalised(x, variant: Variant, units: int):
    """Apply a plain RNN that is normalised at every step: (batch, units).

    h = tanh(W_x x + b + norm(W_h h)). Batch normalisation with a scale of 0.1 at the
    start, as Cooijmans et al. (2017, arXiv:1603.09025) advise; its moving statistics
    are the same for all steps. Layer normalisation is that of Ba et al. (2016,
    arXiv:1607.06450), of the sum. Unrolled, of layers that all steps share.
    """
    x = keras.layers.Dense(units)(x)
    state = keras.layers.Dense(
        units, use_bias=False, kernel_initializer=initial(variant, units)
    )
    if variant.normalise == "inside":
        scale = keras.initializers.Constant(0.1)
        norm = keras.layers.BatchNormalization(gamma_initializer=scale)
    else:
        norm = keras.layers.LayerNormalization()
    h = keras.ops.tanh(x[:, 0])
    for step in range(1, x.shape[1]):
        if variant.normalise == "inside":
            h = keras.ops.tanh(x[:, step] + norm(state(h)))
        else:
            h = keras.ops.tanh(norm(x[:, step] + state(h)))
    return h


# ---------------------------------------------------------------- training


def optimizer(variant: Variant):
    """Make the optimizer of a variant, whose rate stays as it is."""
    clipping = {
        "": {},
        "norm": {"global_clipnorm": THRESHOLD},
        "value": {"clipvalue": THRESHOLD},
    }
    kinds = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
    return kinds[variant.optimizer](variant.rate, **clipping[variant.clip])
