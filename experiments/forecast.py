"""Forecast the next seven days of a daily univariate series.

    make forecast                                                  quick, 1 minute
    make forecast ARGS="--data cta --size full"                    5 minutes
    make forecast ARGS="--data cta --size full --train-from 2001"  20 minutes
    make forecast ARGS="--data my.csv --date-column day --value-column riders --folds 3"
    make forecast ARGS="--data panel.csv --series-column series"   see `many_series`
    python -m experiments.forecast predict --model RUN [my.csv]    the days to come

Minutes on two cores. Expect a test MAE of 3,413 riders (mean_of_best) beside 3,568 of
boosted trees; on Chicago's boardings 38,075 (mean_of_best) beside 38,476 of trees and
46,921 of the median of four weeks.

The course says that an MLP with one hidden layer is a good choice here. So it stands
in the table, beside recurrent networks and forecasts that need no training.
"""

import dataclasses
from functools import partial
from pathlib import Path
from typing import Literal

import lazy_loader
import numpy as np
import tyro
from rich.console import Console

from rnn_tf import config, files
from rnn_tf.baselines.series import predictors, require_days
from rnn_tf.config import RunConfig, require_paths
from rnn_tf.data.series import (
    daily,
    gaps,
    periods,
    ridership,
    served,
    synthetic,
    windows,
)
from rnn_tf.data.series.layout import Layout
from rnn_tf.data.series.periods import Periods
from rnn_tf.data.splits import Data, Network
from rnn_tf.errors import InputError
from rnn_tf.metrics import forecast as forecast_metrics
from rnn_tf.metrics.scores import Scores
from rnn_tf.models import days, layers
from rnn_tf.models.optimizer import clipped_adam
from rnn_tf.recipe import folds, joint, next_days, runner
from rnn_tf.recipe.experiment import Entry, Experiment, Outcome, by_batch
from rnn_tf.report import next_days as show_ahead
from rnn_tf.report import plots, relative_errors

keras = lazy_loader.load("keras")
pd = lazy_loader.load("pandas")

# ---------------------------------------------------------------- configuration

