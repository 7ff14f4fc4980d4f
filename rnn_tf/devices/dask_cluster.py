"""Workers of a Dask cluster, which may be on several machines: `--cluster`.

Dask knows who is there, and runs the call of a worker that has gone on another. Start
its scheduler, and its workers in the project's folder:

    dask scheduler
    dask worker ADDRESS --nthreads 4 --no-nanny

Each thread of a Dask worker keeps a worker process of this project, which does the
call: Dask's own threads draw from Python's random numbers, and a seed in their process
would not be the only one to say what comes next.

Messages of running calls come straight to this process: the machines must be able to
reach it. Use a network that you trust; Dask runs what it is sent.
"""

import itertools
import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any

from rnn_tf.devices import workers
from rnn_tf.devices.workers import Workers
from rnn_tf.errors import InputError, first_line
from rnn_tf.runs.provenance import provenance

PATIENCE = 30  # seconds to wait for the scheduler
SAME = "commit", "python", "versions"


@dataclass(eq=False)
class Slot:
    """One call at a time on the cluster; Dask chooses where."""

    client: Any
    lost: tuple  # what a future raises if its call is lost
    last: Any = field(default=None, init=False)  # the last job it was given

    def submit(self, function: Callable, *arguments):
        """Call a function there; returns a future."""
        return self.client.submit(_relay, function, *arguments, pure=False)

    def stop(self) -> None:
        """Leave the cluster's processes alone: they are not ours."""


_own = threading.local()  # in a thread of a Dask worker: its process
_turns = itertools.count()  # of the threads, at the GPUs


def _relay(function: Callable, *arguments):
    """Call a function in the process of this thread of a Dask worker."""
    if not hasattr(_own, "worker"):
        gpus = workers.gpus()
        first = next(_turns) % max(1, len(gpus))
        (_own.worker,) = workers.local(1, gpus[first:])
    try:
        return _own.worker.submit(function, *arguments).result()
    except BrokenProcessPool:
        _own.worker.stop()
        raise


def connect(cluster: str) -> Workers:
    """Connect to a cluster; as many calls at a time as it has threads.

    Raises:
        InputError: Dask is not installed, there is no such scheduler, it has no
            workers, or they have another version of anything that counts.
    """
    try:
        import distributed
    except ModuleNotFoundError:
        raise InputError(
            f"--cluster {cluster} needs Dask; pip install -r requirements-dask.txt"
        ) from None
    address = cluster.removeprefix("dask://")
    try:
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"--cluster {cluster}: no scheduler answers ({first_line(error)}); start "
            "one with: dask scheduler"
        ) from None
    try:
        _check(client, cluster)
    except BaseException:
        client.close()
        raise
    lost = BrokenProcessPool, CancelledError, distributed.KilledWorker
    slots = [Slot(client, lost) for _ in range(sum(client.nthreads().values()))]
    host = distributed.utils.get_ip(distributed.comm.get_address_host(address))
    return Cluster(slots, host, client)


def _check(client, cluster: str) -> None:
    """Raise InputError unless the workers have what this process has."""
    try:
        theirs = client.run(_describe)
    except Exception as error:  # whatever a worker without the project raises
        raise InputError(
            f"--cluster {cluster}: a worker cannot import the project "
            f"({first_line(error)}); start it in the project's folder"
        ) from None
    if not theirs:
        raise InputError(f"--cluster {cluster} has no workers; start some: dask worker")
    here = provenance()
    for worker, there in theirs.items():
        if there["daemon"]:
            raise InputError(
                f"{worker} may not start processes; start it with --no-nanny, or with "
                "DASK_DISTRIBUTED__WORKER__DAEMON=False in its environment"
            )
        for name in SAME:
            if there[name] != here[name]:
                raise InputError(
                    f"{name} is {here[name]} here and {there[name]} on {worker}; it "
                    "must be the same on all workers"
                )


def _describe() -> dict:
    """Describe a Dask worker: its versions, and whether it may not start processes."""
    return provenance() | {"daemon": multiprocessing.current_process().daemon}


class Cluster(Workers):
    """The slots of a cluster, and the connection to it."""

    def __init__(self, slots: list[Slot], host: str, client):
        super().__init__(slots, host)
        self.client = client

    def close(self) -> None:
        """Take back what is not done, and hang up."""
        self.client.close()
        super().close()
