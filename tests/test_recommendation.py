"""The sentence that says which forecast to use, and the choice behind it."""

from types import SimpleNamespace

import pandas as pd
import pytest

from rnn_tf.errors import RunError
from rnn_tf.recipe import recommendation, runner
from rnn_tf.recipe.entries import ranking
from rnn_tf.recipe.experiment import Entry


def entry(name, kind="ensemble", seeds=("",), parts=()):
    return Entry(name, kind, seeds, predict=None, parts=parts)


NETWORK, BASELINE = entry("gru_ensemble"), entry("ridge", "baseline")


def sentence(recommended, low, high, best="ridge"):
    """The sentence on a forecast whose difference to `best` has this interval."""
    difference = {"metric": "mae_difference", "slice": best, "low": low, "high": high}
    row = {"model": recommended.model, "value": (low + high) / 2} | difference
    tables = {"metrics": pd.DataFrame([row])}
    outcome = SimpleNamespace(recommended=recommended, tables=tables)
    return recommendation.sentence(outcome, "mae", best)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-3.0, -1.0, "proved better than ridge"),
        (-3.0, 1.0, "not proved better than ridge"),
        (1.0, 3.0, "proved worse than ridge"),
    ],
)
def test_it_says_no_more_than_the_interval_allows(low, high, verdict):
    """Would catch a winner where the interval holds 0."""
    text = sentence(NETWORK, low, high)
    assert text.startswith("recommended: gru_ensemble, the lowest MAE on validation;")
    assert f"on test {verdict}, the best baseline there" in text
    assert "\n" not in text


def test_a_baseline_is_recommended_as_one():
    text = sentence(BASELINE, 0.0, 0.0)
    assert "where no network did better" in text
    assert text.endswith("it is the best baseline on test, too")


def test_a_mean_names_its_parts():
    mean = entry("mean_of_best", parts=(NETWORK, BASELINE))
    assert "mean_of_best (gru_ensemble, ridge)" in sentence(mean, -1.0, 1.0)


def ranked(entries, errors):
    """Rank entries by errors on validation: name -> one for each seed."""
    row = {"split": "validation", "metric": "mae", "slice": ""}
    rows = [
        row | {"model": name, "value": value}
        for name, values in errors.items()
        for value in values
    ]
    rows += [{**row, "model": e.model, "value": 0, "split": "test"} for e in entries]
    context = SimpleNamespace(experiment=SimpleNamespace(headline="mae"))
    run = SimpleNamespace(rows={"metrics": rows})
    return [e.model for e in ranking(context, run, entries)]


def test_ranking_reads_validation_and_an_ensemble_stands_for_its_model():
    """Would catch a choice by the test set, and a seed's lucky fold that is chosen."""
    entries = [BASELINE, entry("gru", "tuned", (1, 2)), NETWORK]
    errors = {"ridge": [2.0], "gru": [0.5, 1.5], "gru_ensemble": [1.0]}
    assert ranked(entries, errors) == ["gru_ensemble", "ridge"]


def test_a_model_without_an_ensemble_ranks_by_the_mean_of_its_seeds():
    entries = [BASELINE, entry("gru", "tuned", (1, 2))]
    assert ranked(entries, {"ridge": [2.0], "gru": [0.5, 1.5]}) == ["gru", "ridge"]


def context(combines):
    return SimpleNamespace(experiment=SimpleNamespace(combines=combines))


def test_what_is_saved_has_networks_alone_and_what_is_recommended_is_one_forecast():
    """Would catch a saved mean without its baselines, and three seeds taken as one."""
    mixed = entry("mean_of_best", parts=(NETWORK, BASELINE))
    seeds = entry("mlp", "answer", (1, 2))
    order = [mixed, BASELINE, seeds, NETWORK]
    assert runner.choose(order) is seeds
    assert runner.recommend(context(combines=True), [seeds, *order]) is mixed
    assert runner.recommend(context(combines=False), [seeds, *order]) is seeds
    with pytest.raises(RunError, match="no model could be trained"):
        runner.choose([BASELINE, mixed])
