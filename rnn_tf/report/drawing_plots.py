"""Draw what networks have drawn, and what temperature does to it."""

from pathlib import Path

from rnn_tf.report.guess_plots import draw_strokes
from rnn_tf.report.plots import COLOURS, label, new_figure, picture, save

CLASSES = 20  # in the grid, at most


@picture
def grid(path: Path, classes: tuple[str, ...], drawings: dict) -> None:
    """Draw drawings of a network: a row for each class, the lowest temperature left.

    Args:
        path: of the picture.
        classes: their names.
        drawings: temperature -> drawings, stroke-3, one of each class after the other,
            and again; None where nothing was drawn.
    """
    each = 3 if len(drawings) <= 3 else 2 if len(drawings) <= 5 else 1
    each = min(each, *(len(own) // len(classes) for own in drawings.values()))
    shown, columns = classes[:CLASSES], each * len(drawings)
    height, width = 0.85 * len(shown) + 0.6, 0.85 * columns + 1
    figure, axes = new_figure(len(shown), columns, height=height, width=width)
    axes = axes.reshape(len(shown), columns)
    for axis in axes.ravel():
        axis.set(xticks=[], yticks=[], adjustable="datalim")  # all boxes are alike
        axis.spines[:].set_visible(False)
        axis.grid(False)
    for row, name in zip(axes, shown, strict=True):
        row[0].set_ylabel(label(name, 14), fontsize=8, rotation=0, ha="right")
    for place, (temperature, own) in enumerate(sorted(drawings.items())):
        axes[0, place * each].set_title(f"{temperature:g}", fontsize=9, loc="left")
        for row, column in zip(*_cells(len(shown), each), strict=True):
            strokes = own[column * len(classes) + row]
            if strokes is not None:
                draw_strokes(axes[row, place * each + column], strokes)
    figure.suptitle("Drawn by the network, by temperature", fontsize=10)
    save(figure, path)


def _cells(rows: int, columns: int) -> tuple[list[int], list[int]]:
    """List the cells of a table, row by row."""
    return (
        [row for row in range(rows) for _ in range(columns)],
        list(range(columns)) * rows,
    )


@picture
def temperatures(path: Path, rows, model: str) -> None:
    """Draw what temperature does to the drawings of a model; people's as lines across.

    Args:
        path: of the picture.
        rows: DataFrame of drawn.csv.
        model: whose drawings are shown.
    """
    shares = {
        "recognised": "recognised",
        "recognised_by_other": "by the other classifier",
        "ended": "ended by themselves",
        "near_copies": "near copies",
    }
    figure, (above, below) = new_figure(rows=2, height=6.5, sharex=True)
    people, own = rows.iloc[0], rows[rows["model"] == model]
    own = own.assign(temperature=own["temperature"].astype(float))
    seeds = own.groupby("temperature")
    panels = [(above, column, text) for column, text in shares.items()]
    panels.append((below, "variety", "two drawings of a class"))
    panels.append((below, "nearest", "to the nearest training drawing"))
    for (axis, column, text), colour in zip(panels, COLOURS, strict=False):
        mean, low, high = (getattr(seeds[column], f)() for f in ("mean", "min", "max"))
        axis.plot(mean.index, mean, marker="o", ms=4, color=colour, label=text)
        axis.fill_between(mean.index, low, high, color=colour, alpha=0.15, lw=0)
        axis.axhline(people[column], color=colour, ls=":", lw=1)
    above.set(ylabel="% of the drawings", ylim=(-3, 103))
    below.set(xlabel="temperature", ylabel="distance, units of 255", ylim=(0, None))
    for axis in (above, below):
        axis.legend(
            frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5)
        )
    figure.suptitle(f"Drawings of {label(model)}; dotted: test drawings, by people")
    save(figure, path)
