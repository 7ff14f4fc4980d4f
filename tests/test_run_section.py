"""What the report shows of a run: cells and lines."""

import pytest

from rnn_tf.report import run_section


@pytest.mark.parametrize(
    ("text", "shown", "number"),
    [
        ("12705", "12,705", 12705), ("0.00430502", "0.00431", 0.00430502),
        ("1.0", "1", 1), ("-3", "-3", -3), ("nan", "nan", None), ("", "", None),
        ("True", "True", None), ("(None, 128)", "(None, 128)", None),
        ("1e400", "1e400", None),
    ],
)  # fmt: skip
def test_cells(text, shown, number):
    assert run_section.cell(text) == run_section.Cell(shown, number)


def test_lines_stay_in_their_picture_and_0_in_its_middle():
    """Would catch one far worse model that makes dots of all other lines."""
    ends = [(-20, -10, 0), (-5, 5, 15), (900, 1000, 1100)]
    keys = "difference_low", "difference", "difference_high"
    verdicts = "unclear", "unclear", "worse"
    rows = [
        dict(zip(keys, values, strict=True)) | {"verdict": verdict, "mean": values[1]}
        for values, verdict in zip(ends, verdicts, strict=True)
    ]
    near, around, far = run_section.with_lines(rows)
    assert around["line"][1] < 50 < around["line"][0] < around["line"][2] < 100
    assert near["line"][1] < near["line"][0] < near["line"][2] == 50
    assert near["line"][1] == pytest.approx(50 - 50 / 1.05, abs=0.1)
    assert far["line"] == [100, 100, 100]
