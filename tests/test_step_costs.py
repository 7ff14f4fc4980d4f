"""What a recurrent network costs: networks as large as each other, cores, streams."""

import os

import numpy as np
import pytest

from rnn_tf.studies import step_costs
from rnn_tf.studies.step_costs import MODELS, PARAMETERS


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("steps", [10, 1_000])
def test_networks_are_about_as_large(name, steps):
    """Would catch an MLP that is quick because it is small."""
    model = step_costs.build(name, steps)
    assert model.count_params() == pytest.approx(PARAMETERS, rel=0.12)
    assert model.output_shape == (None, 1)


def test_causal_convolutions_read_no_later_step():
    model = step_costs.build("conv", 12)
    values = np.zeros((1, 12, 1), "float32")
    first = model.predict_on_batch(values)
    values[0, 6] = 5  # the last output sees the last five steps
    assert (model.predict_on_batch(values) == first).all()
    values[0, 7] = 5
    assert (model.predict_on_batch(values) != first).any()


def test_a_stream_gives_what_all_at_once_gives():
    """Would catch a stream whose state begins anew at each step."""
    whole, stream = step_costs.build("rnn", 7), step_costs.stream()
    stream.set_weights(whole.get_weights())
    values = np.random.default_rng(1).normal(size=(1, 7, 1)).astype("float32")
    for place in range(7):
        last = stream.predict_on_batch(values[:, place : place + 1])
    assert last == pytest.approx(whole.predict_on_batch(values), abs=1e-5)


def test_cores_that_are_not_there_are_a_row():
    """Would catch numbers of 64 cores from a machine with two."""
    many = len(os.sched_getaffinity(0)) + 64
    rows = list(step_costs.rows((many,), (4,), rounds=1))
    assert {row["error"] for row in rows} == {
        f"RunError: {many} cores, and there are {many - 64}"
    }
    assert not any("milliseconds" in row for row in rows)
