"""Keras's JAX engine: its devices, and how several of them share the work.

Called by `strategy.start` alone. Importing this module imports JAX.

Measured on 2 cores of a busy EPYC by `make bench` (see results/bench.md): LSTM(32) and
GRU(32) train 1.1 to 1.3 times as fast as on TensorFlow with XLA, the textbook's sketch
network 2.2 times as fast as on TensorFlow without. Where batches do not come in stacks,
32 steps per execution, which is 32 calls of the same step here, give 1.2 to 1.3 times
as many as one.
"""

import contextlib
import textwrap
from contextlib import AbstractContextManager
from dataclasses import dataclass

import jax
import keras

from rnn_tf.config import RunConfig
from rnn_tf.errors import InputError


class DataParallel(keras.distribution.DataParallel):
    """Shares out each batch; one that does not divide goes whole to every device."""

    def get_data_layout(self, data_shape):
        """How a batch of this shape lies on the devices."""
        layout = super().get_data_layout(data_shape)
        if data_shape[0] % self.device_mesh.devices.size == 0:
            return layout
        whole = [None] * len(data_shape)
        return keras.distribution.TensorLayout(whole, self.device_mesh)


@dataclass(frozen=True)
class Replicas:
    """What `Devices` asks of a strategy, as `tf.distribute` would answer it."""

    devices: tuple[str, ...]

    @property
    def num_replicas_in_sync(self) -> int:
        """Copies of the model that train side by side."""
        return len(self.devices)

    def scope(self) -> AbstractContextManager:
        """Models that are built and trained in this scope are on all devices."""
        if len(self.devices) == 1:
            return contextlib.nullcontext()
        return DataParallel(devices=list(self.devices)).scope()


def start(config: RunConfig) -> tuple[str, Replicas]:
    """Start JAX on the devices that `config` asks for: their kind, and the devices.

    Raises:
        InputError: a device that was asked for is absent.
    """
    choice = config.strategy
    if choice == "cpu":
        jax.config.update("jax_platforms", "cpu")  # the GPUs' memory is left alone
    if choice == "mirrored":
        _make_cpus(config.replicas)
    found = _find("auto" if choice == "mirrored" else choice)
    if choice == "auto":
        choice = found[0].platform
        if choice == "gpu" and len(found) > 1:
            choice = "mirrored"
    if choice == "mirrored":
        _check_count(found, config.replicas)
    count = {"mirrored": config.replicas, "tpu": len(found)}.get(choice, 1)
    names = tuple(f"{device.platform}:{device.id}" for device in found[:count])
    return choice, Replicas(names)


def _find(choice: str) -> list:
    """The devices of a kind; of the best kind there is, for auto."""
    try:
        found = jax.devices(None if choice == "auto" else choice)
    except (RuntimeError, AssertionError) as error:  # either, as the platform likes
        said = textwrap.shorten(f"{type(error).__name__}: {error}", 120)
        raise InputError(
            f"--strategy {choice}, but JAX has no such device ({said}); use cpu, or "
            "install what requirements-jax.txt names for your device"
        ) from None
    if choice == "cpu" and jax.default_backend() != "cpu":
        raise InputError(
            f"--strategy cpu, but JAX uses the {jax.default_backend()} already; "
            "restart Python"
        )
    return found


def _make_cpus(count: int) -> None:
    """Split the CPU into `count` devices, for want of GPUs; before JAX has started."""
    with contextlib.suppress(RuntimeError):  # JAX runs, with the devices it has
        jax.config.update("jax_num_cpu_devices", count)


def _check_count(found: list, replicas: int) -> None:
    """Raise InputError if there are fewer devices than replicas."""
    if len(found) >= replicas:
        return
    kind = found[0].platform.upper()
    again = "; restart Python to have more" if kind == "CPU" else ""
    raise InputError(f"--replicas {replicas}, but JAX sees {len(found)} {kind}s{again}")
