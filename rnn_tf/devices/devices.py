"""The devices of a run: what they are, and how models are compiled and trained there.

`rnn_tf.devices.strategy` starts them. Modules that import TensorFlow or JAX are
imported where they are needed, once `strategy.start` has started the engine.
"""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from rnn_tf.devices import compilation
from rnn_tf.devices.backend import computing_in
from rnn_tf.devices.tf_config import Cluster
from rnn_tf.errors import InputError

LEARNING_RATE_RULE = (
    "unchanged: --batch-size is over all replicas, so a step is the same on any number"
)


@dataclass(frozen=True)
class Devices:
    """The devices of a run, and how models are compiled for them."""

    name: str  # cpu, gpu, tpu, mirrored or multiworker
    devices: tuple[str, ...]  # their names; of several workers their addresses
    strategy: Any  # tf.distribute.Strategy, or jax_backend.Replicas
    cluster: Cluster | None = None  # with multiworker
    run_id: str = ""  # with multiworker: of the chief's run
    engine: str = "tensorflow"  # or jax
    precision: str = "float32"  # or bfloat16: in which layers compute while they train

    @property
    def replicas(self) -> int:
        """Number of copies of the model that train side by side."""
        return self.strategy.num_replicas_in_sync

    @property
    def chief(self) -> bool:
        """Whether this process writes the results; of several workers, one does."""
        return self.cluster is None or self.cluster.chief

    @property
    def parallel(self) -> bool:
        """Whether several replicas or workers share each batch."""
        return self.replicas > 1 or self.cluster is not None

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Build, compile, train and restore models inside this scope."""
        with (
            computing_in(self.precision),
            self._short_errors(),
            self.strategy.scope(),
        ):
            yield

    def _short_errors(self) -> AbstractContextManager:
        """Turn the loss of a worker, or a failure of a TPU, into an error of a line."""
        if self.cluster:
            from rnn_tf.devices import multiworker

            return multiworker.short_errors(self.cluster, self.run_id)
        if self.name == "tpu" and self.engine == "tensorflow":
            from rnn_tf.devices import tpu

            return tpu.short_errors()
        return contextlib.nullcontext()

    # ------------------------------------------------------------ training

    def compile(self, model, steps: int, xla: bool = True, **arguments) -> None:
        """Call `model.compile` with the fastest options for so many gradient steps.

        Args:
            model: of any layers.
            steps: that are planned.
            xla: whether XLA may compile all of the model; or its recurrence alone.
            arguments: of `model.compile`.
        """
        if self.name == "cpu":
            compilation.use_fast_kernels(model, steps, xla)
        model.compile(**arguments, **self.compile_options(steps if xla else 0))

    def compile_options(self, steps: int) -> dict:
        """Choose the fastest arguments of `model.compile` for this many steps."""
        return compilation.compile_options(self.engine, self.name, self.parallel, steps)

    def by_whole_epochs(self, model) -> bool:
        """Whether a compiled model can train on stacks of batches; see `order.stacked`.

        On TensorFlow that takes XLA, which on a GPU would do without cuDNN.
        """
        if self.parallel:
            return False
        return self.engine == "jax" or (
            self.name == "cpu" and model.jit_compile is True
        )

    def fit(
        self, model, train, validation_data, steps: int | None = None, **options
    ) -> None:
        """Call `model.fit`, on however many replicas.

        Args:
            model: compiled by `compile`.
            train: `tf.data.Dataset` of batches, or of stacks, see `order.stacked`.
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
        from rnn_tf.devices import mirrored

        with self.scope():
            mirrored.fit(self.strategy, model, train, validation_data, **options)

    def _for_validation(self, dataset):
        """Order the batches of a `tf.data.Dataset` as Keras on JAX needs them.

        It shares out every batch as it does the first one. So the last one, which may
        not divide, goes first, and all are copied to every device.
        """
        if dataset is None or self.engine != "jax" or self.replicas == 1:
            return dataset
        whole = int(dataset.cardinality()) - 1
        return dataset.skip(whole).concatenate(dataset.take(whole))

    # ------------------------------------------------------------ workers

    def from_chief(self, data: bytes | None) -> bytes | None:
        """Send the chief's `data` to all workers, who call this in step; return it."""
        if self.cluster is None:
            return data
        from rnn_tf.devices import multiworker

        with self._short_errors():
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
        """Name the other ways out where replicas share a batch, for an error."""
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

    # ------------------------------------------------------------ facts

    def describe(self) -> str:
        """Describe the devices in one phrase, for the first line of a run."""
        if self.cluster and not self.chief:
            return f"worker {self.cluster.index} of {self.cluster.workers}"
        return f"{self.name} ({', '.join(self.devices)})"

    def facts(self) -> dict:
        """Collect what config.json records."""
        return {
            "engine": self.engine,
            "strategy": self.name,
            "names": list(self.devices),
            "replicas": self.replicas,
            "workers": self.cluster.workers if self.cluster else 1,
            "learning_rate_rule": LEARNING_RATE_RULE,
        }
