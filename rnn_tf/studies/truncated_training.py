"""Train with gradients that are cut off after k steps: what is still learned?

The state goes on where the gradient is cut (carried), or starts anew from zeros
(reset), which is to read the last k steps alone.
"""

import itertools
from dataclasses import dataclass

import lazy_loader
import numpy as np

from rnn_tf.data.series import synthetic
from rnn_tf.models import layers
from rnn_tf.studies import recurrent_cells

keras = lazy_loader.load("keras")

RECALL = "task cell chunk state length distance seed accuracy chance".split()
TRAINING = "activation gain chunk steps seed first_norm largest_norm loss".split()
TRAINING += "baseline diverged".split()
SYMBOLS, UNITS, BATCH = 4, 32, 64
BASELINE = 1 / 6  # of the adding problem: always answering 1


@dataclass(frozen=True)
class Sizes:
    """How much is trained."""

    cells: tuple[str, ...] = tuple(layers.CELLS)
    distance: int = 20  # of the symbol to be recalled
    chunks: tuple[int, ...] = (2, 10)
    states: tuple[str, ...] = ("carried", "reset")
    stream: bool = True  # whether streams are trained on, too
    updates: int = 300
    seeds: int = 5
    activations: tuple[str, ...] = ("tanh", "relu")
    gains: tuple[float, ...] = (1.0, 1.5, 2.0)
    length: int = 50  # of the adding problem
    adding_chunks: tuple[int, ...] = (5, 20)
    adding_updates: int = 200


QUICK = Sizes(
    cells=("simple_rnn",),
    chunks=(2,),
    states=("carried",),
    stream=False,
    updates=60,
    seeds=1,
    activations=("tanh",),
    gains=(2.0,),
    adding_chunks=(5,),
    adding_updates=20,
)
STREAM, STREAM_CHUNK, STREAM_DELAY = 60, 10, 3


# ---------------------------------------------------------------- recall


def first_symbol(examples: int, distance: int, seed: int):
    """Make sequences whose first symbol is to be named at the end, behind noise.

    Returns:
        Inputs (examples, distance + 1, 5), the symbol's four places and one for noise,
        float32, and the symbols (examples,).
    """
    random = np.random.default_rng(seed)
    symbols = random.integers(0, SYMBOLS, examples)
    inputs = np.zeros((examples, distance + 1, SYMBOLS + 1), "float32")
    inputs[:, 0, :SYMBOLS] = np.eye(SYMBOLS)[symbols]
    inputs[:, 1:, SYMBOLS] = random.uniform(-1, 1, (examples, distance))
    return inputs, symbols


def symbol_stream(examples: int, steps: int, delay: int, seed: int):
    """Make streams of symbols; at each step the one `delay` steps before is to name.

    Returns:
        Inputs (examples, steps, 4) float32, and the symbols (examples, steps).
    """
    random = np.random.default_rng(seed)
    symbols = random.integers(0, SYMBOLS, (examples, steps + delay))
    inputs = np.eye(SYMBOLS, dtype="float32")[symbols[:, delay:]]
    return inputs, symbols[:, :steps]


def recall_rows(sizes: Sizes) -> list[dict]:
    """Train to recall with gradients that are cut off.

    `first`: the first symbol, over 20 steps. `stream`: at each of 60 steps the symbol 3
    steps before, in chunks of 10, each beginning where the last one ended. There 96 %
    is all that can be known, as the first three were never shown. One update for a
    whole sequence in either, so that chunks differ by the gradient alone.

    Returns:
        The rows of `truncated_recall.csv`: accuracy on 2,000 new sequences, or on 200
        streams.
    """
    rows = []
    length = sizes.distance + 1
    first = {"task": "first", "length": length, "distance": sizes.distance}
    stream = {"task": "stream", "length": STREAM, "distance": STREAM_DELAY}
    for cell in sizes.cells:
        for chunk in (*sizes.chunks, length):
            for state in sizes.states if chunk < length else ("carried",):
                model = first_model(cell, length, chunk, state == "carried")
                rows += _train(model, first | _names(cell, chunk, state), sizes)
        for chunk in (STREAM_CHUNK, STREAM) if sizes.stream else ():
            model = stream_model(cell, chunk)
            rows += _train(model, stream | _names(cell, chunk, "carried"), sizes)
    return rows


def _names(cell: str, chunk: int, state: str) -> dict:
    """Return the columns of a setting."""
    return {"cell": cell, "chunk": chunk, "state": state, "chance": 1 / SYMBOLS}


def first_model(cell: str, length: int, chunk: int, carried: bool):
    """Build a model whose gradient ends `chunk` steps before the last: logits.

    As the only error is at the end, chunks before the last have no gradient; only their
    states count, and are left out with `carried` False.
    """
    inputs = keras.Input((length, SYMBOLS + 1))
    recurrent = layers.recurrent(cell)(UNITS, return_state=True)
    states = None
    if carried and chunk < length:
        _, *states = recurrent(inputs[:, :-chunk])
        states = [keras.ops.stop_gradient(state) for state in states]
    h, *_ = recurrent(inputs[:, -chunk:], initial_state=states)
    return _compiled(inputs, keras.layers.Dense(SYMBOLS)(h))


