"""Keras's JAX engine: which devices it trains on, and how several share a batch.

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
from rnn_tf.devices.backend import VIRTUAL_CPUS
from rnn_tf.errors import InputError


class DataParallel(keras.distribution.DataParallel):
    """Shares out each batch; copies one that does not divide to every device."""

    def get_data_layout(self, data_shape):
        """Choose how a batch of this shape is laid out over the devices."""
        layout = super().get_data_layout(data_shape)
        if data_shape[0] % self.device_mesh.devices.size == 0:
            return layout
        whole = [None] * len(data_shape)
        return keras.distribution.TensorLayout(whole, self.device_mesh)


@dataclass(frozen=True)
class Replicas:
    """The devices, with the part of `tf.distribute.Strategy` that `Devices` uses."""

    devices: tuple[str, ...]

    @property
    def num_replicas_in_sync(self) -> int:
        """Number of copies of the model that train side by side."""
        return len(self.devices)

    def scope(self) -> AbstractContextManager:
        """Build and train models on all devices inside this scope."""
        if len(self.devices) == 1:
            return contextlib.nullcontext()
        return DataParallel(devices=list(self.devices)).scope()


def start(config: RunConfig) -> tuple[str, Replicas]:
    """Start JAX on the devices that `config` asks for.

    Returns:
        The kind of device, cpu, gpu, tpu or mirrored, and the devices.

    Raises:
        InputError: a device that was asked for is absent.
    """
    kind = config.strategy
    if kind == "cpu":
        jax.config.update("jax_platforms", "cpu")  # the GPUs' memory is left alone
    if kind == "mirrored":
        _make_cpus(config.replicas or VIRTUAL_CPUS)
    devices = _find("auto" if kind == "mirrored" else kind)
    if kind == "auto":
        kind = devices[0].platform
        if kind == "gpu" and len(devices) > 1 and config.replicas:
            kind = "mirrored"
    devices = devices[: _count(kind, devices, config.replicas)]
    names = tuple(f"{device.platform}:{device.id}" for device in devices)
    return kind, Replicas(names)


def _find(kind: str) -> list:
    """Find the devices of a kind; with auto, those of the best kind there is."""
    try:
        devices = jax.devices(None if kind == "auto" else kind)
    # JAX raises the one or the other, depending on the platform that is missing.
    except (RuntimeError, AssertionError) as error:
        reason = textwrap.shorten(f"{type(error).__name__}: {error}", 120)
        raise InputError(
            f"--strategy {kind}, but JAX has no such device ({reason}); use cpu, or "
            "install what requirements-jax.txt names for your device"
        ) from None
    if kind == "cpu" and jax.default_backend() != "cpu":
        raise InputError(
            f"--strategy cpu, but JAX uses the {jax.default_backend()} already; "
            "restart Python"
        )
    return devices


def _make_cpus(count: int) -> None:
    """Split the CPU into `count` devices, which `mirrored` uses where no GPU is.

    Only before JAX has started; afterwards it keeps the devices it has.
    """
    with contextlib.suppress(RuntimeError):
        jax.config.update("jax_num_cpu_devices", count)


def _count(kind: str, devices: list, replicas: int | None) -> int:
    """Count the devices to train on: with mirrored, by default all but of CPUs two.

    Raises:
        InputError: there are fewer devices than replicas.
    """
    if kind == "tpu":
        return len(devices)
    if kind != "mirrored":
        return 1
    platform = devices[0].platform.upper()
    count = replicas or (VIRTUAL_CPUS if platform == "CPU" else len(devices))
    if count > len(devices):
        restart = "; restart Python to have more" if platform == "CPU" else ""
        raise InputError(
            f"--replicas {count}, but JAX sees {len(devices)} {platform}s{restart}"
        )
    return count
