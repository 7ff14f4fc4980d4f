"""Numbers as people write them: certain ones exactly, others refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_tf.data.series import numbers
from rnn_tf.data.series.table import Table
from rnn_tf.errors import InputError


def parse(cells, decimal=None):
    table = Table("a.csv", ("value",), (list(cells),), list(range(2, 999_999)), "")
    return numbers.parse(table, "value", decimal)


def values(*cells, decimal=None):
    return parse(cells, decimal)[0].tolist()


# Cells that need no other: what they are, and with point and comma exchanged.
CERTAIN = {
    "1234.5": 1234.5, "0.123": 0.123, "-.5": -0.5, "1.": 1.0, "1e3": 1e3, "+7": 7.0,
    "1.234e2": 123.4, "1,234.5": 1234.5, "1,234,567": 1234567.0, "12345.678": 12345.678,
    "1,234,567.891": 1234567.891, "12,34,567": 1234567.0, "0.000": 0.0,
    "007.125": 7.125,
    "1 234.567": 1234.567, "1'234.567": 1234.567, "-1,234.50": -1234.5,
}  # fmt: skip
EXCHANGE = str.maketrans(".,", ",.")


@pytest.mark.parametrize("text", CERTAIN)
def test_a_number_that_can_be_read_in_one_way(text):
    """Would catch a rule for the point that the comma lacks."""
    assert values(text) == [CERTAIN[text]]
    if "12,34" not in text:  # only English groups digits like that
        assert values(text.translate(EXCHANGE)) == [CERTAIN[text]]


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u2009", "\u202f", "'", "\u2019"])
def test_blanks_and_apostrophes_group_digits(blank):
    text = f"-1{blank}234{blank}567"
    assert values(text, f"{text},25", f"{blank}5{blank}"[:2].strip("'\u2019")) == [
        -1234567.0,
        -1234567.25,
        5.0,
    ]


def test_the_minus_of_typesetters_is_one():
    assert values("\u22121,5", "2") == [-1.5, 2]


@pytest.mark.parametrize(
    "text", ["", " ", "NaN", "na", "N/A", "#N/A", "null", "None", "-", "."]
)
def test_missing_cells_are_nan(text):
    found = values("1", text)
    assert found[0] == 1
    assert np.isnan(found[1])


@pytest.mark.parametrize(
    "text",
    ["12 34", "1,23,4", "1.2.3", "1,234.567,8", "1.234,5.6", "--5", "1_000", "1 e5",
     "0x1F", "inf", "1e999", "5 %", "€5", "1,,234", "01,234,567", "1'234,567'891", ",",
     "9" * 401, "1.234,567.891", "٣", "1..5", "+-5", "12,34,56", "١٢"],
)  # fmt: skip
def test_what_is_no_number_is_refused(text):
    with pytest.raises(InputError, match="a.csv, line 3: .* is not a finite number"):
        values("1", text)


def test_one_cell_decides_for_its_column():
    """Would catch "1.234" read as 1.234 beside a decimal comma."""
    assert values("1.234", "5,5") == [1234, 5.5]
    assert values("1,234", "5.5") == [1234, 5.5]
    assert values("1.234", "5.5") == [1.234, 5.5]
    assert values("1,234", "5,5") == [1.234, 5.5]


@pytest.mark.parametrize("mark", [".", ","])
def test_a_mark_that_may_be_either_is_refused_unless_it_is_named(mark):
    """Would catch thousands of riders silently read as one rider and a fraction."""
    cells = [f"{i}{mark}{100 + i}" for i in range(1, 31)]
    line = f"line 2: '1{mark}101' may be 1.*101 or 1.*101, .*choose --decimal point or"
    for more in ([], ["1234"], ["0"] * (30 - 12) + ["5000"]):
        with pytest.raises(InputError, match=line):
            values(*cells, *more)
    with pytest.raises(InputError, match="choose --decimal"):
        values(*cells[:19], "987")
    own, other = ("point", "comma") if mark == "." else ("comma", "point")
    assert values(*cells, decimal=own)[:2] == [1.101, 2.102]
    assert values(*cells, decimal=other)[:2] == [1101, 2102]


@pytest.mark.parametrize("mark", [".", ","])
def test_whole_numbers_under_a_thousand_show_that_it_parts_thousands(mark):
    cells = [f"{i}{mark}{100 + i}" for i in range(1, 31)]
    found, [note] = parse([*cells, "987", "0", ""])
    assert found[[0, 30]].tolist() == [1101, 987]
    name = {".": "point", ",": "comma"}[mark]
    assert note == (
        f"read '1{mark}101' as 1101, for the numbers without a {name} are below 1,000 "
        f"(else choose --decimal {name})"
    )


def test_contradictions_are_refused_by_line():
    with pytest.raises(InputError, match="line 3: '2.5' .* and '2,5' in line 4 a dec"):
        values("1", "2.5", "2,5")
    with pytest.raises(
        InputError, match="line 2: '1.234', and '1,234' in line 3: which"
    ):
        values("1.234", "1,234")


def test_a_named_mark_is_kept_to():
    with pytest.raises(
        InputError, match="line 2: '1,5' .* number with --decimal point"
    ):
        values("1,5", decimal="point")


def test_numbers_that_a_file_has_typed_are_as_they_are():
    """Would catch 1.234 of a spreadsheet read as text that may be 1234."""
    assert values(1.234, 5, 2.125) == [1.234, 5.0, 2.125]
    assert np.isnan(values(1.0, float("nan"))[1])


def written(value: float, decimals: int, group: str, mark: str) -> str:
    text = f"{value:,.{decimals}f}"
    return text.translate({ord(","): group, ord("."): mark})


WAYS = [
    (",", "."),
    (".", ","),
    (" ", ","),
    ("'", "."),
    ("", "."),
    ("", ","),
    ("\u202f", ","),
]


@settings(max_examples=300)
@given(
    whole=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=40),
    decimals=st.integers(0, 4),
    way=st.sampled_from(WAYS),
)
def test_any_column_is_read_as_it_was_written_or_refused(whole, decimals, way):
    """Property: however numbers are written, none is ever read as another."""
    meant = [value / 10**decimals for value in whole]
    cells = [written(value, decimals, *way) for value in meant]
    try:
        found, _ = parse(cells)
    except InputError as refused:
        assert "--decimal" in str(refused)
        return
    np.testing.assert_allclose(found, meant, rtol=1e-12)


@given(text=st.text(max_size=12))
def test_any_text_is_a_number_or_one_line(text):
    try:
        found = values(text, "1", "2.5")
    except InputError as refused:
        assert str(refused).isprintable()
        return
    assert len(found) == 3
