"""The forecast that a run recommends: how sure it is, and that of the days to come.

A run finds out on validation how far the recommended forecast errs, in units of each
window's own spread, and keeps that in its config.json. The command `predict` reads it
from there, and needs no training.
"""

import dataclasses
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_tf.data.series.level import own_levels
from rnn_tf.data.splits import Data
from rnn_tf.devices import backend
from rnn_tf.errors import InputError, first_line
from rnn_tf.metrics import conformal
from rnn_tf.recipe import saved_model
from rnn_tf.recipe.experiment import Entry
from rnn_tf.runs.run_folder import PARTS
from rnn_tf.text import quote

FILE = "recommended.keras"  # the networks among the parts, their mean

# ---------------------------------------------------------------- in a run


def intervals(entry: Entry, data: Data) -> tuple[list[dict], dict]:
    """Measure how far a forecast errs on validation, and what that covers on test.

    Args:
        entry: the forecast that the run recommends.
        data: of the run; its source is `data.series.windows.Windows`.

    Returns:
        The coverage, as rows of `metrics.csv`; and `intervals` of config.json, from
        which a `Scale` is made again.
    """
    known, new = (errors(entry, data, split) for split in ("validation", "test"))
    return of_errors(entry, data.source, known, new)


def of_errors(
    entry: Entry, cut, known: np.ndarray, new: np.ndarray, part: str = ""
) -> tuple[list[dict], dict]:
    """Measure half widths by errors on validation, and what they cover on test.

    Args:
        entry: the forecast that the errors are of.
        cut: `data.series.windows.Windows` of the series.
        known: on validation, (windows, horizon), in spreads.
        new: on test, likewise.
        part: for the column `slice`.

    Returns:
        As `intervals`.
    """
    widths = {n: conformal.half_widths(known, n / 100) for n in conformal.LEVELS}
    base = {"model": entry.model, "kind": entry.kind, "seed": "", "split": "test"}
    covered = {n: conformal.coverage(new, -w, w) for n, w in widths.items()}
    base |= {"slice": part, "unit": "%", "n": new.size}
    rows = [
        base | {"metric": f"coverage_{level}", "value": share}
        for level, share in covered.items()
    ]
    facts = {
        "level_days": list(cut.level_days),
        "smallest_spread": cut.smallest_spread,
        "half_widths": {str(n): w.tolist() for n, w in widths.items()},
    }
    return rows, facts


def errors(entry: Entry, data: Data, split: str) -> np.ndarray:
    """Measure the errors of all seeds by each window's spread: (windows, horizon)."""
    measured = []
    for seed, predictions in zip(entry.seeds, entry.predict(split), strict=True):
        cut = data.seen_by(seed).source
        spread = cut.levels[cut.origins[split], 1:]
        measured.append((cut.targets(split) - predictions) / spread)
    return np.concatenate(measured)


# ---------------------------------------------------------------- from its folder


@dataclass(frozen=True)
class Intervals:
    """How far a recommended forecast errs, in spreads of the days before."""

    level_days: tuple[int, int]
    smallest_spread: float
    half_widths: dict[int, np.ndarray]  # level in % -> (horizon,)

    def around(self, values: np.ndarray) -> dict[int, np.ndarray]:
        """Give the half widths of the days after `values`, (days,), in their unit."""
        last = values[-max(self.level_days) :]
        spread = own_levels(last, *self.level_days, self.smallest_spread)[-1, 1]
        return {level: spread * width for level, width in self.half_widths.items()}


def read_intervals(facts: dict, horizon: int) -> Intervals:
    """Read `intervals` of config.json.

    Raises:
        ValueError, or what else damaged facts lead to: they are not sound.
    """
    days, smallest = facts["level_days"], facts["smallest_spread"]
    widths = {
        level: np.array(facts["half_widths"][str(level)], float)
        for level in conformal.LEVELS
    }
    whole = len(days) == 2 and all(type(n) is int and n > 0 for n in days)
    if not whole or not 0 <= float(smallest) < np.inf:
        raise ValueError(f"level_days {days} and smallest_spread {smallest}")
    for level, width in widths.items():
        sound = (width >= 0) & np.isfinite(width)
        if width.shape != (horizon,) or not sound.all():
            raise ValueError(f"half_widths of {level} % are not {horizon} numbers")
    return Intervals(tuple(days), float(smallest), widths)


