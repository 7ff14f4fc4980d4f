"""Claim K1: the course's program, repaired bit by bit until it trains."""

import re

import pytest
from rich.console import Console

from rnn_tf.studies import course_program


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("Dataset x not found.\nAvailable datasets:\n\t- a", "Dataset x not found."),
        (
            "Exception encountered when calling X.\n\n\x1b[1mToo few.\x1b[0m\n",
            "Too few.",
        ),
        (
            "Graph execution error:\n\nDetected at node A (most recent call last):\n"
            '  File "a.py", line 1, in f\n\nCannot batch.\n\t [[{{node A}}]]',
            "Cannot batch.",
        ),
        ("", ""),
    ],
)
def test_the_line_that_says_what_is_wrong(message, kept):
    """Would catch a table of tracebacks."""
    assert course_program.essential_line(message) == kept


@pytest.mark.slow
def test_each_repair_lays_bare_the_next_error():
    """Would catch a repair that mends nothing, and one too many."""
    rows = course_program.rows()
    assert [row["repair"] for row in rows] == list(course_program.REPAIRS)
    said = [
        "DatasetNotFoundError: Dataset sketch_rnn not found",
        "ValueError: .*expected axis -1 of input shape to have value 5",
        "InvalidArgumentError: Cannot",
        r"InvalidArgumentError: Received a label value of \d+ .* range of \[0, 10\)",
    ]
    assert [row["trains"] for row in rows] == [False] * 4 + [True]
    for row, expected in zip(rows, said, strict=False):
        assert re.match(expected, row["error"])
    assert rows[-1]["error"] == ""
    console = Console(width=80, record=True)
    console.print(course_program.table(rows))
    assert "(it trains)" in (text := console.export_text())
    assert "[tensor]" in text or "shapes" in text  # brackets are not markup
