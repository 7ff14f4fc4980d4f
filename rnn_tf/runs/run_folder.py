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

from rnn_tf.errors import DiskError, InputError, first_line
from rnn_tf.files import FULL, disk_errors, write_csv, write_text
from rnn_tf.runs.provenance import provenance

# Options that a run which goes on may change: they change no number.
FREE = "resume", "results", "jobs", "cluster"
STATE = "state"  # a folder that is there until the run is complete
PARTS = "parts"  # a folder of the runs that a joint run is made of
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
    created: tuple[Path, ...] = ()  # folders that its beginning made, its own first

    def add(self, table: str, rows: Iterable[dict]) -> None:
        """Add finished rows at the end of `<table>.csv`; see `put`."""
        self.put(table, [*self.rows[table], *rows])

    def put(self, table: str, rows: Iterable[dict]) -> None:
        """Replace `<table>.csv` by all rows that are finished, in their final order."""
        self.rows[table] = list(rows)
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

    @property
    def begun(self) -> bool:
        """Whether it has anything that a resumed run could go on with."""
        folders = self.path / STATE, self.path / PARTS
        saved = any(folder.is_dir() and any(folder.iterdir()) for folder in folders)
        return saved or any(self.rows.values())

    def record(self, **info) -> None:
        """Add facts (devices, data, status) to config.json.

        Raises:
            ValueError: JSON does not have such a value; the facts are as they were.
        """
        facts = self.info | info
        text = json.dumps(facts, indent=2, allow_nan=False) + "\n"
        self.info = facts
        write_text(self.path / "config.json", text)


@contextlib.contextmanager
def open_run(
    root: Path, experiment: str, config: dict, resume: str | None = None
) -> Iterator[Run]:
    """Open `root/experiment/<run_id>/` for one run, and close it with a status.

    Bad input removes the folder again. Ctrl-C, a full disk and a crash keep the rows
    that are complete; without any, Ctrl-C and a full disk remove it too.

    Args:
        root: folder of all results.
        experiment: its name.
        config: the options, as JSON values.
        resume: id of a run that was killed, to go on with; by default a new one.

    Raises:
        InputError: the folder cannot be written to, or there is no such run, or it is
            complete, or still going, or damaged, or has other options.
        DiskError: the disk is full.
    """
    started = time.monotonic()
    origin = provenance()  # takes a while: Ctrl-C in it must not leave a folder
    created = () if resume else _create(root, experiment)
    path = _find(root, experiment, resume) if resume else created[0]
    with _locked(path):
        if resume:
            run = _reopen(path, config, origin)
        else:
            run = _begin(created, experiment, config, origin)
        try:
            run.record()
            with disk_errors(path, FULL):
                yield run
        except (KeyboardInterrupt, DiskError) as error:
            raise _stop(run, error, resume) from None
        except InputError:
            _take_back(run, resume)
            raise
        except BaseException as error:
            reason = f"{type(error).__name__}: {error}"[:500]
            with contextlib.suppress(DiskError):
                run.record(status="failed", error=reason)
            raise
        run.record(status="complete", seconds=round(time.monotonic() - started, 1))
        _clean(path)


def _stop(run: Run, error: BaseException, resume: str | None) -> BaseException:
    """Close a run that Ctrl-C or a full disk has stopped; return the error to raise.

    A new run of which nothing could be taken up again is removed.
    """
    if not resume and not run.begun:
        _remove(run)
        return error
    status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
    with contextlib.suppress(DiskError):
        run.record(status=status)
    advice = f"the rows so far are in {run.path}; go on with --resume {run.path.name}"
    return type(error)(f"{error}; {advice}".removeprefix("; "))


def _take_back(run: Run, resume: str | None) -> None:
    """Undo the opening of a run that cannot go on: its folder, or its last session.

    A joint run keeps the parts that it has.
    """
    if resume:
        session = run.info["resumed"].pop()
        run.record(status=session["after"])
    elif any((run.path / PARTS).glob("*/*")):
        run.record(status="failed")
    else:
        _remove(run)


def _clean(path: Path) -> None:
    """Remove what only an unfinished run needs."""
    shutil.rmtree(path / STATE, ignore_errors=True)
    (path / ".lock").unlink(missing_ok=True)


def _begin(
    created: tuple[Path, ...], experiment: str, config: dict, origin: dict
) -> Run:
    """Return the run of a new folder."""
    info = {
        "experiment": experiment,
        "run_id": created[0].name,
        "status": "running",
        "config": config,
    }
    return Run(created[0], info | origin, created=created)


def _create(root: Path, experiment: str) -> tuple[Path, ...]:
    """Make a folder named by the time in UTC and four random digits.

    Returns:
        It, and the folders above it that had to be made, too.
    """
    stamp = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    path = root / experiment / f"{stamp}-{os.urandom(2).hex()}"
    absent = [folder for folder in path.parents if not folder.exists()]
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise InputError(
            f"cannot write to {path.parent} ({error.strerror}); "
            "give a folder you may write to with --results"
        ) from None
    return path, *absent


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


def _reopen(path: Path, config: dict, origin: dict) -> Run:
    """Return a run that was killed, ready to go on with the same options."""
    info = _read_info(path)
    if info["status"] == "complete":
        _clean(path)  # it may have been killed just before
        raise InputError(f"run {path.name} is complete; there is nothing to resume")
    for name, value in config.items():
        first = info["config"].get(name)
        if name not in FREE and value != first:
            raise InputError(
                f"{name} is {value}, but run {path.name} has {first}; "
                "--resume takes the options of the run, leave them out"
            )
    for unfinished in path.rglob(".[0-9]*-*"):  # files that were being written
        unfinished.unlink()
    info.pop("error", None)
    session = origin | {"after": info["status"]}
    info |= {"status": "running", "resumed": [*info.get("resumed", []), session]}
    kept = {table: _count(path / f"{table}.csv") for table in SCHEMAS}
    return Run(path, info, kept=kept)


def _read_info(path: Path) -> dict:
    """Read config.json of a run that is to go on."""
    try:
        info = json.loads((path / "config.json").read_text(encoding="utf-8"))
        if {"status", "commit"} <= set(info) and isinstance(info["config"], dict):
            return info
        reason = "no status, commit or options"
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        reason = first_line(error)
    raise InputError(
        f"{path / 'config.json'} is damaged ({reason}); this run cannot go on, start a "
        "new one"
    )


def _count(path: Path) -> int:
    """Count the rows of a CSV file, 0 if it does not exist."""
    if not path.is_file():
        return 0
    with path.open(newline="", encoding="utf-8") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def _remove(run: Run) -> None:
    shutil.rmtree(run.path)
    with contextlib.suppress(OSError):  # other runs may lie there
        for folder in run.created[1:]:
            folder.rmdir()


def find_chosen_model(
    folder: Path, experiment: str, names: str = "classes"
) -> tuple[dict, Path]:
    """Return the content of a run's config.json, and the file of the chosen model.

    Args:
        folder: of the run.
        experiment: that the run must be of.
        names: the key of its data that lists what the model's outputs are called.

    Raises:
        InputError: the folder is not that of a finished run of the experiment.
    """
    try:
        info = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        path = folder / f"{info['chosen']}.keras"
        inside = path.parent == folder and path.is_file()
        named = all(isinstance(name, str) for name in info["data"][names])
        if inside and named and info["experiment"] == experiment:
            return info, path
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        pass
    raise InputError(
        f"{folder} is not the folder of a finished {experiment} run; give one like "
        f"--model results/{experiment}/20260101-120000-ab12"
    )
