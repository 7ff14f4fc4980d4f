"""Measure static and dynamic loops over time: their graphs, times and memory.

    python -m rnn_tf.studies.static_and_dynamic dynamic

is a worker (see `turns`) for one kind of loop:

- static: `tf.compat.v1.nn.static_rnn`, which writes the cell once for each step;
- dynamic: `tf.compat.v1.nn.dynamic_rnn`, a loop, of 32 parallel iterations;
- dynamic_1: the same, of one;
- keras, keras_unrolled: `keras.layers.SimpleRNN`, a loop, and with `unroll=True`.

All have the same plain cell, h = tanh(x W + h U + b), and the same update to measure:
the last state and the gradient of its squares. They are TensorFlow's, on any engine.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import lazy_loader
import numpy as np

from rnn_tf.studies import turns

tf = lazy_loader.load("tensorflow")
keras = lazy_loader.load("keras")

KINDS = "static dynamic dynamic_1 keras keras_unrolled".split()
GRAPHS = "kind steps nodes nodes_after build_seconds first_seconds".split()
GRAPHS += "rounds update_ms update_low update_high error".split()
MEMORY = "kind rows steps megabytes error".split()

BATCH, FEATURES, UNITS = 32, 32, 64
TOGETHER = 5  # updates of a turn
OTHER_LENGTHS = 3, 7  # which a loop takes too
LONG = 200  # steps of the rows whose memory is measured, at most
MIB = 2**20


class Cell:
    """The plain recurrent cell, as `dynamic_rnn` and `static_rnn` ask for it.

    TensorFlow's own, `BasicRNNCell`, does not run beside Keras 3.
    """

    def __init__(self, weights: list):
        self.weights = weights
        self.output_size = self.state_size = UNITS

    def zero_state(self, batch_size, dtype):
        """Make the first state: (batch, units)."""
        return tf.zeros((batch_size, UNITS), dtype)

    def __call__(self, inputs, state, scope=None):
        """Compute a step: (batch, features), (batch, units) -> output and state."""
        kernel, recurrent, bias = self.weights
        state = tf.tanh(inputs @ kernel + state @ recurrent + bias)
        return state, state


def weights() -> list[np.ndarray]:
    """Draw the cell's weights, the same for all: kernel, recurrent kernel, bias."""
    random = np.random.default_rng(1)
    shapes = (FEATURES, UNITS), (UNITS, UNITS), (UNITS,)
    return [random.normal(0, 0.1, shape).astype("float32") for shape in shapes]


def inputs(steps: int) -> np.ndarray:
    """Draw what the cell reads: (batch, steps, features) float32."""
    random = np.random.default_rng(2)
    return random.normal(size=(BATCH, steps, FEATURES)).astype("float32")


@dataclass(frozen=True)
class Loop:
    """A loop that has been built, and can be called."""

    update: Callable  # (inputs, lengths) -> outputs, last state and gradients
    nodes: Callable[[], int]  # of its graph, those of functions in it too
    allocated: Callable | None = None  # (inputs, lengths) -> bytes that it asks for


# ---------------------------------------------------------------- TensorFlow 1's


def graph_loop(kind: str, steps: int) -> Loop:
    """Build `static_rnn` or `dynamic_rnn`, with sequence_length, in a graph."""
    v1, graph = tf.compat.v1, tf.Graph()
    with graph.as_default():
        known = [
            v1.get_variable(name, initializer=value, use_resource=True)
            for name, value in zip("wub", weights(), strict=True)
        ]
        width = steps if kind == "static" else None
        x = v1.placeholder(tf.float32, (BATCH, width, FEATURES))
        lengths = v1.placeholder(tf.int32, (BATCH,))
        outputs, state = _unrolled(kind, Cell(known), x, lengths)
        gradients = tf.gradients(tf.reduce_sum(state**2), known)
        begin = v1.global_variables_initializer()
    session = v1.Session(graph=graph)
    session.run(begin)
    fetched = [outputs, state, *gradients]

    def update(values, ends):
        return session.run(fetched, {x: values, lengths: ends})

    def allocated(values, ends):
        trace, metadata = v1.RunOptions(trace_level=3), v1.RunMetadata()  # full
        session.run(fetched, {x: values, lengths: ends}, trace, metadata)
        devices = metadata.step_stats.dev_stats
        nodes = [node for device in devices for node in device.node_stats]
        return sum(part.total_bytes for node in nodes for part in node.memory)

    return Loop(update, lambda: _nodes(graph), allocated)


def _unrolled(kind: str, cell: Cell, x, lengths):
    """Apply a loop to (batch, steps, features): outputs over time, last state."""
    nn, options = tf.compat.v1.nn, {"sequence_length": lengths, "dtype": tf.float32}
    if kind == "static":
        outputs, state = nn.static_rnn(cell, tf.unstack(x, axis=1), **options)
        return tf.stack(outputs, axis=1), state
    parallel = 1 if kind == "dynamic_1" else 32
    return nn.dynamic_rnn(cell, x, parallel_iterations=parallel, **options)


def _nodes(graph) -> int:
    """Count the nodes of a graph and of the functions that it calls."""
    definition = graph.as_graph_def()
    inside = sum(len(function.node_def) for function in definition.library.function)
    return len(definition.node) + inside


# ---------------------------------------------------------------- Keras's


