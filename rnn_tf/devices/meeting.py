"""The meeting of workers before training: they wait for each other and must agree.

No TensorFlow: what can be wrong is found before it starts. TensorFlow itself would not
report it: two workers on one port share it, a missing one is waited for without end and
beyond Ctrl-C, and workers with different options stop somewhere in the middle.
"""

import contextlib
import dataclasses
import json
import socket
import time
from collections.abc import Iterator

from rnn_tf.config import RunConfig, to_json
from rnn_tf.devices.tf_config import Cluster, split_address
from rnn_tf.errors import InputError, RunError
from rnn_tf.runs.provenance import provenance

LONGEST_MESSAGE = 1 << 20  # bytes
HELLO_SECONDS = 5.0  # for a caller to say who it is; a stranger's call ends then


def shared_settings(config: RunConfig, gpus: int) -> dict:
    """Collect what must be the same on all workers, name -> JSON value.

    These are commit, versions, number of GPUs, and all options but places on disks.
    """
    here = provenance()
    settings = {"commit": here["commit"], **here["versions"], "GPUs": gpus}
    paths = {f.name for f in dataclasses.fields(config) if "Path" in str(f.type)}
    for name, value in to_json(config).items():
        if name not in paths | {"resume", "wait"}:
            settings[f"--{name.replace('_', '-')}"] = value
    return settings


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


def meet(
    cluster: Cluster, server: socket.socket, settings: dict, patience: float
) -> None:
    """Wait until all workers are there, and check that they agree.

    Each sends its settings to the chief, which answers once all have come.

    Args:
        cluster: the workers.
        server: what `reserve` returned; closed at the end.
        settings: JSON values that must be the same on all of them, name -> value.
        patience: seconds to wait.

    Raises:
        InputError: the settings differ.
        RunError: a worker did not come.
    """
    deadline = time.monotonic() + patience
    with server:
        if cluster.workers == 1:
            return
        if cluster.chief:
            _gather(cluster, server, settings, deadline)
        else:
            _join(cluster, settings, deadline)


# ---------------------------------------------------------------- the chief


def _gather(
    cluster: Cluster, server: socket.socket, settings: dict, deadline: float
) -> None:
    """Accept calls until every worker has come, then answer all of them."""
    with contextlib.ExitStack() as open_calls:
        calls: dict[int, socket.socket] = {}
        while missing := sorted(set(range(1, cluster.workers)) - set(calls)):
            names = ", ".join(map(cluster.name, missing))
            error = RunError(
                f"waited for {names}, in vain; start one process for each address of "
                "TF_CONFIG, and see that the chief can be reached"
            )
            with _on_timeout(error, calls):
                server.settimeout(max(0.0, deadline - time.monotonic()))
                call, _ = server.accept()
            open_calls.enter_context(call)
            hello = _receive(call, HELLO_SECONDS)
            index = hello.get("index")
            if index in range(1, cluster.workers):
                _compare(cluster, index, hello, settings, {**calls, index: call})
                calls[index] = call
            calls = {i: c for i, c in calls.items() if not _hung_up(c)}
        for call in calls.values():
            _send(call, {"error": None})


@contextlib.contextmanager
def _on_timeout(error: Exception, calls: dict[int, socket.socket]) -> Iterator[None]:
    """Raise `error` at a time-out, here and on the workers that have come."""
    try:
        yield
    except (TimeoutError, BlockingIOError):
        _send_error(calls, error)
        raise error from None


def _send_error(calls: dict[int, socket.socket], error: Exception) -> None:
    for call in calls.values():
        _send(call, {"error": str(error), "input": isinstance(error, InputError)})


def _compare(
    cluster: Cluster, index: int, hello: dict, settings: dict, calls: dict
) -> None:
    """Raise InputError, here and on all who have come, if a setting differs."""
    theirs = {"TF_CONFIG": hello.get("addresses"), **hello.get("settings", {})}
    for name, ours in {"TF_CONFIG": list(cluster.addresses), **settings}.items():
        if theirs.get(name) != ours:
            error = InputError(
                f"{name} is {ours} on the chief and {theirs.get(name)} on "
                f"{cluster.name(index)}; it must be the same on all workers"
            )
            _send_error(calls, error)
            raise error


# ---------------------------------------------------------------- other workers


def _join(cluster: Cluster, settings: dict, deadline: float) -> None:
    """Call the chief until it answers that all have come and agree."""
    hello = {"index": cluster.index, "addresses": cluster.addresses}
    hello["settings"] = settings
    reason = f"waited for {cluster.name(0)}, in vain"
    while (left := deadline - time.monotonic()) > 0:
        with contextlib.suppress(OSError):
            address = split_address(cluster.addresses[0])
            with socket.create_connection(address, timeout=left) as call:
                reason = f"{cluster.name(0)} still waits for others"
                _send(call, hello)
                answer = _receive(call, left)
            if answer.get("error"):
                kind = InputError if answer.get("input") else RunError
                raise kind(answer["error"])
            if "error" in answer:
                return
        time.sleep(0.2)
    raise RunError(f"{reason}; start one process for each address of TF_CONFIG")


# ---------------------------------------------------------------- messages


def _send(call: socket.socket, message: dict) -> None:
    """Send one line of JSON; to a worker that has gone, nothing."""
    with contextlib.suppress(OSError):
        call.sendall(json.dumps(message).encode() + b"\n")


def _receive(call: socket.socket, seconds: float) -> dict:
    """Receive one line of JSON; {} if none comes in time, or something else."""
    call.settimeout(seconds)
    try:
        with call.makefile("rb") as lines:
            message = json.loads(lines.readline(LONGEST_MESSAGE))
    except (OSError, ValueError):
        return {}
    return message if isinstance(message, dict) else {}


def _hung_up(call: socket.socket) -> bool:
    """Whether the other side has closed the connection."""
    call.setblocking(False)
    try:
        return call.recv(1) == b""
    except OSError as error:
        return not isinstance(error, BlockingIOError)  # which says: nothing yet
