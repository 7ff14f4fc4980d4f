"""Draw how far back cells recall, and what each remedy leaves, from tables of a run."""

from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf.report.plots import COLOURS, new_figure, picture, save

pd = lazy_loader.load("pandas")

FLOOR = -24  # log10, below which a gradient is drawn as if it were that
PHASES = {"fresh": "before training", "trained": "after training"}


@picture
def recall(path: Path, recalled, gradients, chance: float) -> None:
    """Draw what is recalled, and the gradient at the name, over the distance.

    Args:
        path: of the picture.
        recalled: DataFrame with cell, distance and value, which is the share of names
            that were recalled, in %; one row per seed.
        gradients: DataFrame with cell, distance, phase and log10_ratio; a row per seed.
        chance: the share that a guess gets right, in %.
    """
    figure, axes = new_figure(rows=3, height=10.5, sharex=True)
    _lines(axes[0], recalled, "value")
    axes[0].axhline(chance, color="0.4", ls="--", lw=1.2, label="a guess")
    axes[0].set(ylabel="names recalled, %", ylim=(-2, 106))
    axes[0].set_title(
        "A name in a story, after so many words of filler never seen before"
    )
    axes[0].legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    logs = gradients.assign(log10_ratio=gradients["log10_ratio"].clip(lower=FLOOR))
    for axis, phase in zip(axes[1:], PHASES, strict=True):
        _lines(axis, logs[logs["phase"] == phase], "log10_ratio")
        axis.axhline(0, color="0.4", ls="--", lw=1.2)
        axis.set_ylabel(
            "log10 of the gradient at the name,\nover that at the last word"
        )
        less = f"{FLOOR}: that or less" * bool((logs["log10_ratio"] == FLOOR).any())
        axis.set_title(f"How much of the gradient reaches the name, {PHASES[phase]}")
        axis.annotate(less, (0.01, 0.03), xycoords="axes fraction", fontsize=9)
    axes[2].set_xlabel("words of filler between the name and the question")
    distances = sorted(recalled["distance"].unique())
    axes[2].set_xticks(_place(distances), [str(n) for n in distances])
    save(figure, path)


def _lines(axis, rows, column: str) -> None:
    """Draw the median of each cell's seeds over the distance, and their range.

    Each line is thinner than the one before, so that those below it are seen.
    """
    cells = list(rows.groupby("cell", sort=False))
    for place, ((cell, own), colour) in enumerate(zip(cells, COLOURS, strict=False)):
        seeds = own.groupby("distance")[column]
        middle, low, high = seeds.median(), seeds.min(), seeds.max()
        x, width = _place(middle.index), 1.4 + 0.9 * (len(cells) - 1 - place)
        axis.plot(x, middle, "-", lw=width, color=colour, label=cell)
        axis.fill_between(x, low, high, color=colour, alpha=0.13, lw=0)


def _place(distances) -> np.ndarray:
    """Place distances along the axis: 0, then evenly by their logarithm."""
    return np.log2(1 + np.asarray(distances, float) / 5)


@picture
def remedies(path: Path, rows, error: str, flat: float, name: str) -> None:
    """Draw the error that each remedy leaves, a dot per seed; crosses have diverged.

    Args:
        path: of the picture.
        rows: DataFrame of remedies.csv.
        error: label of the axis.
        flat: the error of the best baseline.
        name: its name.
    """
    rows = rows.assign(
        diverged=rows["diverged"] == 1,
        error=pd.to_numeric(rows["error"], errors="coerce"),
    )
    models = list(dict.fromkeys(rows["model"]))
    figure, (axis,) = new_figure(height=1.5 + 0.24 * len(models))
    top = max(1.05 * flat, rows["error"][~rows["diverged"]].max())
    for place, model in enumerate(models):
        own = rows[rows["model"] == model].sort_values("seed")
        ended, lost = own[~own["diverged"]], own[own["diverged"]]
        spread = np.linspace(-0.2, 0.2, max(2, len(own)))[: len(own)]
        heights = dict(zip(own["seed"], place + spread, strict=True))
        options = {"s": 22, "zorder": 3}
        axis.scatter(
            ended["error"], ended["seed"].map(heights), color=COLOURS[0], **options
        )
        beyond = np.full(len(lost), 1.08 * top)
        axis.scatter(
            beyond, lost["seed"].map(heights), color=COLOURS[1], marker="x", **options
        )
        if len(ended):
            axis.plot(
                [ended["error"].mean()] * 2, [place - 0.38, place + 0.38], "k", lw=1.6
            )
    axis.axvline(flat, color="0.4", ls="--", lw=1.2, label=name)
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    right = 1.13 if rows["diverged"].any() else 1.03
    axis.set(
        xlabel=error, xlim=(-0.03 * top, right * top), ylim=(len(models) - 0.4, -0.9)
    )
    axis.set_yticks(range(len(models)), models)
    axis.set_title("Dots: seeds; bars: their mean; crosses: training diverged")
    save(figure, path)
