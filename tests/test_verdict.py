"""One verdict on several facts: what its condition names, by hand."""

import pytest

from rnn_tf.claims.verdict import (
    CONFIRMED,
    DEPENDS,
    REFUTED,
    by_cell,
    by_share,
    name_cells,
)

EVERY = [
    (result, network, f"by a beam of {beams}")
    for result in ("likelier", "better")
    for network in ("with attention", "without attention")
    for beams in (2, 5)
]
BETTER = [cell for cell in EVERY if cell[0] == "better"]
WITHOUT = [cell for cell in EVERY if cell[1] == "without attention"]
OF_TWO = ("likelier", "without attention", "by a beam of 2")


@pytest.mark.parametrize(("cells", "text"), [
    (BETTER, "better"),
    (WITHOUT, "without attention"),
    ([cell for cell in BETTER if cell in WITHOUT], "better without attention"),
    ([cell for cell in EVERY if cell[2].endswith("2")], "by a beam of 2"),
    ([OF_TWO, *BETTER], "likelier without attention by a beam of 2, or better"),
    (EVERY, ""),
])  # fmt: skip
def test_what_all_values_share_needs_no_naming(cells, text):
    """Would catch a condition that lists every network and beam of a table."""
    assert name_cells(cells, EVERY) == text


def test_a_table_of_one_network_does_not_name_it():
    every = [("longer", "with attention"), ("better", "with attention")]
    assert name_cells(every[1:], every) == "better"


@pytest.mark.parametrize(("fits", "condition"), [
    ("a", "only for a"),
    ("ab", "not for c"),
    ("abc", ""),
    ("", ""),
])  # fmt: skip
def test_a_condition_names_the_fewer(fits, condition):
    """Would catch a long list of all that a claim does not hold for."""
    found = by_share({name: name in fits for name in "abc"}, "numbers")
    assert found.condition == condition
    verdict = {"abc": CONFIRMED, "": REFUTED}.get(fits, DEPENDS)
    assert (found.verdict, found.evidence) == (verdict, "numbers")


def test_of_as_many_those_are_named_that_a_claim_does_not_hold_for():
    assert by_share({"a": True, "b": False}, "").condition == "not for b"
    cells = {cell: cell in BETTER for cell in EVERY}
    assert by_cell(cells, "").condition == "not likelier"
