"""Classifiers that judge what networks draw: they name the class of each drawing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import lazy_loader
import numpy as np

from rnn_tf.data.drawings import augmentation, batches, store
from rnn_tf.data.drawings.batches import Padding
from rnn_tf.data.drawings.store import Part
from rnn_tf.data.order import Order

keras = lazy_loader.load("keras")

# Drawings, stroke-3 in a box of 255 -> the name of the likeliest class, (drawings,).
Judge = Callable[[list[np.ndarray]], np.ndarray]
BATCH = 64  # drawings per gradient step, at most
TOGETHER = 256  # drawings that are judged at once


@dataclass(frozen=True)
class Judges:
    """Those who say what is drawn."""

    first: Judge  # of training drawings
    other: Judge  # of validation drawings alone


def judge(predict: Callable, padding: Padding, classes: Sequence[str]) -> Judge:
    """Make a judge of a classifier.

    Args:
        predict: stroke-5, (drawings, steps, 5) -> probabilities, (drawings, classes).
        padding: how it wants drawings padded and scaled.
        classes: their names.
    """
    return partial(_guess, predict, padding, np.array(classes))


def _guess(predict, padding: Padding, names: np.ndarray, drawings: list) -> np.ndarray:
    part = store.pack(drawings, np.zeros(len(drawings)))
    cuts = np.arange(TOGETHER, len(drawings), TOGETHER)
    guesses = [
        np.asarray(predict(part.stroke5(which, steps, padding.scale))).argmax(axis=1)
        for which in np.split(np.arange(len(drawings)), cuts)
        for steps in [padding.steps(part.lengths[which])]
    ]
    return names[np.concatenate(guesses)]


def train(model, part: Part, classes: Sequence[str], longest: int, steps: int) -> Judge:
    """Train a classifier, which is compiled, on a part, on changed drawings.

    Args:
        model: stroke-5, (batch, steps, 5) -> probabilities, (batch, classes).
        part: the drawings.
        classes: their names.
        longest: points after which a drawing is cut.
        steps: gradient steps, rounded up to whole epochs.
    """
    padding, order = batches.padding(part, longest), Order(1)
    batch = max(8, min(BATCH, len(part.labels) // 20))
    epochs = -(-steps // batches.steps_per_epoch(part, padding, batch))
    dataset = batches.dataset(part, padding, batch, order, augmentation.augment)
    begin = keras.callbacks.LambdaCallback(on_epoch_begin=order.begin)
    model.fit(dataset, epochs=epochs, callbacks=[begin], shuffle=False, verbose=0)
    return judge(model.predict_on_batch, padding, classes)
