"""Pictures of gradients: from tables alone, and with every line in them."""

import numpy as np
import pytest

from rnn_tf import files
from rnn_tf.report import gradient_plots
from rnn_tf.studies import gradient_decay, gradient_flow, truncated_bptt
from tests.test_plots import size

PICTURES = "gradient_norms.png", "singular_values.png", "truncation.png"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the tables of a small study, and made-up ones of chunks."""
    folder = tmp_path_factory.mktemp("run")
    sizes = gradient_flow.Sizes(units=3, steps=30, seeds=2, gains=(1.0, 1.5))
    gradient_flow.write(folder, sizes)
    cost, cosines = [], []
    for cell, chunk in [(c, k) for c in ("gru", "lstm") for k in (2, 10, 1_000)]:
        row = {"cell": cell, "chunk": chunk, "steps": 1_000, "state": "carried"}
        row |= {"update_ms": chunk, "update_low": chunk - 1, "update_high": chunk + 1}
        row |= {"sequence_ms": 900, "sequence_low": 800, "sequence_high": 990}
        cost.append(row | {"peak_mb": "" if chunk == 10 else chunk})
        row = {"cell": cell, "chunk": chunk, "steps": 1_000, "seed": 1}
        cosines.append(row | {"cosine": 1 - 1 / chunk})
    files.write_csv(folder / "truncated_cost.csv", truncated_bptt.COST, cost)
    path = folder / "truncated_gradients.csv"
    files.write_csv(path, truncated_bptt.GRADIENTS, cosines)
    return folder


def test_every_picture_is_drawn_from_the_tables_of_a_run(folder, capsys):
    gradient_plots.draw(folder)
    assert capsys.readouterr().err == ""
    for name in PICTURES:
        assert size(folder / name)[0] > 900


def test_a_run_without_tables_has_no_pictures(tmp_path):
    gradient_plots.draw(tmp_path)
    assert list(tmp_path.iterdir()) == []


def drawn(folder, monkeypatch) -> list:
    """The figures of a run."""
    figures = []
    monkeypatch.setattr(
        gradient_plots, "save", lambda figure, _: figures.append(figure)
    )
    gradient_plots.draw(folder)
    return figures


def test_the_norms_have_a_line_for_each_cell_in_the_order_of_their_ends(
    folder, monkeypatch
):
    """Would catch a setting whose name in the table has changed."""
    axis = drawn(folder, monkeypatch)[0].axes[0]
    names = [text.get_text() for text in axis.get_legend().get_texts()]
    assert sorted(names) == sorted(line[0] for line in gradient_plots.LINES)
    assert names[0] == "linear, orthogonal x 1.5"
    lines = {line.get_label(): line for line in axis.get_lines()}
    ends = [lines[name].get_ydata()[-1] for name in names]
    assert ends == sorted(ends, reverse=True)
    linear = lines["linear, orthogonal x 1.5"]
    assert linear.get_ydata()[-1] == pytest.approx(30 * np.log10(1.5), abs=1e-5)


def test_no_dot_lies_above_the_bound(folder, monkeypatch):
    left, right = drawn(folder, monkeypatch)[1].axes
    dots = [line for line in left.get_lines() if line.get_linestyle() == "None"]
    assert len(dots) == 3 * 4  # activations x kinds of weights
    for line in dots:
        # A line through few distances may be a little steeper than the bound.
        assert (line.get_ydata() <= line.get_xdata() * 1.1).all()


def test_gradients_that_are_0_leave_the_picture(tmp_path, monkeypatch):
    """Would catch -inf, of which matplotlib draws nothing at all."""
    rows = []
    for distance, norm in ((0, 0.0), (10, -1.0), (20, -np.inf)):
        row = dict.fromkeys(gradient_decay.FLOW, norm) | {"phase": "fresh"}
        row |= {"cell": "gru", "activation": "tanh", "weights": "orthogonal"}
        rows.append(row | {"gain": 1.0, "input_scale": 1.0, "distance": distance})
    path = tmp_path / "gradient_flow.csv"
    files.write_csv(path, gradient_decay.FLOW, rows)
    axis = drawn(tmp_path, monkeypatch)[0].axes[0]
    (line,) = [line for line in axis.get_lines() if line.get_label() == "GRU"]
    assert line.get_ydata()[-1] < gradient_plots.SHOWN[0]
    assert np.isfinite(line.get_ydata()).all()


def test_chunks_are_a_line_for_each_cell_in_all_four_panels(folder, monkeypatch):
    figure = drawn(folder, monkeypatch)[2]
    for axis in figure.axes:
        assert len([x for x in axis.get_lines() if x.get_marker() == "o"]) == 2
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["GRU", "LSTM"]


def test_columns_are_those_of_the_readme_of_results():
    from rnn_tf.studies import (
        gradient_facts,
        learning_rates,
        state_memory,
        truncated_training,
    )
    from tests.conftest import ROOT

    text = (ROOT / "results" / "README.md").read_text()
    columns = [*gradient_decay.FLOW, *gradient_decay.COLUMNS, *gradient_facts.FACTS]
    columns += [*state_memory.COLUMNS, *learning_rates.COLUMNS, *truncated_bptt.COST]
    columns += [*truncated_bptt.GRADIENTS, *truncated_training.RECALL]
    columns += truncated_training.TRAINING
    for column in columns:
        ends = column.startswith("log10") and column.endswith(("_low", "_high"))
        ends |= column in ("slope_low", "slope_high")
        assert ends or f"`{column}`" in text, f"results/README.md lacks `{column}`"
