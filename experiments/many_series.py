"""Forecast many daily series, by networks that are trained once for all of them.

    make forecast ARGS="--data panel.csv --series-column series"     a long file
    make forecast ARGS="--data folder/of/series"                     a file for each

A global network sees windows of all series, each in units of its own level and spread
(Montero-Manso and Hyndman, 2021): what one series is too short to teach, others may.
Models and training are those of `experiments.forecast`. Expect a minute for each series
at the quick size; and of what is recommended, on eight series at full size, 0.95 times
the error of each one's best simple baseline.
"""

import dataclasses
from functools import partial
from pathlib import Path

import lazy_loader
import numpy as np
from rich.console import Console

from experiments import forecast
from experiments.forecast import Config
from rnn_tf import files
from rnn_tf.baselines.series import predictors, require_days
from rnn_tf.config import from_json
from rnn_tf.data.series import daily, folder, many_windows, served
from rnn_tf.data.series.many_windows import ManyWindows
from rnn_tf.data.splits import Data
from rnn_tf.errors import InputError
from rnn_tf.metrics import relative
from rnn_tf.metrics.scores import Scores
from rnn_tf.recipe import joint, next_days, runner
from rnn_tf.recipe import many_series as judging
from rnn_tf.recipe.experiment import Entry, Experiment, Outcome
from rnn_tf.recipe.series_part import parts_of
from rnn_tf.report import many_series as show_many
from rnn_tf.report import next_days as show_ahead
from rnn_tf.report import plots
from rnn_tf.text import quote

pd = lazy_loader.load("pandas")

SCALED = "scaled_mae"  # the headline
KEPT = 8  # windows of each series in predictions.csv, the last that share no day

# ---------------------------------------------------------------- data


def load_data(config: Config) -> Data:
    """Load all series and serve their windows."""
    cut = cut_series(config)
    return served.in_folds(cut, cut.first.periods.blocks, config.batch_size)


def cut_series(config: Config) -> ManyWindows:
    """Read all series and cut them into windows; each is split by its own days."""
    path = Path(config.data)
    series = daily.read_panel(path, forecast.layout(config))
    name = path.resolve().name if path.is_dir() else folder.series_name(path)
    sizes = config.lookback, config.horizon, min(forecast.BLOCKS, config.seeds)
    return many_windows.cut(name, series, *sizes)


def find_baselines(config: Config, data: Data) -> dict:
    """Give the predict(split) of each baseline that all series are long enough for.

    They learn from one series alone, and forecast it.
    """
    cut = data.source
    each = {n: predictors(part, config.classical) for n, part in cut.parts.items()}
    names = min(each.values(), key=len)  # the rest need more days than it has

    def predict(baseline, split):
        return cut.joined(lambda name, _: each[name][baseline](split))

    return {name: partial(predict, name) for name in names}


# ---------------------------------------------------------------- evaluation


def evaluate(data: Data, split: str, predictions: np.ndarray) -> Scores:
    """Score forecasts (windows, horizon) over all windows, and for each series.

    The error of a window is measured by the spread of the days before it, as networks
    see them: a series counts alike whatever its unit, and however it has grown since
    its first days, by which MASE would measure it for ever.
    """
    cut, targets = data.source, data.source.targets(split)
    errors = np.abs(targets - predictions)
    scaled = errors / cut.levels[cut.origins[split], 1:]
    rows = [_row(SCALED, "", scaled)]
    rows += [_row(SCALED, day + 1, scaled[:, day]) for day in range(cut.horizon)]
    unit = cut.first.series.unit
    for name, of_series in cut.rows(split).items():
        rows.append(_row("mae", name, errors[of_series]) | {"unit": unit})
    kept = _kept(cut, split, targets, predictions)
    return Scores(rows, scaled.mean(axis=1), kept)


def _row(metric: str, part: str | int, errors: np.ndarray) -> dict:
    row = {"metric": metric, "slice": part, "value": float(errors.mean()), "unit": ""}
    return row | {"n": errors.size}


def _kept(cut: ManyWindows, split: str, targets, predictions) -> list[dict]:
    """Make the rows of predictions.csv; those of all windows would fill the memory."""
    dates, rows = cut.dates(split), []
    for name, of_series in cut.rows(split).items():
        windows = range(of_series.stop - 1, of_series.start - 1, -cut.horizon)
        for window in reversed(windows[:KEPT]):
            days = zip(targets[window].tolist(), predictions[window], strict=True)
            example = {"example": f"{name} {dates[window]}"}
            rows += [
                example | {"step": day + 1, "target": y, "prediction": float(f)}
                for day, (y, f) in enumerate(days)
            ]
    return rows


def intervals(entry: Entry, data: Data) -> tuple[list[dict], dict]:
    """Measure how far a forecast errs on validation, series by series.

    Returns:
        The coverage on test of each series, as rows of `metrics.csv`; and `intervals`
        of config.json, name -> as `next_days.intervals` has it.
    """
    known, new = (next_days.errors(entry, data, s) for s in ("validation", "test"))
    cut, rows, facts = data.source, [], {}
    of_known, of_new = cut.rows("validation"), cut.rows("test")
    for name, part in cut.parts.items():
        errors = known[of_known[name]], new[of_new[name]]
        covered, facts[name] = next_days.of_errors(entry, part, *errors, name)
        rows += covered
    return _over_all(rows) + rows, {"series": facts}


