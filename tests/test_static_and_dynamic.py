"""Static and dynamic loops: each computes the formula, and its nodes are counted."""

import numpy as np
import pytest

from rnn_tf.studies import equal_rows, static_and_dynamic
from rnn_tf.studies.static_and_dynamic import BATCH, FEATURES, KINDS, UNITS

STEPS = 6
ENDS = (np.arange(BATCH) % STEPS + 1).astype("int32")


@pytest.fixture(scope="module")
def loops():
    """Each kind of loop, of six steps."""
    return {kind: static_and_dynamic.build(kind, STEPS) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_each_loop_computes_the_formula(kind, loops):
    """Would catch loops that are compared though they compute different things."""
    values = static_and_dynamic.inputs(STEPS)
    outputs, state, *gradients = loops[kind].update(values, ENDS)
    alone = [
        equal_rows.formula(row[:end]) for row, end in zip(values, ENDS, strict=True)
    ]
    assert state == pytest.approx(np.stack([states[-1] for states in alone]), abs=1e-5)
    assert outputs.shape == (BATCH, STEPS, UNITS)
    for row, states in zip(outputs, alone, strict=True):
        assert row[: len(states)] == pytest.approx(states, abs=1e-5)
    shapes = [g.shape for g in gradients]
    assert shapes == [(FEATURES, UNITS), (UNITS, UNITS), (UNITS,)]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "static"])
def test_all_have_the_same_gradients(kind, loops):
    """Would catch an update that is quicker because it leaves out the gradient."""
    values = static_and_dynamic.inputs(STEPS)
    own, known = (loops[k].update(values, ENDS)[2:] for k in (kind, "static"))
    for first, second in zip(own, known, strict=True):
        assert first == pytest.approx(second, rel=1e-3, abs=1e-3)


def test_nodes_are_those_of_functions_too(loops):
    """Would catch loops whose body, a function, is not counted."""
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        one = tf.constant(1.0)
        tf.function(lambda x: x + one * x)(tf.constant(2.0))
    # Two constants and the call, whose function has a product, a sum and more.
    assert static_and_dynamic._nodes(graph) > len(graph.as_graph_def().node) == 3
    longer = static_and_dynamic.build("static", 2 * STEPS)
    assert longer.nodes() > 1.6 * loops["static"].nodes()
    assert static_and_dynamic.build("dynamic", 12).nodes() == loops["dynamic"].nodes()


def test_a_kind_that_cannot_be_built_is_a_row():
    """Would catch a run that ends where TensorFlow has no such function."""
    error = "AttributeError: no dynamic_rnn"
    answers = iter([{"error": error}] * 2)
    worker = type("Worker", (), {"ask": lambda self, **_: next(answers)})()
    assert static_and_dynamic._rows_at({"dynamic": worker}, 5, 2) == {
        "dynamic": {"error": error}
    }
    rows = list(static_and_dynamic._memory_rows(worker, 20))
    assert [row["error"] for row in rows] == [error] * 3
