"""Frozen dataclass -> command line -> JSON. Never imports TensorFlow."""

import argparse
import contextlib
import dataclasses
import functools
import io
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeVar, get_args, get_type_hints

import tyro

from rnn_tf.errors import InputError, exit_code


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig:
    """The options that every experiment has. Defaults are the quick size."""

    size: Literal["quick", "full"] = "quick"
    """How much work: quick shows that it runs, full gives numbers to report."""
    seeds: int = 3
    """Training runs per model, with seeds 1 to this; fewer than 3 prove nothing."""
    trials: int = 2
    """Hyperparameter trials per model, the first with the defaults; 0 takes those."""
    trial_epochs: int = 5
    """Epochs of a trial, at most; trials that are clearly losing stop earlier."""
    epochs: int = 10
    """Epochs of a final training run, at most."""
    patience: int = 5
    """Epochs without a better validation score before training stops."""
    batch_size: int | None = None
    """Examples per gradient step, over all replicas; by default what fits the data."""
    strategy: Literal["auto", "cpu", "gpu", "tpu", "mirrored", "multiworker"] = "auto"
    """Devices: auto takes what is there; mirrored copies the model to several;
    multiworker to several machines, which TF_CONFIG lists."""
    replicas: int = 2
    """With mirrored: how many GPUs, or virtual CPUs where there is no GPU."""
    wait: int = 300
    """With multiworker: seconds to wait for the other workers at the start."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of training: bfloat16 saves memory and time where the hardware knows it; weights,
    outputs and what is saved stay float32."""
    results: Path = Path("results")
    """Folder for the run folder and summary.csv."""
    resume: str | None = None
    """Id of a run that was killed, to go on with; it keeps its options."""

    def __post_init__(self):
        for name in ("seeds", "trial_epochs", "epochs", "patience", "replicas", "wait"):
            require_at_least(self, name, 1)
        require_at_least(self, "trials", 0)
        if self.batch_size is not None:
            require_at_least(self, "batch_size", 1)


ConfigT = TypeVar("ConfigT", bound=RunConfig)


def require_at_least(config: RunConfig, name: str, minimum: float) -> None:
    """Raise InputError unless the field `name`, all of it, is `minimum` or more."""
    value = getattr(config, name)
    if isinstance(value, tuple):
        require_any(config, name)
        value = min(value)
    if value < minimum:
        raise InputError(f"{_option(name)} is {value}; it must be at least {minimum}")


def require_any(config: RunConfig, name: str) -> None:
    """Raise InputError if the field `name` lists nothing."""
    if not getattr(config, name):
        raise InputError(f"{_option(name)} is empty; give at least one")


def require_known(config: RunConfig, name: str, known: Iterable[str]) -> None:
    """Raise InputError unless all that the field `name` lists is known."""
    for value in getattr(config, name):
        if value not in known:
            names = ", ".join(known)
            raise InputError(f"{_option(name)} has {value!r}; known are {names}")


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def sized(config_type: type[ConfigT], full: dict, size: str, **changes) -> ConfigT:
    """The configuration of a size: `full` holds the fields that full overrides."""
    overrides = full if size == "full" else {}
    return config_type(**{**overrides, **changes, "size": size})


def parse(config_type: type[ConfigT], full: dict, argv: list[str] | None = None):
    """Read the command line: the size sets the defaults, options override them.

    The defaults of a run that is resumed are the options it had.

    Raises:
        InputError: an option is unknown or its value does not fit.
        SystemExit: after --help, with code 0.
    """
    argv = sys.argv[1:] if argv is None else argv
    peek = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    peek.add_argument("--size", default="quick")
    peek.add_argument("--resume", default="")
    peek.add_argument("--results", default="results")
    seen = peek.parse_known_args(argv)[0]
    default = sized(config_type, full, "full" if seen.size == "full" else "quick")
    before = Path(seen.results, _experiment(), seen.resume, "config.json")
    if seen.resume and before.is_file():
        default = from_json(
            config_type, json.loads(before.read_text("utf-8"))["config"]
        )
    return _read(config_type, _program(), argv, default=default)


def _read(target, program: str, argv: list[str], **options):
    """What tyro makes of the arguments; its boxed complaint becomes one line."""
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(target, prog=program, args=argv, **options)
    except SystemExit as stop:
        if stop.code == 0:
            raise
        raise InputError(_one_line(complaint.getvalue())) from None


def call(function, program: str, argv: list[str]):
    """Call a function with what a command line says; its docstring is the help.

    Raises:
        InputError: an option is unknown or its value does not fit.
    """

    @functools.wraps(function)
    def later(*arguments, **options):  # when nobody holds back stderr
        return functools.partial(function, *arguments, **options)

    return _read(later, program, argv)()


def _program() -> str:
    """The command as a user types it, for the help text."""
    name = _experiment()
    return "python -m experiments" + ("" if name == "__main__" else f".{name}")


def _experiment() -> str:
    return Path(sys.argv[0]).stem


def _one_line(box: str) -> str:
    """Tyro's boxed message as one line: what is wrong and what would be right."""
    lines = [re.sub(r"^[│|\s]+|[│|\s]+$", "", line) for line in box.splitlines()]
    lines = [line for line in lines if line and not re.match(r"^[╭╰+]", line)]
    said = " ".join(lines)
    said = re.sub(r"\s*─{3,}\s*", "; ", said)
    said = re.sub(r"^Error parsing \w+: ", "", said)
    return said or "the command line could not be read; try --help"


def to_json(config: RunConfig) -> dict:
    """The configuration as plain JSON values."""
    return {k: _plain(v) for k, v in dataclasses.asdict(config).items()}


def from_json(config_type: type[ConfigT], found: dict) -> ConfigT:
    """The configuration that `to_json` gave.

    Raises:
        InputError: it has options that are not known.
    """
    hints = get_type_hints(config_type)
    unknown = ", ".join(name for name in found if name not in hints)
    if unknown:
        raise InputError(f"config.json has {unknown}, which this version does not know")
    return config_type(**{k: _typed(v, hints[k]) for k, v in found.items()})


def _typed(value, hint):
    """A JSON value as what the field holds."""
    if isinstance(value, list):
        return tuple(value)
    is_path = hint is Path or Path in get_args(hint)
    return Path(value) if is_path and value is not None else value


def _plain(value):
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def main(run, config_type: type[ConfigT], full: dict, argv=None) -> int:
    """Parse and run an experiment; returns the exit code, see `exit_code`."""
    return exit_code(lambda: run(parse(config_type, full, argv)))


def command(function, argv: list[str]) -> int:
    """Run a command beside the experiment itself; returns the exit code.

    Args:
        function: its arguments are the options, its docstring is the help.
        argv: the command line, the name of the command first.
    """
    program = f"{_program()} {argv[0]}"
    return exit_code(lambda: call(function, program, argv[1:]))


def program(name: str, argv: list[str], main, **others) -> int:
    """Run `main`, or another function if the first argument is its name.

    Their arguments are the options, their docstrings the help.

    Args:
        name: the command as a user types it, such as python -m rnn_tf.report.summary.
        argv: its arguments.
        main: what it does by default.
        others: what it does by name.

    Returns:
        The exit code, see `exit_code`.
    """
    if argv and argv[0] in others:
        return exit_code(lambda: call(others[argv[0]], name, argv[1:]))
    return exit_code(lambda: call(main, name, argv))
