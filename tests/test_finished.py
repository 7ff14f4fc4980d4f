"""Which runs count: complete, full size, each measurement once."""

import json

import pytest

from rnn_tf.runs import finished, run_folder
from tests.claim_runs import as_given, write_run


def test_quick_and_unfinished_runs_prove_nothing(tmp_path):
    write_run(tmp_path, "sketch", as_given(0), config={"size": "quick"})
    stopped = write_run(tmp_path, "sketch", as_given(0))
    info = json.loads((stopped / "config.json").read_text())
    (stopped / "config.json").write_text(json.dumps(info | {"status": "failed"}))
    assert finished.find_runs(tmp_path) == []


def test_a_run_that_failed_early_is_not_damaged(tmp_path, capsys):
    """Would catch a word on each run that was stopped before its data was there."""
    with pytest.raises(ValueError), run_folder.open_run(tmp_path, "made", {}):
        raise ValueError
    assert finished.find_runs(tmp_path) == []
    assert capsys.readouterr().err == ""


def test_of_equal_runs_the_newest_counts(tmp_path):
    """The same options and data, run again: one measurement, not two."""
    same = {"data": {"source": "cta", "sha256": "1"}}
    old, new = ({"started": f"2026-0{n}-01", **same} for n in (1, 2))
    later = write_run(tmp_path, "made", {}, **new, config={"data_dir": "here"})
    write_run(tmp_path, "made", {}, **old, config={"data_dir": "there"})
    other = write_run(tmp_path, "made", {}, **old, config={"epochs": 7})
    assert {run.folder for run in finished.find_runs(tmp_path)} == {later, other}


def test_a_folder_that_holds_others_is_read_once(tmp_path):
    path = write_run(tmp_path / "reference", "made", {})
    found = finished.find_runs(tmp_path / "reference", tmp_path)
    assert [run.folder for run in found] == [path]
