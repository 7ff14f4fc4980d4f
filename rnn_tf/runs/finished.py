"""Read finished runs from their folders. No TensorFlow."""

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import lazy_loader

from rnn_tf.errors import warn

pd = lazy_loader.load("pandas")

# Options that change no number: the data that they name is told by its checksum.
WITHOUT_EFFECT = "results resume wait data data_dir".split()

# How a run decides on validation: on a network, and on a model of any kind.
DECISIONS = "chosen", "recommended"

# What reading a file raises that somebody has edited, or a full disk cut off.
DAMAGE = ValueError, LookupError, TypeError, AttributeError, OSError, RecursionError


@dataclass(frozen=True, eq=False)
class Finished:
    """A complete run: its folder, and the content of its config.json."""

    folder: Path
    info: dict

    @property
    def experiment(self) -> str:
        """The experiment's name: stacked, gradients, forecast and so on."""
        return self.info["experiment"]

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def label(self) -> str:
        """The name, with the data in brackets unless the name contains it."""
        data = self.info["data"]["source"]
        return self.name if data in self.name else f"{self.name} ({data})"

    def __str__(self):
        return str(self.folder)

    def table(self, name: str):
        """Read `<name>.csv` as a DataFrame with "" in empty cells; None without it."""
        path = self.folder / f"{name}.csv"
        return _read(path, path.stat().st_mtime_ns) if path.is_file() else None

    def errors(self, metric: str | None = None):
        """Return the test rows of a metric, or None without metrics.csv.

        The metric is the run's headline by default.
        """
        table, wanted = self.table("metrics"), metric or self.info.get("headline")
        if table is None:
            return None
        return table[(table["split"] == "test") & (table["metric"] == wanted)]

    def decision(self, name: str) -> str:
        """Return the model that the run has chosen, or recommends."""
        info = self.info[name]
        return info if name == "chosen" else info["model"]

    @property
    def models(self) -> list[str]:
        """The models that were scored on the test set, in the order of the run."""
        rows = self.errors()
        return [] if rows is None else list(dict.fromkeys(rows["model"]))

    def has(self, *models: str) -> bool:
        """Whether all of them were scored on the test set."""
        return set(models) <= set(self.models)

    def scores(
        self, model: str, part: str = "", metric: str | None = None
    ) -> dict[str, float]:
        """Return seed -> test score of a model, on all examples or on a slice."""
        rows = self.errors(metric)
        rows = rows[(rows["model"] == model) & (rows["slice"] == part)]
        seeds = rows["seed"].astype(str)
        return dict(zip(seeds, rows["value"].astype(float), strict=True))

    def slices(self, model: str, metric: str | None = None) -> list[str]:
        """List the slices that a model was scored on, such as days ahead."""
        rows = self.errors(metric)
        rows = rows[rows["model"] == model]
        return [part for part in dict.fromkeys(rows["slice"]) if part]


@functools.cache
def _read(path: Path, written: int):
    """Read a CSV file; `written` is its time, so that a newer file is read again."""
    texts = {"slice": str, "seed": str, "series": str}
    return pd.read_csv(path, keep_default_na=False, dtype=texts)


def find_runs(*folders: Path) -> list[Finished]:
    """Read the complete full-size runs below some folders; of equal ones the newest.

    Quick runs are left out: they train for a few epochs, and prove nothing. Runs are
    equal if all options that can change a number are, and the data.
    """
    places = sorted({p.parent.resolve() for f in folders for p in _configs(f)})
    read = filter(None, (skip_damaged(_read_run, folder) for folder in places))
    newest = {key: run for _, key, run in sorted(read, key=lambda row: row[0])}
    return sorted(newest.values(), key=lambda run: (run.experiment, run.name))


def _read_run(folder: Path) -> tuple[str, str, Finished] | None:
    """Return a run's start, its `_key`, and the run; None if quick or unfinished."""
    info = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if info["status"] != "complete" or info["config"]["size"] != "full":
        return None
    return info["started"], _key(info), Finished(folder, info)


def skip_damaged(read: Callable, path: Path):
    """Return `read(path)`; name a file or folder that is damaged and return None."""
    try:
        return read(path)
    except DAMAGE as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        _warn_once(f"left out: {path} is damaged ({reason})")
        return None


@functools.cache
def _warn_once(line: str) -> None:
    """Warn once, though tables, answers and report read the same file."""
    warn(line)


def _configs(folder: Path) -> list[Path]:
    """List config.json of each run in a folder of runs, or of experiments with runs."""
    return [*folder.glob("*/config.json"), *folder.glob("*/*/config.json")]


def _key(info: dict) -> str:
    """Return a text that is equal for runs that repeat the same measurement."""
    options = {k: v for k, v in info["config"].items() if k not in WITHOUT_EFFECT}
    measured = info["experiment"], info["data"]["sha256"], options
    return json.dumps(measured, sort_keys=True)
