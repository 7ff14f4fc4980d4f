"""What recurrent layers take, give and compute: tables and formulas, no training.

The formulas are written out in NumPy, one step at a time, so that they can be read
beside the course's; nothing on a hot path uses them.
"""

import itertools
import re

import lazy_loader
import numpy as np
from rich.table import Table

from rnn_tf.metrics.formatting import plain_table
from rnn_tf.models import layers

keras = lazy_loader.load("keras")

CELLS = ("SimpleRNN", "LSTM", "GRU")
# All different, so that a shape says which axis is which: the course's own example.
BATCH, STEPS, FEATURES, UNITS = 4, 10, 32, 64

SHAPES = "cell depth return_sequences input builds outputs head".split()
SHAPES += "trains_on_7 trains_on_1 error".split()
QUIZ = "part output parameters pytorch_parameters max_difference".split()
LENGTHS = "model length runs parameters mse error".split()


# ---------------------------------------------------------------- shapes


def shape_rows() -> list[dict]:
    """Try every combination of return_sequences, and inputs of a wrong rank.

    Each is built, called, and trained for one step on a target at every time step, of 7
    features and of 1.
    """
    shape = (BATCH, STEPS, FEATURES)
    patterns = []
    for depth in (1, 2, 3):
        patterns += itertools.product([True, False], repeat=depth)
    rows = [_shape_row(cell, p, shape) for cell in CELLS for p in patterns]
    wrong = (BATCH, FEATURES), (BATCH, STEPS, FEATURES, 1)
    return rows + [_shape_row(c, (False,), w) for c in CELLS for w in wrong]


def _shape_row(cell: str, pattern: tuple[bool, ...], shape: tuple[int, ...]) -> dict:
    """Try one stack of layers: does it build, what are its outputs, what trains?"""
    row = {"cell": cell, "depth": len(pattern), "input": str(shape)}
    row |= {"return_sequences": " ".join(map(str, pattern))}
    outputs = []
    try:
        x = keras.Input(batch_shape=shape)
        inputs = x
        for number, sequences in enumerate(pattern, start=1):
            name = f"{cell}_{number}"
            layer = getattr(keras.layers, cell)
            x = layer(UNITS, return_sequences=sequences, name=name)(x)
            outputs.append(str(x.shape))
    except ValueError as error:
        row |= {"builds": False, "outputs": " -> ".join(outputs)}
        return row | {"error": _first_line(error)}
    head = "seq-to-seq" if len(x.shape) == 3 else "seq-to-vector"
    errors = {n: _step_error(inputs, x, features=n) for n in (7, 1)}
    row |= {f"trains_on_{n}": not error for n, error in errors.items()}
    row |= {"builds": True, "outputs": " -> ".join(outputs), "head": head}
    return row | {"error": errors[7]}


def _step_error(inputs, x, features: int) -> str:
    """Train for one step on a target at every time step; return the error, or ""."""
    model = keras.Model(inputs, keras.layers.Dense(features)(x))
    # For a single step eager is the quickest on TensorFlow, and the slowest on JAX.
    model.compile("sgd", "mse", run_eagerly=keras.config.backend() == "tensorflow")
    targets = np.ones((BATCH, STEPS, features), "float32")
    try:
        model.train_on_batch(np.ones(inputs.shape, "float32"), targets)
    except Exception as error:  # every engine has a type of its own for shapes
        return _first_line(error)
    return ""


def _first_line(error: Exception) -> str:
    """Return the first line of an error, without names that Keras has numbered."""
    line = re.sub(r"functional_\d+", "functional", str(error).splitlines()[0])
    words = line.split(" ")
    kept = [w for w in words if not w.startswith(("{{function_node", "__wrapped__"))]
    return " ".join(w for w in kept if "/job:" not in w).removesuffix(" name: ")


