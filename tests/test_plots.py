"""Pictures: drawn from tables alone, whole, and with everybody in them."""

import numpy as np
import pandas as pd
import pytest

from rnn_tf.report import plots


def size(path) -> tuple[int, int]:
    """Width and height of a PNG file, from its header."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def predictions(horizon: int = 7, days: int = 60):
    """Two models and a baseline; forecasts are the truth plus noise."""
    random, rows = np.random.default_rng(1), []
    starts = pd.date_range("2019-01-01", periods=days).strftime("%Y-%m-%d")
    for model, kind, seeds in (("gru", "tuned", (1, 2)), ("naive", "baseline", ("",))):
        for seed in seeds:
            for number, start in enumerate(starts):
                for step in range(1, horizon + 1):
                    target = 100 + (number + step) % 7
                    row = {"model": model, "kind": kind, "seed": seed, "step": step}
                    row |= {"example": start, "target": target}
                    rows.append(row | {"prediction": target + random.normal()})
    return pd.DataFrame(rows)


def test_forecasts_of_any_horizon(tmp_path):
    for horizon in (1, 7, 30):
        path = tmp_path / f"{horizon}.png"
        plots.forecasts(path, predictions(horizon), ["gru", "naive"], "riders")
        assert size(path)[0] > 900


def error_rows(values: dict):
    """Rows of metrics.csv: one value per model and day ahead."""
    return pd.DataFrame(
        {
            "model": model, "kind": kind, "split": "test", "metric": "mae",
            "slice": day, "value": value + day,
        }
        for (model, kind), value in values.items()
        for day in range(1, 8)
    )  # fmt: skip


def drawn_labels(monkeypatch, draw) -> list[str]:
    """The legend's texts of the figure that `draw` saves."""
    figures = []
    monkeypatch.setattr(plots, "save", lambda figure, path: figures.append(figure))
    draw()
    legend = figures[0].axes[0].get_legend() or figures[0].legends[0]
    return [text.get_text() for text in legend.get_texts()]


def test_error_by_step_names_everyone_and_says_who_is_out_of_the_picture(monkeypatch):
    """Would catch one bad model that squeezes all the others to a line."""
    rows = error_rows({
        ("gru", "tuned"): 10, ("mlp", "answer"): 12, ("naive", "baseline"): 14,
        ("last_value", "baseline"): 900, ("gru_ensemble", "ensemble"): 9,
    })  # fmt: skip
    names = drawn_labels(
        monkeypatch, lambda: plots.error_by_step(None, rows, "mae", "riders")
    )
    assert names == ["gru", "mlp", "naive", "last_value (above)"]


def test_axes_of_small_numbers_have_their_digits(monkeypatch):
    """Would catch an axis from 0 to 3 that is labelled 0, 0, 1, 2, 2, 2, 3."""
    figures = []
    monkeypatch.setattr(plots, "save", lambda figure, path: figures.append(figure))
    for size in (0.5, 5e4):
        rows = error_rows({("gru", "tuned"): 10, ("naive", "baseline"): 14})
        rows["value"] *= size / 10
        plots.error_by_step(None, rows, "mae", "")
    for figure, label in zip(figures, ("0.2", "20,000"), strict=True):
        figure.draw_without_rendering()
        labels = [t.get_text() for t in figure.axes[0].get_yticklabels()]
        assert label in labels
        assert len(set(labels)) == len(labels)


def test_learning_curves_show_every_model(monkeypatch):
    rows = pd.DataFrame(
        {"model": m, "seed": s, "epoch": e, "loss": 1 / e, "score": 2 / e}
        for m in ("gru", "mlp")
        for s in (1, 2)
        for e in range(1, 4)
    )
    names = drawn_labels(monkeypatch, lambda: plots.learning_curves(None, rows))
    assert names == ["gru", "mlp"]


def test_learning_curves_show_a_training_that_diverged(tmp_path):
    """Would catch a picture that is left out because one loss has no place in it."""
    losses = [1.0, np.inf, np.nan, 0.0, 0.5]
    rows = pd.DataFrame({"epoch": range(1, 6), "loss": losses, "score": losses})
    path = tmp_path / "curves.png"
    plots.learning_curves(path, rows.assign(model="gru", seed=1))
    assert size(path)[0] > 900


def test_a_cell_keeps_its_colour_and_its_heads_differ_in_dashes(monkeypatch):
    """Would catch lines that cannot be told apart, and a baseline that is left out."""
    rows = pd.DataFrame(
        {"cell": c, "line": f"{c} {h}", "x": x, "seed": s, "value": 1 / x + s}
        for c in ("gru", "lstm")
        for h in ("seq2vec", "seq2seq")
        for x in (1, 2, 3)
        for s in (1, 2)
    )
    figures = []
    monkeypatch.setattr(plots, "save", lambda figure, path: figures.append(figure))
    plots.error_against(None, rows, {"ridge": 0.5}, "layers", "MSE")
    axis = figures[0].axes[0]
    looks = {
        line.get_label(): (line.get_color(), line.get_linestyle())
        for line in axis.get_lines()
    }
    assert list(looks) == [
        "gru seq2vec", "gru seq2seq", "lstm seq2vec", "lstm seq2seq", "ridge",
    ]  # fmt: skip
    assert looks["gru seq2vec"][0] == looks["gru seq2seq"][0] != looks["ridge"][0]
    assert len(set(looks.values())) == len(looks)
    assert axis.get_lines()[0].get_ydata() == pytest.approx([2.5, 2.0, 1 / 3 + 1.5])


def test_the_picture_of_the_gates_shows_the_marks_and_every_gate(tmp_path, monkeypatch):
    random = np.random.default_rng(1)
    names = "input gate", "forget gate", "output gate", "cell state", "output"
    found = {name: random.random((1, 12, 5)) for name in names}
    inputs = np.stack([random.random(12), np.eye(12)[3] + np.eye(12)[9]], axis=1)
    plots.gates(tmp_path / "gates.png", "lstm_12", inputs, found)
    assert size(tmp_path / "gates.png")[1] > 900
    figures = []
    monkeypatch.setattr(plots, "save", lambda figure, path: figures.append(figure))
    plots.gates(None, "lstm_12", inputs, found)
    labels = [axis.get_ylabel().split("\n")[0] for axis in figures[0].axes[:5]]
    assert labels == [
        "number",
        "input gate",
        "forget gate",
        "output gate",
        "cell state",
    ]
    colours = [bar.get_facecolor() for bar in figures[0].axes[0].patches]
    marked = [i for i, colour in enumerate(colours) if colour != colours[0]]
    assert marked == [3, 9]


def test_no_two_models_look_alike():
    """Would catch a palette that repeats before the line style changes."""
    styles = plots._styles(plots.COLOURS)
    looks = [tuple(next(styles).values()) for _ in range(2 * len(plots.COLOURS))]
    assert len(set(looks)) == len(looks)
