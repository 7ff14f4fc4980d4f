"""Every picture. Drawn from the tables alone, so that they can be drawn again."""

from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf import results

pd = lazy_loader.load("pandas")

# Okabe and Ito's colours, which colour-blind readers can tell apart.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]


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


def forecasts(path: Path, predictions, unit: str, weeks: int = 6) -> None:
    """Truth against the forecasts of two models, whole weeks end to end.

    The band is the range over the seeds. The models are the best network and the best
    baseline of the predictions given.
    """
    figure, (axis,) = _figure()
    step = int(predictions["step"].max())
    starts = sorted(predictions["example"].unique())[::step]
    # The weeks before the end of the year, where the hard days are.
    shown = predictions[predictions["example"].isin(starts[-weeks:])].copy()
    days = pd.to_timedelta(shown["step"] - 1, unit="D")
    shown["date"] = pd.to_datetime(shown["example"]) + days
    truth = shown.groupby("date")["target"].first()
    axis.plot(truth.index, truth, color="black", lw=2, label="truth")
    for colour, model in zip(COLOURS, _two_best(predictions), strict=False):
        seeds = shown[shown["model"] == model].groupby("date")["prediction"]
        axis.plot(seeds.mean().index, seeds.mean(), color=colour, lw=1.3, label=model)
        axis.fill_between(
            seeds.min().index, seeds.min(), seeds.max(), color=colour, alpha=0.25, lw=0
        )
    axis.set(ylabel=unit, title=f"Forecasts of {step} days, end to end")
    axis.legend(frameon=False, ncols=3, loc="upper left", bbox_to_anchor=(0, -0.08))
    _save(figure, path)


def _two_best(predictions) -> list[str]:
    """The network with several seeds, and the baseline, with the lowest error."""
    error = (predictions["target"] - predictions["prediction"]).abs()
    mean = error.groupby([predictions["kind"], predictions["model"]]).mean()
    networks = [mean[kind] for kind in ("tuned", "answer") if kind in mean]
    best = [pd.concat(networks).idxmin()] if networks else []
    return [*best, mean["baseline"].idxmin()]


def error_by_step(path: Path, metrics, metric: str, unit: str) -> None:
    """Test error by day ahead: networks in colour, baselines in grey."""
    figure, (axis,) = _figure(height=5)
    rows = metrics[(metrics["split"] == "test") & (metrics["metric"] == metric)]
    rows = rows[rows["slice"] != ""]
    mean = rows.groupby(["kind", "model", "slice"])["value"].mean().unstack()
    order = mean.mean(axis=1).sort_values().index
    networks = [key for key in order if key[0] != "baseline"]
    for key in order:
        line = mean.loc[key]
        if key[0] == "baseline":
            axis.plot(line.index, line, color="0.6", lw=1, ls="--")
            axis.annotate(key[1], (line.index[-1], line.iloc[-1]), fontsize=7)
        else:
            number = networks.index(key)
            colour = COLOURS[number % len(COLOURS)]
            style = ["-", "-.", ":"][number // len(COLOURS) % 3]
            axis.plot(line.index, line, style, color=colour, lw=1.6, label=key[1])
    axis.set(xlabel="days ahead", ylabel=f"{metric.upper()}, {unit}")
    axis.set_title("Error by day ahead (baselines dashed)")
    axis.set_xticks(range(1, int(rows["slice"].max()) + 1))
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.12, 0.5))
    _save(figure, path)


def learning_curves(path: Path, history) -> None:
    """Training loss and validation score by epoch: mean and range over the seeds."""
    figure, axes = _figure(rows=2, height=7)
    for axis, column in zip(axes, ("loss", "score"), strict=True):
        for number, (model, rows) in enumerate(history.groupby("model", sort=False)):
            seeds = rows.groupby("epoch")[column]
            colour = COLOURS[number % len(COLOURS)]
            style = ["-", "-.", ":"][number // len(COLOURS) % 3]
            mean = seeds.mean()
            axis.plot(mean.index, mean, style, color=colour, lw=1.3, label=model)
            axis.fill_between(
                mean.index, seeds.min(), seeds.max(), color=colour, alpha=0.12, lw=0
            )
        low, high = np.nanquantile(history[column], [0, 0.97])
        axis.set(ylabel=column, xlabel="epoch", yscale="log", ylim=(low * 0.95, high))
    axes[0].set_title("Training loss; below, validation score (scaled units)")
    axes[0].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0))
    _save(figure, path)
