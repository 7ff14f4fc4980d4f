"""Windows of a daily series: split by time, cut, and served as `tf.data`.

Words: an origin is the index of the first day to forecast; `lookback` days before it
are seen, `horizon` days from it on are the target.
"""

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from rnn_tf.data.order import Order, shuffled, without_autotune
from rnn_tf.data.series import gaps
from rnn_tf.data.series.daily import Series
from rnn_tf.data.series.level import SMALLEST, SPREAD_WEEKS, WEEKS, own_levels
from rnn_tf.data.series.periods import Periods, days_needed
from rnn_tf.data.splits import SPLITS
from rnn_tf.errors import InputError


@dataclass(frozen=True)
class Windows:
    """A series, its parts, and how windows are cut from it.

    Of all folds (`fold` None), training ends where validation begins. A fold's
    validation is its block, and its training all windows before test that share no
    target with it.
    """

    series: Series
    periods: Periods
    lookback: int
    horizon: int
    fold: int | None = None
    # split -> (windows,) int64; "future" has one, the day after the last known, whose
    # targets are NaN
    origins: dict[str, np.ndarray] = field(init=False)
    scale: float = field(init=False)  # mean absolute value in training; models see 1

    def __post_init__(self):
        parts = _without_open_gap(self.series, self.periods)
        object.__setattr__(self, "periods", parts)
        origins = {split: self._origins(split) for split in SPLITS}
        train, week = self.training(), self.series.week
        if np.array_equal(train[week:], train[:-week]):
            repeats = f"repeats every {week} {self.series.days}"
            what = "is constant" if np.ptp(train) == 0 else repeats
            raise InputError(
                f"{self.series.name} {what} in training: there is nothing to learn, "
                "and MASE is undefined (it would divide by zero)"
            )
        origins["future"] = np.array([len(self.series.values)])
        object.__setattr__(self, "origins", origins)
        object.__setattr__(self, "scale", float(np.abs(train).mean()))

    def of_fold(self, fold: int) -> "Windows":
        """Return the same windows, split as one fold sees them."""
        return dataclasses.replace(self, fold=fold)

    def _origins(self, split: str) -> np.ndarray:
        """Find the first target days whose targets lie in the part.

        A filled day is no target outside training. Where filling looks at the days
        after, no window begins after a filled day: it would have seen its target.
        """
        origins = self._all_origins(split)
        if not len(origins):
            raise InputError(self._too_short(split))
        sound = ~self._drawn_ahead(origins)
        if split != "train":
            sound &= ~self._days(self.series.filled, origins).any(axis=1)
        if not sound.any():
            raise InputError(self._too_many_gaps(split))
        return origins[sound]

    def _all_origins(self, split: str) -> np.ndarray:
        if split == "test":
            return self._between(*self.periods.test)
        if split == "validation":
            folds = range(self.periods.blocks) if self.fold is None else [self.fold]
            blocks = sorted(self.periods.block(fold) for fold in folds)
            return np.concatenate([self._between(*block) for block in blocks])
        if self.fold is None:
            return self._between(*self.periods.train)
        begin, end = self.periods.block(self.fold)
        before, last = (_closed(self.series, d) for d in (begin, self.periods.test[0]))
        origins = self._between(self.periods.train[0], last)
        return origins[(origins + self.horizon <= before) | (origins >= end)]

    def _between(self, begin: int, end: int) -> np.ndarray:
        """Return the origins of the windows whose targets lie in these days."""
        first = max(begin, self.periods.train[0] + self.lookback)
        return np.arange(first, end - self.horizon + 1)

    def folds(self) -> list["Windows"]:
        """Return the windows as each fold sees them, the oldest block first."""
        return [self.of_fold(fold) for fold in reversed(range(self.periods.blocks))]

    def learned(self) -> np.ndarray:
        """Return the origins of all windows that any fold trains on: (windows,)."""
        return functools.reduce(np.union1d, [f.origins["train"] for f in self.folds()])

    def known(self) -> np.ndarray:
        """Return the origins of all windows up to the end of the series: (windows,).

        From the past of these the future is forecast, and nothing is held out.
        """
        origins = self._between(self.periods.train[0], len(self.series.values))
        return origins[~self._drawn_ahead(origins)]

    def seen(self, split: str, outputs: int) -> np.ndarray:
        """Return the origins of a split for a model with so many outputs: (windows,).

        A model with an output at every step has targets that lie before its origin. It
        trains on no window whose earlier targets reach back into the fold's block.
        """
        origins = self.origins[split]
        if split != "train" or self.fold is None:
            return origins
        begin, end = self.periods.block(self.fold)
        return origins[(origins < begin) | (origins - (outputs - 1) >= end)]

    def _drawn_ahead(self, origins: np.ndarray) -> np.ndarray:
        """Whether the days before each origin tell of those after it: (windows,) bool.

        A gap before it that ends there was filled by what it is to forecast.
        """
        return self.series.filled[origins - 1] & (self.series.fill == "linear")

    def _too_many_gaps(self, split: str) -> str:
        dates, filled = self.series.dates, self.series.filled
        fix = "give it the missing days, or choose a smaller --horizon"
        if gaps.lacks_weekends(dates, filled):
            fix = "it has no weekends: choose --calendar business"
        return (
            f"{self.series.name} has too many gaps: in its {split} part no window of "
            f"--horizon {self.horizon} is without a day that was filled "
            f"({filled.sum()} of {len(filled)} were); {fix}"
        )

    def _too_short(self, split: str) -> str:
        (begin, end), days = getattr(self.periods, split), self.series.days
        need = days_needed(self.lookback, self.horizon)
        return (
            f"{self.series.name} is too short: its {split} part of {end - begin} "
            f"{days} holds no window of --lookback {self.lookback} + --horizon "
            f"{self.horizon} {days}; a series needs {need} {days} split by share, and "
            f"this one has {len(self.series.values)}"
        )

    def _days(self, values: np.ndarray, origins: np.ndarray) -> np.ndarray:
        return values[origins[:, None] + np.arange(self.horizon)]

    def training(self) -> np.ndarray:
        """Return the values of the training period, (days,) in the series' unit."""
        begin, end = self.periods.train
        return self.series.values[begin:end]

    def facts(self) -> dict:
        """Give what config.json records of the data, and a sentence on it."""
        counts = {split: len(self.origins[split]) for split in SPLITS}
        dates, parts = self.series.dates, {}
        for split in SPLITS:
            begin, end = getattr(self.periods, split)
            parts[split] = [str(dates[begin]), str(dates[end - 1])]
        says = ", ".join(f"{k} {' to '.join(v)}" for k, v in parts.items())
        notes = [*self.series.notes, *self._notes()]
        return {
            "source": self.series.name,
            "sha256": self.series.sha256,
            "unit": self.series.unit,
            "periods": parts,
            "windows": counts,
            "scale": self.scale,
            "notes": notes,
            "says": "; ".join([f"{self.series.name}, {says}", *notes]),
        }

    def _notes(self) -> list[str]:
        """Count the windows that `_drawn_ahead` leaves out."""
        every = [self._all_origins(split) for split in SPLITS]
        if not (count := int(self._drawn_ahead(np.concatenate(every)).sum())):
            return []
        return [
            f"left out {count} windows after a filled day, which linear filling draws "
            "towards the days ahead"
        ]

    def targets(self, split: str) -> np.ndarray:
        """Return the days to forecast: (windows, horizon) in the series' unit."""
        unknown = np.full(self.horizon, np.nan)
        values = np.concatenate([self.series.values, unknown])
        return self._days(values, self.origins[split])

    def dates(self, split: str) -> np.ndarray:
        """Return the first day that each window forecasts: (windows,) datetime64[D]."""
        dates = np.concatenate([self.series.dates, self.series.dates_ahead(1)])
        return dates[self.origins[split]]

    def scaled(self, days: int) -> np.ndarray:
        """Return the series as a model of so many days sees it, NaN where unknown.

        (days + days of the series + horizon,) float32, in units of `scale`: window i
        begins at i. Days before the training period are NaN, so no model sees them, and
        so are those to come.
        """
        begin = self.periods.train[0]
        known = self.series.values[begin:] / self.scale
        unknown = days + begin, self.horizon
        return np.pad(known, unknown, constant_values=np.nan).astype("float32")

    @functools.cached_property
    def levels(self) -> np.ndarray:
        """Level and spread of the days before each origin: (days + 1, 2), in unit."""
        return own_levels(self.series.values, *self.level_days, self.smallest_spread)

    @functools.cached_property
    def smallest_spread(self) -> float:
        """A share of the usual spread in training, below which none is measured."""
        (begin, end), train = self.periods.train, self.training()
        spreads = own_levels(self.series.values, *self.level_days, 0.0)[:, 1]
        usual = spreads[begin + self.lookback : end + 1].mean()
        # If all that varies lies before these, they are constant, and their spread 0.
        over_all = np.abs(train - train.mean()).mean()
        return float(SMALLEST * max(usual, 1e-3 * over_all))

    @property
    def level_days(self) -> tuple[int, int]:
        """The days that tell the level of a window, and those that tell its spread."""
        weeks = WEEKS, SPREAD_WEEKS
        return tuple(min(self.lookback, count * self.series.week) for count in weeks)

    def in_unit(self, split: str, outputs: np.ndarray) -> np.ndarray:
        """Turn forecasts in units of their windows, (windows, horizon), into its."""
        levels = self.levels[self.origins[split]]
        return outputs * levels[:, 1:] + levels[:, :1]

    def cutter(self, days: int, steps: int = 1) -> Callable:
        """Return a function that cuts windows; memory holds the series once.

        Args:
            days: that a model is given.
            steps: 1 gives targets (batch, horizon). More gives a target for each of
                the last `steps` steps, (batch, steps, horizon): seq-to-seq.

        Returns:
            Origins, (batch,) int64 -> inputs, (batch, days, 1), and targets.
        """
        values, levels = self.scaled(days), self.levels / self.scale
        starts = np.arange(len(levels))
        return cutter(values, levels, starts, (days, steps, self.horizon))

    def dataset(
        self,
        split: str,
        model,
        batch: int,
        order: Order | None = None,
        shuffle: Callable = shuffled,
        steps: int | None = None,
    ):
        """Return a `tf.data.Dataset` of windows that fit the model.

        It gets as many days as its input has; an output at every step gets a target at
        every step.

        Args:
            split: train, validation, test or future.
            model: a Keras model of (batch, days, 1).
            batch: windows per batch.
            order: shuffles anew each epoch and drops the remainder; by default windows
                come in the order of time.
            shuffle: `order.shuffled`, or `order.stacked` for stacks of batches.
            steps: batches of an epoch; by default it goes through all windows once.
        """
        import tensorflow as tf

        outputs = model.output_shape[1] if len(model.output_shape) == 3 else 1
        cut = self.cutter(model.input_shape[1], outputs)
        origins = tf.constant(self.seen(split, outputs))
        if order is None:
            batches = tf.data.Dataset.from_tensor_slices(origins).batch(batch)
            # A pipeline of its own for every epoch would take longer than its batch.
            return without_autotune(batches.map(cut, num_parallel_calls=1).cache())
        return shuffle(
            len(origins),
            batch,
            order,
            lambda which: cut(tf.gather(origins, which)),
            steps=steps,
        )


