"""Fitting: the best epoch is kept, seeds are what they say, failures are rows."""

import dataclasses

import keras
import numpy as np
import pytest

from experiments import forecast
from rnn_tf.data.series import periods, windows
from rnn_tf.data.splits import Data
from rnn_tf.devices import strategy
from rnn_tf.devices.devices import Devices
from rnn_tf.models.optimizer import clipped_adam
from rnn_tf.recipe import fit, training
from rnn_tf.recipe.experiment import Context, Experiment
from tests.conftest import make_series


def silent(*facts):
    """Tell nobody; see `training.Tell`."""


@pytest.fixture
def context():
    """The context of a run of the forecast's MLP on a short noisy series."""
    random = np.random.default_rng(1)
    week = np.tile([5.0, 6, 6, 6, 5, 3, 2], 40)
    made = make_series(week + random.normal(0, 0.3, size=280))
    config = forecast.Config(lookback=14, epochs=6, seeds=2, trials=2, trial_epochs=2)
    cut = windows.Windows(made, periods.by_share(280), 14, 7)

    def dataset(split, network, order=None):
        return cut.dataset(split, network.model, 16 if order else 500, order)

    experiment = Experiment(
        "forecast", "mae", {"mlp": forecast.mlp}, (), None, None,
        forecast.compile_arguments, forecast.predict, forecast.evaluate, None, None,
    )  # fmt: skip
    data = Data(None, dataset, 16, 14, {}, cut)
    return Context(experiment, config, strategy.start(config), data)


def defaults():
    import keras_tuner

    return keras_tuner.HyperParameters()


def test_the_weights_left_are_those_of_the_best_epoch(context):
    keras.utils.set_random_seed(1)
    network = fit.build(context, "mlp", defaults(), 6)
    fitted = fit.fit(context, network, 1, 6, lambda epochs, best: False)
    left = network.model.evaluate(
        context.data.dataset("validation", network), return_dict=True, verbose=0
    )
    assert left["score"] == pytest.approx(fitted.score, rel=1e-5)
    assert fitted.score == min(row["score"] for row in fitted.history)
    assert [row["epoch"] for row in fitted.history] == list(range(1, 7))


def test_the_hook_stops_the_training(context):
    network = fit.build(context, "mlp", defaults(), 6)
    fitted = fit.fit(context, network, 1, 6, lambda epochs, best: epochs == 3)
    assert len(fitted.history) == 3


def test_a_reset_model_trains_as_a_fresh_one_does(context):
    """Would catch momentum, or a learning rate, that survives into the next seed."""

    def trained(network):
        fit.fit(context, network, 2, 3, lambda epochs, best: False)
        return network.model.get_weights()

    keras.utils.set_random_seed(1)
    used = fit.build(context, "mlp", defaults(), 3)
    blank = fit.optimizer_state(context, used.model)
    first = trained(used)
    keras.utils.set_random_seed(2)
    fit.reset(used.model, fit.build(context, "mlp", defaults(), 3).model, blank)
    again = trained(used)
    keras.utils.set_random_seed(2)
    fresh = trained(fit.build(context, "mlp", defaults(), 3))
    for a, b in zip(again, fresh, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first[0], again[0])


def test_each_seed_has_its_rows_and_its_weights(context):
    fits = [
        training.fit_seed(context, "mlp", None, seed, None, silent) for seed in (1, 2)
    ]
    (first, facts), (second, others) = fits
    assert not np.array_equal(first["weights"][0], second["weights"][0])
    rows = [facts["row"], others["row"]]
    assert [(row["phase"], row["seed"], row["status"]) for row in rows] == [
        ("final", 1, "completed"),
        ("final", 2, "completed"),
    ]
    assert len(facts["history"]) == 6


def test_a_seed_is_the_same_after_another_and_alone(context):
    """Would catch what the network that is compiled once keeps of the seed before: then
    numbers would hang on which worker has done which seed."""

    def weights(context, seed):
        arrays, _ = training.fit_seed(context, "mlp", None, seed, None, silent)
        return arrays["weights"]

    after = [weights(context, seed) for seed in (1, 2)][1]
    alone = weights(dataclasses.replace(context, compiled={}), 2)
    for one, other in zip(after, alone, strict=True):
        np.testing.assert_array_equal(one, other)


def test_defaults_are_what_a_row_says_they_are(context):
    """Would catch a network that is built again, for its predictions, as another."""
    _, facts = training.fit_seed(context, "mlp", None, 1, None, silent)
    values = training.values_of(facts["row"])
    assert values["units"] == 64
    network = context.build("mlp", training.hyperparameters(values | {"units": 16}))
    assert network.model.layers[-2].units == 16


def test_a_loss_that_is_not_finite_is_a_failed_row_without_weights(context):
    values = {"learning_rate": 1e38}
    arrays, facts = training.fit_seed(context, "mlp", values, 1, None, silent)
    assert arrays == {}
    assert facts["row"]["status"] == "failed"
    assert facts["row"]["error"] == "the loss is not finite"
    assert "score" not in facts["row"]


