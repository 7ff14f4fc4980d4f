"""The workers of a run on several machines: TF_CONFIG, and how they meet.

No TensorFlow: what can be wrong is found before it starts. It could not say so itself:
two workers on one port share it, a missing one is waited for without end and beyond
Ctrl-C, and workers with different options stop somewhere in the middle.
"""

import contextlib
import json
import os
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rnn_tf.errors import InputError, RunError

EXAMPLE = (
    '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)
LONGEST_MESSAGE = 1 << 20


@dataclass(frozen=True)
class Cluster:
    """All workers of a run, and which of them this process is."""

    addresses: tuple[str, ...]  # host:port; the first is the chief's
    index: int  # this worker's place among them
    apart: bool  # whether TF_CONFIG lists the chief apart from the workers

    @property
    def workers(self) -> int:
        """How many there are, the chief among them."""
        return len(self.addresses)

    @property
    def chief(self) -> bool:
        """Whether this process is the chief, who writes the results."""
        return self.index == 0

    @property
    def port(self) -> int:
        """This worker's own."""
        return _split(self.addresses[self.index])[1]

    def name(self, index: int) -> str:
        """A worker by its place, for a message."""
        who = f"worker {index}" if index else "the chief"
        return f"{who} ({self.addresses[index]})"

    def place(self, job: str, task: int) -> int:
        """The place of a worker that TensorFlow calls by job and task."""
        return task + 1 if self.apart and job == "worker" else task


# ---------------------------------------------------------------- TF_CONFIG


def from_environment() -> Cluster:
    """What the environment variable TF_CONFIG says.

    Raises:
        InputError: it is missing, or does not describe workers and one of them.
    """
    text = os.environ.get("TF_CONFIG")
    if not text:
        raise InputError(
            "--strategy multiworker, but the environment variable TF_CONFIG is not "
            f"set; each worker needs its own, such as {EXAMPLE}"
        )
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError(f"TF_CONFIG is not JSON ({error}); write {EXAMPLE}") from None
    jobs, task = _part(found, "cluster"), _part(found, "task")
    chiefs, workers = _addresses(jobs, "chief"), _addresses(jobs, "worker")
    others = ", ".join(job for job in jobs if job not in ("chief", "worker"))
    if others:
        raise InputError(f"TF_CONFIG lists {others}; only chief and worker are known")
    if len(chiefs) > 1:
        raise InputError(f"TF_CONFIG lists {len(chiefs)} chiefs; there can be one")
    addresses = (*chiefs, *workers)
    twice = {address for address in addresses if addresses.count(address) > 1}
    if twice or not addresses:
        said = f"lists {', '.join(sorted(twice))} twice" if twice else "lists no worker"
        raise InputError(f"TF_CONFIG {said}; give each worker an address of its own")
    return Cluster(addresses, _index(task, chiefs, workers), bool(chiefs))


def _part(found: Any, name: str) -> dict:
    part = found.get(name) if isinstance(found, dict) else None
    if not isinstance(part, dict):
        raise InputError(f'TF_CONFIG has no object "{name}"; write {EXAMPLE}')
    return part


def _addresses(jobs: dict, job: str) -> list[str]:
    listed = jobs.get(job, [])
    if not isinstance(listed, list):
        raise InputError(f'"{job}" of TF_CONFIG is {listed!r}; it must be a list')
    for address in listed:
        _split(address)
    return listed


def _split(address: Any) -> tuple[str, int]:
    """Host and port."""
    found = re.fullmatch(r"(\S+):(\d{1,5})", address) if isinstance(address, str) else 0
    if not found or not 0 < int(found[2]) < 65536:
        raise InputError(
            f"TF_CONFIG has the address {address!r}; it must be host:port, such as "
            "10.0.0.1:2222"
        )
    return found[1], int(found[2])


def _index(task: dict, chiefs: list, workers: list) -> int:
    """This worker's place among all addresses."""
    job, index = task.get("type"), task.get("index")
    listed = {"chief": chiefs, "worker": workers}.get(job, [])
    if not listed:
        has = " or ".join(n for n, f in (("chief", chiefs), ("worker", workers)) if f)
        raise InputError(f"TF_CONFIG's task has the type {job!r}; it must be {has}")
    if type(index) is not int or not 0 <= index < len(listed):
        raise InputError(
            f"TF_CONFIG's task has the index {index!r}, but its {job} list has "
            f"{len(listed)} of them: it must be from 0 to {len(listed) - 1}"
        )
    return index + len(chiefs) if job == "worker" else index


# ---------------------------------------------------------------- the own port


def reserve(cluster: Cluster) -> socket.socket:
    """Listen on this worker's port until TensorFlow does.

    Raises:
        InputError: another process has it, or the system keeps it back.
    """
    try:
        return socket.create_server(("", cluster.port), backlog=64)
    except OSError as error:
        raise InputError(
            f"TF_CONFIG gives this worker the port {cluster.port}, but it cannot be "
            f"used ({error.strerror}); end the process that has it, or take another"
        ) from None


# ---------------------------------------------------------------- meeting


def meet(cluster: Cluster, own: socket.socket, card: dict, patience: float) -> None:
    """Wait until all workers are there and are found to agree.

    Each sends its card to the chief, which answers once all have come.

    Args:
        cluster: the workers.
        own: what `reserve` gave; closed at the end.
        card: JSON values that must be the same on all of them, name -> value.
        patience: seconds to wait.

    Raises:
        InputError: the cards differ.
        RunError: a worker did not come.
    """
    until = time.monotonic() + patience
    with own:
        if cluster.workers == 1:
            return
        if cluster.chief:
            _gather(cluster, own, card, until)
        else:
            _call_on_the_chief(cluster, card, until)


def _gather(cluster: Cluster, own: socket.socket, card: dict, until: float) -> None:
    """The chief's side."""
    with contextlib.ExitStack() as open_calls:
        calls: dict[int, socket.socket] = {}
        while missing := sorted(set(range(1, cluster.workers)) - set(calls)):
            names = ", ".join(map(cluster.name, missing))
            error = RunError(
                f"waited for {names}, in vain; start one process for each address of "
                "TF_CONFIG, and see that the chief can be reached"
            )
            with _telling(calls, error):
                own.settimeout(max(0.0, until - time.monotonic()))
                call, _ = own.accept()
            open_calls.enter_context(call)
            hello = _listen(call, 5.0)
            index = hello.get("index")
            if index in range(1, cluster.workers):
                _compare(cluster, index, hello, card, {**calls, index: call})
                calls[index] = call
            calls = {i: c for i, c in calls.items() if not _gone(c)}
        for call in calls.values():
            _say(call, {"error": None})


@contextlib.contextmanager
def _telling(calls: dict[int, socket.socket], error: Exception) -> Iterator[None]:
    """Turn a time-out into an error, here and on the workers that are there."""
    try:
        yield
    except (TimeoutError, BlockingIOError):
        _tell(calls, error)
        raise error from None


def _tell(calls: dict[int, socket.socket], error: Exception) -> None:
    for call in calls.values():
        _say(call, {"error": str(error), "input": isinstance(error, InputError)})


def _compare(cluster, index: int, hello: dict, card: dict, calls: dict) -> None:
    """Raise InputError, here and on all who have come, if a card is not the chief's."""
    theirs = {"TF_CONFIG": hello.get("addresses"), **hello.get("card", {})}
    for name, ours in {"TF_CONFIG": list(cluster.addresses), **card}.items():
        if theirs.get(name) != ours:
            error = InputError(
                f"{name} is {ours} on the chief and {theirs.get(name)} on "
                f"{cluster.name(index)}; it must be the same on all workers"
            )
            _tell(calls, error)
            raise error


def _call_on_the_chief(cluster: Cluster, card: dict, until: float) -> None:
    """The other workers' side."""
    hello = {"index": cluster.index, "addresses": cluster.addresses, "card": card}
    waited = f"waited for {cluster.name(0)}, in vain"
    while (left := until - time.monotonic()) > 0:
        with contextlib.suppress(OSError):
            address = _split(cluster.addresses[0])
            with socket.create_connection(address, timeout=left) as call:
                waited = f"{cluster.name(0)} still waits for others"
                _say(call, hello)
                answer = _listen(call, left)
            if answer.get("error"):
                kind = InputError if answer.get("input") else RunError
                raise kind(answer["error"])
            if "error" in answer:
                return
        time.sleep(0.2)
    raise RunError(f"{waited}; start one process for each address of TF_CONFIG")


def _say(call: socket.socket, message: dict) -> None:
    """Send one line of JSON; whoever has gone need not hear it."""
    with contextlib.suppress(OSError):
        call.sendall(json.dumps(message).encode() + b"\n")


def _listen(call: socket.socket, seconds: float) -> dict:
    """One line of JSON; nothing if something else comes, or nobody speaks."""
    call.settimeout(seconds)
    try:
        with call.makefile("rb") as lines:
            found = json.loads(lines.readline(LONGEST_MESSAGE))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _gone(call: socket.socket) -> bool:
    """Whether the other side has hung up."""
    call.setblocking(False)
    try:
        return call.recv(1) == b""
    except OSError as nothing_yet:
        return not isinstance(nothing_yet, BlockingIOError)