def keras_loop(kind: str, steps: int) -> Loop:
    """Build Keras's layer, with a mask; a loop takes any length, unrolled one."""
    unroll = kind == "keras_unrolled"
    layer = keras.layers.SimpleRNN(
        UNITS, return_sequences=True, return_state=True, unroll=unroll
    )
    layer.build((BATCH, steps, FEATURES))
    layer.set_weights(weights())
    width = steps if unroll else None

    @tf.function(
        input_signature=[
            tf.TensorSpec((BATCH, width, FEATURES), tf.float32),
            tf.TensorSpec((BATCH,), tf.int32),
        ]
    )
    def update(values, ends):
        mask = tf.sequence_mask(ends, tf.shape(values)[1])
        mask = tf.ensure_shape(mask, (BATCH, width))
        known = [weight.value for weight in layer.weights]
        with tf.GradientTape() as tape:
            outputs, state = layer(values, mask=mask)
            loss = tf.reduce_sum(state**2)
        return [outputs, state, *tape.gradient(loss, known)]

    update.get_concrete_function()  # traced once, as the graphs above are
    return Loop(
        lambda *fed: [np.asarray(part) for part in update(*fed)],
        lambda: _nodes(update.get_concrete_function().graph),
    )


def build(kind: str, steps: int) -> Loop:
    """Build a loop of a kind, for so many steps."""
    make = keras_loop if kind.startswith("keras") else graph_loop
    return make(kind, steps)


# ---------------------------------------------------------------- the worker


def main(kind: str) -> None:
    """Answer questions on one kind of loop, in this process."""
    built, calls = {}, {}

    def begin():  # TensorFlow's own first time is not the loop's
        build(kind, 2).update(*rows_of(2))

    def prepare(steps: int) -> dict:
        started = time.perf_counter()
        loop = built[steps] = build(kind, steps)
        ready, nodes, full = time.perf_counter(), loop.nodes(), rows_of(steps)
        again = time.perf_counter()
        loop.update(*full)
        row = {"nodes": nodes, "build_seconds": ready - started}
        row |= {"first_seconds": time.perf_counter() - again}
        if kind in ("dynamic", "dynamic_1", "keras"):
            for other in OTHER_LENGTHS:
                loop.update(*rows_of(other))
        calls[steps] = partial(loop.update, *full)
        return row | {"nodes_after": loop.nodes()}

    def turn(steps: int) -> dict:
        started = time.perf_counter()
        for _ in range(TOGETHER):
            calls[steps]()
        return {"milliseconds": 1000 * (time.perf_counter() - started) / TOGETHER}

    def allocate(steps: int) -> dict:
        loop = built.get(steps) or build(kind, steps)
        return {
            rows: loop.allocated(inputs(steps), np.array(ends, "int32")) / MIB
            for rows, ends in mixtures(steps).items()
        }

    parts = {"prepare": prepare, "turn": turn, "allocate": allocate}
    turns.serve(lambda part, **question: parts[part](**question), begin)


def rows_of(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Give inputs and lengths of rows that are all so long."""
    return inputs(steps), np.full(BATCH, steps, "int32")


def mixtures(steps: int) -> dict[str, list[int]]:
    """Name batches of rows, all `steps` wide: the lengths of each; short is a tenth."""
    short = steps // 10
    return {
        "all long": [steps] * BATCH,
        "all short": [short] * BATCH,
        "one long": [steps] + [short] * (BATCH - 1),
    }


# ---------------------------------------------------------------- rows


def rows(
    kinds: tuple[str, ...], steps: tuple[int, ...], rounds: int
) -> tuple[list[dict], list[dict]]:
    """Measure each kind of loop at each number of steps.

    Returns:
        Rows of `graphs.csv`, where milliseconds of an update are the median and the
        quartiles of turns of 5; and of `memory.csv`.
    """
    with turns.workers(__spec__.name, kinds) as workers:
        graphs = [
            {"kind": kind, "steps": count, "rounds": rounds} | row
            for count in steps
            for kind, row in _rows_at(workers, count, rounds).items()
        ]
        memory = [
            {"kind": kind} | row
            for kind in ("static", "dynamic")
            if kind in workers
            for row in _memory_rows(workers[kind], min(max(steps), LONG))
        ]
    return graphs, memory


def _rows_at(workers: dict, steps: int, rounds: int) -> dict[str, dict]:
    """Build every kind of loop for so many steps, and time updates in turns."""
    rows = {
        kind: worker.ask(part="prepare", steps=steps)
        for kind, worker in workers.items()
    }

    def turn(kind):
        return workers[kind].ask(part="turn", steps=steps)["milliseconds"]

    built = {kind: partial(turn, kind) for kind in rows if "error" not in rows[kind]}
    names = "update_ms", "update_low", "update_high"
    for kind, spent in turns.take_turns(built, rounds).items():
        rows[kind] |= dict(zip(names, spent, strict=True))
    return rows


def _memory_rows(worker: turns.Worker, steps: int) -> Iterator[dict]:
    """Add up the bytes that an update asks for, by the lengths of the rows."""
    answer = worker.ask(part="allocate", steps=steps)
    for name in mixtures(steps):
        row = {"rows": name, "steps": steps, "megabytes": answer.get(name, "")}
        yield row | {"error": answer.get("error", "")}


if __name__ == "__main__":
    main(sys.argv[1])
