"""How a command ends: its exit code, one line, and what signals do."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnn_tf.claims import answers
from rnn_tf.errors import InputError, exit_code
from rnn_tf.report import summary
from tests.conftest import ROOT, run_python, take_ctrl_c

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


def interrupted(*numbers: int, ignored: tuple[int, ...] = ()) -> tuple[int, str]:
    """Send signals to a command that waits; its exit code, and what it printed."""

    def take():  # CI may run under nohup, and children inherit what it ignores
        for number in numbers:
            taken = signal.SIG_IGN if number in ignored else signal.SIG_DFL
            signal.signal(number, taken)

    process = subprocess.Popen(
        [sys.executable, "-c", WAITS],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=take,
    )
    process.stdout.readline()
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.3)
    printed, _ = process.communicate(timeout=60)
    return process.returncode, printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_that_end_a_process_let_it_put_away_what_it_began(number):
    """Would catch a conversion that leaves its half in the cache when a machine is
    taken away, which is told by SIGTERM."""
    code, printed = interrupted(number)
    assert (code, printed) == (128 + number, "put away\n\ninterrupted\n")


def test_under_nohup_a_command_goes_on():
    hangup = signal.SIGHUP
    code, _ = interrupted(hangup, signal.SIGTERM, ignored=(hangup,))
    assert code == 128 + signal.SIGTERM


STARTS = """
import runpy, sys
name, *arguments = sys.argv[1:]
sys.argv = ["-m"]  # what it is while Python looks for the module of `python -m`
import experiments
print("ours from here", flush=True)
sys.argv = [name, *arguments]
runpy.run_module(name, run_name="__main__", alter_sys=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0, 0.4, 1.5, 3])
def test_ctrl_c_while_libraries_load_is_one_line(tmp_path, seconds):
    """Would catch a KeyboardInterrupt that `import` swallows (36 lines of
    AttributeError, status failed), C++ that aborts, and an empty run that stays.

    Counted from our first line on: what Python says before, while it starts itself, is
    its own.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", STARTS, "experiments.forecast", "--results", tmp_path],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=take_ctrl_c,
    )
    process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130
    line = error.strip()
    assert line.startswith("interrupted")
    assert "\n" not in line
    assert all(str(run) in line for run in tmp_path.glob("*/*"))


# ---------------------------------------------------------------- what it prints

PRINTS = """
import sys
from rich.console import Console
from rnn_tf import errors
def work():
    for number in range(3000):
        print("a line on stdout")
        Console().print("a line by rich: \\u732b \\u00b7")
    print("went on", file=sys.stderr)
    if sys.argv[1:]:
        raise errors.InputError(sys.argv[1])
raise SystemExit(errors.exit_code(work))
"""


def test_a_reader_that_ends_does_not_end_the_work():
    """Would catch `make forecast | head -1`: a training that fails for its output."""
    process = subprocess.Popen(
        [sys.executable, "-c", PRINTS],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read().decode()
    process.stderr.close()
    assert (process.wait(60), errors) == (0, "went on\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_under_stdout_and_stderr_changes_no_exit_code():
    for arguments, code in (([], 0), (["bad"], 2)):
        with Path("/dev/full").open("w") as full:
            command = [sys.executable, "-c", PRINTS, *arguments]
            done = subprocess.run(
                command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True
            )
            silent = subprocess.run(command, cwd=ROOT, stdout=full, stderr=full)
        assert (done.returncode, silent.returncode) == (code, code)
        assert done.stderr == "went on\n" + "error: bad\n" * bool(arguments)


def test_characters_that_the_terminal_lacks_are_question_marks():
    done = run_python("-c", PRINTS, "\u732b", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 2
    assert "a line by rich: ? ?\n" in done.stdout
    assert done.stderr == "went on\nerror: ?\n"


def test_without_an_output_the_work_is_done():
    """Would catch `>&-`, as some services start programs."""
    shell = f"exec {sys.executable} -c '{PRINTS}' >&-"
    done = subprocess.run(["sh", "-c", shell], cwd=ROOT, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"went on\n")


def test_an_error_is_one_line_of_a_bounded_length(capsys):
    """Would catch a cell of two megabytes, and text that clears the terminal."""

    def work():
        raise InputError("\x1b[2J\n" + "x" * 2_000_000 + "the way out")

    assert exit_code(work) == 2
    line = capsys.readouterr().err
    assert line.startswith(r"error: \x1b[2J\nxxx")
    assert line.endswith("the way out\n")
    assert len(line) == 1_001


@pytest.mark.parametrize(
    ("module", "name"), [(answers, "answers.csv"), (summary, "summary.csv")]
)
def test_tables_that_cannot_be_written_are_bad_input(tmp_path, module, name):
    """Would catch a traceback of make summary and make answers on a read-only disk."""
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=f"cannot write to {tmp_path} ") as refused:
        module.main(tmp_path)
    assert "\n" not in str(refused.value)
