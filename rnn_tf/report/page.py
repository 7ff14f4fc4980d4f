"""Write the report: one page that needs nothing else, from the run folders alone.

`python -m rnn_tf.report.page` is `make report`. No TensorFlow.
"""

import json
import sys
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

from rnn_tf import config, files
from rnn_tf.claims import answers, course
from rnn_tf.claims.contradictions import side_by_side
from rnn_tf.claims.striking import count_verdicts, refuted
from rnn_tf.errors import InputError
from rnn_tf.report import run_section, templates
from rnn_tf.report.about import EXPERIMENTS
from rnn_tf.report.cards import cards
from rnn_tf.report.run_section import Picture, Section, pictures_of
from rnn_tf.runs.finished import skip_damaged
from rnn_tf.text import printable

SHOWN = 12  # of the user's own runs


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


def by_family(claims: list[dict]) -> dict[str, list[dict]]:
    """Group claims by their family's letter, by number within each."""
    families = {letter: [] for letter in course.FAMILIES}
    for claim in sorted(claims, key=lambda claim: int(claim["claim"][1:])):
        families[claim["claim"][0]].append(claim)
    return {letter: some for letter, some in families.items() if some}


# ---------------------------------------------------------------- the page


def page(
    own: list[Section],
    reference: list[Section],
    more: dict[str, list[Picture]],
    notes: list[str],
    claims: list[dict],
) -> str:
    """Fill the template, with all text of the runs escaped.

    Args:
        own: the user's runs.
        reference: the runs that the README quotes.
        more: experiment -> pictures that belong to none of its runs.
        notes: which runs are not shown.
        claims: rows of `answers.csv`.
    """
    names = {run.experiment for run in own + reference}
    experiments = [name for name in EXPERIMENTS if name in names]
    experiments += sorted(names - set(EXPERIMENTS))
    newest = sorted(reference, key=lambda run: run.facts["Started"], reverse=True)
    return templates.fill(
        "page.html.jinja",
        ["page.css"],
        ["page.js"],
        experiments=experiments,
        abouts=EXPERIMENTS,
        own=own,
        reference=reference,
        more=more,
        notes=notes,
        claims=claims,
        verdicts=count_verdicts(claims),
        refuted=refuted(claims),
        cards=cards(experiments, newest + own, more, claims),
        families=by_family(claims),
        family_names=course.FAMILIES,
        contradictions=side_by_side(claims),
        how_to_read=answers.HOW_TO_READ,
        written=datetime.now(timezone.utc),
    )


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
    scaling = skip_damaged(pictures_of, reference / "bench-scaling")
    more = {"devices": scaling or []}
    shown = claims if own or quoted else []
    files.write_text(results / "report.html", page(own, quoted, more, notes, shown))
    count = f"{len(own)} of your runs and {len(quoted)} reference runs"
    place = printable(str(results / "report.html"))
    print(f"{place} shows {count}; open it in a browser")
    if not own:
        print("no runs of your own yet; try: make results")


if __name__ == "__main__":
    raise SystemExit(config.program("python -m rnn_tf.report.page", sys.argv[1:], main))
