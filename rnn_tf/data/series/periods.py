"""The parts of a series: training, validation and test, one after the other."""

import itertools
from dataclasses import dataclass

import numpy as np

from rnn_tf.data.series.daily import Series
from rnn_tf.errors import InputError


@dataclass(frozen=True)
class Periods:
    """Where each part begins and ends, as indices of days; `end` is exclusive."""

    train: tuple[int, int]
    validation: tuple[int, int]
    test: tuple[int, int]
    # Validation is cut into so many blocks. A fold leaves out one of them and trains
    # on all other days before test (blocked cross-validation, Bergmeir et al., 2018).
    blocks: int = 1

    def block(self, fold: int) -> tuple[int, int]:
        """Return where the block of a fold begins and ends; fold 0 has the newest."""
        ends = np.linspace(*self.validation, self.blocks + 1).round().astype(int)
        return int(ends[-2 - fold]), int(ends[-1 - fold])


def by_share(days: int, blocks: int = 1) -> Periods:
    """Split by time: the last 20 % is test, each 10 % before it a validation block."""
    test, validation = (
        days - round(days * 0.2),
        days - round(days * (0.2 + blocks / 10)),
    )
    return Periods((0, validation), (validation, test), (test, days), blocks)


def count_blocks(days: int, lookback: int, horizon: int, most: int) -> int:
    """Count the blocks of validation, at most `most`, that all hold a window and leave
    two windows' days before them to train on; one in a short series."""

    def enough(blocks: int) -> bool:
        parts = by_share(days, blocks)
        shortest = min(end - begin for begin, end in map(parts.block, range(blocks)))
        return shortest >= horizon and parts.train[1] >= 2 * (lookback + horizon)

    return next(filter(enough, range(most, 1, -1)), 1)


def days_needed(lookback: int, horizon: int) -> int:
    """Count the days from which on the parts by `by_share` all hold a window.

    By a lucky rounding, those of a shorter series may, too.
    """

    def enough(days: int) -> bool:
        parts = by_share(days)
        ends = parts.validation, parts.test
        long_enough = all(end - begin >= horizon for begin, end in ends)
        return long_enough and parts.train[1] >= lookback + horizon

    # Shares are rounded alike every 20 days, so what these days have, all longer have.
    counts = itertools.count(lookback + horizon)
    return next(n for n in counts if all(map(enough, range(n, n + 20))))


def by_date(series: Series, bounds: dict[str, tuple[str, str]]) -> Periods:
    """Split by date.

    Args:
        series: what is split.
        bounds: split -> its first and its last day, such as 2019-01-01.

    Raises:
        InputError: a day lies outside the series.
    """
    periods = {}
    for split, (first, last) in bounds.items():
        for day in (first, last):
            if not series.dates[0] <= np.datetime64(day) <= series.dates[-1]:
                raise InputError(
                    f"{series.name} has no {day}: it runs from {series.dates[0]} "
                    f"to {series.dates[-1]}"
                )
        begin = np.searchsorted(series.dates, np.datetime64(first))
        end = np.searchsorted(series.dates, np.datetime64(last), "right")
        periods[split] = int(begin), int(end)
    return Periods(**periods)
