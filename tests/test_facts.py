"""`make facts`: checks against numbers by hand, and against layers that are broken."""

import contextlib
import csv
import io

import keras
import numpy as np
import pytest

from experiments import facts as experiment
from rnn_tf.claims import course
from rnn_tf.recipe import progress
from rnn_tf.runs import finished
from rnn_tf.studies import (
    facts,
    formula_facts,
    probes,
    shape_facts,
    state_facts,
    tape_facts,
)
from rnn_tf.studies.case import Case
from tests.conftest import ROOT, run_python

TEXTS = {claim.name: claim.text for claim in course.CLAIMS}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The finished run of all checks, and what it printed."""
    folder, printed = tmp_path_factory.mktemp("facts"), io.StringIO()
    with contextlib.redirect_stdout(printed):
        experiment.main(folder)
    (run,) = finished.find_runs(folder)
    return run, printed.getvalue()


@pytest.fixture(scope="module")
def rows(done):
    """(claim, case) -> its row, of texts as the file has them."""
    with (done[0].folder / "facts.csv").open(newline="") as file:
        return {(row["claim"], row["case"]): row for row in csv.DictReader(file)}


# ---------------------------------------------------------------- a case


@pytest.mark.parametrize(("criterion", "value", "confirms", "holds"), [
    ({"most": 1e-5}, 1e-5, "at most 1e-05", True),
    ({"most": 1e-5}, 2e-5, "at most 1e-05", False),
    ({"most": 0.0}, float("nan"), "at most 0", False),
    ({"least": 0.001}, 0.001, "at least 0.001", True),
    ({"least": 0.001}, float("nan"), "at least 0.001", False),
    ({"least": -0.1, "most": 0.1}, 0.2, "-0.1 to 0.1", False),
    ({"least": -0.1, "most": 0.1}, -0.2, "-0.1 to 0.1", False),
    ({"equal": 64}, 64, "equal to 64", True),
    ({"equal": 0}, 7, "equal to 0", False),
    ({"equal": "(10, 64)"}, "(64)", "equal to (10, 64)", False),
    ({}, 0.0, "", False),
])  # fmt: skip
def test_a_case_holds_by_its_criterion(criterion, value, confirms, holds):
    """Would catch a bound of 0 that counts as none, and a NaN that passes."""
    case = Case("name", value, **criterion)
    assert (case.confirms, case.holds) == (confirms, holds)


# ---------------------------------------------------------------- all checks


def test_every_claim_has_rows_with_names_of_their_own(done, rows):
    """Would catch a case that hides another of the same name from the verdict."""
    lines = (done[0].folder / "facts.csv").read_text().splitlines()
    assert lines[0].split(",") == facts.COLUMNS
    assert len(rows) == len(lines) - 1
    claims = list(dict.fromkeys(claim for claim, _ in rows))
    assert claims == [claim for claim, _ in facts.CHECKS]
    assert all(row["confirms"] for row in rows.values())


def test_each_claim_is_checked_once_and_is_one_of_the_course():
    claims = [claim for claim, _ in facts.CHECKS]
    assert len(set(claims)) == len(claims)
    assert set(claims) <= set(TEXTS)
    judged_by_facts = {c.name for c in course.CLAIMS if c.command == course.FACTS}
    assert judged_by_facts <= set(claims)


@pytest.mark.parametrize(("claim", "case", "value", "holds"), [
    ("S2", "LSTM with True", "(4, 10, 64)", False),
    ("S4", "False-False", "error", False),
    ("S5", "the second layer", "(64)", True),
    ("M10", "32 features by 64 units", "(10, 64)", False),
    ("M10", "vectors after True-False", "(64)", False),
    ("M11", "31 features instead of 32", "error", True),
    ("E5", "50 tokens", "(10)", False),
    ("Q6", "units after 500 steps", "64", True),
    ("Q11", "parameters for 10 steps", str(3 * (64 * (32 + 64) + 2 * 64)), True),
    ("Q14", "the parameters", str(4 * (64 * (64 + 32) + 64)), True),
    ("P9", "padded steps behind the mask", str((10 - 5) + (10 - 8)), False),
    ("P9", "masked steps of full rows", "0", False),
    ("D3", "devices in use", "1", False),
])  # fmt: skip
def test_counts_and_shapes_are_those_by_hand(rows, claim, case, value, holds):
    row = rows[claim, case]
    assert (row["value"], row["holds"]) == (value, str(holds))


def test_numbers_are_those_by_hand(rows):
    """Would catch a deviation that is a variance, and a sum that is a mean."""
    x = np.random.default_rng(7).normal(2, 1, 1_000_000)
    for case, expected in {
        ("Q8", "the mean of N(2, 1)"): np.tanh(x).mean(),
        ("Q8", "the deviation of N(2, 1)"): np.tanh(x).std(),
        ("L10", "its sum over the steps"): 1 / 10,  # of which Keras has the mean
        ("G10", "by norm"): 1,
    }.items():
        assert float(rows[case]["value"]) == pytest.approx(expected, abs=0.02)


def test_clipping_by_hand():
    """(1e4, 1) becomes (1, 1e-4) by norm, and (1, 1) by value."""
    gradient = np.array([1e4, 1.0])
    assert probes.clipped("clipnorm", gradient) == pytest.approx([1, 1e-4])
    assert probes.clipped("clipvalue", gradient) == pytest.approx([1, 1])


def test_gradients_are_those_by_hand():
    """Of (w x + b - 0.5)^2, at x = 2, w = 3, b = 1: 13 x, 13 and 13 w."""
    layer = keras.layers.Dense(1)
    layer.build((None, None, 1))
    layer.set_weights([np.array([[3.0]]), np.array([1.0])])
    parts = probes.gradients(layer, np.full((2, 1, 1), 2, "float32"))
    assert [float(part.sum()) for part in parts] == pytest.approx([26, 13, 39])


# ---------------------------------------------------------------- broken layers


def both_ways(cell, **options):
    """A GRU that reads both ways; the others read forward."""
    rnn = probes.recurrent(cell, **options)
    return probes.built(keras.layers.Bidirectional(rnn)) if cell == "GRU" else rnn


def beginning_at_one(cell, **options):
    """A layer whose first state is not zeros."""
    rnn = probes.recurrent(cell, **options)
    ones = np.ones((probes.BATCH, probes.UNITS), "float32")
    return type("Shifted", (), {
        "__call__": lambda self, x: rnn(x, initial_state=ones),
        "get_weights": lambda self: rnn.get_weights(),
        "set_weights": lambda self, weights: rnn.set_weights(weights),
    })()  # fmt: skip


def other_weights(cell, unroll=False, **options):
    """A layer that has other weights where it is unrolled."""
    rnn = probes.recurrent(cell, unroll=unroll, **options)
    if unroll:
        rnn.set_weights([2 * weights for weights in rnn.get_weights()])
    return rnn


def sequence_model():
    """The quiz's model, with a decoder of every state."""
    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(10, 30)(tokens)
    x = keras.layers.SimpleRNN(128, return_sequences=True)(x)
    return keras.Model(tokens, keras.layers.Dense(10)(x))


