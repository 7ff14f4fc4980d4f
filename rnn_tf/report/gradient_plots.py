"""Draw what gradients do on their way back through time, from a run's tables."""

from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf.claims.rules import CELLS
from rnn_tf.report.plots import COLOURS, new_figure, picture, save

pd = lazy_loader.load("pandas")

FLOAT32 = -37.9  # log10 of float32's smallest normal number
SHOWN = -50.0, 20.0  # log10, what the picture of the norms shows
TEXTS = "phase cell activation weights forget_bias state".split()

# A line for each: label, colour, dashes, and the values of its rows.
PLAIN = {"cell": "simple_rnn", "input_scale": 1.0}
LINES = (
    ("tanh, orthogonal", 0, "-", PLAIN | {"activation": "tanh", "gain": 1.0}),
    ("tanh, orthogonal x 1.5", 0, "--", PLAIN | {"activation": "tanh", "gain": 1.5}),
    ("ReLU, orthogonal", 1, "-", PLAIN | {"activation": "relu", "gain": 1.0}),
    ("ReLU, identity", 1, "--", PLAIN | {"activation": "relu", "weights": "identity"}),
    ("linear, orthogonal x 1.5", 3, "-", PLAIN | {"activation": "linear", "gain": 1.5}),
    ("GRU", 2, "-", {"cell": "gru"}),
    ("LSTM, forget bias 0", 4, ":", {"cell": "lstm", "forget_bias": "0.0"}),
    ("LSTM, forget bias 1", 4, "-", {"cell": "lstm", "forget_bias": "1.0"}),
    ("LSTM, forget bias 5", 4, "--", {"cell": "lstm", "forget_bias": "5.0"}),
)


def draw(folder: Path) -> None:
    """Draw the pictures that a run's folder has tables for."""
    names = "gradient_flow gradient_decay truncated_cost truncated_gradients".split()
    flow, decay, cost, gradients = (_read(folder / f"{name}.csv") for name in names)
    if flow is not None:
        gradient_norms(folder / "gradient_norms.png", flow)
    if decay is not None:
        singular_values(folder / "singular_values.png", decay)
    if cost is not None and gradients is not None:
        truncation(folder / "truncation.png", cost, gradients)


def _read(path: Path):
    """Read a table; numbers as such where cells are empty; None without it."""
    if not path.is_file():
        return None
    table = pd.read_csv(path, keep_default_na=False, dtype=dict.fromkeys(TEXTS, str))
    numbers = [name for name in table if name not in TEXTS]
    return table.assign(
        **{name: pd.to_numeric(table[name], errors="coerce") for name in numbers}
    )


def _select(table, wanted: dict):
    """Return the rows with these values; orthogonal x 1 if nothing else is wanted."""
    wanted = {"phase": "fresh", "weights": "orthogonal", "gain": 1.0} | wanted
    return table[np.all([table[k] == v for k, v in wanted.items()], axis=0)]


@picture
def gradient_norms(path: Path, flow) -> None:
    """Draw the norm of d h_T / d h_t over the distance, a line for each cell.

    Args:
        path: of the picture.
        flow: DataFrame of gradient_flow.csv. Bands are the range over the seeds.
    """
    figure, (axis,) = new_figure(height=5.2)
    low, high = SHOWN
    for label, colour, dashes, wanted in LINES:
        rows = _select(flow, wanted)
        if rows.empty:
            continue
        # -inf is exactly 0: the line leaves the picture.
        rows = rows.set_index("distance").sort_index()
        norms = rows.filter(like="log10_norm").clip(lower=4 * low)
        middle, *ends = (norms[f"log10_norm{end}"] for end in ("", "_low", "_high"))
        colour = COLOURS[colour]
        axis.plot(middle.index, middle, color=colour, ls=dashes, lw=1.8, label=label)
        axis.fill_between(middle.index, *ends, color=colour, alpha=0.12, lw=0)
    axis.axhline(0, color="0.8", lw=0.8, zorder=0)
    last = flow["distance"].max()
    axis.axhline(FLOAT32, color="0.4", lw=1, ls=(0, (1, 2)))
    axis.text(0.01 * last, FLOAT32 + 0.6, "here float32 ends", color="0.4", fontsize=8)
    axis.set(ylim=SHOWN, xlim=(0, last), xlabel="distance T - t, in time steps")
    ticks = range(int(low), int(high) + 1, 10)
    axis.set_yticks(ticks, [rf"$10^{{{n}}}$" if n else "1" for n in ticks])
    axis.set_ylabel(r"norm of $\partial h_T / \partial h_t$")
    axis.set_title("How much of a gradient is left, before training")
    lines = [line for line in axis.get_lines() if line.get_label()[0] != "_"]
    lines.sort(key=lambda line: -line.get_ydata()[-1])  # as they end
    options = {"loc": "center left", "bbox_to_anchor": (1, 0.6)}
    axis.legend(handles=lines, frameon=False, fontsize=9, **options)
    save(figure, path)


