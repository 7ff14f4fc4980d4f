"""Start several workers as processes of this machine: to train, or to tune.

    python -m rnn_tf.devices.launch --workers 2 experiments.forecast --size full
    python -m rnn_tf.devices.launch --workers 2 --tune experiments.forecast --trials 20

The first trains each model on all workers, `--strategy multiworker`. The second shares
out the trials of a search: the chief proposes them, and each worker fits its own.

For trying it out: they share this machine's CPU and see no GPU, because for several
GPUs of one machine there is `--strategy mirrored`. The chief has the terminal; what
another worker says is shown if it fails. No TensorFlow here.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO

from rnn_tf.devices import tuner_processes
from rnn_tf.errors import InputError, RunError, exit_code

MODELS = 30  # that an experiment may tune, each at a port of its own
GRACE = 20  # seconds in which the others find out that a worker is gone


@dataclass(frozen=True)
class Worker:
    """A running process, and what it says on stderr unless it is the chief."""

    process: subprocess.Popen
    said: IO[bytes]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise InputError(message)


def main(argv: list[str] | None = None) -> int:
    """Run the workers until they end; the exit code of the first that failed."""
    code = 0

    def work():
        nonlocal code
        try:
            code = launch(argv)
        except KeyboardInterrupt:
            code = 130  # the chief has said so

    # Also where Ctrl-C was ignored, as in a script's background: workers inherit that.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    return exit_code(work) or code


def launch(argv: list[str] | None) -> int:
    """As `main`.

    Raises:
        InputError: an option is wrong.
        KeyboardInterrupt: Ctrl-C, when all have ended.
    """
    parser = _Parser(prog="python -m rnn_tf.devices.launch", allow_abbrev=False)
    parser.add_argument("--workers", type=int, default=2, help="how many")
    parser.add_argument("--tune", action="store_true", help="share out the trials")
    parser.add_argument("module", help="such as experiments.forecast")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="of the experiment")
    found = parser.parse_args(argv)
    if found.workers < 1:
        raise InputError(f"--workers is {found.workers}; it must be at least 1")
    command = [found.module, *found.options]
    environments = _tuners(found.workers) if found.tune else _workers(found.workers)
    if not found.tune:
        command += ["--strategy", "multiworker"]
    with _started(command, environments) as workers:
        first = _first_failure(workers)
        if first is None:
            return 0
        chief = workers[0].process
        _wait([chief])  # it ends by itself, and says best why
        if first == 0 or chief.poll() != 2:  # else the chief has said the same
            _show(workers[first], first)
        return _code(workers[first].process)


def run(name: str, module: str, strategy: str, count: int, options: list[str]) -> None:
    """Run a module in processes of its own: one, with replicas or without, or workers.

    Args:
        name: what it is, for the error.
        module: such as benchmarks.scaling.
        strategy: as an experiment has it.
        count: replicas, or workers.
        options: of the module, its subcommand first.

    Raises:
        RunError: it failed, with the last line that it said.
    """
    if strategy == "multiworker":
        command = ["rnn_tf.devices.launch", "--workers", str(count), module, *options]
    else:
        own = ["--strategy", strategy, "--replicas", str(count)]
        command = [module, *options, *own]
    done = subprocess.run(
        [sys.executable, "-m", *command], stderr=subprocess.PIPE, text=True
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise RunError(f"{name} failed: {said}")


@contextmanager
def _started(command: list[str], environments: list[dict]) -> Iterator[list[Worker]]:
    """The workers, the chief first; ended in the end, if they have not."""
    with ExitStack() as files:
        workers = []
        try:
            for index, environment in enumerate(environments):
                said = files.enter_context(tempfile.TemporaryFile())
                workers.append(Worker(_start(command, environment, index, said), said))
            yield workers
        finally:
            running = [worker.process for worker in workers]
            _signal(running, signal.SIGINT)
            _wait(running)
            _signal(running, signal.SIGKILL)


def _workers(count: int) -> list[dict]:
    """The environment of each worker that trains; worker 0 is the chief."""
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(count)]
    tasks = [{"type": "worker", "index": index} for index in range(count)]
    cluster = {"worker": addresses}
    return [{"TF_CONFIG": json.dumps({"cluster": cluster, "task": t})} for t in tasks]


def _tuners(count: int) -> list[dict]:
    """The environment of the chief of a search, and of each worker that tunes."""
    where = {
        tuner_processes.ADDRESS: "127.0.0.1",
        tuner_processes.PORT: str(_free_range(MODELS)),
    }
    names = ["chief", *(f"tuner{index}" for index in range(1, count + 1))]
    return [where | {tuner_processes.ID: name} for name in names]


def _start(command: list[str], environment: dict, index: int, said: IO[bytes]):
    """One worker, out of reach of the terminal's Ctrl-C, which is passed on once."""
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        env=os.environ | environment | {"CUDA_VISIBLE_DEVICES": ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if index else None,
        stderr=said if index else None,
        start_new_session=True,
    )


def _free_ports(count: int) -> list[int]:
    """Ports that nobody has at this moment."""
    with ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]


def _free_range(count: int) -> int:
    """The first of so many ports in a row that nobody has at this moment."""
    while True:
        (first,) = _free_ports(1)
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except (OSError, OverflowError):
                continue
        return first


def _first_failure(workers: list[Worker]) -> int | None:
    """The place of the first worker that fails; None once all have done their work."""
    while True:
        codes = [worker.process.poll() for worker in workers]
        failed = [index for index, code in enumerate(codes) if code]
        if failed or None not in codes:
            return failed[0] if failed else None
        time.sleep(0.1)


def _signal(processes: list[subprocess.Popen], number: int) -> None:
    for process in processes:
        process.send_signal(number)  # nothing, if it has ended


def _wait(processes: list[subprocess.Popen]) -> None:
    """Wait until they have ended, for `GRACE` seconds at most."""
    until = time.monotonic() + GRACE
    for process in processes:
        try:
            process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return


def _show(worker: Worker, index: int) -> None:
    worker.said.seek(0)
    for line in worker.said.read().decode(errors="replace").splitlines():
        print(f"worker {index}: {line}", file=sys.stderr)
    if worker.process.poll() < 0:
        name = signal.Signals(-worker.process.poll()).name
        print(f"worker {index}: killed by {name}", file=sys.stderr)


def _code(process: subprocess.Popen) -> int:
    """The exit code as a shell has it: 137 for a process that was killed."""
    code = process.poll()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    raise SystemExit(main())
