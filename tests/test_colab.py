"""The notebook: clean as committed, right about where it is, and it runs as a whole."""

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
from rnn_tf.data.series import ridership
from tests.bucket import serve
from tests.conftest import ROOT
from tests.test_download import archive, digest, rides

PATH = "experiments/colab.ipynb"
NOTEBOOK = nbformat.read(ROOT / PATH, 4)
RUNS = "stacked forecast sketch video ridership".split()  # cells

# In place of the notebook's sizes. The city's file comes from a server on this machine.
TINY = """
from rnn_tf.data.series import ridership

ridership.URL, ridership.TGZ_SHA256, ridership.CSV_SHA256 = {city!r}
shared = {{"epochs": 1, "trials": 0, "seeds": 1, "results": Path({results!r})}}
adding = {{"data": ("adding",), "cells": ("gru",), "lengths": (10,), "examples": 100}}
STACKED = shared | adding
FORECAST = shared | {{"models": ("mlp",), "classical": False}}
SKETCH = shared | {{"models": ("conv_lstm",), "doodles": 200, "longest": 50}}
VIDEO = shared | {{"models": ("cnn_mean",), "digits": 160}}
RIDERSHIP = FORECAST
"""


def cell(notebook, name: str):
    """The cell whose id is `name`."""
    (found,) = (cell for cell in notebook.cells if cell.id == name)
    return found


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


@pytest.mark.long
def test_the_notebook_runs_from_top_to_bottom(tmp_path, jupyter):
    """As committed, but for its sizes; it shows tables and pictures, briefly."""
    packed = archive(f"datasets/{ridership.CSV}", rides())
    notebook = nbformat.from_dict(NOTEBOOK)
    (sizes,) = (
        one for one in notebook.cells if "parameters" in one.metadata.get("tags", [])
    )
    names = set(re.findall(r"^[A-Z]+", sizes.source, re.M))
    with serve(tmp_path / "served") as bucket:
        (bucket.folder / "ridership.tgz").write_bytes(packed)
        city = f"{bucket.url}/ridership.tgz", digest(packed), digest(rides())
        sizes.source = TINY.format(city=city, results=str(tmp_path / "results"))
        where = {"metadata": {"path": str(ROOT / "experiments")}}
        NotebookClient(notebook, km=jupyter, timeout=250, resources=where).execute()
    assert names == set(re.findall(r"^[A-Z]+", sizes.source, re.M))
    assert bucket.asked == ["GET /ridership.tgz"]
    runs = (tmp_path / "results").glob("*/*/config.json")
    status = [(run.parts[-3], json.loads(run.read_text())["status"]) for run in runs]
    assert sorted(name for name, _ in status) == sorted(
        ["forecast", "forecast", "sketch", "stacked", "video"]
    )
    assert {one for _, one in status} == {"complete"}
    for name in RUNS:
        shown = outputs(notebook, name)
        tables = [
            one["text/html"] for one in shown if "<table" in one.get("text/html", "")
        ]
        assert len(tables) == 1, name
        assert "verdict" in tables[0]
        assert sum("image/png" in one for one in shown) >= 2, name
        said = "".join(one.get("text/plain", "") for one in shown)
        assert "completed" not in said  # no line for each fit, but a bar ...
        assert "━" not in said  # ... that has gone
    assert outputs(notebook, "week")[-1]["text/plain"].count("2020-01-") == 7