NAMED = "synthetic", "cta"  # what --data may be besides files


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(RunConfig):
    """Forecast the next days of a daily series, and see what beats what."""

    data: str = "synthetic"
    """synthetic, cta (Chicago's rail boardings, downloaded once), or a file: CSV and
    the like, also packed by gzip; Parquet; or the first sheet of a workbook. Or a
    folder of such files, each a series."""
    data_dir: Path | None = None
    """With cta: a folder that holds the file already; nothing is downloaded."""
    date_column: str = "date"
    """With a file: the column with one date per row."""
    value_column: str = "value"
    """With a file: the column to forecast."""
    series_column: str | None = None
    """With a file of several series: the column that names the series of each row."""
    series: str | None = None
    """With a file of several series: the one to forecast; by default all of them."""
    networks: tuple[Literal["local", "global"], ...] = ("local", "global")
    """With several series: train networks for each alone, or once for all, or both."""
    separator: str | None = None
    """With a file: what parts cells, such as tab; by default what parts the header."""
    encoding: str | None = None
    """With a file: such as utf-16-le; by default Unicode, or else Western Windows."""
    decimal: Literal["point", "comma"] | None = None
    """With a file: the decimal mark of numbers; by default what the column shows."""
    date_format: str | None = None
    """With a file: such as %d.%m.%y; by default the one that fits every row."""
    calendar: Literal["daily", "business"] = "daily"
    """With a file: business has weeks of five days, and all options count such days."""
    fill: Literal["none", "seasonal", "last", "linear"] | None = None
    """With a file: fill missing days from a week or the day before, or linearly; by
    default they are an error, and holidays of business days as the day before."""
    train_from: int | None = None
    """With cta: the first year of training, 2001 to 2017; by default 2016, and with
    folds 2001."""
    lookback: int | None = None
    """Days that a model sees, by default eight weeks; those that look things up see two
    years."""
    horizon: int | None = None
    """Days ahead to forecast, by default a week."""
    models: tuple[str, ...] = ()
    """Names of the models to run; by default all, or five of them at the quick size."""
    trials: int = 0
    folds: int = 1
    """Train so often, each time on the days before one of so many test periods; the
    table is over all of them. With cta the periods are years, 2019 the last."""
    fold: int | None = None
    """With folds: run this one alone, 1 the oldest."""
    classical: bool = True
    """Also fit SARIMA and exponential smoothing, which takes a few seconds."""

    def __post_init__(self):
        super().__post_init__()
        for name, weeks in (("lookback", 8), ("horizon", 1)):
            if getattr(self, name) is None:
                object.__setattr__(self, name, weeks * self.week)
        if self.calendar == "business" and self.data in NAMED:
            raise InputError(f"--calendar business needs --data FILE, not {self.data}")
        config.require_at_least(self, "horizon", 1)
        config.require_at_least(self, "lookback", 1)
        config.require_any(self, "networks")
        self._check_folds()
        config.require_known(self, "models", MODELS)
        for name in self.models:
            if name in WEEKLY and not self.weekly:
                raise InputError(
                    f"--models {name} works in whole weeks: it needs --horizon "
                    f"{self.week} and a --lookback of {4 * self.week}, "
                    f"{5 * self.week}, ..., not {self.horizon} and {self.lookback}"
                )

    def _check_folds(self) -> None:
        """Raise InputError if there are no such folds, or no such first year."""
        config.require_at_least(self, "folds", 1)
        if self.data == "cta" and self.folds > MOST_YEARS:
            raise InputError(
                f"--folds is {self.folds}; with cta take 1 to {MOST_YEARS}, a year each"
            )
        if self.fold is not None and not 1 <= self.fold <= self.folds:
            raise InputError(
                f"--fold is {self.fold}; with --folds {self.folds} take 1 to "
                f"{self.folds}"
            )
        several = self.folds > 1
        if self.train_from is None:
            object.__setattr__(self, "train_from", 2001 if several else 2016)
        last = 2017 - self.folds * several
        if not 2001 <= self.train_from <= last:
            raise InputError(
                f"--train-from is {self.train_from}; take 2001 to {last}"
                + f", three years before the first of {self.folds} test years" * several
            )

    @property
    def runs(self) -> int:
        """A run for each fold."""
        return 1 if self.fold else self.folds

    @property
    def lengths(self) -> tuple[int, int]:
        """The days of a window that are seen, and those ahead."""
        return self.lookback, self.horizon

    @property
    def many(self) -> bool:
        """Whether all series of a file or a folder are to be forecast."""
        folder = self.data not in NAMED and Path(self.data).is_dir()
        return folder or self.series_column is not None and self.series is None

    @property
    def week(self) -> int:
        """The days of a week."""
        return gaps.WEEKS[self.calendar]

    @property
    def weekly(self) -> bool:
        """Whether the models that fold days into weeks can run."""
        whole = self.lookback % self.week == 0 and self.lookback >= 4 * self.week
        return whole and self.horizon == self.week

    @property
    def names(self) -> tuple[str, ...]:
        """The models to run."""
        every = MODELS if self.size == "full" else QUICK
        return self.models or tuple(n for n in every if self.weekly or n not in WEEKLY)


FULL = {
    "seeds": 5,
    "trials": 6,
    "trial_epochs": 8,
    "epochs": 40,
    "patience": 40,
}
BLOCKS = 3  # of validation; the seeds take turns in holding one out
MOST_YEARS = 12  # that cta can test

# ---------------------------------------------------------------- data


def load_data(config: Config) -> Data:
    """Load the series and cut it into windows; test targets lie after all others."""
    series, parts = _series(config)
    cut = windows.Windows(series, parts, config.lookback, config.horizon)
    return served.in_folds(cut, parts.blocks, config.batch_size)


