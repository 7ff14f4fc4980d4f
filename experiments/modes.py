"""Ways to use a sequence: one small training for each, beside a guess without any.

    make modes                                           quick, a minute
    make modes ARGS="--size full"                        7 minutes, numbers to quote
    make modes ARGS="--tasks before parity --seeds 5"    some tasks alone

Minutes on two idle cores. Expect at full size that networks beat the best constant
guess wherever they see what they need: 3 % wrong digits from rows against 90, and no
names without the word after them.

The course says which tasks are one-to-many, many-to-one and many-to-many, what
feed-forward networks cannot do, and what order, tanh, a bias and a learned first state
are for. Each is a task of seconds on scikit-learn's digits, or on made-up sequences of
which it is known what a network has to see.
"""

import dataclasses
import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

import lazy_loader
from rich.console import Console
from rich.table import Table

from rnn_tf import config, files
from rnn_tf.config import RunConfig, to_json
from rnn_tf.devices import backend, strategy
from rnn_tf.metrics.formatting import metric_name, number, plain, plain_table
from rnn_tf.recipe import jobs, progress
from rnn_tf.report import mode_plots
from rnn_tf.runs import run_folder
from rnn_tf.studies import mode_models, mode_tasks, modes

pd = lazy_loader.load("pandas")

# ---------------------------------------------------------------- configuration


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Train small networks on small tasks, each for one way to use a sequence."""

    size: Literal["quick", "full"] = "quick"
    """How much work: quick shows that it runs, full gives numbers to report."""
    tasks: tuple[str, ...] = modes.NAMES
    """What to train; by default all there is."""
    seeds: int = 1
    """Trainings of each network, with seeds 1 to this; fewer than 3 prove nothing."""
    epochs: int = 1
    """Epochs of a training; some tasks take two or four times as many."""
    jobs: int | None = None
    """Tasks that run side by side, each in a process with one thread; by default as
    many as there are cores. Numbers are the same with any."""
    results: Path = Path("results")
    """Folder for the run folder."""

    def __post_init__(self):
        config.require_any(self, "tasks")
        config.require_known(self, "tasks", modes.NAMES)
        config.require_at_least(self, "seeds", 1)
        config.require_at_least(self, "epochs", 1)
        if self.jobs is not None:
            config.require_at_least(self, "jobs", 1)

    @property
    def devices(self) -> RunConfig:
        """Where it trains: networks so small are fastest on a CPU."""
        return RunConfig(strategy="cpu", jobs=self.jobs)

    @property
    def names(self) -> list[str]:
        """The tasks, each once."""
        return list(dict.fromkeys(self.tasks))


FULL = {"seeds": 5, "epochs": 8}

# ---------------------------------------------------------------- data


def describe_data(config: Config) -> dict:
    """Give what config.json records: a checksum of the first seed's examples."""
    digest = hashlib.sha256()
    for name in config.names:
        if name in mode_tasks.TASKS:
            for x, y in mode_tasks.TASKS[name].data(1).values():
                digest.update(x.tobytes() + y.tobytes())
    says = f"{len(config.names)} small tasks, made up, and scikit-learn's digits"
    return {"source": "tasks", "sha256": digest.hexdigest(), "says": says}


# ---------------------------------------------------------------- models
# Those of each task are in `mode_tasks.TASKS`, of the others in `modes.OTHERS`.

UNITS = mode_models.UNITS

# ---------------------------------------------------------------- training


def train(config: Config, staff, console: Console) -> Iterator[list[dict]]:
    """Train the networks of each task; yield its rows of `modes.csv`."""
    work = partial(modes.rows, seeds=config.seeds, epochs=config.epochs)
    yield from jobs.tasks(staff, config.devices, work, config.names, console)


# ---------------------------------------------------------------- evaluation


def table(rows: list[dict]) -> Table:
    """Show the mean error of each model over its seeds, at all slices together."""
    shown = plain_table("Small tasks", ["task", "model"], ["error", "", "parameters"])
    data = pd.DataFrame(rows)
    data = data[data["metric"] != "map_difference"]
    data = data.assign(value=pd.to_numeric(data["value"], errors="coerce"))
    for (task, model), own in data.groupby(["task", "model"], sort=False):
        first, mean = own.iloc[0], own["value"].mean()
        unit = "%" if first["metric"] == "error" else ""
        count = first["parameters"]
        cells = number(mean), metric_name(first["metric"], unit), f"{count or ''}"
        shown.add_row(task, model, *cells)
    return shown


# ---------------------------------------------------------------- run


def run(config: Config) -> Path:
    """Train on all tasks; return the run folder, with `modes.csv` and its picture."""
    console = progress.console()
    with (
        backend.one_thread(),
        run_folder.open_run(config.results, "modes", to_json(config)) as folder,
        jobs.hire(config.devices, len(config.names)) as staff,
    ):
        name, data = folder.path.name, describe_data(config)
        devices = strategy.start(config.devices, name, trains=staff.here)
        folder.record(devices=devices.facts() | {"jobs": staff.count}, data=data)
        console.print(plain(f"modes: {data['says']} · {devices.describe()}"))
        rows = []
        for own in train(config, staff, console):
            rows += own
            files.write_csv(folder.path / "modes.csv", modes.COLUMNS, rows)
        mode_plots.draw(folder.path)
    if not console.is_jupyter:  # there people show the picture
        console.print(table(rows))
    return folder.path


if __name__ == "__main__":
    raise SystemExit(config.main(run, Config, FULL, "modes"))
