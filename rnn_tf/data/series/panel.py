"""Tell apart the series of a long file, in which a column names the series of each row.

A file that holds several and is read as one is refused: its rows would be joined.
"""

import calendar
import re
from collections.abc import Iterator

import lazy_loader
import numpy as np

from rnn_tf.data.series.header import name_of
from rnn_tf.data.series.layout import Layout
from rnn_tf.data.series.table import Table
from rnn_tf.errors import InputError
from rnn_tf.text import quote

pd = lazy_loader.load("pandas")

SHOWN = 5  # series that an error message names, at most
USUAL = 14  # days that a series has, at least, on average
# Columns that say something of a day, and not whose number it is.
OF_DAYS = re.compile(
    r"year|month|week|quarter|season|holiday|vacation|weather|period|phase|semester"
    r"|comment|remark|quality|version|revision|jahr|monat|woche|quartal|saison|feiertag"
    r"|ferien|datum|stunde|wetter|bemerkung|notiz|quelle"
    r"|(?<![a-z])(?:day|date|hour|time|term|note|event|half|flag|status|source)s?(?![a-z])",
    re.I,
)
OF_HOURS = re.compile("hour|minute|time|stunde|zeit", re.I)
# Names of columns whose numbers are names; others may count what grows in steps.
IDENTITY = re.compile(
    r".*[ _-](?:id|nr|no|num|number|code)|.*(?-i:[a-z](?:Id|ID|Nr|No|Code))"
    r"|id|store|shop|item|product|sku|region|station|site|branch|customer|series|country"
    r"|city|filiale|artikel|kunde",
    re.I,
)
NAMES = {name.lower() for name in (*calendar.month_name, *calendar.day_name)}
NAMES |= {name[:3] for name in NAMES} | set(
    "spring summer autumn fall winter januar februar märz mai juni juli oktober "
    "dezember mrz okt dez montag dienstag mittwoch donnerstag freitag samstag "
    "sonntag frühling frühjahr sommer herbst".split()
)
NUMBERED = re.compile(
    r"(?:[qhw]|[ck]w|wk|quarter|half|week|month|term|season|phase)[ _-]?\d\d?", re.I
)


def split(table: Table, name: str) -> dict[str, np.ndarray]:
    """Return the rows of each series of the column `name`, in the order of the file.

    Raises:
        InputError: a row names no series.
    """
    labels = _labels(table[name])
    if (blank := labels == "").any():
        raise InputError(
            f"{table.where(int(np.argmax(blank)))} has no series: its column "
            f"{quote(name)} is blank"
        )
    codes, names = pd.factorize(labels)
    rows = np.split(np.argsort(codes, kind="stable"), np.bincount(codes).cumsum()[:-1])
    return dict(zip(names, rows, strict=True))


def choose(table: Table, layout: Layout) -> Table:
    """Return the rows of the series that the layout names, or all if it names none.

    Raises:
        InputError: there are several, and none or another is named.
    """
    if layout.series_column is None:
        if layout.series is not None:
            raise InputError(
                f"--series {quote(layout.series)} needs --series-column, the column "
                "that names the series of each row"
            )
        return table
    parts = split(table, layout.series_column)
    wanted = next(iter(parts)) if len(parts) == 1 else name_of(layout.series or "")
    wanted = name_of(layout.series) if layout.series is not None else wanted
    if wanted in parts:
        return table.take(parts[wanted], wanted)
    lacks = f"and not {quote(wanted)}; " if layout.series is not None else ""
    raise InputError(
        f"{table.title} holds {len(parts)} series by its column "
        f"{quote(layout.series_column)} ({_listed(parts)}), {lacks}choose one with "
        "--series"
    )


