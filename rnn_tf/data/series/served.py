"""Windows of one series, or of many, as the recipe asks for them."""

import dataclasses

import numpy as np

from rnn_tf.data.order import shuffled, stacked
from rnn_tf.data.series import windows
from rnn_tf.data.splits import Data

STEPS = 100  # gradient steps of an epoch: a short series gets as many as a long one
MOST = 8192  # windows whose forecasts are made at once


def in_folds(cut, blocks: int, batch_size: int | None) -> Data:
    """Serve windows, also as each of so many folds of validation sees them.

    Args:
        cut: `Windows` of one series, or `ManyWindows`.
        blocks: of validation.
        batch_size: of training; by default what fits the windows.
    """
    folds = [cut.of_fold(fold) for fold in range(blocks)]
    fewest = min(len(fold.origins["train"]) for fold in folds)
    batch = batch_size or windows.batch_size(fewest)
    order = np.argsort(np.concatenate([f.origins["validation"] for f in folds]))
    folds = [_serve(fold, batch) for fold in folds]
    return dataclasses.replace(
        _serve(cut, batch),
        folds=blocks,
        of_fold=folds.__getitem__,
        join=lambda parts: np.concatenate(parts)[order],
    )


def _serve(cut, batch: int) -> Data:
    """Serve windows as one fold, or the run as a whole, sees them."""

    def dataset(split, network, order=None, shuffle=shuffled):
        size = batch if split == "train" else min(MOST, len(cut.origins[split]))
        return cut.dataset(split, network.model, size, order, shuffle, STEPS)

    return Data(
        sizes=None,  # the configuration has them all
        dataset=dataset,
        batch_size=batch,
        block=dependent(cut.horizon),
        facts=cut.facts(),
        source=cut,
        stacked=lambda network, order: dataset("train", network, order, stacked),
    )


def dependent(horizon: int) -> int:
    """Count neighbouring windows that are not independent."""
    return max(14, 2 * horizon)
