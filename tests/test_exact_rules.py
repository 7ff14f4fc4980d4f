"""The rule of the exact claims: made to say everything it can, by made-up rows."""

import pytest

from rnn_tf.claims import answers, course, exact_rules
from rnn_tf.claims.verdict import CONFIRMED, DEPENDS, NOT_MEASURED, REFUTED
from rnn_tf.runs import finished
from rnn_tf.studies.facts import CHECKS
from tests.claim_runs import judged, write_run
from tests.conftest import ROOT

REFERENCE = ROOT / "results" / "reference"
EXACT = [claim.name for claim in course.CLAIMS if claim.command == course.FACTS]


def facts(name: str, **cases: bool) -> dict:
    """Rows of facts.csv on a claim: case -> whether it holds."""
    row = {"claim": name, "value": 0.125, "confirms": "at most 0.5"}
    return {"facts": [row | {"case": c, "holds": h} for c, h in cases.items()]}


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize(("cases", "verdict", "condition"), [
    ({"a": True, "b": True}, CONFIRMED, ""),
    ({"a": False, "b": False}, REFUTED, ""),
    ({"a": True, "b": False, "c": False}, DEPENDS, "only for a"),
])  # fmt: skip
def test_a_claim_is_what_its_cases_are(tmp_path, name, cases, verdict, condition):
    """Would catch a rule that reads another claim's rows, or "False" as true."""
    others = facts("another", a=verdict == REFUTED)["facts"]
    rows = others + facts(name, **cases)["facts"]
    run = write_run(tmp_path, "facts", {"facts": rows})
    row = judged(name, tmp_path)
    assert (row["verdict"], row["condition"]) == (verdict, condition)
    assert row["runs"] == run.name
    wanted = "" if cases["a"] else ", not at most 0.5"
    assert row["evidence"].split(": ", 1)[1].startswith(f"a: 0.125{wanted};")


def test_a_run_without_rows_says_nothing(tmp_path):
    """Would catch a claim that is confirmed because no case speaks against it."""
    write_run(tmp_path, "facts", facts("M10", a=True))
    write_run(tmp_path, "devices", {})
    assert judged("M1", tmp_path)["verdict"] == NOT_MEASURED


@pytest.mark.parametrize(("holds", "verdict"), [(True, CONFIRMED), (False, DEPENDS)])
def test_facts_judge_beside_the_runs_of_an_experiment(tmp_path, holds, verdict):
    """Would catch a fact that is dropped where a claim has a rule of its own."""
    shapes = {"cell": "LSTM", "depth": 2, "input": "(4, 10, 32)", "builds": True}
    shapes |= {"return_sequences": "True False", "outputs": "(4, 10, 64) -> (4, 64)"}
    write_run(tmp_path, "stacked", {"shapes": [shapes]})
    write_run(tmp_path, "facts", facts("S5", a=holds))
    row = judged("S5", tmp_path)
    assert row["verdict"] == verdict
    assert row["runs"].count("; ") == 1


@pytest.mark.parametrize(("value", "text"), [
    (18816, "18816"), ("18816", "18816"), (1.19209e-07, "1.19e-07"), (0.0, "0"),
    ("0.46555", "0.466"), ("(10, 64)", "(10, 64)"), ("error", "error"),
])  # fmt: skip
def test_values_are_written_for_people(value, text):
    """Would catch a count that is rounded, and a file's text that is not read."""
    assert exact_rules.value_text(value) == text


@pytest.mark.parametrize("name", [name for name, _ in CHECKS])
def test_checks_agree_with_the_rules_that_judge_the_claim_elsewhere(name):
    """Would catch a check that measures something else than the claim's own rule."""
    runs = finished.find_runs(REFERENCE)
    (alone,) = [run for run in runs if run.experiment == "facts"]
    claim = next(claim for claim in course.CLAIMS if claim.name == name)
    whole, own = answers.judge(claim, runs), answers.judge(claim, [alone])
    assert own["verdict"] in (CONFIRMED, REFUTED, DEPENDS)
    keys = "verdict", "condition"
    assert [whole[key] for key in keys] == [own[key] for key in keys]