def searching(context, schedule, trials=2):
    """The context of a search for the rate alone; `schedule(rate)` is Adam's."""

    def compile_arguments(hp, config, steps):
        rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
        score = keras.metrics.MeanMetricWrapper(forecast.last_step_mae, name="score")
        optimizer = schedule(rate)
        return {"optimizer": optimizer, "loss": "mse", "metrics": [score]}

    def model(hp, config, sizes):
        return forecast.mlp(defaults(), config, sizes)

    changes = {"models": {"mlp": model}, "compile_arguments": compile_arguments}
    return dataclasses.replace(
        context,
        experiment=dataclasses.replace(context.experiment, **changes),
        config=dataclasses.replace(context.config, trials=trials),
    )


@pytest.fixture
def search(monkeypatch):
    """`search(context)` -> how many models were fitted; each trial's rate and score."""
    fitted, train = [], training.fit
    monkeypatch.setattr(
        training,
        "fit",
        lambda context, network, *rest: (
            fitted.append(network.model) or train(context, network, *rest)
        ),
    )

    def run(context):
        fitted.clear()
        _, trials = training.search_model(context, "mlp", [], silent)
        scores = [(row["hp.learning_rate"], row["score"]) for row, _ in trials]
        return len(set(map(id, fitted))), scores

    return run


def afresh(context, fresh, hp, compiled):
    """In place of `training.at_the_start`: no trial shares a program."""
    return fresh


def test_trials_that_differ_in_the_rate_alone_share_a_program(
    context, search, monkeypatch
):
    """Would catch weights, or a momentum, that the trial before has left behind."""
    context = searching(context, lambda rate: clipped_adam(rate, 30))
    programs, shared = search(context)
    assert (programs, len(shared)) == (1, 2)
    monkeypatch.setattr(training, "at_the_start", afresh)
    assert search(context) == (2, shared)


def test_a_schedule_of_kerass_own_trains_at_its_own_rate(context, search, monkeypatch):
    """Would catch a trial that trains at the rate of the first: 0.1 for 0.0001."""

    def schedule(rate):
        decay = keras.optimizers.schedules.CosineDecay(rate, 30)
        return keras.optimizers.Adam(decay)

    context = searching(context, schedule)
    programs, scores = search(context)
    assert programs == 2
    monkeypatch.setattr(training, "at_the_start", afresh)
    assert search(context) == (2, scores)


def test_a_rate_that_is_more_than_the_rate_shares_no_program(context, search):
    """Would catch a weight decay that stays that of the first trial's rate."""
    decaying = keras.optimizers.AdamW
    context = searching(context, lambda rate: decaying(rate, weight_decay=rate / 10))
    assert search(context)[0] == 2


def test_xla_only_where_it_repays(context):
    """All of a model from 300 steps on, or its recurrence from 3,000."""
    how = {}
    for steps in (299, 300, 2999, 3000):
        for all_of_it in (True, False):
            inputs = keras.Input((5, 1))
            model = keras.Model(inputs, keras.layers.GRU(2)(inputs))
            context.devices.compile(model, steps, all_of_it, loss="mae")
            *_, compiled = model.layers[-1].inner_loop.args
            how[steps, all_of_it] = model.jit_compile, compiled
    assert [how[steps, True] for steps in (299, 300)] == [(False, False), (True, False)]
    alone = [how[steps, False] for steps in (2999, 3000)]
    assert alone == [(False, False), (False, True)]


def test_xla_from_the_steps_that_an_experiment_says(context, monkeypatch):
    """Would catch the steps of one seed counted, or another model's number asked."""
    seen, each = [], fit.steps_per_epoch(context, context.build("mlp", defaults()))
    monkeypatch.setattr(
        Devices, "compile", lambda self, model, steps, xla, **_: seen.append(xla)
    )
    for most in (6 * each, 6 * each + 1):
        experiment = dataclasses.replace(
            context.experiment, xla_from={"mlp": most}.__getitem__
        )
        changed = dataclasses.replace(context, experiment=experiment)
        fit.build(changed, "mlp", defaults(), 3, runs=2)
    assert seen == [True, False]


def test_training_in_bfloat16_leaves_float32_behind(context):
    """Coarser steps, the same model: what is predicted and saved knows nothing."""
    keras.utils.set_random_seed(1)
    exact = fit.fit(context, fit.build(context, "mlp", defaults(), 3), 1, 3, proceed)
    coarse = dataclasses.replace(
        context, devices=strategy.start(forecast.Config(precision="bfloat16"))
    )
    keras.utils.set_random_seed(1)
    fitted = fit.fit(coarse, fit.build(coarse, "mlp", defaults(), 3), 1, 3, proceed)
    assert fitted.score == pytest.approx(exact.score, rel=0.05)
    assert fitted.score != exact.score
    assert keras.layers.Dense(1).compute_dtype == "float32"


def proceed(epochs, best):
    """A hook that stops nothing."""
    return False
