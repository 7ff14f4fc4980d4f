"""Check claims on shapes: S1 to S7, M10, M11 and E5.

A function is a claim, as its docstring says it; a case of what it returns is what was
measured, with what would confirm the claim. No training.
"""

import lazy_loader
import numpy as np

from rnn_tf.studies.case import Case
from rnn_tf.studies.layer_shapes import quiz_formula, quiz_model
from rnn_tf.studies.probes import (
    BATCH,
    CELLS,
    EQUAL,
    FEATURES,
    STEPS,
    UNITS,
    draw,
    gap,
    outcome,
    recurrent,
    shape,
    stacked,
)

keras = lazy_loader.load("keras")


def input_is_batch_time_features() -> list[Case]:
    """S1: an RNN layer's input is (batch, time, features), of three axes alone."""
    cases = []
    for cell in CELLS:
        layer = getattr(keras.layers, cell)
        three, two = (BATCH, STEPS, FEATURES), (BATCH, FEATURES)
        runs = outcome(layer(UNITS), draw(*three))
        cases.append(Case(f"{cell} on {three}", runs, equal="runs"))
        for wrong in (two, (*three, 1)):
            runs = outcome(layer(UNITS), draw(*wrong))
            cases.append(Case(f"{cell} on {wrong}", runs, equal="error"))
    return cases


def output_begins_with_hidden_size() -> list[Case]:
    """S2: an output has three axes always: hidden size, batch, time."""
    claimed, x = str((UNITS, BATCH, STEPS)), draw(BATCH, STEPS, FEATURES)
    cases = []
    for cell in CELLS:
        for sequences in (True, False):
            output = recurrent(cell, return_sequences=sequences)(x)
            name = f"{cell} with {sequences}"
            cases.append(Case(name, str(tuple(output.shape)), equal=claimed))
    return cases


def all_but_the_last_for_sequences() -> list[Case]:
    """S3: to give a sequence, all layers but the last return sequences."""
    claimed = f"({STEPS}, {UNITS})"
    return [
        Case("True-False", stacked(True, False), equal=claimed),
        Case("True-True-False", stacked(True, True, False), equal=claimed),
    ]


def none_for_vectors() -> list[Case]:
    """S4: to give a vector, no layer of a deep network returns sequences."""
    return [
        Case("False-False", outcome(stacked, False, False), equal="runs"),
        Case("False-False-False", outcome(stacked, False, False, False), equal="runs"),
    ]


def true_then_false() -> list[Case]:
    """S5: two layers, True then False: (10, 32) to (10, 64) to (64)."""
    return [
        Case("the input", shape(draw(BATCH, STEPS, FEATURES)), equal="(10, 32)"),
        Case("the first layer", stacked(True), equal="(10, 64)"),
        Case("the second layer", stacked(True, False), equal="(64)"),
    ]


def any_length() -> list[Case]:
    """S6: an RNN takes any length, and its size does not grow with it."""
    rnn, cases = recurrent("GRU"), []
    for steps in (5, 50, 500):
        x, own = draw(BATCH, steps, FEATURES), keras.layers.GRU(UNITS)
        own.build(x.shape)
        size = own.count_params()
        cases.append(Case(f"{steps} steps", outcome(rnn, x), equal="runs"))
        cases.append(Case(f"the size for {steps}", size, equal=rnn.count_params()))
    return cases


def the_quiz_model() -> list[Case]:
    """S7: the quiz's model: embedding 10 x 30, tanh RNN 30 to 128, decoder 128 to 10.

    With its formula written out: h_t = tanh(x_t W_x + h_t-1 W_h + b).
    """
    model, tokens = quiz_model(), np.arange(BATCH * STEPS).reshape(BATCH, STEPS) % 10
    random = np.random.default_rng(1)
    model.set_weights([random.normal(0, 0.1, w.shape) for w in model.get_weights()])
    embedding, kernel, _, _, decoder, _ = weights = model.get_weights()
    off = gap(model(tokens), quiz_formula(weights, tokens))
    return [
        Case("the embedding", str(embedding.shape), equal="(10, 30)"),
        Case("the RNN", str(kernel.shape), equal="(30, 128)"),
        Case("the decoder", str(decoder.shape), equal="(128, 10)"),
        Case("the formula", off, most=EQUAL),
    ]


def sequences_keep_the_shape() -> list[Case]:
    """M10: return_sequences=True keeps the input's shape, and vectors need more work.

    What confirms the second half is an output that is no vector yet. The course's
    example has a third layer with False, and gives it (10, 64).
    """
    same, wider = f"({STEPS}, {FEATURES})", f"({STEPS}, {UNITS})"
    return [
        Case("32 features by 32 units", stacked(True, units=FEATURES), equal=same),
        Case("32 features by 64 units", stacked(True), equal=same),
        Case("vectors after True-True", stacked(True, True), equal=wider),
        Case("vectors after True-False", stacked(True, False), equal=wider),
        Case("its third layer", stacked(True, True, False), equal=wider),
    ]


def only_features_are_fixed() -> list[Case]:
    """M11: batch and time may vary, features not; the output feeds an RNN or a Dense.

    One layer that is built already is called on other shapes.
    """
    rnn, x = recurrent("LSTM"), draw(BATCH, STEPS, FEATURES)
    dense, deeper, sequence = keras.layers.Dense, keras.layers.GRU, rnn(x)
    steps, few = draw(BATCH, 23, FEATURES), draw(BATCH, STEPS, 31)
    return [
        Case("7 rows instead of 4", outcome(rnn, draw(7, 10, 32)), equal="runs"),
        Case("23 steps instead of 10", outcome(rnn, steps), equal="runs"),
        Case("31 features instead of 32", outcome(rnn, few), equal="error"),
        Case("sequences into an RNN", outcome(deeper(8), sequence), equal="runs"),
        Case("sequences into a Dense", outcome(dense(8), sequence), equal="runs"),
        Case("vectors into a Dense", outcome(dense(8), sequence[:, -1]), equal="runs"),
    ]


def the_decoder_gives_a_sequence() -> list[Case]:
    """E5: the quiz's decoder produces a sequence: ten numbers for each token."""
    model, cases = quiz_model(), []
    for steps in (5, STEPS, 50):
        output = model(np.ones((BATCH, steps), "int32"))
        cases.append(Case(f"{steps} tokens", shape(output), equal=f"({steps}, 10)"))
    return cases
