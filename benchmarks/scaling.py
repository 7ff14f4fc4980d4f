"""Measure what a second replica, or a second worker, is worth.

    make bench-scaling                    three rounds, some minutes on two cores
    make bench-scaling ARGS="--rounds 1"

Expect an efficiency well below 100% on a machine without GPUs: 24% for two replicas in
the reference run. There the replicas are virtual and share its cores, as the workers
do: it measures what keeping in step costs, without a second device that pays for it.

One GRU on made-up windows of a daily series trains on one device, on two replicas and
on two workers, each in processes of its own, in turns.
"""

import dataclasses
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

import lazy_loader
import numpy as np
from rich.console import Console
from rich.table import Table

from rnn_tf import config, files
from rnn_tf.config import RunConfig
from rnn_tf.devices import launch
from rnn_tf.devices.devices import Devices
from rnn_tf.devices.strategy import start
from rnn_tf.errors import InputError
from rnn_tf.metrics.formatting import plain_table
from rnn_tf.report import plots
from rnn_tf.runs.provenance import provenance

keras = lazy_loader.load("keras")

# ---------------------------------------------------------------- configuration

BATCH = 64
LOOKBACK, HORIZON = 56, 7
STEPS, EPOCHS = 64, 6  # STEPS per epoch
UNTIMED = 2  # epochs at the start, while programs compile
REDUCTIONS, UNTIMED_REDUCTIONS = 100, 5  # all-reduces
COLUMNS = (
    "setting count batch rounds steps_per_second low high examples_per_second "
    "efficiency all_reduce_seconds all_reduce_share"
).split()


@dataclasses.dataclass(frozen=True)
class Contender:
    """One way to train, and what it is compared with."""

    setting: str
    strategy: str
    count: int  # replicas or workers
    batch: int  # over all of them
    base: int  # place in CONTENDERS of the one whose efficiency is 1
    as_in_a_run: bool = False  # with XLA and 32 steps at a time, on one device


CONTENDERS = (
    Contender("one device, as a run has it", "cpu", 1, BATCH, 1, True),
    Contender("one device, step by step", "cpu", 1, BATCH, 1),
    Contender("two replicas, same batch", "mirrored", 2, BATCH, 1),
    Contender("two replicas, twice the batch", "mirrored", 2, 2 * BATCH, 1),
    Contender("one worker", "multiworker", 1, BATCH, 4),
    Contender("two workers, same batch", "multiworker", 2, BATCH, 4),
    Contender("two workers, twice the batch", "multiworker", 2, 2 * BATCH, 4),
)

# ---------------------------------------------------------------- data


def batches(batch: int):
    """Batch made-up windows, each with its own first week as the target."""
    import tensorflow as tf

    random = np.random.default_rng(1)
    x = random.normal(size=(STEPS * batch, LOOKBACK, 1)).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((x, x[:, :HORIZON, 0])).cache()
    return data.batch(batch, drop_remainder=True).prefetch(2)


# ---------------------------------------------------------------- models


def build(devices: Devices, fast: bool):
    """Build and compile the GRU; `fast` as a run does it, else step by step."""
    keras.utils.set_random_seed(1)
    with devices.scope():
        inputs = keras.Input((LOOKBACK, 1))
        outputs = keras.layers.Dense(HORIZON)(keras.layers.GRU(32)(inputs))
        model = keras.Model(inputs, outputs)
        options = {"jit_compile": False, "steps_per_execution": 1}
        if fast:
            options = devices.compile_options(STEPS * EPOCHS * 10)
        model.compile("adam", "mean_absolute_error", **options)
    return model


# ---------------------------------------------------------------- training


def measure(
    output: Path,
    strategy: Literal["cpu", "mirrored", "multiworker"],
    batch: int,
    replicas: int = 1,
    fast: bool = False,
) -> None:
    """Train in this process and write what it took; of several workers, all do this.

    Args:
        output: JSON file that the chief writes.
        strategy: as an experiment has it.
        batch: over all replicas.
        replicas: with mirrored.
        fast: with XLA and 32 steps at a time, where one device allows it.
    """
    devices = start(RunConfig(strategy=strategy, replicas=replicas))
    model = build(devices, fast)
    step = statistics.median(time_epochs(devices, model, batch)) / STEPS
    seconds = {"step": step, "all_reduce": time_all_reduce(devices, model)}
    if devices.chief:
        files.write_text(output, json.dumps(seconds))