def _over_all(rows: list[dict]) -> list[dict]:
    """Average coverage over the windows of all series."""
    frame, every = pd.DataFrame(rows), []
    for metric, of_metric in frame.groupby("metric", sort=False):
        share = np.average(of_metric["value"], weights=of_metric["n"])
        over = {"slice": "", "value": float(share), "n": int(of_metric["n"].sum())}
        every.append(rows[of_metric.index[0]] | {"metric": metric} | over)
    return every


def report(outcome: Outcome) -> None:
    """Draw the pictures of a run, and write the days to come of each series."""
    path, tables = outcome.folder, outcome.tables
    picture, unit = path / "error_by_day.png", "spreads of the days before"
    plots.error_by_step(picture, tables["metrics"], SCALED, unit)
    plots.learning_curves(path / "learning_curves.png", tables["history"])
    rows = days_to_come(outcome.recommended, outcome.data)
    tables["forecast"] = pd.DataFrame(rows)
    files.write_csv(path / "forecast.csv", ["series", *show_ahead.COLUMNS], rows)


def days_to_come(entry: Entry, data: Data) -> list[dict]:
    """Make the rows of forecast.csv: the days to come of each series, recommended."""
    cut, (_, facts) = data.source, intervals(entry, data)
    rows = []
    for (name, part), ahead in zip(
        cut.parts.items(), np.mean(entry.predict("future"), axis=0), strict=True
    ):
        scale = next_days.read_intervals(facts["series"][name], cut.horizon)
        widths = scale.around(part.series.values)
        days = show_ahead.rows(part.series, ahead, widths)
        rows += [{"series": name} | day for day in days]
    return rows


# ---------------------------------------------------------------- the days to come


def predict_each(
    each: dict[str, next_days.Recommended], file: Path | None, output: Path
) -> None:
    """Forecast the days after the last one of each series, by what a run recommends.

    Args:
        each: what is recommended, by series.
        file: the newest data, in the form of the run's; by default the run's own.
        output: a CSV file.

    Raises:
        InputError: the data cannot be used, or has a series that the run does not know.
    """
    options = next(iter(each.values())).options | {"resume": None}
    options = from_json(Config, options)
    cut = cut_series(dataclasses.replace(options, data=str(file)) if file else options)
    if unknown := [name for name in cut.parts if name not in each]:
        raise InputError(
            f"{cut.name} has a series that the run does not know, "
            f"{quote(unknown[0])}; leave it out, or run the forecast again"
        )
    rows = []
    for name, part in cut.parts.items():
        require_days(part.series, each[name].parts)
        baselines = predictors(part, options.classical, "future")
        ahead = next_days.forecast(each[name], part, baselines, forecast.MODELS)
        base = {"series": name, "model": each[name].model}
        rows += [base | day for day in show_ahead.rows(part.series, *ahead)]
    files.write_csv(output, judging.DAYS, rows)
    title = f"{cut.name}, {cut.first.series.unit}; also in {output}"
    Console().print(show_many.days_table(rows, title))


# ---------------------------------------------------------------- run


def experiment(config: Config) -> Experiment:
    """Define the experiment on all series at once, or on one that is named.

    See `rnn_tf.recipe.experiment`.
    """
    alone = forecast.experiment(config)
    if not config.many:
        return alone
    return dataclasses.replace(
        alone,
        headline=SCALED,
        load_data=load_data,
        baselines=find_baselines,
        evaluate=evaluate,
        intervals=intervals,
        report=report,
        show=lambda outcome, console: None,
    )


EVERY = "all series"  # the part with the networks that are trained on all


def run(config: Config) -> Outcome | joint.Joint:
    """Run the recipe on each series, and on all at once; see `rnn_tf.recipe.joint`."""
    if config.folds > 1:
        raise InputError(
            f"--folds {config.folds} is for one series: choose it with --series, or "
            "leave --folds out"
        )
    cut = cut_series(config)
    alone = {name: of_series(config, name) for name in cut.parts}
    if len(alone) == 1:
        return runner.run(experiment, *alone.values())
    parts = {}
    if "local" in config.networks:
        parts |= {f"series {name}": options for name, options in alone.items()}
    if "global" in config.networks:
        parts[EVERY] = dataclasses.replace(config, networks=("global",))

    def judge(folder_of, finished):
        every = finished.get(EVERY)
        of_each = {
            name: parts_of(name, finished.get(f"series {name}"), every)
            for name in alone
        }
        return judging.judge(folder_of, of_each, cut.facts(), rivals=("mlp", "gru"))

    return joint.run(experiment, config, parts, judge, report_series, show_series)


def of_series(config: Config, name: str) -> Config:
    """Return the options of the run of one series."""
    if Path(config.data).is_dir():
        file = folder.series_files(Path(config.data), forecast.layout(config))[name]
        return dataclasses.replace(config, data=str(file), networks=("local",))
    return dataclasses.replace(config, series=name, networks=("local",))


def report_series(done: joint.Joint) -> None:
    """Draw the errors of each model on all series."""
    place, tables = done.folder, done.tables
    show_many.picture(place / "error_by_series.png", tables["series"])
    by_day = tables["metrics"][tables["metrics"]["metric"] == relative.MAE]
    if by_day["slice"].any():
        by_day, path = by_day.assign(metric="mae"), place / "error_by_day.png"
        plots.error_by_step(path, by_day, "mae", "times best simple's")


def show_series(done: joint.Joint, console: Console) -> None:
    """Print what is recommended for each series, and how that did."""
    data, tables = done.info["data"], done.tables
    title = f"{data['source']}, {data['unit']}; days to come in forecast.csv"
    console.print(show_many.table(tables["series"], tables["forecast"], title))