def check_one_a_day(table: Table, layout: Layout, days: np.ndarray) -> None:
    """Raise InputError if days come again, and a column tells their rows apart.

    Args:
        table: of the rows.
        layout: its columns are not asked.
        days: of the rows, some of them the same.
    """
    told_apart = [
        (len(set(labels)), name, labels)
        for name, labels in _other_columns(table, layout, len(days) / 2)
        if _tells_apart(labels, days) and not OF_HOURS.search(name)
    ]
    if told_apart:
        count, name, labels = min(told_apart, key=lambda column: column[0])
        raise _several(table, layout, name, count, _listed(dict.fromkeys(labels)))


def check_one_after_another(table: Table, layout: Layout, days: np.ndarray) -> None:
    """Raise InputError if a column divides the days into series that follow in time.

    Columns that say something of the days, such as their year or season, do not.
    """
    order = np.argsort(days, kind="stable")
    for name, labels in _other_columns(table, layout, len(days) / USUAL):
        labels, runs = labels[order], _runs(labels[order])
        if runs != len(set(labels)) or runs == 1:
            continue
        names_series = _has_letters(labels) or IDENTITY.fullmatch(name)
        if not names_series or _of_days(name, labels, days[order]):
            continue
        starts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]])
        shown = [f"{quote(labels[i])} from {days[order][i]}" for i in starts[:SHOWN]]
        more = [f"{runs - SHOWN} more"] if runs > SHOWN else []
        raise _several(
            table, layout, name, runs, ", ".join(shown + more),
            ", or leave that column out if they are one",
        )  # fmt: skip


def _several(table: Table, layout: Layout, name: str, count: int, shown: str, more=""):
    """Return the error of a table that holds `count` series by its column `name`."""
    fix = f"choose one with --series-column {quote(name)} --series NAME, or all "
    fix += f"without --series{more}"
    if layout.series_column is not None:
        fix = "keep one of them in the file" + more
    return InputError(
        f"{table.title} holds {count} series by its column {quote(name)} ({shown}); "
        f"{fix}"
    )


def _other_columns(
    table: Table, layout: Layout, most: float
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the columns that may name series, `most` at most: not the layout's, and
    without blanks."""
    used = {name_of(name) for _, name in layout.columns}
    for name, cells in zip(table.names, table.columns, strict=True):
        if name in used or not 1 < len(set(cells)) <= most:
            continue
        if (labels := _labels(cells)).all():
            yield name, labels


def _labels(cells) -> np.ndarray:
    """Return cells as the names of series, (rows,) text; a typed 7.0 is 7."""
    codes, values = pd.factorize(np.array(cells, dtype=object), use_na_sentinel=False)
    values = [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]
    return np.array([name_of(value) for value in values], dtype=object)[codes]


def _listed(names) -> str:
    names = list(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(quote, names[:SHOWN])) + more


def _runs(labels: np.ndarray) -> int:
    return int((labels[1:] != labels[:-1]).sum()) + 1


def _has_letters(labels) -> bool:
    return all(any(map(str.isalpha, label)) for label in set(labels))


def _tells_apart(labels: np.ndarray, days: np.ndarray) -> bool:
    """Whether each label has one row a day, on more than one day.

    A column of numbers must name all series on most days, as a number of a store does;
    one that counts something only happens to differ.
    """
    pairs = pd.DataFrame({"day": days, "label": labels})
    if pairs.duplicated().any() or pairs.label.value_counts().min() < 2:
        return False
    full = pairs.label.nunique() * pairs.day.nunique()
    return _has_letters(labels) or len(pairs) > full / 2


def _of_days(name: str, labels: np.ndarray, days: np.ndarray) -> bool:
    """Whether a column names what days are: their year, quarter, month or season."""
    if OF_DAYS.search(name):
        return True
    years = days.astype("datetime64[Y]").astype(int) + 1970
    for label in set(labels):
        known = set(years[labels == label].tolist())
        digits = set(map(int, re.findall(r"\d+", label)))
        names_year = digits & (known | {year % 100 for year in known})
        named = label.lower().rstrip(".") in NAMES or NUMBERED.fullmatch(label)
        if not names_year and not named:
            return False
    return True
