"""What a run leaves: its folder, its CSV files, where it ran. No TensorFlow.

`results/README.md` explains every column. A file is whole or absent: it is written
under a temporary name and renamed, so a kill at any moment loses no finished row.
"""

import contextlib
import csv
import io
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

from rnn_tf.config import InputError

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
PACKAGES = (
    "tensorflow keras keras-tuner numpy pandas scikit-learn scipy statsmodels".split()
)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it into place when all went well.

    The temporary name keeps the ending, because Keras and matplotlib read the format
    from it.
    """
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text`, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_csv(path: Path, columns: list[str], rows: Iterable[dict]) -> None:
    """Write rows under `columns`, then any others in their order of appearance.

    Missing values are empty cells. Floats keep every digit, so equal numbers give
    equal bytes.
    """
    rows = list(rows)
    extra = list(dict.fromkeys(key for row in rows for key in row))
    names = list(columns) + [key for key in extra if key not in columns]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


@dataclass
class Run:
    """An open run folder. `info` is what config.json says."""

    path: Path
    info: dict
    rows: dict[str, list[dict]] = field(
        default_factory=lambda: {table: [] for table in SCHEMAS}
    )

    def add(self, table: str, rows: Iterable[dict]) -> None:
        """Add finished rows to `<table>.csv`; the file on disk is never half there."""
        self.rows[table].extend(rows)
        write_csv(self.path / f"{table}.csv", SCHEMAS[table], self.rows[table])

    def record(self, **info) -> None:
        """Add what has become known (devices, data, status) to config.json."""
        self.info.update(info)
        text = json.dumps(self.info, indent=2, allow_nan=False) + "\n"
        write_text(self.path / "config.json", text)


@contextlib.contextmanager
def open_run(root: Path, experiment: str, config: dict) -> Iterator[Run]:
    """Open `root/experiment/<run_id>/` for one run, and close it with a status.

    Bad input removes the folder again; Ctrl-C and a crash keep the rows that are
    complete.
    """
    started = time.monotonic()
    path = _new_folder(root, experiment)
    info = {"experiment": experiment, "run_id": path.name, "status": "running"}
    run = Run(path, info)
    try:
        run.record(config=config, **provenance())
        yield run
    except InputError:
        shutil.rmtree(path)
        with contextlib.suppress(OSError):  # other runs may lie there
            path.parent.rmdir()
        raise
    except KeyboardInterrupt:
        run.record(status="interrupted")
        raise KeyboardInterrupt(f"the rows so far are in {path}") from None
    except BaseException as error:
        run.record(status="failed", error=f"{type(error).__name__}: {error}"[:500])
        raise
    run.record(status="complete", seconds=round(time.monotonic() - started, 1))


def chosen(folder: Path, experiment: str) -> tuple[dict, Path]:
    """What config.json says of a finished run, and the file of the model it chose.

    Raises:
        InputError: it is not the folder of such a run.
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


def _new_folder(root: Path, experiment: str) -> Path:
    """A new folder named by the time in UTC and four random digits."""
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


def provenance() -> dict:
    """Where a row comes from: command, commit, versions, machine, time."""
    commit, dirty = _commit()
    return {
        "command": " ".join(["python", *map(shlex.quote, _original_argv()[1:])]),
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": commit,
        "dirty": dirty,
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }


def _original_argv() -> list[str]:
    """The command as typed: `-m experiments.forecast`, not the file Python made it."""
    return getattr(sys, "orig_argv", sys.argv)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _commit() -> tuple[str, bool | None]:
    """The commit of this source tree, and whether files differ from it."""
    here = Path(__file__).resolve().parent
    try:
        commit = _git(here, "rev-parse", "HEAD").strip()
        return commit, bool(_git(here, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return "unknown", None


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    ).stdout
