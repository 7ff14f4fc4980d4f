"""Measure whether the rows of a padded batch equal each row alone.

Rows of several lengths are padded to one, at their end ("post") or before their start
("pre"). What a layer then gives for each is compared with what it gives for the row by
itself, by the largest difference of a number. Three ways with the padding:

- no mask: the layer reads it as it does all else;
- output mask: the same, and then outputs at padded steps are made zeros;
- state mask: Keras's `mask`, or TensorFlow 1's `sequence_length`: at padded steps the
  state stays as it is.

No training: weights are random, biases too, so that reading zeros changes a state.
"""

from collections.abc import Iterator

import lazy_loader
import numpy as np

from rnn_tf.errors import first_line
from rnn_tf.models import layers
from rnn_tf.studies import static_and_dynamic

keras = lazy_loader.load("keras")

COLUMNS = "function way side direction part gap error".split()
WAYS = "no mask", "output mask", "state mask"
LENGTHS = np.array([3, 5, 8, 8, 11, 12])
STEPS, FEATURES, UNITS = 12, 5, 8
CHUNKS = 1, 5  # steps of the chunks of a stream
STATIC, DYNAMIC = "static_rnn", "dynamic_rnn"


def rows(cells: tuple[str, ...], graphs: bool) -> Iterator[dict]:
    """Compare all; rows of `equality.csv`.

    Args:
        cells: keys of `layers.CELLS`.
        graphs: whether to try TensorFlow 1's functions too.
    """
    for cell in (layers.CELLS[name] for name in cells):
        yield from padded_rows(cell)
        yield from chunk_rows(cell)
    if graphs:
        yield from graph_rows(STATIC, "static")
        yield from graph_rows(DYNAMIC, "dynamic")


def sequences() -> list[np.ndarray]:
    """Draw a sequence of each length: (length, features) float32."""
    random = np.random.default_rng(3)
    return [random.normal(size=(n, FEATURES)).astype("float32") for n in LENGTHS]


def padded(parts: list[np.ndarray], side: str) -> tuple[np.ndarray, np.ndarray]:
    """Pad sequences with zeros to STEPS.

    Returns:
        (rows, STEPS, features) and the mask of what is real, (rows, STEPS) bool.
    """
    step, ends = np.arange(STEPS), np.array([len(part) for part in parts])[:, None]
    mask = step < ends if side == "post" else step >= STEPS - ends
    whole = np.zeros((*mask.shape, parts[0].shape[1]), "float32")
    whole[mask] = np.concatenate(parts)
    return whole, mask


# ---------------------------------------------------------------- Keras


def layer(cell: str, direction: str, sequences: bool = True):
    """Build a layer of random weights and biases, the same whenever it is called."""
    rnn = getattr(keras.layers, cell)(UNITS, return_sequences=sequences)
    if direction == "both":
        rnn = keras.layers.Bidirectional(rnn)
    rnn.build((None, None, FEATURES))
    random = np.random.default_rng(4)
    rnn.set_weights([random.normal(0, 0.5, w.shape) for w in rnn.get_weights()])
    return rnn


def padded_rows(cell: str) -> Iterator[dict]:
    """Compare a padded batch with each row alone, by Keras."""
    for direction in ("forward", "both"):
        whole, last = (layer(cell, direction, kind) for kind in (True, False))
        alone = [_array(whole(part[None]))[0] for part in sequences()]
        ends = np.concatenate([_array(last(part[None])) for part in sequences()])
        for side in ("post", "pre"):
            values, mask = padded(sequences(), side)
            for way in WAYS:
                outputs, final = _read(whole, last, values, mask, way)
                gaps = {
                    "outputs": outputs[mask] - np.concatenate(alone),
                    "last": final - ends,
                }
                row = {"function": cell, "way": way, "side": side}
                for part, gap in gaps.items():
                    row |= {"direction": direction, "part": part}
                    yield row | {"gap": float(np.abs(gap).max())}


def _read(whole, last, values, mask, way: str) -> tuple[np.ndarray, np.ndarray]:
    """Read a padded batch in one of the ways: outputs over time, and the last one.

    With an output mask the last one is that of the last step, whose row may have ended.
    """
    if way == "state mask":
        mask = keras.ops.convert_to_tensor(mask)
        return _array(whole(values, mask=mask)), _array(last(values, mask=mask))
    outputs, final = _array(whole(values)), _array(last(values))
    if way == "output mask":
        outputs, final = outputs * mask[..., None], final * mask[:, -1:]
    return outputs, final


def chunk_rows(cell: str) -> Iterator[dict]:
    """Read a sequence in chunks, its state carried on or not, against all at once."""
    options = {"return_sequences": True, "return_state": True, "seed": 1}
    rnn = getattr(keras.layers, cell)(UNITS, **options)
    values, _ = padded(sequences(), "post")
    whole = _array(rnn(values)[0])
    for steps in CHUNKS:
        for carried in (True, False):
            state, outputs = None, []
            for start in range(0, STEPS, steps):
                chunk = values[:, start : start + steps]
                output, *state = rnn(chunk, initial_state=state if carried else None)
                outputs.append(_array(output))
            gap = np.abs(np.concatenate(outputs, axis=1) - whole).max()
            way = f"chunks of {steps}, state {'carried' if carried else 'reset'}"
            yield {"function": cell, "way": way, "part": "outputs", "gap": float(gap)}


def _array(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


# ---------------------------------------------------------------- TensorFlow 1


def graph_rows(function: str, kind: str) -> Iterator[dict]:
    """Compare rows of a batch with the formula of each alone, by TensorFlow 1."""
    row = {"function": function, "way": "sequence_length", "side": "post"}
    try:
        loop = static_and_dynamic.graph_loop(kind, STEPS)
    except Exception as error:  # a TensorFlow that has no such function, or none at all
        yield row | {"error": first_line(error)}
        return
    values = static_and_dynamic.inputs(STEPS)
    lengths = np.arange(len(values)) % STEPS + 1
    outputs, state, *_ = loop.update(values, lengths.astype("int32"))
    alone = [formula(values[n, :end]) for n, end in enumerate(lengths)]
    real = np.arange(STEPS) < lengths[:, None]
    gaps = {
        "outputs": outputs[real] - np.concatenate(alone),
        "last": state - np.stack([states[-1] for states in alone]),
        "after the end": outputs[~real],
    }
    for part, gap in gaps.items():
        yield row | {"part": part, "gap": float(np.abs(gap).max())}
    yield row | {"part": "another length"} | _another(loop, STEPS + 5)


def _another(loop, steps: int) -> dict:
    """Try a batch of another length: the gap of its last states, or the error."""
    values = static_and_dynamic.inputs(steps)
    try:
        _, state, *_ = loop.update(values, np.full(len(values), steps, "int32"))
    except ValueError as error:
        return {"error": first_line(error)}
    alone = np.stack([formula(part)[-1] for part in values])
    return {"gap": float(np.abs(state - alone).max())}


def formula(values: np.ndarray) -> np.ndarray:
    """Compute h_t = tanh(x_t W + h_{t-1} U + b): (steps, units)."""
    kernel, recurrent, bias = static_and_dynamic.weights()
    state, states = np.zeros(len(recurrent)), []
    for x in values:
        state = np.tanh(x @ kernel + state @ recurrent + bias)
        states.append(state)
    return np.stack(states)
