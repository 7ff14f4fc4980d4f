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
    # seed -> the `Data` that its network sees, which holds out a fold of its own for
    # validation; None: all seeds see this one.
    of_seed: Callable | None = None
    # {seed: its predictions of its own validation part} -> those of this one's, each
    # example by the seeds that have not been trained on it
    join: Callable | None = None

    def seen_by(self, seed: int | str) -> "Data":
        """Return what the network of a seed sees; "" is a forecast without one."""
        return self.of_seed(seed) if self.of_seed and seed else self
