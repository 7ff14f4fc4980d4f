"""Make text of people's files fit to be shown: names, units, cells, error messages."""

import re

# What moves a cursor, breaks a line, turns the text around, or is no character at all.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
QUOTED = 80  # characters of a file that an error message repeats, at most


def printable(text: str) -> str:
    r"""Write control characters as Python does: a new line as \n, Escape as \x1b."""
    return CONTROL.sub(lambda match: repr(match[0])[1:-1], text)


def shorten(text: str, width: int) -> str:
    """Cut a text to `width` characters, at least 3: its middle becomes an ellipsis.

    Names of a kind often differ at the end alone, so the end stays.
    """
    if len(text) <= width:
        return text
    end = (width - 1) // 2
    return f"{text[: width - 1 - end]}…{text[-end:]}"


def quote(text: object) -> str:
    """Write what a file or a command line holds for an error message, long or not."""
    return repr(shorten(str(text), QUOTED))
