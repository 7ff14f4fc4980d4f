"""Forecast the next seven days of a daily univariate series.

    make forecast                                                  quick, 3 minutes
    make forecast ARGS="--data cta --size full"                    50 minutes
    make forecast ARGS="--data cta --size full --train-from 2001"  2 hours
    make forecast ARGS="--data my.csv --date-column day --value-column riders"

Minutes on two cores, by the reference runs. Expect a test MAE of 3,711 riders
(year_gru_ensemble) beside SARIMA's 3,845; on Chicago's boardings 39,867
(weekly_gru_ensemble), and 34,227 (year_gru_ensemble) from 2001 on, beside 46,921 of the
median of four weeks.

The course says that an MLP with one hidden layer is a good choice here. So it stands
in the table, beside recurrent networks and forecasts that need no training.
"""

import dataclasses
from functools import partial
from pathlib import Path
from typing import Literal

import lazy_loader
import numpy as np

from rnn_tf import config
from rnn_tf.baselines.series import predictors
from rnn_tf.config import RunConfig
from rnn_tf.data.order import stacked
from rnn_tf.data.series import daily, gaps, ridership, synthetic, windows
from rnn_tf.data.series.layout import Layout
from rnn_tf.data.splits import Data, Network
from rnn_tf.errors import InputError
from rnn_tf.metrics import forecast as forecast_metrics
from rnn_tf.metrics.scores import Scores
from rnn_tf.models import layers
from rnn_tf.models.optimizer import clipped_adam
from rnn_tf.recipe import runner
from rnn_tf.recipe.experiment import Experiment, Outcome, by_batch
from rnn_tf.report import plots

keras = lazy_loader.load("keras")

# ---------------------------------------------------------------- configuration


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(RunConfig):
    """Forecast the next days of a daily series, and see what beats what."""

    data: str = "synthetic"
    """synthetic, cta (Chicago's rail boardings, downloaded once), or a file: CSV and
    the like, also packed by gzip; Parquet; or the first sheet of a workbook."""
    data_dir: Path | None = None
    """With cta: a folder that holds the file already; nothing is downloaded."""
    date_column: str = "date"
    """With a file: the column with one date per row."""
    value_column: str = "value"
    """With a file: the column to forecast."""
    series_column: str | None = None
    """With a file of several series: the column that names the series of each row."""
    series: str | None = None
    """With a file of several series: the one to forecast."""
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
    train_from: int = 2016
    """With cta: the first year of training, 2001 to 2017."""
    lookback: int | None = None
    """Days that a model sees, by default eight weeks; those that look things up see two
    years."""
    horizon: int | None = None
    """Days ahead to forecast, by default a week."""
    models: tuple[str, ...] = ()
    """Names of the models to run; all, if none is given."""
    classical: bool = True
    """Also fit SARIMA, which takes a few seconds."""

    def __post_init__(self):
        super().__post_init__()
        for name, weeks in (("lookback", 8), ("horizon", 1)):
            if getattr(self, name) is None:
                object.__setattr__(self, name, weeks * self.week)
        if self.calendar == "business" and self.data in ("synthetic", "cta"):
            raise InputError(f"--calendar business needs --data FILE, not {self.data}")
        config.require_at_least(self, "horizon", 1)
        config.require_at_least(self, "lookback", 1)
        if not 2001 <= self.train_from <= 2017:
            raise InputError(f"--train-from is {self.train_from}; take 2001 to 2017")
        config.require_known(self, "models", MODELS)
        for name in self.models:
            if name in WEEKLY and not self.weekly:
                raise InputError(
                    f"--models {name} works in whole weeks: it needs --calendar daily, "
                    "--horizon 7 and a --lookback of 28, 35, 42, ..., not "
                    f"{self.calendar}, {self.horizon} and {self.lookback}"
                )

    @property
    def week(self) -> int:
        """The days of a week."""
        return gaps.WEEKS[self.calendar]

    @property
    def weekly(self) -> bool:
        """Whether the models that fold days into weeks, of seven days, can run."""
        whole = self.lookback % daily.WEEK == 0 and self.lookback >= 4 * daily.WEEK
        return whole and self.horizon == self.week == daily.WEEK

    @property
    def names(self) -> tuple[str, ...]:
        """The models to run."""
        every = tuple(n for n in MODELS if self.weekly or n not in WEEKLY)
        return self.models or every


