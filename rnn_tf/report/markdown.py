"""Write the results table and the answers as Markdown."""

import re
from collections import Counter

import lazy_loader

from rnn_tf.claims.contradictions import Contradiction
from rnn_tf.claims.course import FAMILIES
from rnn_tf.claims.striking import outcome
from rnn_tf.claims.verdict import CITED, VERDICTS
from rnn_tf.metrics.formatting import metric_name, number
from rnn_tf.text import printable

tabulate = lazy_loader.load("tabulate")

HOW_TO_READ = (
    "n: seeds; sd: over them; 95 % interval: of the mean error over test examples, by "
    "a block bootstrap. Differences are paired, to the baseline that did best on this "
    "test set: better or worse only where the interval leaves out 0, else unclear. "
    "Bold: chosen on validation. best: proved better than every other model and "
    "baseline here, paired by seed (ensembles have no seeds and are left out)."
)


def document(summary, warnings: list[str], older: int = 0) -> str:
    """Write the text of `summary.md`: a table per run, and what cannot be compared.

    Args:
        summary: DataFrame of summary.csv.
        warnings: lines of `summary.incomparable`.
        older: how many runs are not in `summary`.
    """
    parts = ["# Results", HOW_TO_READ if len(summary) else "No results yet."]
    if older:
        parts.append(f"The newest runs; {older} older ones are in summary.csv alone.")
    if len(summary):
        parts.append(overview(summary))
    for run, rows in summary.groupby("run", sort=False):
        first = rows.iloc[0]
        parts.append("## " + escape(f"{first['experiment']} on {first['data']}: {run}"))
        commit = f"{first['commit'][:7]}{', changed' if first['dirty'] else ''}"
        origin = escape(f"{first['status']}, commit {commit}")
        parts.append(f"{origin}: {code(first['command'])}")
        parts.append(run_table(rows.sort_values("mean")))
    if warnings:
        lines = [f"- {escape(line)}" for line in warnings]
        parts += ["## Not to be compared", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def overview(summary) -> str:
    """Make a table with a line per run: the model chosen, and the best baseline."""
    cells = [_line(rows) for _, rows in summary.groupby("run", sort=False)]
    headings = ["run", "test error", "chosen on validation", "best baseline"]
    headings += ["difference", ""]
    return pipe_table(cells, headings, ["left"] * 4 + ["right", "left"])


def origins(summary) -> str:
    """Make a table with a line per run: its command, commit and machine."""
    runs = summary.drop_duplicates("run")
    cells = [
        [
            escape(row["run"]),
            code(row["command"]),
            escape(row["commit"][:7]),
            escape(row["machine"]),
        ]
        for _, row in runs.iterrows()
    ]
    return pipe_table(cells, ["run", "command", "commit", "machine"], ["left"] * 4)


def _line(rows) -> list[str]:
    """Return the cells of one run in the overview."""
    baseline = rows[rows["model"] == rows["baseline"]].iloc[0]
    chosen = rows[rows["chosen"].astype(bool)]
    row = baseline if chosen.empty else chosen.iloc[0]
    keys = "difference", "difference_low", "difference_high"
    difference, low, high = (number(row[key], "+") for key in keys)
    sd = f" ± {number(row['sd'])}" if row["seeds"] > 1 else ""
    return [
        escape(f"{row['run']} ({row['data']})"),
        escape(metric_name(row["metric"], row["unit"])),
        f"{escape(row['model'])} {number(row['mean'])}{sd}",
        f"{escape(baseline['model'])} {number(baseline['mean'])}",
        f"{difference} [{low}, {high}]",
        row["verdict"],
    ]


def run_table(rows) -> str:
    """Make a table of the models of one run, in the order given."""
    first = rows.iloc[0]
    error = escape(f"test {metric_name(first['metric'], first['unit'])}")
    headings = ["model", "n", error, "sd", "95 % interval"]
    against = escape(f"against {first['baseline']}")
    headings += [against, "", "parameters", "seconds"]
    align = ["left", *["right"] * 5, "left", "right", "right"]
    cells = [_cells(row) for _, row in rows.iterrows()]
    return pipe_table(cells, headings, align)


def _cells(row) -> list[str]:
    sd = number(row["sd"]) if row["seeds"] > 1 else ""
    low, high = number(row["low"]), number(row["high"])
    keys = "difference", "difference_low", "difference_high"
    difference, least, most = (number(row[key], "+") for key in keys)
    verdict = f"{row['verdict']}, best" if row["best"] else row["verdict"]
    size = f"{int(row['parameters']):,}" if row["parameters"] else ""
    model = escape(row["model"])
    return [
        f"**{model}**" if row["chosen"] else model,
        str(row["seeds"]),
        number(row["mean"]),
        sd,
        f"{low} to {high}",
        f"{difference} [{least}, {most}]",
        verdict,
        size,
        number(row["seconds"]) if row["seconds"] else "",
    ]


def answers_table(rows: list[dict]) -> str:
    """Make a table of the answers in short: claim, verdict and condition.

    What is cited has its reference in place of a condition.
    """
    cells = [
        [
            row["claim"],
            row["text"],
            f"**{row['verdict']}**",
            escape(row["evidence"] if row["verdict"] == CITED else row["condition"]),
        ]
        for row in rows
    ]
    return pipe_table(cells, ["", "the course says", "measured", "where"], ["left"] * 4)


def contradictions_table(pairs: list[tuple[Contradiction, list[dict]]]) -> str:
    """Make a table of two statements each, who makes them, and what was measured."""
    cells = [
        [
            both.topic,
            f"{both.first} ({both.first_source})",
            f"{both.second} ({both.second_source})",
            "<br>".join(
                f"{row['claim']} **{row['verdict']}**: {escape(outcome(row))}"
                for row in rows
            ),
        ]
        for both, rows in pairs
    ]
    headings = ["on", "one place says", "another says", "measured"]
    return pipe_table(cells, headings, ["left"] * 4)


def families_table(rows: list[dict]) -> str:
    """Make a table of the verdicts by family: how many claims came to each."""
    counts = Counter((row["claim"][0], row["verdict"]) for row in rows)
    cells = [
        [name, *(str(counts[letter, verdict] or "") for verdict in VERDICTS)]
        for letter, name in FAMILIES.items()
    ]
    whole = Counter(row["verdict"] for row in rows)
    cells.append(["**all**", *(f"**{whole[verdict]}**" for verdict in VERDICTS)])
    headings = ["claims on", *VERDICTS]
    return pipe_table(cells, headings, ["left"] + ["right"] * len(VERDICTS))


def pipe_table(cells: list[list[str]], headings: list[str], align: list[str]) -> str:
    """Write a pipe table; a bar in a cell would end it, so it is escaped.

    Args:
        cells: lines of cells.
        headings: of the columns.
        align: "left" or "right", of the columns.
    """
    head, *body = [
        [cell.replace("|", r"\|") for cell in row] for row in [headings, *cells]
    ]
    return tabulate.tabulate(
        body, head, tablefmt="pipe", colalign=align, disable_numparse=True
    )


# ---------------------------------------------------------------- text of runs

# What begins HTML, an entity or a formula; and code, emphasis, a link.
ENTITIES, MARKS = (
    re.compile("[<&$]"),
    re.compile(r"[\\`*~]|(?<![^\W_])_|_(?![^\W_])|(?<=\])[(\[]"),
)


def escape(text: str) -> str:
    """Write text of a run so that Markdown shows it as it stands, in one line."""
    text = MARKS.sub(r"\\\g<0>", printable(text))
    return ENTITIES.sub(_entity, text)


def code(text: str) -> str:
    """Write a command as code: in backticks, or by HTML if they would not hold it."""
    text = printable(text)
    if "`" in text or r"\|" in text:
        return f"<code>{re.sub(r'[^a-zA-Z0-9 ./-]', _entity, text)}</code>"
    return f"`{text}`"


def _entity(match: re.Match) -> str:
    """Write a character by its number."""
    return f"&#{ord(match[0])};"
