"""Read a daily series from a file and check it, or refuse it in one clear line."""

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf.data.series import dates, folder, gaps, header, numbers, panel, table
from rnn_tf.data.series.layout import Layout
from rnn_tf.errors import InputError

pd = lazy_loader.load("pandas")

WEEK = gaps.WEEKS["daily"]
YEAR = 52 * WEEK  # the same weekday, a year before


@dataclass(frozen=True)
class Series:
    """A gapless daily series, oldest day first; its days may be trading days."""

    name: str
    unit: str
    dates: np.ndarray  # (days,) datetime64[D]
    values: np.ndarray  # (days,) float64, in `unit`
    filled: np.ndarray  # (days,) bool: the day was missing and has been filled
    sha256: str  # of the file, or of the values if there is none
    notes: tuple[str, ...] = ()  # how it was read, what was dropped or filled
    fill: str = "none"  # how days were filled: "linear" looks at the days after them
    calendar: str = "daily"  # or business: Monday to Friday

    @property
    def week(self) -> int:
        """The days of a week."""
        return gaps.WEEKS[self.calendar]

    @property
    def year(self) -> int:
        """The days of 52 weeks: so many before a day lies its weekday, a year ago."""
        return 52 * self.week

    @property
    def days(self) -> str:
        """What a message calls its days."""
        return "days" if self.calendar == "daily" else "trading days"

    def until(self, end: int) -> "Series":
        """Return the series as it was before day `end`, an index, was known."""
        parts = {n: getattr(self, n)[:end] for n in ("dates", "values", "filled")}
        return dataclasses.replace(self, **parts)

    def dates_ahead(self, count: int) -> np.ndarray:
        """Return the days after the last one: (count,) datetime64[D].

        Of trading days, Monday to Friday: which of them are holidays is not known.
        """
        mask = "1" * self.week + "0" * (WEEK - self.week)
        return np.busday_offset(self.dates[-1], np.arange(1, count + 1), weekmask=mask)


def read(path: Path, layout: Layout) -> Series:
    """Read one column of a file as a daily series.

    Identical duplicate rows are dropped and counted. An empty cell is a missing day;
    missing days are an error unless the layout says how to fill them.

    Raises:
        InputError: names the file, what is wrong with it, where, and the fix.
    """
    rows = panel.choose(table.read(path, layout), layout)
    return _series(rows, layout, *_cells(rows, layout))


def read_panel(path: Path, layout: Layout) -> dict[str, Series]:
    """Read all series of a long file, or of a folder in which each file is one.

    Args:
        path: of the file, or of the folder.
        layout: its `series_column` names the series of each row of a long file.

    Returns:
        Series by name: of a file in its order, of a folder sorted.

    Raises:
        InputError: as `read`; what is wrong with one series is, for all.
    """
    if path.is_dir():
        files = folder.series_files(path, layout)
        return {name: read(file, layout) for name, file in files.items()}
    rows = table.read(path, layout)
    moments, values, notes = _cells(rows, layout)
    return {
        name: _series(rows.take(at, name), layout, moments.take(at), values[at], notes)
        for name, at in panel.split(rows, layout.series_column).items()
    }


def _cells(rows: table.Table, layout: Layout):
    """Read the cells of the two columns: their days, numbers, and notes on both."""
    values, how = numbers.parse(rows, layout.value_column, layout.decimal)
    moments = dates.parse(rows, layout.date_column, layout.date_format)
    return moments, values, (*rows.notes, *moments.notes, *how)


def _series(rows: table.Table, layout: Layout, moments, values, notes) -> Series:
    """Make a series of rows whose cells have been read."""
    days, values, dropped = _one_a_day(rows, layout, moments, values)
    days, values, filled, filling = gaps.fill(rows.title, layout, days, values)
    name = folder.series_name(rows.path)
    digest = rows.sha256
    if rows.series:
        name = f"{name} {rows.series}"
        digest = hashlib.sha256(f"{digest} {rows.series}".encode()).hexdigest()
    unit = header.name_of(layout.value_column)
    how = (*notes, *dropped, *filling), layout.filling, layout.calendar
    return Series(name, unit, days, values, filled, digest, *how)


def _one_a_day(rows: table.Table, layout: Layout, moments: dates.Days, values):
    """Sort by date; drop and count identical duplicates: (days, values, notes)."""
    cells = {"day": moments.days, "time": moments.times, "value": values}
    frame = pd.DataFrame(cells).drop_duplicates().sort_values("day", kind="stable")
    dropped = len(values) - len(frame)
    if (repeated := frame[frame.day.duplicated(keep=False)]).empty:
        panel.check_one_after_another(rows, layout, moments.days)
    else:
        at = repeated.index.to_numpy()
        panel.check_one_a_day(rows.take(at, rows.series), layout, moments.days[at])
        raise _not_one_a_day(rows.title, repeated)
    notes = (f"dropped {dropped} identical duplicate rows",) if dropped else ()
    return frame.day.to_numpy("datetime64[D]"), frame.value.to_numpy(), notes


def _not_one_a_day(title: str, repeated) -> InputError:
    """Return the error of rows of which several, that differ, are of one day."""
    days = repeated.day.drop_duplicates()
    first = repeated[repeated.day == days.iloc[0]]
    if first.time.nunique() > 1:
        return InputError(
            f"{title} is not daily: {days.iloc[0].date()} has {len(first)} rows; sum "
            "or average them to days first"
        )
    shown = ", ".join(str(day.date()) for day in days[:3])
    more = f" and {len(days) - 3} more" if len(days) > 3 else ""
    return InputError(
        f"{title} has different values for one date: {shown}{more}; keep one row "
        "a day, or sum or average them to days first"
    )


def rename(series: Series, name: str, unit: str) -> Series:
    """Return the series under another name and unit."""
    return dataclasses.replace(series, name=name, unit=unit)