@dataclass(frozen=True)
class Recommended:
    """What a finished run recommends, as its folder has it."""

    folder: Path
    model: str  # name of the entry
    parts: tuple[str, ...]  # the entries whose mean it is, or itself alone
    options: dict  # of the run
    intervals: dict

    def of(self, series: str, model: str | None, options: dict) -> "Recommended":
        """Return what is recommended for one series, in a run that is of many.

        Args:
            series: its name.
            model: what the entry is called there, if that differs.
            options: of the run of many.
        """
        intervals = self.intervals.get("series", {series: self.intervals}).get(series)
        changed = {"intervals": intervals, "model": model or self.model}
        return dataclasses.replace(self, options=options, **changed)

    def damaged(self, reason: str) -> InputError:
        """Return the error of a folder whose content does not fit together."""
        return InputError(
            f"{self.folder} is damaged ({reason}); take another run, or run it again"
        )


def find(folder: Path, experiment: str = "forecast") -> Recommended:
    """Read from a run's config.json what it recommends.

    Raises:
        InputError: it is not the folder of a finished run of the experiment, or is one
            of an older version, or damaged.
    """
    path, info = folder / "config.json", _read_info(folder, experiment)
    if parts := info.get("parts"):  # a joint run
        return find(_newest(folder, parts), experiment)
    if "recommended" not in info or "intervals" not in info:
        raise InputError(
            f"{folder} recommends no forecast: the run is not finished, or of an older "
            "version; run it again, or take another"
        )
    try:
        name, parts = info["recommended"]["model"], info["recommended"]["parts"]
        if not all(isinstance(text, str) for text in [name, *parts]):
            raise ValueError("recommended names no models")
        parts = tuple(parts) or (name,)
        return Recommended(folder, name, parts, info["config"], info["intervals"])
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path} is damaged ({first_line(error)}); take another run"
        ) from None


def find_each(folder: Path, experiment: str = "forecast") -> dict[str, Recommended]:
    """Read what a run of many series recommends for each of them; {} if it is of one.

    Raises:
        InputError: as `find`.
    """
    info = _read_info(folder, experiment)
    try:
        if "parts" in info:  # a joint run, of folds or of series
            each = info["recommended"].get("series", {})
            runs = {series: of["run"] for series, of in each.items()}
            if any(Path(run).name != run for run in runs.values()):
                raise ValueError("a part lies elsewhere")
            places = {s: folder / PARTS / experiment / run for s, run in runs.items()}
        else:
            each = dict.fromkeys(info.get("intervals", {}).get("series", {}), {})
            places = dict.fromkeys(each, folder)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise InputError(
            f"{folder} is damaged ({first_line(error)}); take another run"
        ) from None
    known = {place: find(place, experiment) for place in set(places.values())}
    return {
        series: known[place].of(series, each[series].get("model"), info["config"])
        for series, place in places.items()
    }


def _read_info(folder: Path, experiment: str) -> dict:
    """Read the config.json of a run of an experiment, or raise InputError."""
    try:
        info = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if info["experiment"] == experiment and isinstance(info["config"], dict):
            return info
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        pass
    raise InputError(
        f"{folder} is not the folder of a finished {experiment} run; give one like "
        f"--model results/{experiment}/20260101-120000-ab12"
    )


def _newest(folder: Path, parts) -> Path:
    """Return the folder of the newest fold of a joint run.

    Raises:
        InputError: it lies elsewhere, or the folder is damaged.
    """
    try:
        place = (folder / list(parts.values())[-1]).resolve()
        if place.is_relative_to((folder / PARTS).resolve()):
            return place
        reason = "its parts lie elsewhere"
    except (ValueError, TypeError, AttributeError, IndexError) as error:
        reason = first_line(error)
    raise InputError(f"{folder} is damaged ({reason}); take another run")


# ---------------------------------------------------------------- ahead


def forecast(
    recommended: Recommended, cut, baselines: dict[str, Callable], known: Iterable[str]
) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Forecast the days after a series, by the mean of the recommended parts.

    Args:
        recommended: what a run's folder recommends.
        cut: `data.series.windows.Windows` of the series.
        baselines: those that the series is long enough for, name -> predict(split).
        known: names of all networks that there are.

    Returns:
        (horizon,), and the half width of each level, (horizon,), in the series' unit.

    Raises:
        InputError: the folder is damaged.
    """
    try:
        widths = read_intervals(recommended.intervals, cut.horizon)
    except (ValueError, TypeError, KeyError) as error:
        raise recommended.damaged(first_line(error)) from None
    networks = [n for n in recommended.parts if n.removesuffix("_ensemble") in known]
    for name in set(recommended.parts) - {*networks, *baselines}:
        raise recommended.damaged(f"no forecast is called {quote(name)}")
    values, days = cut.series.values, []
    if networks:  # one model, their mean
        path = recommended.folder / FILE
        ahead = saved_model.load_forecast(path, cut.horizon)(values)
        days += [ahead] * len(networks)
    with backend.one_thread():  # as in a run: the same numbers on any machine
        ours = recommended.parts
        days += [f("future")[0] for name, f in baselines.items() if name in ours]
    return np.mean(days, axis=0), widths.around(values)
