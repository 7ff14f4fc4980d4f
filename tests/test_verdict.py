"""One verdict on several facts: what its condition names, by hand."""

import pytest

from rnn_tf.claims.verdict import (
    CONFIRMED,
    DEPENDS,
    REFUTED,
    by_cell,
    by_share,
    for_names,
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


@pytest.mark.parametrize(("names", "text"), [
    (["LSTM"], "for LSTM"),
    (["LSTM", "GRU"], "for LSTM and GRU"),
    (["a", "b", "c"], "for a, b and c"),
    (["LSTM x 1", "LSTM x 2", "GRU x 1"], "for LSTM x 1 and 2, and GRU x 1"),
    (["LSTM with bias 0", "trained LSTM with bias 0"],
     "for LSTM with bias 0, and trained LSTM with bias 0"),
    (["after 2 steps", "after 5 steps", "after 10 steps"], "after 2, 5 and 10 steps"),
    (["by norm"], "by norm"),
    (["ngram_4", "1e-3", "10,000 sines"], "for ngram_4 and 1e-3, and 10,000 sines"),
    (["ReLU x 1.5, k = 5", "ReLU x 1.5, k = 20"], "for ReLU x 1.5, k = 5 and 20"),
    ([], ""),
])  # fmt: skip
def test_a_condition_reads_as_people_say_it(names, text):
    """Would catch "for by norm", "LSTM, GRU", and "after 2 steps, after 5 steps"."""
    assert for_names(names) == text
