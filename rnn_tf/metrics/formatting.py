"""Format numbers, names of metrics and tables for people.

Here, and not in report/, because recipe/, studies/ and claims/ print tables too.
"""

from collections.abc import Iterable

from rich import box
from rich.table import Table
from rich.text import Text

from rnn_tf.text import printable

ABBREVIATIONS = "mae", "mse", "bleu"


def number(value: float, sign: str = "") -> str:
    """Format a number: whole from 100 on, three digits below (41,234 or 0.0412)."""
    if abs(value) >= 100:
        return f"{value:{sign},.0f}"
    return f"{value:{sign}.3g}"


def metric_name(metric: str, unit: str = "") -> str:
    """Format a metric as a heading: MAE, boardings; error, %."""
    name = metric.upper() if metric in ABBREVIATIONS else metric
    return f"{name}, {unit}" if unit else name


def plain(text: str | Text, style: str = "") -> Text:
    """Make a text that rich shows as it stands.

    In a str it would take [...] for markup, and :cat: for an emoji; and it would let
    control characters through to the terminal. A Text stays as it is.
    """
    return text if isinstance(text, Text) else Text(printable(text), style)


class PlainTable(Table):
    """A table whose cells are `plain`."""

    def add_row(self, *cells: str | Text, **options) -> None:
        super().add_row(*map(plain, cells), **options)


def plain_table(
    title: str | None, texts: Iterable[str], numbers: Iterable[str] = ()
) -> PlainTable:
    """Set up a table for the terminal: a rule below its head, all text as it stands.

    Args:
        title: above the table. Another, or a caption, is set later as a `plain` text.
        texts: headings of the columns with text.
        numbers: headings of the columns after them, which are aligned to the right.
    """
    table = PlainTable(title=title and plain(title, "table.title"), box=box.SIMPLE_HEAD)
    table.title_justify = table.caption_justify = "left"
    for heading in texts:
        table.add_column(plain(heading), overflow="fold")  # no name is cut off
    for heading in numbers:
        table.add_column(plain(heading), justify="right")
    return table
