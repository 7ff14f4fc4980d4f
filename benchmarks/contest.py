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
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec

from rnn_tf.errors import RunError

COLUMNS = "work contender unit rounds median low high ratio result megabytes".split()

GRACE = 20  # seconds to end by itself

# What one round did per second; or that, and a number for what it came to.
Round = Callable[[], float | tuple[float, float]]
Setup = Callable[[], Round]  # gets ready


@dataclass(frozen=True, eq=False)
class Contender:
    """One way to do the work; others are compared with the first of a work."""

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
    warm_up: bool = True  # with a round that is not counted


# ---------------------------------------------------------------- for contenders


def epochs(data: Iterable, count: int = 1) -> float:
    """Examples per second of so many passes over batches of (inputs, targets)."""
    started = time.perf_counter()
    found = sum(len(y) for _ in range(count) for _, y in data)
    return found / (time.perf_counter() - started)


def first_epoch(make: Callable[[], Iterable]) -> float:
    """The same of one pass, with an empty cache that `make` has to fill."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        found = sum(len(y) for _, y in make())
    return found / (time.perf_counter() - started)


# ---------------------------------------------------------------- one contender


def serve(contender: Contender, warm_up: bool) -> None:
    """In a process of its own: get ready, then a round for each line on stdin."""
    out, sys.stdout = sys.stdout, sys.stderr  # what libraries print is not an answer
    one_round = contender.setup()
    if warm_up:
        one_round()
    print(json.dumps({"ready": True}), file=out, flush=True)
    for _ in sys.stdin:
        found = one_round()
        speed, result = found if isinstance(found, tuple) else (found, None)
        said = {"speed": speed, "result": result, "megabytes": _megabytes()}
        print(json.dumps(said), file=out, flush=True)


def _megabytes() -> float:
    """The most memory that this process ever had."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 if sys.platform == "linux" else 1024**2)


@contextmanager
def _started(
    part: str, work: Work, contender: Contender
) -> Iterator[Callable[[], dict]]:
    """Start a contender; what has it do a round, and gives what it says of it.

    Raises:
        RunError: it failed, with the last line that it said.
    """
    command = [sys.executable, "-m", "benchmarks", "serve"]
    command += ["--part", part, "--work", work.name, "--contender", contender.name]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | contender.environment,
        )

        def answer() -> dict:
            if line := process.stdout.readline():
                return json.loads(line)
            said.seek(0)
            last = (said.read().strip().splitlines() or ["no word"])[-1]
            raise RunError(f"{work.name}: {contender.name} failed: {last}")

        def one_round() -> dict:
            process.stdin.write("go\n")
            process.stdin.flush()
            return answer()

        try:
            answer()  # that it is ready
            yield one_round
        finally:
            _end(process)


def _end(process: subprocess.Popen) -> None:
    """Let a contender clear up, for a while."""
    try:
        process.stdin.close()
        process.wait(GRACE)
    except (OSError, subprocess.TimeoutExpired):
        process.kill()
        process.wait()


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
        rounds = {}
        for one in there:
            say(f"{work.name}: {one.name} gets ready")
            rounds[one.name] = stack.enter_context(_started(part, work, one))
        for number in range(1, work.rounds + 1):
            for name, one_round in rounds.items():
                say(f"{work.name}: round {number}/{work.rounds}, {name}")
                found[name].append(one_round())
    return rows(work, found)


def rows(work: Work, found: dict[str, list[dict]]) -> list[dict]:
    """The rows of `bench.csv`.

    Args:
        work: what was done.
        found: contender -> what it answered in each round.

    Returns:
        One row per contender: median and quartiles over the rounds; `ratio` is its
        median over that of the first. `result` is the median of what they came to.
    """
    speeds = {name: [one["speed"] for one in taken] for name, taken in found.items()}
    base = statistics.median(next(iter(speeds.values())))
    made = []
    for name, taken in speeds.items():
        low, median, high = _quartiles(taken)
        row = {"work": work.name, "contender": name, "unit": work.unit}
        row |= {"rounds": len(taken), "median": median, "low": low, "high": high}
        row |= {"ratio": median / base}
        results = [
            one["result"] for one in found[name] if one.get("result") is not None
        ]
        row |= {"result": statistics.median(results)} if results else {}
        row |= {"megabytes": max(one["megabytes"] for one in found[name])}
        made.append(row)
    return made


def _quartiles(values: list[float]) -> tuple[float, float, float]:
    """The lower quartile, the median and the upper quartile."""
    if len(values) == 1:
        return (values[0],) * 3
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, median, high
