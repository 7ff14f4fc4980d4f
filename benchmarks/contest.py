"""The contest: each contender in a process of its own, in turns, round by round.

A process starts once, gets ready (data, model, a first round that is not counted), and
waits. Then the contenders take turns, each for one timed round, so that what else the
machine does slows all of them down alike. What counts are ratios of medians.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec

from rnn_tf.config import RunError

COLUMNS = "work contender unit rounds median low high ratio megabytes".split()

# Gets ready, and returns what does one round and says how much it did per second.
Setup = Callable[[], Callable[[], float]]


@dataclass(frozen=True)
class Contender:
    """One way to do the work; the first of a work is what the others are compared to."""

    name: str
    setup: Setup
    needs: tuple[str, ...] = ()  # modules that may not be installed
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def absent(self) -> list[str]:
        """The modules that are missing."""
        return [name for name in self.needs if find_spec(name) is None]


@dataclass(frozen=True)
class Work:
    """Something to do, and who does it."""

    name: str
    unit: str  # of what a round returns; more is better
    contenders: tuple[Contender, ...]
    rounds: int = 5


# ---------------------------------------------------------------- one contender


def serve(contender: Contender) -> None:
    """In a process of its own: get ready, then a round for each line on stdin."""
    out, sys.stdout = sys.stdout, sys.stderr  # what libraries print is not an answer
    one_round = contender.setup()
    one_round()
    print(json.dumps({"ready": True}), file=out, flush=True)
    for _ in sys.stdin:
        said = {"speed": one_round(), "megabytes": _megabytes()}
        print(json.dumps(said), file=out, flush=True)


def _megabytes() -> float:
    """The most memory that this process ever had."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 if sys.platform == "linux" else 1024**2)


@contextmanager
def _started(part: str, work: Work, contender: Contender) -> Iterator:
    """A contender's process, ready for its first round.

    Raises:
        RunError: it failed, with the last line that it said.
    """
    command = [sys.executable, "-m", "benchmarks", "serve"]
    command += ["--part", part, "--work", work.name, "--contender", contender.name]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | contender.environment,
    )
    try:
        _answer(process, work, contender)
        yield process
    finally:
        process.kill()
        process.wait()


def _answer(process: subprocess.Popen, work: Work, contender: Contender) -> dict:
    """The next line of a contender."""
    line = process.stdout.readline()
    if line:
        return json.loads(line)
    said = (process.stderr.read().strip().splitlines() or ["no word"])[-1]
    raise RunError(f"{work.name}: {contender.name} failed: {said}")


# ---------------------------------------------------------------- all of them


def measure(part: str, work: Work, say: Callable[[str], None]) -> list[dict]:
    """The rows of `bench.csv` of one work.

    Args:
        part: the module that the work is from.
        work: what to do.
        say: told what goes on.
    """
    there = [one for one in work.contenders if not one.absent]
    for one in work.contenders:
        if one.absent:
            say(f"left out: {one.name}, which needs {', '.join(one.absent)}")
    found = {one.name: [] for one in there}
    with ExitStack() as stack:
        processes = {}
        for one in there:
            say(f"{work.name}: {one.name} gets ready")
            processes[one] = stack.enter_context(_started(part, work, one))
        for number in range(1, work.rounds + 1):
            for one, process in processes.items():
                say(f"{work.name}: round {number}/{work.rounds}, {one.name}")
                process.stdin.write("go\n")
                process.stdin.flush()
                found[one.name].append(_answer(process, work, one))
    return rows(work, found)


def rows(work: Work, found: dict[str, list[dict]]) -> list[dict]:
    """The rows of `bench.csv`.

    Args:
        work: what was done.
        found: contender -> what it answered in each round.

    Returns:
        One row per contender: median and quartiles over the rounds; `ratio` is its
        median over that of the first.
    """
    speeds = {name: [one["speed"] for one in taken] for name, taken in found.items()}
    base = statistics.median(next(iter(speeds.values())))
    made = []
    for name, taken in speeds.items():
        low, median, high = _quartiles(taken)
        row = {"work": work.name, "contender": name, "unit": work.unit}
        row |= {"rounds": len(taken), "median": median, "low": low, "high": high}
        row |= {"ratio": median / base}
        row |= {"megabytes": max(one["megabytes"] for one in found[name])}
        made.append(row)
    return made


def _quartiles(values: list[float]) -> tuple[float, float, float]:
    """The lower quartile, the median and the upper quartile."""
    if len(values) == 1:
        return (values[0],) * 3
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, median, high