def sums_of_rows(rnn, x, step=None):
    """Gradients of a sum over rows, of which a mean over quarters is not the whole."""
    return [len(x) * part for part in probes.gradients(rnn, x, step)]


@pytest.mark.parametrize(("module", "check", "name", "broken", "case", "holds"), [
    (state_facts, "no_future_inputs", "recurrent", both_ways,
     "the future in GRU", False),
    (state_facts, "one_to_one_is_a_mode", "recurrent", beginning_at_one,
     "a distance from Dense(tanh)", True),
    (state_facts, "steps_share_their_weights", "as_first",
     lambda rnn, x, step: 2 * probes.as_first(rnn, x, step), "steps of LSTM", False),
    (state_facts, "each_step_updates_the_state", "masked",
     lambda rnn, rows, lengths: rnn(rows), "masked steps", True),
    (shape_facts, "only_features_are_fixed", "recurrent", lambda cell: lambda x: x,
     "31 features instead of 32", False),
    (shape_facts, "the_decoder_gives_a_sequence", "quiz_model", sequence_model,
     "50 tokens", True),
    (formula_facts, "lstm_has_gates", "lstm_gates",
     lambda weights, x: {"output": np.zeros((4, 10, 64))}, "the formulas", False),
    (formula_facts, "clipping_resets", "clipped",
     lambda option, gradient: np.ones(20), "by norm", True),
    (tape_facts, "the_loop_is_unfolded", "recurrent", other_weights,
     "unfolding of LSTM", False),
    (tape_facts, "the_loop_is_unfolded", "masked",
     lambda rnn, rows, lengths: probes.array(rnn(rows)),
     "needing a cut at length 5", True),
    (tape_facts, "accumulation_combines_gpus", "gradients", sums_of_rows,
     "what GRU lacks", True),
])  # fmt: skip
def test_a_broken_layer_turns_the_outcome(
    monkeypatch, module, check, name, broken, case, holds
):
    """Would catch a check that comes out the same whatever the layers do."""
    monkeypatch.setattr(module, name, broken)
    cases = {case.name: case for case in getattr(module, check)()}
    assert cases[case].holds == holds, cases[case]


