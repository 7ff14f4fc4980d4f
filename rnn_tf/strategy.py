"""The only room that names devices: which ones run a model, and how it is compiled.

Measured on 2 cores of an EPYC, the forecast's models, windows of (56, 1), batch 32,
medians of 7 alternating runs: with XLA and 32 steps per execution, training is 3.5
times as fast as with Keras's defaults for GRU(32), 3.2 for LSTM(32) and 2.4 for
SimpleRNN(32); with the 32 steps alone 1.2, 1.5 and 1.2 times. XLA takes 2 to 4 s more
to compile, so it pays from some 600 steps on. An experiment can do without it: the
sketch's convolutions on five lengths took 98 s for a first epoch with XLA and 17 s
without, and the later epochs were slower too. `steps_per_execution` crashes with two or
more replicas (keras#19246, keras#20582). On a GPU, XLA would keep LSTM and GRU from
cuDNN.
"""

import contextlib
import functools
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from rnn_tf.config import InputError, RunConfig

STEPS_THAT_REPAY_XLA = 600


@dataclass(frozen=True)
class Devices:
    """The devices of a run, and how models are compiled for them."""

    name: str  # cpu, gpu or mirrored
    devices: tuple[str, ...]
    strategy: Any  # tf.distribute.Strategy

    @property
    def replicas(self) -> int:
        """Copies of the model that train side by side."""
        return self.strategy.num_replicas_in_sync

    def scope(self) -> AbstractContextManager:
        """Build, compile and restore models inside this scope."""
        return self.strategy.scope()

    def compile_options(self, steps: int) -> dict:
        """The fastest arguments of `model.compile` for so many gradient steps."""
        if self.replicas > 1:
            return {"jit_compile": False, "steps_per_execution": 1}
        if self.name == "gpu":
            return {"jit_compile": "auto", "steps_per_execution": 32}
        jit = steps >= STEPS_THAT_REPAY_XLA
        return {"jit_compile": jit, "steps_per_execution": 32}

    def from_chief(self, data: bytes | None) -> bytes | None:
        """What the chief of several workers gives here, on all of them."""
        return data

    def check(self, batch_size: int, steps_per_epoch: int) -> None:
        """Raise InputError unless a batch can be shared out over the replicas."""
        if steps_per_epoch < 1:
            raise InputError(
                f"a batch of {batch_size} is more than the training examples there "
                "are; give a smaller --batch-size"
            )
        if batch_size % self.replicas:
            raise InputError(
                f"a batch of {batch_size} cannot be shared out evenly over "
                f"{self.replicas} replicas; give another --batch-size"
            )

    def says(self) -> str:
        """One phrase for the first line of a run."""
        return f"{self.name} ({', '.join(self.devices)})"

    def facts(self) -> dict:
        """What config.json records."""
        return {
            "strategy": self.name,
            "names": list(self.devices),
            "replicas": self.replicas,
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
    return Devices(choice, (device,), tf.distribute.get_strategy())


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
    if gpus and len(gpus) < config.replicas:
        raise InputError(
            f"--replicas {config.replicas}, but TensorFlow sees {len(gpus)} GPUs"
        )
    kind = "GPU" if gpus else "CPU"
    if not gpus:
        _virtual_cpus(tf, config.replicas)
    devices = tuple(f"/{kind}:{i}" for i in range(config.replicas))
    return Devices("mirrored", devices, _mirrored_strategy(devices))


@functools.cache
def _mirrored_strategy(devices: tuple[str, ...]):
    """One per process: a second one would reuse the keys of the first one's
    collective operations, and crash."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(devices)


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
    tf.get_logger().setLevel("ERROR")  # one model after another is no retracing
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
