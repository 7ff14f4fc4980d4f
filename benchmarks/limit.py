"""Compare training with what the machine can do: GFLOP/s, of matrix products alone.

Counted are the products of a training step, forward and for both gradients; all else,
such as the gates, counts as nothing. NumPy multiplies matrices of the same shapes, in
the same order, and does nothing else.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from benchmarks import forecast, sketch
from benchmarks.contest import Contender, Work
from rnn_tf.config import RunConfig
from rnn_tf.devices import backend, strategy

LARGE = 2_048

# Shape (rows, inner, columns) and number of each product in the forward pass of a step.
Products = Sequence[tuple[tuple[int, int, int], int]]


def recurrent(gates: int, batch: int, time: int, features: int, units: int) -> Products:
    """List a recurrent layer's: the input's for all steps, the state's for each."""
    columns = gates * units
    return [((batch * time, features, columns), 1), ((batch, units, columns), time)]


def convolution(
    batch: int, steps: int, kernel: int, filters: Sequence[int]
) -> Products:
    """List those of a Conv1D: `steps` of its output, filters before and after."""
    before, after = filters
    return [((batch * steps, kernel * before, after), 1)]


def network() -> Products:
    """List those of the textbook's sketch network, on drawings of 100 points."""
    batch, steps, products = sketch.BATCH, sketch.LONGEST, []
    for kernel, *filters in ((5, 5, 32), (5, 32, 64), (3, 64, 128)):
        steps = (steps - kernel) // 2 + 1
        products += convolution(batch, steps, kernel, filters)
    return [*products, *2 * recurrent(4, batch, steps, 128, 128)]


def operations(products: Products) -> int:
    """Count a training step's operations; a product's two gradients cost the same."""
    return 3 * sum(2 * m * k * n * times for (m, k, n), times in products)


def numpy(products: Products):
    """Multiply matrices of these shapes, and of their gradients'."""
    random = np.random.default_rng(1)
    work = []
    for (m, k, n), times in products:
        # The gradients of the weights are one product for all steps, as in rnn_kernels.
        for often, shape in (
            (times, (m, k, n)),
            (times, (m, n, k)),
            (1, (k, m * times, n)),
        ):
            pair = [
                random.normal(size=part).astype("float32")
                for part in (shape[:2], shape[1:])
            ]
            work += [pair] * often

    def step() -> None:
        for left, right in work:
            left @ right

    return lambda: _speed(products, step)


def _speed(products: Products, step: Callable[[], None]) -> float:
    """Time steps for half a second: GFLOP/s."""
    started, count = time.perf_counter(), 0
    while time.perf_counter() < started + 0.5:
        step()
        count += 1
    return count * operations(products) / (time.perf_counter() - started) / 1e9


def large():
    """Multiply two matrices of 2,048 by 2,048."""
    return numpy([((LARGE,) * 3, 1)])


def training(products: Products, batch: int, setup):
    """Train as `setup` does, in batches of `batch` examples."""
    run_round = setup()
    return lambda: run_round() / batch * operations(products) / 1e9


def drawings():
    """Train the textbook's sketch network as a run does, on one batch repeatedly."""
    devices, tf = strategy.start(RunConfig()), backend.import_tensorflow()
    model = sketch.model(devices, "textbook", sketch.BATCH, xla=True)
    random, steps = np.random.default_rng(1), 40
    x = random.normal(size=(sketch.BATCH, sketch.LONGEST, 5)).astype("float32")
    data = tf.data.Dataset.from_tensors((x, np.zeros(len(x), "int32"))).repeat(steps)

    def run_round() -> float:
        started = time.perf_counter()
        devices.fit(model, data, validation_data=None, verbose=0)
        return steps * len(x) / (time.perf_counter() - started)

    return run_round


def _work(name: str, products: Products, batch: int, setup) -> Work:
    trained = partial(training, products, batch, setup)
    contenders = (
        Contender("a large product, NumPy", large),
        Contender("products of these shapes, NumPy", partial(numpy, products)),
        Contender("training, ours", trained),
        Contender("training, ours on JAX", trained, *sketch.JAX),
    )
    return Work(f"matrix products of {name}", "GFLOP/s", contenders, rounds=3)


def _forecast(cell: str, gates: int) -> Work:
    size = forecast.BATCH, forecast.LOOKBACK, 1, forecast.UNITS
    name = f"{cell}({forecast.UNITS}), 56 days, batch {forecast.BATCH}"
    setup = partial(forecast.ours, cell)
    return _work(name, recurrent(gates, *size), forecast.BATCH, setup)


WORKS = (
    _forecast("LSTM", 4),
    _forecast("GRU", 3),
    _work("the textbook's sketch network, batch 32", network(), sketch.BATCH, drawings),
)
