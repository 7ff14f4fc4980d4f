"""Start the devices that a run asks for; `--strategy` says which.

No other room names a device. Modules that import TensorFlow or JAX are imported where
they are needed, after `backend.import_tensorflow` has started the engine quietly.
"""

import contextlib
import dataclasses
import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnn_tf.config import RunConfig
from rnn_tf.devices import backend, meeting, tf_config, tuner_processes, workers
from rnn_tf.devices.devices import Devices
from rnn_tf.devices.tf_config import Cluster
from rnn_tf.errors import InputError


def start(config: RunConfig, run_id: str = "", trains: bool = True) -> Devices:
    """Start Keras's engine on the devices that `config` asks for.

    The engine is TensorFlow, or what the environment has in KERAS_BACKEND.

    Args:
        config: the run's options.
        run_id: the name of the run's folder.
        trains: whether this process does; else its workers do, and it leaves the GPUs
            to them.

    Raises:
        InputError: the engine or a device that was asked for is absent, or TF_CONFIG is
            wrong.
        RunError: another worker does not come.
    """
    if backend.requested() == "jax":
        devices = _start_jax(config, trains)
    elif config.strategy == "multiworker":
        devices = _start_multiworker(config, run_id)
    else:
        devices = _start_one_machine(config, trains)
    return dataclasses.replace(devices, precision=config.precision)


# ---------------------------------------------------------------- one machine


def _start_jax(config: RunConfig, trains: bool) -> Devices:
    tf = backend.import_tensorflow()  # before JAX has the GPUs
    backend.use_one_thread(tf)
    from rnn_tf.devices import jax_backend

    gpus = () if trains else tuple(f"gpu:{name}" for name in workers.gpus())
    if gpus:
        config = dataclasses.replace(config, strategy="cpu")
    name, replicas = jax_backend.start(config)
    if gpus:
        return Devices("gpu", gpus, replicas, engine="jax")
    return Devices(name, replicas.devices, replicas, engine="jax")


def _start_one_machine(config: RunConfig, trains: bool) -> Devices:
    tf = backend.import_tensorflow()
    gpus = tf.config.list_physical_devices("GPU")
    kind = config.strategy
    if kind == "auto":
        several = config.replicas and len(gpus) > 1
        kind = "mirrored" if several else "gpu" if gpus else "cpu"
    if kind == "gpu" and not gpus:
        raise InputError("--strategy gpu, but TensorFlow sees no GPU; use auto or cpu")
    if kind == "mirrored":
        return _start_mirrored(tf, config.replicas, gpus)
    if kind == "tpu":
        from rnn_tf.devices import tpu

        return Devices("tpu", *tpu.start())
    if kind == "cpu" or not trains:
        backend.hide_gpus(tf, gpus)
    if kind == "cpu":
        backend.use_one_thread(tf)
        names = ("/CPU:0",)
    else:
        names = tuple(f"/GPU:{i}" for i in range(1 if trains else len(gpus)))
    return Devices(kind, names, tf.distribute.get_strategy())


def _start_mirrored(tf, replicas: int | None, gpus: list) -> Devices:
    """Start all GPUs, or `replicas` of them; or virtual CPUs where there is no GPU."""
    count = replicas or len(gpus) or backend.VIRTUAL_CPUS
    if gpus and len(gpus) < count:
        raise InputError(f"--replicas {count}, but TensorFlow sees {len(gpus)} GPUs")
    kind = "GPU" if gpus else "CPU"
    if not gpus:
        _make_virtual_cpus(tf, count)
    devices = tuple(f"/{kind}:{i}" for i in range(count))
    return Devices("mirrored", devices, _mirrored_strategy(devices))


@functools.cache
def _mirrored_strategy(devices: tuple[str, ...]):
    """Create the strategy of these devices, one per process.

    A second one would reuse the keys of the first one's collective operations, and
    crash.
    """
    from rnn_tf.devices.mirrored import MirroredStrategy

    return MirroredStrategy(devices)


def _make_virtual_cpus(tf, count: int) -> None:
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


# ---------------------------------------------------------------- several workers


def _start_multiworker(config: RunConfig, run_id: str) -> Devices:
    cluster = tf_config.from_environment()
    if cluster not in _connected:
        _connected[cluster] = _connect(cluster, config)
    strategy = _connected[cluster]
    devices = Devices("multiworker", cluster.addresses, strategy, cluster)
    run_id = devices.from_chief(run_id.encode()).decode()
    return dataclasses.replace(devices, run_id=run_id)


# Cluster -> strategy; one per process, which may run several recipes.
_connected: dict[Cluster, Any] = {}


def _connect(cluster: Cluster, config: RunConfig):
    """Create the strategy of workers that have met and agree."""
    server = meeting.reserve(cluster)
    tf = backend.import_tensorflow()
    gpus = len(tf.config.list_physical_devices("GPU"))
    meeting.meet(cluster, server, meeting.shared_settings(config, gpus), config.wait)
    from rnn_tf.devices import multiworker

    return multiworker.start(cluster)


# ---------------------------------------------------------------- results folder


@contextlib.contextmanager
def own_folder(config: RunConfig) -> Iterator[RunConfig]:
    """Give `config` the results folder of this process.

    Of several workers, one writes the results: the others have a folder that is removed
    in the end, and nothing of their own to resume.

    Raises:
        InputError: the environment does not say who the workers are.
    """
    if _writes_results(config):
        yield config
        return
    with tempfile.TemporaryDirectory(prefix="rnn-worker-") as folder:
        try:
            yield dataclasses.replace(config, results=Path(folder), resume=None)
        except KeyboardInterrupt:
            # Without its message, which names a folder that is about to be removed.
            raise KeyboardInterrupt from None


def _writes_results(config: RunConfig) -> bool:
    """Whether this process, of all that work for a run, writes the results."""
    tuners = tuner_processes.from_environment()
    if config.strategy != "multiworker":
        return tuners is None or tuners.chief
    if backend.requested() == "jax":
        raise InputError(
            "--strategy multiworker is TensorFlow's; with KERAS_BACKEND=jax, take "
            "auto, cpu, gpu, tpu or mirrored"
        )
    if tuners:
        raise InputError(
            f"--strategy multiworker, and {tuner_processes.ID} is set too; processes "
            "that share out the trials of a search each fit them alone"
        )
    return tf_config.from_environment().chief
