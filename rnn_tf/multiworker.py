"""Training on several workers, by Keras's own `fit`.

Keras 3 cannot do it as it is (keras#20585, open). Two overrides make it work, tried
with two processes on Keras 3.10 to 3.15:

1. `TensorFlowTrainer._maybe_symbolic_build` averages the first batch over all replicas
   to learn its shape. Here it looks at the first replica's.
2. `_collective_all_reduce_multi_worker` tells `reduce_per_replica` to average the
   metrics of each step along an axis that a scalar does not have. Here a step's metrics
   are those of this worker's own replicas. An epoch's are those of all workers:
   TensorFlow sums the variables that they are read from.

Both names are private. A version that was not tried is an error; where the names are
gone, `fit` is a loop of our own, on public names.

TensorFlow's way to share out a data set costs 20 ms a batch and half a second an epoch,
measured with two workers on one machine. So each worker cuts its part out of each batch
itself.
"""

import contextlib
import faulthandler
import functools
import re
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from rnn_tf.cluster import Cluster
from rnn_tf.config import InputError, RunError

TRIED = (3, 10), (3, 15)  # versions of Keras, the first and the last
CONNECTING = 60  # seconds that TensorFlow may take, once all workers have met
LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)
Policy = tf.data.experimental.AutoShardPolicy


class WorkersStrategy(tf.distribute.MultiWorkerMirroredStrategy):
    """One that cuts up each batch, in the order of the replicas.

    All replicas' parts together are then the batch of one device. A data set with the
    policy OFF is not cut up: each replica goes through all of it.
    """

    def __init__(self, cluster: Cluster):
        super().__init__()
        self.cluster = cluster

    def experimental_distribute_dataset(self, dataset, options=None):
        """What this worker's replicas see of a `tf.data.Dataset`."""
        local = self.num_replicas_in_sync // self.cluster.workers
        first = self.cluster.index * local
        policy = dataset.options().experimental_distribute.auto_shard_policy

        def part(x, replica):
            if policy == Policy.OFF:
                return x
            size = tf.shape(x)[0] // self.num_replicas_in_sync
            return x[replica * size : (replica + 1) * size]

        if local == 1:
            return dataset.map(lambda *batch: _each(batch, lambda x: part(x, first)))

        def parts(x):
            return tf.stack([part(x, first + i) for i in range(local)])

        mine = dataset.map(lambda *batch: _each(batch, parts)).unbatch()
        return self.distribute_datasets_from_function(lambda _: mine)


def _each(batch: tuple, cut):
    return tf.nest.map_structure(cut, batch)


# ---------------------------------------------------------------- start


def start(cluster: Cluster) -> WorkersStrategy:
    """Connect TensorFlow with that of the other workers, who have all met.

    Raises:
        InputError: this version of Keras was not tried.
        RunError: a worker has gone since.
    """
    overridden()
    # TensorFlow waits for a worker without end, and lets nothing else run in Python.
    faulthandler.dump_traceback_later(CONNECTING, exit=True)
    try:
        with watching(cluster, ""):
            return WorkersStrategy(cluster)
    finally:
        faulthandler.cancel_dump_traceback_later()


@functools.cache
def overridden() -> bool:
    """Make Keras's own `fit` work, once; False where the private names are gone.

    Raises:
        InputError: this version of Keras was not tried.
    """
    try:
        from keras.src.backend.tensorflow import trainer

        _ = trainer.TensorFlowTrainer._maybe_symbolic_build
        _ = trainer._collective_all_reduce_multi_worker
    except (ImportError, AttributeError):
        return False
    version = tuple(map(int, keras.__version__.split(".")[:2]))
    if not TRIED[0] <= version <= TRIED[1]:
        first, last = (".".join(map(str, v)) for v in TRIED)
        raise InputError(
            f"--strategy multiworker was tried with Keras {first} to {last}, and this "
            f"is {keras.__version__}; install one of those"
        )
    trainer.TensorFlowTrainer._maybe_symbolic_build = _symbolic_build
    trainer._collective_all_reduce_multi_worker = lambda strategy: False
    return True


def _symbolic_build(model, iterator=None, data_batch=None) -> None:
    """See 1. above."""
    strategy = model._distribute_strategy
    if strategy is None:
        return
    if iterator is not None:
        *_, batches = next(iter(iterator))
        data_batch = tf.nest.map_structure(
            lambda x: strategy.experimental_local_results(x)[0], next(batches)
        )
    with strategy.scope():
        model._symbolic_build(data_batch=data_batch)


# ---------------------------------------------------------------- training


