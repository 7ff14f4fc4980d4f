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
