"""The search: defaults first, losers stopped, failures counted, nothing left behind."""

import json
import tempfile

import pytest

from rnn_tf.errors import RunError
from rnn_tf.recipe import search
from rnn_tf.recipe.fit import Fit


def fit_of(curve) -> Fit:
    """A finished training run with these validation scores."""
    rows = ({"epoch": i + 1, "loss": s, "score": s} for i, s in enumerate(curve))
    return Fit(tuple(rows), 0.1)


def search_x(score, trials, known=()):
    """Search x in [0, 10], default 3; `score(x, number)` gives a trial's curve."""
    rows, seen = Rows(), []

    def declare(hp):
        hp.Float("x", 0, 10, default=3.0)
        import keras

        return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])

    def fit_trial(hp, number, loses):
        seen.append(hp.get("x"))
        return fit_of(score(hp.get("x"), number)), 2

    search.search(declare, fit_trial, trials, rows.add, known)
    return search.best(search.defaults(declare), rows), rows, seen


class Rows(list):
    """The rows that were reported; `known` is what a killed run keeps of them."""

    def __init__(self):
        self.known = []

    def add(self, row, curve):
        self.append(row)
        self.known.append(json.loads(json.dumps([row, curve])))


def test_the_first_trial_is_the_defaults_and_the_best_wins():
    best, rows, seen = search_x(lambda x, _: [abs(x - 7)], 8)
    assert seen[0] == 3.0
    assert len(set(seen)) == 8
    assert best.get("x") == min(seen, key=lambda x: abs(x - 7))
    assert [row["trial"] for row in rows] == list(range(1, 9))
    assert all(row["status"] == "completed" for row in rows)
    assert [row["hp.x"] for row in rows] == seen
    assert rows[0] | {"seconds": 0} == {
        "trial": 1, "status": "completed", "hp.x": 3.0, "epochs": 1,
        "parameters": 2, "score": 4.0, "seconds": 0,
    }  # fmt: skip


def test_the_same_search_again_tries_the_same_values():
    """Would catch keras-tuner's seed 0, which means random."""
    first = search_x(lambda x, _: [abs(x - 7)], 5)[2]
    assert search_x(lambda x, _: [abs(x - 7)], 5)[2] == first


def test_a_failed_trial_is_a_row_and_never_wins():
    """Would catch `get_best_hyperparameters`, which can return a failed trial's."""

    def score(x, number):
        if number == 2:
            raise MemoryError("too big\nby far")
        return [float("nan")] if number == 3 else [10.0 - number]

    best, rows, seen = search_x(score, 4)
    assert [row["status"] for row in rows] == [
        "completed", "failed", "failed", "completed",
    ]  # fmt: skip
    assert rows[1]["error"] == "MemoryError: too big"
    assert "not finite" in rows[2]["error"]
    assert "score" not in rows[1]
    assert best.get("x") == seen[3]


def test_no_best_where_every_trial_failed():
    best, rows, _ = search_x(lambda x, _: [float("inf")], 3)
    assert best is None
    assert [row["status"] for row in rows] == ["failed"] * 3


def test_the_searchs_own_doubts_are_not_shown(recwarn):
    """Would catch scikit-learn's ConvergenceWarning between the lines of progress."""
    search_x(lambda x, _: [1.0], 6)
    assert [w for w in recwarn if "Convergence" in w.category.__name__] == []


def test_keras_tuners_files_are_gone(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    search_x(lambda x, _: [x], 2)
    assert list(tmp_path.iterdir()) == []


def bumpy(x, number):
    """Trial 2 fails; the others have curves that the stopping rule would compare."""
    if number == 2:
        raise MemoryError("too big")
    return [9.0 - abs(x - 7) / 10, abs(x - 7)]


def test_a_search_that_goes_on_ends_as_one_that_was_never_killed():
    """Would catch random state that is not what it was: keras-tuner does not keep that
    of its Gaussian process."""
    whole, rows, seen = search_x(bumpy, 7)
    for finished in (0, 1, 3, 5, 7):
        best, again, anew = search_x(bumpy, 7, rows.known[:finished])
        assert anew == seen[finished:]
        assert without_seconds(again) == without_seconds(rows)
        assert best.values == whole.values


def without_seconds(rows) -> list[dict]:
    return [row | {"seconds": 0} for row in rows]


def test_finished_trials_of_another_search_are_an_error():
    """Would catch scores that are taken for those of other hyperparameters."""
    known = search_x(bumpy, 3)[1].known
    known[0][0]["hp.x"] = 3.5
    with pytest.raises(RunError, match="trial 1 had other hyper.*start a new run"):
        search_x(bumpy, 3, known)


CURVES = [(9, 8, 7, 6, 5, 4), (9, 7, 5, 3, 3, 3), (9, 9, 9, 9, 9, 9)]


@pytest.mark.parametrize(
    ("curves", "epochs", "best", "loses"),
    [
        (CURVES, 5, 5.3, True),  # the median after 5 epochs is 5
        (CURVES, 5, 5.2, False),  # worse, but not by 5 %
        ([(-4.0,) * 5], 5, -3.7, True),  # scores below 0
        ([(-4.0,) * 5], 5, -3.9, False),
        (CURVES, 6, 4.5, True),
        (CURVES, 50, 3.9, False),  # finished trials keep their last score
        (CURVES, 4, 100, False),  # too early to tell
        ([], 9, 100, False),  # nobody to compare with
    ],
)
def test_the_median_stopping_rule(curves, epochs, best, loses):
    assert search.clearly_losing(curves, epochs, best) is loses


def test_a_search_is_skipped_only_where_all_is_fixed():
    def declare(hp):
        hp.Fixed("optimizer", "sgd")

    def tunable(hp):
        hp.Fixed("optimizer", "sgd")
        hp.Choice("units", [16, 32], default=32)

    assert search.nothing_to_choose(search.defaults(declare))
    assert search.nothing_to_choose(search.defaults(lambda hp: None))
    found = search.defaults(tunable)
    assert not search.nothing_to_choose(found)
    assert found.values == {"optimizer": "sgd", "units": 32}
