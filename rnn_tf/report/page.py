"""Write the report: one page that needs nothing else, from the run folders alone.

`python -m rnn_tf.report.page` is `make report`. No TensorFlow.
"""

import base64
import hashlib
import json
import sys
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

import lazy_loader

from rnn_tf import config, files
from rnn_tf.claims import answers
from rnn_tf.errors import InputError
from rnn_tf.metrics import formatting
from rnn_tf.report import run_section
from rnn_tf.report.run_section import Section
from rnn_tf.runs.finished import skip_damaged
from rnn_tf.text import printable

jinja2 = lazy_loader.load("jinja2")

SHOWN = 12  # of the user's own runs
# The order on the page; other experiments come after.
ORDER = [
    "stacked",
    "modes",
    "gradients",
    "lengths",
    "language",
    "translate",
    "forecast",
    "sketch",
    "generate",
    "video",
    "devices",
    "facts",
]


# ---------------------------------------------------------------- which runs


def choose(root: Path, reference: Path) -> tuple[list[Path], list[str]]:
    """Choose the user's own runs to show; count those of each kind that are not.

    Of the complete runs of an experiment on the same data, the newest; and of all
    these, the newest `SHOWN`: a page with hundreds is slow to open.
    """
    newest, hidden = {}, Counter()
    folders = [path.parent for path in root.glob("*/*/config.json")]
    for folder in sorted(folders):
        same = folder.parent.resolve() == reference.resolve()
        if same or not (key := skip_damaged(_kind, folder)):
            continue
        experiment, data, status = key
        if status != "complete":
            hidden[f"{experiment}, {status}"] += 1
            continue
        hidden[f"{experiment} on {data}, older"] += (experiment, data) in newest
        newest[experiment, data] = folder  # names begin with the time
    by_time = sorted(newest.values(), key=lambda folder: folder.name)
    hidden["other data, older"] += len(by_time[:-SHOWN])
    shown = [folder for folder in newest.values() if folder in by_time[-SHOWN:]]
    return shown, [f"{n} of {kind}" for kind, n in hidden.items() if n]


def _kind(folder: Path) -> tuple[str, str, str]:
    """Read experiment, data and status of a run; no data unless it is complete."""
    info = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    data = info["data"]["source"] if info["status"] == "complete" else ""
    return str(info["experiment"]), str(data), str(info["status"])


def with_lists(claims: list[dict]) -> list[dict]:
    """Split the runs and commands of each row of `answers.csv` into lists."""
    keys = "runs", "commands"
    return [
        row | {key: row[key].split("; ") if row[key] else [] for key in keys}
        for row in claims
    ]


def by_family(claims: list[dict]) -> dict[str, list[dict]]:
    """Group claims by their family's letter, by number within each."""
    families = {letter: [] for letter in answers.FAMILIES}
    for claim in sorted(claims, key=lambda claim: int(claim["claim"][1:])):
        families[claim["claim"][0]].append(claim)
    return {letter: some for letter, some in families.items() if some}


# ---------------------------------------------------------------- the page


def page(
    own: list[Section], reference: list[Section], notes: list[str], claims: list
) -> str:
    """Fill the template, with all text of the runs escaped.

    Args:
        own: the user's runs.
        reference: the runs that the README quotes.
        notes: which runs are not shown.
        claims: rows from `with_lists`.
    """
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    options = {"trim_blocks": True, "lstrip_blocks": True}
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        finalize=_printable,
        undefined=jinja2.StrictUndefined,
        **options,
    )
    environment.filters |= {"number": formatting.number, "sha256": _sha256}
    experiments = dict.fromkeys(run.experiment for run in own + reference)
    known = [name for name in ORDER if name in experiments]
    filled = environment.get_template("page.html.jinja").render(
        experiments=known + [name for name in experiments if name not in ORDER],
        own=own,
        reference=reference,
        notes=notes,
        claims=claims,
        families=by_family(claims),
        family_names=answers.FAMILIES,
        how_to_read=answers.HOW_TO_READ,
        verdicts=Counter(claim["verdict"] for claim in claims),
        made=datetime.now(timezone.utc),
    )
    return filled.lstrip()


def _printable(value):
    """Show the control characters of a run's text; what the template writes stays."""
    return printable(value) if type(value) is str else value


def _sha256(text: str) -> str:
    """Hash a script as a Content-Security-Policy names the one that may run."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def main(
    results: Path = Path("results"), reference: Path = Path("results/reference")
) -> None:
    """Write results/report.html: every experiment on one page that works from a file.

    The answers are judged anew, as by make answers.

    Args:
        results: Folder that holds the run folders; the page is written there.
        reference: Folder that holds the reference runs.
    """
    for folder in (results, reference):
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder; nothing has run yet")
    with files.disk_errors(results):
        write(results, reference, answers.refresh(results, reference))


def write(results: Path, reference: Path, claims: list[dict]) -> None:
    """Write the page, and print where it is.

    Args:
        results: folder of the user's runs; the page is written there.
        reference: folder of the reference runs.
        claims: rows of `answers.csv`; without any runs they are not shown.
    """
    folders, notes = choose(results, reference)
    known = sorted(path.parent for path in reference.glob("*/config.json"))
    own, quoted = (
        [
            run
            for folder in some
            if (run := skip_damaged(run_section.read_section, folder))
        ]
        for some in (folders, known)
    )
    shown = with_lists(claims) if own or quoted else []
    files.write_text(results / "report.html", page(own, quoted, notes, shown))
    count = f"{len(own)} of your runs and {len(quoted)} reference runs"
    place = printable(str(results / "report.html"))
    print(f"{place} shows {count}; open it in a browser")
    if not own:
        print("no runs of your own yet; try: make results")


if __name__ == "__main__":
    raise SystemExit(config.program("python -m rnn_tf.report.page", sys.argv[1:], main))
