"""`make answers`: the claims, their order, and the table that people see."""

import pandas as pd
import pytest
from rich.console import Console

from rnn_tf.claims import answers
from rnn_tf.claims.verdict import CITED, CONFIRMED, NOT_MEASURED, REFUTED
from tests.claim_runs import CLAIMS, as_given, write_run
from tests.conftest import ROOT, run_python


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_without_rows_is_not_measured_and_says_what_measures_it(name):
    row = answers.judge(CLAIMS[name], [])
    assert (row["verdict"], row["runs"]) == (NOT_MEASURED, "")
    assert CLAIMS[name].command in row["evidence"]


def test_claims_are_judged_in_the_order_of_the_course():
    assert list(CLAIMS) == (
        "S1 S2 S3 S4 S5 S6 S7 S8 F1 F2 F3 F4 K1 K2 K3 K4 V1 V2 V3 V4 D1 D2".split()
        + [f"G{number}" for number in range(1, 22)]
        + "L8 L9 T1 T2 T3 T4 T5 T6 T9 Q5 Q9 Q14 T7 L1 L2 L3 L4 L5 L6 L7".split()
        + "L10 L11 L12 L13 L14 L15 L16 L17 L18 L19 L20 L21 L22 G22".split()
        + "E1 E2 E3 E4 E6 E7 E8 E9 E10 M3".split()
        + "P1 P2 P3 P4 P5 P6 P7 P8 P10 P11 Q10".split()
        + "M1 M10 M11 M12 E5 Q6 Q8 Q11 Q12 P9 T8 D3".split()
        + "M2 M6 M7 M8 M14 M15 M16 Q1 Q2 Q3 Q4 Q7 Q13 Q15".split()
        + "M4 M5 M13".split()
    )


def test_what_no_program_can_check_is_cited(tmp_path):
    """Would catch a claim that is left out because nothing can run it."""
    rows = {row["claim"]: row for row in answers.rows(tmp_path)}
    assert [name for name in rows if rows[name]["verdict"] == CITED] == ["M9", "Q16"]
    assert list(rows["M9"]) == answers.COLUMNS
    assert "Pascanu, Mikolov and Bengio (2013" in rows["Q16"]["evidence"]
    assert "2 cited, 127 not measured" in answers.counts(list(rows.values()))


def test_damaged_runs_are_named_and_the_others_count(tmp_path, capsys):
    good = write_run(tmp_path, "sketch", as_given(0))
    broken = write_run(tmp_path, "sketch", {"as_given": [{"repairs": 1}]})
    worse = write_run(tmp_path, "sketch", {})
    (worse / "config.json").write_text("{")
    (row,) = [r for r in answers.rows(tmp_path) if r["claim"] == "K1"]
    assert (row["verdict"], row["runs"]) == (CONFIRMED, good.name)
    said = capsys.readouterr().err
    assert str(broken) in said
    assert str(worse) in said


def test_make_answers_writes_the_table_and_prints_it(tmp_path):
    write_run(tmp_path, "sketch", as_given(3), command="python -m this.command")
    done = run_python(
        "-m",
        "rnn_tf.claims.answers",
        "--results",
        tmp_path,
        "--reference",
        tmp_path / "none",
    )
    assert done.returncode == 0, done.stderr
    written = pd.read_csv(tmp_path / "answers.csv", keep_default_na=False)
    assert list(written) == answers.COLUMNS
    row = written.set_index("claim").loc["K1"]
    assert (row["verdict"], row["commands"]) == (REFUTED, "python -m this.command")
    assert "trains after 3 repairs" in " ".join(done.stdout.split())
    assert "1 refuted" in done.stdout


def test_make_answers_on_nothing_is_one_line(tmp_path):
    done = run_python("-m", "rnn_tf.claims.answers", "--results", tmp_path / "absent")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("width", [40, 80])
def test_nothing_of_the_table_is_cut_off(width, capsys):
    found = answers.rows(ROOT / "results" / "reference")
    Console(width=width).print(answers.table(found))
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= width
