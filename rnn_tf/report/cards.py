"""Gather what the page begins with: a card for each experiment. No TensorFlow."""

import io
from collections.abc import Iterable
from dataclasses import dataclass, replace

from rnn_tf.claims.course import CLAIMS
from rnn_tf.claims.striking import striking
from rnn_tf.claims.verdict import REFUTED
from rnn_tf.report.about import EXPERIMENTS, About
from rnn_tf.report.run_section import Picture, Section

WIDTH = 720  # pixels of a small picture, twice those of a card
TALLEST = 1.2  # times as tall as wide; taller ones show their upper part
UPPER = 0.55  # of the width


@dataclass(frozen=True)
class Card:
    """An experiment at a glance: a small picture, and the most striking claim."""

    experiment: str
    about: About
    picture: Picture | None
    claims: list[dict]
    claim: dict | None


def cards(
    experiments: Iterable[str],
    runs: list[Section],
    more: dict[str, list[Picture]],
    claims: list[dict],
) -> list[Card]:
    """Make a card for each experiment.

    Args:
        experiments: their names, in order.
        runs: those that may lend a picture, the preferred ones first.
        more: experiment -> pictures that belong to none of its runs.
        claims: rows of `answers.csv`.
    """
    by_command = {claim.name: claim.command.split()[1] for claim in CLAIMS}
    cards = []
    for name in experiments:
        about = EXPERIMENTS.get(name, About("", ""))
        pictures = [p for run in runs if run.experiment == name for p in run.pictures]
        picture = most_telling(about, pictures + more.get(name, []))
        own = [row for row in claims if by_command.get(row["claim"]) == name]
        first = most_striking(own)
        cards.append(Card(name, about, picture and thumbnail(picture), own, first))
    return cards


def most_telling(about: About, pictures: list[Picture]) -> Picture | None:
    """Choose the first picture of the first name that there is; None without any."""
    by_name = {picture.name: picture for picture in reversed(pictures)}
    return next((by_name[name] for name in about.pictures if name in by_name), None)


def most_striking(claims: list[dict]) -> dict | None:
    """Choose a striking claim; if there is one, one that `refuted` does not list."""
    rows = striking(claims)
    others = [row for row in rows if row["verdict"] != REFUTED]
    return next(iter(others + rows), None)


def thumbnail(picture: Picture) -> Picture:
    """Make a small copy of a picture; of a tall one its upper part.

    A damaged picture comes back as it is: a browser shows what it can.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(picture.data)) as image:
            whole = image.convert("RGB")
    except (OSError, SyntaxError):
        return picture
    if whole.height > TALLEST * whole.width:
        whole = whole.crop((0, 0, whole.width, round(UPPER * whole.width)))
    whole.thumbnail((WIDTH, WIDTH))
    file = io.BytesIO()
    whole.save(file, "WEBP", quality=80)
    width, height = whole.size
    return replace(
        picture, kind="webp", data=file.getvalue(), width=width, height=height
    )
