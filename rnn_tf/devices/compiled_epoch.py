"""Training by whole epochs: one compiled program goes through all batches of an epoch.

Keras calls a compiled program for every batch, and on a CPU a step of an LSTM of 32
units takes less time than that call. Called by `Devices.fit` alone.
"""

import keras


def fit(model, train, steps: int, **options) -> None:
    """Call `model.fit` on stacks of batches: one for each epoch, or for parts of it.

    Args:
        model: compiled with `jit_compile`, for one device.
        train: `tf.data.Dataset` without end, of stacks: inputs and targets, each
            (n, batch, ...) or a structure of such.
        steps: batches of an epoch, a multiple of n.
        options: further arguments of `model.fit`.
    """
    n = keras.tree.flatten(train.element_spec)[0].shape[0]
    if model.train_function is None:
        build(model, keras.tree.map_structure(_zeros, train.element_spec))
        jax = keras.config.backend() == "jax"
        model.train_function = _on_jax(model) if jax else _on_tensorflow(model, n)
        model.steps_per_execution = 1  # a step of Keras's is a stack here
    model.fit(train, steps_per_epoch=steps // n, **options)


def _zeros(spec):
    """A batch of zeros, as a stack has them."""
    return keras.ops.zeros(spec.shape[1:], spec.dtype.name)


def _on_tensorflow(model, n: int):
    """Build what Keras's `make_train_function` does, for stacks of batches."""
    import tensorflow as tf

    @tf.function(jit_compile=True)
    def train(stack):
        def step(number):
            model.train_step(tf.nest.map_structure(lambda part: part[number], stack))
            return (number + 1,)

        tf.while_loop(lambda number: number < n, step, (0,))
        return model.get_metrics_result()

    @tf.function
    def next_stack(iterator):
        return train(next(iterator))

    return next_stack


def _on_jax(model):
    """Build the same for JAX, where each step takes and returns the state."""
    import jax

    def step(state, batch):
        logs, state = model.train_step(state, batch)
        return state, logs

    def train(state, stack):
        state, logs = jax.lax.scan(step, state, stack)
        return {name: values[-1] for name, values in logs.items()}, state

    train = jax.jit(train, donate_argnums=0)
    return lambda state, iterator: train(state, next(iterator))


def build(model, batch) -> None:
    """Create the variables of optimizer and metrics, which a program may not create.

    Args:
        model: compiled.
        batch: inputs, targets, and example weights if there are any.
    """
    x, y, *weights = batch
    with keras.StatelessScope():
        predictions = model(x, training=False)
        model.compute_loss(x, y, predictions, *weights)
        model.compute_metrics(x, y, predictions, *weights)
    model.optimizer.build(model.trainable_variables)
