"""Draw what language models do, from the tables of a run alone."""

from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf.report.plots import (
    COLOURS,
    label,
    learning_curves,
    new_figure,
    picture,
    save,
)

pd = lazy_loader.load("pandas")

CHANCE_CLASSES = 8  # noun classes of the artificial language


def draw(folder: Path, tables: dict, facts: dict) -> None:
    """Draw the pictures that a run's folder has tables for.

    Args:
        folder: of the run.
        tables: its DataFrames, history and metrics.
        facts: of the text, as config.json has them.
    """
    metrics = tables["metrics"]
    learning_curves(folder / "learning_curves.png", tables["history"])
    orders(folder / "orders.png", metrics, facts.get("entropy"))
    if metrics["model"].str.startswith("ngrams_of_").any():
        sizes(folder / "sizes.png", metrics, facts["examples"]["train"])
    for function in (agreement, context, embedding_map, surprise):
        table = folder / f"{function.__name__}.csv"
        texts = {"token": str, "group": str}
        if table.is_file():
            rows = pd.read_csv(table, keep_default_na=False, dtype=texts)
            if len(rows):
                function(folder / f"{function.__name__}.png", rows)


@picture
def orders(path: Path, metrics, entropy: float | None) -> None:
    """Draw test bits of n-grams by their order, and of each network as a line across.

    Args:
        path: of the picture.
        metrics: DataFrame of metrics.csv.
        entropy: bits per character of the language, if it is known.
    """
    rows = metrics[(metrics["split"] == "test") & (metrics["metric"] == "bits")]
    means = rows.groupby("model", sort=False)["value"].mean()
    grams = {int(m[6:]): v for m, v in means.items() if m.startswith("ngram_")}
    figure, (axis,) = new_figure()
    axis.plot(list(grams), list(grams.values()), "o-", color="0.4", label="n-grams")
    networks = rows[rows["kind"] == "tuned"]["model"].drop_duplicates()
    lines = sorted(networks, key=means.get, reverse=True)
    for model, colour in zip(lines, COLOURS, strict=False):
        values = rows[rows["model"] == model]["value"]
        axis.axhline(means[model], color=colour, lw=1.6, label=model)
        band = {"color": colour, "alpha": 0.15, "lw": 0}
        axis.axhspan(values.min(), values.max(), **band)
    if entropy:
        axis.axhline(entropy, color="black", ls=":", lw=1.4, label="entropy")
    axis.set(xlabel="tokens of an n-gram", ylabel="test bits per character")
    axis.set_xticks(list(grams))
    axis.set_title("n-grams by their length; networks across, bands: range over seeds")
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    save(figure, path)


@picture
def agreement(path: Path, rows) -> None:
    """Draw how sure each model is of the verb's class, by the subject's distance.

    Args:
        path: of the picture.
        rows: DataFrame of agreement.csv. Distances with under 10 verbs are left out.
    """
    rows = rows[rows["n"] >= 10]
    figure, (axis,) = new_figure()
    _by_model(axis, rows, "distance", "right")
    axis.axhline(1 / CHANCE_CLASSES, color="0.5", ls=":", lw=1.2, label="a guess")
    axis.set(xlabel="tokens from the subject to its verb", ylim=(0, 1.03))
    axis.set(ylabel="probability of the right class")
    axis.set_xticks(sorted(rows["distance"].unique()))
    axis.set_title("Does the verb agree with its subject? Bands: range over the seeds")
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    save(figure, path)


def _by_model(axis, rows, x: str, y: str) -> None:
    """Draw a line for each model, n-grams in grey, with the range over its seeds."""
    grams = [m for m in rows["model"].unique() if m.startswith("ngram_")]
    greys = dict(zip(grams, np.linspace(0.8, 0.2, len(grams)), strict=True))
    others = iter(COLOURS)
    for model, own in rows.groupby("model", sort=False):
        seeds = own.groupby(x)[y]
        mean, grey = seeds.mean(), model in greys
        colour = str(greys[model]) if grey else next(others, "black")
        style = {"lw": 1 if grey else 2, "ls": "--" if grey else "-"}
        axis.plot(mean.index, mean, "o", color=colour, ms=4, label=model, **style)
        band = {"color": colour, "alpha": 0.15, "lw": 0}
        axis.fill_between(mean.index, seeds.min(), seeds.max(), **band)


