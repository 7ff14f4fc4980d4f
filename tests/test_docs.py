"""The README and the Makefile do what they say: every command is run or parsed."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments import (
    forecast,
    generate,
    gradients,
    language,
    lengths,
    modes,
    sketch,
    stacked,
    translate,
    video,
)
from rnn_tf import config
from tests.conftest import GIB, ROOT, workers

DOCUMENTS = "README", "docs/answers", "docs/your-data", "docs/running", "docs/building"
DOCS = "".join((ROOT / f"{name}.md").read_text() for name in DOCUMENTS)
FINDINGS = (ROOT / "results" / "reference" / "README.md").read_text()
BASH = "\n".join(re.findall(r"```bash\n(.*?)```", DOCS + FINDINGS, re.S))
COMMANDS = [line.split("#")[0].strip() for line in BASH.splitlines() if line.strip()]
TARGETS = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.M)


def make(*arguments, cwd=ROOT, timeout=280) -> subprocess.CompletedProcess:
    """Run make with the interpreter of the tests."""
    return subprocess.run(
        ["make", f"PYTHON={sys.executable}", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")},
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_readme_names_targets_and_options_there_are(command):
    words = shlex.split(command)
    assert words[0] == "make"
    targets = [word for word in words[1:] if "=" not in word]
    known = {"stacked": stacked, "gradients": gradients, "lengths": lengths}
    known |= {"modes": modes, "language": language, "translate": translate}
    known |= {"sketch": sketch, "generate": generate, "video": video}
    names = "|".join(known)
    general = {re.sub(f"^({names})-", "forecast-", target) for target in targets}
    assert general <= set(TARGETS)
    assert make("-n", *words[1:]).returncode == 0
    arguments = [word[5:] for word in words if word.startswith("ARGS=")]
    experiment = known.get(targets[0].split("-")[0], forecast)
    for argument in arguments:
        if argument != "--help":
            config.parse(
                experiment.Config, experiment.FULL, shlex.split(argument), "made"
            )


def test_plain_make_lists_every_target_on_one_line_each():
    lines = make().stdout.splitlines()
    assert make("help").stdout.splitlines() == lines
    assert [line.split()[1] for line in lines] == TARGETS


@pytest.mark.long
def test_make_results_runs_every_experiment_and_prints_the_table(tmp_path):
    options = f"ARGS=--epochs 1 --trials 0 --seeds 1 --results {tmp_path}"
    done = make("VENV=", "results", options, timeout=800)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    again = make("VENV=", "summary", f"ARGS=--results {tmp_path}")
    for text in (done.stdout, again.stdout):
        sources = "sines recall symbols grammar dates synthetic doodles digits"
        for name in sources.split():
            assert re.search(rf"^[a-z]+ on {name}", text, re.M)
        assert len(re.findall("^(sketch|generate) on doodles", text, re.M)) == 2
        assert len(re.findall("^(stacked|gradients) on adding", text, re.M)) == 2
        assert text.count(" * ") == 11  # one chosen model in each table
    assert "The exact claims, checked" in done.stdout
    assert "The course's claims, measured" in done.stdout
    assert len(list((tmp_path / "modes").glob("*/modes.csv"))) == 1
    assert (tmp_path / "answers.csv").is_file()
    *_, place, claims, further = done.stdout.splitlines()
    assert place.startswith(str(tmp_path / "report.html"))
    assert " not measured" in claims
    assert further.startswith("next: make ")


@pytest.mark.parametrize(("options", "message"), [
    ("--resume 20260101-120000-ab12", "say it to its experiment"),
    ("--doodles 160", "Unrecognized options"),  # the sketch's alone
    ("--seeds 0", "--seeds is 0"),
])  # fmt: skip
def test_options_that_not_all_experiments_have_are_one_line(tmp_path, options, message):
    """Would catch one that is seen when the first experiments have run."""
    options = f"{options} --results {tmp_path / 'none'}"
    done = make("VENV=", "results", f"ARGS={options}")
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[0]
    assert done.stdout == ""
    assert not (tmp_path / "none").exists()


def test_make_passes_a_failure_on():
    done = make("VENV=", "forecast", "ARGS=--lookbak 3")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].startswith("error: Unrecognized options")


def test_make_lint_passes():
    """The code that is tested is code that lints."""
    done = make("VENV=", "lint")
    assert done.returncode == 0, done.stdout


def test_make_clean_keeps_the_results(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for folder in (".venv", ".pytest_cache", "rnn_tf/__pycache__", "results/forecast"):
        (tmp_path / folder).mkdir(parents=True)
    assert make("clean", cwd=tmp_path).returncode == 0
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert left == {"Makefile", "rnn_tf", "results", "results/forecast"}


def test_a_python_that_tensorflow_cannot_use_is_one_line(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.txt").touch()
    old = tmp_path / "old-python"
    old.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'import sys; "
        'sys.version_info = (3, 9); exec(sys.argv[1])\' "$2"\n'
    )
    old.chmod(0o755)
    done = make(f"PYTHON={old}", "setup", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        "error: this is Python 3.9 and TensorFlow needs 3.10 to 3.13; "
        "try: make PYTHON=python3.12"
    )
    assert not (tmp_path / ".venv").exists()


def test_ci_runs_the_commands_of_the_readme():
    script = (ROOT / ".ci" / "run").read_text()
    assert "make lint" in script
    assert "make test\n" in script
    assert "make test-long" in script
    assert "make test" in COMMANDS


def run_ci(folder, apt: int = 0, seconds: int = 0):
    """Run .ci/run, begun so long ago, with a `make` that says its target alone."""
    (folder / ".ci").mkdir()
    script = shutil.copy(ROOT / ".ci" / "run", folder / ".ci")
    for name in ("bash", "dirname"):
        (folder / name).symlink_to(shutil.which(name))
    for name, code in (("apt-get", apt), ("make", 0)):
        program = folder / name
        program.write_text(f"#!/bin/bash\necho {name} $@; exit {code}\n")
        program.chmod(0o755)
    # Bash counts its seconds from this variable.
    known = {"PATH": str(folder), "SECONDS": str(seconds)}
    return subprocess.run([script], env=known, capture_output=True, text=True)


@pytest.mark.parametrize("works", [True, False])
def test_ci_brings_a_browser_or_fails(tmp_path, works):
    """Would catch a CI in which the tests of the report are skipped for ever."""
    done = run_ci(tmp_path, apt=0 if works else 1)
    assert (done.returncode == 0) == works
    assert ("make test-long" in done.stdout) == works
    assert ("chromium" in done.stdout) == works


def test_ci_leaves_the_long_tests_out_where_they_would_not_fit(tmp_path):
    """Would catch a slow machine that is cut off, and fails with all that passed."""
    done = run_ci(tmp_path, seconds=1260)
    assert done.returncode == 0
    assert "make test\n" in done.stdout
    last = done.stdout.splitlines()[-1]
    assert last == "the long tests are left out: 21 minutes are over; make test-long"


@pytest.mark.slow
def test_the_python_of_the_readme_runs(tmp_path):
    """The lines for a notebook; then, in a process without us, those for its model."""
    saved, notebook = re.findall(r"```python\n(.*?)```", DOCS, re.S)
    assert len(notebook.strip().splitlines()) == 5
    assert notebook.count("epochs=5") == 1
    small = notebook.replace("epochs=5", "epochs=1, seeds=2, classical=False")
    table, summary_of_model = python(small, tmp_path, ROOT).split("Model:", 1)
    for name in ("median_of_4_weeks", "mlp_ensemble", "gru"):
        assert re.search(rf" {name} ", table), table
    assert "Total params" in summary_of_model
    (info,) = tmp_path.glob("results/forecast/*/config.json")
    model = info.with_name(json.loads(info.read_text())["chosen"] + ".keras")
    saved = saved.replace("results/forecast/<run>/<model>.keras", str(model))
    days = np.linspace(1e5, 2e5, 56).tolist()
    code = f"last_days = {days}\n{saved}\nprint(week_ahead.shape)"
    assert "(1, 7)" in python(code, tmp_path, "")


@pytest.mark.slow
def test_the_lines_from_an_own_file_to_next_week_run(tmp_path):
    """Would catch a file that a run refuses, and a run that `predict` does."""
    (lines,) = re.findall(r"```\n(python -c .*?)```", DOCS, re.S)
    assert len(lines.strip().splitlines()) == 6
    small = "--models mlp --epochs 1 --seeds 1 --no-classical"
    run = rf"python -m experiments.forecast \1 {small}"
    lines = re.sub(r'make forecast ARGS="(.*) --models mlp gru"', run, lines)
    folder = str(Path(sys.executable).parent)
    done = subprocess.run(
        ["sh", "-e", "-c", lines],
        cwd=tmp_path, capture_output=True, text=True, timeout=240,
        env=os.environ | {
            "PYTHONPATH": str(ROOT), "PATH": f"{folder}:{os.environ['PATH']}"
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name, first in (("forecast", "2025-12-01"), ("newer-forecast", "2025-12-02")):
        rows = (tmp_path / f"{name}.csv").read_text().splitlines()
        assert len(rows) == 1 + 7
        assert rows[1].startswith(first)
        assert first in done.stdout


def python(code: str, folder, path) -> str:
    """Run code in a folder, with the path to import from; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder, capture_output=True, text=True, timeout=120,
        env=os.environ | {"PYTHONPATH": str(path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_file_names_a_place_outside_the_project():
    """The project stands alone."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True
    ).stdout.split()
    outside = "../" + "shared"
    for name in listed:
        assert outside not in (ROOT / name).read_bytes().decode("latin-1"), name


@pytest.mark.parametrize(
    ("cores", "free", "count"), [(2, 24, 2), (16, 24, 4), (4, 1, 1), (1, 64, 1)]
)
def test_as_many_tests_run_at_a_time_as_cores_and_memory_allow(cores, free, count):
    """Would catch 16 processes that share 24 GiB, or none on a small machine."""
    assert workers(cores, free * GIB) == count
