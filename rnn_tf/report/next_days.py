"""Show the forecast of the days to come: as rows, as a table and as a picture."""

import math
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.measure import Measurement

from rnn_tf import files
from rnn_tf.metrics.conformal import LEVELS
from rnn_tf.metrics.formatting import PlainTable, plain_table
from rnn_tf.report import plots

COLUMNS = "date forecast low_80 high_80 low_95 high_95".split()


def rows(
    series, forecast: np.ndarray, half_widths: dict[int, np.ndarray]
) -> list[dict]:
    """Make the rows of `forecast.csv`, one for each day ahead.

    Args:
        series: `data.series.daily.Series`; where it was never below 0, nothing is.
        forecast: (horizon,), in the series' unit.
        half_widths: level in % -> (horizon,), in the same unit.
    """
    least = 0.0 if series.values.min() >= 0 else -np.inf
    dates = series.dates_ahead(len(forecast)).astype(str)
    columns = {"date": dates, "forecast": np.maximum(forecast, least)}
    for level in LEVELS:
        columns[f"low_{level}"] = np.maximum(forecast - half_widths[level], least)
        columns[f"high_{level}"] = np.maximum(forecast + half_widths[level], least)
    days = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, day, strict=True)) for day in days]


def write(path: Path, days: list[dict]) -> None:
    """Write `forecast.csv`, whole or not at all."""
    files.write_csv(path, COLUMNS, days)


# ---------------------------------------------------------------- for reading


def table(days: list[dict], title: str, levels=LEVELS) -> PlainTable:
    """Show the rows: weekday and date, forecast, and the ends of the intervals."""
    headings = ["forecast", *(f"{level} %" for level in levels)]
    number = f"{{:,.{_decimals(days)}f}}".format
    shown = plain_table(title, ["day"], headings)
    for day in days:
        date = np.datetime64(day["date"]).item()
        ends = [(day[f"low_{n}"], day[f"high_{n}"]) for n in levels]
        cells = [" to ".join(map(number, pair)) for pair in ends]
        shown.add_row(f"{date:%a} {date}", number(day["forecast"]), *cells)
    for column in shown.columns:  # a narrow terminal breaks no number
        words = " ".join(map(str, [column.header, *column.cells])).split()
        column.min_width, column.overflow = max(map(len, words)), "fold"
    return shown


def _decimals(days: list[dict]) -> int:
    """Count the decimals that tell the ends of the narrowest 80 % interval apart."""
    widths = (day["high_80"] - day["low_80"] for day in days)
    narrowest = min((width for width in widths if width > 0), default=1.0)
    return min(9, max(0, 1 - math.floor(math.log10(narrowest))))


def show(days: list[dict], title: str, console: Console | None = None) -> None:
    """Print the table, less the widest intervals where the terminal is too narrow."""
    console = console or Console()
    shown = table(days, title)
    wide = console.options.update(max_width=1_000)
    if Measurement.get(console, wide, shown).minimum > console.width:
        shown = table(days, title, LEVELS[:1])
    console.print(shown)


@plots.picture
def picture(path: Path, series, days: list[dict], model: str) -> None:
    """Draw the last six weeks of a series, and the days ahead with both intervals.

    Each day has a bar of its own: along a steep line no band can be read.

    Args:
        path: of the picture.
        series: `data.series.daily.Series`.
        days: rows of `forecast.csv`.
        model: the name of the forecast.
    """
    figure, (axis,) = plots.new_figure()
    past = slice(-plots.WEEKS_SHOWN * series.week, None)
    dates, truth = series.dates[past], series.values[past]
    axis.plot(dates, truth, color="black", lw=2, label="truth")
    axis.use_sticky_edges = False  # the lowest bar keeps off the frame
    ahead = np.array([day["date"] for day in days], "datetime64[D]")
    lines = {name: np.array([day[name] for day in days]) for name in COLUMNS[1:]}
    for level, alpha in zip(reversed(LEVELS), (0.2, 0.35), strict=True):
        low, high = lines[f"low_{level}"], lines[f"high_{level}"]
        bar = {"color": plots.COLOURS[0], "alpha": alpha, "lw": 0, "width": 0.9}
        axis.bar(ahead, high - low, bottom=low, label=f"{level} %", **bar)
    line = {"color": plots.COLOURS[0], "lw": 1.3, "marker": "o", "ms": 4}
    axis.plot(ahead, lines["forecast"], label=plots.label(model), **line)
    axis.set(ylabel=plots.label(series.unit), title=_title(days))
    axis.yaxis.set_major_formatter(plots.DIGITS)
    _mark_mondays(axis, int((ahead[-1] - dates[0]).astype(int)))
    axis.legend(frameon=False, ncols=4, loc="upper left", bbox_to_anchor=(0, -0.08))
    plots.save(figure, path)


def _mark_mondays(axis, days: int) -> None:
    """Put a date at each Monday, or at so many of them that at most nine show."""
    from matplotlib.dates import MO, DateFormatter, WeekdayLocator

    axis.xaxis.set_major_locator(WeekdayLocator(MO, interval=1 + days // 63))
    axis.xaxis.set_major_formatter(DateFormatter("%a %d %b"))


def _title(days: list[dict]) -> str:
    first, last = days[0]["date"], days[-1]["date"]
    return f"Forecast of {first}" + (f" to {last}" if last != first else "")
