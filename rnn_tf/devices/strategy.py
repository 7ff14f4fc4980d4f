"""The only room that names devices: which ones run a model, and how it is compiled.

Measured on 2 cores of an EPYC, the forecast's models, windows of (56, 1), batch 32, by
`make bench` (see results/bench.md): with XLA, whole epochs and gradients by hand,
training is 5 to 6 times as fast as with Keras's defaults for LSTM(32) and GRU(32). XLA
takes half a second more to compile, so it pays from some 120 steps on; 300 are surely
enough. An experiment can do without it: the sketch's convolutions on five lengths took
98 s for a first epoch with XLA and 17 s without, and the later epochs were slower too,
for the random numbers of its dropout. `steps_per_execution` crashes with two or more
replicas (keras#19246, keras#20582). On a GPU, XLA would keep LSTM and GRU from cuDNN.
"""

import contextlib
import dataclasses
import functools
import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_tf.config import RunConfig, to_json
from rnn_tf.devices import backend, rnn_kernels, tuner_processes
from rnn_tf.devices.backend import computing_in, hide_gpus, import_tensorflow, requested
from rnn_tf.devices.tf_config import Cluster, from_environment, meet, reserve
from rnn_tf.errors import InputError
from rnn_tf.runs.provenance import provenance

STEPS_THAT_REPAY_XLA = 300
# Of the recurrence alone, in batches of several lengths: each compiles anew.
STEPS_THAT_REPAY_LENGTHS = 3_000
LEARNING_RATE_RULE = (
    "unchanged: --batch-size is over all replicas, so a step is the same on any number"
)


