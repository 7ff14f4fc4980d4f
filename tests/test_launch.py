"""The launcher: it starts workers, and none outlives a failure or Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT

# A stand-in for an experiment: what it does depends on which worker it is.
WORKER = """
import json, os, pathlib, sys, time
from rnn_tf.errors import InputError, RunError, exit_code
task = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
here = pathlib.Path(__file__).parent
(here / f"{task}.json").write_text(json.dumps([sys.argv[1:], dict(os.environ)]))
print("out of", task)

def sleep(seconds=120):
    time.sleep(seconds)

def wait_for_all():
    while len(list(here.glob("*.json"))) < 2:
        time.sleep(0.01)

def work():
    wait_for_all()
    BODY

code = exit_code(work)
(here / f"{task}.ended").write_text(str(code))
raise SystemExit(code)
"""


@pytest.fixture
def launcher(tmp_path):
    """Start the launcher on a worker whose work is `body`; killed in the end."""
    started = []

    def start(body: str, *options: str, ignored=None) -> subprocess.Popen:
        (tmp_path / "stand_in.py").write_text(WORKER.replace("BODY", body))
        command = [
            sys.executable,
            "-m",
            "rnn_tf.devices.launch",
            *options,
            "stand_in",
            "--a",
        ]
        path = f"{ROOT}{os.pathsep}{tmp_path}"
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=ignored and (lambda: signal.signal(ignored, signal.SIG_IGN)),
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def until(condition, seconds=60):
    """Wait until it is true."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def ended(folder: Path) -> dict[str, str]:
    """Which workers came to their end, and with which exit code."""
    return {path.stem: path.read_text() for path in sorted(folder.glob("*.ended"))}


def test_each_worker_gets_its_place_and_the_options(launcher, tmp_path):
    process = launcher("pass", "--workers", "3")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "out of 0\n", "")
    found = [json.loads((tmp_path / f"{i}.json").read_text()) for i in range(3)]
    configs = [json.loads(environment["TF_CONFIG"]) for _, environment in found]
    assert [c["task"] for c in configs] == [
        {"type": "worker", "index": index} for index in range(3)
    ]
    assert configs[0]["cluster"] == configs[1]["cluster"] == configs[2]["cluster"]
    assert len(set(configs[0]["cluster"]["worker"])) == 3
    for options, environment in found:
        assert options == ["--a", "--strategy", "multiworker"]
        assert environment["CUDA_VISIBLE_DEVICES"] == ""


def test_a_worker_that_fails_is_heard_and_the_others_end(launcher, tmp_path):
    body = 'if task: raise InputError("no data here")\n    sleep(3)'
    process = launcher(body)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err == "worker 1: error: no data here\n"
    assert ended(tmp_path) == {"0": "0", "1": "2"}


def test_what_the_chief_says_too_is_said_once(launcher):
    process = launcher('raise InputError("a batch of 33")')
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err == "error: a batch of 33\n"


def test_when_the_chief_fails_the_others_are_ended(launcher, tmp_path):
    process = launcher('if not task: raise RunError("full")\n    sleep()')
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == "error: full\n"
    assert ended(tmp_path) == {"0": "1", "1": "130"}


@pytest.mark.parametrize("victim", [0, 1])
def test_a_worker_that_is_killed_is_named(launcher, victim):
    process = launcher(f"if task == {victim}: os.kill(os.getpid(), 9)\n    sleep(2)")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 137
    assert err.splitlines()[-1] == f"worker {victim}: killed by SIGKILL"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_is_passed_on_once(launcher, tmp_path, number):
    """The workers end by themselves, as on a Ctrl-C of their own.

    Also in the background of a script, where it begins with signals ignored.
    """
    process = launcher("sleep()", ignored=number)
    until(lambda: len(list(tmp_path.glob("*.json"))) == 2)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert ended(tmp_path) == {"0": "130", "1": "130"}
    assert err.split() == ["interrupted"]


@pytest.mark.parametrize("options", [("--workers", "0"), ("--workers", "two")])
def test_a_wrong_number_of_workers_is_one_line(launcher, options):
    process = launcher("pass", *options)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1
