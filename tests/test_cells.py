"""Cells of typed files: times as text, numbers as they are, nothing as nothing."""

from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from rnn_tf.data.series.cells import plain

CELLS = [
    ("1,234", "1,234"), (1.125, 1.125), (7, 7), (np.float32(0.5), 0.5),
    (Decimal("0.5"), 0.5), (float("nan"), ""), (None, ""), (pd.NaT, ""), (pd.NA, ""),
    (True, "True"),
    (date(2020, 1, 31), "2020-01-31"), (datetime(2020, 1, 31), "2020-01-31 00:00:00"),
    (pd.Timestamp("2020-01-31", tz="Europe/Berlin"), "2020-01-31 00:00:00+01:00"),
    ([1, 2], "[1, 2]"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "expected"), CELLS, ids=lambda value: repr(value)[:20]
)
def test_a_cell_is_as_it_would_be_written(value, expected):
    """Would catch True read as 1, and NaT as a date."""
    found = plain(value)
    assert found == expected
    assert isinstance(found, str) == isinstance(expected, str)