@dataclass(frozen=True)
class Devices:
    """The devices of a run, and how models are compiled for them."""

    name: str  # cpu, gpu, tpu, mirrored or multiworker
    devices: tuple[str, ...]  # of several workers their addresses
    strategy: Any  # tf.distribute.Strategy, or what answers for it on JAX
    cluster: Cluster | None = None  # with multiworker
    run_id: str = ""  # with multiworker: of the chief's run
    engine: str = "tensorflow"  # or jax
    precision: str = "float32"  # or bfloat16: in which layers compute while they train

    @property
    def replicas(self) -> int:
        """Copies of the model that train side by side."""
        return self.strategy.num_replicas_in_sync

    @property
    def chief(self) -> bool:
        """Whether this process writes the results; of several workers, one does."""
        return self.cluster is None or self.cluster.chief

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Build, compile, train and restore models inside this scope."""
        with computing_in(self.precision), self._watched(), self.strategy.scope():
            yield

    def _watched(self) -> AbstractContextManager:
        """A worker that is lost, or a TPU that fails, is an error in one line."""
        if self.cluster:
            from rnn_tf.devices import multiworker

            return multiworker.watching(self.cluster, self.run_id)
        if self.name == "tpu" and self.engine == "tensorflow":
            from rnn_tf.devices import tpu

            return tpu.watching()
        return contextlib.nullcontext()

    def compile(self, model, steps: int, xla: bool = True, **arguments) -> None:
        """`model.compile`, the fastest for so many gradient steps.

        Args:
            model: of any layers.
            steps: that are planned.
            xla: whether XLA may compile all of the model; or its recurrence alone.
            arguments: of `model.compile`.
        """
        if self.name == "cpu":
            alone = not xla and steps >= STEPS_THAT_REPAY_LENGTHS
            rnn_kernels.use_fast_kernels(model, compiled=alone)
        model.compile(**arguments, **self.compile_options(steps if xla else 0))

    def by_whole_epochs(self, model) -> bool:
        """Whether a compiled model can train on stacks of batches; see `Order`.

        On TensorFlow that takes XLA, which on a GPU would do without cuDNN.
        """
        if self.replicas > 1 or self.cluster:
            return False
        return self.engine == "jax" or (
            self.name == "cpu" and model.jit_compile is True
        )

    def fit(
        self, model, train, validation_data, steps: int | None = None, **options
    ) -> None:
        """`model.fit`, on however many replicas.

        Args:
            model: compiled by `compile`.
            train: `tf.data.Dataset` of batches, or of stacks of them: see `Order`.
            validation_data: `tf.data.Dataset`, or None.
            steps: with stacks, the batches of an epoch.
            options: further arguments of `model.fit`.
        """
        if self.engine == "jax" or self.name not in ("mirrored", "multiworker"):
            with self.scope():
                options["validation_data"] = self._for_validation(validation_data)
                if steps is None:
                    model.fit(train, **options)
                    return
                from rnn_tf.devices import compiled_epoch

                compiled_epoch.fit(model, train, steps, **options)
            return
        from rnn_tf.devices import mirrored  # imports TensorFlow, which runs by now

        with self.scope():
            mirrored.fit(self.strategy, model, train, validation_data, **options)

    def _for_validation(self, dataset):
        """The batches of a `tf.data.Dataset` in an order that the engine can take.

        Keras on JAX shares out every batch as it does the first one. So the last one,
        which may not divide, goes first, and all are copied to every device.
        """
        if dataset is None or self.engine != "jax" or self.replicas == 1:
            return dataset
        whole = int(dataset.cardinality()) - 1
        return dataset.skip(whole).concatenate(dataset.take(whole))

    def compile_options(self, steps: int) -> dict:
        """The fastest arguments of `model.compile` for so many gradient steps."""
        if self.engine == "jax":
            return {"jit_compile": True, "steps_per_execution": 32}
        if self.name == "tpu":
            return {"steps_per_execution": 1 if self.replicas > 1 else 32}
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
        from rnn_tf.devices import multiworker

        with self._watched():
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

    def describe(self) -> str:
        """One phrase for the first line of a run."""
        if self.cluster and not self.chief:
            return f"worker {self.cluster.index} of {self.cluster.workers}"
        return f"{self.name} ({', '.join(self.devices)})"

    def facts(self) -> dict:
        """What config.json records."""
        return {
            "engine": self.engine,
            "strategy": self.name,
            "names": list(self.devices),
            "replicas": self.replicas,
            "workers": self.cluster.workers if self.cluster else 1,
            "learning_rate_rule": LEARNING_RATE_RULE,
        }


def start(config: RunConfig, run_id: str = "") -> Devices:
    """Start Keras's engine on the devices that `config` asks for.

    The engine is TensorFlow, or what the environment has in KERAS_BACKEND.

    Args:
        config: the run's options.
        run_id: how the run is called.

    Raises:
        InputError: the engine or a device that was asked for is absent, or TF_CONFIG is
            wrong.
        RunError: another worker does not come.
    """
    if requested() == "jax":
        found = _on_jax(config)
    elif config.strategy == "multiworker":
        found = _multiworker(config, run_id)
    else:
        found = _on_one_machine(config)
    return dataclasses.replace(found, precision=config.precision)


def _on_jax(config: RunConfig) -> Devices:
    import_tensorflow()  # before JAX has the GPUs
    from rnn_tf.devices import jax_backend

    name, replicas = jax_backend.start(config)
    return Devices(name, replicas.devices, replicas, engine="jax")


def _on_one_machine(config: RunConfig) -> Devices:
    tf = import_tensorflow()
    gpus = tf.config.list_physical_devices("GPU")
    choice = config.strategy
    if choice == "auto":
        choice = "cpu" if not gpus else "gpu" if len(gpus) == 1 else "mirrored"
    if choice == "gpu" and not gpus:
        raise InputError("--strategy gpu, but TensorFlow sees no GPU; use auto or cpu")
    if choice == "mirrored":
        return _mirrored(tf, config, gpus)
    if choice == "tpu":
        from rnn_tf.devices import tpu

        return Devices("tpu", *tpu.start())
    if choice == "cpu":
        hide_gpus(tf, gpus)
    device = "/GPU:0" if choice == "gpu" else "/CPU:0"
    return Devices(choice, (device,), tf.distribute.get_strategy())


def _mirrored(tf, config: RunConfig, gpus: list) -> Devices:
    count = config.replicas or len(gpus) or backend.VIRTUAL_CPUS
    if gpus and len(gpus) < count:
        raise InputError(f"--replicas {count}, but TensorFlow sees {len(gpus)} GPUs")
    kind = "GPU" if gpus else "CPU"
    if not gpus:
        _virtual_cpus(tf, count)
    devices = tuple(f"/{kind}:{i}" for i in range(count))
    return Devices("mirrored", devices, _mirrored_strategy(devices))


@functools.cache
def _mirrored_strategy(devices: tuple[str, ...]):
    """One per process: a second one would reuse the keys of the first one's
    collective operations, and crash."""
    from rnn_tf.devices.mirrored import MirroredStrategy

    return MirroredStrategy(devices)


def _multiworker(config: RunConfig, run_id: str) -> Devices:
    found = from_environment()
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
    from rnn_tf.devices import multiworker

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
    found = tuner_processes.from_environment()
    if config.strategy != "multiworker":
        return found is None or found.chief
    if requested() == "jax":
        raise InputError(
            "--strategy multiworker is TensorFlow's; with KERAS_BACKEND=jax, take "
            "auto, cpu, gpu, tpu or mirrored"
        )
    if found:
        raise InputError(
            f"--strategy multiworker, and {tuner_processes.ID} is set too; processes "
            "that share out the trials of a search each fit them alone"
        )
    return from_environment().chief


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
