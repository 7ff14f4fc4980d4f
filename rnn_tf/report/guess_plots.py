"""Draw what a classifier guesses: confusion, and examples with their guesses."""

from collections.abc import Callable
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf.report import plots

pd = lazy_loader.load("pandas")


def classification(folder: Path, tables: dict, model: str, classes) -> None:
    """Draw which classes `model` takes for which, and all learning curves.

    Args:
        folder: of the run.
        tables: DataFrames of the run, by name.
        model: whose guesses are shown.
        classes: their names.
    """
    guesses = tables["predictions"]
    guesses = guesses[guesses["model"] == model]
    confusion(folder / "confusion.png", guesses, classes)
    plots.learning_curves(folder / "learning_curves.png", tables["history"])


@plots.picture
def confusion(path: Path, predictions, classes: tuple[str, ...]) -> None:
    """Draw which class is taken for which, as shares of each true class, all seeds."""
    from sklearn.metrics import confusion_matrix

    shares = confusion_matrix(
        predictions["target"],
        predictions["prediction"],
        labels=classes,
        normalize="true",
    )
    size = min(4 + 0.28 * len(classes), 30)
    figure, (axis,) = plots.new_figure(height=size, width=size + 1)
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axis.set(xlabel="guess", ylabel="truth", title="Shares of each class, test set")
    places, names = range(len(classes)), [plots.label(name) for name in classes]
    small = {"fontsize": 8 if len(classes) <= 60 else 3}
    axis.set_xticks(places, names, rotation=90, **small)
    axis.set_yticks(places, names, **small)
    axis.grid(False)
    if len(classes) <= 20:
        for row, column in np.argwhere(shares >= 0.005):
            share = shares[row, column]
            colour = "white" if share > 0.6 else "black"
            text = {"ha": "center", "va": "center", "fontsize": 7, "color": colour}
            axis.text(column, row, f"{100 * share:.0f}", **text)
    figure.colorbar(image, ax=axis, shrink=0.7)
    plots.save(figure, path)


def first_seed(predictions, model: str):
    """Return the predictions of one model's first seed, rows of `predictions.csv`."""
    rows = predictions[predictions["model"] == model]
    return rows[rows["seed"] == rows["seed"].iloc[0]]


@plots.picture
def drawings(path: Path, predictions, drawing: Callable) -> None:
    """Draw drawings with the three best guesses: some right ones, then some wrong.

    Args:
        path: of the picture.
        predictions: rows of predictions.csv of one seed, with columns second, third and
            probability; `example` is the index of a drawing.
        drawing: example -> stroke-3, (points, 3).
    """
    right = predictions["target"] == predictions["prediction"]
    chosen = [_spread(predictions[right], 12), _spread(predictions[~right], 12)]
    figure, axes = plots.new_figure(rows=4, columns=6, height=8.5, width=11)
    for axis in axes:
        axis.set_axis_off()
    for start, rows in zip((0, 12), chosen, strict=True):
        for axis, row in zip(axes[start:], rows.to_dict("records"), strict=False):
            draw_strokes(axis, drawing(int(row["example"])))
            good = row["target"] == row["prediction"]
            first, second, third = (row[k] for k in ("prediction", "second", "third"))
            title = f"{plots.label(first, 20)} {100 * row['probability']:.0f} %\n"
            title += plots.label(second, max(12, 26 - len(third))) + ", "
            title += plots.label(third, max(12, 26 - len(second)))
            title += "" if good else f"\n(it is: {plots.label(row['target'], 18)})"
            axis.set_title(
                title, fontsize=8, color=plots.COLOURS[2] if good else plots.COLOURS[1]
            )
    figure.suptitle("Right, above, and wrong, below: the best guess and the next two")
    plots.save(figure, path)


def _spread(rows, count: int):
    """Choose at most `count` rows from all over the table, always the same ones."""
    return rows.sample(n=min(count, len(rows)), random_state=1)


def draw_strokes(axis, strokes: np.ndarray) -> None:
    """Draw a line per stroke; y grows downward, and the first point has no row."""
    places = np.pad(strokes[:, :2].astype(int), [(1, 0), (0, 0)]).cumsum(axis=0)
    ends = np.flatnonzero(strokes[:, 2]) + 2
    for stroke in np.split(places, ends[ends < len(places)]):
        axis.plot(
            *stroke.T, color="black", lw=1.4, marker="." if len(stroke) < 2 else ""
        )
    axis.set_aspect("equal")
    axis.invert_yaxis()


@plots.picture
def film_strips(path: Path, predictions, clip: Callable) -> None:
    """Draw clips as strips of frames with the best guess: some right, then some wrong.

    Args:
        path: of the picture.
        predictions: rows of predictions.csv of one seed, with column probability;
            `example` is the index of a clip.
        clip: example -> (frames, side, side, channels) uint8.
    """
    right = predictions["target"] == predictions["prediction"]
    chosen = pd.concat(
        [_spread(predictions[right], 6), _spread(predictions[~right], 6)]
    )
    figure, axes = plots.new_figure(
        rows=max(1, len(chosen)), height=0.9 * len(chosen) + 0.6
    )
    for axis, row in zip(axes, chosen.to_dict("records"), strict=False):
        frames = clip(int(row["example"]))
        frames = frames[:: -(-len(frames) // 12)]  # 12 of them at most
        gaps = [(0, 0), (0, 0), (0, 1), (0, 0)]
        strip = np.concatenate(np.pad(frames, gaps, constant_values=255), axis=1)
        axis.imshow(strip.squeeze(), cmap="gray", vmin=0, vmax=255)
        good = row["target"] == row["prediction"]
        title = f"{plots.label(row['prediction'])} {100 * row['probability']:.0f} %"
        title += "" if good else f" (it is: {plots.label(row['target'])})"
        colour = plots.COLOURS[2] if good else plots.COLOURS[1]
        axis.set_title(title, fontsize=8, color=colour, loc="left", pad=2)
        axis.set_axis_off()
    figure.suptitle("Clips, frame by frame, with the best guess: right, then wrong")
    plots.save(figure, path)
