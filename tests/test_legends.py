"""The words of pictures and tables."""

from rnn_tf.report import legends, search_plots
from rnn_tf.runs import run_folder
from tests.page_runs import REFERENCE


def test_every_picture_and_table_of_the_reference_runs_has_words():
    """Would catch a new picture whose alt text is its file name."""
    folders = [path.parent for path in REFERENCE.glob("*/config.json")]
    pictures = {path.stem for folder in folders for path in folder.glob("*.png")}
    assert pictures
    assert pictures <= {*legends.PICTURES, *search_plots.PICTURES}
    every = {path.stem for folder in folders for path in folder.glob("*.csv")}
    words = set(legends.TABLES) | legends.DRAWN
    assert every - set(run_folder.SCHEMAS) <= words
    size = sum(path.stat().st_size for f in folders for path in f.glob("*.png"))
    assert size * 4 / 3 < 7e6  # the page stays under about 8 MB
