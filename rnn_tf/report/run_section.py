"""Read what the report shows of a run: facts, tables, pictures. No TensorFlow."""

import base64
import dataclasses
import json
import math
import struct
from pathlib import Path

import lazy_loader

from rnn_tf.metrics import formatting
from rnn_tf.report import search_plots, summary_rows
from rnn_tf.report.legends import PICTURES, TABLES

pd = lazy_loader.load("pandas")

TEXT = {"dtype": str, "keep_default_na": False}  # cells as they stand in the file


@dataclasses.dataclass(frozen=True)
class Cell:
    """What a table shows, and the number to sort by, if it is one."""

    text: str
    number: float | None = None

    @property
    def key(self) -> str:
        """The number, in short: pages have thousands. "" where the text is whole."""
        whole = self.number is not None and self.number.is_integer()
        return "" if whole and abs(self.number) < 1e15 else f"{self.number:.6g}"


@dataclasses.dataclass(frozen=True)
class Table:
    """A CSV file to unfold."""

    caption: str
    columns: list[str]
    rows: list[list[Cell]]


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture inside the page, with its size in pixels."""

    name: str
    data: bytes
    width: int
    height: int
    alt: str
    caption: str
    kind: str = "png"

    @property
    def source(self) -> str:
        """The picture as a data URL."""
        encoded = base64.b64encode(self.data).decode("ascii")
        return f"data:image/{self.kind};base64,{encoded}"


@dataclasses.dataclass(frozen=True)
class Section:
    """One run, ready for the page."""

    name: str
    experiment: str
    data: str
    quick: bool
    facts: dict[str, str]
    rows: list[dict]
    pictures: list[Picture]
    trials: int
    tuning: list[Picture]
    tables: list[Table]


def read_section(folder: Path) -> Section | None:
    """Read all of a run that the page shows; None for a run that is not complete.

    Raises:
        ValueError, KeyError, IndexError, TypeError, AttributeError: it is damaged.
    """
    info = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if info["status"] != "complete":
        return None
    trials = search_plots.read(folder / "trials.csv")
    texts = search_plots.read(folder / "trials.csv", **TEXT)
    tables = [_table(texts, "All trials of the search")] if len(texts) else []
    paths = [folder / f"{name}.csv" for name in TABLES]
    tables += [read_table(path) for path in paths if path.is_file()]
    return Section(
        name=folder.name,
        experiment=str(info["experiment"]),
        data=str(info["data"]["source"]),
        quick=info["config"].get("size") == "quick",
        facts=_facts(info),
        rows=with_lines(summary_rows.summarise(folder)),
        pictures=pictures_of(folder),
        trials=len(trials),
        tuning=_tuning(folder, trials) if len(trials) else [],
        tables=tables,
    )


def _facts(info: dict) -> dict[str, str]:
    """Return the facts of a run that stand beside its numbers."""
    dirty = {True: ", with files that differ from it", False: ""}
    versions = {"python": info["python"]} | info["versions"]
    devices = info.get("devices", {})
    used = ", ".join(devices.get("names", []))
    facts = {
        "Data": info["data"].get("says", info["data"]["source"]),
        "Command": info["command"],
        "Commit": info["commit"][:12] + dirty.get(info["dirty"], ""),
        "Started": info["started"],
        "Took": f"{info['seconds']:,.0f} s",
        "Machine": info["machine"] + (f"; {used}" if used else ""),
        "Versions": ", ".join(f"{name} {v}" for name, v in versions.items()),
    }
    return {name: str(value) for name, value in facts.items()}


# ---------------------------------------------------------------- tables


def with_lines(rows: list[dict]) -> list[dict]:
    """Sort rows and add `line`: where to draw the difference and its ends, in %.

    50 is a difference of 0. What is far worse than the baseline ends at the edge, so
    that the other lines stay visible.
    """
    keys = "difference", "difference_low", "difference_high"
    ends = [max(abs(row[key]) for key in keys) for row in rows]
    pairs = zip(rows, ends, strict=True)
    near = [end for row, end in pairs if row["verdict"] != "worse"]
    widest = 1.05 * (max(near, default=0) or max(ends, default=0)) or 1.0

    def place(value: float) -> float:
        return round(50 + 50 * max(-1.0, min(1.0, value / widest)), 1)

    lines = [row | {"line": [place(row[key]) for key in keys]} for row in rows]
    return sorted(lines, key=lambda row: row["mean"])


def read_table(path: Path) -> Table:
    """Read one of `TABLES`."""
    return _table(pd.read_csv(path, **TEXT), TABLES[path.stem])


def _table(frame, caption: str) -> Table:
    """Make a table of a DataFrame of texts; empty columns are left out."""
    frame = frame[[name for name in frame if (frame[name] != "").any()]]
    rows = [[cell(text) for text in row] for row in frame.itertuples(index=False)]
    return Table(caption, list(frame), rows)


def cell(text: str) -> Cell:
    """Make a cell of a CSV text; numbers with a fraction get three digits."""
    try:
        number = float(text)
    except ValueError:
        return Cell(text)
    if not math.isfinite(number):
        return Cell(text)
    whole = number.is_integer() and abs(number) < 1e15
    return Cell(f"{number:,.0f}" if whole else formatting.number(number), number)


# ---------------------------------------------------------------- pictures


def pictures_of(folder: Path) -> list[Picture]:
    """Read the pictures of a run folder, but for those of its search."""
    paths = sorted(folder.glob("[!.]*.png"))
    return [picture(path) for path in paths if path.stem not in search_plots.PICTURES]


def picture(path: Path) -> Picture:
    """Read a PNG of a run folder."""
    plain = path.stem.replace("_", " ")
    alt, caption = PICTURES.get(path.stem, (f"Picture: {plain}", plain.capitalize()))
    return _sized(path.stem, path.read_bytes(), alt, caption)


def _sized(name: str, png: bytes, alt: str, caption: str) -> Picture:
    """Read the size of a PNG; raise ValueError if it is none."""
    if png[:8] != b"\x89PNG\r\n\x1a\n" or len(png) < 24:
        raise ValueError("a picture that is not a PNG")
    width, height = struct.unpack(">II", png[16:24])
    return Picture(name, png, width, height, alt, caption)


def _tuning(folder: Path, trials) -> list[Picture]:
    """Read the pictures of the search: score over trials, hyperparameters and score."""
    models, failed = trials["model"].nunique(), int(trials["score"].isna().sum())
    tried = f"{len(trials)} trials of {models} models" + f", {failed} failed" * (
        failed > 0
    )
    varied = search_plots.varied_hyperparameters(trials)
    names = ", ".join(name.removeprefix("hp.") for name in varied)
    words = {
        "search": (
            f"A panel for each model: validation score of each trial in order; {tried}",
            f"Score over trials ({tried}). Line: the best so far.",
        ),
        "hyperparameters": (
            f"A panel for each hyperparameter ({names}): validation score of each "
            "trial against its value, a colour and marker for each model",
            "Hyperparameters against score, each point a trial.",
        ),
    }
    paths = [folder / f"{name}.png" for name in search_plots.PICTURES]
    return [
        _sized(path.stem, path.read_bytes(), *words[path.stem])
        for path in paths
        if path.is_file()
    ]
