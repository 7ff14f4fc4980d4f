"""Training on several replicas, by Keras's own `fit`.

Keras 3 cannot train on several workers (keras#20585, open). Two overrides make it work,
tried with two processes on Keras 3.10 to 3.15:

1. `TensorFlowTrainer._maybe_symbolic_build` averages the first batch over all replicas
   to learn its shape. Here it looks at the first replica's.
2. `_collective_all_reduce_multi_worker` tells `reduce_per_replica` to average the
   metrics of each step along an axis that a scalar does not have. Here a step's metrics
   are those of this worker's own replicas. An epoch's are those of all workers:
   TensorFlow sums the variables that they are read from.

Both names are private. A version that was not tried is an error; where the names are
gone, training is a loop of this module, on public names.

TensorFlow's way to share out a data set costs 20 ms a batch and half a second an epoch,
measured with two workers on one machine, and it makes parts of different sizes, on
which Keras fails. So each process cuts its part out of each batch itself.
"""

import functools

import keras
import tensorflow as tf

from rnn_tf.devices.compiled_epoch import build
from rnn_tf.errors import InputError

TRIED = (3, 10), (3, 15)  # versions of Keras, the first and the last
Policy = tf.data.experimental.AutoShardPolicy


class MirroredStrategy(tf.distribute.MirroredStrategy):
    """The replicas of one machine, with batches cut up by `share`."""

    def experimental_distribute_dataset(self, dataset, options=None):
        """Share out the batches of a `tf.data.Dataset` over the replicas."""
        return share(self, dataset, 0, self.num_replicas_in_sync)


def share(strategy, dataset, first: int, local: int):
    """Cut out what the replicas of this process train on, of a `tf.data.Dataset`.

    Batches are cut up in the order of the replicas, so that all parts together are the
    batch of one device. A data set with the policy OFF is not cut up: each replica goes
    through all of it.

    Args:
        strategy: of all replicas.
        dataset: of batches, tuples of tensors.
        first: the place among all replicas of the first one of this process.
        local: how many there are in this process.
    """
    whole = dataset.options().experimental_distribute.auto_shard_policy == Policy.OFF

    def part(x, replica):
        count, replicas = tf.shape(x)[0], strategy.num_replicas_in_sync
        begin, end = (count * n // replicas for n in (replica, replica + 1))
        return x if whole else x[begin:end]

    def local_parts(x):
        parts = [part(x, first + number) for number in range(local)]
        return parts[0] if local == 1 else tf.stack(parts)

    own = dataset.map(lambda *batch: tf.nest.map_structure(local_parts, batch))
    if local == 1:
        return own
    return strategy.distribute_datasets_from_function(lambda _: own.unbatch())


# ---------------------------------------------------------------- overrides


@functools.cache
def override_keras() -> bool:
    """Make Keras's own `fit` work, once; return False where the names are gone.

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
            f"several replicas were tried with Keras {first} to {last}, and this is "
            f"{keras.__version__}; install one of those, or take one device"
        )
    trainer.TensorFlowTrainer._maybe_symbolic_build = _symbolic_build
    trainer._collective_all_reduce_multi_worker = lambda strategy: False
    return True


def _symbolic_build(model, iterator=None, data_batch=None) -> None:
    """Learn the shape of a batch from the first replica: override 1 above."""
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


def fit(strategy, model, train, validation_data, **options) -> None:
    """Train like `model.fit`, on several replicas: each on its part of every batch.

    Each evaluates all of `validation_data`, so that every example counts alike in
    batches of any size. The score is their mean, the same number on all workers.

    Args:
        strategy: in whose scope the model was compiled.
        model: compiled.
        train: `tf.data.Dataset` of batches that the replicas can share out evenly.
        validation_data: `tf.data.Dataset`, or None.
        options: further arguments of `model.fit`.
    """
    by_hand = functools.partial(fit_by_hand, strategy, model)
    run = model.fit if override_keras() else by_hand
    train = _with_policy(train, Policy.DATA)
    validation_data = _with_policy(validation_data, Policy.OFF)
    run(train, validation_data=validation_data, **options)


def _with_policy(dataset, policy):
    """Tell `share` whether to cut up the batches: DATA for yes, OFF for no."""
    if dataset is None:
        return None
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = policy
    return dataset.with_options(options)


def fit_by_hand(
    strategy, model, train, validation_data, epochs, callbacks, initial_epoch=0, **_
) -> None:
    """Train as Keras's `fit` does, without a progress bar, on public names alone."""
    with strategy.scope():
        build(model, next(iter(train)))
    train_epoch = _pass(strategy, model, model.train_step, train)
    evaluate = dict  # no metrics
    if validation_data is not None:
        evaluate = _pass(strategy, model, model.test_step, validation_data)
    callbacks = keras.callbacks.CallbackList(callbacks, model=model, epochs=epochs)
    model.stop_training = False
    callbacks.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        callbacks.on_epoch_begin(epoch)
        logs = train_epoch()
        logs |= {f"val_{name}": value for name, value in evaluate().items()}
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callbacks.on_train_end()


def _pass(strategy, model, step, dataset):
    """Return a function that goes once through `dataset` and returns the metrics."""
    batches = strategy.experimental_distribute_dataset(dataset)

    @tf.function(reduce_retracing=True)
    def run(batch):
        strategy.run(step, args=(batch,))

    def once() -> dict[str, float]:
        model.reset_metrics()
        for batch in batches:
            run(batch)
        metrics = model.get_metrics_result()
        return {name: float(value) for name, value in metrics.items()}

    return once
