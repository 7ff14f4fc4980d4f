"""The tables and sentences of the READMEs that come from the reference runs.

Each function takes the folder of a run and returns Markdown. No TensorFlow.
"""

import csv
import textwrap
from pathlib import Path

import numpy as np

from rnn_tf.metrics import intervals
from rnn_tf.report import summary_rows
from rnn_tf.report.markdown import pipe_table

CELLS = {"SimpleRNN": "simple_rnn", "LSTM": "lstm", "GRU": "gru"}
HEADS = {"seq-to-vector": "seq2vec", "seq-to-seq": "seq2seq"}


def rows_of(folder: Path, name: str) -> list[dict[str, str]]:
    """Read the rows of `<name>.csv` of a run."""
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def by_model(folder: Path) -> dict[str, dict]:
    """Summarise a run: name of a model -> its row of summary.csv."""
    return {row["model"]: row for row in summary_rows.summarise(folder)}


def paragraph(text: str) -> str:
    """Break a text into lines as long as those of the READMEs."""
    return textwrap.fill(text, 88, break_long_words=False, break_on_hyphens=False)


# ---------------------------------------------------------------- any experiment


def models(folder: Path, heading: str, rival: str, digits: int = 0) -> str:
    """Make a table of a run's models and baselines, the best first.

    Args:
        folder: of the run.
        heading: of the column with the test errors.
        rival: what the best baseline is called in a heading.
        digits: after the point.
    """

    def number(value: float, sign: str = "") -> str:
        return f"{value:{sign},.{digits}f}"

    cells = []
    for row in sorted(summary_rows.summarise(folder), key=lambda row: row["mean"]):
        sd = f" ± {number(row['sd'])}" if row["seeds"] > 1 else ""
        keys = "difference", "difference_low", "difference_high"
        difference, low, high = (number(row[key], "+") for key in keys)
        cells.append([
            bold_if_chosen(row),
            f"{number(row['mean'])}{sd}",
            str(row["seeds"]),
            f"{number(row['low'])} to {number(row['high'])}",
            f"{difference} [{low}, {high}]",
            summary_rows.verdict(row),
        ])  # fmt: skip
    headings = ["model", heading, "n", "95 % interval", f"against {rival}", ""]
    return pipe_table(cells, headings, ["left", *["right"] * 4, "left"])


def bold_if_chosen(row: dict) -> str:
    """Write the name of a model, in bold if it was chosen on validation."""
    return f"**{row['model']}**" if row["chosen"] else row["model"]


def differences(
    folder: Path, pairs: list[tuple[str, str, str]], metric: str, heading: str
) -> str:
    """Make a table of differences of test errors, paired by seed, with t intervals.

    Args:
        folder: of the run.
        pairs: what the line says, a model, and the model that is subtracted.
        metric: "error", or "mse", which is given in thousandths.
        heading: of the column with the differences.
    """
    scale = 1000 if metric == "mse" else 1
    cells = []
    for text, model, other in pairs:
        mean, low, high = (scale * end for end in gap(folder, model, other, metric))
        cells.append([text, f"{mean:+.3g} [{low:+.3g}, {high:+.3g}]"])
    return pipe_table(cells, ["", heading], ["left", "right"])


def gap(folder: Path, model: str, other: str, metric: str) -> tuple[float, ...]:
    """Subtract test errors, paired by seed: their mean, and its t interval."""
    values = scores(folder, model, metric) - scores(folder, other, metric)
    return float(values.mean()), *intervals.t_interval(values)


def scores(folder: Path, model: str, metric: str) -> np.ndarray:
    """Read a model's test errors, in the order of its seeds."""
    rows = [
        row
        for row in rows_of(folder, "metrics")
        if row["split"] == "test" and row["slice"] == ""
        if (row["model"], row["metric"]) == (model, metric)
    ]
    return np.array(
        [float(row["value"]) for row in sorted(rows, key=lambda row: row["seed"])]
    )


# ---------------------------------------------------------------- stacked


def shapes(folder: Path) -> str:
    """Make the table of which layers return sequences; all cells must agree."""
    lines: dict[tuple[str, ...], int] = {}
    for row in rows_of(folder, "shapes"):
        if row["input"] == "(4, 10, 32)":
            line = shape_line(row)
            lines[line] = lines.get(line, 0) + 1
    if set(lines.values()) != {len(CELLS)}:
        raise ValueError(f"the cells of {folder} do not agree on shapes")
    headings = ["return_sequences", "input → outputs", "what it is"]
    headings.append("trains on every step")
    return pipe_table([list(line) for line in lines], headings, ["left"] * 4)