@picture
def context(path: Path, rows) -> None:
    """Draw what a token costs each model by the tokens before it.

    Args:
        path: of the picture.
        rows: DataFrame of context.csv.
    """
    figure, (axis,) = new_figure()
    _by_model(axis, rows.assign(before=rows["before"] + 1), "before", "bits")
    ends = rows[["before", "until"]].drop_duplicates().to_numpy()
    names = [f"{a}" if a == b else f"{a} to {b}" for a, b in ends]
    axis.set(xscale="log", xlabel="tokens before", ylabel="bits per token")
    axis.set_xticks(ends[:, 0] + 1, names, fontsize=8)
    axis.minorticks_off()
    axis.set_title("What each model makes of more text before a token")
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    save(figure, path)


@picture
def embedding_map(path: Path, rows) -> None:
    """Draw tokens where a network's vectors of them lie, by two components.

    Args:
        path: of the picture.
        rows: DataFrame of embedding_map.csv.
    """
    figure, (axis,) = new_figure(height=6)
    groups = sorted(set(rows["group"]))
    colours = dict(zip(groups, ["0.5"] * ("" in groups) + COLOURS, strict=False))
    for row in rows.itertuples():
        text = label(row.token.replace("\n", "¶").strip(" ") or "␣", 14)
        colour = colours.get(row.group, "black")
        style = {"ha": "center", "va": "center", "fontsize": 8, "color": colour}
        axis.text(row.x, row.y, text, **style)
    for axis_of, ends in ((axis.set_xlim, rows["x"]), (axis.set_ylim, rows["y"])):
        edge = 0.05 * (ends.max() - ends.min() + 1e-9)
        axis_of(ends.min() - edge, ends.max() + edge)
    for group, colour in colours.items():
        axis.plot([], [], "s", color=colour, label=group or "other")
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    axis.set(xlabel="first component", ylabel="second component")
    axis.set_title(f"Vectors of the most frequent tokens, {rows['model'].iloc[0]}")
    save(figure, path)


@picture
def sizes(path: Path, metrics, whole: int) -> None:
    """Draw test bits by the text there is to learn from: n-grams, and a GRU.

    Args:
        path: of the picture.
        metrics: DataFrame of metrics.csv.
        whole: tokens of training.
    """
    rows = metrics[(metrics["split"] == "test") & (metrics["metric"] == "bits")]
    rows = rows[rows["kind"] != "ensemble"]
    means = rows.groupby("model")["value"].mean()
    grams = min((m for m in means.index if m.startswith("ngram_")), key=means.get)
    figure, (axis,) = new_figure()
    lines = {"best n-grams": ("ngrams_of_", grams), "gru": ("gru_of_", "gru")}
    for (name, (start, full)), colour in zip(
        lines.items(), ["0.4", COLOURS[0]], strict=True
    ):
        models = {m: int(m[len(start) :]) for m in means.index if m.startswith(start)}
        models = dict(sorted(models.items(), key=lambda item: item[1]))
        models |= {full: whole} if full in means else {}
        groups = [rows[rows["model"] == m]["value"] for m in models]
        counts, own = list(models.values()), [g.mean() for g in groups]
        axis.plot(counts, own, "o-", color=colour, label=name)
        ends = [g.min() for g in groups], [g.max() for g in groups]
        axis.fill_between(counts, *ends, color=colour, alpha=0.15, lw=0)
    axis.set(xscale="log", xlabel="tokens to learn from")
    axis.set_xticks(counts, [f"{n:,}" for n in counts])
    axis.minorticks_off()
    axis.set(ylabel="test bits per character")
    axis.set_title("How much text each takes; band: range over the seeds")
    axis.legend(frameon=False)
    save(figure, path)


@picture
def surprise(path: Path, rows) -> None:
    """Draw a sentence for each model, each token as dark as it was unexpected.

    Args:
        path: of the picture.
        rows: DataFrame of surprise.csv.
    """
    models = list(dict.fromkeys(rows["model"]))
    bits = rows.pivot(index="model", columns="place", values="bits").loc[models]
    tokens = rows[rows["model"] == models[0]].sort_values("place")["token"]
    figure, (axis,) = new_figure(height=1.6 + 0.3 * len(models), width=11)
    image = axis.imshow(bits, cmap="YlOrRd", vmin=0, aspect="auto")
    names = [label(token.replace("\n", "¶").strip(" ") or "␣", 14) for token in tokens]
    upright = max(map(len, names)) > 1
    axis.set_xticks(range(len(names)), names, rotation=90 if upright else 0)
    axis.set_yticks(range(len(models)), models)
    axis.grid(False)
    axis.set_title("What each token of a sentence costs each model")
    figure.colorbar(image, ax=axis, pad=0.01, label="bits")
    save(figure, path)
