"""Define what the recipe asks of a data set and its three parts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Network:
    """A Keras model, and the experiment's own name for it, by which data is chosen."""

    name: str
    model: Any


@dataclass(frozen=True)
class Data:
    """What `load_data` gives: three parts that share no target."""

    sizes: Any  # what builders must know of the data, such as the number of classes
    # (split, network, order) -> tf.data.Dataset of (inputs, targets) that fit the
    # network; train is shuffled anew each epoch by its order. Test is read in step 8.
    dataset: Callable
    batch_size: int  # over all replicas
    block: int  # neighbouring examples that are not independent; 1 if all are
    facts: dict  # for config.json: source, checksum, periods, counts, and "says"
    source: Any = None  # whatever the experiment's own functions need
    # (network, order) -> the training batches as stacks, see `order.stacked`; None
    # where their shapes differ or they do not fit in memory.
    stacked: Callable | None = None
    # Validation may be cut into folds. Each holds one out and trains on all else before
    # test: fold -> its `Data`; and the seeds take turns.
    folds: int = 1
    of_fold: Callable | None = None
    # predictions of each fold's validation part, fold 0 first -> those of this one's
    join: Callable | None = None

    def fold(self, seed: int) -> int:
        """Return the fold that a seed's network holds out; seeds begin at 1."""
        return (seed - 1) % self.folds

    def seen_by(self, seed: int | str) -> "Data":
        """Return the parts as the network of a seed sees them; "" has no seed."""
        return self.of_fold(self.fold(seed)) if self.of_fold and seed else self