def _series(config: Config) -> tuple[daily.Series, Periods]:
    """Read the series, and say where its parts begin and end.

    A fold has the series as it was at the end of its test period.
    """
    series, first = _whole_series(config), 0
    tests = periods.test_periods(len(series.values), config.folds)
    if config.data == "cta":
        if config.folds == 1:
            return series, ridership.periods(series, config.train_from)
        tests = ridership.test_years(series, config.folds)
        year = np.datetime64(f"{config.train_from}")
        first = int(np.searchsorted(series.dates, year))
    oldest, lengths = partial(periods.before, tests[0], first=first), config.lengths
    if config.folds > 1 and not oldest(1).hold(*lengths):
        raise InputError(
            f"{series.name} is too short for --folds {config.folds}: the oldest would "
            f"test {np.ptp(tests[0])} {series.days} after {tests[0][0] - first}; take "
            "fewer"
        )
    most = min(BLOCKS, config.seeds)
    blocks = periods.count_blocks(oldest, *lengths, most)
    test = tests[(config.fold or 1) - 1]
    return series.until(test[1]), periods.before(test, blocks, first)


def _whole_series(config: Config) -> daily.Series:
    if config.data == "cta":
        return ridership.load(config.data_dir)
    if config.data == "synthetic":
        return synthetic.daily_series()
    return daily.read(Path(config.data), layout(config))


def layout(config: Config) -> Layout:
    """Gather the options that say how a file holds its series."""
    names = [field.name for field in dataclasses.fields(Layout)]
    return Layout(**{name: getattr(config, name) for name in names})


def find_baselines(config: Config, data) -> dict:
    """Give each baseline's predict(split), by name, in the series' unit."""
    return predictors(data.source, config.classical)


# ---------------------------------------------------------------- models
# Each takes the last `lookback` days, or a year more if it looks things up, in units of
# the window's own level and spread, NaN where unknown: (batch, days, 1). Each gives the
# next days: (batch, horizon), or, if it has a loss at every step, (batch, lookback,
# horizon). Recurrent ones see each day beside its difference to the week before.


def mlp(hp, config: Config, sizes):
    """Build an MLP with one hidden layer, the course's answer."""
    x = past = _past(config)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(_units(hp, 64), activation="relu")(x)
    return keras.Model(past, layers.output(config.horizon)(x))


def recurrent(cell: str, hp, config: Config, sizes):
    """Build a seq-to-vector network: the last state of one layer gives all days."""
    past = _past(config)
    x = days.with_week_before(past, config.week)
    x = layers.recurrent(cell)(_units(hp))(x)
    return keras.Model(past, layers.output(config.horizon)(x))


def stacked_gru(hp, config: Config, sizes):
    """Build two GRU layers, of which the first returns its sequence."""
    past, units = _past(config), _units(hp)
    x = days.with_week_before(past, config.week)
    x = keras.layers.GRU(units, return_sequences=True)(x)
    x = keras.layers.GRU(units)(x)
    return keras.Model(past, layers.output(config.horizon)(x))


def seq2seq(hp, config: Config, sizes):
    """Build a seq-to-seq network: the days after every day, a loss at every step."""
    past = _past(config)
    x = days.with_week_before(past, config.week)
    x = keras.layers.GRU(_units(hp), return_sequences=True)(x)
    return keras.Model(past, layers.output(config.horizon)(x))


def conv_gru(hp, config: Config, sizes):
    """Build a convolution in front of a GRU."""
    past, units = _past(config), _units(hp)
    kernel = hp.Choice("kernel", [3, 7], default=7)
    x = days.with_week_before(past, config.week)
    x = keras.layers.Conv1D(units, kernel, padding="causal", activation="relu")(x)
    x = keras.layers.GRU(units)(x)
    return keras.Model(past, layers.output(config.horizon)(x))


