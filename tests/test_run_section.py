"""What the report shows of a run: cells, lines, words for pictures and tables."""

import pytest

from rnn_tf.report import run_section, search_plots
from rnn_tf.runs import run_folder
from tests.page_runs import REFERENCE


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
    said = "unclear", "unclear", "worse"
    rows = [
        dict(zip(keys, values, strict=True)) | {"verdict": verdict, "mean": values[1]}
        for values, verdict in zip(ends, said, strict=True)
    ]
    near, around, far = run_section.with_lines(rows)
    assert around["line"][1] < 50 < around["line"][0] < around["line"][2] < 100
    assert near["line"][1] < near["line"][0] < near["line"][2] == 50
    assert near["line"][1] == pytest.approx(50 - 50 / 1.05, abs=0.1)
    assert far["line"] == [100, 100, 100]


def test_every_picture_and_table_of_the_reference_runs_has_words():
    """Would catch a new picture whose alt text is its file name."""
    folders = [path.parent for path in REFERENCE.glob("*/config.json")]
    pictures = {path.stem for folder in folders for path in folder.glob("*.png")}
    assert pictures
    assert pictures <= {*run_section.PICTURES, *search_plots.PICTURES}
    every = {path.stem for folder in folders for path in folder.glob("*.csv")}
    words = set(run_section.TABLES) | run_section.DRAWN
    assert every - set(run_folder.SCHEMAS) <= words
    size = sum(path.stat().st_size for f in folders for path in f.glob("*.png"))
    assert size * 4 / 3 < 7e6  # the page stays under about 8 MB
