"""Jobs side by side: the same numbers with any number of them, and what a kill leaves.

Runs are processes, as a user has them.
"""

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from rnn_tf.config import RunConfig
from rnn_tf.devices.workers import Died, Here
from rnn_tf.errors import RunError
from rnn_tf.recipe import jobs
from tests.conftest import ROOT, run_python, take_ctrl_c
from tests.test_multiworker import until
from tests.test_resume import RUN, check_equal, folder_of, rows_of

# Two models, each with three trials and two seeds.
RUN = [*RUN, "--cells", "gru", "lstm"]
LONG = [*RUN, "--trials", "0", "--epochs", "400", "--patience", "400"]


@contextlib.contextmanager
def started(folder: Path, *arguments):
    """A run in a process group of its own, as a terminal has it; ended at the end."""
    command = [sys.executable, "-m", "experiments.stacked", *arguments]
    process = subprocess.Popen(
        [*command, "--results", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=take_ctrl_c,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def workers_of(process) -> list[psutil.Process]:
    """The worker processes of a run, the first started first."""
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(process.pid).children()
        named = [c for c in children if "LokyProcess" in " ".join(c.cmdline())]
        return sorted(named, key=lambda child: child.create_time())
    return []


def alive(children) -> list[psutil.Process]:
    return [c for c in children if c.is_running() and c.status() != "zombie"]


def trained(folder: Path) -> list[Path]:
    """The files of the last epochs of the final fits."""
    return list(folder.glob("stacked/*/state/*.epoch.npz"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The results of a run with one job at a time."""
    folder = tmp_path_factory.mktemp("whole")
    done = run_python("-m", "experiments.stacked", *RUN, "--results", folder)
    assert done.returncode == 0, done.stderr
    assert "· 1 job at a time" in " ".join(done.stdout.split())
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("jobs", "cores"),
    [
        pytest.param(2, None, marks=pytest.mark.long),
        pytest.param(5, {0}, marks=pytest.mark.long),
    ],
)
def test_any_number_of_jobs_and_cores_gives_the_same_numbers(
    whole, tmp_path, jobs, cores
):
    """Would catch sums of several threads, a seed that hangs on which fit came before
    it in its process, and rows in the order in which they were finished."""
    restrict = cores and (lambda: os.sched_setaffinity(0, cores))
    arguments = "-m", "experiments.stacked", *RUN, "--results", tmp_path
    done = run_python(*arguments, "--jobs", jobs, preexec_fn=restrict)
    assert done.returncode == 0, done.stderr
    assert f"· {min(jobs, 4)} jobs at a time" in " ".join(done.stdout.split())
    check_equal(folder_of(whole), folder_of(tmp_path))


@pytest.mark.long
def test_jobs_on_jax_give_the_same_numbers_too(tmp_path):
    engine = {"KERAS_BACKEND": "jax"}
    for count in (1, 2):
        own = "--results", tmp_path / str(count), "--jobs", count
        options = *RUN, "--trials", 0, *own
        done = run_python("-m", "experiments.stacked", *options, env=engine)
        assert done.returncode == 0, done.stderr
    check_equal(folder_of(tmp_path / "1"), folder_of(tmp_path / "2"))


@pytest.mark.long
def test_a_killed_parent_leaves_no_worker_and_its_run_goes_on(whole, tmp_path):
    """Would catch workers that train on for nobody."""
    with started(tmp_path, *RUN, "--jobs", "2") as process:
        until(lambda: list(tmp_path.glob("stacked/*/state/*-trials.json")))
        workers = workers_of(process)
        assert len(workers) == 2
        process.kill()
        process.wait()
        killed = time.monotonic()
        until(lambda: not alive(workers))
        assert time.monotonic() - killed < 5
    folder = folder_of(tmp_path)
    again = ["--resume", folder.name, "--results", tmp_path, "--jobs", 2]
    done = run_python("-m", "experiments.stacked", *again)
    assert done.returncode == 0, done.stderr
    check_equal(folder_of(whole), folder)


@pytest.mark.parametrize(("options", "message"), [
    ("--jobs 0", "--jobs is 0; it must be at least 1"),
    ("--jobs 3 --strategy mirrored", "--jobs 3, but replicas, workers in step, a TPU"),
])  # fmt: skip
def test_jobs_that_cannot_be_are_one_line_and_nothing_is_left(
    tmp_path, options, message
):
    arguments = *options.split(), "--results", tmp_path / "none"
    done = run_python("-m", "experiments.forecast", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("none/*"))


@pytest.mark.slow
def test_ctrl_c_ends_the_run_and_its_workers_in_one_line(tmp_path):
    """Would catch workers that print a traceback each, or that go on."""
    with started(tmp_path, *LONG, "--jobs", "2") as process:
        until(lambda: trained(tmp_path))
        workers = workers_of(process)
        os.killpg(process.pid, signal.SIGINT)
        pressed = time.monotonic()
        assert process.wait(30) == 130
        assert time.monotonic() - pressed < 5
        assert not alive(workers)
        stderr = process.stderr.read()
    assert stderr.strip().startswith("interrupted: the rows so far are in")
    assert stderr.strip().count("\n") == 0


@pytest.mark.long
def test_a_killed_worker_is_started_again_and_its_fit_goes_on(tmp_path):
    """Would catch a run that ends with its worker, or a fit that begins anew."""
    options = [*LONG, "--epochs", "60"]
    with started(tmp_path / "killed", *options, "--jobs", "2") as process:
        until(lambda: trained(tmp_path / "killed"))
        workers_of(process)[0].kill()
        stdout, stderr = process.communicate(timeout=240)
    assert process.returncode == 0, stderr
    assert stdout.count("its process died; it is started again") == 1
    done = run_python(
        "-m", "experiments.stacked", *options, "--results", tmp_path / "whole"
    )
    assert done.returncode == 0, done.stderr
    check_equal(folder_of(tmp_path / "whole"), folder_of(tmp_path / "killed"))


@pytest.mark.long
def test_a_fit_whose_worker_dies_twice_is_a_failed_row(tmp_path):
    """Would catch a run that tries for ever, or that ends for one fit's sake."""
    options = [*LONG, "--cells", "gru", "--epochs", "150", "--jobs", "2"]
    with started(tmp_path, *options) as process:
        until(lambda: moved(tmp_path, 0))
        first, second = workers_of(process)
        first.kill()  # it has seed 1, the first job
        since = time.time_ns()
        until(lambda: moved(tmp_path, since))
        (again,) = [w for w in workers_of(process) if w not in (first, second)]
        again.kill()
        stdout, stderr = process.communicate(timeout=240)
    assert process.returncode == 0, stderr
    assert "its process died twice; is there enough memory?" in stdout
    rows = rows_of(folder_of(tmp_path), "trials")
    assert [(row["seed"], row["status"]) for row in rows] == [
        ("1", "failed"),
        ("2", "completed"),
    ]
    assert rows[0]["error"].startswith("its process died twice")


def moved(folder: Path, since: int) -> bool:
    """Whether seed 1 has kept an epoch since then, in ns."""
    found = [path for path in trained(folder) if path.name == "gru_25-1.epoch.npz"]
    return any(path.stat().st_mtime_ns > since for path in found)


# ---------------------------------------------------------------- tasks of a study


class Staff:
    """Two workers; what began last ends first, or dies."""

    here = False

    def __init__(self, dies: str = ""):
        self.running, self.most, self.dies = [], 0, dies

    @property
    def idle(self) -> bool:
        return len(self.running) < 2

    def start(self, job, tell, function, *arguments) -> None:
        self.running.append((job, arguments[1:]))
        self.most = max(self.most, len(self.running))

    def next(self) -> tuple:
        job, (work, task) = self.running.pop()
        return job, Died() if job == self.dies else list(work(task))


def work(task: str):
    yield {"task": task}


def rows(staff) -> list:
    names, console = ["a", "b", "c"], Console(file=io.StringIO())
    return list(jobs.tasks(staff, RunConfig(strategy="cpu"), work, names, console))


def test_tasks_run_side_by_side_and_give_their_rows_in_order():
    """Would catch one at a time, and the rows of whichever is ready first."""
    staff = Staff()
    assert rows(staff) == [[{"task": name}] for name in "abc"]
    assert staff.most == 2
    assert rows(Here()) == [[{"task": name}] for name in "abc"]


def test_a_task_whose_process_dies_ends_the_run():
    """Would catch a table that lacks rows and says nothing."""
    with pytest.raises(RunError, match="b: its process has died; is there enough"):
        rows(Staff(dies="b"))