def shape_line(row: dict[str, str]) -> tuple[str, str, str, str]:
    """Write a row of shapes.csv for reading, without the batch."""
    outputs = " → ".join([row["input"], *row["outputs"].split(" -> ")])
    outputs = outputs.replace("(4, ", "(")
    layers = row["return_sequences"].replace(" ", ", ")
    if row["builds"] == "False":
        return layers, f"{outputs} → error", "does not build", ""
    trains = {"True": "yes", "False": "no"}[row["trains_on_7"]]
    return layers, outputs, row["head"], trains


def depths(folder: Path) -> str:
    """Make the table of errors by cell, head and number of layers."""
    names = {
        f"{cell}, {head}": f"{start}_{{}}_{end}"
        for cell, start in CELLS.items()
        for head, end in HEADS.items()
    }
    headings = ["1 layer", "2 layers", "3 layers"]
    return thousandths(folder, names, [1, 2, 3], headings)


def lengths(folder: Path) -> str:
    """Make the table of errors by cell and length of the sequence."""
    names = {cell: f"{start}_{{}}" for cell, start in CELLS.items()}
    names["SimpleRNN, identity and ReLU"] = "identity_rnn_{}"
    columns = [25, 50, 100, 200]
    return thousandths(folder, names, columns, list(map(str, columns)))


def thousandths(
    folder: Path, names: dict[str, str], columns: list[int], headings: list[str]
) -> str:
    """Make a table of mean and standard deviation over seeds, times 1,000.

    Args:
        folder: of the run.
        names: what a line says -> names of its models, in which {} is the column.
        columns: what stands for {}.
        headings: of the columns.
    """
    rows = by_model(folder)
    cells = []
    for text, pattern in names.items():
        entries = [rows[pattern.format(column)] for column in columns]
        values = [f"{1e3 * row['mean']:.3g} ± {1e3 * row['sd']:.2g}" for row in entries]
        cells.append([text, *values])
    return pipe_table(cells, ["", *headings], ["left", *["right"] * len(columns)])


def any_length(folder: Path) -> str:
    """Write the paragraph on sequences of other lengths than in training."""
    rows = rows_of(folder, "lengths")
    recurrent = [row for row in rows if not row["model"].startswith("mlp")]
    if {row["runs"] for row in recurrent} != {"True"}:
        raise ValueError(f"the recurrent model of {folder} does not take all lengths")
    errors = [1000 * float(row["mse"]) for row in recurrent]
    sizes = {row["length"]: int(row["parameters"]) for row in rows[-7:]}
    return paragraph(
        "A model's size does not depend on the length: the best of the stacks above, "
        f"with {int(recurrent[0]['parameters']):,} parameters and trained on 50 steps, "
        f"runs on 5 to 500, with errors from {errors[0]:.2g} (5 steps) to "
        f"{min(errors):.2g}. The MLP with its {sizes['50']:,} parameters takes 50 "
        f"steps and no other number; for 500 it would need {sizes['500']:,}."
    )


# ---------------------------------------------------------------- sketch


def sketches(folder: Path) -> str:
    """Make the table of drawings: errors, intervals, and what padding changes."""
    changed = {row["model"]: row["changed"] for row in rows_of(folder, "padding")}
    cells = []
    for row in sorted(summary_rows.summarise(folder), key=lambda row: row["mean"]):
        sd = f" ± {row['sd']:.2f}" if row["seeds"] > 1 else ""
        share = changed.get(row["model"])
        cells.append([
            bold_if_chosen(row),
            f"{row['mean']:.2f}{sd}",
            str(row["seeds"]),
            f"{row['low']:.1f} to {row['high']:.1f}",
            f"{float(share):.1f} %" if share else "",
        ])  # fmt: skip
    headings = ["model", "test error, %", "n", "95 % interval", "changed by padding"]
    return pipe_table(cells, headings, ["left", *["right"] * 4])


def course_program(folder: Path) -> str:
    """Write how well the course's program is once it trains."""
    answer = by_model(folder)["answer"]
    return paragraph(
        "With these repaired it trains, but its ten epochs are too few: the test error "
        f"is {answer['mean']:.1f} ± {answer['sd']:.1f} % on these classes. The table "
        "above has it after thirty."
    )


