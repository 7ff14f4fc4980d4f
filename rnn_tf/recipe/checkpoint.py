"""Checkpoints, from which a killed run goes on: the last epoch of a fit, finished fits.

Each is one npz file of arrays with JSON beside them, whole or absent. Keras's
`BackupAndRestore` keeps neither the state of early stopping nor the history, and a kill
while it writes leaves half a file. Nothing is pickled.
"""

import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf.errors import InputError, first_line

keras = lazy_loader.load("keras")

# Of the time of a fit that may go into checkpoints: where epochs take milliseconds, not
# each of them is kept.
SHARE = 0.05
FACTS = "history", "wait", "best", "best_epoch"  # of an epoch


def pack(arrays: dict[str, list[np.ndarray]], facts: dict) -> bytes:
    """Pack lists of arrays, and JSON values, into the bytes of one npz file."""
    named = {f"{k}.{i}": a for k, many in arrays.items() for i, a in enumerate(many)}
    file = io.BytesIO()
    np.savez(file, facts=json.dumps(facts), **named)
    return file.getvalue()


def unpack(data: bytes) -> tuple[dict[str, list[np.ndarray]], dict]:
    """Return what `pack` was given; a list that was empty is absent."""
    arrays: dict[str, list[np.ndarray]] = {}
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        for name in file.files[1:]:  # in the order they were written
            arrays.setdefault(name.split(".")[0], []).append(file[name])
        return arrays, json.loads(file["facts"].item())


def read_or_refuse(read: Callable, data: bytes | str, path: Path):
    """Return `read(data)`, the content of a state file.

    Raises:
        InputError: it is damaged; names the file and the way out.
    """
    try:
        return read(data)
    except Exception as error:  # damaged bytes can raise anything
        reason = first_line(error)
        raise InputError(
            f"{path} is damaged ({reason}); delete it, and what it held runs again"
        ) from None


def read(path: Path, share: Callable, *facts: str):
    """Read a state file, as `unpack` gives it; None if there is none.

    Args:
        path: of the file.
        share: gives the chief's bytes to all workers, who must go on from the same;
            see `Devices.from_chief`.
        facts: the names of those that it must hold.

    Raises:
        InputError: it is damaged.
    """

    def unpack_all(data):
        saved = unpack(data)
        _ = [saved[1][name] for name in facts]
        return saved

    data = share(path.read_bytes() if path.is_file() else None)
    return None if data is None else read_or_refuse(unpack_all, data, path)


@dataclass
class Checkpoint:
    """Where a fit goes on from, and who keeps its last epoch."""

    saved: tuple | None  # an epoch, as `unpack` gives it
    keep: Callable[[bytes], None]
    next: float = field(default=0.0, init=False)  # not before this moment

    def save(self, stop_early, history: list[dict]) -> None:
        """Keep the state after an epoch, unless that would cost too much time.

        Args:
            stop_early: the callback, which also leads to the model: asked for by a
                callback, a model has its weights on JAX too, which keeps them elsewhere
                while it trains.
            history: a row for each epoch so far.
        """
        started = time.perf_counter()
        if started < self.next:
            return
        model = stop_early.model
        arrays = {
            "variables": _values(model.variables),
            "optimizer": _values(model.optimizer.variables),
            "best": stop_early.best_weights or [],
        }
        facts = {"history": history, "wait": stop_early.wait}
        facts |= {"best": stop_early.best, "best_epoch": stop_early.best_epoch}
        self.keep(pack(arrays, facts))
        now = time.perf_counter()
        self.next = now + (now - started) / SHARE

    def restore(self, stop_early) -> None:
        """Put model, optimizer and early stopping back where they were.

        To be called after `on_train_begin` of `stop_early`, which forgets everything.
        """
        (arrays, facts), model = self.saved, stop_early.model
        assign(model.variables, arrays["variables"])
        assign(model.optimizer.variables, arrays["optimizer"])
        stop_early.best_weights = arrays.get("best")
        for name in ("wait", "best", "best_epoch"):
            setattr(stop_early, name, facts[name])


def assign(variables: list, values: list) -> None:
    """Give each variable its value."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _values(variables: list) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(variable) for variable in variables]
