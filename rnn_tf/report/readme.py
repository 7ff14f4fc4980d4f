"""Fill in the parts of the READMEs that come from the reference runs: `make readme`.

A part stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->`; what is between
is replaced, all else stays. `python -m rnn_tf.report.readme`. No TensorFlow.
"""

import functools
import re
import sys
from pathlib import Path

import lazy_loader

from rnn_tf import config, files
from rnn_tf.claims import answers
from rnn_tf.claims.contradictions import side_by_side
from rnn_tf.claims.striking import first_clauses
from rnn_tf.claims.striking import striking as choose_striking
from rnn_tf.errors import InputError
from rnn_tf.report import (
    generate_tables,
    gradient_tables,
    length_tables,
    markdown,
    summary_rows,
    translation_tables,
)
from rnn_tf.report import reference_tables as tables

pd = lazy_loader.load("pandas")

REFERENCE = Path("results", "reference")
DOCUMENTS = [
    "README.md",
    "docs/answers.md",
    "docs/your-data.md",
    "docs/running.md",
    "docs/building.md",
    "results/reference/README.md",
    "results/bench.md",
]
WIDTH = 140  # characters of a condition, at most
MARKED = re.compile(r"(?<=<!-- begin: )(\S+)( -->\n).*?(<!-- end: \1 -->)", re.S)

STACKED = "MSE in thousandths, 95 % interval"
POINTS = "percentage points, 95 % interval"
SINES = [
    ("LSTM minus plain RNN; 1 layer, seq-to-vector", "lstm_1_seq2vec",
     "simple_rnn_1_seq2vec"),
    ("seq-to-seq minus seq-to-vector; GRU, 2 layers", "gru_2_seq2seq",
     "gru_2_seq2vec"),
    ("2 layers minus 1; LSTM, seq-to-vector", "lstm_2_seq2vec", "lstm_1_seq2vec"),
    ("3 layers minus 2; GRU, seq-to-seq", "gru_3_seq2seq", "gru_2_seq2seq"),
    ("3 layers minus 2; GRU, seq-to-vector", "gru_3_seq2vec", "gru_2_seq2vec"),
    ("3 layers minus 2; LSTM, seq-to-seq", "lstm_3_seq2seq", "lstm_2_seq2seq"),
]  # fmt: skip
ADDING = [
    ("LSTM minus plain RNN; 50 steps", "lstm_50", "simple_rnn_50"),
    ("LSTM minus plain RNN; 100 steps", "lstm_100", "simple_rnn_100"),
    ("LSTM minus plain RNN; 200 steps", "lstm_200", "simple_rnn_200"),
    ("identity and ReLU minus plain RNN; 200 steps", "identity_rnn_200",
     "simple_rnn_200"),
]  # fmt: skip
STRIDES = [
    ("stride 1 minus stride 4", "conv_lstm_stride_1", "conv_lstm"),
    ("stride 2 minus stride 4", "conv_lstm_stride_2", "conv_lstm"),
    ("no convolutions minus convolutions of stride 1", "lstm", "conv_lstm_stride_1"),
]
RECORDINGS = [
    ("pre-trained on moving digits", "cnn_lstm_pretrained", "cnn_lstm"),
    ("frames in random order", "cnn_lstm_shuffled", "cnn_lstm"),
    ("no random changes in training", "cnn_lstm_unchanged", "cnn_lstm"),
]


def overview(folder: Path) -> str:
    """Make the table of what came out, a line per reference run."""
    return markdown.overview(summaries(folder))


def origins(folder: Path) -> str:
    """Make the table of commands, commits and machines."""
    return markdown.origins(summaries(folder))


def summaries(folder: Path):
    """Summarise all runs of a folder; a DataFrame like summary.csv."""
    runs = sorted(path.parent for path in folder.glob("*/config.json"))
    rows = [row for run in runs for row in summary_rows.summarise(run)]
    return pd.DataFrame([dict.fromkeys(summary_rows.COLUMNS, "") | row for row in rows])


def verdicts(folder: Path) -> str:
    """Make the table of the course's claims."""
    return markdown.answers_table(judged(folder))


def striking(folder: Path) -> str:
    """Make the table of a few claims, from all parts of the course, in short."""
    rows = [
        row | {"condition": first_clauses(row["condition"], WIDTH)}
        for row in choose_striking(judged(folder))
    ]
    return markdown.answers_table(rows)


def contradictions(folder: Path) -> str:
    """Make the table of what the course says both ways, and what was measured."""
    return markdown.contradictions_table(side_by_side(judged(folder)))


def families(folder: Path) -> str:
    """Make the table of how many claims of each family came to which verdict."""
    return markdown.families_table(judged(folder))


