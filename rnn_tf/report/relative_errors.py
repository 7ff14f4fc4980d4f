"""Draw errors relative to the best baseline: a row for each model, a dot for each fold
or series."""

from pathlib import Path

from rnn_tf.report import plots

TICKS = 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 2, 3
FURTHEST = 3.0  # times the best baseline's error; what is beyond stands at the edge


@plots.picture
def picture(path: Path, rows, per: str, baseline: str) -> None:
    """Draw the relative errors of each model, the best in the geometric mean on top.

    Args:
        path: of the picture.
        rows: DataFrame with columns model, kind, relative and `per`.
        per: what a dot is of: fold or series.
        baseline: what 1 stands for, such as "the best baseline of each fold".
    """
    means = rows.groupby("model")["relative"].agg(geometric_mean).sort_values()
    places = {model: place for place, model in enumerate(means.index)}
    figure, (axis,) = plots.new_figure(height=1.2 + 0.24 * len(places))
    axis.axvline(1, color="black", lw=1)
    for baselines, colour in ((True, "0.45"), (False, plots.COLOURS[0])):
        part = rows[(rows["kind"] == "baseline") == baselines]
        x, y = part["relative"].clip(upper=FURTHEST), part["model"].map(places)
        label = "baseline" if baselines else "network, or a mean"
        axis.scatter(x, y, s=22, color=colour, alpha=0.45, lw=0, label=label)
        names = [name for name in means.index if name in set(part["model"])]
        x, y = means[names].clip(upper=FURTHEST), [places[name] for name in names]
        axis.scatter(x, y, s=90, marker="|", color=colour, lw=2.2)
    axis.set(xscale="log", xlabel=f"error, times {baseline}")
    low = min(0.9, rows["relative"].min()) / 1.03
    axis.set_xlim(low, min(FURTHEST, max(1.1, rows["relative"].max())) * 1.03)
    ticks = [tick for tick in TICKS if low <= tick <= axis.get_xlim()[1]]
    names = [f"{tick:g}" if tick < FURTHEST else f"{tick:g} or more" for tick in ticks]
    axis.set_xticks(ticks, names)
    axis.minorticks_off()
    axis.set_yticks(list(places.values()), [plots.label(name) for name in places])
    axis.invert_yaxis()
    axis.set_title(f"Test error by {per}: a dot each; the bar is their geometric mean")
    axis.legend(frameon=False, fontsize=8, loc="upper right")
    plots.save(figure, path)


def geometric_mean(values) -> float:
    """Return the geometric mean of positive values; 0 if one is 0."""
    from scipy import stats

    return float(stats.gmean(values))