def time_epochs(devices: Devices, model, batch: int) -> list[float]:
    """Train; return the seconds of each timed epoch, without those of evaluation."""
    train = batches(batch)
    seconds = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.started = time.perf_counter()

        def on_test_begin(self, logs=None):
            seconds.append(time.perf_counter() - self.started)

    devices.fit(
        model,
        train,
        validation_data=train.take(1),
        epochs=EPOCHS,
        verbose=0,
        shuffle=False,
        callbacks=[Clock()],
    )
    return seconds[UNTIMED:]


def time_all_reduce(devices: Devices, model) -> float:
    """Time summing as many numbers as the model has gradients, over all replicas.

    Returns:
        Seconds, the median; 0 on one replica.
    """
    import tensorflow as tf

    if devices.replicas == 1:
        return 0.0
    count = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    gradients = devices.strategy.run(lambda: tf.ones(count))
    seconds = []
    for _ in range(UNTIMED_REDUCTIONS + REDUCTIONS):
        started = time.perf_counter()
        devices.strategy.reduce("SUM", gradients, axis=None).numpy()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[UNTIMED_REDUCTIONS:])


def train_in_processes(contender: Contender) -> dict[str, float]:
    """Train a contender in processes of its own; return what `measure` writes."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "measured.json")
        options = ["measure", "--output", str(output), "--batch", str(contender.batch)]
        options += ["--fast"] * contender.as_in_a_run
        name, module = contender.setting, "benchmarks.scaling"
        launch.run(name, module, contender.strategy, contender.count, options)
        return json.loads(output.read_text())


# ---------------------------------------------------------------- evaluation


def rows_of(measured: list[list[dict]]) -> list[dict]:
    """Compute the rows of `bench-scaling.csv`.

    Args:
        measured: for each contender and round, seconds per step and per all-reduce.

    Returns:
        One row per contender: median and range over the rounds. Efficiency is its
        examples per second over `count` times those of its base.
    """
    steps = [[seconds["step"] for seconds in rounds] for rounds in measured]
    medians = [statistics.median(seconds) for seconds in steps]
    speeds = [c.batch / s for c, s in zip(CONTENDERS, medians, strict=True)]
    rows = []
    for place, contender in enumerate(CONTENDERS):
        reduced = statistics.median(s["all_reduce"] for s in measured[place])
        count = contender.count
        row = {"setting": contender.setting, "count": count, "batch": contender.batch}
        row |= {"rounds": len(steps[place]), "steps_per_second": 1 / medians[place]}
        row |= {"low": 1 / max(steps[place]), "high": 1 / min(steps[place])}
        row |= {"examples_per_second": speeds[place]}
        row |= {"efficiency": speeds[place] / (count * speeds[contender.base])}
        row |= {"all_reduce_seconds": reduced}
        rows.append(row | {"all_reduce_share": reduced / medians[place]})
    return rows


def table(rows: list[dict]) -> Table:
    """Show the rows of `bench-scaling.csv` in the terminal."""
    numbers = ["steps/s", "examples/s", "efficiency", "all-reduce"]
    shown = plain_table("Scaling", ["setting"], numbers)
    for row in rows:
        shown.add_row(
            row["setting"],
            f"{row['steps_per_second']:,.0f}",
            f"{row['examples_per_second']:,.0f}",
            f"{row['efficiency']:.0%}",
            f"{row['all_reduce_share']:.0%}" if row["count"] > 1 else "",
        )
    return shown


# ---------------------------------------------------------------- run


def main(rounds: int = 3, results: Path = Path("results")) -> None:
    """Measure one and two replicas, one and two workers; takes some minutes.

    Args:
        rounds: How often each is measured, in turns.
        results: Folder for bench-scaling.csv, .png and .json.
    """
    if rounds < 1:
        raise InputError(f"--rounds is {rounds}; it must be at least 1")
    console = Console()
    results.mkdir(parents=True, exist_ok=True)
    measured = [[] for _ in CONTENDERS]
    for number in range(1, rounds + 1):
        for contender, seconds in zip(CONTENDERS, measured, strict=True):
            with console.status(f"round {number}/{rounds}: {contender.setting}"):
                seconds.append(train_in_processes(contender))
    rows = rows_of(measured)
    files.write_csv(results / "bench-scaling.csv", COLUMNS, rows)
    about = json.dumps(provenance(), indent=2) + "\n"
    files.write_text(results / "bench-scaling.json", about)
    plots.scaling(results / "bench-scaling.png", rows)
    console.print(table(rows))


if __name__ == "__main__":
    name = "python -m benchmarks.scaling"
    raise SystemExit(config.program(name, sys.argv[1:], main, measure=measure))
