"""Gradients through time: Keras judges a step, numbers by hand judge a product."""

import keras
import numpy as np
import pandas as pd
import pytest

from rnn_tf.errors import InputError
from rnn_tf.studies import gradient_decay, gradient_flow, recurrent_cells
from rnn_tf.studies.gradient_facts import tape_jacobian
from rnn_tf.studies.gradient_flow import Sizes, Trained

SMALL = Sizes(
    activations=("tanh", "linear"),
    weights=("orthogonal",),
    gains=(0.5, 1.5),
    forget_biases=(1.0,),
    units=4,
    steps=20,
    seeds=3,
)
LAYERS = {"simple_rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}


def layer(cell: str, **options):
    """A Keras layer of 5 units on 3 features, its biases not 0."""
    random = np.random.default_rng(1)
    rnn = getattr(keras.layers, LAYERS[cell])(5, return_sequences=True, **options)
    rnn.build((None, None, 3))
    rnn.set_weights([w + 0.3 * random.normal(size=w.shape) for w in rnn.get_weights()])
    return rnn


def test_steps_are_keras_s():
    inputs = np.random.default_rng(2).normal(size=(12, 3))
    for cell in LAYERS:
        rnn = layer(cell)
        steps = recurrent_cells.unroll(cell, rnn.get_weights(), inputs)
        outputs = keras.ops.convert_to_numpy(rnn(inputs[None].astype("float32")))[0]
        assert steps.states[:, :5] == pytest.approx(outputs, abs=1e-5)


@pytest.mark.parametrize("cell", LAYERS)
def test_jacobians_of_a_step_are_differences_of_its_states(cell):
    """Would catch a gate that is left out of a derivative."""
    random = np.random.default_rng(3)
    weights, x = layer(cell).get_weights(), random.normal(size=3)
    state = random.normal(size=10 if cell == "lstm" else 5)
    step = recurrent_cells.CELLS[cell]

    def slopes(function, at):
        """Central differences: (outputs, inputs)."""
        ends = [function(at + d) - function(at - d) for d in 1e-5 * np.eye(len(at))]
        return np.stack(ends, axis=1) / 2e-5

    _, by_state, by_input, _ = step(x, state, weights, "tanh")
    by_hand = slopes(lambda s: step(x, s, weights, "tanh")[0], state)
    assert by_state == pytest.approx(by_hand, abs=1e-7)
    by_hand = slopes(lambda v: step(v, state, weights, "tanh")[0], x)
    assert by_input == pytest.approx(by_hand, abs=1e-7)


@pytest.mark.parametrize("cell", ["simple_rnn", "gru"])
def test_one_pass_gives_what_the_tape_gives(cell):
    rnn, inputs = layer(cell), np.random.default_rng(4).normal(size=(8, 3))
    logs = gradient_flow.norms(cell, rnn.get_weights(), inputs)
    # d h_T / d h of distance 7 is d h_T / d h_0 without the first step.
    jacobian = tape_jacobian(rnn, inputs)
    whole = recurrent_cells.unroll(cell, rnn.get_weights(), inputs).by_state[0]
    tape = jacobian @ np.linalg.inv(whole)
    assert 10 ** logs["state"][7] == pytest.approx(np.linalg.norm(tape, 2), rel=1e-3)


def scalar(cell_weight: float, input_weight: float = 2.0) -> list[np.ndarray]:
    """The weights of a SimpleRNN of one unit on one feature."""
    return [np.array([[input_weight]]), np.array([[cell_weight]]), np.zeros(1)]


def test_norms_of_one_linear_unit_are_powers_of_its_weight():
    logs = gradient_flow.norms("simple_rnn", scalar(0.5), np.ones((3, 1)), "linear")
    half = np.log10(0.5)
    assert logs["state"] == pytest.approx([0, half, 2 * half])
    assert logs["input"] == pytest.approx(np.log10(2) + np.array([0, half, 2 * half]))
    # h = 2, 3, 3.5: half the squared distance to 0 has the slope 3.5 by h_T.
    assert logs["loss"] == pytest.approx(np.log10(3.5) + np.array([0, half, 2 * half]))


def test_logarithms_go_on_where_floats_end():
    """Would catch a product that is 0 after 1e-308, or infinite after 1e308."""
    for weight in (1e-3, 1e3):
        inputs = np.zeros((201, 1))
        logs = gradient_flow.norms("simple_rnn", scalar(weight), inputs, "linear")
        assert logs["state"][200] == pytest.approx(200 * np.log10(weight))


def test_units_that_are_off_pass_nothing():
    inputs = np.array([[1.0], [-9.0], [1.0], [1.0]])
    logs = gradient_flow.norms("simple_rnn", scalar(1.0), inputs, "relu")
    assert list(logs["state"]) == [0, 0, 0, -np.inf]
    assert logs["saturated"] == 1 / 4


def test_saturated_units_are_counted():
    logs = gradient_flow.norms("simple_rnn", scalar(0.0, 1.0), np.array([[9.0], [0.1]]))
    assert logs["saturated"] == 1 / 2


def test_the_spectrum_is_that_of_a_matrix_known_by_hand():
    matrix = np.array([[0.5, 2.0], [0.0, 0.5]])
    found = gradient_flow.spectrum(matrix)
    assert found["radius"] == pytest.approx(0.5)
    assert found["sigma_max"] * found["sigma_min"] == pytest.approx(0.25)
    assert found["sigma_max"] > 2
    assert gradient_flow.spectrum(np.eye(2, 8))["radius"] == ""


@pytest.mark.parametrize("kind", recurrent_cells.WEIGHTS)
def test_weights_are_what_their_table_says(kind):
    matrix = recurrent_cells.recurrent_weights(kind, 64, 2.0, np.random.default_rng(1))
    found = gradient_flow.spectrum(matrix)
    if kind in ("identity", "orthogonal"):
        assert [found["sigma_max"], found["sigma_min"]] == pytest.approx([2, 2])
    if kind == "gaussian":
        assert 3.4 < found["sigma_max"] < 4.4
    if kind == "non_normal":
        assert found["radius"] == pytest.approx(1.0)
        assert found["sigma_max"] > 4


@pytest.mark.parametrize("cell", LAYERS)
def test_fresh_weights_are_shaped_and_spread_as_keras_s(cell):
    random = np.random.default_rng(1)
    ours = recurrent_cells.initial_weights(cell, 40, 30, random)
    rnn = getattr(keras.layers, LAYERS[cell])(30)
    rnn.build((None, None, 40))
    theirs = rnn.get_weights()
    assert [w.shape for w in ours] == [w.shape for w in theirs]
    assert ours[0].std() == pytest.approx(theirs[0].std(), rel=0.1)
    assert ours[1] @ ours[1].T == pytest.approx(np.eye(30), abs=1e-9)
    assert np.array_equal(ours[2], theirs[2])  # with the forget bias of 1


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """The tables of a small study, with a trained layer; and as they were written."""
    folder = tmp_path_factory.mktemp("flow")
    rnn = layer("lstm")
    inputs = np.zeros((15, 3))
    trained = [Trained("lstm", rnn.get_weights(), inputs, s, start="?") for s in (1, 2)]
    rows = gradient_flow.write(folder, SMALL, trained)
    return rows | {"folder": folder}


def test_tables_hold_every_setting_and_distance(tables):
    flow = pd.read_csv(tables["folder"] / "gradient_flow.csv", keep_default_na=False)
    assert list(flow) == gradient_decay.FLOW
    assert len(flow) == len(tables["gradient_flow"])
    fresh = flow[flow["phase"] == "fresh"]
    # 2 activations x 2 gains, tanh x 2 gains x 3 sizes of inputs, an LSTM and a GRU
    assert len(fresh) == (4 + 6 + 2) * len(SMALL.distances)
    assert set(fresh["seeds"]) == {3}
    assert set(fresh["distance"]) == set(SMALL.distances) == {0, 1, 2, 5, 10, 20}
    trained = flow[flow["phase"] == "trained"]
    assert sorted(set(trained["distance"])) == [0, 1, 2, 5, 10, 14]
    stack = flow[flow["phase"] == "stack"]
    assert set(stack["depth"]) == set(gradient_flow.DEPTHS)
    decay = pd.read_csv(tables["folder"] / "gradient_decay.csv")
    assert list(decay) == gradient_decay.COLUMNS
    assert len(decay) == 4 + 6 + 2 + 1 + 1


def test_the_summary_of_a_linear_layer_is_its_gain(tables):
    rows = pd.DataFrame(tables["gradient_decay"])
    rows = rows[rows["activation"].eq("linear") & rows["cell"].eq("simple_rnn")]
    for row in rows.itertuples():
        slope = np.log10(row.gain)
        slopes = [row.slope, row.slope_low, row.slope_high]
        assert slopes == pytest.approx([slope] * 3, abs=1e-6)
        assert row.log10_10 == pytest.approx(10 * slope, abs=1e-6)
        assert row.r2 == pytest.approx(1)
        assert row.radius == pytest.approx(row.gain)


def test_no_tanh_layer_outgrows_its_largest_singular_value(tables):
    """The bound of Pascanu et al. (2013); would catch a slope that is too steep."""
    rows = pd.DataFrame(tables["gradient_flow"])
    rows = rows[rows["phase"].eq("fresh") & rows["cell"].eq("simple_rnn")]
    bound = rows["distance"] * np.log10(rows["sigma_max"].astype(float))
    assert (rows["log10_norm_high"] <= bound + 1e-5).all()


def test_exact_zeros_count_as_the_smallest_float():
    flow = []
    for seed, distance in [(s, d) for s in (1, 2, 3) for d in (0, 10, 20, 50)]:
        log10 = -np.inf if distance > 10 and seed == 1 else -0.1 * distance
        row = dict.fromkeys(gradient_decay.SETTING, "x") | {"phase": "fresh"}
        row |= {"seed": seed, "distance": distance, "log10_norm": log10}
        row |= dict.fromkeys(gradient_decay.MEASURED, 1.0)
        flow.append(row | {"log10_input": log10, "log10_loss": log10})
    (row,) = gradient_decay.rows(flow)
    last = gradient_decay.by_distance(flow)[-1]
    assert (last["log10_norm_low"], last["log10_norm"]) == (-np.inf, -5)
    assert row["slope"] == pytest.approx(-0.1)  # the median of three seeds
    assert row["slope_low"] == -6.16
    assert (row["log10_50_low"], row["log10_50"]) == (-308, -5)
    assert (row["longest"], row["log10_first"]) == (50, -5)
    assert "log10_100" not in row


def test_where_not_even_the_last_input_arrives_nothing_does():
    """Would catch 0 / 0, which says that all of a gradient arrives."""
    assert gradient_decay.ratio(-np.inf, -np.inf) == -308
    assert gradient_decay.ratio(-np.inf, 0) == -308
    assert gradient_decay.ratio(-5, -2) == -3


def test_a_deeper_stack_passes_less(tables):
    rows = pd.DataFrame(tables["gradient_flow"])
    depths = rows[rows["phase"] == "stack"].set_index("depth")["log10_input"]
    assert depths[32] < depths[1] - 1


@pytest.mark.parametrize(("options", "message"), [
    ({"gains": (0.0,)}, "a gain is 0"),
    ({"gains": (-1.0,)}, "a gain is -1"),
    ({"cells": ("rnn",)}, "'rnn' is none of simple_rnn, lstm, gru"),
    ({"cells": ()}, "none of simple_rnn"),
    ({"activations": ("sigmoid",)}, "'sigmoid' is none of"),
    ({"weights": ("zeros",)}, "'zeros' is none of"),
    ({"steps": 5}, "steps is 5; at least 20"),
    ({"seeds": 0}, "seeds is 0"),
])  # fmt: skip
def test_wrong_sizes_are_one_line(options, message):
    with pytest.raises(InputError, match=message) as error:
        Sizes(**options)
    assert "\n" not in str(error.value)


def test_an_unknown_cell_is_one_line():
    with pytest.raises(InputError, match="cell is 'ugru'; choose of simple_rnn"):
        recurrent_cells.unroll("ugru", scalar(1.0), np.ones((1, 1)))
