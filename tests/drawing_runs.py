"""Runs of networks with weights by chance, and raw drawings, for the drawing page."""

import json
from pathlib import Path

import keras
import keras_tuner
import numpy as np

from experiments import sketch
from rnn_tf.data.drawings import doodles
from rnn_tf.data.drawings.stroke3 import positions
from rnn_tf.metrics import classification

NAMES = "cat", "</script><b>dog", "ice cream", "bus", "tree", "sun"
SCALE = 30.0


def by_chance(model, seed: int = 1):
    """Give a model weights of a trained network's size, that 16 bits hold exactly."""
    random = np.random.default_rng(seed)
    weights = []
    for array in model.get_weights():
        wide = 1.5 / np.sqrt(np.prod(array.shape[:-1])) if array.ndim > 1 else 0.3
        values = random.normal(0, wide, array.shape) + (array == 1)
        weights.append(values.astype("float16").astype("float32"))
    model.set_weights(weights)
    return model


def write_run(folder: Path, experiment: str, model, names=NAMES, **data) -> Path:
    """Write the folder of a finished run, as the recipe leaves it."""
    folder.mkdir(parents=True)
    data = {"source": "made", "sha256": "12" * 32, "classes": list(names)} | data
    info = {"experiment": experiment, "status": "complete", "chosen": "made"}
    info |= {"command": "python -m made", "commit": "abcdef0", "dirty": False}
    (folder / "config.json").write_text(json.dumps(info | {"data": data}))
    rows = ["model,kind,seed,split,metric,slice,value,low,high,unit,n"]
    rows += [f"made,tuned,{n},test,error,,{n},,,%,9" for n in (1, 2)]
    rows += ["made,tuned,1,test,error,cat,77,,,%,9"]
    rows += ["other,tuned,1,test,error,,88,,,%,9"]
    (folder / "metrics.csv").write_text("\n".join(rows) + "\n")
    model.save(folder / "made.keras")
    return folder


def classifier(name: str, members: int = 1):
    """Build the saved model of a run of sketch: the mean of a model's seeds."""
    parts = keras_tuner.HyperParameters(), sketch.Config(), len(NAMES)
    models = [by_chance(sketch.MODELS[name](*parts), n) for n in range(members)]
    inputs = keras.Input((None, 5), name="strokes")
    steps = keras.ops.concatenate([inputs[:, :, :2] / SCALE, inputs[:, :, 2:]], axis=-1)
    return classification.average_models(models, inputs, steps)


def classifier_run(folder: Path, name: str, members: int = 1) -> Path:
    """Write a run of sketch."""
    padding = {"scale": SCALE, "lengths": [200]}
    return write_run(folder, "sketch", classifier(name, members), padding=padding)


def generator(classes: int = len(NAMES), units: int = 48, layer: str = "LSTM"):
    """Build a network that draws: sketch-rnn's decoder, told the class."""
    points = keras.Input((None, 5), name="points")
    label = keras.Input((), dtype="int32", name="class")
    topic = keras.layers.Embedding(classes, 64, name="embedding")(label)
    steps = keras.layers.Rescaling(1 / SCALE, name="scale")(points[:, :, :2])
    everywhere = keras.ops.zeros_like(points[:, :, :1]) + topic[:, None, :]
    x = keras.ops.concatenate([steps, points[:, :, 2:], everywhere], axis=-1)
    names = ["begin_state", "begin_cell"][: 2 if layer == "LSTM" else 1]
    dense = keras.layers.Dense
    states = [dense(units, activation="tanh", name=name)(topic) for name in names]
    recurrent = getattr(keras.layers, layer)(
        units, return_sequences=True, name="recurrent"
    )
    x = recurrent(x, initial_state=states if len(states) > 1 else states[0])
    outputs = dense(123, name="mixture")(x)
    return by_chance(keras.Model([points, label], outputs))


def generator_run(folder: Path, **options) -> Path:
    """Write a run of generate."""
    return write_run(folder, "generate", generator(**options))


def raw_drawings(count: int) -> list[list]:
    """Draw as on a screen: doodles with many more points, some off, at any scale.

    Returns:
        Drawings as in Google's raw .ndjson: strokes of [[x...], [y...], [t...]].
    """
    random = np.random.default_rng(1)
    drawings, _ = doodles.doodles(count)
    return [_raw(drawing, random) for drawing in drawings]


def _raw(moves: np.ndarray, random) -> list:
    points = positions(moves)
    ends = np.flatnonzero(np.append(0, moves[:, 2])) + 1
    scale, place = random.uniform(0.2, 3.5), random.uniform(0, 90, 2)
    raw, time = [], 0
    for stroke in np.split(points, ends):
        if not len(stroke):
            continue
        at = np.linspace(0, len(stroke) - 1, 1 + 7 * (len(stroke) - 1))
        line = [np.interp(at, np.arange(len(stroke)), stroke[:, i]) for i in (0, 1)]
        line = np.stack(line) + random.normal(0, 0.8, (2, len(at)))
        line = np.round(scale * line + place[:, None], 1)
        times = time + 10 * np.arange(len(at))
        time = int(times[-1]) + 100
        raw.append([*line.tolist(), times.tolist()])
    return raw


def strokes_of(raw: list) -> list:
    """Turn a raw drawing to what the page has: strokes of [x, y, t]."""
    return [list(map(list, zip(*stroke, strict=True))) for stroke in raw]
