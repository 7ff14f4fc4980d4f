"""Record where a row comes from: command, commit, versions, machine, time.

No TensorFlow.
"""

import os
import platform
import shlex
import subprocess
import sys
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "tensorflow jax keras keras-tuner numpy pandas scikit-learn scipy statsmodels"
).split()


def provenance() -> dict:
    """Return what config.json records of a run's start, or of its resumption."""
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
    """Return the command as typed: `-m experiments.forecast`, not that file's path."""
    return getattr(sys, "orig_argv", sys.argv)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _commit() -> tuple[str, bool | None]:
    """Return the commit of this source tree, and whether files differ from it."""
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
