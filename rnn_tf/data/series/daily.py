"""Read a daily series from a CSV file and check it, or refuse it in one clear line."""

import csv
import dataclasses
import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf.errors import InputError
from rnn_tf.text import quote, shorten

pd = lazy_loader.load("pandas")

WEEK = 7
LARGEST = 1e30  # float32, in which models compute, ends at 3e38
SHOWN = 10  # columns that an error message names, at most
WIDEST = 10_000  # columns of a file; a million take pandas minutes and 4 GB
YEAR = 364  # 52 weeks: the same weekday, a year before
# The first format that fits every row is taken, so 13/01/2020 is no error.
DATE_FORMATS = ("ISO8601", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y%m%d")


@dataclass(frozen=True)
class Series:
    """A gapless daily series, oldest day first."""

    name: str
    unit: str
    dates: np.ndarray  # (days,) datetime64[D]
    values: np.ndarray  # (days,) float64, in `unit`
    filled: np.ndarray  # (days,) bool: the day was missing and has been filled
    sha256: str  # of the file, or of the values if there is none
    notes: tuple[str, ...] = ()  # what was dropped or filled


def read_csv(
    path: Path, date_column: str, value_column: str, fill: str = "none"
) -> Series:
    """Read one column of a CSV file as a daily series.

    Identical duplicate rows are dropped and counted. An empty cell is a missing day;
    missing days are an error unless `fill` says how to fill them.

    Raises:
        InputError: names the file, what is wrong with it, where, and the fix.
    """
    frame = _read_columns(path, date_column, value_column)
    dates = _dates(path, frame[date_column])
    values = _numbers(path, frame[value_column])
    dates, values, notes = _drop_duplicates(path, dates, values)
    dates, values, filled, filled_notes = _fill_gaps(path, dates, values, fill)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    notes += filled_notes
    return Series(path.stem, value_column, dates, values, filled, digest, notes)


def _read_columns(path: Path, date_column: str, value_column: str):
    """Read the two columns as text, one row per line of the file."""
    texts = {"dtype": str, "keep_default_na": False, "compression": None}
    try:
        names = _header(path)
        with warnings.catch_warnings():  # cells that have no header are an error
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(path, index_col=False, **texts)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check --data") from None
    except pd.errors.EmptyDataError:
        raise InputError(f"{path} is empty") from None
    except (pd.errors.ParserWarning, csv.Error, OSError, ValueError) as error:
        reason = shorten(str(error).splitlines()[0], 200)
        raise InputError(f"{path} is not a readable CSV file: {reason}") from None
    for option, name in (("date", date_column), ("value", value_column)):
        _check_column(path, names, name, option)
    if frame.empty:
        raise InputError(f"{path} has a header and no rows")
    return frame[[date_column, value_column]].fillna("")


def _header(path: Path) -> list[str]:
    """Read the names of the columns: pandas would rename one that comes again.

    Raises:
        ValueError: it is no file, or has more columns than pandas can keep in memory.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is a folder or a device")
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = csv.reader(file)
        names = next((line for line in lines if any(map(str.strip, line))), [])
    if len(names) > WIDEST:
        raise ValueError(f"it has {len(names):,} columns, and {WIDEST:,} are allowed")
    return names


def _check_column(path: Path, names: list[str], name: str, option: str) -> None:
    """Raise InputError unless one column has the name, which `option` has chosen."""
    if names.count(name) == 1:
        return
    if name in names:
        raise InputError(
            f"{path} has {names.count(name)} columns {quote(name)}: rename one, or "
            f"choose another with --{option}-column"
        )
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    known = ", ".join(map(quote, names[:SHOWN])) + more
    raise InputError(
        f"{path} has no column {quote(name)}; it has {shorten(known, 400)}: "
        f"choose with --{option}-column"
    )


def _dates(path: Path, texts) -> np.ndarray:
    """Parse dates, (rows,) datetime64[D]; every row must fit the same format."""
    texts = texts.str.strip()
    fewest = None
    for form in DATE_FORMATS:
        parsed = pd.to_datetime(texts, format=form, errors="coerce", utc=True)
        bad = parsed.isna()
        if not bad.any():
            return _days(path, parsed.dt.tz_localize(None))
        if fewest is None or bad.sum() < fewest.sum():
            fewest = bad
    first = int(np.argmax(fewest))
    raise InputError(
        f"{path}, line {first + 2}: {quote(texts.iloc[first])} is not a date like "
        f"2019-12-31 or 12/31/2019 ({fewest.sum()} of {len(texts)} rows do not fit)"
    )


def _days(path: Path, parsed) -> np.ndarray:
    """Turn times into days, or refuse a time of day."""
    days = parsed.dt.normalize()
    if (days != parsed).any():
        first = parsed[days != parsed].iloc[0]
        raise InputError(f"{path} is not daily: {first} has a time of day")
    return days.to_numpy().astype("datetime64[D]")


def _numbers(path: Path, texts) -> np.ndarray:
    """Parse numbers, (rows,) float64: within LARGEST, or NaN for an empty cell."""
    texts = texts.str.strip()
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=float)
    missing = texts.str.lower().isin(["", "nan", "na"]).to_numpy()
    bad = ~np.isfinite(numbers) & ~missing
    if bad.any():
        first = int(np.argmax(bad))
        raise InputError(
            f"{path}, line {first + 2}: {quote(texts.iloc[first])} is not a finite "
            f"number ({bad.sum()} such rows); write numbers like 1234.5"
        )
    if (huge := np.abs(numbers) > LARGEST).any():
        first = int(np.argmax(huge))
        raise InputError(
            f"{path}, line {first + 2}: {quote(texts.iloc[first])} is beyond "
            f"{LARGEST:.0e}; divide the series by a power of ten"
        )
    if 0 < (largest := np.nanmax(np.abs(numbers), initial=0)) < 1 / LARGEST:
        raise InputError(
            f"{path}: its largest number is {largest:.3g}; multiply the series by a "
            "power of ten"
        )
    return np.where(missing, np.nan, numbers)


def _drop_duplicates(path: Path, dates, values):
    """Sort by date; drop and count identical duplicates."""
    frame = pd.DataFrame({"date": dates, "value": values}).drop_duplicates()
    dropped = len(values) - len(frame)
    repeated = frame.loc[frame.date.duplicated(), "date"].drop_duplicates()
    if len(repeated):
        first = ", ".join(str(day.date()) for day in repeated.sort_values()[:3])
        more = f" and {len(repeated) - 3} more" if len(repeated) > 3 else ""
        raise InputError(f"{path} has different values for one date: {first}{more}")
    frame = frame.sort_values("date")
    notes = (f"dropped {dropped} identical duplicate rows",) if dropped else ()
    return frame.date.to_numpy("datetime64[D]"), frame.value.to_numpy(), notes


def _fill_gaps(path: Path, dates, values, fill: str):
    """Give every day from the first known to the last a value."""
    known = np.isfinite(values)
    if not known.any():
        raise InputError(f"{path} holds no number")
    dates, values = dates[known], values[known]
    steps = np.diff(dates).astype(int)
    if len(steps) and np.median(steps) != 1:
        raise InputError(
            f"{path} is not daily: the usual step is {np.median(steps):g} days"
        )
    days = np.arange(dates[0], dates[-1] + np.timedelta64(1, "D"))
    filled = ~np.isin(days, dates)
    if not filled.any():
        return days, values, filled, ()
    if fill == "none":
        raise InputError(
            f"{path} has gaps: {filled.sum()} days are missing, the first is "
            f"{days[filled][0]}; choose --fill seasonal or --fill linear"
        )
    if filled.sum() > len(values):
        raise InputError(
            f"{path}: {filled.sum()} days are missing and {len(values)} are there; "
            "more than half would be made up"
        )
    full = _fill(path, days, dates, values, filled, fill)
    return days, full, filled, (f"filled {filled.sum()} missing days ({fill})",)


def _fill(path: Path, days, dates, values, filled, fill: str) -> np.ndarray:
    """Fill with the same weekday a week before (seasonal), or between neighbours."""
    at = (days - days[0]).astype(int)
    if fill == "linear":
        return np.interp(at, (dates - days[0]).astype(int), values)
    full = np.full(len(days), np.nan)
    full[~filled] = values
    for day in np.flatnonzero(filled):  # in order, so that long gaps fill week by week
        full[day] = full[day - 7] if day >= 7 else np.nan
    if np.isnan(full).any():
        raise InputError(
            f"{path}: {days[np.isnan(full)][0]} has no same weekday before it; "
            "choose --fill linear"
        )
    return full


def rename(series: Series, name: str, unit: str) -> Series:
    """Return the series under another name and unit."""
    return dataclasses.replace(series, name=name, unit=unit)
