"""Start several workers as processes of this machine: to train, or to tune.

    python -m rnn_tf.devices.launch --workers 2 experiments.forecast --size full
    python -m rnn_tf.devices.launch --workers 2 --tune experiments.forecast --trials 20

The first trains each model on all workers, `--strategy multiworker`. The second shares
out the trials of a search: the chief proposes them, and each worker fits its own.

This is for trying it out: workers share this machine's CPU and see no GPU, because for
several GPUs of one machine there is `--strategy mirrored`. The chief has the terminal;
another worker's stderr is shown if it fails. No TensorFlow here.
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

MODELS = 30  # the most that an experiment may tune; each search has a port
GRACE = 20  # seconds for the others to notice that a worker is gone, and to end


@dataclass(frozen=True)
class Worker:
    """A running process, and the file of its stderr; the chief's stays empty."""

    process: subprocess.Popen
    stderr: IO[bytes]


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
            code = 130  # without a message: the chief has printed one

    # A script's background ignores Ctrl-C, and workers would inherit that.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    return exit_code(work) or code


def launch(argv: list[str] | None) -> int:
    """Run the workers until they end; return the exit code of the first that failed.

    Raises:
        InputError: an option is wrong.
        KeyboardInterrupt: after Ctrl-C, once all have ended.
    """
    parser = _Parser(prog="python -m rnn_tf.devices.launch", allow_abbrev=False)
    parser.add_argument("--workers", type=int, default=2, help="how many")
    parser.add_argument("--tune", action="store_true", help="share out the trials")
    parser.add_argument("module", help="such as experiments.forecast")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="of the experiment")
    arguments = parser.parse_args(argv)
    count = arguments.workers
    if count < 1:
        raise InputError(f"--workers is {count}; it must be at least 1")
    command = [arguments.module, *arguments.options]
    if arguments.tune:
        environments = _tuner_environments(count)
    else:
        environments = _worker_environments(count)
        command += ["--strategy", "multiworker"]
    with _running(command, environments) as workers:
        first = _first_failure(workers)
        if first is None:
            return 0
        chief = workers[0].process
        _wait([chief])  # it ends by itself, and its own message says best why
        if first == 0 or chief.poll() != 2:  # with 2 it has printed the same error
            _show_stderr(workers[first], first)
        return _shell_code(workers[first].process)


def run(name: str, module: str, strategy: str, count: int, options: list[str]) -> None:
    """Run a module in a process of its own, or with multiworker in several.

    Args:
        name: of what is run, for the error.
        module: such as benchmarks.scaling.
        strategy: cpu, mirrored or multiworker.
        count: replicas, or workers.
        options: of the module, its subcommand first.

    Raises:
        RunError: it failed; with the last line of its stderr.
    """
    if strategy == "multiworker":
        command = ["rnn_tf.devices.launch", "--workers", str(count), module, *options]
    else:
        devices = ["--strategy", strategy, "--replicas", str(count)]
        command = [module, *options, *devices]
    done = subprocess.run(
        [sys.executable, "-m", *command], stderr=subprocess.PIPE, text=True
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise RunError(f"{name} failed: {last}")


@contextmanager
def _running(command: list[str], environments: list[dict]) -> Iterator[list[Worker]]:
    """Start the workers, the chief first; at the end, end those that still run."""
    with ExitStack() as files:
        workers = []
        try:
            for index, environment in enumerate(environments):
                stderr = files.enter_context(tempfile.TemporaryFile())
                process = _start(command, environment, index, stderr)
                workers.append(Worker(process, stderr))
            yield workers
        finally:
            running = [worker.process for worker in workers]
            _signal(running, signal.SIGINT)
            _wait(running)
            _signal(running, signal.SIGKILL)


def _worker_environments(count: int) -> list[dict]:
    """Give each worker that trains its TF_CONFIG; worker 0 is the chief."""
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(count)]
    tasks = [{"type": "worker", "index": index} for index in range(count)]
    cluster = {"worker": addresses}
    return [{"TF_CONFIG": json.dumps({"cluster": cluster, "task": t})} for t in tasks]


def _tuner_environments(count: int) -> list[dict]:
    """Give the chief of a search, and its workers, keras-tuner's variables."""
    address = {
        tuner_processes.ADDRESS: "127.0.0.1",
        tuner_processes.PORT: str(_free_range(MODELS)),
    }
    names = ["chief", *(f"tuner{index}" for index in range(1, count + 1))]
    return [address | {tuner_processes.ID: name} for name in names]


def _start(command: list[str], environment: dict, index: int, stderr: IO[bytes]):
    """Start a worker in its own session: Ctrl-C reaches it once, from `_running`."""
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        env=os.environ | environment | {"CUDA_VISIBLE_DEVICES": ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if index else None,
        stderr=stderr if index else None,
        start_new_session=True,
    )


def _free_ports(count: int) -> list[int]:
    """Find ports that no process has at this moment."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for free in sockets:
            free.bind(("127.0.0.1", 0))
        return [free.getsockname()[1] for free in sockets]


def _free_range(count: int) -> int:
    """Find the first of `count` ports in a row that no process has at this moment."""
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
    """Wait for the first worker that fails: its place; None if all do their work."""
    while True:
        codes = [worker.process.poll() for worker in workers]
        failed = [index for index, code in enumerate(codes) if code]
        if failed or None not in codes:
            return failed[0] if failed else None
        time.sleep(0.1)


def _signal(processes: list[subprocess.Popen], number: int) -> None:
    for process in processes:
        process.send_signal(number)  # does nothing to one that has ended


def _wait(processes: list[subprocess.Popen]) -> None:
    """Wait until they have ended, for `GRACE` seconds at most."""
    deadline = time.monotonic() + GRACE
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return


def _show_stderr(worker: Worker, index: int) -> None:
    """Print what a worker wrote to stderr, and the signal if one killed it."""
    worker.stderr.seek(0)
    for line in worker.stderr.read().decode(errors="replace").splitlines():
        print(f"worker {index}: {line}", file=sys.stderr)
    if worker.process.poll() < 0:
        name = signal.Signals(-worker.process.poll()).name
        print(f"worker {index}: killed by {name}", file=sys.stderr)


def _shell_code(process: subprocess.Popen) -> int:
    """Convert the exit code to a shell's: 137 for a process that was killed."""
    code = process.poll()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    raise SystemExit(main())
