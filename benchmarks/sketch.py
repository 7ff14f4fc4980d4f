"""Train the sketch networks: drawings a second, and time to the textbook's error.

The textbook's program is that of Geron (2022), "Hands-On Machine Learning", 3rd
edition, exercise 9 of chapter 15: TFRecords, batches of 32 padded to their longest
drawing, which is cut at 100 points, and Keras's `fit`. The others train its network on
the same drawings, and ours its own network too.
"""

import functools
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import lazy_loader
import numpy as np

from benchmarks.contest import Contender, Work
from experiments import sketch
from rnn_tf.config import RunConfig
from rnn_tf.data.drawings import augmentation, batches, doodles
from rnn_tf.data.order import Order
from rnn_tf.devices import backend, strategy
from rnn_tf.devices.devices import Devices
from rnn_tf.errors import RunError

keras = lazy_loader.load("keras")

COUNT, BATCH, LONGEST = 8_000, 32, 100
ERROR = 25.0  # % of validation; the textbook's network reaches it in some 30 epochs
EPOCHS = 60  # a network that has not reached it by then has failed
STEPS = 10_000  # gradient steps of a full-size run, for which models are compiled


@functools.cache
def _drawings():
    """Make doodles in three parts."""
    return doodles.labelled(COUNT)


def _sizes() -> tuple[int, int]:
    """Count the drawings of an epoch, in whole batches, and the classes."""
    drawings = _drawings()
    return len(drawings.parts["train"].labels) // BATCH * BATCH, len(drawings.classes)


# ---------------------------------------------------------------- the textbook's


@functools.cache
def _records() -> dict[str, str]:
    """Write a TFRecord file for each part, as Google's tutorial does."""
    tf = backend.import_tensorflow()
    _records.kept = tempfile.TemporaryDirectory()
    files = {}
    for split, part in _drawings().parts.items():
        files[split] = str(Path(_records.kept.name) / f"{split}.tfrecord")
        with tf.io.TFRecordWriter(files[split]) as writer:
            for number, label in enumerate(part.labels.tolist()):
                ink = (part.drawing(number) / [255, 255, 1]).astype("float32")
                values = {
                    "ink": _feature(tf, "float_list", ink.ravel()),
                    "shape": _feature(tf, "int64_list", ink.shape),
                    "class_index": _feature(tf, "int64_list", [label]),
                }
                features = tf.train.Features(feature=values)
                example = tf.train.Example(features=features)
                writer.write(example.SerializeToString())
    return files


def _feature(tf, kind: str, values):
    lists = {"float_list": tf.train.FloatList, "int64_list": tf.train.Int64List}
    return tf.train.Feature(**{kind: lists[kind](value=values)})


def _textbook_data(split: str):
    """Batch the records, (batch, time, 3) and (batch,); shuffle them in training."""
    tf = backend.import_tensorflow()
    schema = {
        "ink": tf.io.VarLenFeature(tf.float32),
        "shape": tf.io.FixedLenFeature([2], tf.int64),
        "class_index": tf.io.FixedLenFeature([1], tf.int64),
    }

    def parse(batch):
        parsed = tf.io.parse_example(batch, schema)
        ink = tf.reshape(tf.sparse.to_dense(parsed["ink"]), [tf.size(batch), -1, 3])
        return ink[:, :LONGEST], parsed["class_index"][:, 0]

    data = tf.data.TFRecordDataset(_records()[split])
    if split == "train":
        data = data.shuffle(10_000)
    return data.batch(BATCH, drop_remainder=split == "train").map(parse).prefetch(1)


def _textbook_model(classes: int):
    layers = [keras.Input((None, 3))]
    for filters, kernel in ((32, 5), (64, 5), (128, 3)):
        conv = keras.layers.Conv1D(filters, kernel, strides=2, activation="relu")
        layers += [conv, keras.layers.BatchNormalization()]
    layers += [keras.layers.LSTM(128, return_sequences=True), keras.layers.LSTM(128)]
    layers += [keras.layers.Dense(classes, activation="softmax")]
    model = keras.Sequential(layers)
    optimizer = keras.optimizers.SGD(0.01, clipnorm=1.0)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def textbook():
    """Train an epoch by the textbook's program."""
    count, classes = _sizes()
    data, model = _textbook_data("train"), _textbook_model(classes)

    def run_round() -> float:
        started = time.perf_counter()
        model.fit(data, verbose=0)
        return count / (time.perf_counter() - started)

    return run_round


def textbook_to_error():
    """Train a new network to the error, by the textbook's program."""
    _, classes = _sizes()
    train, validation = _textbook_data("train"), _textbook_data("validation")

    def epochs():
        model = _textbook_model(classes)
        while True:
            model.fit(train, verbose=0)
            yield 100 - 100 * model.evaluate(validation, verbose=0)[1]

    return partial(_to_error, epochs)


