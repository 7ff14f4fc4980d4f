"""Open, write and resume the folder of a run and its CSV files. No TensorFlow.

`results/README.md` explains every column. A file is whole or absent: it is written
under a temporary name and renamed, so a kill at any moment loses no finished row. A run
that is resumed adds all its rows again, in the same order; those that were finished
come from its folder `state`.
"""

import contextlib
import csv
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import filelock

from rnn_tf.errors import InputError
from rnn_tf.files import write_csv, write_text
from rnn_tf.runs.provenance import provenance

STATE = "state"  # a folder that is there until the run is complete
TRIALS = "model phase trial seed status error score seconds epochs parameters".split()
HISTORY = "model seed epoch loss validation_loss score seconds".split()
METRICS = "model kind seed split metric slice value low high unit n".split()
PREDICTIONS = "model kind seed example step target prediction".split()
SCHEMAS = {
    "trials": TRIALS,
    "history": HISTORY,
    "metrics": METRICS,
    "predictions": PREDICTIONS,
}


@dataclass
class Run:
    """An open run folder. `info` is the content of config.json."""

    path: Path
    info: dict
    rows: dict[str, list[dict]] = field(
        default_factory=lambda: {table: [] for table in SCHEMAS}
    )
    # Rows that each table had when the run was killed. They are added again first;
    # until all are there, the file on disk stays as it is.
    kept: dict[str, int] = field(default_factory=dict)

    def add(self, table: str, rows: Iterable[dict]) -> None:
        """Add finished rows to `<table>.csv`, which is replaced as a whole."""
        self.rows[table].extend(rows)
        if len(self.rows[table]) >= self.kept.get(table, 0):
            write_csv(self.path / f"{table}.csv", SCHEMAS[table], self.rows[table])

    def state(self, name: str) -> Path:
        """Return the path of a file that the run needs if it is resumed."""
        folder = self.path / STATE
        folder.mkdir(exist_ok=True)
        return folder / name

    def describe_resume(self) -> str:
        """Describe a resumed run in one line: its finished fits, and their commit."""
        fits = self.kept["trials"]
        line = f"run {self.path.name} goes on; it has {fits} finished fits"
        first, now = self.info["commit"], self.info["resumed"][-1]["commit"]
        if first != now:
            line += f", made at commit {first[:7]}; the others at {now[:7]}"
        return line

    def check_data(self, facts: dict) -> None:
        """Raise InputError if the data is not that which the run began with."""
        first = self.info.get("data", facts)
        if first["sha256"] != facts["sha256"]:
            raise InputError(
                f"the data is not what run {self.path.name} began with (sha256 "
                f"{first['sha256'][:12]}, now {facts['sha256'][:12]}); start a new run"
            )

    def record(self, **info) -> None:
        """Add facts (devices, data, status) to config.json."""
        self.info.update(info)
        text = json.dumps(self.info, indent=2, allow_nan=False) + "\n"
        write_text(self.path / "config.json", text)


@contextlib.contextmanager
def open_run(
    root: Path, experiment: str, config: dict, resume: str | None = None
) -> Iterator[Run]:
    """Open `root/experiment/<run_id>/` for one run, and close it with a status.

    Bad input removes the folder again; Ctrl-C and a crash keep the rows that are
    complete.

    Args:
        root: folder of all results.
        experiment: its name.
        config: the options, as JSON values.
        resume: id of a run that was killed, to go on with; by default a new one.

    Raises:
        InputError: the folder cannot be written to, or there is no such run, or it is
            complete, or still going, or has other options.
    """
    started = time.monotonic()
    path = _find(root, experiment, resume) if resume else _create(root, experiment)
    with _locked(path):
        run = _reopen(path, config) if resume else _begin(path, experiment, config)
        try:
            run.record()
            yield run
        except InputError:
            if not resume:
                _remove(path)
            raise
        except KeyboardInterrupt:
            run.record(status="interrupted")
            advice = f"the rows so far are in {path}; go on with --resume {path.name}"
            raise KeyboardInterrupt(advice) from None
        except BaseException as error:
            run.record(status="failed", error=f"{type(error).__name__}: {error}"[:500])
            raise
        run.record(status="complete", seconds=round(time.monotonic() - started, 1))
        shutil.rmtree(path / STATE, ignore_errors=True)
        (path / ".lock").unlink(missing_ok=True)


def _begin(path: Path, experiment: str, config: dict) -> Run:
    """Return the run of a new folder."""
    info = {
        "experiment": experiment,
        "run_id": path.name,
        "status": "running",
        "config": config,
    }
    return Run(path, info | provenance())


def _create(root: Path, experiment: str) -> Path:
    """Make a folder named by the time in UTC and four random digits."""
    stamp = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    path = root / experiment / f"{stamp}-{os.urandom(2).hex()}"
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise InputError(
            f"cannot write to {path.parent} ({error.strerror}); "
            "give a folder you may write to with --results"
        ) from None
    return path


def _find(root: Path, experiment: str, run_id: str) -> Path:
    """Return the folder of a run by its id."""
    path = root / experiment / run_id
    if Path(run_id).name != run_id or not (path / "config.json").is_file():
        raise InputError(
            f"--resume {run_id}, but {path} is not the folder of a run; "
            "give an id like 20260101-120000-ab12, and --results where it lies"
        )
    return path


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Lock a run folder; after a kill, the operating system unlocks it."""
    lock = filelock.FileLock(path / ".lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        raise InputError(f"another process is at work on {path}") from None
    try:
        yield
    finally:
        lock.release()


def _reopen(path: Path, config: dict) -> Run:
    """Return a run that was killed, ready to go on with the same options."""
    info = json.loads((path / "config.json").read_text(encoding="utf-8"))
    if info["status"] == "complete":
        raise InputError(f"run {path.name} is complete; there is nothing to resume")
    for name, value in config.items():
        first = info["config"].get(name)
        if name not in ("resume", "results") and value != first:
            raise InputError(
                f"{name} is {value}, but run {path.name} has {first}; "
                "--resume takes the options of the run, leave them out"
            )
    for unfinished in path.rglob(".[0-9]*-*"):  # files that were being written
        unfinished.unlink()
    info.pop("error", None)
    session = provenance() | {"after": info["status"]}
    info |= {"status": "running", "resumed": [*info.get("resumed", []), session]}
    kept = {table: _count(path / f"{table}.csv") for table in SCHEMAS}
    return Run(path, info, kept=kept)


def _count(path: Path) -> int:
    """Count the rows of a CSV file, 0 if it does not exist."""
    if not path.is_file():
        return 0
    with path.open(newline="", encoding="utf-8") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def _remove(path: Path) -> None:
    shutil.rmtree(path)
    with contextlib.suppress(OSError):  # other runs may lie there
        path.parent.rmdir()


def find_chosen_model(folder: Path, experiment: str) -> tuple[dict, Path]:
    """Return the content of a run's config.json, and the file of the chosen model.

    Raises:
        InputError: the folder is not that of a finished run of the experiment.
    """
    try:
        info = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        path = folder / f"{info['chosen']}.keras"
        if info["experiment"] == experiment and path.is_file():
            return info, path
    except (OSError, ValueError, KeyError):
        pass
    raise InputError(
        f"{folder} is not the folder of a finished {experiment} run; give one like "
        f"--model results/{experiment}/20260101-120000-ab12"
    )
