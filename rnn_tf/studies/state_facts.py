"""Check claims on the state of an RNN, and on masks: M1, M12, Q6, Q11, Q12 and P9.

As in `shape_facts`, a function is a claim, and a case is what was measured, with what
would confirm the claim. No training.
"""

import lazy_loader
import numpy as np

from rnn_tf.studies.case import Case
from rnn_tf.studies.probes import (
    BATCH,
    CELLS,
    FEATURES,
    MIDDLE,
    MOVED,
    SAME,
    STEPS,
    UNITS,
    array,
    as_first,
    built,
    changed,
    draw,
    gap,
    masked,
    outcome,
    recurrent,
    shape,
)

keras = lazy_loader.load("keras")


def one_to_one_is_a_mode() -> list[Case]:
    """M1: one-to-one is a mode of RNNs too.

    One step from a state of zeros. Its recurrent weights are to matter, or the layer is
    a Dense one.
    """
    x, rnn = draw(BATCH, 1, FEATURES), recurrent("SimpleRNN", return_sequences=False)
    kernel, weights, bias = rnn.get_weights()
    dense = built(keras.layers.Dense(UNITS, activation="tanh"))
    dense.set_weights([kernel, bias])
    output, plain = rnn(x), dense(x[:, 0])
    rnn.set_weights([kernel, 2 * weights, bias])
    return [
        Case("the output's shape", shape(output), equal=f"({UNITS})"),
        Case("a distance from Dense(tanh)", gap(output, plain), least=SAME),
        Case("an effect of recurrent weights", gap(output, rnn(x)), least=SAME),
    ]


def no_future_inputs() -> list[Case]:
    """M12: an RNN does not see future inputs, because it reads forward.

    An input is changed: by how much do the outputs before it move? A layer that reads
    both ways is to see it. Other reasons are none: the first input moves later outputs,
    so there is memory; with softmax and without it is the same; nothing was trained.
    """
    softmax = built(keras.layers.Dense(10, activation="softmax"), UNITS)
    networks = {cell: recurrent(cell) for cell in CELLS}
    networks["LSTM+softmax"] = keras.Sequential([networks["LSTM"], softmax])
    networks["Bidirectional"] = built(keras.layers.Bidirectional(recurrent("LSTM")))
    x = draw(BATCH, STEPS, FEATURES)
    first, middle, cases = changed(x, 0), changed(x, MIDDLE), []
    for name, network in networks.items():
        future = gap(network(x)[:, :MIDDLE], network(middle)[:, :MIDDLE])
        past = gap(network(x)[:, MIDDLE], network(first)[:, MIDDLE])
        bounds = {"least": MOVED} if name == "Bidirectional" else {"most": 0.0}
        cases.append(Case(f"the future in {name}", future, **bounds))
        cases.append(Case(f"the past in {name}", past, least=MOVED))
    return cases


def the_state_is_the_prediction() -> list[Case]:
    """Q6: the state is the prediction, and of fixed size.

    A layer's output is compared with its states, and then a network's prediction, of as
    many classes as there are units so that it can be compared.
    """
    softmax = built(keras.layers.Dense(UNITS, activation="softmax"), UNITS)
    x = draw(BATCH, STEPS, FEATURES)
    plain, lstm = (recurrent(c, return_state=True) for c in ("SimpleRNN", "LSTM"))
    outputs, h = plain(x)
    lstm_outputs, lstm_h, c = lstm(x)
    longer = plain(draw(BATCH, 50 * STEPS, FEATURES))[1]
    return [
        Case("units after 10 steps", h.shape[1], equal=UNITS),
        Case("units after 500 steps", longer.shape[1], equal=UNITS),
        Case("SimpleRNN's output", gap(outputs[:, -1], h), most=SAME),
        Case("LSTM's output against h", gap(lstm_outputs[:, -1], lstm_h), most=SAME),
        Case("LSTM's output against c", gap(lstm_outputs[:, -1], c), most=SAME),
        Case("a softmax of the state", gap(softmax(h), h), most=SAME),
    ]


def steps_share_their_weights() -> list[Case]:
    """Q11: an RNN has the same weights at each step, and so fewer parameters.

    Each step of a sequence is done again as the first of another, from the same input
    and state. Parameters are to be fewer than those of a layer for each step.
    """
    x, cases = draw(BATCH, STEPS, FEATURES), []
    for cell in CELLS:
        rnn = recurrent(cell, return_state=True)
        outputs = rnn(x)[0]
        off = [gap(outputs[:, t], as_first(rnn, x, t)) for t in (1, 5, STEPS - 1)]
        cases.append(Case(f"steps of {cell}", max(off), most=SAME))
    for steps in (2, STEPS):
        own = [recurrent("GRU").count_params() for _ in range(steps)]
        fewer, name = sum(own) - 1, f"parameters for {steps} steps"
        cases.append(Case(name, rnn.count_params(), most=fewer))
    return cases


def each_step_updates_the_state() -> list[Case]:
    """Q12: the state is updated at each step, and reset after each prediction.

    Least change from one state to the next, and in masked steps the largest; and by how
    much a second prediction from the same input differs from the first.
    """
    x, cases = draw(BATCH, STEPS, FEATURES), []
    for cell in CELLS:
        states = array(recurrent(cell)(x))
        change = np.abs(np.diff(states, axis=1)).max(axis=-1).min()
        cases.append(Case(f"steps of {cell}", float(change), least=SAME))
    states = masked(recurrent("GRU"), x, [MIDDLE] * BATCH)[:, MIDDLE - 1 :]
    change = np.abs(np.diff(states, axis=1)).max()
    cases.append(Case("masked steps", float(change), least=SAME))
    for stateful in (False, True):
        rnn = recurrent("GRU", stateful=stateful)
        cases.append(Case(f"stateful={stateful}", gap(rnn(x), rnn(x)), most=0.0))
    return cases


def a_mask_replaces_padding() -> list[Case]:
    """P9: a mask takes the place of padding.

    Rows of 5, 8 and 10 steps are to run without padding. If they are padded, no padding
    is to be left behind the mask; and rows that have none are to be masked as well.
    """
    rows = [draw(length, FEATURES) for length in (5, 8, STEPS)]
    padded = np.stack([np.pad(r, ((0, STEPS - len(r)), (0, 0))) for r in rows])
    masking, full = keras.layers.Masking(), draw(BATCH, STEPS, FEATURES)
    empty = (array(masking(padded)) == 0).all(axis=-1).sum()
    marked = (array(masking.compute_mask(full)) == 0).sum()
    unpadded = outcome(keras.ops.convert_to_tensor, rows)
    return [
        Case("rows without padding", unpadded, equal="runs"),
        Case("padded steps behind the mask", int(empty), equal=0),
        Case("masked steps of full rows", int(marked), least=1),
    ]
