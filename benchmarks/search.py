"""Search 20 trials for the forecast's GRU, each of up to 25 epochs.

Space, data, number of initial points and seed are the same. Ours begins with the
defaults, ends trials that are clearly losing, and trains by whole epochs.
"""

import tempfile
import time
from types import SimpleNamespace

from benchmarks.contest import Contender, Work
from benchmarks.forecast import BATCH, HORIZON, arrays, cut_windows
from experiments import forecast
from rnn_tf.data.order import stacked
from rnn_tf.data.splits import Data
from rnn_tf.devices import strategy
from rnn_tf.recipe import training
from rnn_tf.recipe.experiment import Context, no_callbacks

MODEL, TRIALS, EPOCHS = "gru", 20, 25
LOOKBACK = 28  # days, for which a search has time


def _config() -> forecast.Config:
    sizes = {"lookback": LOOKBACK, "horizon": HORIZON, "models": (MODEL,)}
    tries = {"trials": TRIALS, "trial_epochs": EPOCHS, "patience": EPOCHS}
    return forecast.Config(**sizes, **tries)


def plain():
    """Search as keras-tuner's tutorials do."""
    import keras_tuner

    cut = cut_windows(LOOKBACK)
    (x, y), validation = arrays(cut, "train"), arrays(cut, "validation")
    config, steps = _config(), EPOCHS * len(x) // BATCH

    def build(hp):
        model = forecast.MODELS[MODEL](hp, config, None)
        model.compile(**forecast.compile_arguments(hp, config, steps))
        return model

    def run_round() -> tuple[float, float]:
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            tuner = keras_tuner.BayesianOptimization(
                build,
                keras_tuner.Objective("val_score", "min"),
                max_trials=TRIALS,
                num_initial_points=TRIALS // 2,
                seed=1,
                directory=folder,
            )
            options = {"epochs": EPOCHS, "batch_size": BATCH, "verbose": 0}
            tuner.search(x, y, validation_data=validation, **options)
            (best,) = tuner.oracle.get_best_trials(1)
        return _trials_a_minute(started), best.score

    return run_round


def ours():
    """Search as a run does: step 6 of the recipe."""
    config, cut = _config(), cut_windows(LOOKBACK)
    devices = strategy.start(config)

    def dataset(split, network, order=None):
        size = BATCH if order else len(cut.origins[split])
        return cut.dataset(split, network.model, size, order)

    def stacks(network, order):
        return cut.dataset("train", network.model, BATCH, order, stacked)

    data = Data(None, dataset, BATCH, 1, {}, cut, stacks)
    experiment = SimpleNamespace(
        models=forecast.MODELS,
        compile_arguments=forecast.compile_arguments,
        callbacks=no_callbacks,
        xla_from=lambda name: 0,
    )
    context = Context(experiment, config, devices, data)

    def run_round() -> tuple[float, float]:
        started = time.perf_counter()
        _, trials = training.search_model(context, MODEL, [], _nothing)
        best = min(row["score"] for row, _ in trials)
        return _trials_a_minute(started), best

    return run_round


def _nothing(*_) -> None: ...


def _trials_a_minute(started: float) -> float:
    return 60 * TRIALS / (time.perf_counter() - started)


WORKS = (
    Work(
        f"search of {TRIALS} trials, GRU, up to {EPOCHS} epochs each",
        "trials/minute",
        (Contender("keras-tuner as it is", plain), Contender("ours", ours)),
        rounds=1,
        warm_up=False,
    ),
)
