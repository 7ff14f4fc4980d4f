"""Turn the cells of typed files into text, but for numbers, which stay as they are."""

import math
from numbers import Number

import lazy_loader

pd = lazy_loader.load("pandas")


def plain(value: object) -> str | float | int:
    """Return a cell as it would be written: "" if missing, a time in ISO's format."""
    if isinstance(value, str):
        return value
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, bool) or not isinstance(value, Number):
        return str(value)
    return "" if math.isnan(value) else value
