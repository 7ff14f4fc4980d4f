"""Measure truncated backpropagation through time: time, memory, and the gradient.

A sequence is trained in chunks of k steps, an update for each. The state is carried
from chunk to chunk, or reset to zeros; a gradient never leaves its chunk.

Source: Williams and Peng (1990), "An efficient gradient-based algorithm for on-line
training of recurrent network trajectories"; here chunks do not overlap, as is usual.
"""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf import files
from rnn_tf.errors import InputError, warn
from rnn_tf.models import layers
from rnn_tf.studies import layer_shapes, peak_memory, truncated_training

keras = lazy_loader.load("keras")

COST = "cell chunk steps state rounds update_ms update_low update_high".split()
COST += "sequence_ms sequence_low sequence_high peak_mb".split()
GRADIENTS = "cell chunk steps seed cosine norm whole_norm".split()
BATCH, UNITS, DELAY = 64, 32, 10
TIMED = 50  # updates of a round, at most


@dataclass(frozen=True)
class Sizes:
    """How much of truncated backpropagation is measured."""

    cells: tuple[str, ...] = ("simple_rnn", "gru")
    chunks: tuple[int, ...] = (2, 10, 50, 200, 1000)
    steps: int = 1_000
    rounds: int = 5  # of timing
    states: tuple[str, ...] = ("carried", "reset")
    seeds: int = 5
    processes: int = 2  # for the memory of each chunk; none leaves it out
    training: truncated_training.Sizes = truncated_training.Sizes()

    def __post_init__(self):
        for cell in self.cells or ("nothing",):
            if cell not in layers.CELLS:
                raise InputError(
                    f"cells: {cell!r} is none of {', '.join(layers.CELLS)}"
                )
        for chunk in self.chunks or (0,):
            if not 1 <= chunk <= self.steps:
                raise InputError(
                    f"a chunk is {chunk} steps; of a sequence of {self.steps:,} "
                    f"steps, chunks are 1 to {self.steps:,}"
                )
        if self.rounds < 1 or self.seeds < 1 or self.steps < 2 * DELAY:
            raise InputError(f"rounds, seeds: at least 1; steps: {2 * DELAY}")

    @property
    def all_chunks(self) -> list[int]:
        """The chunks, and the whole sequence, which they are compared with."""
        return sorted({*self.chunks, self.steps})


SIZES = {
    "quick": Sizes(
        cells=("simple_rnn",),
        chunks=(10, 100),
        rounds=2,
        states=("carried",),
        seeds=2,
        processes=0,
        training=truncated_training.QUICK,
    ),
    "full": Sizes(),
}


def write(folder: Path, sizes: Sizes) -> dict[str, list[dict]]:
    """Measure truncated backpropagation, and write four tables into a run's folder.

    Args:
        folder: of the run.
        sizes: one of SIZES, or with some fields replaced.

    Returns:
        "truncated_cost", "truncated_gradients", "truncated_recall" and
        "truncated_training": their rows, as the CSV files hold them. Nothing on JAX:
        the gradients are TensorFlow's tape's.
    """
    if keras.config.backend() != "tensorflow":
        warn("left out: truncated backpropagation is measured by TensorFlow's tape")
        return {}
    training = truncated_training
    tables = {
        "truncated_cost": (COST, cost_rows(sizes)),
        "truncated_gradients": (GRADIENTS, gradient_rows(sizes)),
        "truncated_recall": (training.RECALL, training.recall_rows(sizes.training)),
        "truncated_training": (training.TRAINING, training.rows(sizes.training)),
    }
    for name, (columns, rows) in tables.items():
        files.write_csv(folder / f"{name}.csv", columns, rows)
    return {name: rows for name, (_, rows) in tables.items()}


