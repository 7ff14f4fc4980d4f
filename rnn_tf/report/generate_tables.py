"""The tables of the READMEs on what networks make of a vector: drawings, words, tunes.

Each function takes the folder of a run and returns Markdown. No TensorFlow.
"""

from pathlib import Path

from rnn_tf.report.gradient_tables import mean_and_sd
from rnn_tf.report.markdown import pipe_table
from rnn_tf.report.reference_tables import rows_of

# Column of drawn.csv -> its heading, and the digits after the point.
JUDGED = {
    "temperature": ("temperature", 1),
    "recognised": ("recognised, %", 1),
    "recognised_by_other": ("by another, %", 1),
    "ended": ("ended, %", 1),
    "near_copies": ("near copies, %", 1),
    "variety": ("variety", 0),
}


def drawn(folder: Path) -> str:
    """Make a table of drawings, each network's at the temperature chosen for it.

    Means and standard deviations over the seeds; drawings by people stand last.
    """
    rows = rows_of(folder, "drawn")
    chosen = [row for row in rows if row["chosen"] != "0"]
    names = sorted(dict.fromkeys(row["model"] for row in chosen), key=_by_people)
    cells = [
        [name, *(_cell(chosen, name, column) for column in JUDGED)] for name in names
    ]
    headings = ["drawings", *(heading for heading, _ in JUDGED.values())]
    return pipe_table(cells, headings, ["left", *["right"] * len(JUDGED)])


def _by_people(name: str) -> bool:
    return name == "test drawings"


def _cell(rows: list[dict], name: str, column: str) -> str:
    """Write the mean of a column; nothing for people, who draw at no temperature."""
    own = [row[column] for row in rows if row["model"] == name]
    return mean_and_sd([float(value) for value in own if value], JUDGED[column][1])


# Part and digits of rows of captions.csv -> the heading of their column.
SCENES = {
    ("test", "1"): "1 digit",
    ("test", "2"): "2 digits",
    ("test", "3"): "3 digits",
    ("held_out", ""): "combinations held out",
}


def captions(folder: Path) -> str:
    """Make a table of scenes that are described exactly, in %, by their digits."""
    shares = {}
    for row in rows_of(folder, "captions"):
        if row["task"] == "scenes":
            key = row["model"], row["part"], row["digits"]
            shares.setdefault(key, []).append(float(row["exact"]))
    cells = [
        [name, *(mean_and_sd(shares.get((name, *scene), []), 1) for scene in SCENES)]
        for name in dict.fromkeys(name for name, _, _ in shares)
    ]
    headings = ["exact, %", *SCENES.values()]
    return pipe_table(cells, headings, ["left", *["right"] * len(SCENES)])
