"""Train LSTM(32) and GRU(32) on windows of 56 days, batch 32: windows a second."""

import functools
import time
from functools import partial

import lazy_loader
import numpy as np

from benchmarks.contest import Contender, Work, all_jobs
from rnn_tf.config import RunConfig
from rnn_tf.data.order import Order, shuffled, stacked
from rnn_tf.data.series import periods, synthetic, windows
from rnn_tf.devices import strategy

keras = lazy_loader.load("keras")

UNITS, BATCH, EPOCHS = 32, 32, 8  # epochs of a round
LOOKBACK, HORIZON = 56, 7
STEPS = 10_000  # gradient steps of a full-size run, for which models are compiled


def cut_windows(lookback: int = LOOKBACK) -> windows.Windows:
    """Cut windows of four years of an embedded series: 30 batches to train on."""
    series = synthetic.daily_series()
    parts = periods.by_share(len(series.values))
    return windows.Windows(series, parts, lookback, HORIZON)


def arrays(cut: windows.Windows, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the same windows as arrays, (windows, lookback, 1) and (windows, 7)."""
    at, values = cut.origins[split][:, None], cut.scaled(cut.lookback)
    level, spread = np.split(cut.levels[at[:, 0]] / cut.scale, 2, axis=1)
    x, y = (
        ((values[at + days] - level) / spread).astype("float32")
        for days in (np.arange(cut.lookback), cut.lookback + np.arange(HORIZON))
    )
    return x[..., None], y


def _whole_batches() -> list[np.ndarray]:
    """Return inputs and targets to train on, without the remainder of a batch."""
    pair = arrays(cut_windows(), "train")
    return [part[: len(part) // BATCH * BATCH] for part in pair]


def _model(cell: str):
    layer = getattr(keras.layers, cell)
    inputs = keras.Input((LOOKBACK, 1))
    return keras.Model(inputs, keras.layers.Dense(HORIZON)(layer(UNITS)(inputs)))


def stock(cell: str):
    """Train as Keras's tutorials do."""
    x, y = _whole_batches()
    model = _model(cell)
    model.compile("adam", "mean_absolute_error")

    def run_round() -> float:
        started = time.perf_counter()
        model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, verbose=0)
        return EPOCHS * len(x) / (time.perf_counter() - started)

    return run_round


def ours(cell: str):
    """Train with the devices, compile options and windows of a run."""
    devices, cut = strategy.start(RunConfig()), cut_windows()
    steps = len(cut.origins["train"]) // BATCH
    with devices.scope():
        model = _model(cell)
        devices.compile(model, STEPS, optimizer="adam", loss="mean_absolute_error")
    whole = devices.by_whole_epochs(model)
    shuffle = stacked if whole else shuffled
    train = cut.dataset("train", model, BATCH, Order(1), shuffle)
    options = {"epochs": EPOCHS, "verbose": 0, "steps": steps if whole else None}

    def run_round() -> float:
        started = time.perf_counter()
        devices.fit(model, train, validation_data=None, **options)
        return EPOCHS * steps * BATCH / (time.perf_counter() - started)

    return run_round


def _train_here(cell: str, tell) -> int:
    """Train in a worker, compiled once in each; return how many windows it was."""
    _ours_here(cell)()
    cut = cut_windows()
    return EPOCHS * (len(cut.origins["train"]) // BATCH) * BATCH


_ours_here = functools.cache(ours)


def pytorch(cell: str):
    """Train by the loop of PyTorch's tutorials."""
    import torch

    x, y = (torch.from_numpy(part) for part in _whole_batches())
    rnn = getattr(torch.nn, cell)(1, UNITS, batch_first=True)
    head = torch.nn.Linear(UNITS, HORIZON)
    optimizer = torch.optim.Adam([*rnn.parameters(), *head.parameters()])

    def run_round() -> float:
        started = time.perf_counter()
        for _ in range(EPOCHS):
            for which in torch.randperm(len(x)).split(BATCH):
                optimizer.zero_grad()
                outputs = head(rnn(x[which])[0][:, -1])
                torch.nn.functional.l1_loss(outputs, y[which]).backward()
                optimizer.step()
        return EPOCHS * len(x) / (time.perf_counter() - started)

    return run_round


def _work(cell: str) -> Work:
    jax = ("jax",), {"KERAS_BACKEND": "jax"}
    return Work(
        f"train {cell}(32), 56 days, batch 32",
        "windows/s",
        (
            Contender("Keras, fit as it is", partial(stock, cell)),
            Contender("ours, one job", partial(ours, cell)),
            Contender("ours, all jobs", partial(all_jobs, _train_here, cell)),
            Contender("Keras on JAX, fit as it is", partial(stock, cell), *jax),
            Contender("ours on JAX", partial(ours, cell), *jax),
            Contender("PyTorch", partial(pytorch, cell), ("torch",)),
        ),
    )


WORKS = (_work("LSTM"), _work("GRU"))
