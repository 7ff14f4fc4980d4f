"""Read a column of numbers as people write them: 1234.5, 1.234,5, 1 234, 1'234.

Whether the mark in 1.234 is a decimal one shows in the other cells of its column, or
not at all: then it is an error, never a guess.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import lazy_loader
import numpy as np

from rnn_tf.data.series.table import Table
from rnn_tf.errors import InputError
from rnn_tf.text import quote

pd = lazy_loader.load("pandas")

LARGEST = 1e30  # float32, in which models compute, ends at 3e38
LONGEST = 400  # characters of a number
MISSING = {"", "nan", "na", "n/a", "#n/a", "null", "none", "-", "."}
PLENTY = 20  # marked cells that let whole numbers under 1000 tell of thousands
# A no-break, a thin, a narrow no-break space and an apostrophe group digits, no more.
ALIKE = str.maketrans("\u00a0\u2009\u202f\u2019\u2212", "   '-")
NUMBER = re.compile(r"([+-]?)([0-9]*(?:[., '][0-9]+)*[.,]?)(e[+-]?[0-9]{1,4})?", re.I)
GROUPED = re.compile(r"[1-9][0-9]{0,2}([., '])[0-9]{3}(?:\1[0-9]{3})*")
INDIAN = re.compile(r"[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}")


@dataclass(frozen=True)
class Number:
    """What the text of one cell can be."""

    point: float | None  # its value if the point is the decimal mark
    comma: float | None  # and if the comma is; None if it cannot be
    mark: str = ""  # the mark that may be either kind, as in 1.234


def parse(table: Table, name: str, decimal: str | None):
    """Read the column `name`: numbers, (rows,) float64, NaN where missing, and notes.

    Args:
        table: that has it.
        name: of the column.
        decimal: point or comma; None finds it out.

    Raises:
        InputError: names the line, or says what cannot be known without --decimal.
    """
    cells = table[name]
    codes, texts = pd.factorize(np.array(cells, dtype=object), use_na_sentinel=False)
    options = [_number(text) for text in texts]
    marks, notes = (decimal, ()) if decimal else _decimal(table, codes, texts, options)
    values = [getattr(option, marks) for option in options]
    unfit = np.array([value is None for value in values])[codes]
    if unfit.any():
        raise _no_number(table, int(np.argmax(unfit)), cells, int(unfit.sum()), decimal)
    numbers = np.array(values, dtype=float)[codes]
    _check_size(table, numbers, cells)
    return numbers, notes


# ------------------------------------------------------------------- one cell


def _number(cell: object) -> Number:
    """Read one cell in both ways."""
    if not isinstance(cell, str):  # a number that the file has typed
        value = float(cell)
        return Number(None, None) if np.isinf(value) else Number(value, value)
    text = cell.strip().translate(ALIKE).strip()
    if text.lower() in MISSING:
        return Number(np.nan, np.nan)
    match = NUMBER.fullmatch(text) if len(text) <= LONGEST else None
    if not match or not any(map(str.isdigit, match[2])):
        return Number(None, None)
    sign, digits, exponent = match[1], match[2], match[3] or ""
    point, comma = (_value(sign, digits, exponent, mark) for mark in ".,")
    either = point is not None and comma is not None and point != comma
    mark = next((m for m in ".," if m in digits), "") if either else ""
    return Number(point, comma, mark)


def _value(sign: str, digits: str, exponent: str, mark: str) -> float | None:
    """Return the number if `mark` is the decimal one, None if it cannot be."""
    whole, *fraction = digits.split(mark)
    if len(fraction) > 1 or re.search("[^0-9]", "".join(fraction)):
        return None
    if re.search("[^0-9]", whole):
        if exponent or not (GROUPED.fullmatch(whole) or INDIAN.fullmatch(whole)):
            return None
        whole = re.sub("[^0-9]", "", whole)
    value = float(f"{sign}{whole or '0'}.{''.join(fraction)}{exponent}")
    return value if np.isfinite(value) else None


# ------------------------------------------------------------------- a column


def _decimal(table: Table, codes, texts, options) -> tuple[str, tuple[str, ...]]:
    """Find the decimal mark of a column: (point or comma, notes).

    Raises:
        InputError: its cells contradict each other, or none of them decides.
    """
    only_point = np.array([n.comma is None and n.point is not None for n in options])
    only_comma = np.array([n.point is None and n.comma is not None for n in options])
    if only_point.any() and only_comma.any():
        rows = [int(np.argmax(only[codes])) for only in (only_point, only_comma)]
        raise _contradiction(table, texts, codes, rows)
    if only_point.any() or only_comma.any():
        return ("point" if only_point.any() else "comma"), ()
    marks = np.array([number.mark for number in options], dtype=object)[codes]
    if not (marks != "").any():
        return "point", ()
    if (marks == ".").any() and (marks == ",").any():
        rows = [int(np.argmax(marks == mark)) for mark in ".,"]
        point, comma = (quote(texts[codes[row]]) for row in rows)
        raise InputError(
            f"{table.where(rows[0])}: {point}, and {comma} in {table.place} "
            f"{table.lines[rows[1]]}: which mark is the decimal one does not show; "
            "choose --decimal point or --decimal comma"
        )
    return _thousands(table, codes, texts, options, marks)


def _thousands(table: Table, codes, texts, options, marks):
    """Read 1.234 as 1234, if other cells of the column show it: (mark, notes)."""
    plain = np.array([number.point for number in options], dtype=float)[codes]
    plain = np.abs(plain[(marks == "") & ~np.isnan(plain)])
    first = int(np.argmax(marks != ""))
    example, number = texts[codes[first]], options[codes[first]]
    mark, other = ("point", "comma") if marks[first] == "." else ("comma", "point")
    small = len(plain) > 0 and ((plain < 1000) & (plain % 1 == 0)).all()
    if small and (marks != "").sum() >= PLENTY:
        return other, (
            f"read {quote(example)} as {getattr(number, other):.0f}, for the numbers "
            f"without a {mark} are below 1,000 (else choose --decimal {mark})",
        )
    raise InputError(
        f"{table.where(first)}: {quote(example)} may be {number.point:g} or "
        f"{number.comma:g}, and the rest of its column does not tell; choose "
        "--decimal point or --decimal comma"
    )


def _contradiction(table: Table, texts, codes, rows: Sequence[int]) -> InputError:
    """Return the error of a column in which the point and the comma are decimal marks:
    of two rows, one with each."""
    point, comma = (quote(texts[codes[row]]) for row in rows)
    return InputError(
        f"{table.where(rows[0])}: {point} has a decimal point, and {comma} in "
        f"{table.place} {table.lines[rows[1]]} a decimal comma; write all numbers alike"
    )


def _no_number(table: Table, row: int, cells, count: int, decimal) -> InputError:
    way = f" with --decimal {decimal}" if decimal else ""
    return InputError(
        f"{table.where(row)}: {quote(cells[row])} is not a finite number{way} ({count} "
        "such rows); write numbers like 1234.5"
    )


def _check_size(table: Table, numbers: np.ndarray, cells) -> None:
    """Raise InputError for numbers that networks cannot compute with."""
    if (huge := np.abs(numbers) > LARGEST).any():
        row = int(np.argmax(huge))
        raise InputError(
            f"{table.where(row)}: {quote(cells[row])} is beyond {LARGEST:.0e}; divide "
            "the series by a power of ten"
        )
    if 0 < (largest := np.nanmax(np.abs(numbers), initial=0)) < 1 / LARGEST:
        raise InputError(
            f"{table.path}: its largest number is {largest:.3g}; multiply the series "
            "by a power of ten"
        )
