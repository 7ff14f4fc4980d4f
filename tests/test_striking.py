"""The claims that people see first, and their outcome in a line."""

import pytest

from rnn_tf.claims import striking
from rnn_tf.claims.contradictions import CONTRADICTIONS, side_by_side
from rnn_tf.report.about import EXPERIMENTS
from rnn_tf.report.cards import most_striking
from tests.claim_runs import CLAIMS

ROW = {
    "condition": "",
    "evidence": "facts (drawn): 5 steps: runs | a (b): 0 of 6; all of 7; none of 8",
    "runs": "facts; a",
    "commands": "python -m experiments.facts; python -m experiments.stacked",
}


@pytest.mark.parametrize(
    ("changes", "length", "line"),
    [
        ({}, 40, "0 of 6; all of 7; none of 8"),
        ({}, 20, "0 of 6; all of 7; …"),
        ({"condition": "not for tanh"}, 22, "not for tanh; 0 of 6; …"),
        ({"condition": "not for tanh"}, 5, "not for tanh; …"),
        ({"commands": "python -m experiments.facts", "runs": "facts"}, 40,
         "5 steps: runs"),
        ({"evidence": "nothing ran: make x", "runs": "", "commands": ""}, 40,
         "nothing ran: make x"),
        ({"evidence": "a: 33 vanish (of tanh 9 (all); of ReLU 24); 2 grow"}, 33,
         "33 vanish; …"),
    ],
)  # fmt: skip
def test_the_outcome_in_a_line(changes, length, line):
    """Would catch half an interval, an open bracket, or the name of a run."""
    assert striking.outcome(ROW | changes, length) == line


def test_every_experiment_has_a_striking_claim():
    """Would catch a card that says nothing."""
    commands = {CLAIMS[name].command.split()[1] for name in striking.STRIKING}
    assert commands == set(EXPERIMENTS)


def test_refuted_claims_are_listed_and_cards_show_another():
    """Would catch a claim that stands twice on one screen."""
    verdicts = {"S3": "refuted", "S8": "confirmed", "S1": "refuted", "F1": "refuted"}
    rows = [{"claim": name, "verdict": verdict} for name, verdict in verdicts.items()]
    assert [row["claim"] for row in striking.refuted(rows)] == ["S3", "F1"]
    assert most_striking(rows)["claim"] == "S8"
    assert most_striking(rows[:1])["claim"] == "S3"
    assert most_striking([{"claim": "S1", "verdict": "refuted"}]) is None


def test_verdicts_are_counted_in_their_order():
    rows = [{"verdict": verdict} for verdict in ("depends", "confirmed", "depends")]
    counts = striking.count_verdicts(rows)
    assert list(counts.items()) == [("confirmed", 1), ("depends", 2)]


def test_every_claim_that_sources_deny_stands_beside_its_contrary():
    """Would catch a contradiction that is judged, but not shown as one."""
    known = {name for both in CONTRADICTIONS for name in both.claims}
    assert known <= set(CLAIMS)
    denied = {name for name, claim in CLAIMS.items() if " against " in claim.source}
    assert denied <= known
    assert {"S4", "S5", "G14", "G16", "Q3", "L21", "E5"} <= known


def test_both_claims_of_a_contradiction_come_with_their_verdicts():
    rows = [{"claim": "S5", "verdict": "a"}, {"claim": "S4", "verdict": "b"}]
    ((both, judged),) = side_by_side(rows)
    assert both.claims == ("S4", "S5")
    assert [row["verdict"] for row in judged] == ["b", "a"]
