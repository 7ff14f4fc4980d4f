"""The notebook: clean as committed, right about where it is, and it runs as a whole."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from rnn_tf import colab
from rnn_tf.errors import InputError
from rnn_tf.report import about
from tests.conftest import ROOT

PATH = "experiments/colab.ipynb"
ORDER = [*about.EXPERIMENTS]
NOTEBOOK = nbformat.read(ROOT / PATH, 4)
# Cells that show a picture, and those that show a table; others are of the notebook.
PICTURES = "stacked modes gradients lengths language translate forecast".split()
PICTURES += "sketch generate video own".split()
TABLES = "devices facts answers".split()
FIRST = "checkout set-up sizes shown".split()  # what all cells need

# In place of the notebook's sizes.
TINY = """
from pathlib import Path

from rnn_tf.studies import gradient_facts, gradient_flow

gradient_flow.SIZES["quick"] = gradient_flow.Sizes(
    activations=("tanh",), weights=("orthogonal",), gains=(1.5,), forget_biases=(1.0,),
    units=4, steps=20, seeds=3,
)
gradient_facts.SIZES["quick"] = gradient_facts.Sizes(
    seeds=1, rounds=1, rates=(1e-3, 1.0), updates=6, length=12, stream=400,
    distances=(0, 1, 5, 30),
)
RESULTS = Path({results!r})
short = {{"epochs": 1, "trials": 0, "seeds": 1}}
STACKED = short | {{"data": ("sines",), "cells": ("lstm",), "depths": (1,)}}
MODES = {{"tasks": ("parity",)}}
GRADIENTS = short | {{"data": ("adding",), "cells": ("gru",), "remedies": ("none",)}}
GRADIENTS |= {{"length": 6, "examples": 100, "gains": (1.0,), "rates": (0.1,)}}
GRADIENTS |= {{"chunks": (10,)}}
LENGTHS = short | {{"data": ("sentences",), "examples": 100, "rows": 32}}
LENGTHS |= {{"steps": (3,), "rounds": 1, "longest": 6, "width": 9, "units": 4}}
LANGUAGE = short | {{"models": ("gru",), "sentences": 500, "units": 8, "spoken": 9}}
TRANSLATE = short | {{"models": ("attention",), "examples": 200, "units": 8}}
FORECAST = short | {{"models": ("mlp",), "classical": False}}
OWN = FORECAST
SKETCH = short | {{"models": ("conv_lstm",), "doodles": 200, "longest": 50}}
GENERATE = short | {{"models": ("lstm",), "doodles": 250, "longest": 24, "units": 8}}
GENERATE |= {{"judge_steps": 4, "drawn": 2, "temperatures": (0.5,), "studies": ()}}
VIDEO = short | {{"models": ("cnn_mean",), "digits": 160}}
DEVICES = {{"seeds": 1}}
"""


def cell(notebook, name: str):
    """The cell whose id is `name`."""
    (found,) = (cell for cell in notebook.cells if cell.id == name)
    return found


def code_cells(notebook) -> list:
    """Its cells of code."""
    return [one for one in notebook.cells if one.cell_type == "code"]


def source(name: str) -> str:
    """The code of a cell, as committed."""
    return cell(NOTEBOOK, name).source


# ---------------------------------------------------------------- as committed


def test_nothing_but_the_cells_is_committed():
    """Would catch outputs, counts, and what an editor notes of who ran it where."""
    nbformat.validate(NOTEBOOK)
    assert set(NOTEBOOK.metadata) == {"kernelspec", "language_info"}
    assert NOTEBOOK.metadata.kernelspec.name == "python3"
    assert NOTEBOOK.metadata.language_info == {"name": "python"}
    for one in NOTEBOOK.cells:
        tags = {"tags": ["parameters"]} if one.id == "sizes" else {}
        assert one.metadata == tags, one.id
        if one.cell_type == "code":
            assert (one.outputs, one.execution_count) == ([], None), one.id


def test_the_badge_opens_this_notebook_in_the_repository_that_it_clones():
    readme = (ROOT / "README.md").read_text()
    (address,) = re.findall(
        r'REPOSITORY = "https://github.com/(.*)"', source("checkout")
    )
    badge = re.search(
        r"\[!\[.*\]\(https://colab\.research\.google\.com/assets/colab-badge\.svg\)\]"
        r"\(https://colab\.research\.google\.com/github/([^/]+/[^/]+)/blob/main/(.+)\)",
        readme,
    )
    assert badge.groups() == (address, PATH)


def test_each_experiment_is_a_cell_below_a_line_in_the_order_of_the_page():
    """Would catch an experiment that the notebook lacks."""
    cells = {one.id: one for one in NOTEBOOK.cells}
    assert [name for name in cells if name in ORDER] == ORDER
    for name in ORDER:
        above = cells[f"about-{name}"].source
        assert above.startswith("## "), name
        assert "\n" not in above, name
        assert f"from experiments import {name}" in cells[name].source


# ---------------------------------------------------------------- set-up


def run_checkout(folder: Path, repository: Path) -> subprocess.CompletedProcess:
    """Run the first cell in a folder, with another repository."""
    code = re.sub(
        r'"https://github.com/[^"]*"', repr(repository.as_uri()), source("checkout")
    )
    return subprocess.run(
        [sys.executable, "-c", f"{code}\nprint(root, Path.cwd(), sys.path[0])"],
        cwd=folder, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.fixture
def repository(tmp_path):
    """A repository with one file of the project in it."""
    path = tmp_path / "served" / "project"
    (path / "experiments").mkdir(parents=True)
    (path / "experiments" / "forecast.py").touch()
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "one"]):
        subprocess.run(["git", "-C", str(path), *words], check=True)
    return path


def test_the_project_is_cloned_once_and_then_found_from_any_folder_of_it(
    tmp_path, repository
):
    here = tmp_path / "here"
    here.mkdir()
    clone = here / "project"
    for folder in (here, here, clone, clone / "experiments"):
        done = run_checkout(folder, repository)
        assert done.stdout.split() == [str(clone)] * 3, done.stderr
    assert [path.name for path in here.iterdir()] == ["project"]


def test_a_repository_that_is_not_there_is_one_line(tmp_path):
    done = run_checkout(tmp_path, tmp_path / "away" / "project")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("could not clone file:///")
    assert "Traceback" not in done.stderr


def test_a_device_is_seen_without_starting_it(tmp_path, monkeypatch):
    """A chip without libtpu is none that JAX could use."""
    monkeypatch.setenv("PATH", str(tmp_path))
    devices = tmp_path / "dev"
    (devices / "vfio").mkdir(parents=True)
    for name in ("vfio/vfio", "vfio/0", "accelerometer"):
        (devices / name).touch()
    assert colab.accelerator(devices) == ("CPU", f"{os.cpu_count()} cores")
    smi = tmp_path / "nvidia-smi"
    smi.write_text("#!/bin/sh\necho Tesla T4\necho Tesla T4\n")
    smi.chmod(0o755)
    assert colab.accelerator(devices) == ("GPU", "Tesla T4, Tesla T4")
    (tmp_path / "libtpu").mkdir()
    (tmp_path / "libtpu" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert colab.accelerator(devices) == ("TPU", "1 chips")
    smi.write_text("#!/bin/sh\necho no driver; exit 9\n")
    assert colab.accelerator(tmp_path) == ("CPU", f"{os.cpu_count()} cores")


def test_a_tpu_chooses_the_engine_and_asks_for_it(tmp_path, monkeypatch, capsys):
    for name, lines in (("", "numpy>=1"), ("-jax", "no-such-jax>=3  # the engine")):
        (tmp_path / f"requirements{name}.txt").write_text(f"# all\n{lines}\n")
    asked = []
    monkeypatch.setattr(colab, "install", lambda wanted: asked.append(wanted))
    monkeypatch.setenv("KERAS_BACKEND", "")
    monkeypatch.delenv("KERAS_BACKEND")
    for kind in ("CPU", "TPU"):
        monkeypatch.setattr(colab, "accelerator", lambda kind=kind: (kind, "any"))
        colab.set_up(tmp_path)
    assert [[str(one) for one in all_] for all_ in asked] == [
        ["numpy>=1"],
        ["numpy>=1", "no-such-jax>=3"],
    ]
    assert os.environ["KERAS_BACKEND"] == "jax"
    assert "KERAS_BACKEND=jax" in capsys.readouterr().out.splitlines()[1]


def test_what_is_refused_is_a_line_and_other_errors_stop_the_notebook(capsys):
    """Would catch a mistake of the project that passes for one of the user."""
    with colab.errors_in_a_line():
        raise InputError("a.csv is not there")
    assert capsys.readouterr().out == "left out: a.csv is not there\n"
    with pytest.raises(ValueError, match="no input"), colab.errors_in_a_line():
        raise ValueError("no input")


# ---------------------------------------------------------------- installing


def wheel(folder: Path, name: str, version: str, needs: str = "") -> None:
    """A package of nothing but its name."""
    folder.mkdir(exist_ok=True)
    about = f"{name}-{version}.dist-info"
    said = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files = {
        f"{name}.py": "",
        f"{about}/METADATA": said + (f"Requires-Dist: {needs}\n" if needs else ""),
        f"{about}/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{about}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for file, content in (files | {f"{about}/RECORD": record}).items():
            archive.writestr(file, content)


@pytest.fixture
def runtime(tmp_path):
    """Install by the notebook's rules in an environment like Colab's, offline.

    It has pip, and a numpy and tensorflow of its own; pip could get a newer numpy, and
    two packages that need one: any, or a newer.
    """
    shelf, site = tmp_path / "shelf", tmp_path / "own"
    wheel(shelf, "numpy", "2.5")
    wheel(shelf, "modest", "1.0", "numpy>=1")
    wheel(shelf, "greedy", "1.0", "numpy>=2.5")
    venv.create(tmp_path / "venv", with_pip=False)
    (inner,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    for name, version in (("numpy", "2.0"), ("tensorflow_cpu", "2.19.0")):
        wheel(site, name, version)
        with zipfile.ZipFile(site / f"{name}-{version}-py3-none-any.whl") as packed:
            packed.extractall(inner)
    for name in ("pip", "packaging"):
        (inner / name).symlink_to(Path(sysconfig.get_path("purelib"), name))

    def install(*wanted: str) -> tuple[subprocess.CompletedProcess, dict]:
        code = "import sys; from pathlib import Path; from rnn_tf import colab; "
        code += "colab.install([colab.Requirement(one) for one in sys.argv[1:]])"
        done = subprocess.run(
            [tmp_path / "venv" / "bin" / "python", "-c", code, *wanted],
            cwd=ROOT, capture_output=True, text=True, timeout=120,
            env=os.environ | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf)},
        )  # fmt: skip
        return done, dict(path.stem.split("-") for path in inner.glob("*.dist-info"))

    return install


OWN = {"numpy": "2.0", "tensorflow_cpu": "2.19.0"}


def test_what_is_missing_is_installed_and_what_fits_stays(runtime):
    done, found = runtime("modest>=1", "numpy>=1.26,<3", "tensorflow>=2.19,<2.22")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "installing modest>=1\n"
    assert found == OWN | {"modest": "1.0"}
    done, found = runtime("modest>=1", "numpy>=1.26,<3")
    assert done.stdout == ""  # nothing to do: pip was not asked


def test_a_package_that_would_replace_the_runtimes_own_is_not_installed(runtime):
    done, found = runtime("greedy", "numpy>=1.26,<3")
    assert found == OWN
    assert done.returncode == 1
    assert "greedy" in done.stdout  # pip's own words
    assert done.stderr == "pip could not install what is missing; it says why above\n"


def test_a_tensorflow_out_of_range_is_one_line_and_left_alone(runtime):
    done, found = runtime("modest", "tensorflow>=2.20,<2.22")
    assert found == OWN
    assert done.returncode == 1
    assert done.stderr == (
        "tensorflow-cpu 2.19.0 is installed, and the experiments take <2.22,>=2.20; "
        "choose another version of the runtime, or replace it and restart: "
        "%pip install 'tensorflow<2.22,>=2.20'\n"
    )


# ---------------------------------------------------------------- as a whole


@pytest.fixture
def jupyter(tmp_path, monkeypatch):
    """Nothing of Jupyter's or of the user's is read or written outside `tmp_path`."""
    for name in "JUPYTER_DATA_DIR JUPYTER_RUNTIME_DIR JUPYTER_CONFIG_DIR".split():
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # Without folders of kernels there is one kernel: the Python that runs the tests.
    kernels = KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True)
    return AsyncKernelManager(kernel_name="python3", kernel_spec_manager=kernels)


def outputs(notebook, name: str) -> list[dict]:
    """What a cell shows, each as MIME type -> content."""
    return [one.get("data", {}) for one in cell(notebook, name).outputs]


def text(notebook, name: str) -> str:
    """All that a cell says in words, on stdout or shown."""
    cells = cell(notebook, name).outputs
    return "".join(one.get("text") or one.data.get("text/plain", "") for one in cells)


def noise(notebook) -> list[str]:
    """What it says on stderr, in whichever cell."""
    shown = (one for each in code_cells(notebook) for one in each.outputs)
    return [one.text for one in shown if one.get("name") == "stderr"]


def execute(kernel, results: Path, *names: str):
    """Run the notebook, or its first cells and some others, at the smallest sizes."""
    notebook = nbformat.from_dict(NOTEBOOK)
    cell(notebook, "sizes").source = TINY.format(results=str(results))
    if names:
        kept = [*FIRST, *names]
        notebook.cells = [one for one in notebook.cells if one.id in kept]
    where = {"metadata": {"path": str(ROOT / "experiments")}}
    NotebookClient(notebook, km=kernel, timeout=600, resources=where).execute()
    return notebook


def test_the_smallest_sizes_are_of_all_that_has_sizes():
    """Would catch an experiment that the test of the whole runs in its quick size."""
    sizes = (re.findall(r"^[A-Z]+", text, re.M) for text in (source("sizes"), TINY))
    assert {*next(sizes)} == {*next(sizes)}


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_notebook_runs_from_top_to_bottom(tmp_path, jupyter):
    """As committed, but for its sizes, and quietly."""
    results = tmp_path / "results"
    notebook = execute(jupyter, results)
    runs = list(results.glob("*/*/config.json"))
    assert sorted(run.parts[-3] for run in runs) == sorted([*ORDER, "forecast"])
    assert {json.loads(run.read_text())["status"] for run in runs} == {"complete"}
    for name in PICTURES:
        assert sum("image/png" in one for one in outputs(notebook, name)) == 1, name
    for name in TABLES:
        shown = [one.get("text/html", "") for one in outputs(notebook, name)]
        assert sum("<table" in one for one in shown) == 1, name
    assert "2025-12-01" in text(notebook, "own")  # the day after the made-up series
    assert "recommended: " in text(notebook, "language")
    assert text(notebook, "report").startswith(f"{results / 'report.html'} shows ")
    assert '/report.html" download>' in outputs(notebook, "report")[-1]["text/html"]
    said = "".join(text(notebook, one.id) for one in code_cells(notebook))
    assert "completed" not in said  # no line for each fit, but a bar ...
    assert "━" not in said  # ... that has gone
    assert noise(notebook) == []


@pytest.mark.long
@pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="JAX is not installed")
def test_on_jax_what_cannot_run_is_a_line_and_the_notebook_goes_on(
    tmp_path, jupyter, monkeypatch
):
    """As on a TPU. That the other experiments run on JAX is for test_jax_backend.

    Would catch a cell that needs what another one has imported, too.
    """
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    results = tmp_path / "results"
    notebook = execute(jupyter, results, "devices", "facts", "own")
    (line,) = text(notebook, "devices").splitlines()
    assert line.startswith("left out: two workers are TensorFlow's alone")
    assert not (results / "devices").exists()
    assert any("image/png" in one for one in outputs(notebook, "own"))
    (run,) = results.glob("forecast/*/config.json")
    assert json.loads(run.read_text())["devices"]["engine"] == "jax"
    assert all(line.startswith("left out: ") for line in noise(notebook))


def test_the_drawing_page_guesses_in_its_frame(tmp_path, browser):
    """Would catch a frame whose sandbox or escapes keep its scripts from running."""
    code = source("draw").replace("HTML(", "frame = str(")
    names = {"RESULTS": tmp_path}
    exec(code, names)
    opened = browser.new_page()
    opened.set_content(names["frame"])
    _, frame = opened.frames
    box = frame.locator("#canvas").bounding_box()
    opened.mouse.move(box["x"] + 80, box["y"] + 80)
    opened.mouse.down()
    opened.mouse.move(box["x"] + 180, box["y"] + 200)
    opened.mouse.up()
    frame.locator("#guesses button").nth(4).wait_for()
    opened.close()
