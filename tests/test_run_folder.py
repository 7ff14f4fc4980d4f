"""Run folders: whole files, statuses, provenance."""

import csv
import errno
import json
import signal
import subprocess
import sys
import time

import pytest

from rnn_tf import files
from rnn_tf.errors import DiskError, InputError
from rnn_tf.runs import provenance, run_folder
from tests.conftest import ROOT


def read(path):
    """A CSV file as a list of dicts."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_rows_are_on_disk_after_each_add_with_new_columns_behind(tmp_path):
    with run_folder.open_run(tmp_path, "made", {}) as run:
        run.add("trials", [{"model": "a", "score": 0.1, "hp.units": 8}])
        run.add("trials", [{"model": "b", "score": 1 / 3, "hp.rate": 2.0}])
        rows = read(run.path / "trials.csv")
    assert list(rows[0]) == [*run_folder.TRIALS, "hp.units", "hp.rate"]
    assert [row["model"] for row in rows] == ["a", "b"]
    assert float(rows[1]["score"]) == 1 / 3  # every digit is kept
    assert rows[0]["hp.rate"] == ""


def test_a_complete_run_says_where_it_came_from(tmp_path):
    with run_folder.open_run(tmp_path, "made", {"size": "quick"}) as run:
        running = json.loads((run.path / "config.json").read_text())
    info = json.loads((run.path / "config.json").read_text())
    assert running["status"] == "running"
    assert info["status"] == "complete"
    assert info["config"] == {"size": "quick"}
    assert info["versions"]["keras"][0] == "3"
    for key in ("command", "started", "commit", "dirty", "python", "machine"):
        assert key in info


def test_the_commit_is_the_one_checked_out():
    git = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    head = subprocess.run(git, capture_output=True, text=True).stdout.strip()
    assert provenance.provenance()["commit"] == (head or "unknown")


@pytest.mark.parametrize("there", ["", "results", "results/made", "results/other"])
def test_bad_input_leaves_the_folders_that_were_there(tmp_path, there):
    """Would catch `--results typed/wrong` that stays behind, or a folder that goes."""
    (tmp_path / there).mkdir(parents=True, exist_ok=True)
    before = sorted(tmp_path.rglob("*"))
    with (
        pytest.raises(InputError),
        run_folder.open_run(tmp_path / "results", "made", {}) as run,
    ):
        run.add("metrics", [{"model": "a"}])
        raise InputError("the file is empty")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt, "interrupted"), (OSError, "failed")]
)
def test_ctrl_c_and_a_crash_keep_the_rows_so_far(tmp_path, error, status):
    with pytest.raises(error), run_folder.open_run(tmp_path, "made", {}) as run:
        run.add("metrics", [{"model": "a"}])
        raise error
    assert len(read(run.path / "metrics.csv")) == 1
    assert json.loads((run.path / "config.json").read_text())["status"] == status


def test_a_place_that_cannot_be_written_to_is_one_line(tmp_path):
    """As root every folder can be written to, so the place is a file."""
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputError, match="cannot write to .*--results"),
        run_folder.open_run(tmp_path / "file", "made", {}),
    ):
        pass


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "table.csv"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError), files.atomic_file(path) as temporary:
        temporary.write_text("half of the n")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


WRITER = """
import sys
from pathlib import Path
from rnn_tf import files
from rnn_tf.runs import run_folder
rows = [{"model": "m" * 50, "value": i} for i in range(3000)]
for count in range(1, 10**9):
    part = rows[: 1 + count * 7 % 3000]
    files.write_csv(Path(sys.argv[1]), run_folder.METRICS, part)
    print(count, flush=True)
"""


@pytest.mark.parametrize("pause", [0.0, 0.003, 0.011, 0.029, 0.071])
def test_kill_9_in_the_middle_of_writing_leaves_a_whole_file(tmp_path, pause):
    """Would catch a file that is written in place: it would end in half a row."""
    path = tmp_path / "metrics.csv"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE
    )
    process.stdout.readline()  # it has begun
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    rows = read(path)
    assert [int(row["value"]) for row in rows] == list(range(len(rows)))
    assert path.read_text().endswith("\n")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DiskError("cannot write to x")])
def test_a_run_that_has_nothing_to_go_on_with_leaves_no_folder(tmp_path, error):
    """Would catch empty runs, which Ctrl-C in the first seconds left behind."""
    with (
        pytest.raises(type(error)) as raised,
        run_folder.open_run(tmp_path / "results", "made", {}),
    ):
        raise error
    assert "--resume" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_has_begun_says_how_it_goes_on_after_a_full_disk(tmp_path):
    with (
        pytest.raises(DiskError, match="^cannot write to x; .*--resume"),
        run_folder.open_run(tmp_path, "made", {}) as run,
    ):
        run.add("metrics", [{"model": "a"}])
        raise DiskError("cannot write to x")
    info = json.loads((run.path / "config.json").read_text())
    assert info["status"] == "failed"


def test_a_full_disk_that_another_library_meets_is_one_line_too(tmp_path):
    """keras-tuner writes files of its own, and raises a plain OSError."""
    with (
        pytest.raises(DiskError, match="cannot write to .*No space left.*--resume"),
        run_folder.open_run(tmp_path, "made", {}) as run,
    ):
        run.add("metrics", [{"model": "a"}])
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_fact_that_json_does_not_have_leaves_the_others(tmp_path):
    """Would catch a run that says "running" for ever: after one infinite number, no
    status could be written any more."""
    with pytest.raises(ValueError), run_folder.open_run(tmp_path, "made", {}) as run:
        run.add("metrics", [{"model": "a"}])
        run.record(scale=float("inf"))
    info = json.loads((run.path / "config.json").read_text())
    assert info["status"] == "failed"
    assert "scale" not in info


def killed_run(root):
    """Leave the folder of a run that was killed after its first row."""
    with pytest.raises(KeyboardInterrupt), run_folder.open_run(root, "made", {}) as run:
        run.add("metrics", [{"model": "a"}])
        raise KeyboardInterrupt
    return run.path


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"status": "failed"}', "\0\xff"]
)
def test_a_run_with_a_damaged_config_cannot_go_on(tmp_path, text):
    path = killed_run(tmp_path)
    (path / "config.json").write_text(text)
    with (
        pytest.raises(InputError, match="config.json is damaged") as raised,
        run_folder.open_run(tmp_path, "made", {}, resume=path.name),
    ):
        pass
    assert "\n" not in str(raised.value)
    assert (path / "config.json").read_text() == text


def test_bad_input_leaves_a_resumed_run_as_it_was(tmp_path):
    """Would catch a status "running" of a run that nothing works on."""
    path = killed_run(tmp_path)
    before = (path / "config.json").read_text()
    with (
        pytest.raises(InputError, match="the data is gone"),
        run_folder.open_run(tmp_path, "made", {}, resume=path.name),
    ):
        raise InputError("the data is gone")
    after = json.loads((path / "config.json").read_text())
    assert after.pop("resumed") == []
    assert after == json.loads(before)


def test_a_complete_run_is_left_clean_when_somebody_resumes_it(tmp_path):
    """Would catch a lock, or a state that a kill in the last moment has left."""
    with run_folder.open_run(tmp_path, "made", {}) as run:
        pass
    run.state("gru-1.finished.npz").write_bytes(b"")
    with (
        pytest.raises(InputError, match="is complete"),
        run_folder.open_run(tmp_path, "made", {}, resume=run.path.name),
    ):
        pass
    assert [path.name for path in run.path.iterdir()] == ["config.json"]
