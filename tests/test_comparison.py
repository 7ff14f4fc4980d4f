"""Differences of two models: paired by seed, over seeds and test examples."""

import pytest

from rnn_tf.claims import comparison
from rnn_tf.runs import finished
from tests.claim_runs import against, scored, write_run


def test_differences_are_paired_by_seed(tmp_path):
    """Would catch a comparison of means: the seeds vary by far more than the models."""
    path = write_run(
        tmp_path, "made", scored({"one": [1.0, 50.0, 99.0], "two": [2.0, 51.5, 100.0]})
    )
    (run,) = finished.find_runs(tmp_path)
    assert run.folder == path
    found = comparison.difference(run, "one", "two")
    assert found.value == pytest.approx(-3.5 / 3)
    # By hand: differences -1, -1.5, -1; sd 0.288675; t(0.975, 2) = 4.302653.
    half = 4.302653 * 0.288675 / 3**0.5
    assert found.low == pytest.approx(-3.5 / 3 - half, abs=1e-4)
    assert found.high == pytest.approx(-3.5 / 3 + half, abs=1e-4)
    assert found.better
    assert not comparison.difference(run, "two", "one").better


@pytest.mark.parametrize(("model", "rival", "ends"), [
    ("one", "two", (-90.0, 80.0)), ("two", "one", (-80.0, 90.0)),
])  # fmt: skip
def test_an_interval_over_test_data_counts_too(tmp_path, model, rival, ends):
    """Would catch a winner that only this test period has, and a sign lost on the way
    where the table has the difference the other way round."""
    rows = against("one", "two")
    row = {"model": model, "seed": "", "split": "test", "metric": "mae_difference"}
    low, high = ends
    rows["metrics"].append(row | {"slice": rival, "value": 1, "low": low, "high": high})
    write_run(tmp_path, "made", rows)
    (run,) = finished.find_runs(tmp_path)
    found = comparison.difference(run, "one", "two")
    assert (found.low, found.high) == (-90, 80)
    assert not found.better


def test_a_baseline_is_the_same_for_every_seed(tmp_path):
    write_run(tmp_path, "made", scored({"one": [1.0, 2.0, 3.0], "naive": 9.0}))
    (run,) = finished.find_runs(tmp_path)
    assert comparison.difference(run, "one", "naive").value == -7
    assert str(comparison.difference(run, "naive", "naive")) == (
        "+0 (of 1 seeds: too few)"
    )


def test_another_metric_is_compared_by_its_own_rows(tmp_path):
    """Would catch the headline's scores, or its interval, for those of BLEU.

    By hand: differences 2, 4, 3; sd 1; t(0.975, 2) = 4.302653, so 3 +- 2.484138.
    """
    tables = against("one", "two")  # by the headline, one is better
    bleu = scored({"one": [30.0, 33.0, 31.0], "two": [28.0, 29.0, 28.0]})["metrics"]
    tables["metrics"] += [row | {"metric": "bleu"} for row in bleu]
    ends = {"slice": "two", "value": -10, "low": -90, "high": 80}
    row = {"model": "one", "seed": "", "split": "test", "metric": "mae_difference"}
    tables["metrics"].append(row | ends)
    write_run(tmp_path, "made", tables)
    (run,) = finished.find_runs(tmp_path)
    lower = comparison.difference(run, "one", "two", metric="bleu")
    ends = pytest.approx((3 - 2.484138, 3 + 2.484138), abs=1e-5)
    assert (lower.value, lower.seeds) == (3, 3)
    assert (lower.low, lower.high) == ends
    assert (lower.better, lower.worse) == (False, True)
    higher = comparison.difference(run, "one", "two", metric="bleu", higher=True)
    assert (higher.low, higher.high) == ends
    assert (higher.better, higher.worse) == (True, False)
    swapped = comparison.difference(run, "two", "one", metric="bleu", higher=True)
    assert (swapped.better, swapped.worse) == (False, True)


def test_an_interval_over_test_data_counts_for_its_own_metric(tmp_path):
    """Would catch a bootstrap row that only the headline gets."""
    tables = {"metrics": []}
    for row in against("one", "two")["metrics"]:
        tables["metrics"].append(row | {"metric": "bits"})
    row = {"model": "one", "seed": "", "split": "test", "metric": "bits_difference"}
    tables["metrics"].append(row | {"slice": "two", "low": -90, "high": 80})
    write_run(tmp_path, "made", tables)
    (run,) = finished.find_runs(tmp_path)
    found = comparison.difference(run, "one", "two", metric="bits")
    assert (found.low, found.high) == (-90, 80)
    assert not found.better


def test_scores_and_slices_of_another_metric(tmp_path):
    """Would catch a slice of the headline that the other metric does not have."""
    tables = scored({"one": [1.0, 2.0, 3.0]}, days=2)
    bleu = {"model": "one", "split": "test", "metric": "bleu"}
    for part, value in (("", 20.0), ("greedy", 21.5)):
        tables["metrics"].append(bleu | {"seed": 1, "slice": part, "value": value})
    write_run(tmp_path, "made", tables)
    (run,) = finished.find_runs(tmp_path)
    assert run.slices("one") == ["1", "2"]
    assert run.slices("one", metric="bleu") == ["greedy"]
    assert run.scores("one", metric="bleu") == {"1": 20.0}
    assert run.scores("one", "greedy", metric="bleu") == {"1": 21.5}
