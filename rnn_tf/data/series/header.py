"""Find the header of a table, and the columns that are asked for in it."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from unicodedata import normalize

from rnn_tf.data.series.layout import Layout
from rnn_tf.errors import InputError
from rnn_tf.text import printable, quote, shorten

SHOWN = 10  # columns that an error message names, at most
WIDEST = 10_000  # columns of a file
DEEPEST = 50  # rows that may stand above a header: a title, a source, a date

Rows = Iterator[tuple[int, list]]  # each with the line that it begins in


def find(
    rows: Iterable[tuple[int, list]], layout: Layout
) -> tuple[tuple[str, ...], Rows]:
    """Return the names of the columns, and the rows below them.

    It is the first row that has all columns of the layout, or else the first of all.
    """
    rows, above = iter(rows), []
    for line, cells in itertools.islice(rows, DEEPEST):
        names = tuple(map(name_of, cells))
        if has_columns(names, layout):
            return names, rows
        above.append((line, cells))
    names = tuple(map(name_of, above[0][1])) if above else ()
    return names, itertools.chain(above[1:], rows)


def has_columns(names: Iterable[str], layout: Layout) -> bool:
    """Whether all columns of the layout are among the names."""
    return {name_of(name) for _, name in layout.columns} <= set(names)


def name_of(cell: object) -> str:
    """Return the name in a cell of the header: no blanks around, letters composed."""
    return normalize("NFC", str(cell).strip())


def check(path: Path, names: tuple[str, ...], layout: Layout, guess: str = "") -> None:
    """Raise InputError unless every column of the layout is there once.

    Args:
        path: for messages.
        names: of all columns.
        layout: names the wanted ones.
        guess: what a message says of how the names were read.
    """
    if len(names) > WIDEST:
        raise unreadable(
            path, f"it has {len(names):,} columns, and {WIDEST:,} are allowed"
        )
    for option, column in layout.columns:
        _check_column(path, names, name_of(column), option, guess)


def _check_column(path: Path, names, name: str, option: str, guess: str) -> None:
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
        f"{path} has no column {quote(name)}; it has {shorten(known, 400)}{guess}: "
        f"choose with --{option}-column"
    )


def unreadable(path: Path, reason: object, kind: str = "CSV file") -> InputError:
    """Return the error of a file that is no table, whatever reason a library gives."""
    first = (str(reason).splitlines() or [type(reason).__name__])[0]
    reason = shorten(printable(first), 200)
    return InputError(f"{path} is not a readable {kind}: {reason}")
