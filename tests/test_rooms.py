"""Imports between the rooms of rnn_tf go one way: would catch a circle, or a utils."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "rnn_tf"
# Room or file -> the rooms and files of rnn_tf that it may import, besides itself.
ALLOWED = {
    "text": "",
    "errors": "text",
    "files": "errors",
    "colab": "errors",
    "config": "errors text",
    "metrics": "text",
    "data": "errors files text",
    "runs": "errors files",
    "baselines": "data errors",
    "models": "data errors files",
    "devices": "config errors runs.provenance",
    "claims": "runs metrics config errors files text",
    "report": "claims runs metrics config errors files text",
    "recipe": "devices data runs metrics config errors files text report.summary "
    "models.drawing models.mixture_density models.sampling models.translation "
    "report.translation_plots report.search_plots",
    "studies": "models data metrics baselines errors files",  # plain_table
}
MODULES = {path.relative_to(PACKAGE): path for path in PACKAGE.rglob("*.py")}
OURS = "rnn_tf.", "experiments.", "benchmarks.", "tests."


def imported(source: str) -> set[str]:
    """Return the names it imports from this repository, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "name the package, not dots"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {n.removeprefix("rnn_tf.") for n in names if f"{n}.".startswith(OURS)}


def forbidden(room: str, source: str) -> set[str]:
    """Return what a module of `room` imports and may not."""
    allowed = tuple(f"{name}." for name in [room, *ALLOWED[room].split()])
    return {name for name in imported(source) if not f"{name}.".startswith(allowed)}


ROOMLESS = {Path("__init__.py")}


@pytest.mark.parametrize("module", sorted(set(MODULES) - ROOMLESS), ids=str)
def test_imports_follow_the_table(module):
    room = module.parts[0].removesuffix(".py")
    assert room in ALLOWED, f"{room} is no room; choose of {', '.join(ALLOWED)}"
    assert forbidden(room, MODULES[module].read_text("utf-8")) == set()


def test_an_import_inside_a_function_counts():
    assert forbidden("metrics", "def f():\n    from rnn_tf import recipe") == {"recipe"}
    assert forbidden("metrics", "import rnn_tf"), "all of the package"
    assert forbidden("recipe", "from experiments import forecast")
    assert forbidden("devices", "from rnn_tf.runs import run_folder")
    assert not forbidden("devices", "from rnn_tf.runs.provenance import provenance")


def test_packages_are_empty():
    """Would catch a re-export that has --help import TensorFlow."""
    inits = [path for path in MODULES.values() if path.name == "__init__.py"]
    assert [path for path in inits if path.read_text("utf-8").strip()] == []
