"""Call networks on sequences of other lengths: are more than half of the signs 1?

A feed-forward network takes all steps side by side, padded or not, or their mean; a
recurrent one takes them one by one. Each is called with the sequences as long as they
are, so that a network which cannot take them fails.
"""

from collections.abc import Callable, Iterator

import lazy_loader
import numpy as np

from rnn_tf.data.series import motifs
from rnn_tf.studies import mode_models as models
from rnn_tf.studies import restarts

keras = lazy_loader.load("keras")

LENGTHS = 5, 11, 25, 51, 99
LONGEST, OWN = LENGTHS[-1], 25  # the length that the flattened network is made for
TRAINED, HELD_OUT = 3_000, 500  # sequences

NETWORKS = {
    "flattened": models.builder(models.flattened, outputs=2, shape=(OWN, 1)),
    "padded": models.builder(models.flattened, outputs=2, shape=(LONGEST, 1)),
    "pooled": models.builder(models.bag, outputs=2, shape=(None, 1), masked=True),
    "gru": models.builder(models.gru, outputs=2, shape=(None, 1), masked=True),
}


def rows(
    seeds: int, epochs: int, compiled: Callable, train: Callable
) -> Iterator[dict]:
    """Train each network on all lengths that it takes, and call it on each length.

    Args:
        seeds: of the sequences and the weights.
        epochs: of training.
        compiled: `modes.compiled`.
        train: `modes.train`.

    Yields:
        A row for each network and length, without task. `value` is the share of wrong
        labels in %; "" where the network fails.
    """
    for name, build in NETWORKS.items():
        model = build()
        # XLA is for loops over time; the other networks have none.
        blank = compiled(model, True, name == "gru")
        for seed in range(1, seeds + 1):
            restarts.restart(model, build, blank, seed)
            if name == "gru":
                yield from _scores("gru_untrained", model, seed)
            train(model, _parts(name, seed), epochs, True)
            yield from _scores(name, model, seed)
    for seed in range(1, seeds + 1):
        yield from _chance(seed)


def _parts(name: str, seed: int) -> dict:
    """Make sequences to train on, of all lengths; of one for the flattened network."""
    lengths, width = (LENGTHS, LONGEST) if name != "flattened" else ((OWN,), OWN)
    random = np.random.default_rng(seed)
    counts = {"train": TRAINED, "validation": HELD_OUT}
    return {s: motifs.majority(n, lengths, width, random) for s, n in counts.items()}


def _test(length: int, seed: int) -> motifs.Examples:
    """Make sequences of one length, which training has not seen."""
    random = np.random.default_rng([seed, length])
    return motifs.majority(HELD_OUT, (length,), length, random)


def _chance(seed: int) -> Iterator[dict]:
    """Score one guess for all sequences of a length."""
    for length in LENGTHS:
        _, y = _test(length, seed)
        value = float(100 * min(y.mean(), 1 - y.mean()))
        row = {"model": "constant", "kind": "baseline", "seed": seed, "value": value}
        yield row | {"slice": str(length), "metric": "error", "n": len(y)}


def _scores(name: str, model, seed: int) -> Iterator[dict]:
    """Score a network on each length."""
    row = {"model": name, "kind": "network", "seed": seed, "metric": "error"}
    row |= {"parameters": model.count_params()}
    for length in LENGTHS:
        x, y = _test(length, seed)
        outputs = call(model, pad(x) if name == "padded" else x)
        value = ""
        if outputs is not None:
            value = float(100 * (outputs.argmax(axis=-1) != y).mean())
        yield row | {"slice": str(length), "value": value, "n": len(y)}


def pad(x: np.ndarray) -> np.ndarray:
    """Add zeros at the end: (batch, time, 1) -> (batch, LONGEST, 1)."""
    return np.pad(x, ((0, 0), (0, LONGEST - x.shape[1]), (0, 0)))


def call(model, x: np.ndarray) -> np.ndarray | None:
    """Call a network; return its outputs, or None if it does not take the shape."""
    try:
        model(keras.KerasTensor(x.shape))  # the shape alone, on any engine
    except ValueError:
        return None
    return np.asarray(model.predict_on_batch(x))
