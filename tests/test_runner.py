"""The contract: what the recipe asks of an experiment, and what it makes of it."""

import dataclasses
import functools

import keras
import numpy as np
import pytest

from rnn_tf.config import RunConfig
from rnn_tf.data.order import shuffled
from rnn_tf.data.splits import Data, Network
from rnn_tf.metrics.scores import Scores
from rnn_tf.recipe import runner
from rnn_tf.recipe.experiment import Experiment, by_batch

COUNTS = {"train": 32, "validation": 8, "test": 6}


def load_data(config) -> Data:
    """y = 3 x; the network "blind" is shown zeros."""
    import tensorflow as tf

    x = {k: np.linspace(-1, 1, n, dtype="float32")[:, None] for k, n in COUNTS.items()}

    def dataset(split, network, order=None):
        seen, y = x[split] * (network.name != "blind"), tf.constant(3 * x[split])
        if order is None:
            return tf.data.Dataset.from_tensor_slices((seen, 3 * x[split])).batch(4)
        seen = tf.constant(seen)
        cut = lambda which: (tf.gather(seen, which), tf.gather(y, which))  # noqa: E731
        return shuffled(len(y), 8, order, cut)

    facts = {"source": "line", "sha256": "0" * 64, "says": "a line"}
    return Data(sizes=1, dataset=dataset, batch_size=8, block=1, facts=facts, source=x)


def build(hp, config, sizes):
    inputs = keras.Input((sizes,))
    return keras.Model(inputs, keras.layers.Dense(1)(inputs))


def predict(network, data, split) -> dict:
    """No array: what a translation by two kinds of search would be."""
    y = by_batch(network, data.dataset(split, network), lambda _, y: y[:, 0])
    return {"greedy": y, "beam": y + 1}


def evaluate(data, split, predictions) -> Scores:
    """The headline is the greedy prediction's; a baseline gives the same two."""
    errors = {
        k: (y - 3 * data.source[split][:, 0]) ** 2 for k, y in predictions.items()
    }
    rows = [
        {
            "metric": metric,
            "slice": part,
            "value": float(errors[part or "greedy"].mean()),
        }
        | {"unit": "", "n": len(errors["greedy"])}
        for metric, part in (("mse", ""), ("bleu", "greedy"), ("bleu", "beam"))
    ]
    return Scores(rows, errors["greedy"])


def compile_arguments(hp, config, steps) -> dict:
    score = keras.metrics.MeanSquaredError(name="score")
    return {"optimizer": keras.optimizers.SGD(0.3), "loss": "mse", "metrics": [score]}


class Counted(keras.callbacks.Callback):
    """A further callback, as one that resets a state carried over batches."""

    epochs = 0

    def on_epoch_begin(self, epoch, logs=None):
        Counted.epochs += 1


ZEROS = {k: dict.fromkeys(("greedy", "beam"), np.zeros(n)) for k, n in COUNTS.items()}
EXPERIMENT = Experiment(
    name="line",
    headline="mse",
    models={"line": build, "blind": build},
    answers=(),
    load_data=load_data,
    baselines=lambda config, data: {"zero": ZEROS.get},
    compile_arguments=compile_arguments,
    predict=predict,
    evaluate=evaluate,
    export=lambda networks, data: networks[0].model,
    report=lambda outcome: None,
    mean=None,
    callbacks=lambda model: [Counted()],
)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    config = RunConfig(
        seeds=2, trials=0, epochs=5, results=tmp_path_factory.mktemp("r")
    )
    return runner.run(lambda config: EXPERIMENT, config)


def test_predictions_may_be_anything_that_evaluate_understands(outcome):
    """Would catch a step between the two that takes them for arrays."""
    metrics = outcome.tables["metrics"]
    test = metrics[(metrics["split"] == "test") & (metrics["model"] == "line")]
    assert set(test["slice"][test["metric"] == "bleu"]) == {"greedy", "beam"}
    assert test["value"][test["metric"] == "mse"].max() < 0.1


def test_data_is_chosen_by_the_experiments_name_for_a_network(outcome):
    """Would catch the name of the Keras model, which is any."""
    metrics = outcome.tables["metrics"]
    blind = metrics[(metrics["model"] == "blind") & (metrics["metric"] == "mse")]
    assert blind["value"].min() > 1


def test_without_a_mean_there_is_no_ensemble(outcome):
    assert set(outcome.tables["metrics"]["kind"]) == {"baseline", "tuned"}
    assert set(outcome.members) == {"line", "blind"}


def test_without_predictions_to_show_there_is_no_file(outcome):
    names = {path.name for path in outcome.folder.iterdir()}
    assert names == {"config.json", "history.csv", "line.keras", "metrics.csv"} | {
        "trials.csv"
    }


def test_further_callbacks_take_part_in_every_fit(outcome):
    assert Counted.epochs == 2 * 2 * 5


def test_a_member_is_the_network_of_its_seed(outcome):
    """Would catch all seeds built for one, or the last one's weights for the first."""
    first, second = (outcome.members["line"](seed) for seed in (1, 2))
    assert isinstance(first, Network)
    assert first.name == "line"
    weights = [network.model.get_weights()[0] for network in (first, second)]
    assert not np.array_equal(*weights)
    again = outcome.members["line"]().model.get_weights()[0]
    np.testing.assert_array_equal(again, weights[0])


def test_an_ensemble_is_what_mean_makes_of_the_seeds(tmp_path):
    """Would catch a mean of arrays where predictions have another."""
    median = functools.partial(np.median, axis=0)

    def mean(predictions):
        return {k: median([p[k] for p in predictions]) for k in predictions[0]}

    experiment = dataclasses.replace(
        EXPERIMENT, mean=mean, models={"line": build}, callbacks=lambda model: []
    )
    config = RunConfig(seeds=3, trials=0, epochs=1, results=tmp_path)
    done = runner.run(lambda config: experiment, config)
    data, rows = done.data, done.tables["metrics"]
    seeds = [predict(done.members["line"](n), data, "test") for n in (1, 2, 3)]
    expected = evaluate(data, "test", mean(seeds)).errors.mean()
    rows = rows[(rows["kind"] == "ensemble") & (rows["metric"] == "mse")]
    assert rows["value"].iloc[-1] == pytest.approx(expected)


def test_by_batch_never_holds_all_outputs():
    """Would catch outputs that are gathered before they are reduced."""
    alive, most = [], 0

    class Model:
        def predict_on_batch(self, inputs):
            nonlocal most
            most = max(most, len(alive) + 1)
            return inputs

    def reduce(targets, outputs):
        return targets + outputs.sum(axis=1)

    pairs = [(np.full((2, 1000), n), np.array([n, -n])) for n in range(5)]
    kept = by_batch(Network("any", Model()), iter(pairs), reduce)
    assert kept.tolist() == [1000 * n + s * n for n in range(5) for s in (1, -1)]
    assert kept.nbytes == 10 * 8


def test_a_batch_that_is_larger_than_the_training_set_is_refused(tmp_path):
    """Would catch an epoch without a step, which ends with a loss of nothing."""
    small = dataclasses.replace(load_data(None), batch_size=64)
    original = small.dataset

    def dataset(split, network, order=None):
        whole = original(split, network, order)
        return whole.take(0) if order else whole

    small = dataclasses.replace(small, dataset=dataset)
    experiment = dataclasses.replace(EXPERIMENT, load_data=lambda config: small)
    config = RunConfig(trials=0, results=tmp_path)
    with pytest.raises(ValueError, match="a batch of 64 is more than the training"):
        runner.run(lambda config: experiment, config)
    assert list(tmp_path.iterdir()) == []