def iterated(hp, config: Config, sizes):
    """Build one output neuron for the next day, fed back until all days are there.

    It is trained through its own feedback, so that it learns to live with its errors.
    """
    past = _past(config)
    gru = keras.layers.GRU(_units(hp), return_state=True)
    neuron = layers.output(1)
    x, state = gru(days.with_week_before(past, config.week))
    ahead = [neuron(x)]
    while len(ahead) < config.horizon:
        recent = keras.ops.concatenate([past, *(day[:, None] for day in ahead)], axis=1)
        step = days.with_week_before(recent, config.week)[:, -1:]
        x, state = gru(step, initial_state=state)
        ahead.append(neuron(x))
    return keras.Model(past, keras.ops.concatenate(ahead, axis=-1))


def weekly_gru(hp, config: Config, sizes):
    """Build a GRU over weeks beside a linear forecast, which it corrects.

    A straight way past the recurrent layer keeps the level (Lai et al., 2018, LSTNet).
    """
    past = _past(config)
    x = keras.layers.GRU(_units(hp))(days.weeks(past, config.week))
    linear = layers.output(config.horizon)(keras.layers.Flatten()(past))
    return keras.Model(past, linear + layers.output(config.horizon)(x))


def year_gru(hp, config: Config, sizes):
    """Build a GRU over days, and another to and fro over the days ahead.

    Each day ahead sees ten days to each side of its match last year, so that a holiday
    is found whether it kept its date or its weekday, and opens a gate towards it.
    """
    past = keras.Input((config.lookback + 52 * config.week, 1), name="past")
    recent, week = past[:, -config.lookback :], config.week
    state = keras.layers.GRU(_units(hp))(days.with_week_before(recent, week))
    forecast, usual = layers.output(week)(state), days.usual_week(recent, week)
    near = days.around_each_day(days.last_year(past, week, AROUND), week, AROUND)
    beside = [forecast, *(keras.ops.roll(usual, by, axis=1) for by in (0, 1, -1))]
    state = keras.ops.repeat(state[:, None], week, axis=1)
    x = keras.ops.concatenate([near, *(b[:, :, None] for b in beside), state], axis=-1)
    cell = keras.layers.GRU(hp.Choice("day_units", [16, 32]), return_sequences=True)
    x = keras.layers.Bidirectional(cell)(x)
    correction = layers.output(1)(x)[:, :, 0]
    gate = layers.output(1, "sigmoid")(x)[:, :, 0]
    match = near[:, :, AROUND]
    return keras.Model(past, forecast + correction + gate * match)


def _past(config: Config):
    return keras.Input((config.lookback, 1), name="past")


def _units(hp, default: int = 32) -> int:
    return hp.Choice("units", [16, 32, 64], default=default)


MODELS = {
    "mlp": mlp,
    "simple_rnn": partial(recurrent, "simple_rnn"),
    "lstm": partial(recurrent, "lstm"),
    "gru": partial(recurrent, "gru"),
    "stacked_gru": stacked_gru,
    "seq2seq": seq2seq,
    "conv_gru": conv_gru,
    "iterated": iterated,
    "weekly_gru": weekly_gru,
    "year_gru": year_gru,
}

QUICK = ("mlp", "gru", "seq2seq", "weekly_gru", "year_gru")
WEEKLY = ("weekly_gru", "year_gru")  # they need whole weeks
AROUND = 10  # days to each side of last year's match that `year_gru` sees


# ---------------------------------------------------------------- training


def compile_arguments(hp, config: Config, steps: int) -> dict:
    """Train by Adam, clipped, its rate falling to zero along a cosine over `steps`.

    The mean absolute error is what the table shows; on a series scaled to about 1,
    Huber's loss is half the squared error.
    """
    rate = hp.Float("learning_rate", 5e-4, 8e-3, sampling="log", default=3e-3)
    return {
        "optimizer": clipped_adam(rate, steps),
        "loss": hp.Choice("loss", ["mean_absolute_error", "huber"]),
        "metrics": [keras.metrics.MeanMetricWrapper(last_step_mae, name="score")],
    }


