"""TF_CONFIG: the workers of a run on several machines, and which one this is.

No TensorFlow: what is wrong with it is found before TensorFlow starts.
"""

import json
import os
import re
from dataclasses import dataclass
from typing import Any

from rnn_tf.errors import InputError

EXAMPLE = (
    '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)
JOBS = "chief", "worker"


@dataclass(frozen=True)
class Cluster:
    """All workers of a run, and which of them this process is."""

    addresses: tuple[str, ...]  # host:port; the first is the chief's
    index: int  # this worker's place among them
    separate_chief: bool  # whether TF_CONFIG lists the chief apart from the workers

    @property
    def workers(self) -> int:
        """Number of workers, the chief among them."""
        return len(self.addresses)

    @property
    def chief(self) -> bool:
        """Whether this process is the chief, who writes the results."""
        return self.index == 0

    @property
    def port(self) -> int:
        """This worker's own port."""
        return split_address(self.addresses[self.index])[1]

    def name(self, index: int) -> str:
        """Name a worker by its place, for a message."""
        role = f"worker {index}" if index else "the chief"
        return f"{role} ({self.addresses[index]})"

    def place(self, job: str, task: int) -> int:
        """Find the place of a worker that TensorFlow calls by job and task."""
        return task + 1 if self.separate_chief and job == "worker" else task


def from_environment() -> Cluster:
    """Read the environment variable TF_CONFIG.

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
        value = json.loads(text)
    except ValueError as error:
        raise InputError(f"TF_CONFIG is not JSON ({error}); write {EXAMPLE}") from None
    jobs, task = _object(value, "cluster"), _object(value, "task")
    chiefs, workers = _jobs(jobs)
    _check_addresses([*chiefs, *workers])
    index = _index(task, chiefs, workers)
    return Cluster((*chiefs, *workers), index, bool(chiefs))


def _object(value: Any, name: str) -> dict:
    part = value.get(name) if isinstance(value, dict) else None
    if not isinstance(part, dict):
        raise InputError(f'TF_CONFIG has no object "{name}"; write {EXAMPLE}')
    return part


def _jobs(jobs: dict) -> tuple[list[str], list[str]]:
    """Read the addresses of the chief, if it is listed apart, and of the workers."""
    chiefs, workers = (_addresses(jobs, job) for job in JOBS)
    others = ", ".join(job for job in jobs if job not in JOBS)
    if others:
        raise InputError(f"TF_CONFIG lists {others}; only chief and worker are known")
    if len(chiefs) > 1:
        raise InputError(f"TF_CONFIG lists {len(chiefs)} chiefs; there can be one")
    return chiefs, workers


def _addresses(jobs: dict, job: str) -> list[str]:
    addresses = jobs.get(job, [])
    if not isinstance(addresses, list):
        raise InputError(f'"{job}" of TF_CONFIG is {addresses!r}; it must be a list')
    for address in addresses:
        split_address(address)
    return addresses


def split_address(address: Any) -> tuple[str, int]:
    """Split "host:port" in two.

    Raises:
        InputError: it is something else.
    """
    match = isinstance(address, str) and re.fullmatch(r"(\S+):(\d{1,5})", address)
    if not match or not 0 < int(match[2]) < 65536:
        raise InputError(
            f"TF_CONFIG has the address {address!r}; it must be host:port, such as "
            "10.0.0.1:2222"
        )
    return match[1], int(match[2])


def _check_addresses(addresses: list[str]) -> None:
    """Raise InputError unless there are some, and each stands there once."""
    twice = sorted({a for a in addresses if addresses.count(a) > 1})
    if twice or not addresses:
        fault = f"{', '.join(twice)} twice" if twice else "no worker"
        raise InputError(
            f"TF_CONFIG lists {fault}; give each worker an address of its own"
        )


def _index(task: dict, chiefs: list, workers: list) -> int:
    """Find this worker's place among all addresses."""
    job, index = task.get("type"), task.get("index")
    lists = dict(zip(JOBS, (chiefs, workers), strict=True))
    addresses = lists.get(job, [])
    if not addresses:
        known = " or ".join(name for name, listed in lists.items() if listed)
        raise InputError(f"TF_CONFIG's task has the type {job!r}; it must be {known}")
    if type(index) is not int or not 0 <= index < len(addresses):
        raise InputError(
            f"TF_CONFIG's task has the index {index!r}, but its {job} list has "
            f"{len(addresses)} of them: it must be from 0 to {len(addresses) - 1}"
        )
    return index + len(chiefs) if job == "worker" else index
