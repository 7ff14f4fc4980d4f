"""Windows of many daily series at once, each split, and measured, by its own days.

Served as those of one series are, see `windows`. An origin counts through the days of
all series, one after the other, and the day after the last one known of each.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from rnn_tf.data.series import periods, windows
from rnn_tf.data.series.daily import Series
from rnn_tf.data.series.windows import Windows
from rnn_tf.data.splits import SPLITS
from rnn_tf.errors import InputError
from rnn_tf.text import quote

SHOWN = 5  # series that an error message or a note names, at most


@dataclass(frozen=True)
class ManyWindows:
    """Windows by the name of their series, all with one lookback, horizon and week."""

    name: str  # of all series together
    parts: dict[str, Windows]

    # It asks for `seen` and `cutter` alone.
    dataset = Windows.dataset

    def of_fold(self, fold: int) -> "ManyWindows":
        """Return the same windows, split as one fold sees them."""
        parts = {name: part.of_fold(fold) for name, part in self.parts.items()}
        return dataclasses.replace(self, parts=parts)

    @property
    def first(self) -> Windows:
        """The windows of the first series, to ask what all have in common."""
        return next(iter(self.parts.values()))

    @property
    def horizon(self) -> int:
        """The days ahead to forecast."""
        return self.first.horizon

    @property
    def level_days(self) -> tuple[int, int]:
        """The days that tell the level of a window, and those that tell its spread."""
        return self.first.level_days

    @property
    def smallest_spread(self) -> float:
        """The smallest spread of all series, in unit: each has one of its own."""
        return min(part.smallest_spread for part in self.parts.values())

    # ------------------------------------------------------------ in one row

    @functools.cached_property
    def begins(self) -> np.ndarray:
        """Origin of the first day of each series: (series + 1,); last is their sum."""
        counts = [len(part.series.values) + 1 for part in self.parts.values()]
        return np.cumsum([0, *counts])

    @functools.cached_property
    def origins(self) -> dict[str, np.ndarray]:
        """Origins of each split, see `Windows`: those of the first series first."""
        every = *SPLITS, "future"
        return {s: self._of_all(lambda part, s=s: part.origins[s]) for s in every}

    def seen(self, split: str, outputs: int) -> np.ndarray:
        """Return the origins of a split for a model with so many outputs: (windows,).

        See `Windows.seen`.
        """
        return self._of_all(lambda part: part.seen(split, outputs))

    def _of_all(self, origins: Callable[[Windows], np.ndarray]) -> np.ndarray:
        """Count the origins of each series through all: (windows,)."""
        pairs = zip(self.begins, self.parts.values(), strict=False)
        return np.concatenate([begin + origins(part) for begin, part in pairs])

    def rows(self, split: str) -> dict[str, slice]:
        """Return which windows of a split are of each series."""
        counts = [len(part.origins[split]) for part in self.parts.values()]
        ends = np.cumsum([0, *counts]).tolist()
        return dict(zip(self.parts, map(slice, ends[:-1], ends[1:]), strict=True))

    def joined(self, of_each: Callable[[str, Windows], np.ndarray]) -> np.ndarray:
        """Join what a function gives for each series, (windows, ...), in their order.

        Args:
            of_each: (name of the series, its windows) -> an array.
        """
        return np.concatenate([of_each(*item) for item in self.parts.items()])

    @functools.cached_property
    def levels(self) -> np.ndarray:
        """Level and spread of the days before each origin: (origins, 2), in unit."""
        return self.joined(lambda _, part: part.levels)

    def targets(self, split: str) -> np.ndarray:
        """Return the days to forecast: (windows, horizon) in the series' unit."""
        return self.joined(lambda _, part: part.targets(split))

    def dates(self, split: str) -> np.ndarray:
        """Return the first day that each window forecasts: (windows,) datetime64[D]."""
        return self.joined(lambda _, part: part.dates(split))

    def in_unit(self, split: str, outputs: np.ndarray) -> np.ndarray:
        """Turn forecasts in units of their windows, (windows, horizon), into theirs."""
        levels = self.levels[self.origins[split]]
        return outputs * levels[:, 1:] + levels[:, :1]

    def cutter(self, days: int, steps: int = 1) -> Callable:
        """Return a function that cuts windows; memory holds each series once.

        See `Windows.cutter`. Between two series lie as many unknown days as a window
        has, so that none reaches into another series.
        """
        parts = self.parts.values()
        values = np.concatenate([part.scaled(days) for part in parts])
        levels = np.concatenate([part.levels / part.scale for part in parts])
        before = np.repeat(np.arange(len(parts)), np.diff(self.begins))
        starts = np.arange(len(levels)) + before * (days + self.horizon - 1)
        return windows.cutter(values, levels, starts, (days, steps, self.horizon))

    # ------------------------------------------------------------ for config.json

    def facts(self) -> dict:
        """Give what config.json records of the data, and a sentence on it."""
        each = {name: part.facts() for name, part in self.parts.items()}
        digest = hashlib.sha256()
        for name, facts in each.items():
            digest.update(f"{name}\n{facts['sha256']}\n".encode())
        counts = {split: len(self.origins[split]) for split in SPLITS}
        notes = _notes({name: facts["notes"] for name, facts in each.items()})
        shown = ", ".join(f"{split} {count:,}" for split, count in counts.items())
        says = f"{self.name}, {len(each)} series, windows: {shown}"
        return {
            "source": self.name,
            "sha256": digest.hexdigest(),
            "unit": self.first.series.unit,
            "series": list(each),
            "periods": {name: facts["periods"] for name, facts in each.items()},
            "windows": counts,
            "notes": notes,
            "says": "; ".join([says, *notes]),
        }