FULL = {
    "seeds": 5,
    "trials": 6,
    "trial_epochs": 25,
    "epochs": 100,
    "patience": 40,
}

# ---------------------------------------------------------------- data


def load_data(config: Config):
    """Load the series and cut it into windows; test targets lie after all others."""
    series, periods = _series(config)
    cut = windows.Windows(series, periods, config.lookback, config.horizon)
    batch = config.batch_size or windows.batch_size(len(cut.origins["train"]))

    def dataset(split, network, order=None):
        size = batch if split == "train" else len(cut.origins[split])
        return cut.dataset(split, network.model, size, order)

    return Data(
        sizes=None,  # the configuration has them all
        dataset=dataset,
        batch_size=batch,
        block=max(14, 2 * config.horizon),
        facts=cut.facts(),
        source=cut,
        stacked=lambda n, order: cut.dataset("train", n.model, batch, order, stacked),
    )


def _series(config: Config) -> tuple[daily.Series, windows.Periods]:
    """Read the series, and say where its parts begin and end."""
    if config.data == "cta":
        series = ridership.load(config.data_dir)
        return series, ridership.periods(series, config.train_from)
    if config.data == "synthetic":
        series = synthetic.daily_series()
    else:
        series = daily.read(Path(config.data), _layout(config))
    return series, windows.periods_by_share(len(series.values))


def _layout(config: Config) -> Layout:
    """Gather the options that say how a file holds its series."""
    names = [field.name for field in dataclasses.fields(Layout)]
    return Layout(**{name: getattr(config, name) for name in names})


def find_baselines(config: Config, data) -> dict:
    """Give each baseline's predict(split), by name, in the series' unit."""
    return predictors(data.source, config.classical)


# ---------------------------------------------------------------- models
# Each takes the last `lookback` days, or two years if it looks things up, divided by
# their mean in training, NaN where unknown: (batch, days, 1). Each gives the next days:
# (batch, horizon), or, if it has a loss at every step, (batch, lookback, horizon).


def mlp(hp, config: Config, sizes):
    """Build an MLP with one hidden layer, the course's answer."""
    x = past = keras.Input((config.lookback, 1), name="past")
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(_units(hp, 64), activation="relu")(x)
    return keras.Model(past, layers.output(config.horizon)(x))


def recurrent(cell: str, hp, config: Config, sizes):
    """Build a seq-to-vector network: the last state of one layer gives all days."""
    x = past = keras.Input((config.lookback, 1), name="past")
    x = getattr(keras.layers, cell)(_units(hp))(x)
    return keras.Model(past, layers.output(config.horizon)(x))


def stacked_gru(hp, config: Config, sizes):
    """Build two GRU layers, of which the first returns its sequence."""
    x = past = keras.Input((config.lookback, 1), name="past")
    units = _units(hp)
    x = keras.layers.GRU(units, return_sequences=True)(x)
    x = keras.layers.GRU(units)(x)
    return keras.Model(past, layers.output(config.horizon)(x))


def seq2seq(hp, config: Config, sizes):
    """Build a seq-to-seq network: the days after every day, a loss at every step."""
    x = past = keras.Input((config.lookback, 1), name="past")
    x = keras.layers.GRU(_units(hp), return_sequences=True)(x)
    return keras.Model(past, layers.output(config.horizon)(x))


def conv_gru(hp, config: Config, sizes):
    """Build a convolution in front of a GRU."""
    x = past = keras.Input((config.lookback, 1), name="past")
    units = _units(hp)
    kernel = hp.Choice("kernel", [3, 7], default=7)
    x = keras.layers.Conv1D(units, kernel, padding="causal", activation="relu")(x)
    x = keras.layers.GRU(units)(x)
    return keras.Model(past, layers.output(config.horizon)(x))


def iterated(hp, config: Config, sizes):
    """Build one output neuron for the next day, fed back until all days are there.

    It is trained through its own feedback, so that it learns to live with its errors.
    """
    x = past = keras.Input((config.lookback, 1), name="past")
    gru = keras.layers.GRU(_units(hp), return_state=True)
    neuron = layers.output(1)
    x, state = gru(x)
    days = [neuron(x)]
    while len(days) < config.horizon:
        x, state = gru(days[-1][:, None], initial_state=state)
        days.append(neuron(x))
    return keras.Model(past, keras.ops.concatenate(days, axis=-1))


