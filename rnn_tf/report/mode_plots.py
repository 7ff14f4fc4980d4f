"""Draw the errors of small networks on small tasks, from a run's modes.csv."""

from pathlib import Path

import lazy_loader

from rnn_tf.report.plots import COLOURS, new_figure, picture, save

pd = lazy_loader.load("pandas")

CONSTANT = "constant"  # the baseline that all others are drawn in terms of
LOWEST = 1e-3  # of it; what is lower stands at the edge
TASKS = {
    "class_to_columns": "digit → its columns",
    "columns_to_class": "columns → digit",
    "columns_to_tags": "columns → is half the ink seen?",
    "rows_to_class": "rows → digit",
    "motif": "DNA → is there a motif?",
    "motif_places": "DNA → which bases are of it?",
    "names": "words → is it a name?",
    "sines": "sines → the next value",
    "adding": "numbers → sum of two",
    "text": "words → the next one",
    "counting": "bits → share of ones",
    "before": "letters → is a before b?",
    "parity": "4 bits → odd or even?",
    "prices": "random log-prices → 10 days",
    "sines_ahead": "sines → the next 10 values",
    "planted": "trend, season, spikes → 10 values",
    "first_state": "sines → each next value",
    "lengths": "signs → more plus? 5 to 99 steps",
    "filters": "filters → trend, season, spikes",
    "clips": "clips → how does the digit move?",
}
MODELS = {
    "from_vector": "GRU",
    "gru": "GRU",
    "gru_steps": "GRU",
    "gru_shuffled": "GRU, steps shuffled",
    "gru_untrained": "GRU, untrained",
    "learned_state": "GRU, first state learned",
    "bidirectional": "GRU in both directions",
    "simple_rnn": "SimpleRNN",
    "simple_rnn_no_bias": "SimpleRNN without bias",
    "linear_rnn": "SimpleRNN without tanh",
    "causal_conv": "causal convolutions",
    "conv_before": "Conv1D, then GRU",
    "conv_after": "GRU, then Conv1D",
    "trained_filters": "trained filters, linear readout",
    "random_filters": "random filters, linear readout",
    "window": "what a filter sees, linear readout",
    "clips_flattened": "Conv3D, flattened, dense",
    "clips_pooled": "Conv3D, pooled, dense",
    "flattened": "MLP on all steps",
    "padded": "MLP on padded steps",
    "pooled": "MLP on the mean of steps",
    "bag": "MLP on the mean of steps",
}


def draw(folder: Path) -> None:
    """Draw the picture of a run's folder, if it has the table."""
    path = folder / "modes.csv"
    if path.is_file():
        modes(folder / "modes.png", relative(pd.read_csv(path)))


def relative(rows):
    """Return each test error in terms of the constant guess's, a row for each seed.

    Args:
        rows: DataFrame of modes.csv; slices are averaged, and where a network failed
            on one, `fails` is True.
    """
    rows = rows[rows["metric"] != "map_difference"]
    keys = ["task", "model", "kind", "seed"]
    rows = rows.assign(fails=rows["value"].isna())
    parts = rows.groupby(keys, sort=False)
    errors = parts.agg({"value": "mean", "fails": "any"}).reset_index()
    guess = errors[errors["model"] == CONSTANT].set_index(["task", "seed"])["value"]
    places = pd.MultiIndex.from_frame(errors[["task", "seed"]])
    return errors.assign(share=errors["value"] / guess.reindex(places).to_numpy())


@picture
def modes(path: Path, errors) -> None:
    """Draw a row for each network and baseline, a dot for each seed, task by task.

    Args:
        path: of the picture.
        errors: DataFrame of `relative`.
    """
    errors = errors[errors["model"] != CONSTANT]
    groups = list(errors.groupby(["task", "model"], sort=False))
    tasks = errors["task"].drop_duplicates().tolist()
    height = 1.2 + 0.21 * (len(groups) + len(tasks))
    figure, (axis,) = new_figure(height=height, width=9.5)
    axis.grid(False, axis="y")
    place, ticks, labels = 0.0, [], []
    for number, task in enumerate(tasks):
        own = [(model, rows) for (name, model), rows in groups if name == task]
        top = place - 0.9
        for model, rows in own:
            _dots(axis, place, rows)
            ticks.append(place)
            label = MODELS.get(model, model.replace("_", " "))
            labels.append(f"{label}, of one length" if rows["fails"].any() else label)
            place += 1
        if number % 2 == 0:
            axis.axhspan(top + 0.1, place - 0.1, color="0.96", zorder=0, lw=0)
        text = TASKS.get(task, task)
        options = {"fontsize": 8.5, "va": "center", "clip_on": False}
        axis.text(1.01, (top + place) / 2, text, **options, transform=_beside(axis))
        place += 1
    axis.axvline(1, color="0.3", lw=1)
    axis.set(xscale="log", xlim=(LOWEST / 1.3, 3), ylim=(place - 0.9, -1))
    axis.set_yticks(ticks, labels, fontsize=8)
    names = {0.001: "0.1 % or less", 0.01: "1 %", 0.1: "10 %", 1: "100 %"}
    axis.set_xticks(list(names), list(names.values()))
    axis.set_xlabel("test error, in terms of the best constant guess's (line)")
    axis.set_title("What small networks make of small tasks", loc="left")
    save(figure, path)


def _dots(axis, place: float, rows) -> None:
    """Draw a dot for each seed, baselines in grey, and their mean as a line."""
    baseline = rows["kind"].iloc[0] == "baseline"
    colour = "0.5" if baseline else COLOURS[0]
    shares = rows["share"].clip(lower=LOWEST)
    look = {"color": colour, "ls": "", "marker": "o", "ms": 5, "mew": 0, "alpha": 0.6}
    axis.plot(shares, [place] * len(shares), **look)
    axis.plot([shares.mean()] * 2, [place - 0.35, place + 0.35], color=colour, lw=2)


def _beside(axis):
    """Return the transform of a place beside the axis, at a height of the data."""
    return axis.get_yaxis_transform()
