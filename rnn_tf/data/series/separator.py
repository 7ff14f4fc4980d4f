"""Split text into rows and cells, by the separator that its header shows."""

import csv
import io
import re
from pathlib import Path

from rnn_tf.data.series import header
from rnn_tf.data.series.header import Rows
from rnn_tf.data.series.layout import Layout
from rnn_tf.errors import InputError
from rnn_tf.text import quote

SEPARATORS = ",;\t| "
NAMED = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "pipe": "|",
    "space": " ",
    "\\t": "\t",
}
HEAD = 1 << 22  # characters that hold the header
LONGEST = 1 << 28  # characters of a cell


def split(path: Path, text: str, layout: Layout) -> Rows:
    """Return the rows of a text, each with the line it begins in.

    Raises:
        InputError: --separator is none; later, where quotes make no sense.
    """
    separator = named(layout.separator)
    hint = re.match(r"sep=(.)[\r\n]+", text)  # what Excel writes and reads
    if hint and not separator:
        separator = hint[1]
    table = rows(path, text, separator or _by_header(path, text, layout))
    if hint:
        next(table)
    return table


def named(option: str | None) -> str | None:
    """Return the character that --separator names: itself, or a word like tab.

    Raises:
        InputError: it is neither.
    """
    if option is None:
        return None
    separator = NAMED.get(option.lower(), option)
    if len(separator) != 1 or separator in '"\r\n\0':
        raise InputError(
            f"--separator {quote(option)} is neither one character nor one of "
            f"{', '.join(name for name in NAMED if name.isalpha())}"
        )
    return separator


def _by_header(path: Path, text: str, layout: Layout) -> str:
    """Choose the separator whose header has all columns, or else the most."""
    widths = {}
    for separator in SEPARATORS:
        try:
            names, _ = header.find(rows(path, text[:HEAD], separator), layout)
        except InputError:  # quotes that make no sense with this one
            continue
        if header.has_columns(names, layout):
            return separator
        widths[separator] = len(names) if separator != " " else 1  # names have blanks
    return max(widths, key=widths.get, default=",")


def rows(path: Path, text: str, separator: str) -> Rows:
    """Yield each row with the line it begins in; rows of blank cells are passed by."""
    file = io.StringIO(text, newline="")
    options = {"delimiter": separator, "skipinitialspace": True, "strict": True}
    reader = csv.reader(file, **options)
    csv.field_size_limit(LONGEST)  # of this process; the default is 128 kB
    line = 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise header.unreadable(path, f"line {line}: {error}") from None
