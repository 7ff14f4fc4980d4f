"""Attention against the formulas of the papers, in NumPy."""

import keras
import numpy as np
import pytest

from rnn_tf.models import attention, encoder_decoder, translation

RANDOM = np.random.default_rng(1)
MEMORY = RANDOM.normal(size=(2, 5, 6)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], "float32")


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def run(attend, state):
    """Build a model of the attention; give its outputs and its weights by name."""
    inputs = [keras.Input(x.shape[1:]) for x in (state, MEMORY, MASK)]
    model = keras.Model(inputs, attend(*inputs))
    known = {
        layer.name: layer.get_weights()[0] for layer in model.layers if layer.weights
    }
    return *model.predict_on_batch([state, MEMORY, MASK]), known


def test_luong_is_the_formula():
    state = RANDOM.normal(size=(2, 3, 4)).astype("float32")
    context, weights, known = run(attention.luong, state)
    for row, steps in ((0, 5), (1, 3)):
        for target in range(3):
            scores = [
                state[row, target] @ known["query"] @ MEMORY[row, s] / np.sqrt(6)
                for s in range(steps)
            ]
            right = softmax(np.array(scores))
            assert weights[row, target, :steps] == pytest.approx(right, abs=1e-5)
            assert weights[row, target, steps:] == pytest.approx(0, abs=1e-7)
            mean = right @ MEMORY[row, :steps]
            assert context[row, target] == pytest.approx(mean, abs=1e-5)


def test_bahdanau_is_the_formula():
    state = RANDOM.normal(size=(2, 4)).astype("float32")
    context, weights, known = run(attention.bahdanau, state)
    for row, steps in ((0, 5), (1, 3)):
        scores = [
            np.tanh(state[row] @ known["query"] + MEMORY[row, s] @ known["keys"])
            @ known["scores"][:, 0]
            for s in range(steps)
        ]
        right = softmax(np.array(scores))
        assert weights[row, 0, :steps] == pytest.approx(right, abs=1e-5)
        assert weights[row, 0, steps:] == pytest.approx(0, abs=1e-7)
        mean = right @ MEMORY[row, :steps]
        assert context[row] == pytest.approx(mean, abs=1e-5)


@pytest.mark.parametrize("kind", ["luong", "bahdanau"])
def test_an_alignment_has_a_row_for_each_token_of_a_translation(kind):
    """Would catch a decoder of one step at a time that is given them all at once."""
    network = encoder_decoder.Network(bidirectional=True, attention=kind)
    sizes = encoder_decoder.Sizes(9, 7, 4, 4, width=3)
    model = encoder_decoder.encoder_decoder(network, sizes)
    source, target = np.array([4, 5, 6, 1]), np.array([5, 4, 1])
    weights = translation.alignment(model, source.astype("int32"), target)
    assert weights.shape == (3, 4)
    assert weights.sum(axis=1) == pytest.approx(1, abs=1e-5)
