"""Measure what a recurrent network costs by length, beside others as large.

    python -m rnn_tf.studies.step_costs 1

is a worker (see `turns`) that may use so many cores. A plain RNN, a stack of two causal
convolutions and an MLP on the flattened sequence have about as many parameters, and
each forecasts one number from a sequence of numbers. Inference of a sequence is timed
all at once, and step by step with the state carried on, as a stream would come.
"""

import os
import sys
import time
from collections.abc import Iterator
from functools import partial

import lazy_loader
import numpy as np

from rnn_tf.errors import RunError
from rnn_tf.studies import turns

keras = lazy_loader.load("keras")

COLUMNS = "model work cores steps parameters rounds milliseconds low high error".split()
MODELS = "rnn", "conv", "mlp"
TRAINING, WHOLE, STREAM = "training", "all at once", "step by step"
UNITS, BATCH = 64, 32
PARAMETERS = UNITS * (UNITS + 2)  # of the RNN, whose input is one number
FILTERS, KERNEL = 37, 3
TOGETHER = 3  # updates of a turn


def build(name: str, steps: int):
    """Build a network: (batch, steps, 1) -> (batch, 1)."""
    keras.utils.set_random_seed(1)
    inputs = x = keras.Input((steps, 1))
    if name == "rnn":
        x = keras.layers.SimpleRNN(UNITS)(x)
    elif name == "conv":
        options = {"padding": "causal", "activation": "relu"}
        for _ in range(2):
            x = keras.layers.Conv1D(FILTERS, KERNEL, **options)(x)
        x = x[:, -1]
    else:
        hidden = max(1, PARAMETERS // (steps + 1))
        x = keras.layers.Dense(hidden, "relu")(keras.layers.Flatten()(x))
    return keras.Model(inputs, keras.layers.Dense(1)(x))


def stream():
    """Build the RNN that reads one step of one sequence at a time, and remembers."""
    inputs = keras.Input(batch_shape=(1, 1, 1))
    x = keras.layers.SimpleRNN(UNITS, stateful=True)(inputs)
    return keras.Model(inputs, keras.layers.Dense(1)(x))


# ---------------------------------------------------------------- the worker


def main(cores: int) -> None:
    """Answer questions on networks of this process, which may use so many cores."""
    works = {}

    def begin():
        _pin(cores)  # before an engine starts, which counts them
        keras.config.backend()  # imports it

    def answer(part: str, model: str, work: str, steps: int) -> dict:
        _pin(cores)  # or say that they are not there
        key = model, work, steps
        if part == "prepare":
            works[key], parameters = _work(*key)
            return {"parameters": parameters}
        started = time.perf_counter()
        for _ in range(TOGETHER):
            works[key]()
        return {"milliseconds": 1000 * (time.perf_counter() - started) / TOGETHER}

    turns.serve(answer, begin)


def _pin(cores: int) -> None:
    """Let this process use so many cores alone; Linux only."""
    if not hasattr(os, "sched_setaffinity"):
        raise RunError("this system does not let a process choose its cores")
    there = sorted(os.sched_getaffinity(0))
    if len(there) < cores:
        raise RunError(f"{cores} cores, and there are {len(there)}")
    os.sched_setaffinity(0, there[:cores])


def _work(name: str, work: str, steps: int) -> tuple:
    """Give what is timed, and the parameters of its network."""
    random = np.random.default_rng(1)
    values = random.normal(size=(BATCH, steps, 1)).astype("float32")
    model = stream() if work == STREAM else build(name, steps)
    if work == TRAINING:
        model.compile("adam", "mse", jit_compile=keras.config.backend() == "jax")
        targets = np.zeros((BATCH, 1), "float32")
        return lambda: model.train_on_batch(values, targets), model.count_params()
    if work == WHOLE:
        return lambda: model.predict_on_batch(values[:1]), model.count_params()

    def read():
        for place in range(steps):
            model.predict_on_batch(values[:1, place : place + 1])

    return read, model.count_params()


# ---------------------------------------------------------------- rows


def rows(cores: tuple, steps: tuple, rounds: int) -> Iterator[dict]:
    """Time a training step of each, and inference by the RNN: `step_costs.csv`."""
    works = [(name, TRAINING) for name in MODELS] + [("rnn", WHOLE), ("rnn", STREAM)]
    with turns.workers(__spec__.name, [str(n) for n in cores]) as workers:
        for count in steps:
            keys = [(n, model, work) for n in cores for model, work in works]
            yield from _rows_of(workers, keys, count, rounds)


def _rows_of(workers: dict, keys: list[tuple], steps: int, rounds: int):
    """Measure all at one length, taking turns."""

    def ask(key, part):
        cores, model, work = key
        question = {"model": model, "work": work, "steps": steps}
        return workers[str(cores)].ask(part=part, **question)

    def turn(key):
        return ask(key, "turn")["milliseconds"]

    known = {key: ask(key, "prepare") for key in keys}
    able = [key for key in keys if "error" not in known[key]]
    spent = turns.take_turns({key: partial(turn, key) for key in able}, rounds)
    for key in keys:
        row = dict(zip(("cores", "model", "work"), key, strict=True))
        row |= {"steps": steps, "rounds": rounds} | known[key]
        times = zip(("milliseconds", "low", "high"), spent.get(key, ()), strict=False)
        yield row | dict(times)


if __name__ == "__main__":
    main(int(sys.argv[1]))