def shape_table(rows: list[dict]) -> Table:
    """Make a table of the rows of `shapes.csv`; cells that agree share a line."""
    title = f"{UNITS} units per layer; shapes are (time, features), without the batch"
    table = plain_table(title, ["return_sequences", "input -> outputs", "each step"])
    table.padding, table.collapse_padding, table.pad_edge = (0, 1), True, False
    lines = {}
    for row in rows:
        lines.setdefault(_table_line(row), []).append(row["cell"])
    for line, cells in lines.items():
        names = "" if len(cells) == len(CELLS) else f" ({', '.join(cells)})"
        table.add_row(line[0] + names, *line[1:])
    table.caption = (
        "error: every recurrent layer wants (time, features). each step: training on "
        "a target at every step. broadcast: an error if targets have several features; "
        "if they have one, Keras compares the one output with every step, silently"
    )
    return table


def _table_line(row: dict) -> tuple[str, str, str]:
    """Return a row of `shapes.csv` as a line of the table."""
    shapes = " -> ".join([row["input"], *row["outputs"].split(" -> ")]).strip(" ->")
    shapes = shapes.replace(f"({BATCH}, ", "(")
    if row["builds"]:
        trains = row["trains_on_7"], row["trains_on_1"]
        result = {(True, True): "trains", (False, True): "broadcast"}
        return row["return_sequences"], shapes, result.get(trains, "error")
    return row["return_sequences"], f"{shapes} -> error", ""


# ---------------------------------------------------------------- the quiz's model


def quiz_model():
    """Build the quiz's classifier of sequences: (batch, time) -> (batch, 10).

    | part      | output            | parameters                                 |
    | --------- | ----------------- | ------------------------------------------ |
    | embedding | (batch, time, 30) | 10 x 30 = 300                              |
    | rnn       | (batch, 128)      | 30 x 128 + 128 x 128 + 128 = 20,352        |
    | decoder   | (batch, 10)       | 128 x 10 + 10 = 1,290                      |

    Only the last state is decoded; the output holds logits. PyTorch's nn.RNN counts 128
    parameters more: it keeps one bias for the input and one for the state, as cuDNN
    does, though their sum is all that matters.
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = keras.layers.Embedding(10, 30, name="embedding")(tokens)
    x = keras.layers.SimpleRNN(128, activation="tanh", name="rnn")(x)
    return keras.Model(tokens, keras.layers.Dense(10, name="decoder")(x), name="quiz")


def quiz_formula(weights: list[np.ndarray], tokens: np.ndarray) -> np.ndarray:
    """Compute the quiz's model by its formula: h_t = tanh(x_t W_x + h_{t-1} W_h + b).

    Args:
        weights: of `quiz_model`, in Keras's order.
        tokens: (batch, time), 0 to 9.

    Returns:
        (batch, 10): logits, decoded from the last state.
    """
    embedding, w_x, w_h, b, decoder, bias = weights
    h = np.zeros((len(tokens), len(w_h)))
    for x in np.swapaxes(embedding[tokens], 0, 1):
        h = np.tanh(x @ w_x + h @ w_h + b)
    return h @ decoder + bias


def quiz_rows() -> list[dict]:
    """Compare the quiz's model with its formula; return the rows of `quiz.csv`."""
    model = quiz_model()
    random = np.random.default_rng(1)
    model.set_weights([random.normal(0, 0.1, w.shape) for w in model.get_weights()])
    tokens = random.integers(0, 10, (16, 20))
    logits = model.predict(tokens, verbose=0)
    difference = np.abs(logits - quiz_formula(model.get_weights(), tokens)).max()
    rows = []
    for part in ("embedding", "rnn", "decoder"):
        layer = model.get_layer(part)
        second_bias = 128 if part == "rnn" else 0
        rows.append(
            {
                "part": part,
                "output": str(layer.output.shape),
                "parameters": layer.count_params(),
                "pytorch_parameters": layer.count_params() + second_bias,
            }
        )
    total = {k: sum(r[k] for r in rows) for k in ("parameters", "pytorch_parameters")}
    whole = {"part": "model", "output": str(model.output_shape)}
    return [*rows, whole | total | {"max_difference": float(difference)}]