def cutter(
    values: np.ndarray, levels: np.ndarray, starts: np.ndarray, sizes: tuple
) -> Callable:
    """Return a function that cuts windows, each measured by its own level and spread.

    Args:
        values: of one series, or of several end to end, float32.
        levels: level and spread of each window, (windows, 2).
        starts: where in `values` each window begins, (windows,).
        sizes: days of an input, steps that have a target, and days of a target.

    Returns:
        See `Windows.cutter`; what it calls origins, counts the rows of `levels`.
    """
    import tensorflow as tf  # here, so that --help need not wait for it

    days, steps, horizon = sizes
    values, levels = (tf.constant(of, tf.float32) for of in (values, levels))
    starts = tf.constant(starts, tf.int64)
    inputs = tf.range(days, dtype=tf.int64)
    back = tf.range(steps, dtype=tf.int64)[:, None] - (steps - 1)
    targets = days + back + tf.range(horizon, dtype=tf.int64)
    targets = targets[0] if steps == 1 else targets

    def cut(origins):
        def measured(days_of):
            one = [1] * len(days_of.shape)
            at = tf.reshape(tf.gather(starts, origins), [-1, *one]) + days_of
            level, spread = tf.unstack(tf.gather(levels, origins), axis=1)
            level, spread = (tf.reshape(v, [-1, *one]) for v in (level, spread))
            return (tf.gather(values, at) - level) / spread

        return measured(inputs)[..., None], measured(targets)

    return cut


def batch_size(count: int) -> int:
    """Choose 32, doubled while so many windows make over 128 batches, halved while they
    make none."""
    size = 32
    while count // size > 128:
        size *= 2
    while size > count:
        size //= 2
    return size


def _without_open_gap(series: Series, parts: Periods) -> Periods:
    """End the training period at a known day, if filled ones look at the days after."""
    begin, end = parts.train
    return dataclasses.replace(parts, train=(begin, max(begin, _closed(series, end))))


def _closed(series: Series, end: int) -> int:
    """End at a known day, if filled ones before the end look at the days after it."""
    if series.fill != "linear":
        return end
    return int(np.flatnonzero(~series.filled[:end]).max(initial=-1)) + 1
