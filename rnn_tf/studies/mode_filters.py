"""Read trend, season and spikes off the filters of a small forecaster.

Each series is the sum of what was planted in it. A linear readout of each of them, at
each step, from the outputs of the filters at that step: trained, as they were before
training, and from the numbers themselves that a filter sees.
"""

from collections.abc import Callable, Iterator

import lazy_loader
import numpy as np

from rnn_tf.data import examples
from rnn_tf.data.series import synthetic
from rnn_tf.studies import mode_models, mode_tasks, restarts

keras = lazy_loader.load("keras")

READ = 1_000  # series, at most, of training and of test, that the readout takes


def rows(
    seeds: int, epochs: int, compiled: Callable, train: Callable
) -> Iterator[dict]:
    """Train a forecaster for each seed, and read off its filters what was planted.

    Args:
        seeds: of the series and the weights.
        epochs: of training.
        compiled: `modes.compiled`.
        train: `modes.train`.

    Yields:
        A row for each model and each thing planted (`slice`), without task. `value` is
        the mean squared error on test, in terms of its variance: 1 minus R².
    """
    task = mode_tasks.TASKS["planted"]
    build = task.networks["conv_before"]
    model = build()
    filters = keras.Model(model.inputs, _convolution(model).output)
    blank = compiled(model, False, True)
    count = sum(weights.size for weights in _convolution(model).get_weights())
    for seed in range(1, seeds + 1):
        restarts.restart(model, build, blank, seed)
        parts = task.data(seed)
        x = {split: parts[split][0][:READ] for split in ("train", "test")}
        outputs = {"window": {split: windows(own) for split, own in x.items()}}
        outputs["random_filters"] = _outputs(filters, x)
        train(model, parts, epochs * task.passes, False)
        outputs["trained_filters"] = _outputs(filters, x)
        for name, own in outputs.items():
            kind, size = ("baseline", "") if name == "window" else ("network", count)
            row = {"model": name, "kind": kind, "seed": seed, "parameters": size}
            yield from (row | part for part in _scores(own, _targets(seed)))
        row = {"model": "constant", "kind": "baseline", "seed": seed}
        for part, target in _targets(seed).items():
            error = float(np.mean((target["test"] - target["train"].mean()) ** 2))
            yield row | _score(part, error, target["test"])


def _convolution(model):
    (layer,) = [own for own in model.layers if isinstance(own, keras.layers.Conv1D)]
    return layer


def _outputs(filters, x: dict) -> dict:
    return {split: np.asarray(filters.predict_on_batch(x[split])) for split in x}


def windows(x: np.ndarray) -> np.ndarray:
    """Return what a causal filter sees: (series, time, 1) -> (series, time, KERNEL)."""
    width = mode_models.KERNEL
    padded = np.pad(x[..., 0], ((0, 0), (width - 1, 0)))
    return np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)


def _targets(seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Return what was planted: name -> split -> (series, time)."""
    steps = mode_tasks.PLANTED_STEPS
    series = mode_tasks.EXAMPLES, steps + mode_tasks.DAYS_AHEAD
    parts = synthetic.planted(*series, seed)
    splits = {name: examples.parts(parts[name]) for name in parts if name != "noise"}
    return {
        name: {split: own[split][:READ, :steps] for split in ("train", "test")}
        for name, own in splits.items()
    }


def _scores(outputs: dict, targets: dict) -> Iterator[dict]:
    """Fit a readout of each target on training, score it on test."""
    from sklearn.linear_model import Ridge

    flat = {split: own.reshape(-1, own.shape[-1]) for split, own in outputs.items()}
    for part, target in targets.items():
        readout = Ridge(1e-3).fit(flat["train"], target["train"].ravel())
        guesses = readout.predict(flat["test"])
        error = float(np.mean((guesses - target["test"].ravel()) ** 2))
        yield _score(part, error, target["test"])


def _score(part: str, error: float, target: np.ndarray) -> dict:
    value = error / float(target.var())
    return {"slice": part, "metric": "mse", "value": value, "n": target.size}
