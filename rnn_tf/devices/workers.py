"""Worker processes that compute for this one, each with one thread or its own GPU.

loky, joblib's engine, keeps a process alive from call to call, notices when it dies,
and starts another in the place of one that leaks. Each worker here is an executor of
its own, so that it is known which call a death has ended, and the others go on.

Messages of running calls come over sockets, by the standard library's
`multiprocessing.connection`: signed with a key that this process draws, and pickled, as
calls and results are. No TensorFlow here.
"""

import contextlib
import itertools
import os
import queue
import re
import secrets
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import Any

import loky
from loky.backend import resource_tracker

from rnn_tf.devices import backend

GIB = 2**30
MEMORY = 1.5 * GIB  # what a worker grows to
# A worker that has grown by so much since its start ends after its call: TensorFlow
# keeps 35 to 50 MB of every program that XLA has compiled.
LEAK = 0.5 * GIB
ORPHANS = 1.0  # seconds between two looks whether the parent lives
CTRL_C = 0.2  # seconds in which one that has ended a worker has come here too

Tell = Callable[..., None]


class Died:
    """In place of a result: the worker is gone, and its call with it."""


# ---------------------------------------------------------------- how many


def usable(gpus: list[str]) -> int:
    """Count the workers that this machine can have: one per GPU, or per core.

    Cores are physical ones, as many as the container and the affinity of this process
    allow, and as there is memory for.
    """
    cores = loky.cpu_count(only_physical_cores=True)
    return len(gpus) or max(1, int(min(cores, available_memory() // MEMORY)))


def gpus() -> list[str]:
    """List the GPUs of NVIDIA's that this process may use, without starting them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name.strip() not in ("", "-1")]
    devices = sorted(Path("/dev").glob("nvidia[0-9]*"), key=lambda path: path.name)
    return [path.name.removeprefix("nvidia") for path in devices]


def available_memory() -> float:
    """Read how many bytes are free: of the machine, or of a container with a limit."""
    limits = [float("inf")]
    meminfo, container = Path("/proc/meminfo"), Path("/sys/fs/cgroup/memory.max")
    if meminfo.exists():
        (kib,) = re.findall(r"^MemAvailable: +(\d+) kB", meminfo.read_text(), re.M)
        limits.append(1024 * int(kib))
    if container.exists() and (limit := container.read_text().strip()) != "max":
        limits.append(int(limit))
    return min(limits)


# ---------------------------------------------------------------- workers


@dataclass(eq=False)
class Worker:
    """A process that does one call at a time, started when it is needed."""

    lost = BrokenProcessPool, CancelledError  # what a future raises if it has died
    environment: dict[str, str]
    executor: loky.ProcessPoolExecutor | None = field(default=None, init=False)
    last: Any = field(default=None, init=False)  # the last job it was given

    def start(self) -> None:
        """Start the process, which imports TensorFlow while this one goes on."""
        self.submit(os.getpid)

    def submit(self, function: Callable, *arguments):
        """Call a function there; returns a future."""
        if self.executor is None:
            # What it does about a leak is no news.
            warnings.filterwarnings("ignore", "A worker was restarted", UserWarning)
            self.executor = loky.ProcessPoolExecutor(
                1, initializer=_begin, initargs=(os.getpid(),), env=self.environment
            )
        try:
            with _ctrl_c_blocked():  # its processes inherit that
                return self.executor.submit(function, *arguments)
        except BrokenProcessPool:  # it has died while it was idle
            self.stop()
            return self.submit(function, *arguments)

    def stop(self) -> None:
        """Kill the process, if there is one."""
        if self.executor is not None:
            self.executor.shutdown(wait=True, kill_workers=True)
            self.executor = None


def local(count: int, gpus: list[str]) -> list[Worker]:
    """Make workers of this machine: with a thread each, or sharing out the GPUs."""
    if not gpus:
        return [Worker(backend.ONE_THREAD) for _ in range(count)]
    shared = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    shared |= {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    names = itertools.islice(itertools.cycle(gpus), count)
    return [Worker({"CUDA_VISIBLE_DEVICES": name} | shared) for name in names]


def _begin(parent: int) -> None:
    """Start a worker process: import TensorFlow; end with the parent, or by Ctrl-C."""
    from loky import process_executor

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # at once, and without a word
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    process_executor._MAX_MEMORY_LEAK_SIZE = LEAK
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    backend.import_tensorflow()


def _end_with(parent: int) -> None:
    """End this process when its parent has ended, even by kill -9."""
    while os.getppid() == parent:
        time.sleep(ORPHANS)
    os._exit(1)


@contextlib.contextmanager
def _ctrl_c_blocked() -> Iterator[None]:
    """Have processes that are started inside wait with Ctrl-C until they have begun.

    A terminal sends it to all; while Python starts it would print a traceback.
    """
    resource_tracker.ensure_running()  # when it starts, it lets Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# ---------------------------------------------------------------- calls


class Workers:
    """The workers of a run, or of several in a row."""

    here = False  # calls run elsewhere

    def __init__(self, workers: list, host: str = "127.0.0.1"):
        self.idle = list(workers)
        self.all = list(workers)
        self.running = {}  # number of a call -> its job, tell, worker
        self.numbers = itertools.count()
        self.handlers = {}  # of signals, while `signals_in_turn` is open
        self.inbox = queue.SimpleQueue()
        self.key = secrets.token_bytes(32)
        self.listener = Listener((host, 0), authkey=self.key)
        threading.Thread(target=self._accept, daemon=True).start()

    def last_jobs(self) -> list:
        """List the last job of each worker; first of the one that is used next."""
        first, *others = [*self.idle, *(w for w in self.all if w not in self.idle)]
        return [worker.last for worker in (first, *others)]

    @property
    def busy(self) -> bool:
        """Whether there is a call that `next` can wait for."""
        return bool(self.running)

    @property
    def count(self) -> int:
        """How many calls run side by side."""
        return len(self.all)

    def start(self, job, tell: Tell, function: Callable, *arguments) -> None:
        """Call `function(*arguments, tell)` on an idle worker.

        Args:
            job: what `next` returns with the result; it is told apart by identity.
            tell: called here, by `next`, with what the function calls its own with.
            function: importable there, as what it is given and returns must be.
            arguments: of the function.
        """
        worker, number = self.idle.pop(0), next(self.numbers)
        self.running[number] = job, tell, worker
        worker.last = job
        address = self.listener.address, self.key, number
        future = worker.submit(_call, address, function, *arguments)
        future.add_done_callback(lambda done: self.inbox.put((number, None, done)))

    def next(self) -> tuple:
        """Wait until a call is over; return its job and its result, or `Died`.

        Raises:
            whatever the function raised.
        """
        while True:
            number, facts, future = self.inbox.get()
            if number is None:
                self.handlers[facts](facts, None)
            if number not in self.running:
                continue  # a message that its call has overtaken
            job, tell, worker = self.running[number]
            if future is None:
                tell(*facts)
                continue
            del self.running[number]
            self.idle.append(worker)
            try:
                return job, future.result()
            except worker.lost:
                time.sleep(CTRL_C)
                worker.stop()
                return job, Died()

    @contextlib.contextmanager
    def signals_in_turn(self) -> Iterator[None]:
        """Have Ctrl-C and the like wait in line with the messages for `next`.

        At any other moment, one that is being taken would be lost. Signals that are
        ignored stay so.
        """

        def wait_in_line(number, _) -> None:
            self.inbox.put((None, number, None))

        for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
            number = getattr(signal, name, None)
            if number is not None and callable(signal.getsignal(number)):
                self.handlers[number] = signal.signal(number, wait_in_line)
        try:
            yield
        finally:
            for number, handler in self.handlers.items():
                signal.signal(number, handler)
            self.handlers.clear()

    def close(self) -> None:
        """End all workers, whatever they do."""
        for worker in self.all:
            worker.stop()
        self.listener.close()

    def _accept(self) -> None:
        """Take the calls' connections, each by a thread; until `close`."""
        while True:
            try:
                connection = self.listener.accept()
            except OSError:
                return
            except Exception:  # a stranger without the key, or who hung up
                continue
            threading.Thread(
                target=self._receive, args=(connection,), daemon=True
            ).start()

    def _receive(self, connection) -> None:
        """Put the messages of one call into the inbox, until it hangs up."""
        with connection, contextlib.suppress(EOFError, OSError):
            number = connection.recv()
            while True:
                self.inbox.put((number, connection.recv(), None))


def _call(address: tuple, function: Callable, *arguments):
    """Call a function in a worker; its `tell` sends to the parent."""
    place, key, number = address
    with Client(place, authkey=key) as connection:
        connection.send(number)
        return function(*arguments, lambda *facts: connection.send(facts))


class Here:
    """In place of workers: calls run in this process, at once."""

    here = True
    count = 1

    def __init__(self):
        self.results = []

    @property
    def idle(self) -> bool:
        """Whether a call can start: one at a time."""
        return not self.results

    @property
    def busy(self) -> bool:
        """Whether there is a call whose result `next` can return."""
        return bool(self.results)

    def start(self, job, tell: Tell, function: Callable, *arguments) -> None:
        """Call `function(*arguments, tell)`."""
        self.results.append((job, function(*arguments, tell)))

    def next(self) -> tuple:
        """Return the job of the last call, and its result."""
        return self.results.pop()

    def close(self) -> None:
        """End nothing."""
