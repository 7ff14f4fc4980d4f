"""Train one model on one device, two replicas and two workers: the same weights?

    make devices                    three seeds, about a minute on two cores
    make devices ARGS="--seeds 1"

Expect a largest difference below 1e-5 in every row (1.5e-6 in the reference run), and
that every copy is updated. It judges the course's claims D1 and D2.

The same GRU, with the same weights at first and the same batches, trains in each
setting, in processes of its own. Then every copy of every weight, and of the
optimizer's momenta, is compared: on which device it is, whether training has changed
it, and how far it is from the one device's.
"""

import hashlib
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import lazy_loader
import numpy as np
from rich.console import Console
from rich.table import Table

from rnn_tf import config, files
from rnn_tf.config import RunConfig
from rnn_tf.devices import backend, launch
from rnn_tf.devices.devices import Devices
from rnn_tf.devices.strategy import start
from rnn_tf.errors import InputError
from rnn_tf.metrics.formatting import plain_table
from rnn_tf.models.optimizer import clipped_adam
from rnn_tf.recipe import checkpoint, progress
from rnn_tf.runs import run_folder

keras = lazy_loader.load("keras")

# ---------------------------------------------------------------- configuration

BATCH, STEPS, EPOCHS = 64, 16, 2
LOOKBACK, HORIZON = 56, 7
COLUMNS = "setting count seed max_difference copies updated devices".split()


@dataclass(frozen=True)
class Setting:
    """One way to train."""

    name: str
    strategy: str
    count: int  # replicas or workers


SETTINGS = (
    Setting("one device", "cpu", 1),
    Setting("two replicas", "mirrored", 2),
    Setting("two workers", "multiworker", 2),
)

# What a process returns of a seed: the weights of each of its copies, "0" and on; and
# for each copy whether it was updated, and its device.
Copies = tuple[dict[str, list[np.ndarray]], dict[str, list]]

# ---------------------------------------------------------------- data


def examples(seed: int) -> np.ndarray:
    """Draw windows to train on: (examples, LOOKBACK, 1) float32."""
    random = np.random.default_rng(seed)
    return random.normal(size=(STEPS * BATCH, LOOKBACK, 1)).astype("float32")


def batches(seed: int):
    """Batch the windows, in order, each with its own first week as the target."""
    import tensorflow as tf

    x = examples(seed)
    data = tf.data.Dataset.from_tensor_slices((x, x[:, :HORIZON, 0]))
    return data.batch(BATCH, drop_remainder=True)


# ---------------------------------------------------------------- models


def build(seed: int):
    """Build and compile the GRU, in the scope of devices."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((LOOKBACK, 1))
    outputs = keras.layers.Dense(HORIZON)(keras.layers.GRU(32)(inputs))
    model = keras.Model(inputs, outputs)
    optimizer = clipped_adam(1e-2, STEPS * EPOCHS)
    model.compile(optimizer, "mean_absolute_error", jit_compile=False)
    optimizer.build(model.trainable_variables)
    return model


# ---------------------------------------------------------------- training


def measure(
    folder: Path,
    strategy: Literal["cpu", "mirrored", "multiworker"],
    replicas: int = 1,
    seeds: int = 3,
) -> None:
    """Train in this process and write its copies; of several workers, each does so.

    Args:
        folder: gets a file per seed and process, as `checkpoint.pack` makes them.
        strategy: as an experiment has it.
        replicas: with mirrored.
        seeds: runs, with seeds 1 to this.
    """
    devices = start(RunConfig(strategy=strategy, replicas=replicas))
    process = devices.cluster.index if devices.cluster else 0
    for seed in range(1, seeds + 1):
        packed = checkpoint.pack(*train(devices, seed))
        files.write_bytes(folder / f"{seed}-{process}.npz", packed)


def train(devices: Devices, seed: int) -> Copies:
    """Train on these devices; return the copies that are in this process."""
    with devices.scope():
        model = build(seed)
    variables = model.weights + model.optimizer.variables
    before = read_copies(devices, variables)
    devices.fit(
        model, batches(seed), validation_data=None, epochs=EPOCHS, verbose=0,
        shuffle=False,
    )  # fmt: skip
    after = read_copies(devices, variables)
    count = len(model.weights)
    weights = {str(place): copy[:count] for place, copy in enumerate(after)}
    updated = [all_differ(b, a) for b, a in zip(before, after, strict=True)]
    names = [copy.device for copy in local_copies(devices, model.weights[0])]
    return weights, {"updated": updated, "devices": names}


def read_copies(devices: Devices, variables: list) -> list[list[np.ndarray]]:
    """Read the values of the variables, copy by copy."""
    copies = (local_copies(devices, variable) for variable in variables)
    return [[x.numpy() for x in copy] for copy in zip(*copies, strict=True)]


def local_copies(devices: Devices, variable) -> tuple:
    """Return the copies of a variable in this process, one per replica."""
    return devices.strategy.experimental_local_results(variable.value)


def all_differ(before: list[np.ndarray], after: list[np.ndarray]) -> bool:
    """Whether every variable of a copy has changed; single numbers do not count."""
    pairs = zip(before, after, strict=True)
    return all(not np.array_equal(b, a) for b, a in pairs if b.size > 1)


def train_in_processes(setting: Setting, seeds: int) -> dict[int, list[Copies]]:
    """Train a setting in processes of its own: seed -> the copies of each process."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["measure", "--folder", folder, "--seeds", str(seeds)]
        name, module = setting.name, "experiments.devices"
        launch.run(name, module, setting.strategy, setting.count, options)
        return {seed: _read_files(folder, seed) for seed in range(1, seeds + 1)}


