"""Train a network on moving digits before it sees its first video."""

import functools
from collections.abc import Callable

import lazy_loader
import numpy as np

from rnn_tf.data.order import Order
from rnn_tf.data.video import batches, moving_digits
from rnn_tf.models.optimizer import clipped_adam

keras = lazy_loader.load("keras")


@functools.cache
def digit_weights(
    network: Callable, shape: tuple[int, ...], count: int, epochs: int, batch: int
) -> list[list[np.ndarray]]:
    """Train the weights of each layer but the last, once for all seeds.

    From a seed of its own: every worker trains them, whichever seed it has first.

    Args:
        network: shape of a clip, number of classes -> a model, as `train_on_digits`
            takes it.
        shape: of a clip.
        count: clips to make; 80 % are for training.
        epochs: of training.
        batch: clips per gradient step.
    """
    keras.utils.set_random_seed(1)
    model = network(shape, len(moving_digits.CLASSES))
    train_on_digits(model, count, epochs, batch)
    return [layer.get_weights() for layer in model.layers[:-1]]


def train_on_digits(model, count: int, epochs: int, batch: int) -> None:
    """Train a network to classify the motions of digits, by Adam along a cosine.

    Args:
        model: takes clips, (batch, frames, side, side, channels) from 0 to 255, and
            gives the probability of each of `moving_digits.CLASSES`.
        count: clips to make; 80 % are for training.
        epochs: of training.
        batch: clips per gradient step.
    """
    _, frames, side, _, channels = model.input_shape
    part = moving_digits.digits(count, frames, side)["train"]
    steps = epochs * (len(part.labels) // batch)
    model.compile(clipped_adam(1e-3, steps), "sparse_categorical_crossentropy")
    colour = None if channels == 1 else lambda x, _: x.repeat(channels, axis=-1)
    order = Order(1)
    dataset = batches.dataset(part, batch, order, change=colour)
    anew = keras.callbacks.LambdaCallback(on_epoch_begin=order.begin)
    model.fit(dataset, epochs=epochs, verbose=0, shuffle=False, callbacks=[anew])
