"""`make devices`: rows compared with those by hand, and one real measurement."""

import numpy as np
import pandas as pd
import pytest

from experiments import devices
from rnn_tf.claims import rules
from rnn_tf.runs import finished
from tests.conftest import run_python

ONE, TWO, WORKERS = devices.SETTINGS


def copy(*values: float) -> list[np.ndarray]:
    return [np.array(values), np.zeros(2)]


def test_rows_compare_every_copy_with_the_one_device():
    """Would catch a second copy, or a second worker's, that nobody looked at."""
    alone = {"updated": [True], "devices": ["cpu 0"]}
    trained = {
        ONE: {1: [({"0": copy(1.0, 2.0)}, alone)]},
        TWO: {
            1: [
                (
                    {"0": copy(1.0, 2.0), "1": copy(1.0, 2.5)},
                    {"updated": [True, False], "devices": ["cpu 0", "cpu 1"]},
                )
            ]
        },
        WORKERS: {
            1: [
                ({"0": copy(1.0, 2.0)}, alone),
                ({"0": copy(1.25, 2.0)}, alone | {"devices": ["cpu 1"]}),
            ]
        },
    }
    one, two, workers = devices.rows(trained)
    assert list(one) == devices.COLUMNS
    assert (one["max_difference"], one["copies"], one["updated"]) == (0, 1, 1)
    assert (two["max_difference"], two["copies"], two["updated"]) == (0.5, 2, 1)
    assert (workers["max_difference"], workers["copies"]) == (0.25, 2)
    assert workers["updated"] == 2
    assert two["devices"] == workers["devices"] == "cpu 0 cpu 1"


def test_a_copy_is_updated_only_if_all_of_it_is():
    """Would catch a replica whose momenta stay as they were."""
    before, after = [np.zeros(2), np.zeros(2)], [np.ones(2), np.ones(2)]
    assert devices.all_differ(before, after)
    assert not devices.all_differ(before, [np.ones(2), np.zeros(2)])


@pytest.mark.long
def test_make_devices_measures_real_replicas_and_workers(tmp_path):
    done = run_python("-m", "experiments.devices", "--seeds", 1, "--results", tmp_path)
    assert done.returncode == 0, done.stderr
    (run,) = finished.find_runs(tmp_path)
    table = pd.read_csv(run.folder / "devices.csv").set_index("setting")
    assert list(table["copies"]) == list(table["updated"]) == [1, 2, 2]
    assert 0 < table.loc["two workers", "max_difference"] < 1e-5
    assert table.loc["one device", "max_difference"] == 0
    assert rules.one_device_updates(run).verdict == "refuted"
    assert "two workers" in done.stdout


def test_no_seeds_is_one_line(tmp_path):
    done = run_python(
        "-m", "experiments.devices", "--seeds", 0, "--results", tmp_path / "no"
    )
    assert done.returncode == 2
    assert done.stderr == "error: --seeds is 0; it must be at least 1\n"
    assert not (tmp_path / "no").exists()
