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
import dataclasses
import functools
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_tf import tuners
from rnn_tf.cluster import Cluster, meet, of_environment, reserve
from rnn_tf.config import InputError, RunConfig, to_json
from rnn_tf.provenance import provenance

STEPS_THAT_REPAY_XLA = 600
LEARNING_RATE_RULE = (
    "unchanged: --batch-size is over all replicas, so a step is the same on any number"
)


@dataclass(frozen=True)
class Devices:
    """The devices of a run, and how models are compiled for them."""

    name: str  # cpu, gpu, mirrored or multiworker
    devices: tuple[str, ...]  # of several workers their addresses
    strategy: Any  # tf.distribute.Strategy
    cluster: Cluster | None = None  # with multiworker
    run_id: str = ""  # with multiworker: of the chief's run

    @property
    def replicas(self) -> int:
        """Copies of the model that train side by side."""
        return self.strategy.num_replicas_in_sync

    @property
    def chief(self) -> bool:
        """Whether this process writes the results; of several workers, one does."""
        return self.cluster is None or self.cluster.chief

    def scope(self) -> AbstractContextManager:
        """Build, compile and restore models inside this scope."""
        return self._watched() if self.cluster else self.strategy.scope()

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """The scope of several workers: a lost one becomes an error in one line."""
        from rnn_tf import multiworker  # imports TensorFlow, which runs by now

        lost = multiworker.watching(self.cluster, self.run_id)
        with lost, self.strategy.scope():
            yield

    def fit(self, model, train, validation_data, **options) -> None:
        """`model.fit`, on one worker or on several in step."""
        if self.cluster is None:
            model.fit(train, validation_data=validation_data, **options)
            return
        from rnn_tf import multiworker

        with multiworker.watching(self.cluster, self.run_id):
            multiworker.fit(self.strategy, model, train, validation_data, **options)

    def compile_options(self, steps: int) -> dict:
        """The fastest arguments of `model.compile` for so many gradient steps."""
        if self.replicas > 1 or self.cluster:
            return {"jit_compile": False, "steps_per_execution": 1}
        if self.name == "gpu":
            return {"jit_compile": "auto", "steps_per_execution": 32}
        jit = steps >= STEPS_THAT_REPAY_XLA
        return {"jit_compile": jit, "steps_per_execution": 32}

    def from_chief(self, data: bytes | None) -> bytes | None:
        """What the chief of several workers gives here, on all of them."""
        if self.cluster is None:
            return data
        from rnn_tf import multiworker

        with multiworker.watching(self.cluster, self.run_id):
            return multiworker.from_chief(self.strategy, data)

    def check(self, batch_size: int, steps_per_epoch: int) -> None:
        """Raise InputError unless a batch can be shared out over the replicas."""
        if steps_per_epoch < 1:
            raise InputError(
                f"a batch of {batch_size} is more than the training examples there "
                f"are; give a smaller --batch-size{self._or_fewer()}"
            )
        if batch_size % self.replicas:
            raise InputError(
                f"a batch of {batch_size} cannot be shared out evenly over "
                f"{self.replicas} replicas; give another --batch-size"
                f"{self._or_fewer()}"
            )

    def _or_fewer(self) -> str:
        """What else helps where replicas share a batch."""
        if self.replicas == 1:
            return ""
        return f", a multiple of {self.replicas}, or take fewer replicas"

    def check_data(self, sha256: str) -> None:
        """Raise InputError unless the data is that of the chief."""
        chiefs = self.from_chief(sha256.encode()).decode()
        if chiefs != sha256:
            raise InputError(
                f"the data differs from the chief's (sha256 {sha256[:12]}, there "
                f"{chiefs[:12]}); give every worker the same"
            )

    def says(self) -> str:
        """One phrase for the first line of a run."""
        if self.cluster and not self.chief:
            return f"worker {self.cluster.index} of {self.cluster.workers}"
        return f"{self.name} ({', '.join(self.devices)})"

    def facts(self) -> dict:
        """What config.json records."""
        return {
            "strategy": self.name,
            "names": list(self.devices),
            "replicas": self.replicas,
            "workers": self.cluster.workers if self.cluster else 1,
            "learning_rate_rule": LEARNING_RATE_RULE,
        }


def start(config: RunConfig, run_id: str = "") -> Devices:
    """Start TensorFlow on the devices that `config` asks for.

    Args:
        config: the run's options.
        run_id: how the run is called.

    Raises:
        InputError: a device that was asked for is absent, or TF_CONFIG is wrong.
        RunError: another worker does not come.
    """
    if config.strategy == "multiworker":
        return _multiworker(config, run_id)
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


def _multiworker(config: RunConfig, run_id: str) -> Devices:
    found = of_environment()
    if found not in _connected:
        _connected[found] = _connect(found, config)
    devices = Devices("multiworker", found.addresses, _connected[found], found)
    run_id = devices.from_chief(run_id.encode()).decode()
    return dataclasses.replace(devices, run_id=run_id)


# One per process, which may run several recipes.
_connected: dict[Cluster, Any] = {}


def _connect(found: Cluster, config: RunConfig):
    """The strategy of workers that have met and agree."""
    own = reserve(found)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # we say who is gone
    tf = import_tensorflow()
    here = provenance()
    card = {"commit": here["commit"]} | here["versions"]
    card |= {"GPUs": len(tf.config.list_physical_devices("GPU"))}
    card |= _shared_options(config)
    meet(found, own, card, config.wait)
    from rnn_tf import multiworker

    return multiworker.start(found)


def _shared_options(config: RunConfig) -> dict:
    """Those in which workers may not differ: all but places on their disks."""
    places = {f.name for f in dataclasses.fields(config) if "Path" in str(f.type)}
    own = places | {"resume", "wait"}
    found = to_json(config)
    return {f"--{k.replace('_', '-')}": v for k, v in found.items() if k not in own}


@contextlib.contextmanager
def own_folder(config: RunConfig) -> Iterator[RunConfig]:
    """`config` with the results folder of this process.

    Of several workers, one writes the results: the others have a folder that is removed
    in the end, and nothing of their own to resume.

    Raises:
        InputError: the environment does not say who the workers are.
    """
    if _writes(config):
        yield config
        return
    with tempfile.TemporaryDirectory(prefix="rnn-worker-") as folder:
        try:
            yield dataclasses.replace(config, results=Path(folder), resume=None)
        except KeyboardInterrupt:
            raise KeyboardInterrupt from None  # no word of a folder that goes


def _writes(config: RunConfig) -> bool:
    """Whether this process, of all that work for a run, writes the results."""
    found = tuners.of_environment()
    if config.strategy != "multiworker":
        return found is None or found.chief
    if found:
        raise InputError(
            f"--strategy multiworker, and {tuners.ID} is set too; processes that share "
            "out the trials of a search each fit them alone"
        )
    return of_environment().chief


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
