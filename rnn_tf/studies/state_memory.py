"""Read past inputs from the states of fresh layers: how far back does a state know?"""

import itertools

import numpy as np

from rnn_tf.studies import layer_shapes, recurrent_cells
from rnn_tf.studies.recurrent_cells import CELLS

COLUMNS = "cell distance seed r2".split()
UNITS = 64


def rows(stream: int, distances: tuple[int, ...], seeds: int) -> list[dict]:
    """Read past inputs from the states of fresh layers by a linear readout.

    The input is a stream of independent numbers, so that nothing but the state can know
    the past of it. R^2 on the last quarter of the stream, fitted on what is before; not
    above 0 where nothing can be read.

    Source: Jaeger (2001), "Short term memory in echo state networks".

    Args:
        stream: steps of the input.
        distances: in steps.
        seeds: how many, of weights and of the input.

    Returns:
        The rows of `state_memory.csv`: a cell, a distance in steps, a seed.
    """
    from sklearn.linear_model import Ridge
    from sklearn.metrics import r2_score

    measured, past = [], max(distances)
    for name, seed in itertools.product(CELLS, range(1, seeds + 1)):
        inputs = np.random.default_rng(seed).uniform(-1, 1, stream)
        states = _states(name, inputs, seed)[past:]
        targets = [inputs[past - d : stream - d] for d in distances]
        targets = np.stack(targets, axis=1)
        cut = len(states) * 3 // 4
        readout = Ridge(1e-6, solver="svd").fit(states[:cut], targets[:cut])
        read = readout.predict(states[cut:])
        scores = r2_score(targets[cut:], read, multioutput="raw_values")
        for distance, score in zip(distances, scores, strict=True):
            row = {"cell": name, "distance": distance, "seed": seed}
            measured.append(row | {"r2": float(score)})
    return measured


def _states(cell: str, stream: np.ndarray, seed: int) -> np.ndarray:
    """Compute the outputs of a fresh layer of 64 units: (steps,) -> (steps, 64)."""
    random = np.random.default_rng(seed)
    weights = recurrent_cells.initial_weights(cell, 1, UNITS, random)
    inputs = stream[None, :, None]
    if cell == "lstm":
        return layer_shapes.lstm_gates(weights, inputs)["output"][0]
    if cell == "gru":
        return layer_shapes.gru_states(weights, inputs)[0]
    kernel, recurrent, bias = weights
    h, states = np.zeros(UNITS), []
    for x in inputs[0]:
        h = np.tanh(x @ kernel + h @ recurrent + bias)
        states.append(h)
    return np.array(states)