def last_step_mae(targets, predictions):
    """Average the absolute error of each window, at the last step if there are several.

    (batch, horizon) or (batch, steps, horizon) -> (batch,), in scaled units.
    """
    error = layers.last_step(targets - predictions)
    return keras.ops.mean(keras.ops.abs(error), axis=-1)


# ---------------------------------------------------------------- evaluation


def predict(network: Network, data: Data, split: str) -> np.ndarray:
    """Forecast each window of a split: (windows, horizon) in the series' unit."""

    def last_step(_, output):
        return layers.last_step(output).astype(float)

    outputs = by_batch(network, data.dataset(split, network), last_step)
    return data.source.in_unit(split, outputs)


def evaluate(data: Data, split: str, predictions: np.ndarray) -> Scores:
    """Score forecasts (windows, horizon) overall and per day ahead."""
    cut, targets = data.source, data.source.targets(split)
    of_series = cut.training(), cut.series.unit
    week = cut.series.week
    rows = forecast_metrics.rows(targets, predictions, *of_series, "", week)
    for day in range(cut.horizon):
        ahead = targets[:, day], predictions[:, day]
        rows += forecast_metrics.rows(*ahead, *of_series, day + 1, week)
    prediction_rows = [
        {"example": str(date), "step": day + 1, "target": y, "prediction": float(f)}
        for date, ys, fs in zip(cut.dates(split), targets, predictions, strict=True)
        for day, (y, f) in enumerate(zip(ys.tolist(), fs, strict=True))
    ]
    return Scores(rows, np.abs(targets - predictions).mean(axis=1), prediction_rows)


def export(networks: list[Network], data: Data):
    """Join the networks into one model of the series' own unit, their mean.

    It takes as many last days as they do, (batch, days, 1), NaN where unknown.
    """
    cut = data.source
    models = [network.model for network in networks]
    return days.mean_in_unit(models, cut.level_days, cut.smallest_spread)


def report(outcome: Outcome) -> None:
    """Draw the pictures of a run."""
    folder, tables, series = outcome.folder, outcome.tables, outcome.data.source.series
    unit, recommended = series.unit, outcome.recommended
    shown = list(dict.fromkeys([recommended.model, *outcome.shown]))
    path, predictions = folder / "forecasts.png", tables["predictions"]
    plots.forecasts(path, predictions, shown, unit, series.week)
    plots.error_by_step(folder / "error_by_day.png", tables["metrics"], "mae", unit)
    plots.learning_curves(folder / "learning_curves.png", tables["history"])
    rows = days_to_come(recommended, outcome.data)
    tables["forecast"] = pd.DataFrame(rows)
    show_ahead.write(folder / "forecast.csv", rows)
    show_ahead.picture(folder / "next_days.png", series, rows, recommended.model)


def days_to_come(entry: Entry, data: Data) -> list[dict]:
    """Make the rows of forecast.csv: what a run recommends for the days to come."""
    cut, (_, facts) = data.source, next_days.intervals(entry, data)
    ahead = np.mean(entry.predict("future"), axis=0)[0]
    widths = next_days.read_intervals(facts, cut.horizon).around(cut.series.values)
    return show_ahead.rows(cut.series, ahead, widths)


def show(outcome: Outcome, console: Console) -> None:
    """Print the forecast of the days to come."""
    series, entry = outcome.data.source.series, outcome.recommended
    title = f"{series.name}, {series.unit}, by {entry.model}"
    rows = outcome.tables["forecast"].to_dict("records")
    show_ahead.show(rows, title, console)