def _to_error(epochs: Callable[[], Iterator[float]]) -> tuple[float, float]:
    """Time training to the error: times a minute, and the error that was reached.

    Args:
        epochs: starts a new network and yields its error, in %, after each epoch.

    Raises:
        RunError: EPOCHS were not enough.
    """
    keras.utils.set_random_seed(1)
    started = time.perf_counter()
    for error in itertools.islice(epochs(), EPOCHS):
        if error <= ERROR:
            return 60 / (time.perf_counter() - started), error
    raise RunError(f"an error of {error:.1f} % after {EPOCHS} epochs, not of {ERROR}")


# ---------------------------------------------------------------- ours


def _data(name: str, batch: int):
    """Return a function of split and order: the batches of one of our networks."""
    parts = _drawings().parts
    padding = batches.padding(parts["train"], LONGEST)
    change = None if name == "textbook" else augmentation.augment

    def data(split, order=None):
        if order is None:
            return batches.dataset(parts[split], padding, 512)
        return batches.dataset(parts[split], padding, batch, order, change)

    return data


def model(devices: Devices, name: str, batch: int, xla: bool):
    """Build a network of the experiment; XLA compiles all of it, or its recurrence."""
    import keras_tuner

    count, classes = _sizes()
    config, hp = sketch.Config(), keras_tuner.HyperParameters()
    with devices.scope():
        model = sketch.MODELS[name](hp, config, classes)
        arguments = sketch.compile_arguments(hp, config, EPOCHS * count // batch)
        devices.compile(model, STEPS, xla=xla, **arguments)
    return model


def ours(name: str, batch: int = BATCH):
    """Train a network of the experiment for an epoch, in batches alike in length."""
    devices = strategy.start(RunConfig())
    net = model(devices, name, batch, xla=True)
    train = _data(name, batch)("train", Order(1))
    count = batch * int(train.cardinality())

    def run_round() -> float:
        started = time.perf_counter()
        devices.fit(net, train, validation_data=None, shuffle=False, verbose=0)
        return count / (time.perf_counter() - started)

    return run_round


def ours_to_error(name: str, batch: int):
    """Train a new network of the experiment to the error."""
    devices, data, order = strategy.start(RunConfig()), _data(name, batch), Order(1)
    train, validation = data("train", order), data("validation")

    def epochs():
        net = model(devices, name, batch, xla=False)
        for epoch in itertools.count():
            order.begin(epoch)
            devices.fit(net, train, validation_data=None, shuffle=False, verbose=0)
            yield 100 * net.evaluate(validation, verbose=0)[1]

    return partial(_to_error, epochs)


# ---------------------------------------------------------------- PyTorch's


def pytorch():
    """Train the textbook's network, of `nn.Conv1d` and `nn.LSTM`, for an epoch."""
    import torch

    count, classes = _sizes()
    part = _drawings().parts["train"]
    padding = batches.Padding((LONGEST,), 255.0, plain=True)
    blocks, before = [], 5
    for filters, kernel in ((32, 5), (64, 5), (128, 3)):
        blocks += [torch.nn.Conv1d(before, filters, kernel, 2), torch.nn.ReLU()]
        blocks += [torch.nn.BatchNorm1d(filters)]
        before = filters
    convolutions = torch.nn.Sequential(*blocks)
    lstm = torch.nn.LSTM(128, 128, 2, batch_first=True)
    head = torch.nn.Linear(128, classes)
    whole = torch.nn.ModuleList([convolutions, lstm, head])
    optimizer = torch.optim.SGD(whole.parameters(), 0.01)
    random = np.random.default_rng(1)

    def step(which: np.ndarray) -> None:
        steps = padding.steps(part.lengths[which])
        x = torch.from_numpy(part.stroke5(which, steps, padding.scale))
        y = torch.from_numpy(part.labels[which].astype("int64"))
        optimizer.zero_grad()
        x = convolutions(x.transpose(1, 2)).transpose(1, 2)
        torch.nn.functional.cross_entropy(head(lstm(x)[0][:, -1]), y).backward()
        torch.nn.utils.clip_grad_norm_(whole.parameters(), 1.0)
        optimizer.step()

    def run_round() -> float:
        started = time.perf_counter()
        for which in random.permutation(count).reshape(-1, BATCH):
            step(which)
        return count / (time.perf_counter() - started)

    return run_round


JAX = ("jax",), {"KERAS_BACKEND": "jax"}
WORKS = (
    Work(
        "train the textbook's sketch network, batch 32",
        "drawings/s",
        (
            Contender("the textbook's program", textbook),
            Contender("ours", partial(ours, "textbook")),
            Contender("ours on JAX", partial(ours, "textbook"), *JAX),
            Contender("PyTorch", pytorch, ("torch",)),
            Contender("ours, conv_lstm, batch 64", partial(ours, "conv_lstm", 64)),
        ),
        rounds=3,
    ),
    Work(
        f"from nothing to an error of {ERROR:g} % in drawings",
        "times/minute",
        (
            Contender("the textbook's program", textbook_to_error),
            Contender("ours, conv_lstm", partial(ours_to_error, "conv_lstm", 64)),
            Contender(
                "ours, conv_lstm, on JAX", partial(ours_to_error, "conv_lstm", 64), *JAX
            ),
        ),
        rounds=1,
        warm_up=False,
    ),
)
