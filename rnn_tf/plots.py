"""Every picture. Drawn from the tables alone, so that they can be drawn again."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf import results

pd = lazy_loader.load("pandas")

# Okabe and Ito's colours, which colour-blind readers can tell apart.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
WEEKS_SHOWN = 6


def _figure(rows: int = 1, height: float = 4.5):
    """A figure and its axes, without pyplot's global state."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, height), layout="constrained", dpi=120)
    axes = figure.subplots(rows, 1, squeeze=False)[:, 0]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
    return figure, axes


def _save(figure, path: Path) -> None:
    with results.replacing(path) as temporary:
        figure.savefig(temporary)


def forecasts(path: Path, predictions, models: list[str], unit: str) -> None:
    """Truth against the forecasts of `models`, the last six weeks end to end.

    The band is the range over the seeds.
    """
    figure, (axis,) = _figure()
    step = int(predictions["step"].max())
    starts = sorted(predictions["example"].unique())[::step]
    shown = predictions[predictions["example"].isin(starts[-WEEKS_SHOWN * 7 // step :])]
    dates = pd.to_datetime(shown["example"])
    shown = shown.assign(date=dates + pd.to_timedelta(shown["step"] - 1, unit="D"))
    truth = shown.groupby("date")["target"].first()
    axis.plot(truth.index, truth, color="black", lw=2, label="truth")
    for model, style in zip(models, _styles(COLOURS), strict=False):
        seeds = shown[shown["model"] == model].groupby("date")["prediction"]
        mean, band = seeds.mean(), {"color": style["color"], "alpha": 0.25, "lw": 0}
        axis.plot(mean.index, mean, lw=1.3, label=model, **style)
        axis.fill_between(mean.index, seeds.min(), seeds.max(), **band)
    axis.set(ylabel=unit, title=f"Forecasts of {step} days, end to end")
    axis.yaxis.set_major_formatter("{x:,.0f}")
    axis.legend(frameon=False, ncols=3, loc="upper left", bbox_to_anchor=(0, -0.08))
    _save(figure, path)


def error_by_step(path: Path, metrics, metric: str, unit: str) -> None:
    """Test error by step ahead, best first: networks in colour, baselines in grey.

    Ensembles are left out; they run along their models. A line far above the others
    leaves the picture, and its name says so.
    """
    figure, (axis,) = _figure(height=5)
    rows = metrics[(metrics["split"] == "test") & (metrics["metric"] == metric)]
    rows = rows[(rows["slice"] != "") & (rows["kind"] != "ensemble")]
    lines = rows.groupby(["kind", "model", "slice"])["value"].mean().unstack()
    lines = lines.loc[lines.mean(axis=1).sort_values().index]
    top = 1.1 * lines[lines.mean(axis=1) < 2 * lines.mean(axis=1).median()].max().max()
    styles = {True: _styles(["0.4", "0.7"]), False: _styles(COLOURS)}
    for (kind, model), line in lines.iterrows():
        style = next(styles[kind == "baseline"])
        name = f"{model} (above)" if line.min() > top else model
        axis.plot(line.index, line, label=name, lw=1.6, **style)
    axis.set(xlabel="days ahead", ylabel=f"{metric.upper()}, {unit}", ylim=(0, top))
    axis.set_title("Test error by day ahead: networks in colour, baselines in grey")
    axis.set_xticks(list(lines.columns))
    axis.yaxis.set_major_formatter("{x:,.0f}")
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    _save(figure, path)


def _styles(colours: list[str]) -> Iterator[dict]:
    """Colours with a solid line, then the same with dashes, and so on."""
    for dashes in itertools.cycle(["-", "--", ":", "-."]):
        for colour in colours:
            yield {"color": colour, "linestyle": dashes}


def learning_curves(path: Path, history) -> None:
    """Training loss and validation score by epoch: mean and range over the seeds."""
    figure, axes = _figure(rows=2, height=7)
    for axis, column in zip(axes, ("loss", "score"), strict=True):
        models = history.groupby("model", sort=False)
        for (model, rows), style in zip(models, _styles(COLOURS), strict=False):
            seeds = rows.groupby("epoch")[column]
            mean, band = seeds.mean(), {"color": style["color"], "alpha": 0.12, "lw": 0}
            axis.plot(mean.index, mean, lw=1.3, label=model, **style)
            axis.fill_between(mean.index, seeds.min(), seeds.max(), **band)
        low, high = np.nanquantile(history[column], [0, 0.97])
        axis.set(ylabel=column, xlabel="epoch", yscale="log", ylim=(low * 0.95, high))
    axes[0].set_title("Training loss; below, validation score (scaled units)")
    axes[0].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0))
    _save(figure, path)
