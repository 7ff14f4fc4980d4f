"""Measure the memory of a run's processes while it goes on.

    python -m benchmarks.memory FOLDER forecast --size full

Results go into FOLDER, and memory.csv: every second, what the parent and each worker
hold. Expect no worker above 1.5 GB, and no growth from the tenth fit to the last.
"""

import sys
import time
from pathlib import Path

import psutil

from rnn_tf import errors, files
from rnn_tf.errors import InputError

COLUMNS = "seconds fits process megabytes".split()
INTERVAL = 1.0  # seconds between two looks


def read_memory(run: psutil.Process) -> dict[str, float]:
    """Read the memory of a run's processes: name -> megabytes."""
    names = {"parent": run}
    for child in run.children():
        if "LokyProcess" in " ".join(child.cmdline()):
            names[f"worker {child.pid}"] = child
    return {name: process.memory_info().rss / 2**20 for name, process in names.items()}


def count_fits(results: Path) -> int:
    """Count the fits that are finished, by the rows of trials.csv."""
    files = list(results.glob("*/*/trials.csv"))
    return sum(len(file.read_text().splitlines()) - 1 for file in files)


def measure(results: Path, experiment: str, options: list[str]) -> list[dict]:
    """Run an experiment; return the rows of memory.csv."""
    command = [sys.executable, "-m", f"experiments.{experiment}", *options]
    run = psutil.Popen([*command, "--results", str(results)])
    started, rows = time.monotonic(), []
    while run.poll() is None:
        time.sleep(INTERVAL)
        at = {"seconds": round(time.monotonic() - started, 1)}
        at["fits"] = count_fits(results)
        try:
            now = read_memory(run)
        except psutil.NoSuchProcess:  # it has just ended
            continue
        rows += [at | {"process": n, "megabytes": round(mb)} for n, mb in now.items()]
    return rows


def main() -> None:
    """Measure what the command line says."""
    if len(sys.argv) < 3:
        raise InputError("name a folder for the results, and an experiment")
    folder, experiment, *options = sys.argv[1:]
    rows = measure(Path(folder), experiment, options)
    files.write_csv(Path(folder, "memory.csv"), COLUMNS, rows)
    for name in dict.fromkeys(row["process"] for row in rows):
        most = max(row["megabytes"] for row in rows if row["process"] == name)
        print(f"{name}: {most:,} MB at most")


if __name__ == "__main__":
    raise SystemExit(errors.exit_code(main))
