"""`make bench-scaling`: what a second replica, or a second worker, is worth.

One GRU on made-up windows of a daily series, trained on one device, on two replicas and
on two worker processes, each in processes of its own, in turns. On a machine without
GPUs the replicas are virtual and share its cores, as the workers do: what shows here is
what it costs to stay in step, and no second device to pay for it.
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
from rnn_tf.devices import launch, strategy
from rnn_tf.errors import InputError
from rnn_tf.metrics.formatting import plain_table
from rnn_tf.report import plots
from rnn_tf.runs.provenance import provenance

keras = lazy_loader.load("keras")

BATCH = 64
STEPS, EPOCHS = 64, 6  # per epoch; the first two epochs are not timed
REDUCED = 100  # all-reduces that are timed
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
    base: int  # place in CONTENDERS of what efficiency 1 is
    as_a_run_has_it: bool = False  # XLA and 32 steps at a time, which one device can


CONTENDERS = (
    Contender("one device, as a run has it", "cpu", 1, BATCH, 1, True),
    Contender("one device, step by step", "cpu", 1, BATCH, 1),
    Contender("two replicas, same batch", "mirrored", 2, BATCH, 1),
    Contender("two replicas, twice the batch", "mirrored", 2, 2 * BATCH, 1),
    Contender("one worker", "multiworker", 1, BATCH, 4),
    Contender("two workers, same batch", "multiworker", 2, BATCH, 4),
    Contender("two workers, twice the batch", "multiworker", 2, 2 * BATCH, 4),
)

# ---------------------------------------------------------------- one contender


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
    devices = _devices(RunConfig(strategy=strategy, replicas=replicas))
    keras.utils.set_random_seed(1)
    with devices.scope():
        inputs = keras.Input((56, 1))
        outputs = keras.layers.Dense(7)(keras.layers.GRU(32)(inputs))
        model = keras.Model(inputs, outputs)
        options = {"jit_compile": False, "steps_per_execution": 1}
        if fast:
            options = devices.compile_options(STEPS * EPOCHS * 10)
        model.compile("adam", "mean_absolute_error", **options)
    seconds = _epochs(devices, model, batch)
    found = {"step": statistics.median(seconds) / STEPS}
    found |= {"all_reduce": _all_reduce(devices, model)}
    if devices.chief:
        files.write_text(output, json.dumps(found))


def _devices(options: RunConfig) -> strategy.Devices:
    return strategy.start(options)


def _epochs(devices: strategy.Devices, model, batch: int) -> list[float]:
    """Seconds of each timed epoch of training, evaluation left out."""
    import tensorflow as tf

    random = np.random.default_rng(1)
    x = random.normal(size=(STEPS * batch, 56, 1)).astype("float32")
    train = tf.data.Dataset.from_tensor_slices((x, x[:, :7, 0])).cache()
    train = train.batch(batch, drop_remainder=True).prefetch(2)
    marks = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.began = time.perf_counter()

        def on_test_begin(self, logs=None):
            marks.append(time.perf_counter() - self.began)

    devices.fit(
        model,
        train,
        validation_data=train.take(1),
        epochs=EPOCHS,
        verbose=0,
        shuffle=False,
        callbacks=[Clock()],
    )
    return marks[2:]


def _all_reduce(devices: strategy.Devices, model) -> float:
    """Seconds to sum as many numbers as the model has gradients, over all replicas."""
    import tensorflow as tf

    if devices.replicas == 1:
        return 0.0
    count = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    gradients = devices.strategy.run(lambda: tf.ones(count))
    taken = []
    for _ in range(REDUCED + 5):
        started = time.perf_counter()
        devices.strategy.reduce("SUM", gradients, axis=None).numpy()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken[5:])


# ---------------------------------------------------------------- all contenders


def main(rounds: int = 3, results_folder: Path = Path("results")) -> None:
    """Measure one and two replicas, one and two workers; takes some minutes.

    Args:
        rounds: How often each is measured, in turns.
        results_folder: Folder for bench-scaling.csv, .png and .json.
    """
    if rounds < 1:
        raise InputError(f"--rounds is {rounds}; it must be at least 1")
    console = Console()
    results_folder.mkdir(parents=True, exist_ok=True)
    found = [[] for _ in CONTENDERS]
    for number in range(1, rounds + 1):
        for contender, taken in zip(CONTENDERS, found, strict=True):
            with console.status(f"round {number}/{rounds}: {contender.setting}"):
                taken.append(_in_processes_of_its_own(contender))
    rows = rows_of(found)
    files.write_csv(results_folder / "bench-scaling.csv", COLUMNS, rows)
    about = json.dumps(provenance(), indent=2) + "\n"
    files.write_text(results_folder / "bench-scaling.json", about)
    plots.scaling(results_folder / "bench-scaling.png", rows)
    console.print(table(rows))


def _in_processes_of_its_own(contender: Contender) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "measured.json")
        options = ["measure", "--output", str(output), "--batch", str(contender.batch)]
        options += ["--fast"] * contender.as_a_run_has_it
        name, module = contender.setting, "benchmarks.scaling"
        launch.run(name, module, contender.strategy, contender.count, options)
        return json.loads(output.read_text())


def rows_of(found: list[list[dict]]) -> list[dict]:
    """The rows of `bench-scaling.csv`.

    Args:
        found: for each contender and round, seconds per step and per all-reduce.

    Returns:
        One row per contender: median and range over the rounds. Efficiency is its
        examples per second over `count` times those of its base.
    """
    steps = [[one["step"] for one in taken] for taken in found]
    medians = [statistics.median(seconds) for seconds in steps]
    speeds = [c.batch / s for c, s in zip(CONTENDERS, medians, strict=True)]
    rows = []
    for place, contender in enumerate(CONTENDERS):
        reduced = statistics.median(one["all_reduce"] for one in found[place])
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
    """What `rows_of` gives, for the terminal."""
    numbers = ["steps/s", "examples/s", "efficiency", "all-reduce"]
    made = plain_table("Scaling", ["setting"], numbers)
    for row in rows:
        made.add_row(
            row["setting"],
            f"{row['steps_per_second']:,.0f}",
            f"{row['examples_per_second']:,.0f}",
            f"{row['efficiency']:.0%}",
            f"{row['all_reduce_share']:.0%}" if row["count"] > 1 else "",
        )
    return made


if __name__ == "__main__":
    name = "python -m benchmarks.scaling"
    raise SystemExit(config.program(name, sys.argv[1:], main, measure=measure))