def stream_model(cell: str, chunk: int):
    """Build a model that reads a stream chunk by chunk: logits of every step."""
    inputs = keras.Input((STREAM, SYMBOLS))
    options = {"return_state": True, "return_sequences": True}
    recurrent = layers.recurrent(cell)(UNITS, **options)
    states, parts = None, []
    for start in range(0, STREAM, chunk):
        part = inputs[:, start : start + chunk]
        outputs, *states = recurrent(part, initial_state=states)
        states = [keras.ops.stop_gradient(state) for state in states]
        parts.append(outputs)
    x = keras.ops.concatenate(parts, axis=1) if parts[1:] else parts[0]
    return _compiled(inputs, keras.layers.Dense(SYMBOLS)(x))


def _compiled(inputs, outputs):
    """Compile a classifier for Adam, clipped."""
    model = keras.Model(inputs, outputs)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(1e-2, clipnorm=1.0)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def _train(model, columns: dict, sizes: Sizes) -> list[dict]:
    """Train a model anew with each seed, on data of its own; a row for each.

    The same seed has the same data and first weights with every chunk.
    """
    rows, count = [], BATCH * sizes.updates
    for seed in range(1, sizes.seeds + 1):
        _start_anew(model, columns["cell"], seed)
        if columns["task"] == "first":
            data = first_symbol(count, sizes.distance, seed)
            test = first_symbol(2_000, sizes.distance, seed + 1_000)
        else:
            data = symbol_stream(count, STREAM, STREAM_DELAY, seed)
            test = symbol_stream(200, STREAM, STREAM_DELAY, seed + 1_000)
        model.fit(*data, batch_size=BATCH, shuffle=False, verbose=0)
        accuracy = model.evaluate(*test, batch_size=500, verbose=0)[1]
        rows.append(columns | {"seed": seed, "accuracy": float(accuracy)})
    return rows


def _start_anew(model, cell: str, seed: int) -> None:
    """Draw a model's weights by seed, and let the optimizer forget."""
    random = np.random.default_rng(seed)
    features = model.input_shape[-1]
    weights = recurrent_cells.initial_weights(cell, features, UNITS, random)
    head = [recurrent_cells.glorot(UNITS, SYMBOLS, random), np.zeros(SYMBOLS)]
    model.set_weights([*weights, *head])
    rate = float(model.optimizer.learning_rate)
    for variable in model.optimizer.variables:
        variable.assign(keras.ops.zeros_like(variable))
    model.optimizer.learning_rate = rate


# ---------------------------------------------------------------- exploding gradients


def rows(sizes: Sizes) -> list[dict]:
    """Train on the adding problem without clipping, with gradients cut off.

    Adam at 0.01, batches of 64, a SimpleRNN with orthogonal weights times a gain. A
    training has diverged if its loss, the mean of the last 20 updates, is no number or
    over twice that of always answering 1.

    Returns:
        The rows of `truncated_training.csv`: the norm of the gradient before training,
        the largest one, and the loss.
    """
    result = []
    every = itertools.product(sizes.activations, (*sizes.adding_chunks, sizes.length))
    for activation, chunk in every:
        trainer = _Trainer(activation, sizes.length, chunk)
        for gain, seed in itertools.product(sizes.gains, range(1, sizes.seeds + 1)):
            columns = {"activation": activation, "gain": gain, "chunk": chunk}
            columns |= {"steps": sizes.length, "seed": seed, "baseline": BASELINE}
            result.append(columns | trainer.train(gain, seed, sizes.adding_updates))
    return result


class _Trainer:
    """A SimpleRNN whose gradient is cut off after `chunk` steps, and its updates."""

    def __init__(self, activation: str, length: int, chunk: int):
        import tensorflow as tf

        # A "relu" makes TensorFlow 2.21's graph optimizer print errors; a leaky one
        # without a leak is the same function.
        relu = keras.layers.LeakyReLU(negative_slope=0.0)
        activation = relu if activation == "relu" else activation
        inputs = keras.Input((length, 2))
        recurrent = keras.layers.SimpleRNN(UNITS, activation=activation)
        states = None
        if chunk < length:
            states = [keras.ops.stop_gradient(recurrent(inputs[:, :-chunk]))]
        x = recurrent(inputs[:, -chunk:], initial_state=states)
        self.model = keras.Model(inputs, keras.layers.Dense(1)(x))
        self.optimizer = keras.optimizers.Adam(1e-2)
        self.optimizer.build(self.model.trainable_variables)
        self.length = length
        self.update = tf.function(self._update)

    def _update(self, inputs, targets):
        """Make one update; return the loss and the norm of the gradient before it."""
        import tensorflow as tf

        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.model(inputs)[:, 0] - targets) ** 2)
        gradients = tape.gradient(loss, [v.value for v in variables])
        self.optimizer.apply(gradients, variables)
        return loss, tf.linalg.global_norm(gradients)

    def train(self, gain: float, seed: int, updates: int) -> dict:
        """Train from fresh weights on; return the measured columns."""
        random = np.random.default_rng(seed)
        weights = recurrent_cells.initial_weights(
            "simple_rnn", 2, UNITS, random, gain=gain
        )
        head = [recurrent_cells.glorot(UNITS, 1, random), np.zeros(1)]
        self.model.set_weights([*weights, *head])
        for variable in self.optimizer.variables:
            variable.assign(keras.ops.zeros_like(variable))
        self.optimizer.learning_rate = 1e-2
        data = synthetic.adding_problem(BATCH * updates, self.length, seed)
        batches = zip(*(np.split(part, updates) for part in data), strict=True)
        steps = [self.update(*batch) for batch in batches]
        losses, norms = np.array([[float(x) for x in step] for step in steps]).T
        loss = float(losses[-20:].mean())
        return {
            "first_norm": float(norms[0]),
            "largest_norm": float(norms.max()),
            "loss": loss,
            "diverged": not loss <= 2 * BASELINE,
        }
