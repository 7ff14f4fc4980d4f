"""The three parts of a data set, as the recipe takes them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Data:
    """What `load_data` gives: three parts that share no target."""

    shape: tuple[int, ...]  # of one input, without the batch
    # (split, model, order) -> tf.data.Dataset of (inputs, targets) that fit the model;
    # train is shuffled anew each epoch by its order. Test is read once, in step 8.
    dataset: Callable
    batch_size: int  # over all replicas
    steps_per_epoch: int  # gradient steps
    block: int  # neighbouring examples that are not independent; 1 if all are
    facts: dict  # for config.json: source, checksum, periods, counts, and "says"
    source: Any = None  # whatever the experiment's own functions need
    stacks: bool = False  # whether `dataset` minds an order's `stacked`
