"""`make devices`: do one device, two replicas and two workers end on the same weights?

Claims D1 and D2 of the course. The same GRU, with the same weights at first and the
same batches, trains on each of them, in processes of its own. Then every copy of every
weight, and of the optimizer's momenta, is looked at: where it lives, whether training
has changed it, and how far it is from the one device's.
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
from rnn_tf.devices import launch, strategy
from rnn_tf.errors import InputError
from rnn_tf.metrics.formatting import plain_table
from rnn_tf.models.optimizer import clipped_adam
from rnn_tf.recipe import checkpoint
from rnn_tf.runs import run_folder

keras = lazy_loader.load("keras")

BATCH, STEPS, EPOCHS = 64, 16, 2
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

# ---------------------------------------------------------------- one process


def measure(
    folder: Path,
    strategy: Literal["cpu", "mirrored", "multiworker"],
    replicas: int = 1,
    seeds: int = 3,
) -> None:
    """Train in this process, and write all of its copies; of several workers, all do.

    Args:
        folder: gets a file per seed and process, as `backup.pack` makes them.
        strategy: as an experiment has it.
        replicas: with mirrored.
        seeds: runs, with seeds 1 to this.
    """
    devices = _devices(RunConfig(strategy=strategy, replicas=replicas))
    process = devices.cluster.index if devices.cluster else 0
    for seed in range(1, seeds + 1):
        arrays, facts = _copies(devices, seed)
        files.write_bytes(
            folder / f"{seed}-{process}.npz", checkpoint.pack(arrays, facts)
        )


def _devices(options: RunConfig) -> strategy.Devices:
    return strategy.start(options)


def _copies(devices: strategy.Devices, seed: int) -> tuple[dict, dict]:
    """The weights of each copy in this process, where it lives, whether it changed."""
    keras.utils.set_random_seed(seed)
    with devices.scope():
        inputs = keras.Input((56, 1))
        outputs = keras.layers.Dense(7)(keras.layers.GRU(32)(inputs))
        model = keras.Model(inputs, outputs)
        optimizer = clipped_adam(1e-2, STEPS * EPOCHS)
        model.compile(optimizer, "mean_absolute_error", jit_compile=False)
        optimizer.build(model.trainable_variables)
    before = _read(devices, model.weights + optimizer.variables)
    devices.fit(
        model, _batches(seed), validation_data=None, epochs=EPOCHS, verbose=0,
        shuffle=False,
    )  # fmt: skip
    after = _read(devices, model.weights + optimizer.variables)
    updated = [_all_differ(b, a) for b, a in zip(before, after, strict=True)]
    count = len(model.weights)
    arrays = {str(place): copy[:count] for place, copy in enumerate(after)}
    where = [copy.device for copy in _local(devices, model.weights[0])]
    return arrays, {"updated": updated, "devices": where}


def _batches(seed: int):
    import tensorflow as tf

    x = examples(seed)
    data = tf.data.Dataset.from_tensor_slices((x, x[:, :7, 0]))
    return data.batch(BATCH, drop_remainder=True)


def examples(seed: int) -> np.ndarray:
    """Windows to train on, (examples, 56, 1)."""
    random = np.random.default_rng(seed)
    return random.normal(size=(STEPS * BATCH, 56, 1)).astype("float32")


def _local(devices: strategy.Devices, variable) -> tuple:
    """The copies of a variable in this process, one per replica."""
    return devices.strategy.experimental_local_results(variable.value)


def _read(devices: strategy.Devices, variables: list) -> list[list[np.ndarray]]:
    """For each copy, the values of the variables."""
    copies = zip(*(_local(devices, variable) for variable in variables), strict=True)
    return [[one.numpy() for one in copy] for copy in copies]


def _all_differ(before: list[np.ndarray], after: list[np.ndarray]) -> bool:
    """Whether every variable of a copy, of more than one number, has changed."""
    pairs = zip(before, after, strict=True)
    return all(not np.array_equal(b, a) for b, a in pairs if b.size > 1)


# ---------------------------------------------------------------- all of them


def main(seeds: int = 3, results_folder: Path = Path("results")) -> None:
    """Compare the weights that one device, two replicas and two workers end on.

    Args:
        seeds: Trainings on each; fewer than 3 prove nothing.
        results_folder: Folder for the run folder, with devices.csv.
    """
    if seeds < 1:
        raise InputError(f"--seeds is {seeds}; it must be at least 1")
    console, options = Console(), {"size": "full", "seeds": seeds}
    with run_folder.open_run(results_folder, "devices", options) as run:
        data = b"".join(examples(seed).tobytes() for seed in range(1, seeds + 1))
        sha256 = hashlib.sha256(data).hexdigest()
        run.record(data={"source": "made up", "sha256": sha256})
        found = {}
        for setting in SETTINGS:
            with console.status(f"training on {setting.name}"):
                found[setting] = _trained(setting, seeds)
        made = rows(found)
        files.write_csv(run.path / "devices.csv", COLUMNS, made)
    console.print(table(made))


def _trained(setting: Setting, seeds: int) -> dict[int, list[tuple[dict, dict]]]:
    """Seed -> what each process of a setting has written."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["measure", "--folder", folder, "--seeds", str(seeds)]
        name, module = setting.name, "experiments.devices"
        launch.run(name, module, setting.strategy, setting.count, options)
        return {
            seed: [checkpoint.unpack(p.read_bytes()) for p in _files(folder, seed)]
            for seed in range(1, seeds + 1)
        }


def _files(folder: str, seed: int) -> list[Path]:
    return sorted(Path(folder).glob(f"{seed}-*.npz"))


def rows(found: dict[Setting, dict[int, list[tuple[dict, dict]]]]) -> list[dict]:
    """The rows of `devices.csv`.

    Args:
        found: setting -> seed -> of each process, as `measure` writes it, the weights
            of each copy, which copies were updated, and where they live. The first
            setting is what the others are compared with.
    """
    first = next(iter(found.values()))
    made = []
    for setting, trained in found.items():
        for seed, processes in trained.items():
            one = first[seed][0][0]["0"]
            copies = [copy for arrays, _ in processes for copy in arrays.values()]
            facts = [facts for _, facts in processes]
            row = {"setting": setting.name, "count": setting.count, "seed": seed}
            row |= {"max_difference": max(_gap(one, copy) for copy in copies)}
            row |= {"copies": len(copies)}
            row |= {"updated": sum(sum(f["updated"]) for f in facts)}
            devices = dict.fromkeys(name for f in facts for name in f["devices"])
            made.append(row | {"devices": " ".join(devices)})
    return made


def _gap(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    """The largest difference of a weight."""
    pairs = zip(one, other, strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


def table(made: list[dict]) -> Table:
    """The rows of `devices.csv`, for the terminal."""
    numbers = ["seed", "largest difference", "copies", "updated"]
    shown = plain_table("The same training", ["setting"], numbers)
    for row in made:
        counts = (str(row[key]) for key in ("copies", "updated"))
        shown.add_row(
            row["setting"], str(row["seed"]), f"{row['max_difference']:.1e}", *counts
        )
    return shown


if __name__ == "__main__":
    name = "python -m experiments.devices"
    raise SystemExit(config.program(name, sys.argv[1:], main, measure=measure))