# ---------------------------------------------------------------- inside an LSTM


def lstm_gates(weights: list[np.ndarray], inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Recompute the gates of a Keras LSTM step by step.

    i, f, o = sigmoid(x W + h U + b), each with its own part of W, U and b;
    c = f c + i tanh(x W_c + h U_c + b_c); h = o tanh(c).

    Source: Hochreiter and Schmidhuber (1997), with the forget gate of Gers,
    Schmidhuber and Cummins (2000).

    Args:
        weights: kernel (features, 4 units), recurrent kernel (units, 4 units), bias (4
            units,), each in Keras's order: input, forget, candidate, output.
        inputs: (batch, steps, features).

    Returns:
        "input gate", "forget gate", "output gate", "cell state" and "output", each
        (batch, steps, units).
    """
    from scipy.special import expit

    kernel, recurrent, bias = weights
    h = c = np.zeros((len(inputs), len(recurrent)))
    steps = []
    for x in np.swapaxes(inputs, 0, 1):
        i, f, candidate, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=1)
        i, f, o = expit(i), expit(f), expit(o)
        c = f * c + i * np.tanh(candidate)
        h = o * np.tanh(c)
        steps.append((i, f, o, c, h))
    names = "input gate", "forget gate", "output gate", "cell state", "output"
    parts = (np.stack(part, axis=1) for part in zip(*steps, strict=True))
    return dict(zip(names, parts, strict=True))


# ---------------------------------------------------------------- inside a GRU


def gru_states(weights: list[np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """Compute the states of a Keras GRU step by step.

    z, r = sigmoid(x W + b + h U + u), each with its own part of W, b, U and u;
    g = tanh(x W_g + b_g + r (h U_g + u_g)); h = z h + (1 - z) g.

    Source: Cho et al. (2014), with the reset gate after the product, as in cuDNN.

    Args:
        weights: kernel W (features, 3 units), recurrent kernel U (units, 3 units),
            biases (2, 3 units): b and u; each in Keras's order: update, reset,
            candidate.
        inputs: (batch, steps, features).

    Returns:
        (batch, steps, units).
    """
    from scipy.special import expit

    kernel, recurrent, (input_bias, state_bias) = weights
    h = np.zeros((len(inputs), len(recurrent)))
    states = []
    for x in np.swapaxes(inputs, 0, 1):
        x_z, x_r, x_g = np.split(x @ kernel + input_bias, 3, axis=1)
        h_z, h_r, h_g = np.split(h @ recurrent + state_bias, 3, axis=1)
        z, r = expit(x_z + h_z), expit(x_r + h_r)
        g = np.tanh(x_g + r * h_g)
        h = z * h + (1 - z) * g
        states.append(h)
    return np.stack(states, axis=1)


# ---------------------------------------------------------------- any length


def length_rows(models: dict, examples: dict[int, tuple]) -> list[dict]:
    """Call each model on each length; return the rows of `lengths.csv`.

    Args:
        models: name -> a trained Keras model, (batch, steps, features) -> (batch, 1) or
            (batch, steps, 1).
        examples: length -> inputs and targets (batch,), the value after the last step.
    """
    rows = []
    for name, model in models.items():
        for length, (inputs, targets) in examples.items():
            row = {"model": name, "length": length, "parameters": model.count_params()}
            try:
                forecast = keras.ops.convert_to_numpy(layers.last_step(model(inputs)))
            except Exception as error:  # every engine has a type of its own for shapes
                rows.append(row | {"runs": False, "error": _first_line(error)})
                continue
            mse = float(np.mean((forecast[:, 0] - targets) ** 2))
            rows.append(row | {"runs": True, "mse": mse})
    return rows
