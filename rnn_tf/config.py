"""Turn a frozen dataclass into a command line and into JSON. No TensorFlow."""

import argparse
import contextlib
import dataclasses
import functools
import io
import json
import math
import os
import re
import reprlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeVar, get_args, get_origin, get_type_hints

import tyro

from rnn_tf.errors import InputError, exit_code, first_line
from rnn_tf.text import quote


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig:
    """The options that every experiment has. Defaults are the quick size."""

    # A subclass with another default repeats the field alone: `--help` takes the text
    # from here. The class's own text is the help of `python -m experiments`.

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
    replicas: int | None = None
    """With mirrored: how many GPUs, by default all; or how many virtual CPUs where
    there is no GPU, by default 2. With auto: as mirrored, where there are GPUs."""
    jobs: int | None = None
    """Trials and fits that run side by side, each in a process with one thread, or with
    a GPU; by default as many as there are cores. Numbers are the same with any."""
    cluster: str | None = None
    """Run the jobs on a Dask cluster, dask://ADDRESS of its scheduler."""
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
        if self.resume == "":  # a variable of the shell that is not set
            raise InputError("--resume is empty; give the id of a run, or leave it out")
        for name in ("seeds", "trial_epochs", "epochs", "patience", "wait"):
            require_at_least(self, name, 1)
        require_at_least(self, "trials", 0)
        for name in ("batch_size", "replicas", "jobs"):
            if getattr(self, name) is not None:
                require_at_least(self, name, 1)
        if self.cluster is not None and not self.cluster.startswith("dask://"):
            raise InputError(
                f"--cluster is {self.cluster!r}; it must be dask:// and the address of "
                "a scheduler, like dask://127.0.0.1:8786"
            )

    @property
    def runs(self) -> int:
        """How many runs the experiment makes of it, each with a folder."""
        return 1


ConfigT = TypeVar("ConfigT", bound=RunConfig)


def require_at_least(config: RunConfig, name: str, minimum: float) -> None:
    """Raise InputError if the field `name`, or an item of it, is under `minimum`."""
    value = getattr(config, name)
    if isinstance(value, tuple):
        require_any(config, name)
        value = min(value)
    if value < minimum:
        raise InputError(f"{_option(name)} is {value}; it must be at least {minimum}")


def require_positive(config: RunConfig, name: str) -> None:
    """Raise InputError if the field `name` lists nothing, or what is not above 0."""
    require_any(config, name)
    for value in getattr(config, name):
        if not 0 < value < math.inf:
            raise InputError(f"{_option(name)} is {value}; it must be above 0")


def require_any(config: RunConfig, name: str) -> None:
    """Raise InputError if the field `name` lists nothing."""
    if not getattr(config, name):
        raise InputError(f"{_option(name)} is empty; give at least one")


def require_known(config: RunConfig, name: str, known: Iterable[str]) -> None:
    """Raise InputError if the field `name` lists a value that is not in `known`."""
    for value in getattr(config, name):
        if value not in known:
            names = ", ".join(known)
            raise InputError(f"{_option(name)} has {value!r}; known are {names}")


READ = "data", "data_dir", "weights", "classifier"  # fields that name what is read


def require_paths(config: RunConfig, *named: str) -> None:
    """Raise InputError if a file or folder that an option names is not there.

    Loaders say so too, but some seconds later, when TensorFlow has been imported.

    Args:
        config: an experiment's options, with some of the fields `READ`.
        named: what `data` may be besides files and folders.
    """
    for name in READ:
        known = named if name == "data" else ()
        value = getattr(config, name, None)
        paths = value if isinstance(value, tuple) else (value,)
        for path in paths:
            asked = path is not None and path not in known
            # `Path.exists` fails where a folder may not be read
            if asked and not os.path.exists(path):  # noqa: PTH110
                advice = f"; it can also be {', '.join(known)}" if known else ""
                raise InputError(
                    f"{_option(name)} is {quote(path)}, but there is no such file or "
                    f"folder{advice}"
                )


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def sized(config_type: type[ConfigT], full: dict, size: str, **changes) -> ConfigT:
    """Return the configuration of a size; `full` holds what the size full overrides."""
    overrides = full if size == "full" else {}
    return config_type(**{**overrides, **changes, "size": size})


def parse(config_type: type[ConfigT], full: dict, argv: list[str], name: str):
    """Read a command line: the size sets the defaults, options override them.

    The defaults of a run that is resumed are the options it had.

    Args:
        config_type: what to return an instance of.
        full: the fields that the size full overrides.
        argv: the arguments, without the program.
        name: of the experiment, as in `python -m experiments.forecast`; "" for all.

    Raises:
        InputError: an option is unknown or its value does not fit.
        SystemExit: after --help, with code 0.
    """
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--size", default="quick")
    first.add_argument("--resume", default="")
    first.add_argument("--results", default="results")
    known = first.parse_known_args(argv)[0]
    size = "full" if known.size == "full" else "quick"
    default = _left_open(sized(config_type, full, size))
    if known.resume and name:
        folder = Path(known.results, name)
        default = _saved(config_type, folder, known.resume) or default
    return _read(config_type, experiment_program(name), argv, default=default)


