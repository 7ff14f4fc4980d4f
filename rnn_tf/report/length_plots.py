"""Draw what loops, padding and batches cost, from the tables of a run of lengths."""

from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf.claims.rules import CELLS
from rnn_tf.report.plots import COLOURS, label, new_figure, picture, save

pd = lazy_loader.load("pandas")

KINDS = {
    "static": "static_rnn",
    "dynamic": "dynamic_rnn",
    "dynamic_1": "dynamic_rnn, one at a time",
    "keras": "keras.layers.SimpleRNN",
    "keras_unrolled": "the same, unrolled",
}
MODELS = {"rnn": "RNN", "conv": "causal convolutions", "mlp": "MLP"}


def draw(folder: Path, metrics) -> None:
    """Draw the pictures of a run.

    Args:
        folder: of the run, with its tables.
        metrics: DataFrame of metrics.csv.
    """
    graphs, costs, batches = (
        pd.read_csv(folder / f"{name}.csv")
        for name in ("graphs", "step_costs", "batching")
    )
    loops(folder / "graphs.png", graphs)
    networks(folder / "step_costs.png", costs)
    waste(folder / "waste.png", batches)
    errors = metrics[(metrics["split"] == "test") & (metrics["metric"] == "error")]
    padding(folder / "padding_errors.png", errors)


@picture
def loops(path: Path, graphs) -> None:
    """Draw nodes, time to the first update and time of an update over the steps.

    Args:
        path: of the picture.
        graphs: DataFrame of graphs.csv.
    """
    known = graphs[graphs["update_ms"].notna()]
    first = known["build_seconds"] + known["first_seconds"]
    known = known.assign(first=first)
    figure, axes = new_figure(rows=3, height=10, sharex=True)
    titles = {
        "nodes": "Nodes of the graph",
        "first": "Seconds to the first update, building included",
        "update_ms": "Milliseconds of an update after that",
    }
    for axis, (column, title) in zip(axes, titles.items(), strict=True):
        for place, (kind, own) in enumerate(known.groupby("kind", sort=False)):
            _line(axis, own, column, KINDS[kind], COLOURS[place])
        _logarithmic(axis)
        axis.set_title(title)
    axes[0].legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    _steps(axes[-1], known["steps"])
    save(figure, path)


@picture
def networks(path: Path, costs) -> None:
    """Draw the time of a training step and of inference over the length.

    Args:
        path: of the picture.
        costs: DataFrame of step_costs.csv.
    """
    costs = costs[costs["milliseconds"].notna()]
    figure, axes = new_figure(rows=2, height=8, sharex=True)
    trained = costs[costs["work"] == "training"]
    read = costs[costs["work"] != "training"]
    for axis, rows, names in ((axes[0], trained, "model"), (axes[1], read, "work")):
        for place, (name, own) in enumerate(rows.groupby(names, sort=False)):
            for cores, part in own.groupby("cores"):
                text = f"{MODELS.get(name, name)}, {cores} core{'s' * (cores > 1)}"
                dashes = "-" if cores == 1 else "--"
                _line(axis, part, "milliseconds", text, COLOURS[place], dashes)
        _logarithmic(axis)
        axis.set_ylabel("milliseconds")
        axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    axes[0].set_title("A training step of 32 sequences, with about as many parameters")
    axes[1].set_title("The RNN reads one sequence")
    _steps(axes[1], costs["steps"])
    save(figure, path)


def _line(axis, rows, column: str, text: str, colour: str, dashes: str = "-") -> None:
    rows = rows.sort_values("steps")
    axis.plot(
        rows["steps"], rows[column], dashes, marker="o", ms=4, color=colour, label=text
    )


def _logarithmic(axis) -> None:
    """Scale both axes by logarithms; 1, 2, 5, 10 stand beside the vertical one."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set(xscale="log", yscale="log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter("{x:,g}")
    axis.yaxis.set_minor_formatter(NullFormatter())


def _steps(axis, steps) -> None:
    """Write the lengths that were measured along a logarithmic axis."""
    known = sorted(steps.unique())
    axis.set_xticks(known, [str(n) for n in known])
    axis.xaxis.minorticks_off()
    axis.set_xlabel("steps of a sequence")


@picture
def waste(path: Path, batches) -> None:
    """Draw what share of the steps is padding, and the real steps per second.

    Args:
        path: of the picture.
        batches: DataFrame of batching.csv.
    """
    batches = batches[batches["steps_per_second"].notna()]
    names, ways = (list(batches[k].unique()) for k in ("lengths", "way"))
    figure, axes = new_figure(columns=2, height=1.6 + 0.34 * len(ways) * len(names))
    for place, name in enumerate(names):
        rows = batches[batches["lengths"] == name].set_index("way").loc[ways]
        at = np.arange(len(ways)) + (place - (len(names) - 1) / 2) * 0.8 / len(names)
        options = {"height": 0.7 / len(names), "color": COLOURS[place]}
        axes[0].barh(at, rows["waste"], label=label(name), **options)
        ends = (
            rows["steps_per_second"] - rows["low"],
            rows["high"] - rows["steps_per_second"],
        )
        axes[1].barh(
            at, rows["steps_per_second"], xerr=ends, error_kw={"lw": 1}, **options
        )
    axes[0].set(title="Steps that are padding", xlabel="%", xlim=(0, 100))
    axes[1].set(title="Real steps trained on in a second")
    axes[1].xaxis.set_major_formatter("{x:,.0f}")
    for axis in axes:
        axis.set_yticks(range(len(ways)), ways)
        axis.invert_yaxis()
    axes[1].set_yticklabels([])
    axes[0].legend(frameon=False, loc="lower right")
    save(figure, path)


@picture
def padding(path: Path, errors) -> None:
    """Draw the test error of each cell by the padding's side, with a mask or without.

    Args:
        path: of the picture.
        errors: DataFrame of metrics.csv: test errors in %, a row per seed.
    """
    networks = errors[errors["seed"].astype(str) != ""]
    networks = networks[networks["model"].str.contains("_pre|_post")]
    flat = errors[errors["seed"].astype(str) == ""].groupby("model")["value"].mean()
    models = list(dict.fromkeys(networks["model"]))
    figure, (axis,) = new_figure(height=1.5 + 0.3 * len(models))
    for place, model in enumerate(models):
        values = networks[networks["model"] == model]["value"].to_numpy(float)
        heights = place + np.linspace(-0.2, 0.2, max(2, len(values)))[: len(values)]
        colour = COLOURS[0 if "mask" in model else 1]
        axis.scatter(values, heights, s=24, color=colour, zorder=3, clip_on=False)
        axis.plot([values.mean()] * 2, [place - 0.36, place + 0.36], "k", lw=1.6)
    best = flat.idxmin()
    axis.axvline(flat[best], color="0.4", ls="--", lw=1.2, label=f"{best}: a baseline")
    axis.set_yticks(range(len(models)), [name_of(model) for model in models])
    axis.set(xlim=(0, None), ylim=(len(models) - 0.4, -0.7), xlabel="test error, %")
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    axis.set_title("The first symbol recalled: dots are seeds, bars their mean")
    save(figure, path)


def name_of(model: str) -> str:
    """Name a model for people: gru_post_mask -> GRU, padded behind, masked."""
    cell = next(cell for cell in CELLS if model.startswith(cell))
    side, *rest = model.removeprefix(f"{cell}_").split("_")
    parts = [CELLS[cell], "padding behind" if side == "post" else "padding in front"]
    parts += ["masked"] * ("mask" in rest) + ["bucketed"] * ("bucketed" in rest)
    return ", ".join(parts)
