"""Draw how good translations are, and what a network attends to."""

from pathlib import Path

import numpy as np

from rnn_tf.report.plots import COLOURS, label, new_figure, picture, save

STYLES = "-", "--", ":"
BESIDE = {"frameon": False, "loc": "center left", "bbox_to_anchor": (1, 0.5)}


def _style(number: int) -> dict:
    """Choose colour and dashes of a line."""
    round_, colour = divmod(number, len(COLOURS))
    return {"color": COLOURS[colour], "ls": STYLES[round_ % len(STYLES)]}


@picture
def lengths(path: Path, metrics) -> None:
    """Draw exact matches by the length of the source, a line for each model.

    Args:
        path: of the picture.
        metrics: DataFrame of metrics.csv.
    """
    rows = metrics[(metrics["split"] == "test") & (metrics["metric"] == "exact")]
    rows = rows[(rows["slice"] != "") & (rows["kind"] == "tuned")]
    parts = sorted(rows["slice"].unique(), key=lambda part: int(part.split("-")[0]))
    place = np.arange(len(parts))
    figure, (axis,) = new_figure()
    for number, (model, own) in enumerate(rows.groupby("model", sort=False)):
        seeds = own.groupby("slice")["value"]
        mean, low, high = (
            s.reindex(parts) for s in (seeds.mean(), seeds.min(), seeds.max())
        )
        style = _style(number)
        axis.plot(place, mean, marker="o", ms=4, lw=1.6, label=label(model), **style)
        axis.fill_between(place, low, high, color=style["color"], alpha=0.12, lw=0)
    axis.set(xlabel="length of the source", ylabel="exact matches, % of test sentences")
    axis.set_xticks(place, [part.removesuffix(" tokens") for part in parts])
    axis.set_title("Exact matches by the tokens of the source; bands: range over seeds")
    axis.legend(fontsize=8, **BESIDE)
    save(figure, path)


@picture
def beams(path: Path, rows) -> None:
    """Draw BLEU and log-probability by the beams that are kept.

    Args:
        path: of the picture.
        rows: DataFrame of beams.csv.
    """
    figure, axes = new_figure(rows=2, height=7, sharex=True)
    ends = {0.0: "likeliest", 1.0: "likeliest per token"}
    for number, ((model, alpha), own) in enumerate(
        rows.groupby(["model", "alpha"], sort=False)
    ):
        for axis, column in zip(axes, ("bleu", "log_probability"), strict=True):
            mean = own.groupby("beams")[column].mean()
            name = f"{model}, {ends.get(alpha, alpha)}"
            axis.plot(mean.index, mean, marker="o", ms=4, label=name, **_style(number))
    axes[0].set(ylabel="BLEU")
    axes[0].set_title("What a wider beam finds; mean over seeds")
    axes[1].set(xlabel="beams", ylabel="mean log-probability, nats")
    axes[1].set_xticks(sorted(rows["beams"].unique()))
    axes[0].legend(fontsize=8, **BESIDE)
    save(figure, path)


@picture
def alignment(
    path: Path, source: list[str], target: list[str], weights: np.ndarray
) -> None:
    """Draw which tokens of a source each token of its translation attends to.

    Args:
        path: of the picture.
        source: its tokens.
        target: tokens of the translation.
        weights: (targets, sources), each row sums to 1.
    """
    height, width = (1.5 + 0.28 * len(tokens) for tokens in (target, source))
    figure, (axis,) = new_figure(height=height, width=max(4, width))
    axis.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="equal")
    sides = [[label(token.replace(" ", "␣")) for token in x] for x in (source, target)]
    axis.set_xticks(range(len(source)), sides[0], rotation=90)
    axis.set_yticks(range(len(target)), sides[1])
    axis.tick_params(labelsize=8)
    axis.grid(False)
    axis.set(xlabel="source", ylabel="translation")
    axis.set_title("What each token of a translation attends to", fontsize=10)
    save(figure, path)
