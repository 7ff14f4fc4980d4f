"""The only room that names devices: which ones run a model, and how it is compiled.

Measured on 2 CPU cores (LSTM(32) on windows of (56, 1), batch 32): XLA
(`jit_compile=True`) trains about twice as fast as Keras's own choice, which is "off" on
a CPU. `steps_per_execution` saves the way back to Python between steps, but crashes
with two or more replicas (keras#19246, keras#20582). On a GPU, XLA would keep LSTM and
GRU from their cuDNN kernels.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from rnn_tf.config import InputError, RunConfig


@dataclass(frozen=True)
class Devices:
    """The devices of a run and the compile arguments that are fastest on them."""

    name: str
    devices: tuple[str, ...]
    strategy: Any  # tf.distribute.Strategy
    compile_options: dict

    @property
    def replicas(self) -> int:
        """Copies of the model that train side by side."""
        return self.strategy.num_replicas_in_sync

    def scope(self) -> AbstractContextManager:
        """Build, compile and restore models inside this scope."""
        return self.strategy.scope()

    def says(self) -> str:
        """One phrase for the first line of a run."""
        return f"{self.name} ({', '.join(self.devices)})"

    def facts(self) -> dict:
        """What config.json records."""
        return {
            "strategy": self.name,
            "names": list(self.devices),
            "replicas": self.replicas,
            "compile_options": self.compile_options,
        }


def start(config: RunConfig) -> Devices:
    """Start TensorFlow on the devices that `config` asks for.

    Raises:
        InputError: a device that was asked for is absent.
    """
    tf = import_tensorflow()
    gpus = tf.config.list_physical_devices("GPU")
    choice = config.strategy
    if choice == "auto":
        choice = "cpu" if not gpus else "gpu" if len(gpus) == 1 else "mirrored"
    if choice == "gpu" and not gpus:
        raise InputError("--strategy gpu, but TensorFlow sees no GPU; use auto or cpu")
    if choice == "mirrored":
        return _mirrored(tf, config, gpus)
    if choice == "cpu":
        _hide_gpus(tf, gpus)
    device = "/GPU:0" if choice == "gpu" else "/CPU:0"
    # On a GPU "auto" leaves LSTM and GRU to cuDNN.
    jit = "auto" if choice == "gpu" else True
    options = {"jit_compile": jit, "steps_per_execution": 32}
    return Devices(choice, (device,), tf.distribute.get_strategy(), options)


def _hide_gpus(tf, gpus: list) -> None:
    """Keep TensorFlow off the GPUs; says so where they are in use already."""
    try:
        if gpus:
            tf.config.set_visible_devices([], "GPU")
    except RuntimeError:
        raise InputError(
            "--strategy cpu, but TensorFlow uses the GPU already; restart Python"
        ) from None


def _mirrored(tf, config: RunConfig, gpus: list) -> Devices:
    if config.batch_size % config.replicas:
        raise InputError(
            f"--batch-size {config.batch_size} does not divide by "
            f"--replicas {config.replicas}"
        )
    if gpus and len(gpus) < config.replicas:
        raise InputError(
            f"--replicas {config.replicas}, but TensorFlow sees {len(gpus)} GPUs"
        )
    kind = "GPU" if gpus else "CPU"
    if not gpus:
        _virtual_cpus(tf, config.replicas)
    devices = tuple(f"/{kind}:{i}" for i in range(config.replicas))
    strategy = tf.distribute.MirroredStrategy(devices)
    options = {"jit_compile": False, "steps_per_execution": 1}
    return Devices("mirrored", devices, strategy, options)


def _virtual_cpus(tf, count: int) -> None:
    """Split the CPU into `count` devices, to try out data parallelism without GPUs."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    parts = [tf.config.LogicalDeviceConfiguration()] * count
    try:
        tf.config.set_logical_device_configuration(cpu, parts)
    except RuntimeError:  # TensorFlow has started, with the devices it has
        if len(tf.config.list_logical_devices("CPU")) < count:
            raise InputError(
                f"TensorFlow runs already, with fewer than {count} virtual CPUs; "
                "restart Python to use --strategy mirrored"
            ) from None


def import_tensorflow():
    """TensorFlow, on Keras's TensorFlow engine, without the start-up noise."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with _muted_stderr():
        import keras

        # A lazily loaded Keras must be whole before TensorFlow, which imports Keras.
        _ = keras.backend
        import tensorflow as tf

        # Starts the device list, whose search for CUDA is part of the noise.
        tf.config.list_physical_devices()
    return tf


@contextlib.contextmanager
def _muted_stderr() -> Iterator[None]:
    """Hold back what C++ writes to stderr; show it after all if an import fails."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
