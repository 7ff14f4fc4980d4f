"""Read a column of days as people write them; a time of day is told apart from it.

A day is the one that the file writes: nothing is moved to another time zone.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timezone

import lazy_loader
import numpy as np

from rnn_tf.data.series.table import Table
from rnn_tf.errors import InputError
from rnn_tf.text import quote

pd = lazy_loader.load("pandas")

DAY = np.timedelta64(1, "D")
FORMATS = (
    *("%Y-%m-%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y.%m.%d"),
    *("%Y%m%d", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y"),
    *("%y-%m-%d", "%d-%m-%y", "%m-%d-%y", "%y/%m/%d", "%d %b %Y", "%d-%b-%Y"),
    *("%d-%b-%y", "%d %b %y", "%b %d %Y", "%Y-%b-%d", "%d%b%Y"),
)
SAMPLE = 100  # cells that tell which formats are worth a try
LONGEST = 100  # characters of a date
MONTH_NAMES = (f"{name[:3]}(?:{name[3:]})?" for name in calendar.month_name[1:])
MONTH = re.compile(rf"\b({'|'.join(MONTH_NAMES)}|sept)\b\.?", re.I)
WEEKDAY = re.compile(r"(mon|tue|wed|thu|fri|sat|sun)[a-z]*[.,]?\s+", re.I)
TIME = re.compile(
    r"(?P<day>.*?\d)(?:T|,?\s+)"  # 2020-01-31T or Jan 31, 2020
    r"(?P<time>[0-2]?\d(?::[0-5]\d){1,2}(?:[.,]\d+)?|[01]?\d(?=\s*[ap]\.?m)"
    r"|(?<=T)[0-2]\d(?:[0-5]\d){0,2})"
    r"\s*(?P<half>[ap]\.?m\.?)?"
    r"\s*(?P<zone>Z|[A-Z]{3,5}|(?:UTC|GMT)?[+-]\d{2}(?::?\d{2})?)?(?:\[[\w/+-]+\])?",
    re.I,
)
ZONED = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2})(?P<zone>Z|[+-]\d{2}:\d{2})", re.I)
MIDNIGHT = re.compile(r"0{1,2}(:00)*([.,]0+)?|12(:00)*([.,]0+)? ?a\.?m\.?", re.I)
YEAR = re.compile("%[yYGcxDF]")  # what strptime reads of a year
UTC = {"Z", "UTC", "GMT", "+00:00", "+0000", "+00"}


@dataclass(frozen=True)
class Days:
    """The day of every row, and the time of day that stood beside it."""

    days: np.ndarray  # (rows,) datetime64[D]
    times: np.ndarray  # (rows,) text, "" at midnight or where there is none
    notes: tuple[str, ...] = ()

    def take(self, rows) -> "Days":
        """Return some of the rows."""
        return Days(self.days[rows], self.times[rows], self.notes)


def parse(table: Table, name: str, form: str | None) -> Days:
    """Read the column `name`.

    Args:
        table: that has it.
        name: of the column.
        form: as strptime takes it; None finds the one that fits every row, and if
            several do, the one by which the series is daily.

    Raises:
        InputError: names the line, or the two formats that it could be.
    """
    cells = [_text(cell) for cell in table[name]]
    codes, texts = pd.factorize(np.array(cells, dtype=object))
    split = [_split(text) for text in texts]
    if form is None:
        days = _by_any_format(table, [day for day, _, _ in split], texts, codes)
    else:
        days = _by_format(table, form, texts, codes)
    times = [time for _, time, _ in split]
    if form:  # one like %H.%M reads times that `_split` does not know
        times = [t or _clock(text, form) for t, text in zip(times, texts, strict=True)]
    times = np.array(times, dtype=object)
    zones = {zone for _, _, zone in split}
    days, notes = _utc_midnights(days, times, zones)
    return Days(days[codes], times[codes], notes)


# ------------------------------------------------------------------- one cell


def _text(cell: object) -> str:
    """Return a cell as text; a file may have typed 20200131 as a number."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()


def _split(text: str) -> tuple[str, str, str]:
    """Split a cell into its day, its time of day ("" at midnight) and its zone."""
    if len(text) > LONGEST:
        return text, "", ""
    text = WEEKDAY.sub("", text, count=1) if WEEKDAY.match(text) else text
    match = TIME.fullmatch(text) or ZONED.fullmatch(text)
    if not match:
        return _plain(text), "", ""
    parts = match.groupdict()
    time = " ".join(filter(None, [parts.get("time"), parts.get("half")]))
    zone = (parts["zone"] or "").upper()
    whole = f"{time} {zone}".strip()
    return _plain(parts["day"]), "" if MIDNIGHT.fullmatch(time) else whole, zone


def _plain(day: str) -> str:
    """Write the name of a month in three letters, and leave out commas beside it."""
    if not (month := MONTH.search(day)):
        return day
    day = f"{day[: month.start()]}{month[1][:3]}{day[month.end() :]}"
    return re.sub(r"\s*,\s*|\s+", " ", day)