def _notes(of_series: dict[str, list[str]]) -> list[str]:
    """Name the series that each note is of, or some of them, unless all have it."""
    series = {}
    for name, notes in of_series.items():
        for note in notes:
            series.setdefault(note, []).append(name)
    return [
        note if len(names) == len(of_series) else f"{_some(names)}: {note}"
        for note, names in series.items()
    ]


def _some(names: list[str]) -> str:
    more = [f"{len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return ", ".join([*names[:SHOWN], *more])


# ---------------------------------------------------------------- from series


def cut(
    name: str, series: dict[str, Series], lookback: int, horizon: int, most: int
) -> ManyWindows:
    """Split each of many series by share, and cut it into windows.

    Args:
        name: of all series together.
        series: by name.
        lookback: days that a model sees.
        horizon: days ahead to forecast.
        most: blocks of validation, at most; all have as many as the shortest allows.

    Raises:
        InputError: a series is too short, or cannot be learned from.
    """
    _check_lengths(name, series, lookback, horizon)
    lengths = {key: len(one.values) for key, one in series.items()}
    splits = [partial(periods.by_share, days) for days in lengths.values()]
    blocks = min(periods.count_blocks(s, lookback, horizon, most) for s in splits)
    parts = {
        key: Windows(one, periods.by_share(lengths[key], blocks), lookback, horizon)
        for key, one in series.items()
    }
    return ManyWindows(name, parts)


def _check_lengths(name: str, series: dict, lookback: int, horizon: int) -> None:
    """Raise InputError if there are series of too few days."""
    need = periods.days_needed(lookback, horizon)
    short = {key: n for key, one in series.items() if (n := len(one.values)) < need}
    if short:
        named = [f"{quote(key)} has {n}" for key, n in short.items()]
        raise InputError(
            f"{name} has {len(short)} series that are too short for windows of "
            f"--lookback {lookback} + --horizon {horizon}, which need {need} "
            f"{next(iter(series.values())).days}: {_some(named)}; leave them out, or "
            "choose a smaller --lookback or --horizon"
        )
