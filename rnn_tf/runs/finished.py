"""Finished runs as their CSV files, and what the difference of two models proves.

No TensorFlow.
"""

import functools
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import lazy_loader

pd = lazy_loader.load("pandas")

# Options that change no number, or say where data lies whose checksum is known.
ELSEWHERE = "results resume wait data data_dir".split()


@dataclass(frozen=True, eq=False)
class Finished:
    """A complete run: what config.json says, and its tables."""

    folder: Path
    info: dict

    @property
    def experiment(self) -> str:
        """Its name: stacked, forecast, sketch, video, devices."""
        return self.info["experiment"]

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.folder.name

    @property
    def label(self) -> str:
        """The name, and what it ran on unless the name says so."""
        data = self.info["data"]["source"]
        return self.name if data in self.name else f"{self.name} ({data})"

    def __str__(self):
        return str(self.folder)

    def table(self, name: str):
        """The DataFrame of `<name>.csv`, with "" in empty cells, or None."""
        path = self.folder / f"{name}.csv"
        return _read(path, path.stat().st_mtime_ns) if path.is_file() else None

    @property
    def errors(self):
        """The rows of the headline metric on the test set, or None."""
        table, headline = self.table("metrics"), self.info.get("headline")
        if table is None:
            return None
        return table[(table["split"] == "test") & (table["metric"] == headline)]

    @property
    def models(self) -> list[str]:
        """Those that were scored on the test set, in the order of the run."""
        rows = self.errors
        return [] if rows is None else list(dict.fromkeys(rows["model"]))

    def has(self, *models: str) -> bool:
        """Whether all of them were scored on the test set."""
        return set(models) <= set(self.models)

    def scores(self, model: str, part: str = "") -> dict[str, float]:
        """Seed -> test error of a model, of all examples or of a slice."""
        rows = self.errors
        rows = rows[(rows["model"] == model) & (rows["slice"] == part)]
        seeds = rows["seed"].astype(str)
        return dict(zip(seeds, rows["value"].astype(float), strict=True))

    def slices(self, model: str) -> list[str]:
        """The slices that a model was scored on, such as days ahead."""
        rows = self.errors[self.errors["model"] == model]
        return [part for part in dict.fromkeys(rows["slice"]) if part]


@functools.cache
def _read(path: Path, written: int):
    """Again if the file was written anew, as while a run goes on."""
    texts = {"slice": str, "seed": str}
    return pd.read_csv(path, keep_default_na=False, dtype=texts)


def runs(*folders: Path) -> list[Finished]:
    """The complete full-size runs below some folders; of equal ones the newest.

    Quick runs are left out: they train for a few epochs, and prove nothing. Runs are
    equal if all options that can change a number are, and the data.
    """
    places = sorted({p.parent.resolve() for f in folders for p in _configs(f)})
    found = filter(None, (if_whole(_counted, folder) for folder in places))
    newest = {key: run for _, key, run in sorted(found, key=lambda one: one[0])}
    return sorted(newest.values(), key=lambda run: (run.experiment, run.name))


def _counted(folder: Path) -> tuple[str, str, Finished] | None:
    """When a run began, what it measures, and the run; None if it does not count."""
    info = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if info["status"] != "complete" or info["config"]["size"] != "full":
        return None
    return info["started"], _key(info), Finished(folder, info)


def if_whole(read: Callable, path: Path):
    """What `read` makes of a folder or file; None if damaged, which stderr is told."""
    try:
        return read(path)
    except (ValueError, LookupError, TypeError, AttributeError, OSError) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        _tell(f"left out: {path} is damaged ({reason})")
        return None


@functools.cache
def _tell(line: str) -> None:
    """Once, though tables, answers and report come upon the same file."""
    print(line, file=sys.stderr)


def _configs(folder: Path) -> list[Path]:
    """config.json of each run in a folder of runs, or of experiments with runs."""
    return [*folder.glob("*/config.json"), *folder.glob("*/*/config.json")]


def _key(info: dict) -> str:
    """What makes two runs the same measurement."""
    options = {k: v for k, v in info["config"].items() if k not in ELSEWHERE}
    same = info["experiment"], info["data"]["sha256"], options
    return json.dumps(same, sort_keys=True)
