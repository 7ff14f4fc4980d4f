"""Independent examples that fit in memory, as the `Data` that the recipe asks for."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from rnn_tf.data.order import Order, shuffled, stacked, without_autotune
from rnn_tf.data.splits import SPLITS, Data


@dataclass(frozen=True)
class Examples:
    """Arrays as a model sees them, and the way back to their unit."""

    inputs: Callable  # (split, steps) -> (examples, steps, features) float32
    targets: dict[str, np.ndarray]  # split -> (examples, steps); the last one is scored
    baselines: dict[str, Callable]  # name -> predict(split), in `unit`
    unit: str = ""
    scale: float = 1.0
    passes: int = 1  # how often an epoch goes through the training examples
    names: tuple[str, ...] = field(init=False)  # of the test examples

    def __post_init__(self):
        names = tuple(map(str, range(len(self.targets["test"]))))
        object.__setattr__(self, "names", names)

    def scored(self, split: str) -> np.ndarray:
        """Return the targets of the last step: (examples,) float64 in `unit`."""
        return self.targets[split][:, -1].astype(float) * self.scale

    def dataset(
        self,
        split: str,
        model,
        batch: int,
        order: Order | None = None,
        shuffle=shuffled,
    ):
        """Return a `tf.data.Dataset` that fits the model.

        A model with an output at every step gets a target at every step, (batch, steps,
        1), any other the last one, (batch, 1). Training examples are shuffled anew each
        epoch by their order.

        Args:
            split: train, validation or test.
            model: a Keras model.
            batch: examples per batch, for training.
            order: of the training run.
            shuffle: `order.shuffled`, or `order.stacked` for stacks of batches.
        """
        import tensorflow as tf  # here, so that --help need not wait for it

        x, y = self.inputs(split, model.input_shape[1]), self.targets[split]
        y = y[..., None] if len(model.output_shape) == 3 else y[:, -1:]
        if split != "train":
            examples = tf.data.Dataset.from_tensor_slices((x, y))
            return without_autotune(examples.batch(min(len(x), 1_000)))
        x, y = tf.constant(x), tf.constant(y)

        def cut(which):
            return tf.gather(x, which), tf.gather(y, which)

        steps = len(x) * self.passes // batch
        return shuffle(len(x), batch, order, cut, steps)

    def data(self, sizes, batch: int, block: int, facts: dict) -> Data:
        """Return what `load_data` gives; see `Data`."""

        def dataset(split, network, order=None):
            return self.dataset(split, network.model, batch, order)

        def stacks(network, order):
            return self.dataset("train", network.model, batch, order, stacked)

        return Data(sizes, dataset, batch, block, facts, self, stacks)


def parts(examples: np.ndarray) -> dict[str, np.ndarray]:
    """Split in order: 80 % for training, 10 % for validation, 10 % for test."""
    ends = [round(len(examples) * share) for share in (0.8, 0.9)]
    return dict(zip(SPLITS, np.split(examples, ends), strict=True))


def facts(name: str, *arrays: np.ndarray) -> dict:
    """Give what config.json records of synthetic examples, and a sentence on them."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.tobytes())
    counts = {split: len(part) for split, part in parts(arrays[0]).items()}
    says = ", ".join(f"{count:,} {split}" for split, count in counts.items())
    return {
        "source": name,
        "sha256": digest.hexdigest(),
        "examples": counts,
        "says": f"{name}, {says}",
    }
