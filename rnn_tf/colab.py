"""Set up a notebook: name the device, install what is missing, and put errors briefly.

On Colab, TensorFlow, Keras, NumPy and JAX fit each other and the device, so whatever of
them is there stays as it is. Nothing else may be there yet: only the standard library
is imported, and `packaging`, which every notebook's kernel brings (ipykernel).
"""

import contextlib
import importlib
import importlib.util
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from rnn_tf.errors import InputError

OWN = ("tensorflow", "keras", "numpy", "jax", "jaxlib")  # the runtime's: not replaced
BUILDS = {"tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-tpu")}
MEANS = {
    "CPU": "there is nothing to set",
    "GPU": "the experiments take it by themselves",
    "TPU": "Keras runs on JAX here (KERAS_BACKEND=jax)",
}


def set_up(root: Path) -> None:
    """Print what the device is and means, and install what the experiments lack.

    To be called before Keras is imported, because on a TPU it chooses the engine.

    Args:
        root: folder of the project.

    Raises:
        SystemExit: see `install`.
    """
    # tqdm's, on importing it; nobody here shows its bars.
    warnings.filterwarnings("ignore", "IProgress not found")
    kind, name = accelerator()
    files = ["requirements.txt"]
    if kind == "TPU":
        os.environ.setdefault("KERAS_BACKEND", "jax")
        files.append("requirements-jax.txt")
    print(f"{kind} ({name}): {MEANS[kind]}")
    install([line for file in files for line in requirements(root / file)])


@contextlib.contextmanager
def errors_in_a_line() -> Iterator[None]:
    """Print an InputError as a line, and let the notebook go on with the next cell."""
    try:
        yield
    except InputError as error:
        print(f"left out: {error}")


def accelerator(devices: Path = Path("/dev")) -> tuple[str, str]:
    """Detect CPU, GPU or TPU, and which, without starting it."""
    tpus = [*devices.glob("accel[0-9]*"), *devices.glob("vfio/[0-9]*")]
    if tpus and importlib.util.find_spec("libtpu"):  # by which JAX drives them
        return "TPU", f"{len(tpus)} chips"
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        gpus = subprocess.run(query, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        gpus = ""
    if gpus.strip():
        return "GPU", ", ".join(gpus.strip().splitlines())
    return "CPU", f"{os.cpu_count()} cores"


def requirements(file: Path) -> list[Requirement]:
    """Read a requirements file."""
    lines = [line.split("#")[0] for line in file.read_text("utf-8").splitlines()]
    return [Requirement(line) for line in lines if line.strip()]


def install(wanted: list[Requirement]) -> None:
    """Let pip add what is absent; if nothing is, do nothing.

    What is installed and fits is named to pip with its very version, as a requirement
    and not as a constraint (`pip install -c`): pip then keeps to what TensorFlow needs
    itself, such as its protobuf, and fetches no `tensorflow` where `tensorflow-cpu` is.

    Raises:
        SystemExit: the runtime's own TensorFlow or the like does not fit, or pip
            failed; nothing is changed.
    """
    absent = [requirement for requirement in wanted if not _fits(requirement)]
    for requirement in absent:
        if requirement.name in OWN and _installed(requirement.name):
            raise SystemExit(_misfit(requirement))
    if absent:
        candidates = [*map(Requirement, OWN), *wanted]
        kept = {"==".join(_installed(r.name)) for r in candidates if _fits(r)}
        _pip([str(requirement) for requirement in absent], sorted(kept))


def _misfit(requirement: Requirement) -> str:
    """Say that the runtime's own version does not fit, and what to do."""
    return (
        f"{' '.join(_installed(requirement.name))} is installed, and the experiments "
        f"take {requirement.specifier}; choose another version of the runtime, or "
        f"replace it and restart: %pip install '{requirement}'"
    )


def _fits(requirement: Requirement) -> bool:
    """Tell whether it is installed, in a version that is asked for."""
    build = _installed(requirement.name)
    return bool(build) and requirement.specifier.contains(build[1], prereleases=True)


def _installed(name: str) -> tuple[str, str] | None:
    """Look up what is installed of a package: name of the build, and version."""
    for build in BUILDS.get(name, (name,)):
        try:
            return build, metadata.version(build)
        except metadata.PackageNotFoundError:
            continue
    return None


def _pip(absent: list[str], kept: list[str]) -> None:
    """Run pip, silent unless it fails.

    Raises:
        SystemExit: it failed.
    """
    print("installing", ", ".join(absent))
    command = [sys.executable, "-m", "pip", "install", "--quiet"]
    command += ["--disable-pip-version-check", *absent, *kept]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr)
        raise SystemExit("pip could not install what is missing; it says why above")
    importlib.invalidate_caches()  # this very process is to see what is new