def test_an_accumulation_that_forgets_is_seen():
    """Would catch a comparison of weights that no update has moved."""
    x = probes.draw(8, 3, probes.FEATURES)
    whole = probes.after_updates(x, 1)
    assert probes.gap(whole, probes.recurrent("GRU").get_weights()[1]) > 1e-3
    assert probes.gap(whole, probes.after_updates(x[:2], 1)) > 1e-3


def test_rows_of_one_length_do_make_a_batch():
    """Would catch an error of another cause than the lengths."""
    rows = [probes.draw(5, 2)] * 3
    assert probes.outcome(keras.ops.convert_to_tensor, rows) == "runs"


# ---------------------------------------------------------------- the page, the program


def test_the_page_has_claim_outcome_and_code(done):
    """Would catch a claim that is left out, or code without what it calls."""
    page = (done[0].folder / "facts.md").read_text()
    for claim, check in facts.CHECKS:
        assert f"## {claim}: " in page
        assert f"def {check.__name__}() -> list[Case]:" in page
    for name in ("recurrent", "masked", "gradients", "gap"):
        assert f"def {name}(" in page
    assert "**depends**: not for masked steps and stateful=True" in page
    assert page.count("```") % 2 == 0


def test_the_table_is_readable_on_80_columns(done, monkeypatch, capsys):
    """Would catch a case that is cut off."""
    monkeypatch.setenv("COLUMNS", "80")
    with (done[0].folder / "facts.csv").open(newline="") as file:
        rows = [row | {"holds": True} for row in csv.DictReader(file)]
    progress.console().print(experiment.table(rows))
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert "The exact claims, checked" in done[1]


def test_columns_are_explained():
    text = (ROOT / "results" / "README.md").read_text()
    part = text.split("## facts.csv")[1].split("\n## ")[0]
    assert [f"`{c}`" in part for c in facts.COLUMNS] == [True] * len(facts.COLUMNS)


def test_without_a_tape_its_claims_are_left_out_with_a_line(monkeypatch, capsys):
    """Would catch a claim that JAX judges by half of its cases."""
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    known = facts.checks()
    absent = [claim for claim, _ in facts.CHECKS if claim not in known]
    assert absent == ["G7", "T8", "T9", "D3"]
    error = capsys.readouterr().err
    assert error == "left out: G7, T8, T9, D3 are checked by TensorFlow's tape\n"


def test_an_unknown_option_is_one_line():
    done = run_python("-m", "experiments.facts", "--sedes", 1)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: Unrecognized options")
