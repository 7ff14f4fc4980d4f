"""Pictures of a search: what is drawn, from which rows."""

import numpy as np
import pandas as pd
import pytest

from rnn_tf.report import search_plots


def trials(**columns):
    """Four trials of two models, one of which failed."""
    rows = {
        "model": ["gru", "gru", "gru", "$a_{$"],
        "trial": [1, 3, 2, 1],
        "score": [0.5, 0.2, np.nan, 0.4],
        "hp.learning_rate": [1e-3, 3e-3, 2e-3, 1e-3],
        "hp.units": [16.0, 32.0, 64.0, np.nan],
        "hp.loss": ["huber", "mae", "mae", "huber"],
        "hp.fixed": [3, 3, 3, 3],
    }
    return pd.DataFrame(rows | columns)


def lines(axis) -> dict:
    """What a panel shows, by its label."""
    return {line.get_label(): line.get_xydata().tolist() for line in axis.get_lines()}


def test_the_best_so_far_goes_by_trial_and_passes_over_failures(tmp_path):
    """Would catch a best score that follows the order of the rows."""
    figure = search_plots.over_trials(trials())
    gru, other = figure.axes
    shown = lines(gru)
    assert shown["best so far"] == [[1, 0.5], [2, 0.5], [3, 0.2]]
    assert shown["failed"] == [[2, 1]]  # at the top of the panel
    assert "failed" not in lines(other)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "trial", "best so far", "failed",
    ]  # fmt: skip
    figure.savefig(tmp_path / "drawn.png")  # dollars in a name are no formula


@pytest.mark.filterwarnings("error")
def test_each_hyperparameter_that_varied_has_a_panel_with_its_scale(tmp_path):
    figure = search_plots.hyperparameters(trials())
    panels = {axis.get_xlabel(): axis for axis in figure.axes if axis.get_xlabel()}
    assert set(panels) == {"learning_rate", "units", "loss"}
    assert panels["learning_rate"].get_xscale() == "log"
    for name, labels in (("units", ["16", "32", "64"]), ("loss", ["huber", "mae"])):
        shown = [text.get_text() for text in panels[name].get_xticklabels()]
        assert shown == labels
    places = np.array(lines(panels["units"])["gru"])[:, 0]
    assert places.tolist() == [0, 1, 2]  # the only model with units is not set aside
    figure.savefig(tmp_path / "drawn.png")


def test_scores_that_differ_by_far_get_a_logarithm():
    near, far = trials(), trials(score=[0.5, 0.01, np.nan, 0.4])
    assert search_plots.over_trials(near).axes[0].get_yscale() == "linear"
    assert search_plots.over_trials(far).axes[0].get_yscale() == "log"


def test_a_search_in_which_everything_failed_is_drawn(tmp_path):
    failed = trials(score=[np.nan] * 4)
    search_plots.over_trials(failed).savefig(tmp_path / "a.png")
    search_plots.hyperparameters(failed).savefig(tmp_path / "b.png")


@pytest.mark.parametrize(
    ("phases", "units", "names"),
    [
        (["search", "search", "final"], [16, 32, 64], ["hyperparameters", "search"]),
        (["search", "search", "final"], [16, 16, 64], ["search"]),
        (["final", "final", "final"], [16, 32, 64], []),
    ],
)
def test_a_run_has_the_pictures_of_its_search(tmp_path, phases, units, names):
    """Would catch final fits that are drawn as trials, or an empty picture."""
    rows = {"model": "gru", "phase": phases, "trial": [1, 2, ""], "score": 0.5}
    table = pd.DataFrame(rows | {"hp.units": units})
    table.to_csv(tmp_path / "trials.csv", index=False)
    search_plots.write(tmp_path)
    assert sorted(path.stem for path in tmp_path.glob("*.png")) == names