def _left_open(config: ConfigT) -> ConfigT:
    """Set fields to None again, where that is the default: the size gives none of them.

    `__post_init__` fills some in from other options, which the command line may change.
    """
    for field in dataclasses.fields(config):
        if field.default is None:
            object.__setattr__(config, field.name, None)
    return config


def _saved(config_type: type[ConfigT], folder: Path, run_id: str) -> ConfigT | None:
    """Read the options of the run `run_id`; None if there is no such run.

    Raises:
        InputError: the id is no name, or its config.json is damaged.
    """
    path = folder / run_id / "config.json"
    if Path(run_id).name != run_id:
        raise InputError(
            f"--resume {run_id[:80]}, but that is not the id of a run; give the name "
            f"of a folder in {folder}, like 20260101-120000-ab12"
        )
    if not path.is_file():
        return None
    try:
        options = json.loads(path.read_text(encoding="utf-8"))["config"]
        return from_json(config_type, options)
    except InputError as error:
        reason = str(error)
    except Exception as error:  # damaged text can raise anything
        reason = first_line(error)
    raise InputError(f"{path} is damaged ({reason}); this run cannot go on, start anew")


def experiment_program(name: str) -> str:
    """Return the command of an experiment as a user types it; of all of them if ""."""
    return f"python -m experiments.{name}".removesuffix(".")


def _read(target, program: str, argv: list[str], **options):
    """Call `target` by tyro; its error message in a box becomes an InputError."""
    message = io.StringIO()
    try:
        with contextlib.redirect_stderr(message):
            return tyro.cli(target, prog=program, args=argv, **options)
    except SystemExit as stop:
        if stop.code == 0:
            raise
        raise InputError(_one_line(message.getvalue())) from None


def _one_line(box: str) -> str:
    """Return tyro's boxed message as one line: what is wrong, what would be right.

    Tyro 0.9.20, the oldest that `requirements.txt` allows, has no plain message: it
    prints the box and exits.
    """
    lines = [re.sub(r"^[│|\s]+|[│|\s]+$", "", line) for line in box.splitlines()]
    text = " ".join(x for x in lines if x and not re.match(r"^[╭╰+]", x))
    text = re.sub(r"\s*─{3,}\s*", "; ", text)
    text = re.sub(r"^Error parsing \w+: ", "", text)
    return text or "the command line could not be read; try --help"


def to_json(config: RunConfig) -> dict:
    """Return the configuration as plain JSON values."""
    return {k: _plain(v) for k, v in dataclasses.asdict(config).items()}


def from_json(config_type: type[ConfigT], options: dict) -> ConfigT:
    """Rebuild a configuration from the values that `to_json` returned.

    Raises:
        InputError: there are options that this version does not know, or values of
            another type.
    """
    hints = get_type_hints(config_type)
    unknown = ", ".join(name for name in options if name not in hints)
    if unknown:
        raise InputError(f"config.json has {unknown}, which this version does not know")
    values = {name: _typed(value, hints[name]) for name, value in options.items()}
    for name, value in values.items():
        if not _fits(value, hints[name]):
            raise InputError(f"config.json has {name} {reprlib.repr(value)}")
    return config_type(**values)


def _fits(value, hint) -> bool:
    """Whether a value is of the type of its field."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(v, inner[0]) for v in value)
    if inner:  # a union
        return any(_fits(value, one) for one in inner)
    if isinstance(value, bool) and hint is not bool:
        return False
    return isinstance(value, (int, float) if hint is float else hint)


def _typed(value, hint):
    """Convert a JSON value to the type of its field."""
    if isinstance(value, list):
        return tuple(value)
    is_path = hint is Path or Path in get_args(hint)
    return Path(value) if is_path and value is not None else value


def _plain(value):
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def main(
    run, config_type: type[ConfigT], full: dict, name: str, argv=None, **commands
) -> int:
    """Run an experiment, or a command beside it, by the command line.

    Args:
        run: takes the configuration.
        config_type: its class.
        full: the fields that the size full overrides.
        name: of the experiment; its run folders lie in `results/<name>`.
        argv: the arguments; by default those of this process.
        commands: functions that run instead if the first argument is their name.

    Returns:
        The exit code, see `errors.exit_code`.
    """
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] in commands:
        return program(experiment_program(name), argv, run, **commands)
    return exit_code(lambda: run(parse(config_type, full, argv, name)))


def program(name: str, argv: list[str], main, **commands) -> int:
    """Run `main`, or a command if the first argument is its name.

    The arguments of each function are its options, its docstring is their help.

    Args:
        name: the program as a user types it, such as python -m rnn_tf.report.summary.
        argv: the arguments, without the program.
        main: runs by default.
        commands: functions that run instead if the first argument is their name.

    Returns:
        The exit code, see `errors.exit_code`.
    """
    if argv and argv[0] in commands:
        command = commands[argv[0]]
        return exit_code(lambda: _call(command, f"{name} {argv[0]}", argv[1:]))
    return exit_code(lambda: _call(main, name, argv))


def _call(function, program: str, argv: list[str]) -> None:
    """Call a function with the options of a command line.

    Tyro calls what it is given while its stderr is held back, so it gets a function
    that only binds the options.
    """

    @functools.wraps(function)
    def bind(*arguments, **options):
        return functools.partial(function, *arguments, **options)

    _read(bind, program, argv)()