def report_folds(done: joint.Joint) -> None:
    """Draw the errors in all folds, and take over the newest fold's days to come."""
    folder, tables, newest = done.folder, done.tables, done.newest
    unit = newest.info["data"]["unit"]
    plots.error_by_step(folder / "error_by_day.png", tables["metrics"], "mae", unit)
    path, baseline = folder / "error_by_fold.png", "that of the fold's best baseline"
    relative_errors.picture(path, tables["folds"], "fold", baseline)
    for name in ("forecast.csv", "next_days.png"):
        if (newest.folder / name).is_file():  # no picture fails a run
            files.write_bytes(folder / name, (newest.folder / name).read_bytes())
    tables["forecast"] = newest.table("forecast")


def show_folds(done: joint.Joint, console: Console) -> None:
    """Print the forecast of the days to come, which the newest fold has made."""
    info, rows = done.newest.info, done.tables["forecast"].to_dict("records")
    title = f"{info['data']['source']}, {info['data']['unit']}, by "
    show_ahead.show(rows, title + info["recommended"]["model"], console)


# ---------------------------------------------------------------- the days to come


def predict_next_days(
    file: tyro.conf.Positional[Path | None] = None,
    *,
    model: Path,
    output: Path = Path("forecast.csv"),
) -> None:
    """Forecast the days after the last one of a file, by what a run recommends.

    Networks stay as the run has trained them; baselines are fitted anew.

    Args:
        file: The newest data, in the form of the run's; by default the run's own.
        model: The run's folder, results/forecast/<run>.
        output: Where the forecast goes, a CSV file; one that is there is replaced.
    """
    if each := next_days.find_each(model):
        from experiments import many_series

        many_series.predict_each(each, file, output)
        return
    recommended = next_days.find(model)
    whole = {"resume": None, "folds": 1, "fold": None}  # to its very end
    options = config.from_json(Config, recommended.options | whole)
    cut = load_data(_of_file(options, file) if file else options).source
    require_days(cut.series, recommended.parts)
    baselines = predictors(cut, options.classical, "future")
    ahead, widths = next_days.forecast(recommended, cut, baselines, MODELS)
    series = cut.series
    rows = show_ahead.rows(series, ahead, widths)
    show_ahead.write(output, rows)
    title = f"{series.name}, {series.unit}, by {recommended.model}; also in {output}"
    show_ahead.show(rows, title)


def _of_file(options: Config, file: Path) -> Config:
    """Return the options for a newer file; that of cta has columns of its own."""
    columns = dataclasses.asdict(ridership.LAYOUT) if options.data == "cta" else {}
    return dataclasses.replace(options, data=str(file), **columns)


# ---------------------------------------------------------------- run


def experiment(config: Config) -> Experiment:
    """Define the experiment; see `rnn_tf.recipe.experiment`."""
    return Experiment(
        name="forecast",
        headline="mae",
        models={name: MODELS[name] for name in config.names},
        answers=("mlp",),
        rivals=("gru",),
        load_data=load_data,
        baselines=find_baselines,
        compile_arguments=compile_arguments,
        predict=predict,
        evaluate=evaluate,
        export=export,
        combines=True,
        intervals=next_days.intervals,
        report=report,
        show=show,
    )


def run(config: Config) -> Outcome | joint.Joint:
    """Run the recipe, in each fold or on each series; see `runner.run`."""
    require_paths(config, *NAMED)
    if config.many:
        from experiments import many_series  # which builds on this module

        return many_series.run(config)
    if config.runs == 1:
        return runner.run(experiment, config)
    numbers = range(1, config.folds + 1)
    parts = {f"fold {n}": dataclasses.replace(config, fold=n) for n in numbers}
    judge = partial(
        folds.judge, rivals=("mlp", "gru"), block=served.dependent(config.horizon)
    )
    return joint.run(experiment, config, parts, judge, report_folds, show_folds)


if __name__ == "__main__":
    commands = {"predict": predict_next_days}
    raise SystemExit(config.main(run, Config, FULL, "forecast", **commands))
