"""Recognise words of tones: one answer for a recording, or a sequence of words.

The course calls speech recognition many-to-one, and seq-to-seq. `many_to_one` has one
output, the class of the whole recording; its classes are what was said in training.
`seq_to_seq` has an encoder, and a decoder with attention that gives word after word and
then a stop. Both are as large and train on the same recordings for as many updates.
"""

import functools
from collections.abc import Iterator

import lazy_loader
import numpy as np

from rnn_tf.data.series import tones
from rnn_tf.data.series.tones import Recordings
from rnn_tf.models import attention
from rnn_tf.studies import restarts

keras = lazy_loader.load("keras")

COLUMNS = "task model seed words n exact".split()

TASKS = {"one": 1, "several": tones.MOST}  # words of a recording, at most
UNITS, BATCH, RATE = 64, 32, 3e-3
STOP = tones.WORDS  # what the decoder says after the last word
TRAINING, TEST, EPOCHS = 4_000, 1_000, 10


def rows(seeds: int, training: int = TRAINING, epochs: int = EPOCHS) -> Iterator[dict]:
    """Train both on recordings of one word, and of one to four; over some seeds.

    Yields:
        Rows of `tones.csv`: `exact` is the % of test recordings whose words are all
        right, of all, and of those with so many words.
    """
    for task, most in TASKS.items():
        train = tones.record(training, most, seed=1)
        test = tones.record(TEST, most, seed=2)
        for name, learn in {"many_to_one": classify, "seq_to_seq": transcribe}.items():
            for seed, heard in enumerate(learn(train, test, seeds, epochs), start=1):
                right = (heard == test.words).all(axis=1)
                counts = np.unique(test.counts).tolist()
                for words in ("", *counts * (most > 1)):
                    own = right if words == "" else right[test.counts == words]
                    row = {"task": task, "model": name, "seed": seed, "words": words}
                    yield row | {"n": len(own), "exact": 100 * float(own.mean())}


def classify(
    train: Recordings, test: Recordings, seeds: int, epochs: int
) -> Iterator[np.ndarray]:
    """Give each test recording one of the sequences of words in training.

    Yields:
        For each seed (recordings, MOST): words, -1 after the last.
    """
    known, labels = np.unique(train.words, axis=0, return_inverse=True)
    fresh = functools.partial(many_to_one, len(known))
    for outputs in _trained(fresh, train.frames, labels.ravel(), test, seeds, epochs):
        yield known[outputs.argmax(axis=-1)]


def transcribe(
    train: Recordings, test: Recordings, seeds: int, epochs: int
) -> Iterator[np.ndarray]:
    """Give each test recording word after word, up to the stop; see `classify`."""
    stop = np.full((len(train.words), 1), -1)
    targets = np.concatenate([train.words, stop], axis=1)
    targets = np.where(targets < 0, STOP, targets)
    for outputs in _trained(seq_to_seq, train.frames, targets, test, seeds, epochs):
        heard = outputs.argmax(axis=-1)[:, : tones.MOST]
        ended = np.cumsum(heard == STOP, axis=1) > 0
        yield np.where(ended, -1, heard)


def _trained(build, x, y, test, seeds: int, epochs: int) -> Iterator[np.ndarray]:
    """Train a network from each seed; yield its outputs for the test recordings."""
    model = build()
    blank = restarts.compiled(model, "sparse_categorical_crossentropy", RATE)
    whole = len(x) // BATCH * BATCH  # batches of one size, which are compiled once
    for seed in range(1, seeds + 1):
        restarts.restart(model, build, blank, seed)
        model.fit(x[:whole], y[:whole], batch_size=BATCH, epochs=epochs, verbose=0)
        yield np.asarray(model.predict(test.frames, batch_size=BATCH, verbose=0))


def many_to_one(classes: int):
    """Build a network with one output: (batch, frames, bands) -> (batch, classes)."""
    inputs, _, last = _encoder()
    outputs = keras.layers.Dense(classes, activation="softmax")(last)
    return keras.Model(inputs, outputs)


def seq_to_seq():
    """Build an encoder-decoder: (batch, frames, bands) -> (batch, MOST + 1, words).

    The last of the words is the stop. The decoder does not read what it has said.
    """
    inputs, memory, last = _encoder()
    steps = keras.layers.RepeatVector(tones.MOST + 1)(last)
    h = keras.layers.GRU(UNITS, return_sequences=True)(steps, initial_state=last)
    context, _ = attention.luong(h, memory, keras.ops.ones_like(memory[..., 0]))
    x = keras.layers.Concatenate()([context, h])
    outputs = keras.layers.Dense(tones.WORDS + 1, activation="softmax")(x)
    return keras.Model(inputs, outputs)


def _encoder():
    """Read frames: the input, the states after each, and the last one."""
    bands = tones.BANDS.stop - tones.BANDS.start
    inputs = keras.Input((tones.FRAMES, bands), name="frames")
    x = keras.layers.LayerNormalization()(inputs)
    memory, last = keras.layers.GRU(UNITS, return_sequences=True, return_state=True)(x)
    return inputs, memory, last