def strides(folder: Path) -> str:
    """Make the table of strides: what a step of training costs, and the error."""
    errors = by_model(folder)
    cells = [
        [
            row["model"],
            row["stride"],
            f"{int(row['parameters']):,}",
            f"{float(row['milliseconds']):.0f}",
            f"{errors[row['model']]['mean']:.2f} ± {errors[row['model']]['sd']:.2f}",
        ]
        for row in rows_of(folder, "cost")
    ]
    headings = ["model", "points a step", "parameters", "ms per training step"]
    return pipe_table(cells, [*headings, "error, %"], ["left", *["right"] * 4])


def cheaper(folder: Path) -> str:
    """Write by what factor a stride of four makes training cheaper, and its price."""
    cost = {row["model"]: row["milliseconds"] for row in rows_of(folder, "cost")}
    factor = float(cost["conv_lstm_stride_1"]) / float(cost["conv_lstm"])
    more, low, _ = gap(folder, "conv_lstm", "conv_lstm_stride_1", "error")
    price = "What it costs in accuracy is not proved."
    if low > 0:
        price = f"It costs accuracy: {more:.1f} points more of errors."
    _, low, _ = gap(folder, "lstm", "conv_lstm_stride_1", "error")
    finds = "do find" if low > 0 else "are not proved to find"
    return paragraph(
        "**Strides.** Convolutions that shorten the drawing make training cheaper, by "
        f"a factor of {factor:.1f} at stride 4. {price} **Convolutions** {finds} what "
        "LSTMs with as many parameters do not. Fifteen epochs, default "
        "hyperparameters; the step is on the same 64 drawings for all:"
    )


def sooner(folder: Path) -> str:
    """Write how much sooner than the textbook's network another was as good."""
    rows = rows_of(folder, "time_to_score")
    factors = [
        f"{float(row['speedup']):.1f}" for row in rows if row["model"] == "conv_bilstm"
    ]
    return paragraph(
        "**Time.** The bidirectional network is as good on validation as the "
        "textbook's ever becomes, many times as soon: "
        f"{', '.join(factors)} (seed by seed, in the same run)."
    )


# ---------------------------------------------------------------- devices, benchmarks


def devices(folder: Path) -> str:
    """Write how far the weights of several devices are from those of one."""
    worst: dict[str, float] = {}
    for row in rows_of(folder, "devices"):
        value = float(row["max_difference"])
        worst[row["setting"]] = max(value, worst.get(row["setting"], 0))
    return paragraph(
        "The same GRU, with the same weights at first, on the same batches, three "
        "seeds: the weights that two replicas and two workers end on differ by "
        f"{worst['two replicas']:.1e} and {worst['two workers']:.1e} at most from "
        "those of one device, which is rounding (sums in another order)."
    )


def scaling(folder: Path) -> str:
    """Make the table of what a second replica or worker is worth."""
    cells = [
        [
            row["setting"],
            f"{float(row['steps_per_second']):.0f}",
            f"{float(row['examples_per_second']):,.0f}",
            f"{float(row['efficiency']):.0%}",
            f"{float(row['all_reduce_share']):.0%}" if row["count"] != "1" else "",
        ]
        for row in rows_of(folder, "bench-scaling")
    ]
    headings = ["", "steps a second", "examples a second", "efficiency"]
    return pipe_table(cells, [*headings, "all-reduce alone"], ["left", *["right"] * 4])


def bench(folder: Path) -> str:
    """Make the table of `results/bench.md`; the work is named in its first line."""
    cells, before = [], None
    for row in rows_of(folder, "bench"):
        low, median, high = (
            three_digits(row[key]) for key in ("low", "median", "high")
        )
        cells.append([
            "" if row["work"] == before else f"{row['work']}, {row['unit']}",
            row["contender"],
            median,
            f"{low} to {high}",
            f"{float(row['ratio']):.2f}",
            f"{float(row['result']):.3g}" if row["result"] else "",
            f"{float(row['megabytes']):,.0f}",
        ])  # fmt: skip
        before = row["work"]
    headings = ["work", "contender", "median", "quartiles", "ratio", "came to", "MB"]
    return pipe_table(cells, headings, ["left"] * 2 + ["right"] * 5)


def three_digits(value: str) -> str:
    """Round a number to three digits: 1,050,000 or 0.886."""
    rounded = float(f"{float(value):.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"
