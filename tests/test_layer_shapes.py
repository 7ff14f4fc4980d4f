"""What layers take, give and compute: Keras against rules and formulas by hand."""

import io

import keras
import numpy as np
import pytest
from rich.console import Console

from rnn_tf.studies import layer_shapes

RANDOM = np.random.default_rng(1)


@pytest.fixture(scope="module")
def shapes():
    return layer_shapes.shape_rows()


def stacks(rows, **wanted):
    """The rows of stacks with a proper input."""
    rows = [row for row in rows if row["input"] == "(4, 10, 32)"]
    return [row for row in rows if all(row[k] == v for k, v in wanted.items())]


# ------------------------------------------------------------------- shapes


def test_every_combination_of_return_sequences_is_tried(shapes):
    for cell in layer_shapes.CELLS:
        tried = {row["return_sequences"] for row in stacks(shapes, cell=cell)}
        assert len(tried) == 2 + 4 + 8
    assert {name for row in shapes for name in row} == set(layer_shapes.SHAPES)


def test_a_stack_builds_if_every_layer_that_feeds_another_returns_sequences(shapes):
    """S4 says "False on all layers": Keras refuses that from two layers on."""
    for row in stacks(shapes):
        feeding = row["return_sequences"].split()[:-1]
        assert row["builds"] == ("False" not in feeding), row
        assert ("expected ndim=3, found ndim=2" in row["error"]) != row["builds"]


def test_only_a_last_layer_that_returns_sequences_is_seq_to_seq(shapes):
    """S3 says "True on all layers but the last": that is seq-to-vector."""
    for row in stacks(shapes, builds=True):
        last = row["return_sequences"].split()[-1]
        head = {"True": "seq-to-seq", "False": "seq-to-vector"}[last]
        shape = {"True": "(4, 10, 64)", "False": "(4, 64)"}[last]
        assert row["head"] == head
        assert row["outputs"].split(" -> ")[-1] == shape
        assert row["trains_on_7"] == (last == "True")
        assert row["trains_on_1"]  # silently broadcast where it should not train


def test_the_courses_own_example_is_true_then_false(shapes):
    """S5: (10, 32) -> (10, 64) -> (64)."""
    for cell in layer_shapes.CELLS:
        rows = stacks(shapes, cell=cell, outputs="(4, 10, 64) -> (4, 64)", builds=True)
        assert [row["return_sequences"] for row in rows] == ["True False"]


def test_only_batch_time_features_will_do(shapes):
    wrong = [row for row in shapes if row["input"] != "(4, 10, 32)"]
    assert {row["input"] for row in wrong} == {"(4, 32)", "(4, 10, 32, 1)"}
    assert not any(row["builds"] for row in wrong)


def test_the_table_has_a_line_per_stack_and_fits_80_columns(shapes):
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(layer_shapes.shape_table(shapes))
    lines = console.export_text().splitlines()
    assert sum(line.startswith((" True", " False")) for line in lines) == 14 + 2
    assert not any("(SimpleRNN" in line for line in lines)  # all three agree
    odd = [row | {"builds": False} for row in shapes[:1]] + shapes[1:]
    console.print(layer_shapes.shape_table(odd))
    assert "True (SimpleRNN)" in console.export_text()


# ------------------------------------------------------------------- the quiz's model


def test_the_quizs_model_has_the_parameters_of_its_docstring():
    model = layer_shapes.quiz_model()
    counts = {layer.name: layer.count_params() for layer in model.layers[1:]}
    assert counts == {"embedding": 300, "rnn": 20_352, "decoder": 1_290}
    assert model.output_shape == (None, 10)
    for count in counts.values():
        assert f"{count:,}" in layer_shapes.quiz_model.__doc__


@pytest.mark.parametrize("length", [1, 2, 50])
def test_the_quizs_model_is_its_formula(length):
    """Would catch a transposed kernel, or a state that does not start at 0."""
    model = layer_shapes.quiz_model()
    # Small enough that rounding does not grow from step to step.
    weights = [RANDOM.normal(0, 0.06, w.shape) for w in model.get_weights()]
    model.set_weights(weights)
    tokens = RANDOM.integers(0, 10, (5, length))
    np.testing.assert_allclose(
        model.predict(tokens, verbose=0),
        layer_shapes.quiz_formula(weights, tokens),
        atol=1e-5,
    )


