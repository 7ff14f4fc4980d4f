"""Format numbers, names of metrics and tables for people.

Here, and not in report/, because recipe/, studies/ and claims/ print tables too.
"""

from collections.abc import Iterable

from rich import box
from rich.table import Table


def number(value: float, sign: str = "") -> str:
    """Format a number: whole from 100 on, three digits below (41,234 or 0.0412)."""
    if abs(value) >= 100:
        return f"{value:{sign},.0f}"
    return f"{value:{sign}.3g}"


def metric_name(metric: str, unit: str = "") -> str:
    """Format a metric as a heading: MAE, boardings; error, %."""
    name = metric.upper() if len(metric) < 5 else metric
    return f"{name}, {unit}" if unit else name


def plain_table(
    title: str | None, texts: Iterable[str], numbers: Iterable[str] = ()
) -> Table:
    """Set up a table for the terminal: a rule below its head, all else plain.

    Args:
        title: above the table; a caption, if one is set later, goes below it.
        texts: headings of the columns with text.
        numbers: headings of the columns after them, which are aligned to the right.
    """
    table = Table(title=title, box=box.SIMPLE_HEAD)
    table.title_justify = table.caption_justify = "left"
    for heading in texts:
        table.add_column(heading)
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table