@functools.cache
def judged(folder: Path) -> list[dict]:
    """Judge the claims by the runs of a folder, once."""
    return answers.rows(folder)


# Name of a part -> a reference run, what writes the part, its further arguments.
PARTS = {
    "overview": (".", overview),
    "origins": (".", origins),
    "families": (".", families),
    "striking": (".", striking),
    "verdicts": (".", verdicts),
    "contradictions": (".", contradictions),
    "shapes": ("stacked-sines", tables.shapes),
    "depths": ("stacked-sines", tables.depths),
    "sines-differences": ("stacked-sines", tables.differences, SINES, "mse", STACKED),
    "any-length": ("stacked-sines", tables.any_length),
    "lengths": ("stacked-adding", tables.lengths),
    "adding-differences": (
        "stacked-adding", tables.differences, ADDING, "mse", STACKED
    ),
    "remedies": ("gradients-adding", gradient_tables.remedies, 1000, 1),
    "recall": ("gradients-recall", gradient_tables.recall),
    "recall-remedies": ("gradients-recall", gradient_tables.remedies, 1, 1),
    "loops": ("lengths", length_tables.loops),
    "batching": ("lengths", length_tables.batching),
    "grammar": (
        "language-grammar", tables.models, "test bits", "the best n-grams", 4
    ),
    "shakespeare": (
        "language-shakespeare", tables.models, "test bits", "the best n-grams", 3
    ),
    "multi30k": ("translate-multi30k", translation_tables.models),
    "reversal": ("translate-reversal", translation_tables.by_length),
    "doubled": ("translate-doubled", translation_tables.models),
    "dates": ("translate-dates", translation_tables.models),
    "forecast-folds": ("forecast-folds", tables.models, "test MAE", "trees"),
    "forecast-2016": ("forecast-2016", tables.models, "test MAE", "trees"),
    "forecast-series": (
        "forecast-series", tables.models, "relative error", "trees", 3
    ),
    "sketches": ("sketch-20", tables.sketches),
    "course-program": ("sketch-as-given", tables.course_program),
    "cheaper": ("sketch-strides", tables.cheaper),
    "strides": ("sketch-strides", tables.strides),
    "strides-differences": (
        "sketch-strides", tables.differences, STRIDES, "error", POINTS
    ),
    "sooner": ("sketch-20", tables.sooner),
    "generated": ("generate-20", tables.models, "nats a point", "the bigram", 3),
    "drawn": ("generate-20", generate_tables.drawn),
    "captions": ("generate-doodles", generate_tables.captions),
    "digits": ("video-digits", tables.models, "test error, %", "motion_numbers", 1),
    "recordings": (
        "video-recordings", tables.models, "test error, %", "motion_numbers", 1
    ),
    "frozen": ("video-frozen", tables.models, "test error, %", "motion_numbers", 1),
    "frozen-digits": (
        "video-frozen-digits", tables.models, "test error, %", "motion_numbers", 1
    ),
    "recordings-differences": (
        "video-recordings", tables.differences, RECORDINGS, "error", POINTS
    ),
    "devices": ("devices", tables.devices),
    "scaling": ("bench-scaling", tables.scaling),
    "bench": ("bench", tables.bench),
}  # fmt: skip


def fill(text: str, reference: Path) -> str:
    """Replace each marked part of a document by what the reference runs give.

    Args:
        text: of the document.
        reference: folder of the reference runs.

    Raises:
        InputError: a part has a name that is not in PARTS, or does not end.
    """

    def write(match: re.Match) -> str:
        run, function, *arguments = PARTS[match[1]]
        part = function(reference / run, *arguments)
        return f"{match[1]}{match[2]}{part}\n{match[3]}"

    marks = re.findall(r"<!-- (begin|end): (\S+) -->", text)
    for (kind, name), following in zip(marks[::2], marks[1::2] + [None], strict=False):
        if kind != "begin" or following != ("end", name) or name not in PARTS:
            raise InputError(f"the part {name} has no end, or is not in readme.PARTS")
    return MARKED.sub(write, text)


def main(root: Path = Path()) -> None:
    """Write the tables of the reference runs into the READMEs.

    Args:
        root: Folder of the project.
    """
    for name in DOCUMENTS:
        before = (root / name).read_text(encoding="utf-8")
        after = fill(before, root / REFERENCE)
        if after != before:
            files.write_text(root / name, after)
        print(f"{name}: {'as it was' if after == before else 'brought up to date'}")


if __name__ == "__main__":
    name = "python -m rnn_tf.report.readme"
    raise SystemExit(config.program(name, sys.argv[1:], main))