def test_the_formula_by_hand():
    """One unit: h1 = tanh(2 * 0.5), h2 = tanh(2 * 0.1 + 3 h1), and 4 h2 comes out."""
    embedding, kernel = np.array([[0.5], [0.1]]), np.array([[2.0]])
    weights = [embedding, kernel, np.array([[3.0]]), np.zeros(1), np.array([[4.0]])]
    found = layer_shapes.quiz_formula([*weights, np.zeros(1)], np.array([[0, 1]]))
    assert found[0, 0] == pytest.approx(4 * np.tanh(0.2 + 3 * np.tanh(1.0)))


def test_pytorch_has_a_second_bias():
    rows = {row["part"]: row for row in layer_shapes.quiz_rows()}
    assert rows["model"]["pytorch_parameters"] - rows["model"]["parameters"] == 128
    assert rows["model"]["parameters"] == 300 + 20_352 + 1_290
    assert 0 < rows["model"]["max_difference"] < 1e-5


# ------------------------------------------------------------------- inside an LSTM


def test_gates_recomputed_by_hand_give_keras_output():
    """Would catch gates in another order than Keras keeps them."""
    layer = keras.layers.LSTM(6, return_sequences=True)
    inputs = RANDOM.normal(size=(4, 30, 3)).astype("float32")
    layer.build(inputs.shape)
    layer.set_weights([RANDOM.normal(0, 0.5, w.shape) for w in layer.get_weights()])
    gates = layer_shapes.lstm_gates(layer.get_weights(), inputs)
    found = keras.ops.convert_to_numpy(layer(inputs))
    np.testing.assert_allclose(gates["output"], found, atol=1e-5)
    for name in ("input gate", "forget gate", "output gate"):
        assert gates[name].shape == (4, 30, 6)
        assert gates[name].min() > 0
        assert gates[name].max() < 1


def test_a_closed_input_gate_and_an_open_forget_gate_keep_the_state():
    """One unit by hand: its state is set at the first step and never lost."""
    #        input  forget candidate output
    kernel = np.array([[40.0, 0.0, 40.0, 0.0]])
    bias = np.array([-20.0, 20.0, -20.0, 20.0])
    gates = layer_shapes.lstm_gates(
        [kernel, np.zeros((1, 4)), bias], np.eye(5)[None, :, :1]
    )
    np.testing.assert_allclose(gates["cell state"][0, :, 0], np.ones(5), atol=1e-6)
    np.testing.assert_allclose(gates["input gate"][0, :, 0], [1, 0, 0, 0, 0], atol=1e-6)


# ------------------------------------------------------------------- any length


def test_a_recurrent_model_takes_any_length_and_an_mlp_one():
    inputs = keras.Input((None, 1))
    recurrent = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.GRU(4)(inputs)))
    inputs = keras.Input((10, 1))
    flat = keras.layers.Flatten()(inputs)
    mlp = keras.Model(inputs, keras.layers.Dense(1)(flat))
    pairs = {n: (np.ones((6, n, 1), "float32"), np.ones(6)) for n in (5, 10, 500)}
    rows = layer_shapes.length_rows({"gru": recurrent, "mlp": mlp}, pairs)
    runs = {(row["model"], row["length"]): row["runs"] for row in rows}
    assert runs == {
        ("gru", 5): True, ("gru", 10): True, ("gru", 500): True,
        ("mlp", 5): False, ("mlp", 10): True, ("mlp", 500): False,
    }  # fmt: skip
    assert {r["parameters"] for r in rows if r["model"] == "gru"} == {84 + 5}
    by_hand = np.mean((mlp.predict(pairs[10][0], verbose=0)[:, 0] - 1) ** 2)
    assert rows[4]["mse"] == pytest.approx(by_hand)
    assert rows[3]["error"]