@picture
def singular_values(path: Path, decay) -> None:
    """Draw what a step does to a gradient, by singular value and by radius.

    Both readings of Pascanu, Mikolov and Bengio (2013): on the left no point is above
    the line, on the right linear layers are on it.

    Args:
        path: of the picture.
        decay: DataFrame of gradient_decay.csv.
    """
    figure, axes = new_figure(columns=2, height=4.8, width=10.5, sharey=True)
    rows = decay[(decay["phase"] == "fresh") & (decay["cell"] == "simple_rnn")]
    rows = rows[rows["slope"] > -1.5]  # steeper ones end in 0
    factor = 10 ** rows["slope"]
    texts = {
        "sigma_max": "largest singular value of the recurrent weights",
        "radius": "spectral radius of the recurrent weights",
    }
    marks = {"identity": "s", "orthogonal": "o", "gaussian": "^", "non_normal": "D"}
    for axis, (name, text) in zip(axes, texts.items(), strict=True):
        top = max(rows[list(texts)].max().max(), factor.max()) * 1.25
        bottom = min(rows["radius"].min(), factor.min()) / 1.25
        ends = [bottom, top]
        axis.plot(ends, ends, color="0.3", lw=1.2)
        axis.axvline(1, color="0.6", lw=0.8)
        axis.axhline(1, color="0.6", lw=0.8)
        for colour, activation in enumerate(("tanh", "relu", "linear")):
            for weights, mark in marks.items():
                chosen = (rows["activation"] == activation) & (
                    rows["weights"] == weights
                )
                options = {"color": COLOURS[colour], "alpha": 0.75, "ls": ""}
                axis.plot(
                    rows[name][chosen], factor[chosen], mark, ms=5.5, mew=0, **options
                )
        axis.set(xscale="log", yscale="log", xlabel=text, xlim=ends, ylim=ends)
        ticks = [n for n in (0.1, 0.2, 0.5, 1, 2, 5, 10) if ends[0] < n < ends[1]]
        axis.set_xticks(ticks, [f"{n:g}" for n in ticks])
        axis.set_yticks(ticks, [f"{n:g}" for n in ticks])
        axis.minorticks_off()
    axes[0].set(ylabel="what a step multiplies the gradient by")
    axes[0].set_title("A bound: no gradient grows by more")
    for place, words in (
        ((1.1, 0.02), "above 1, and vanishes"),
        ((0.9, 0.95), "never"),
    ):
        side = "left" if place[0] > 1 else "right"
        options = {"transform": axes[0].get_xaxis_transform(), "ha": side}
        axes[0].text(*place, words, color="0.4", fontsize=9, style="italic", **options)
    axes[1].set_title("Linear layers end on the line")
    _legend(figure, marks)
    save(figure, path)


def _legend(figure, marks: dict[str, str]) -> None:
    """Explain colours and marks beside the picture."""
    from matplotlib.lines import Line2D

    names = {"tanh": "tanh", "relu": "ReLU", "linear": "linear"}
    handles = [
        Line2D([], [], color=COLOURS[n], lw=4, label=text)
        for n, text in enumerate(names.values())
    ]
    handles += [
        Line2D([], [], color="0.4", ls="", marker=mark, label=kind.replace("_", "-"))
        for kind, mark in marks.items()
    ]
    figure.legend(
        handles=handles, frameon=False, fontsize=9, loc="outside right center"
    )


@picture
def truncation(path: Path, cost, gradients) -> None:
    """Draw time, memory and the gradient's direction over the length of the chunks.

    Args:
        path: of the picture.
        cost: DataFrame of truncated_cost.csv; quartiles are bands.
        gradients: DataFrame of truncated_gradients.csv; the band is the range.
    """
    cost = cost[cost["state"] == "carried"]
    figure, axes = new_figure(rows=2, columns=2, height=6.4, width=10, sharex=True)
    for (cell, rows), colour in zip(
        cost.groupby("cell", sort=False), COLOURS, strict=False
    ):
        rows = rows.sort_values("chunk")
        look = {"color": colour, "marker": "o", "ms": 4, "lw": 1.6}
        band = {"color": colour, "alpha": 0.15, "lw": 0}
        for axis, name, unit in ((axes[0], "sequence", 1000), (axes[1], "update", 1)):
            parts = [rows[f"{name}_{end}"] / unit for end in ("ms", "low", "high")]
            axis.plot(rows["chunk"], parts[0], label=CELLS[cell], **look)
            axis.fill_between(rows["chunk"], *parts[1:], **band)
        axes[2].plot(rows["chunk"], rows["peak_mb"], **look)
        seeds = gradients[gradients["cell"] == cell].groupby("chunk")["cosine"]
        axes[3].plot(seeds.mean().index, seeds.mean(), **look)
        axes[3].fill_between(seeds.min().index, seeds.min(), seeds.max(), **band)
    steps = int(cost["steps"].iloc[0])
    axes[0].set(ylim=(0, None), ylabel="seconds", title=f"Time for {steps:,} steps")
    axes[1].set(yscale="log", ylabel="milliseconds", title="Time for an update")
    axes[1].yaxis.set_major_formatter("{x:,g}")
    axes[2].set(ylim=(0, None), ylabel="MiB", title="Peak of memory, in training")
    axes[3].set(ylabel="cosine", title="Direction: cosine to the whole gradient")
    axes[3].axhline(1, color="0.4", lw=0.8)
    chunks = sorted(cost["chunk"].unique())
    for axis in axes:
        axis.set(xscale="log")
        axis.set_xticks(chunks, [f"{n:,}" for n in chunks])
        axis.minorticks_off()
    for axis in axes[2:]:
        axis.set_xlabel("k, steps of a chunk")
    figure.legend(
        *axes[0].get_legend_handles_labels(), frameon=False, loc="outside right center"
    )
    save(figure, path)
