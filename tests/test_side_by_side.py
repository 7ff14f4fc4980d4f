"""Experiments side by side: what they print, how they fail, what Ctrl-C leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from experiments import __main__ as everything
from experiments import stacked
from rnn_tf.config import RunConfig
from rnn_tf.devices import workers
from rnn_tf.devices.workers import Workers
from rnn_tf.errors import InputError, RunError, warn
from rnn_tf.recipe import progress, side_by_side
from rnn_tf.recipe.side_by_side import Task
from tests.conftest import ROOT, take_ctrl_c

pytestmark = pytest.mark.slow  # each worker imports TensorFlow


def speak(word):
    """Print by every way that experiments print."""
    progress.console().print(f"[{word}]", markup=False)
    print(f"plainly {word}")
    warn(f"note: {word}")


def refuse(_):
    raise InputError("no such file")


def break_down(_):
    raise ValueError("not a person's fault")


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


def last(path):
    """Run until somebody ends it; a file says that it runs."""
    path.touch()
    try:
        time.sleep(600)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"go on with --resume {path.name}") from None


def task(run, word="a") -> Task:
    return Task(f"{run.__name__} {word}", ("-m", "made.up"), run, (word,))


@pytest.fixture(scope="module")
def two():
    staff = Workers(workers.local(2, []))
    yield staff
    staff.close()


def test_each_prints_as_it_would_alone_when_it_is_over(two, capsys):
    """Would catch lines of two experiments that get mixed, and lost ones."""
    side_by_side.run(two, [task(speak, word) for word in "abc"])
    shown = capsys.readouterr()
    lines = shown.out.split()
    assert sorted(lines) == sorted("[a] plainly a [b] plainly b [c] plainly c".split())
    for word in "abc":
        at = lines.index(f"[{word}]")
        assert lines[at + 1 : at + 3] == ["plainly", word]
    assert sorted(shown.err.splitlines()) == ["note: a", "note: b", "note: c"]


def test_one_that_fails_is_named_and_the_others_go_on(two, capsys):
    """Would catch an hour lost because the first of many experiments failed."""
    tasks = [task(refuse), task(break_down), task(die), task(speak)]
    with pytest.raises(RunError) as failed:
        side_by_side.run(two, tasks)
    shown = capsys.readouterr()
    assert "plainly a" in shown.out
    assert "refuse a: error: no such file" in shown.err
    assert "ValueError: not a person's fault" in shown.err
    assert "die a: its process has died" in shown.err
    names = str(failed.value).removesuffix(" failed, the others are complete")
    assert sorted(names.split(", ")) == ["break_down a", "die a", "refuse a"]


STOPPED = """
import contextlib
import sys
from pathlib import Path

from rnn_tf import errors
from rnn_tf.devices import workers
from tests import test_side_by_side as test


def work():
    staff = workers.Workers(workers.local(2, []))
    tasks = [test.task(test.last, Path(sys.argv[1], name)) for name in "xy"]
    with contextlib.closing(staff):
        test.side_by_side.run(staff, tasks)


sys.exit(errors.exit_code(work))
"""


@pytest.mark.parametrize("group", [True, False], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_ends_all_in_one_line_that_says_how_to_go_on(group, tmp_path):
    """Would catch experiments that go on after their parent, and runs cut off with no
    word of how to take them up."""
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(tmp_path)], cwd=ROOT, text=True,
        start_new_session=True, stderr=subprocess.PIPE, preexec_fn=take_ctrl_c,
    )  # fmt: skip
    while len(list(tmp_path.iterdir())) < 2:
        assert process.poll() is None
        time.sleep(0.1)
    if group:  # as a terminal does
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=60)
    assert process.returncode == (130 if group else 143)
    assert sorted(error.strip().removeprefix("interrupted: ").split("; ")) == [
        f"last {tmp_path / name}: go on with --resume {name}" for name in "xy"
    ]


def test_a_run_in_a_worker_is_the_run_that_it_would_be_alone(two, tmp_path, capsys):
    """Would catch numbers that hang on the process, and a command that would not make
    the run again."""
    words = ["--data", "adding", "--cells", "gru", "--lengths", "10", "--epochs", "1"]
    words += ["--examples", "200", "--seeds", "2", "--results"]
    there, here = str(tmp_path / "there"), str(tmp_path / "here")
    options = everything.config.parse(stacked.Config, {}, [*words, there], name="")
    made = everything.task(stacked, [*words, there], stacked.run, options)
    side_by_side.run(two, [made])
    assert "stacked on adding" in capsys.readouterr().out
    stacked.run(everything.config.parse(stacked.Config, {}, [*words, here], name=""))
    (run,) = Path(there).glob("stacked/*")
    (alone,) = Path(here).glob("stacked/*")
    command = json.loads((run / "config.json").read_text())["command"]
    assert command == " ".join(["python -m experiments.stacked", *words, there])
    for table in ("metrics", "predictions"):
        pair = [pd.read_csv(folder / f"{table}.csv") for folder in (run, alone)]
        pd.testing.assert_frame_equal(*pair)


def test_every_experiment_is_a_task_with_the_options_of_all(tmp_path):
    """Would catch facts that land in another folder, and tasks that miss the seeds."""
    words = ["--results", str(tmp_path), "--seeds", "4"]
    common = everything.config.parse(RunConfig, {}, words, name="")
    tasks = {task.name: task for task in everything.find_tasks(common, words)}
    assert tasks["facts"].arguments == (tmp_path,)
    for name, one in tasks.items():
        if name != "facts":
            assert (one.arguments[0].seeds, one.arguments[0].results) == (4, tmp_path)
            assert one.command[:2] == ("-m", f"experiments.{name}")
    assert tasks["stacked"].runs == tasks["gradients"].runs == 2
    assert tasks["modes"].command[2:] == (
        *("--results", str(tmp_path), "--size", "quick", "--seeds", "4"),
    )


@pytest.mark.parametrize(
    ("words", "row", "beside"),
    [
        ("", 0, 11),
        ("--size full", 1, 10),
        ("--jobs 1", 11, 0),
        ("--cluster dask://10.0.0.1:8786", 11, 0),
    ],
)
def test_whole_experiments_run_beside_each_other_on_this_machine_alone(
    monkeypatch, tmp_path, words, row, beside
):
    """Would catch run folders on another machine's disk, times that were taken while
    the other core was busy, and an experiment that runs twice or never."""
    counts = {}
    staff = SimpleNamespace(here="--jobs 1" in words)
    monkeypatch.setattr(everything.jobs, "hire", lambda _: nullcontext(staff))
    monkeypatch.setattr(
        everything, "run_in_a_row", lambda tasks: counts.update(row=len(tasks))
    )
    monkeypatch.setattr(
        side_by_side, "run", lambda _, tasks: counts.update(beside=len(tasks))
    )
    monkeypatch.setattr(everything.page, "write", lambda *_: None)
    everything.main(["--results", str(tmp_path), *words.split()])
    assert counts == {"row": row, "beside": beside}


def test_what_takes_times_runs_alone_at_full_size():
    """Would catch times to quote that were taken while other cores were busy."""
    for size, first in (("quick", "stacked"), ("full", "lengths")):
        words = ["--size", size]
        common = everything.config.parse(RunConfig, {}, words, name="")
        names = [task.name for task in everything.find_tasks(common, words)]
        assert names[0] == first
        assert len(names) == len(set(names)) == 11
