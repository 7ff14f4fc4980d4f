"""Tell how digits move, by Conv3D layers and what follows: flattened, or pooled."""

from collections.abc import Callable, Iterator

import lazy_loader
import numpy as np

from rnn_tf.data.video import moving_digits
from rnn_tf.studies import restarts

keras = lazy_loader.load("keras")

CLIPS, FRAMES, SIDE = 2_000, 6, 16
HIDDEN, PASSES = 32, 2  # units; epochs of training for each one of the run
CLASSES = len(moving_digits.CLASSES)


def rows(
    seeds: int, epochs: int, compiled: Callable, train: Callable
) -> Iterator[dict]:
    """Train both networks on clips; yield rows without task, `value` in % of wrong.

    Args:
        seeds: of the clips, the weights and the order of training.
        epochs: of training.
        compiled: `modes.compiled`.
        train: `modes.train`.
    """
    for seed in range(1, seeds + 1):
        _, y = _parts(seed)["test"]
        row = {"model": "constant", "kind": "baseline", "seed": seed}
        yield row | _score(y, np.zeros(len(y)))  # the classes take turns
    for name, build in NETWORKS.items():
        model = build()
        blank = compiled(model, True, False)
        for seed in range(1, seeds + 1):
            parts = _parts(seed)
            restarts.restart(model, build, blank, seed)
            train(model, parts, epochs * PASSES, True)
            x, y = parts["test"]
            guesses = np.asarray(model.predict_on_batch(x)).argmax(axis=-1)
            row = {"model": name, "kind": "network", "seed": seed}
            yield row | {"parameters": model.count_params()} | _score(y, guesses)


def _parts(seed: int) -> dict:
    """Draw clips: split -> (clips, frames, side, side, 1), 0 to 1, and labels."""
    digits = moving_digits.digits(CLIPS, FRAMES, SIDE, seed)
    return {
        split: (own.clips(np.arange(len(own.labels))) / np.float32(255), own.labels)
        for split, own in digits.items()
    }


def _score(y: np.ndarray, guesses: np.ndarray) -> dict:
    value = float(100 * (guesses != y).mean())
    return {"metric": "error", "value": value, "n": len(y)}


def flattened():
    """Build Conv3D layers, flatten, dense layers: clips -> logits of the classes."""
    return _network(keras.layers.Flatten())


def pooled():
    """Build the same with the mean over time and place instead of all of them."""
    return _network(keras.layers.GlobalAveragePooling3D())


def _network(joint):
    inputs = x = keras.Input((FRAMES, SIDE, SIDE, 1))
    for filters in (8, 16):
        x = keras.layers.Conv3D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling3D((1, 2, 2))(x)
    x = keras.layers.Dense(HIDDEN, activation="relu")(joint(x))
    return keras.Model(inputs, keras.layers.Dense(CLASSES)(x))


NETWORKS = {"clips_flattened": flattened, "clips_pooled": pooled}
