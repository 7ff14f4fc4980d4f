"""The scaling bench: what it computes by hand, and one real measurement."""

import json

import pytest

from benchmarks import scaling
from rnn_tf.errors import InputError, RunError
from tests.conftest import run_python


def test_rows_are_medians_ranges_and_shares():
    """Would catch an efficiency that counts steps where the batches differ."""
    base, slow = {"step": 0.01, "all_reduce": 0.0}, {"step": 0.02, "all_reduce": 0.005}
    noisy = [slow, slow | {"step": 0.04}, slow | {"step": 0.016}]
    found = [[base] * 3 if c.count == 1 else noisy for c in scaling.CONTENDERS]
    rows = {row["setting"]: row for row in scaling.rows_of(found)}
    assert list(rows["one worker"]) == scaling.COLUMNS
    one, two = rows["one device, step by step"], rows["two replicas, twice the batch"]
    assert (one["steps_per_second"], one["efficiency"]) == (100, 1)
    assert one["examples_per_second"] == 100 * 64
    assert (two["steps_per_second"], two["low"], two["high"]) == (50, 25, 62.5)
    assert two["examples_per_second"] == 50 * 128
    assert two["efficiency"] == 0.5  # as many examples a second, from two
    assert rows["two workers, same batch"]["efficiency"] == 0.25
    assert two["all_reduce_share"] == 0.25


def test_each_setting_is_compared_with_one_of_its_kind():
    for contender in scaling.CONTENDERS:
        base = scaling.CONTENDERS[contender.base]
        assert (base.count, base.as_in_a_run) == (1, False)
        assert (base.strategy == "multiworker") == (contender.strategy == "multiworker")


@pytest.mark.long
def test_two_replicas_are_measured_in_a_process_of_their_own(tmp_path):
    output = tmp_path / "measured.json"
    options = "measure --strategy mirrored --replicas 2 --batch 64 --output".split()
    done = run_python("-m", "benchmarks.scaling", *options, output)
    assert done.returncode == 0, done.stderr
    found = json.loads(output.read_text())
    assert found["all_reduce"] > 0
    assert found["step"] > 0


def test_a_setting_that_fails_is_named(monkeypatch, tmp_path):
    broken = scaling.Contender("on a moon", "lunar", 1, 64, 0)
    with pytest.raises(RunError, match="on a moon failed: "):
        scaling.train_in_processes(broken)


def test_no_rounds_is_one_line(tmp_path):
    with pytest.raises(InputError, match="--rounds is 0; it must be at least 1"):
        scaling.main(0, tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
