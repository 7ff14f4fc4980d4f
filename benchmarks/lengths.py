"""Train LSTM(32) on sequences of 100, 500 and 2,000 steps, batch 32.

Expect about as many steps per second at every length: the cost is linear.
"""

import time
from functools import partial

import lazy_loader
import numpy as np

from benchmarks.contest import Contender, Work
from rnn_tf.config import RunConfig
from rnn_tf.devices import strategy

keras = lazy_loader.load("keras")

UNITS, BATCH = 32, 32
TIMED = 40_000  # steps of each sequence of a batch in a round, over all batches
PLENTY = 10_000  # gradient steps of a full-size run, for which models are compiled


def train(length: int, unroll: bool, as_in_a_run: bool):
    """Train by Keras's `fit`, compiled by its defaults or as in a run."""
    devices = strategy.start(RunConfig())
    import tensorflow as tf  # which runs by now

    batches = max(2, TIMED // length // BATCH)
    random = np.random.default_rng(1)
    x = random.normal(size=(batches * BATCH, length, 1)).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((x, x[:, -1])).cache().batch(BATCH)
    with devices.scope():
        inputs = keras.Input((length, 1))
        outputs = keras.layers.LSTM(UNITS, unroll=unroll)(inputs)
        model = keras.Model(inputs, keras.layers.Dense(1)(outputs))
        arguments = {"optimizer": "adam", "loss": "mean_squared_error"}
        if as_in_a_run:
            devices.compile(model, PLENTY, **arguments)
        else:
            model.compile(**arguments)

    def run_round() -> float:
        started = time.perf_counter()
        model.fit(data, verbose=0)
        return len(x) * length / (time.perf_counter() - started)

    return run_round


def _work(length: int) -> Work:
    contenders = [
        Contender("while loop", partial(train, length, False, False)),
        Contender("ours", partial(train, length, False, True)),
    ]
    if length == 100:  # unrolling 500 steps takes minutes
        contenders.append(Contender("unrolled", partial(train, length, True, False)))
    return Work(f"train LSTM(32), {length:,} steps", "steps/s", tuple(contenders), 3)


WORKS = tuple(_work(length) for length in (100, 500, 2_000))