def fit(strategy: WorkersStrategy, model, train, validation_data, **options) -> None:
    """`model.fit`, in step with the other workers.

    Each trains on its part of every batch. Each evaluates all of `validation_data`, so
    that every example counts alike, whatever the size of the last batch; the score is
    the mean over the workers, the same number on all of them.

    Args:
        strategy: in whose scope the model was compiled.
        model: compiled.
        train: `tf.data.Dataset` of batches that the replicas can share out evenly.
        validation_data: `tf.data.Dataset`.
        options: further arguments of `model.fit`.
    """
    by_hand = functools.partial(fit_by_hand, strategy, model)
    run = model.fit if overridden() else by_hand
    data = _option(train, Policy.DATA), _option(validation_data, Policy.OFF)
    run(data[0], validation_data=data[1], **options)


def _option(dataset, policy):
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = policy
    return dataset.with_options(options)


def fit_by_hand(
    strategy, model, train, validation_data, epochs, callbacks, initial_epoch=0, **_
) -> None:
    """What Keras's `fit` does, without a progress bar, on public names alone."""
    _build(strategy, model, train)
    trained = _pass(strategy, model, model.train_step, train)
    evaluated = _pass(strategy, model, model.test_step, validation_data)
    callbacks = keras.callbacks.CallbackList(callbacks, model=model, epochs=epochs)
    model.stop_training = False
    callbacks.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        callbacks.on_epoch_begin(epoch)
        logs = trained()
        logs |= {f"val_{name}": value for name, value in evaluated().items()}
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callbacks.on_train_end()


def _pass(strategy, model, step, dataset):
    """A function that goes once through `dataset` and returns the metrics."""
    batches = strategy.experimental_distribute_dataset(dataset)

    @tf.function(reduce_retracing=True)
    def run(batch):
        strategy.run(step, args=(batch,))

    def once() -> dict[str, float]:
        model.reset_metrics()
        for batch in batches:
            run(batch)
        found = model.get_metrics_result()
        return {name: float(value) for name, value in found.items()}

    return once


def _build(strategy, model, dataset) -> None:
    """Make the variables of optimizer and metrics, which a step may not make."""
    x, y, *weights = next(iter(dataset))
    with strategy.scope(), keras.StatelessScope():
        predictions = model(x, training=False)
        model.compute_loss(x, y, predictions, *weights)
        model.compute_metrics(x, y, predictions, *weights)
    with strategy.scope():
        model.optimizer.build(model.trainable_variables)


# ---------------------------------------------------------------- between workers


def from_chief(strategy: WorkersStrategy, data: bytes | None) -> bytes | None:
    """What the chief gives here, on all workers; they call it in step."""
    given = np.frombuffer(data or b"", "uint8") if strategy.cluster.chief else ()
    said = (-1 if data is None else len(data)) if strategy.cluster.chief else 0
    length = _sum(strategy, np.array([said]))[0]
    if length <= 0:  # TensorFlow crashes on a sum of nothing
        return None if length < 0 else b""
    padded = np.zeros(length + -length % 4, "uint8")  # GPUs do not sum single bytes
    padded[: len(given)] = given
    return _sum(strategy, padded.view("int32")).tobytes()[:length]


def _sum(strategy, values: np.ndarray) -> np.ndarray:
    own = tf.constant(values, tf.int32)
    return strategy.reduce(tf.distribute.ReduceOp.SUM, own, axis=None).numpy()


@contextlib.contextmanager
def watching(cluster: Cluster, run_id: str) -> Iterator[None]:
    """Turn what TensorFlow says of a worker that is gone into one line.

    Raises:
        RunError: a worker is gone, or TensorFlow failed on this one, which the others
            cannot know: it must not go on without them.
    """
    try:
        yield
    except tf.errors.OpError as error:
        said = str(error)
        if not isinstance(error, LOST) and "ollective ops" not in said:
            first = f"{type(error).__name__}: {error.message}".splitlines()[0]
            raise RunError(f"TensorFlow failed on this worker ({first})") from error
        again = f" with --resume {run_id}" if run_id else ""
        raise RunError(
            f"{_missing(cluster, said)} is gone: killed, or it does not answer; look "
            f"at its own messages, and start all workers again{again}"
        ) from error


def _missing(cluster: Cluster, said: str) -> str:
    """Who TensorFlow means."""
    if "CoordinationService/" in said:
        return cluster.name(0)
    found = re.findall(r"/job:(chief|worker)/(?:replica:0/)?task:(\d+)", said)
    places = {cluster.place(job, int(task)) for job, task in found} - {cluster.index}
    return cluster.name(places.pop()) if len(places) == 1 else "another worker"
