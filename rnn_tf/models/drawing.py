"""A network that draws: sketch-rnn's decoder, told what to draw by a class.

It takes the points so far and gives the mixture from which the next one is drawn, so a
drawing is drawn by giving it its own points back. Source: Ha and Eck (2017),
arXiv:1704.03477, section 3.2, with a class's embedding in place of the vector z.

Layers have names, by which `artist` and other programs find them: scale, embedding,
begin_state, begin_cell (of an LSTM), recurrent, mixture.
"""

from dataclasses import dataclass
from typing import NamedTuple

import lazy_loader
import numpy as np

from rnn_tf.data.drawings.next_points import BEGIN
from rnn_tf.data.drawings.stroke3 import BadDrawing, fit_box
from rnn_tf.models import layers, mixture_density

keras = lazy_loader.load("keras")

EMBEDDING = 64
BATCH = 512  # drawings that are drawn together, at most


@dataclass(frozen=True)
class Sizes:
    """What a network must know of the data."""

    classes: int
    scale: float  # dx and dy are divided by it


def network(
    sizes: Sizes, cell: str, units: int, dropout: float = 0.0, told: bool = True
):
    """Build a network that draws.

    Args:
        sizes: of the data.
        cell: lstm or gru.
        units: of the recurrent layer.
        dropout: share of what it reads and of what it gives that training drops.
        told: whether it is told the class; else all are the same to it.

    Returns:
        A Keras model: the points before, stroke-5 with steps in the drawings' own unit,
        (batch, steps, 5), and the classes, (batch,) int -> what `mixture_density` says
        of the next points in shares of the scale, (batch, steps, WIDTH).
    """
    points = keras.Input((None, 5), name="points")
    label = keras.Input((), dtype="int32", name="class")
    known = label if told else keras.ops.zeros_like(label)
    count = sizes.classes if told else 1
    topic = keras.layers.Embedding(count, EMBEDDING, name="embedding")(known)
    steps = keras.layers.Rescaling(1 / sizes.scale, name="scale")(points[:, :, :2])
    once = keras.ops.zeros_like(points[:, :, :1])
    everywhere = once + topic[:, None, :]
    x = keras.ops.concatenate([steps, points[:, :, 2:], everywhere], axis=-1)
    x = keras.layers.Dropout(dropout)(x)
    states = [
        keras.layers.Dense(units, activation="tanh", name=name)(topic)
        for name in ("begin_state", "begin_cell")[: 2 if cell == "lstm" else 1]
    ]
    make = layers.recurrent(cell)
    recurrent = make(units, return_sequences=True, name="recurrent")
    x = recurrent(x, initial_state=states if len(states) > 1 else states[0])
    x = keras.layers.Dropout(dropout)(x)
    mixture = keras.layers.Dense(mixture_density.WIDTH, dtype="float32", name="mixture")
    return keras.Model([points, label], mixture(x))


# ---------------------------------------------------------------- drawing


class Drawn(NamedTuple):
    """Drawings that a network has drawn."""

    points: np.ndarray  # (drawings, limit, 5) stroke-5, steps in the drawings' own unit
    lengths: np.ndarray  # (drawings,): points of each, without the end
    ended: np.ndarray  # (drawings,) bool: by itself, and not by the limit


def draw(artist, labels: np.ndarray, temperatures, limit: int, seed: int) -> Drawn:
    """Draw drawings, many at once; the same on every engine, but for rounding.

    Args:
        artist: of `artist`.
        labels: (drawings,) int, the class of each.
        temperatures: (drawings,) or one for all, above 0.
        limit: points of a drawing, at most.
        seed: same seed, same drawings; more of them begin with the same ones.
    """
    count = len(labels)
    temperatures = np.broadcast_to(temperatures, count).astype("float32")
    uniform, normal = (np.random.default_rng((seed, n)) for n in range(2))
    cuts = np.array_split(np.arange(count), -(-count // BATCH))
    rows = -(-len(cuts[0]) // 16) * 16  # few shapes
    points = []
    for which in cuts:
        shape = len(which), limit, mixture_density.NOISE // 2
        noise = [uniform.random(shape), normal.normal(size=shape)]
        inputs = labels[which], temperatures[which], np.concatenate(noise, axis=-1)
        padded = [np.resize(x, (rows, *x.shape[1:])) for x in inputs]
        kinds = zip(padded, ("int32", "float32", "float32"), strict=True)
        batch = artist.predict_on_batch(tuple(x.astype(kind) for x, kind in kinds))
        points.append(np.asarray(batch)[: len(which)])
    points = np.concatenate(points)
    over = points[..., 4] > 0
    ended = over.any(axis=1)
    return Drawn(points, np.where(ended, over.argmax(axis=1), limit), ended)


def to_drawings(drawn: Drawn) -> list[np.ndarray | None]:
    """Scale what was drawn to the box of drawings; None where nothing was drawn."""
    drawings = []
    for points, length in zip(drawn.points, drawn.lengths, strict=True):
        try:
            drawings.append(fit_box(points[:length, [0, 1, 3]]))
        except BadDrawing:
            drawings.append(None)
    return drawings


def artist(model):
    """Make the model that draws with the layers of a trained one.

    It takes classes, (rows,) int; temperatures, (rows,); and noise, (rows, limit,
    NOISE), see `mixture_density.sample`. It gives points, (rows, limit, 5), stroke-5;
    what has ended is all ends. Keras compiles it on any engine, by `predict_on_batch`:
    one loop over the steps, until all have ended.

    Args:
        model: of `network`.
    """
    layer = {layer.name: layer for layer in model.layers}
    cell, embedding = layer["recurrent"].cell, layer["embedding"]
    begin = [layer[name] for name in ("begin_state", "begin_cell") if name in layer]
    unit = 1 / float(layer["scale"].scale)

    class Artist(keras.Model):
        def call(self, inputs):
            labels, temperatures, noise = inputs
            labels = labels if embedding.input_dim > 1 else keras.ops.zeros_like(labels)
            topic = embedding(labels)

            def step(point, states, noise):
                x = keras.ops.concatenate([point, topic], axis=-1)
                x, states = cell(x, states)
                outputs = layer["mixture"](x)
                drawn = mixture_density.sample(outputs, noise, temperatures[:, None])
                return drawn, states

            points = _loop(step, [dense(topic) for dense in begin], noise)
            steps = points[..., :2] * unit
            return keras.ops.concatenate([steps, points[..., 2:]], axis=-1)

    return Artist()


def _loop(step, states: list, noise):
    """Take steps until all have ended, or the noise has: points, (rows, limit, 5)."""
    ops, limit = keras.ops, noise.shape[1]
    begin = ops.zeros_like(noise[:, 0, :1]) + BEGIN
    over = ops.zeros_like(noise[:, :, :1]) + np.array([0, 0, 0, 0, 1], "float32")

    def goes_on(number, points, last, *states):
        return ops.logical_and(number < limit, ops.any(last[:, 4] == 0))

    def body(number, points, last, *states):
        drawn, states = step(last, list(states), ops.take(noise, number, axis=1))
        drawn = ops.where(last[:, 4:] > 0, over[:, 0], drawn)
        here = ops.cast(ops.arange(limit) == number, "float32")[:, None]
        points = points + here * (drawn[:, None] - points)
        return number + 1, points, drawn, *states

    start = ops.zeros((), "int32"), over, begin, *states
    _, points, *_ = ops.while_loop(goes_on, body, start)
    return points
