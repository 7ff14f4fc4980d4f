"""What a notebook does first: see the device, and install what is missing.

On Colab, TensorFlow, Keras, NumPy and JAX fit each other and the device, so whatever of
them is there stays as it is. Nothing else may be there yet: only the standard library
is imported, and `packaging`, which every notebook's kernel brings (ipykernel).
"""

import importlib
import importlib.util
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

OWN = ("tensorflow", "keras", "numpy", "jax", "jaxlib")  # the runtime's: not replaced
BUILDS = {"tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-tpu")}
MEANS = {
    "CPU": "there is nothing to set",
    "GPU": "the experiments take it by themselves",
    "TPU": "Keras runs on JAX here (KERAS_BACKEND=jax)",
}


def set_up(root: Path) -> None:
    """Say what the device is and means, and install what the experiments lack.

    To be called before Keras is imported, because on a TPU it chooses the engine.

    Args:
        root: folder of the project.

    Raises:
        SystemExit: see `install`.
    """
    kind, name = accelerator()
    files = ["requirements.txt"]
    if kind == "TPU":
        os.environ.setdefault("KERAS_BACKEND", "jax")
        files.append("requirements-jax.txt")
    print(f"{kind} ({name}): {MEANS[kind]}")
    install([wanted for file in files for wanted in requirements(root / file)])


def accelerator(devices: Path = Path("/dev")) -> tuple[str, str]:
    """CPU, GPU or TPU, and which; nothing is started for it."""
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
    """What a requirements file asks for."""
    lines = [line.split("#")[0] for line in file.read_text("utf-8").splitlines()]
    return [Requirement(line) for line in lines if line.strip()]


def install(wanted: list[Requirement]) -> None:
    """Let pip add what is absent; if nothing is, do nothing.

    What is there and fits is named to pip with its very version: it can then be neither
    replaced nor left without what it needs itself.

    Raises:
        SystemExit: the runtime's own TensorFlow or the like does not fit, or pip
            failed; nothing is changed.
    """
    own = [Requirement(name) for name in OWN]
    absent = [one for one in wanted if not _fits(one)]
    for one in absent:
        if one.name in OWN and _found(one.name):
            raise SystemExit(
                f"{' '.join(_found(one.name))} is installed, and the experiments take "
                f"{one.specifier}; choose another version of the runtime, or replace "
                f"it and restart: %pip install '{one}'"
            )
    if absent:
        kept = {"==".join(_found(one.name)) for one in [*own, *wanted] if _fits(one)}
        _pip([str(one) for one in absent], sorted(kept))


def _fits(one: Requirement) -> bool:
    """Whether it is installed, in a version that is asked for."""
    found = _found(one.name)
    return bool(found) and one.specifier.contains(found[1], prereleases=True)


def _found(name: str) -> tuple[str, str] | None:
    """What is installed of a package: the name of its build, and the version."""
    for build in BUILDS.get(name, (name,)):
        try:
            return build, metadata.version(build)
        except metadata.PackageNotFoundError:
            continue
    return None


def _pip(absent: list[str], kept: list[str]) -> None:
    print("installing", ", ".join(absent))
    command = [sys.executable, "-m", "pip", "install", "--quiet"]
    command += ["--disable-pip-version-check", *absent, *kept]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr)
        raise SystemExit("pip could not install what is missing; it says why above")
    importlib.invalidate_caches()  # this very process is to see what is new