def delayed_stream(steps: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Make numbers, and as targets those of 10 steps before.

    Returns:
        Inputs and targets, (64, steps, 1) each, float32.
    """
    stream = np.random.default_rng(seed).uniform(-1, 1, (BATCH, steps + DELAY, 1))
    stream = stream.astype("float32")
    return stream[:, DELAY:], stream[:, :-DELAY]


# ---------------------------------------------------------------- time and memory


def chunk_model(cell: str, chunk: int, carried: bool):
    """Build a model of one recurrent layer for chunks: (64, chunk, 1) in and out."""
    x = inputs = keras.Input(batch_shape=(BATCH, chunk, 1))
    options = {"return_sequences": True, "stateful": carried}
    x = layers.recurrent(cell)(UNITS, **options)(x)
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    model.compile("adam", "mse")
    return model


def train_by_chunks(model, data, chunk: int, most: int | None = None) -> int:
    """Train one sequence chunk by chunk, from a state of zeros; count the updates.

    Args:
        model: of `chunk_model`; it is trained.
        data: inputs and targets, (64, steps, 1) each.
        chunk: steps; what does not fill a last chunk is left out.
        most: updates, at most; all by default.
    """
    inputs, targets = data
    recurrent = model.layers[1]
    if recurrent.stateful:
        recurrent.reset_state()
    starts = range(0, inputs.shape[1] - chunk + 1, chunk)[:most]
    for start in starts:
        part = slice(start, start + chunk)
        model.train_on_batch(inputs[:, part], targets[:, part])
    return len(starts)


def cost_rows(sizes: Sizes) -> list[dict]:
    """Time an update and a sequence for each chunk, and measure the peak of memory.

    The settings take turns, so that what else the machine does slows all of them down.
    A round times up to 50 updates; a sequence takes so many times longer.

    Returns:
        The rows of `truncated_cost.csv`: medians over the rounds, and quartiles; the
        mean of the processes' peaks, for states that are carried.
    """
    data = delayed_stream(sizes.steps, seed=1)
    every = itertools.product(sizes.cells, sizes.all_chunks, sizes.states)
    models = {
        (cell, chunk, state): chunk_model(cell, chunk, state == "carried")
        for cell, chunk, state in every
    }
    seconds = {setting: [] for setting in models}
    for number in range(sizes.rounds + 1):
        for setting, model in models.items():
            started = time.perf_counter()
            updates = train_by_chunks(model, data, setting[1], TIMED)
            spent = time.perf_counter() - started
            if number:  # the first compiles
                seconds[setting].append(spent / updates / setting[1])
    rows = []
    for (cell, chunk, state), spent in seconds.items():
        row = {"cell": cell, "chunk": chunk, "steps": sizes.steps, "state": state}
        row |= {"rounds": sizes.rounds, **_quartiles("update", spent, chunk)}
        row |= _quartiles("sequence", spent, sizes.steps)
        if state == "carried":
            row["peak_mb"] = _peak(cell, chunk, sizes)
        rows.append(row)
    return rows


def _quartiles(name: str, seconds_a_step: list[float], steps: int) -> dict:
    """Return the median and the quartiles of so many steps, in milliseconds."""
    low, median, high = np.quantile(seconds_a_step, [0.25, 0.5, 0.75]) * steps * 1000
    return {
        f"{name}_ms": float(median),
        f"{name}_low": float(low),
        f"{name}_high": float(high),
    }


def _peak(cell: str, chunk: int, sizes: Sizes) -> float | str:
    """Return the mean of the peaks of several processes, side by side, in MiB."""
    with ThreadPoolExecutor(2) as pool:
        words = [[setting] * sizes.processes for setting in (cell, chunk, sizes.steps)]
        peaks = list(pool.map(peak_memory.peak, *words))
    return "" if "" in peaks or not peaks else float(np.mean(peaks))


# ---------------------------------------------------------------- the gradient


def gradient_rows(sizes: Sizes) -> list[dict]:
    """Compare the gradient of each chunk length with the whole one, without training.

    The sum over all chunks, states carried, of fresh layers; of the recurrent layer's
    weights alone, since those of the output are the same by any chunk.

    Returns:
        The rows of `truncated_gradients.csv`: cosine to the whole gradient, and norms.
    """
    import tensorflow as tf

    rows = []
    for cell in sizes.cells:
        recurrent, head = _layers(cell)
        functions = {
            chunk: tf.function(_gradient_function(recurrent, head, chunk))
            for chunk in sizes.all_chunks
        }
        for seed in range(1, sizes.seeds + 1):
            _draw_weights(recurrent, head, cell, seed)
            data = delayed_stream(sizes.steps, seed)
            states = _states(cell, recurrent, data[0])
            flat = {
                chunk: _flat(function(*_cut(chunk, *data, states)))
                for chunk, function in functions.items()
            }
            rows += _compare(cell, seed, sizes, flat)
    return rows


def _compare(cell: str, seed: int, sizes: Sizes, flat: dict) -> list[dict]:
    """Compare the gradients of each chunk, flat ones, with that of the whole."""
    whole = flat[sizes.steps]
    rows = []
    for chunk, gradient in flat.items():
        norms = np.linalg.norm(gradient), np.linalg.norm(whole)
        row = {"cell": cell, "chunk": chunk, "steps": sizes.steps, "seed": seed}
        row |= {"cosine": float(gradient @ whole / norms[0] / norms[1])}
        rows.append(row | {"norm": float(norms[0]), "whole_norm": float(norms[1])})
    return rows


def _layers(cell: str):
    """Build the recurrent layer and the output, with weights."""
    recurrent = layers.recurrent(cell)(UNITS, return_sequences=True)
    head = keras.layers.Dense(1)
    recurrent.build((None, None, 1))
    head.build((None, None, UNITS))
    return recurrent, head


def _draw_weights(recurrent, head, cell: str, seed: int) -> None:
    """Draw fresh weights by seed."""
    from rnn_tf.studies import recurrent_cells

    random = np.random.default_rng(seed)
    recurrent.set_weights(recurrent_cells.initial_weights(cell, 1, UNITS, random))
    head.set_weights([recurrent_cells.glorot(UNITS, 1, random), np.zeros(1)])


def _states(cell: str, recurrent, inputs: np.ndarray) -> list[np.ndarray]:
    """Return the states after each step, (64, steps, units): h, and of an LSTM c."""
    weights = recurrent.get_weights()
    if cell == "lstm":
        parts = layer_shapes.lstm_gates(weights, inputs)
        return [parts["output"], parts["cell state"]]
    if cell == "gru":
        return [layer_shapes.gru_states(weights, inputs)]
    kernel, matrix, bias = weights
    h, states = np.zeros((len(inputs), UNITS)), []
    for x in np.swapaxes(inputs, 0, 1):
        h = np.tanh(x @ kernel + h @ matrix + bias)
        states.append(h)
    return [np.stack(states, axis=1)]


def _cut(chunk: int, inputs, targets, states) -> tuple:
    """Cut sequences into chunks, each a sequence of its own with its first state.

    No gradient leaves a chunk, so that all of them can be computed side by side. What
    is too short for a chunk is padded, with weight 0.

    Returns:
        Inputs and targets (64 x chunks, chunk, 1), weights (64 x chunks, chunk), and
        the first states, (64 x chunks, units) each.
    """
    steps = inputs.shape[1]
    more = -steps % chunk
    padding = [(0, 0), (0, more), (0, 0)]
    weights = np.pad(np.ones((BATCH, steps, 1), "float32"), padding)
    parts = [np.pad(part, padding) for part in (inputs, targets)]
    parts = [part.reshape(-1, chunk, 1) for part in [*parts, weights]]
    ends = range(chunk - 1, steps - 1, chunk)
    firsts = [np.pad(s[:, ends], [(0, 0), (1, 0), (0, 0)]) for s in states]
    return *parts, [s.reshape(-1, UNITS).astype("float32") for s in firsts]


def _gradient_function(recurrent, head, chunk: int):
    """Return a function of chunks that computes the gradient of the mean error."""
    import tensorflow as tf

    def gradient(inputs, targets, weights, firsts):
        with tf.GradientTape() as tape:
            outputs = head(recurrent(inputs, initial_state=firsts))
            loss = tf.reduce_sum(weights * (outputs - targets) ** 2)
            loss /= tf.reduce_sum(weights)
        return tape.gradient(loss, [v.value for v in recurrent.trainable_variables])

    return gradient


def _flat(gradients) -> np.ndarray:
    """Join gradients into one vector, float64."""
    return np.concatenate([np.ravel(g) for g in gradients]).astype(float)
