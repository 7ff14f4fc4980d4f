"""Check claims on gradients, by TensorFlow's tape: G7, T8, T9 and D3.

As in `shape_facts`, a function is a claim, and a case is what was measured, with what
would confirm the claim. Gradients differ by a share of their largest entry.
"""

import numpy as np

from rnn_tf.studies.case import Case
from rnn_tf.studies.gradient_facts import tape_jacobian
from rnn_tf.studies.probes import (
    CELLS,
    EQUAL,
    FEATURES,
    SAME,
    STEPS,
    after_updates,
    array,
    distance,
    draw,
    gap,
    gradients,
    masked,
    recurrent,
)

PARTS = 4  # of a batch


def the_gradient_is_a_product() -> list[Case]:
    """G7: a gradient through time is a product of recurrent weights and slopes.

    Of tanh: d h_t / d h_t-1 = diag(1 - h_t^2) W_h, in NumPy; against the tape.
    """
    rnn, x = recurrent("SimpleRNN", units=16), draw(STEPS, FEATURES)
    product = np.eye(16)
    for h in array(rnn(x[None]))[0]:
        product = np.diag(1 - h**2) @ rnn.get_weights()[1].T @ product
    off = distance([product], [tape_jacobian(rnn, x)])
    return [Case("tanh", off, most=EQUAL)]


def all_steps_update_the_weights() -> list[Case]:
    """T9: the errors of all time steps update the shared weights.

    Each step's error alone has a gradient; summed, they are that of all errors.
    """
    x, cases = draw(8, STEPS, FEATURES), []
    for cell in CELLS:
        rnn = recurrent(cell)
        by_step = [gradients(rnn, x, step) for step in range(STEPS)]
        summed = [sum(parts) for parts in zip(*by_step, strict=True)]
        off = distance(gradients(rnn, x), summed)
        least = min(np.abs(kernel).max() for kernel, *_ in by_step)
        cases.append(Case(f"the sum in {cell}", off, most=EQUAL))
        cases.append(Case(f"the least step in {cell}", float(least), least=SAME))
    return cases


def the_loop_is_unfolded() -> list[Case]:
    """T8: backpropagation unfolds the loop; and cuts it, to take any length.

    Unfolded, the gradient is that of the same layer without a loop. A cut would leave
    no gradient at the first input; and if lengths took one, rows of several lengths in
    one batch, masked, would not be as each is alone.
    """
    x, cases = draw(8, STEPS, FEATURES), []
    for cell in CELLS:
        loop, unrolled = recurrent(cell), recurrent(cell, unroll=True)
        off = distance(gradients(loop, x), gradients(unrolled, x))
        cases.append(Case(f"unfolding of {cell}", off, most=EQUAL))
    rnn, lengths = recurrent("GRU", return_sequences=False), (5, 20, 50)
    rows = draw(len(lengths), 50, FEATURES)
    together = masked(rnn, rows, lengths)
    for row, length, state in zip(rows, lengths, together, strict=True):
        alone = row[None, :length]
        off = gap(rnn(alone)[0], state)
        cases.append(Case(f"needing a cut at length {length}", off, least=EQUAL))
        first = np.abs(gradients(rnn, alone)[-1][:, 0]).max()
        cases.append(Case(f"cutting at length {length}", float(first), most=0.0))
    return cases


def accumulation_combines_gpus() -> list[Case]:
    """D3: gradient accumulation combines several GPUs.

    Then one device that accumulates the gradients of four quarters of a batch would
    fall short of the whole batch's; in Keras's optimizer, too.
    """
    x, cases = draw(32, STEPS, FEATURES), []
    for cell in CELLS:
        rnn = recurrent(cell)
        whole = gradients(rnn, x)[:-1]
        quarters = [gradients(rnn, part)[:-1] for part in np.split(x, PARTS)]
        mean = [sum(parts) / PARTS for parts in zip(*quarters, strict=True)]
        cases.append(Case(f"what {cell} lacks", distance(whole, mean), least=SAME))
    lacks = gap(after_updates(x, 1), after_updates(x, PARTS))
    devices = {variable.value.device for variable in rnn.variables}
    return [
        *cases,
        Case("what SGD lacks", lacks, least=SAME),
        Case("devices in use", len(devices), least=2),
    ]
