"""Check claims on single formulas: G10, L10, L12, L14, Q8 and Q14.

As in `shape_facts`, a function is a claim, and a case is what was measured, with what
would confirm the claim. No training.
"""

import lazy_loader
import numpy as np

from rnn_tf.studies.case import Case
from rnn_tf.studies.layer_shapes import lstm_gates
from rnn_tf.studies.probes import (
    BATCH,
    EQUAL,
    FEATURES,
    STEPS,
    UNITS,
    array,
    clipped,
    draw,
    gap,
    recurrent,
    shape,
)

keras = lazy_loader.load("keras")

NUMBERS = 10_000  # that tanh is given
CLASSES = 7


def clipping_resets() -> list[Case]:
    """G10: past a threshold, clipping resets gradients to a small number.

    Then their direction is lost: the cosine to the gradient before is below 1.
    """
    gradient, cases = 50 * draw(20), []
    for kind in ("norm", "value"):
        left = clipped(f"clip{kind}", gradient)
        lengths = np.linalg.norm(left) * np.linalg.norm(gradient)
        cosine = float(left @ gradient / lengths)
        cases.append(Case(f"by {kind}", cosine, most=1 - EQUAL))
    return cases


def loss_is_summed_cross_entropy() -> list[Case]:
    """L10: the loss is cross-entropy, -log of the right class, summed over the steps.

    A share of what Keras has: by the step, and over all steps.
    """
    probabilities = array(keras.ops.softmax(draw(STEPS, CLASSES)))
    right = np.arange(STEPS) % CLASSES
    by_hand = -np.log(probabilities[np.arange(STEPS), right])
    loss = keras.losses.SparseCategoricalCrossentropy()
    value = float(array(loss(right, probabilities)))
    mean, summed = value / by_hand.mean(), value / by_hand.sum()
    return [
        Case("cross-entropy", mean, least=1 - EQUAL, most=1 + EQUAL),
        Case("its sum over the steps", summed, least=1 - EQUAL, most=1 + EQUAL),
    ]


def softmax_sums_to_one() -> list[Case]:
    """L12: softmax gives non-negative numbers that sum to 1, as many as it takes."""
    given = 10 * draw(BATCH, CLASSES)
    numbers = keras.ops.softmax(given)
    off = np.abs(array(numbers).sum(axis=1) - 1).max()
    return [
        Case("not negative", float(array(numbers).min()), least=0.0),
        Case("sum to 1", float(off), most=EQUAL),
        Case("as many", shape(numbers), equal=shape(given)),
    ]


def softmax_picks_the_likeliest() -> list[Case]:
    """L14: softmax picks the likeliest word, always the same: its chance is 1."""
    chances = keras.ops.softmax(draw(1, CLASSES))
    draws = keras.random.categorical(keras.ops.log(chances), 100, seed=1)
    others = 1 - array(chances).max()
    return [
        Case("the chance of others", float(others), most=0.0),
        Case("different words of 100 draws", len(np.unique(array(draws))), equal=1),
    ]


def tanh_normalises() -> list[Case]:
    """Q8: tanh normalises its input, to mean 0 and deviation 1; and it is positive."""
    cases = []
    for mean, deviation in ((2, 1), (20, 10)):
        name = f"N({mean}, {deviation})"
        x = keras.ops.convert_to_tensor(mean + deviation * draw(NUMBERS))
        y = array(keras.ops.tanh(x))
        cases += [
            Case(f"the mean of {name}", float(y.mean()), least=-0.1, most=0.1),
            Case(f"the deviation of {name}", float(y.std()), least=0.9, most=1.1),
            Case(f"the smallest of {name}", float(y.min()), least=0.0),
        ]
    return cases


def lstm_has_gates() -> list[Case]:
    """Q14: an LSTM computes what its gates' formulas say, with 4 (n (n + m) + n)."""
    rnn, x = recurrent("LSTM"), draw(BATCH, STEPS, FEATURES)
    off = gap(rnn(x), lstm_gates(rnn.get_weights(), x)["output"])
    count = 4 * (UNITS * (UNITS + FEATURES) + UNITS)
    return [
        Case("the formulas", off, most=EQUAL),
        Case("the parameters", rnn.count_params(), equal=count),
    ]
