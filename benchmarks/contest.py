"""Time contenders side by side: each in a process of its own, in turns.

A process starts once, gets ready (data, model, a first round that is not counted), and
waits. Then the contenders take turns, each for one timed round, so that whatever else
the machine does slows all of them down alike. What counts are ratios of medians.
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

from rnn_tf.devices import workers
from rnn_tf.errors import RunError

COLUMNS = "work contender unit rounds median low high ratio result megabytes".split()

GRACE = 20  # seconds for a contender to end by itself

# Runs one round and returns its speed, in the work's unit; or speed and result, such as
# the error that was reached.
Round = Callable[[], float | tuple[float, float]]
Setup = Callable[[], Round]  # prepares data and model


@dataclass(frozen=True, eq=False)
class Contender:
    """One way to do the work; the others are compared with the first of a work."""

    name: str
    setup: Setup
    needs: tuple[str, ...] = ()  # modules that may not be installed
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def absent(self) -> list[str]:
        """The modules that are not installed."""
        return [name for name in self.needs if find_spec(name) is None]


@dataclass(frozen=True)
class Work:
    """Something to do, and the contenders that do it."""

    name: str
    unit: str  # of a round's speed; more is better
    contenders: tuple[Contender, ...]
    rounds: int = 5
    warm_up: bool = True  # with a round that is not counted


# ---------------------------------------------------------------- for contenders


def epochs(data: Iterable, count: int = 1) -> float:
    """Time `count` passes over batches of (inputs, targets): examples per second."""
    started = time.perf_counter()
    examples = sum(len(y) for _ in range(count) for _, y in data)
    return examples / (time.perf_counter() - started)


def first_epoch(make: Callable[[], Iterable]) -> float:
    """Time one pass, with an empty cache that `make` has to fill first."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        examples = sum(len(y) for _, y in make())
    return examples / (time.perf_counter() - started)


def all_jobs(train: Callable[..., int], *args) -> Round:
    """Train in every worker of a run at the same time.

    Args:
        train: called in a worker as train(*args, tell); returns how many examples it
            has trained on.
        *args: of `train`.
    """
    staff = workers.Workers(workers.local(workers.usable([]), []))

    def run_round() -> float:
        started = time.perf_counter()
        for worker in staff.all:
            staff.start(worker, print, train, *args)
        examples = [staff.next()[1] for _ in staff.all]
        return sum(examples) / (time.perf_counter() - started)

    return run_round


# ---------------------------------------------------------------- one contender


def serve(contender: Contender, warm_up: bool) -> None:
    """Get ready, then run a round for each line on stdin, and answer it in JSON.

    The process does nothing else.
    """
    out, sys.stdout = sys.stdout, sys.stderr  # what libraries print is not an answer
    run_round = contender.setup()
    if warm_up:
        run_round()
    print(json.dumps({"ready": True}), file=out, flush=True)
    for _ in sys.stdin:
        value = run_round()
        speed, result = value if isinstance(value, tuple) else (value, None)
        answer = {"speed": speed, "result": result, "megabytes": _megabytes()}
        print(json.dumps(answer), file=out, flush=True)


def _megabytes() -> float:
    """Return the most memory that this process ever had."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 if sys.platform == "linux" else 1024**2)


@contextmanager
def _process_of(
    part: str, work: Work, contender: Contender
) -> Iterator[Callable[[], dict]]:
    """Start a contender; yield a function that runs a round and returns its answer.

    Raises:
        RunError: the contender failed; with the last line of its stderr.
    """
    with tempfile.TemporaryFile("w+") as stderr:
        process = _start(part, work, contender, stderr)

        def answer() -> dict:
            if line := process.stdout.readline():
                return json.loads(line)
            stderr.seek(0)
            last = (stderr.read().strip().splitlines() or ["no word"])[-1]
            raise RunError(f"{work.name}: {contender.name} failed: {last}")

        def run_round() -> dict:
            process.stdin.write("go\n")
            process.stdin.flush()
            return answer()

        try:
            answer()  # that it is ready
            yield run_round
        finally:
            _end(process)


def _start(part: str, work: Work, contender: Contender, stderr) -> subprocess.Popen:
    command = [sys.executable, "-m", "benchmarks", "serve"]
    command += ["--part", part, "--work", work.name, "--contender", contender.name]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | contender.environment,
    )


def _end(process: subprocess.Popen) -> None:
    """Let a contender clear up, for `GRACE` seconds; then kill it."""
    try:
        process.stdin.close()
        process.wait(GRACE)
    except (OSError, subprocess.TimeoutExpired):
        process.kill()
        process.wait()


# ---------------------------------------------------------------- all contenders


def measure(part: str, work: Work, report: Callable[[str], None]) -> list[dict]:
    """Time the contenders of a work in turns; return its rows of `bench.csv`.

    Args:
        part: the module that the work is from.
        work: what to do.
        report: called with a line on what is going on.
    """
    for contender in work.contenders:
        if contender.absent:
            missing = ", ".join(contender.absent)
            report(f"left out: {contender.name}, which needs {missing}")
    present = [contender for contender in work.contenders if not contender.absent]
    answers = {contender.name: [] for contender in present}
    with ExitStack() as stack:
        rounds = {}
        for contender in present:
            report(f"{work.name}: {contender.name} gets ready")
            process = _process_of(part, work, contender)
            rounds[contender.name] = stack.enter_context(process)
        for number in range(1, work.rounds + 1):
            for name, run_round in rounds.items():
                report(f"{work.name}: round {number}/{work.rounds}, {name}")
                answers[name].append(run_round())
    return rows(work, answers)


def rows(work: Work, answers: dict[str, list[dict]]) -> list[dict]:
    """Compute the rows of `bench.csv` of one work.

    Args:
        work: what was done.
        answers: contender -> its answer in each round, as `serve` writes it.

    Returns:
        One row per contender: median and quartiles over the rounds; `ratio` is its
        median over that of the first. `result` is the median of the rounds' results.
    """
    speeds = {name: [a["speed"] for a in rounds] for name, rounds in answers.items()}
    base = statistics.median(next(iter(speeds.values())))
    table = []
    for name, rounds in answers.items():
        low, median, high = _quartiles(speeds[name])
        row = {"work": work.name, "contender": name, "unit": work.unit}
        row |= {"rounds": len(rounds), "median": median, "low": low, "high": high}
        row |= {"ratio": median / base}
        results = [a["result"] for a in rounds if a.get("result") is not None]
        row |= {"result": statistics.median(results)} if results else {}
        table.append(row | {"megabytes": max(a["megabytes"] for a in rounds)})
    return table


def _quartiles(values: list[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile."""
    if len(values) == 1:
        return (values[0],) * 3
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, median, high
