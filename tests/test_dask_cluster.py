"""Jobs on a Dask cluster: the numbers of one process, and refusals in one line."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from rnn_tf.config import RunConfig
from rnn_tf.errors import InputError
from rnn_tf.recipe import jobs
from tests.conftest import ROOT, run_python
from tests.test_jobs import LONG, RUN, started, trained
from tests.test_multiworker import until
from tests.test_resume import check_equal, folder_of

DASK = str(Path(sys.executable).with_name("dask"))


@contextlib.contextmanager
def cluster(count: int, cwd: Path = ROOT, nanny: bool = False):
    """Start a scheduler and workers as a user does; yield the option and workers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    scheduler = ["scheduler", "--host", "127.0.0.1", "--port", port]
    worker = ["worker", f"tcp://127.0.0.1:{port}", "--nthreads", "1"]
    worker += ["--no-nanny"] * (not nanny)
    processes = [
        subprocess.Popen(
            [DASK, *command, "--no-dashboard"],
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(cwd)},
        )
        for command in [scheduler] + [worker] * count
    ]
    try:
        yield f"dask://127.0.0.1:{port}", processes[1:]
    finally:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
            process.kill()
            process.wait()


def ready(address: str, count: int) -> None:
    """Wait until so many workers have come to the scheduler."""
    import distributed

    with distributed.Client(address.removeprefix("dask://"), timeout=60) as client:
        client.wait_for_workers(count, timeout=60)


@pytest.mark.long
def test_two_dask_workers_end_on_the_same_numbers(tmp_path):
    """Would catch a job whose numbers hang on where it runs."""
    arguments = "-m", "experiments.stacked", *RUN, "--results"
    done = run_python(*arguments, tmp_path / "one")
    assert done.returncode == 0, done.stderr
    with cluster(2) as (address, _):
        ready(address, 2)
        done = run_python(*arguments, tmp_path / "two", "--cluster", address)
    assert (done.returncode, done.stderr) == (0, "")
    assert "· 2 jobs at a time" in " ".join(done.stdout.split())
    check_equal(folder_of(tmp_path / "one"), folder_of(tmp_path / "two"))


@pytest.mark.long
def test_a_job_whose_dask_worker_dies_is_run_again(tmp_path):
    """Would catch a run that ends with a machine of the cluster."""
    options = [*LONG, "--epochs", "60"]
    with cluster(2) as (address, workers):
        ready(address, 2)
        with started(tmp_path, *options, "--cluster", address) as process:
            until(lambda: trained(tmp_path))
            workers[0].kill()
            _, stderr = process.communicate(timeout=240)
    assert process.returncode == 0, stderr
    folder = folder_of(tmp_path)
    info = json.loads((folder / "config.json").read_text("utf-8"))
    assert (folder / f"{info['chosen']}.keras").is_file()


def refusal(address: str) -> str:
    """What `--cluster ADDRESS` is told."""
    with pytest.raises(InputError) as error, jobs.hire(RunConfig(cluster=address)):
        pass
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.slow
def test_a_cluster_that_cannot_be_used_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("rnn_tf.devices.dask_cluster.PATIENCE", 3)
    assert "no scheduler answers" in refusal("dask://127.0.0.1:1")
    with cluster(0) as (address, _):
        assert "has no workers; start some" in refusal(address)
    with cluster(1, tmp_path) as (address, _):
        ready(address, 1)
        assert "cannot import the project" in refusal(address)
    with cluster(1, nanny=True) as (address, _):
        ready(address, 1)
        assert "start it with --no-nanny" in refusal(address)


@pytest.mark.slow
def test_workers_of_another_version_are_refused(monkeypatch):
    """Would catch numbers of two versions in one table."""
    from rnn_tf.runs.provenance import provenance

    other = provenance() | {"python": "3.9.1"}
    monkeypatch.setattr("rnn_tf.devices.dask_cluster.provenance", lambda: other)
    with cluster(1) as (address, _):
        ready(address, 1)
        assert "python is 3.9.1 here and " in refusal(address)


def test_another_scheme_is_an_error():
    with pytest.raises(InputError, match="--cluster is 'ray://x'; it must be dask://"):
        RunConfig(cluster="ray://x")