def _day(text: str, form: str) -> np.datetime64:
    """Read a day in a format; NaT if it does not fit."""
    if form == "%Y%m%d" and len(text) != 8:
        return np.datetime64("NaT", "D")
    try:
        return np.datetime64(datetime.strptime(text, form).date(), "D")
    except ValueError:
        return np.datetime64("NaT", "D")


def _clock(text: str, form: str) -> str:
    """Return the time of day that a format reads of a cell, "" if it reads none."""
    try:
        return (
            datetime.strptime(text, form).strftime("%H:%M:%S").replace("00:00:00", "")
        )
    except ValueError:
        return ""


def _all_days(texts, form: str) -> np.ndarray:
    return np.array([_day(text, form) for text in texts], "datetime64[D]")


# ------------------------------------------------------------------- a column


def _by_any_format(table: Table, parts, texts, codes) -> np.ndarray:
    """Read all cells in the one format that fits, (cells,) datetime64[D]."""
    sample = parts[:: -(-len(parts) // SAMPLE)]
    misfits = {form: np.isnat(_all_days(sample, form)).sum() for form in FORMATS}
    fewest = min(misfits.values())
    likely = [form for form in FORMATS if misfits[form] == fewest]
    likely = likely[:1] if fewest == len(sample) else likely
    read = {form: _all_days(parts, form) for form in likely}
    fitting = {form: days for form, days in read.items() if not np.isnat(days).any()}
    if not fitting:
        best = min(read, key=lambda form: np.isnat(read[form]).sum())
        raise _no_date(table, texts, codes, np.isnat(read[best]))
    form, other = _daily_ones(fitting)
    if other:
        differs = int(np.argmax(fitting[form] != fitting[other]))
        raise InputError(
            f"{table.path}: {quote(texts[differs])} may be {fitting[form][differs]} "
            f"({form}) or {fitting[other][differs]} ({other}), and every other row "
            "fits both; choose with --date-format"
        )
    return fitting[form]


def _daily_ones(fitting: dict[str, np.ndarray]) -> tuple[str, str]:
    """Return the format that makes a daily series, and another that differs, or ""."""
    daily = [form for form, days in fitting.items() if _step(days) == 1]
    forms = daily or list(fitting)
    differ = [f for f in forms if (fitting[f] != fitting[forms[0]]).any()]
    return forms[0], differ[0] if differ else ""


def _step(days: np.ndarray) -> float:
    """Return the usual number of days from one date to the next; 0 for one date."""
    steps = np.diff(np.unique(days)).astype(int)
    return float(np.median(steps)) if len(steps) else 0.0


def _by_format(table: Table, form: str, texts, codes) -> np.ndarray:
    """Read all cells in the format that a person has named, (cells,) datetime64[D].

    It may be that of the day alone, though a time of day stands beside it.
    """
    _check_format(form)
    days = _all_days(texts, form)
    rest = np.isnat(days)
    days[rest] = _all_days([_without_time(text) for text in texts[rest]], form)
    if np.isnat(days).any():
        raise _no_date(table, texts, codes, np.isnat(days), form)
    return days


def _without_time(text: str) -> str:
    match = len(text) <= LONGEST and (TIME.fullmatch(text) or ZONED.fullmatch(text))
    return match["day"] if match else text


def _check_format(form: str) -> None:
    """Raise InputError unless strptime takes the format, and it reads a whole date."""
    try:
        if not YEAR.search(form):  # Python warns of a day without one
            raise ValueError
        sample = datetime(2020, 1, 31, tzinfo=timezone.utc)
        read = datetime.strptime(sample.strftime(form), form)
        whole = read.date() == sample.date()
    except (ValueError, re.error):
        whole = False
    if not whole:
        raise InputError(
            f"--date-format {quote(form)} reads no day, month and year; write it like "
            "%d.%m.%Y, %m/%d/%y or %Y-%m-%d"
        )


def _no_date(table: Table, texts, codes, bad, form: str | None = None) -> InputError:
    rows = bad[codes]
    first = int(np.argmax(rows))
    like = (
        f"in --date-format {quote(form)}" if form else "like 2019-12-31 or 12/31/2019"
    )
    fix = "" if form else "; name its format with --date-format, such as %d.%m.%y"
    return InputError(
        f"{table.where(first)}: {quote(texts[codes[first]])} is not a date {like} "
        f"({rows.sum()} of {len(rows)} rows do not fit){fix}"
    )


def _utc_midnights(days, times, zones):
    """Take times that are midnight elsewhere, written as UTC, for what they are.

    23:00 beside midnight is London's: an hour later it is the same day all year. Times
    that stay before midnight keep the file's own day, which a note says.
    """
    clocks = sorted({time.partition(" ")[0][:5] for time in times})
    if not zones or not zones <= UTC or len(clocks) > 2:
        return days, ()
    if clocks == ["", "23:00"]:
        late = np.array([time != "" for time in times])
        note = "days begin at 23:00 UTC in summer, and are taken as local ones"
        return days + late.astype("timedelta64[D]"), (note,)
    if not all(re.fullmatch(r"(1[2-9]|2[0-3]):[03]0", clock) for clock in clocks):
        return days, ()
    return days, (
        f"times are {' or '.join(clocks)} UTC, which may be midnight further east: "
        "each day is the one that the file writes, not the one that begins there",
    )
