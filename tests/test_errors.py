"""How a command ends: its exit code, one line, and what signals do."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import ROOT, take_ctrl_c

WAITS = """
import sys, time
from rnn_tf import errors
def work():
    try:
        print("begun", flush=True)
        time.sleep(60)
    finally:
        print("put away", flush=True)
raise SystemExit(errors.exit_code(work))
"""


def interrupted(number: int, **options) -> tuple[int, str]:
    """Send a signal to a command that waits; its exit code, and what it printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    process.stdout.readline()
    process.send_signal(number)
    if number == signal.SIGHUP and options.get("preexec_fn") is ignore_hangup:
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=60)
    return process.returncode, printed


def ignore_hangup():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_that_end_a_process_let_it_put_away_what_it_began(number):
    """Would catch a conversion that leaves its half in the cache when a machine is
    taken away, which is told by SIGTERM."""
    code, printed = interrupted(number, preexec_fn=take_ctrl_c)
    assert (code, printed) == (128 + number, "put away\n\ninterrupted\n")


def test_under_nohup_a_command_goes_on():
    code, _ = interrupted(signal.SIGHUP, preexec_fn=ignore_hangup)
    assert code == 128 + signal.SIGTERM


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.1, 0.4, 0.8, 1.5, 2.5, 4])
def test_ctrl_c_while_libraries_load_is_one_line(tmp_path, seconds):
    """Would catch a KeyboardInterrupt that `import` swallows (36 lines of
    AttributeError, status failed), C++ that aborts, and an empty run that stays."""
    process = subprocess.Popen(
        [sys.executable, "-m", "experiments.forecast", "--results", tmp_path],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=take_ctrl_c,
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130
    line = error.strip()
    assert line.startswith("interrupted")
    assert "\n" not in line
    assert all(str(run) in line for run in tmp_path.glob("*/*"))
