"""Draw a search for hyperparameters from the rows of trials.csv alone."""

from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf.report.plots import COLOURS, label, new_figure, picture, save

pd = lazy_loader.load("pandas")

FAILED = COLOURS[1]
MARKERS = "o^sDvP"  # the same colour again gets the next of them
SCORE = "validation score, lower is better"
PICTURES = "search", "hyperparameters"  # names of files of a run


def write(folder: Path) -> None:
    """Draw the search of a run, if it made one: those of `PICTURES` that say something.

    Args:
        folder: of the run, with its trials.csv.
    """
    trials = read(folder / "trials.csv")
    if len(trials):
        _draw(folder / "search.png", over_trials, trials)
    if varied_hyperparameters(trials):
        _draw(folder / "hyperparameters.png", hyperparameters, trials)


@picture
def _draw(path: Path, draw, trials) -> None:
    save(draw(trials), path)


def read(path: Path, **options):
    """Read the trials of the search; no rows where nothing was searched.

    Args:
        path: of trials.csv.
        options: of pandas' read_csv.
    """
    if not path.is_file():
        return pd.DataFrame()
    trials = pd.read_csv(path, **options)
    return trials[trials["phase"] == "search"].drop(columns="phase")


def over_trials(trials):
    """Draw each trial's score and the best so far, in a panel for each model.

    Args:
        trials: rows of trials.csv, of the search alone; at least one.

    Returns:
        matplotlib's Figure.
    """
    models = list(trials.groupby("model", sort=False))
    columns = min(4, len(models))
    rows = -(-len(models) // columns)
    height, width = 1 + 1.7 * rows, min(9, 3 + 2 * columns)
    figure, axes = new_figure(rows, columns, height, width, sharey=True)
    for axis, (model, part) in zip(axes, models, strict=False):
        _search(axis, part.sort_values("trial"))
        axis.set_title(label(model), fontsize=8)
        axis.tick_params(labelsize=8)
    for axis in axes[len(models) :]:
        axis.set_axis_off()
    _scale(axes[0], trials)
    figure.supxlabel("trial", fontsize=9)
    figure.supylabel(SCORE, fontsize=9)
    _legend(figure, axes, "outside upper right")
    return figure


def _search(axis, trials) -> None:
    """Draw the trials of one model, in their order."""
    best = trials["score"].cummin().ffill()
    axis.plot(trials["trial"], trials["score"], "o", ms=4, color="0.45", label="trial")
    style = {"color": COLOURS[0], "drawstyle": "steps-post", "lw": 1.8}
    axis.plot(trials["trial"], best, label="best so far", **style)
    _crosses(axis, trials.loc[trials["score"].isna(), "trial"])
    axis.xaxis.get_major_locator().set_params(integer=True)


def _crosses(axis, places) -> None:
    """Draw failed trials, which have no score, as crosses at the top of the panel."""
    if len(places):
        style = {"color": FAILED, "clip_on": False, "ms": 7, "label": "failed"}
        top = {"transform": axis.get_xaxis_transform()}
        axis.plot(places, np.ones(len(places)), "X", **style, **top)


def _legend(figure, axes, place: str, columns: int = 3) -> None:
    """Draw one legend for all panels, each name once."""
    handles = {}
    for axis in axes:
        lines, names = axis.get_legend_handles_labels()
        handles = dict(zip(names, lines, strict=True)) | handles
    style = {"frameon": False, "fontsize": 8, "ncols": columns, "loc": place}
    figure.legend(handles.values(), handles, **style)


def _scale(axis, trials) -> None:
    """Take a logarithmic scale if scores differ by more than five times."""
    scores = trials["score"].dropna()
    if len(scores) and scores.min() > 0 and scores.max() > 5 * scores.min():
        axis.set_yscale("log")


def varied_hyperparameters(trials) -> list[str]:
    """List the hyperparameters of which the search tried at least two values."""
    names = [name for name in trials if name.startswith("hp.")]
    return [name for name in names if trials[name].nunique() > 1]


def hyperparameters(trials):
    """Draw the score against each hyperparameter that varied, a panel for each.

    Args:
        trials: rows of trials.csv, of the search alone; a hyperparameter varied.

    Returns:
        matplotlib's Figure.
    """
    names = varied_hyperparameters(trials)
    models = list(trials.groupby("model", sort=False))
    columns = 3 if len(names) in (3, 5, 6) else min(2, len(names))
    rows = -(-len(names) // columns)
    height = 0.8 + 2.8 * rows + 0.2 * -(-len(models) // 4)
    figure, axes = new_figure(rows, columns, height, sharey=True)
    for axis, name in zip(axes, names, strict=False):
        _against(axis, name, trials, models)
    for axis in axes[len(names) :]:
        axis.set_axis_off()
    _scale(axes[0], trials)
    figure.supylabel(SCORE, fontsize=9)
    _legend(figure, axes, "outside lower center", columns=4)
    return figure


def _against(axis, name: str, trials, models: list) -> None:
    """Draw one panel, with a colour and marker for each model."""
    kinds = _categories(trials[name])
    having = [model for model, part in models if part[name].notna().any()]
    beside = np.linspace(-0.25, 0.25, len(having)) if having[1:] else [0]
    for number, (model, part) in enumerate(models):
        part = part.dropna(subset=name)
        places = part[name]
        if kinds and len(part):  # side by side, so that models do not hide each other
            places = part[name].map(kinds.index) + beside[having.index(model)]
        style = {
            "color": COLOURS[number % len(COLOURS)],
            "marker": MARKERS[number // len(COLOURS) % len(MARKERS)],
            "label": label(model),
        }
        axis.plot(places, part["score"], ls="", ms=5, alpha=0.8, **style)
        _crosses(axis, places[part["score"].isna()])
    if kinds:
        labels = [f"{k:g}" if isinstance(k, float) else label(k) for k in kinds]
        axis.set_xticks(range(len(kinds)), labels)
        axis.set_xlim(-0.5, len(kinds) - 0.5)
    elif "learning_rate" in name:
        axis.set_xscale("log")
        axis.xaxis.get_major_locator().set_params(subs=(1, 2, 5))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter("")
    axis.set_xlabel(label(name.removeprefix("hp.")), fontsize=9)
    axis.tick_params(labelsize=8)


def _categories(values) -> list:
    """List the values as categories, if they are words or a few whole numbers.

    Empty for a hyperparameter that is a number on a scale.
    """
    kinds = values.dropna().unique().tolist()
    numbers = pd.api.types.is_numeric_dtype(values)
    if not numbers or pd.api.types.is_bool_dtype(values):
        return sorted(kinds, key=str)
    whole = all(float(kind).is_integer() for kind in kinds)
    return sorted(kinds) if whole and len(kinds) <= 6 else []