def weekly_gru(hp, config: Config, sizes):
    """Build a GRU over weeks, each beside the week that followed it last year.

    The GRU's state corrects the usual week, and opens a gate for each day to move from
    the usual week towards last year's.
    """
    past = _two_years(config)
    scale, usual, year, steps = layers.by_week(past, config.lookback)
    state = keras.layers.GRU(_units(hp))(steps)
    correction = layers.output(daily.WEEK)(state)
    gate = layers.output(daily.WEEK, "sigmoid")(state)
    match = year[:, config.lookback // daily.WEEK]
    return keras.Model(past, (usual + correction + gate * match) * scale)


def year_gru(hp, config: Config, sizes):
    """Build `weekly_gru` and a second GRU, to and fro over the seven days ahead.

    Each day ahead sees ten days to each side of its match last year, so that a holiday
    is found whether it kept its date or its weekday.
    """
    past = _two_years(config)
    scale, usual, year, steps = layers.by_week(past, config.lookback)
    state = keras.layers.GRU(_units(hp))(steps)
    near = layers.around_each_day(year, config.lookback // daily.WEEK, AROUND)
    beside = [keras.ops.roll(usual, by, axis=1)[:, :, None] for by in (0, 1, -1)]
    state = keras.ops.repeat(state[:, None], daily.WEEK, axis=1)
    x = keras.ops.concatenate([near, *beside, state], axis=-1)
    cell = keras.layers.GRU(hp.Choice("day_units", [16, 32]), return_sequences=True)
    days = keras.layers.Bidirectional(cell)(x)
    correction = layers.output(1)(days)[:, :, 0]
    gate = layers.output(1, "sigmoid")(days)[:, :, 0]
    match = near[:, :, AROUND]
    return keras.Model(past, (usual + correction + gate * match) * scale)


def _two_years(config: Config):
    """Make the input of models that look up last year: (batch, 2 years or more, 1)."""
    return keras.Input((max(config.lookback, 2 * daily.YEAR), 1), name="past")


def _units(hp, default: int = 32) -> int:
    return hp.Choice("units", [16, 32, 64], default=default)


MODELS = {
    "mlp": mlp,
    "simple_rnn": partial(recurrent, "SimpleRNN"),
    "lstm": partial(recurrent, "LSTM"),
    "gru": partial(recurrent, "GRU"),
    "stacked_gru": stacked_gru,
    "seq2seq": seq2seq,
    "conv_gru": conv_gru,
    "iterated": iterated,
    "weekly_gru": weekly_gru,
    "year_gru": year_gru,
}

WEEKLY = ("weekly_gru", "year_gru")
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

    def in_unit(_, output):
        return layers.last_step(output).astype(float) * data.source.scale

    return by_batch(network, data.dataset(split, network), in_unit)


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
    models = [network.model for network in networks]
    past = keras.Input(models[0].input_shape[1:], name="past")
    scaled = past / data.source.scale
    days = [layers.last_step(model(scaled)) for model in models]
    mean = keras.layers.average(days) if days[1:] else days[0]
    return keras.Model(past, mean * data.source.scale)


def report(outcome: Outcome) -> None:
    """Draw the pictures of a run."""
    folder, tables, series = outcome.folder, outcome.tables, outcome.data.source.series
    unit, path = series.unit, folder / "forecasts.png"
    plots.forecasts(path, tables["predictions"], outcome.shown, unit, series.week)
    plots.error_by_step(folder / "error_by_day.png", tables["metrics"], "mae", unit)
    plots.learning_curves(folder / "learning_curves.png", tables["history"])


# ---------------------------------------------------------------- run


def experiment(config: Config) -> Experiment:
    """Define the experiment; see `rnn_tf.recipe.experiment`."""
    return Experiment(
        name="forecast",
        headline="mae",
        models={name: MODELS[name] for name in config.names},
        answers=("mlp",),
        load_data=load_data,
        baselines=find_baselines,
        compile_arguments=compile_arguments,
        predict=predict,
        evaluate=evaluate,
        export=export,
        report=report,
    )


def run(config: Config) -> Outcome:
    """Run the recipe; see `rnn_tf.recipe.runner.run`."""
    return runner.run(experiment, config)


if __name__ == "__main__":
    raise SystemExit(config.main(run, Config, FULL, "forecast"))
