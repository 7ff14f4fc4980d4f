"""Draw pictures of errors and training from the tables of a run alone."""

import functools
import io
import itertools
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf import files
from rnn_tf.errors import warn
from rnn_tf.text import printable, shorten

pd = lazy_loader.load("pandas")

# Okabe and Ito's colours, which colour-blind readers can tell apart.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
COLOURS_OF_A_FILE = 256
WEEKS_SHOWN = 6
DIGITS = "{x:,.10g}"  # 40,000 and 0.5


def new_figure(
    rows: int = 1, columns: int = 1, height: float = 4.5, width: float = 9, **options
):
    """Make a figure and its axes, row by row, without pyplot's global state."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", dpi=120)
    axes = figure.subplots(rows, columns, squeeze=False, **options).ravel()
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
    return figure, axes


def label(text: str, width: int = 28) -> str:
    """Write text of people's files so that matplotlib draws it as it stands, but short.

    Two dollars would make a formula of it, and the legend leaves out what begins with
    an underscore.
    """
    text = shorten(printable(str(text)), width).replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def picture(draw: Callable) -> Callable:
    """Let `draw(path, ...)` fail with one line: a picture never fails a run."""

    @functools.wraps(draw)
    def attempt(path: Path, *arguments, **options) -> None:
        try:
            draw(path, *arguments, **options)
        except Exception as error:  # matplotlib's, a full disk, or anything
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            warn(f"left out: {path} cannot be drawn ({reason})")

    return attempt


def save(figure, path: Path) -> None:
    """Write a figure, whole or not at all."""
    with files.atomic_file(path) as temporary:
        write(figure, temporary, path.name)


def write(figure, file, name: str) -> None:
    """Write a figure, and one line on `name` if its font lacks characters.

    256 colours look the same, and take a third of the bytes: the report has some 70.
    """
    from PIL import Image

    drawn = io.BytesIO()
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", "Glyph .* missing from font", UserWarning)
        figure.savefig(drawn, format="png")
    colours = Image.open(drawn).convert("RGB")
    colours = colours.quantize(COLOURS_OF_A_FILE, dither=Image.Dither.NONE)
    colours.save(file, "PNG", optimize=True)
    if caught:
        more = f", and {len(caught) - 1} more" if caught[1:] else ""
        warn(f"{name}: {caught[0].message}{more}")


@picture
def forecasts(
    path: Path, predictions, models: list[str], unit: str, week: int = 7
) -> None:
    """Draw the truth and the forecasts of `models`, the last six weeks end to end.

    The band is the range over the seeds. A week of five days is Monday to Friday.
    """
    figure, (axis,) = new_figure()
    step = int(predictions["step"].max())
    starts = sorted(predictions["example"].unique())[::step]
    shown = predictions[
        predictions["example"].isin(starts[-WEEKS_SHOWN * week // step :])
    ]
    first, days = shown["example"].to_numpy("datetime64[D]"), shown["step"] - 1
    mask = "1" * week + "0" * (7 - week)
    shown = shown.assign(date=np.busday_offset(first, days, weekmask=mask))
    truth = shown.groupby("date")["target"].first()
    axis.plot(truth.index, truth, color="black", lw=2, label="truth")
    for model, style in zip(models, _styles(COLOURS), strict=False):
        seeds = shown[shown["model"] == model].groupby("date")["prediction"]
        mean, band = seeds.mean(), {"color": style["color"], "alpha": 0.25, "lw": 0}
        axis.plot(mean.index, mean, lw=1.3, label=model, **style)
        axis.fill_between(mean.index, seeds.min(), seeds.max(), **band)
    axis.set(ylabel=label(unit), title=f"Forecasts of {step} days, end to end")
    axis.yaxis.set_major_formatter(DIGITS)
    axis.legend(frameon=False, ncols=3, loc="upper left", bbox_to_anchor=(0, -0.08))
    save(figure, path)


@picture
def error_by_step(path: Path, metrics, metric: str, unit: str) -> None:
    """Draw the test error by step ahead: networks in colour, baselines in grey.

    Ensembles are left out; they run along their models. A line far above the others
    leaves the picture, and its name says so.
    """
    figure, (axis,) = new_figure(height=5)
    rows = metrics[(metrics["split"] == "test") & (metrics["metric"] == metric)]
    rows = rows[(rows["slice"] != "") & (rows["kind"] != "ensemble")]
    lines = rows.groupby(["kind", "model", "slice"])["value"].mean().unstack()
    lines = lines.loc[lines.mean(axis=1).sort_values().index]
    top = 1.1 * lines[lines.mean(axis=1) < 2 * lines.mean(axis=1).median()].max().max()
    styles = {True: _styles(["0.25", "0.5", "0.75"]), False: _styles(COLOURS)}
    for (kind, model), line in lines.iterrows():
        style = next(styles[kind == "baseline"])
        name = f"{model} (above)" if line.min() > top else model
        axis.plot(line.index, line, label=name, lw=1.6, **style)
    of_errors = label(f"{metric.upper()}, {unit}")
    axis.set(xlabel="days ahead", ylabel=of_errors, ylim=(0, top))
    axis.set_title("Test error by day ahead: networks in colour, baselines in grey")
    axis.set_xticks(list(lines.columns))
    axis.yaxis.set_major_formatter(DIGITS)
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    save(figure, path)


def _styles(colours: list[str]) -> Iterator[dict]:
    """Yield colours with a solid line, then the same with dashes, and so on."""
    for dashes in itertools.cycle(["-", "--", ":", "-."]):
        for colour in colours:
            yield {"color": colour, "linestyle": dashes}


@picture
def learning_curves(path: Path, history) -> None:
    """Draw training loss and validation score by epoch: mean and range over seeds."""
    figure, axes = new_figure(rows=2, height=7)
    for axis, column in zip(axes, ("loss", "score"), strict=True):
        models = history.groupby("model", sort=False)
        for (model, rows), style in zip(models, _styles(COLOURS), strict=False):
            seeds = rows.groupby("epoch")[column]
            mean, band = seeds.mean(), {"color": style["color"], "alpha": 0.12, "lw": 0}
            axis.plot(mean.index, mean, lw=1.3, label=model, **style)
            axis.fill_between(mean.index, seeds.min(), seeds.max(), **band)
        shown = history[column]  # of which the logarithm knows no 0
        shown = shown[(shown > 0) & np.isfinite(shown)]
        low, high = np.nanquantile(shown, [0, 0.97]) if len(shown) else (1, 1)
        axis.set(ylabel=column, xlabel="epoch", yscale="log", ylim=(low * 0.95, high))
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0].set_title("Training loss; below, validation score (scaled units)")
    names = axes[0].get_legend_handles_labels()
    figure.legend(*names, frameon=False, fontsize=8, loc="outside right center")
    save(figure, path)


@picture
def error_against(path: Path, points, flat: dict[str, float], x: str, y: str) -> None:
    """Draw the test error against depth or length, a line per cell, range over seeds.

    Args:
        path: of the picture.
        points: DataFrame with columns cell, line, x and value; one row per seed.
        flat: name -> an error that does not depend on x, drawn in grey.
        x: label of the axis.
        y: label of the axis, whose scale is logarithmic.
    """
    figure, (axis,) = new_figure()
    y = label(y)
    cells = points.groupby("cell", sort=False)
    for (_, lines), colour in zip(cells, COLOURS, strict=False):
        lines = lines.groupby("line", sort=False)
        dashes = _styles([colour])  # a colour for a cell, dashes for its heads
        for (name, rows), style in zip(lines, dashes, strict=False):
            seeds = rows.groupby("x")["value"]
            mean, spread = seeds.mean(), {"color": colour, "alpha": 0.15, "lw": 0}
            axis.plot(mean.index, mean, marker="o", ms=4, lw=1.5, label=name, **style)
            axis.fill_between(mean.index, seeds.min(), seeds.max(), **spread)
    for (name, value), style in zip(
        flat.items(), _styles(["0.4", "0.7"]), strict=False
    ):
        axis.axhline(value, lw=1.3, label=name, **style)
    axis.set(xlabel=x, ylabel=y, yscale="log", xticks=sorted(points["x"].unique()))
    axis.set_title(f"{y} by {x}; bands: range over the seeds")
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    save(figure, path)


@picture
def gates(path: Path, model: str, inputs: np.ndarray, parts: dict) -> None:
    """Draw the gates and the state of an LSTM over one sequence of the adding problem.

    Args:
        path: of the picture.
        model: its name, for the title.
        inputs: (steps, 2), number and mark.
        parts: name -> (1, steps, units), as `layer_shapes.lstm_gates` returns them.
    """
    names = "input gate", "forget gate", "output gate", "cell state"
    figure, axes = new_figure(rows=1 + len(names), height=10)
    steps, marked = np.arange(len(inputs)), inputs[:, 1] == 1
    axes[0].bar(steps, inputs[:, 0], color=np.where(marked, COLOURS[1], "0.8"))
    title = f"{model} on one sequence, a row for each unit; marked numbers in orange"
    axes[0].set(ylabel="number", title=title)
    # Units that change most at the marks come first, so that the eye finds them.
    state = parts["cell state"][0]
    order = np.argsort(
        -np.abs(np.diff(state, axis=0))[np.flatnonzero(marked) - 1].sum(0)
    )
    for axis, name in zip(axes[1:], names, strict=True):
        top = 1 if name != "cell state" else np.abs(state).max()
        options = {"cmap": "viridis", "vmin": 0, "vmax": 1}
        if name == "cell state":
            options = {"cmap": "RdBu_r", "vmin": -top, "vmax": top}
        image = axis.imshow(
            parts[name][0].T[order], aspect="auto", interpolation="nearest", **options
        )
        axis.set(ylabel=f"{name}\nunit")
        axis.grid(False)
        figure.colorbar(image, ax=axis, pad=0.01)
    for axis in axes:
        axis.set_xlim(-0.5, len(inputs) - 0.5)
    axes[-1].set_xlabel("step")
    save(figure, path)


@picture
def scaling(path: Path, rows: list[dict]) -> None:
    """Draw examples per second of each setting, with the range over the rounds."""
    figure, (axis,) = new_figure(height=3.5)
    names = [row["setting"] for row in rows]
    speeds = np.array([row["examples_per_second"] for row in rows])
    bounds = [[row["batch"] * row[k] for row in rows] for k in ("low", "high")]
    spread = np.abs(np.array(bounds) - speeds)
    colours = [COLOURS[row["count"] - 1] for row in rows]
    axis.barh(names, speeds, xerr=spread, color=colours, ecolor="0.3", capsize=3)
    axis.invert_yaxis()
    axis.set(xlabel="examples per second", title="Training on one, and on two")
    axis.xaxis.set_major_formatter("{x:,.0f}")
    save(figure, path)