def _read_files(folder: str, seed: int) -> list[Copies]:
    paths = sorted(Path(folder).glob(f"{seed}-*.npz"))
    return [checkpoint.unpack(path.read_bytes()) for path in paths]


# ---------------------------------------------------------------- evaluation


def rows(trained: dict[Setting, dict[int, list[Copies]]]) -> list[dict]:
    """Compute the rows of `devices.csv`.

    Args:
        trained: setting -> seed -> the copies of each process. The other settings are
            compared with the first.
    """
    reference = next(iter(trained.values()))
    return [
        compare(setting, seed, processes, reference[seed][0][0]["0"])
        for setting, seeds in trained.items()
        for seed, processes in seeds.items()
    ]


def compare(
    setting: Setting, seed: int, processes: list[Copies], reference: list[np.ndarray]
) -> dict:
    """Compute a row: how far all copies are from the reference, and which changed."""
    copies = [copy for weights, _ in processes for copy in weights.values()]
    facts = [facts for _, facts in processes]
    names = dict.fromkeys(name for f in facts for name in f["devices"])
    return {
        "setting": setting.name,
        "count": setting.count,
        "seed": seed,
        "max_difference": max(largest_difference(reference, copy) for copy in copies),
        "copies": len(copies),
        "updated": sum(sum(f["updated"]) for f in facts),
        "devices": " ".join(names),
    }


def largest_difference(reference: list[np.ndarray], copy: list[np.ndarray]) -> float:
    """Return the largest absolute difference of a weight."""
    pairs = zip(reference, copy, strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


def table(measured: list[dict]) -> Table:
    """Show the rows of `devices.csv` in the terminal."""
    numbers = ["seed", "largest difference", "copies", "updated"]
    shown = plain_table("The same training", ["setting"], numbers)
    for row in measured:
        difference = f"{row['max_difference']:.1e}"
        counts = (str(row[key]) for key in ("copies", "updated"))
        shown.add_row(row["setting"], str(row["seed"]), difference, *counts)
    return shown


# ---------------------------------------------------------------- run


def main(seeds: int = 3, results: Path = Path("results")) -> Path:
    """Compare the weights that one device, two replicas and two workers end on.

    Args:
        seeds: Trainings on each; fewer than 3 prove nothing.
        results: Folder for the run folder, with devices.csv.

    Returns:
        The run folder.
    """
    if seeds < 1:
        raise InputError(f"--seeds is {seeds}; it must be at least 1")
    if backend.requested() == "jax":
        raise InputError(
            "two workers are TensorFlow's alone, and KERAS_BACKEND is jax; leave it out"
        )
    console, options = Console(), {"size": "full", "seeds": seeds}
    with run_folder.open_run(results, "devices", options) as run:
        data = b"".join(examples(seed).tobytes() for seed in range(1, seeds + 1))
        sha256 = hashlib.sha256(data).hexdigest()
        run.record(data={"source": "made up", "sha256": sha256})
        settings = {setting.name: setting for setting in SETTINGS}
        trained = {
            settings[name]: train_in_processes(settings[name], seeds)
            for name in progress.one_by_one([*settings], console)
        }
        measured = rows(trained)
        files.write_csv(run.path / "devices.csv", COLUMNS, measured)
    if not console.is_jupyter:  # there people show the table themselves
        console.print(table(measured))
    return run.path


if __name__ == "__main__":
    name = "python -m experiments.devices"
    raise SystemExit(config.program(name, sys.argv[1:], main, measure=measure))
