"""The parts of a series: training, validation and test, one after the other."""

import itertools
from collections.abc import Callable
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

    def hold(self, lookback: int, horizon: int) -> bool:
        """Whether each part has the days of a window's target, and training those that
        it looks back on, too."""
        ends = self.validation, self.test
        long_enough = all(end - begin >= horizon for begin, end in ends)
        return long_enough and self.train[1] - self.train[0] >= lookback + horizon


def by_share(days: int, blocks: int = 1) -> Periods:
    """Split by time: the last 20 % is test; see `before`."""
    return before((days - round(days * 0.2), days), blocks)


def before(test: tuple[int, int], blocks: int = 1, first: int = 0) -> Periods:
    """Split the days from `first` to a test period: training, then validation, each of
    whose blocks is an eighth of them."""
    validation = test[0] - round((test[0] - first) * blocks / 8)
    return Periods((first, validation), (validation, test[0]), test, blocks)


def test_periods(days: int, count: int) -> list[tuple[int, int]]:
    """Cut test periods off the end of a series, the oldest first (rolling origin).

    Each is as long as the test period by share, or shorter, so that the first half of
    the series lies before all of them.
    """
    length = round(days * min(0.2, 0.5 / count))
    ends = [days - length * later for later in reversed(range(count))]
    return [(end - length, end) for end in ends]


def count_blocks(
    split: Callable[[int], Periods], lookback: int, horizon: int, most: int
) -> int:
    """Count the blocks of validation, at most `most`, that all hold a window and leave
    two windows' days before them to train on; one in a short series.

    Args:
        split: number of blocks -> the parts.
        lookback: days that models see.
        horizon: days ahead.
        most: blocks.
    """

    def enough(blocks: int) -> bool:
        parts = split(blocks)
        shortest = min(end - begin for begin, end in map(parts.block, range(blocks)))
        days = parts.train[1] - parts.train[0]
        return shortest >= horizon and days >= 2 * (lookback + horizon)

    return next(filter(enough, range(most, 1, -1)), 1)


def days_needed(lookback: int, horizon: int) -> int:
    """Count the days from which on the parts by `by_share` all hold a window.

    By a lucky rounding, those of a shorter series may, too.
    """

    def enough(days: int) -> bool:
        return by_share(days).hold(lookback, horizon)

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
