"""Spell the names of digits that a CNN was not trained on, by what it makes of them.

The CNN learns to tell zero to four, and stays as it is from then on. Of five to nine
a decoder writes the names, letter by letter:

    hidden         from the last hidden layer: the CNN without its last layer
    scores         from what the last layer gives, the logits of the five that it knows
    probabilities  from the softmax of those
    random         from the last hidden layer of a CNN that was never trained

All are scaled to mean 0 and deviation 1 over training, and what is shorter than the
hidden layer is filled up with zeros: the same decoder, of the same size, learns all.
"""

from collections.abc import Iterator

import lazy_loader
import numpy as np

from rnn_tf.data import examples
from rnn_tf.data.drawings import scenes, tiny_digits
from rnn_tf.data.text import tokens
from rnn_tf.studies import restarts, sentences
from rnn_tf.studies.sentences import BATCH, UNITS

keras = lazy_loader.load("keras")

KNOWN = 5  # digits that the CNN is trained on: those below
LONGEST = max(map(len, scenes.NAMES))
LETTERS = tokens.learn(scenes.NAMES, "character", 1, 26)
RATE = 1e-3
EPOCHS = {"quick": (4, 4), "full": (20, 30)}  # of the CNN, of each decoder
KINDS = {
    "quick": ("hidden", "scores", "random"),
    "full": ("hidden", "scores", "probabilities", "random"),
}


def classifier():
    """Build the CNN: digits, (8, 8, 1) -> the hidden layer, and KNOWN logits."""
    inputs = keras.Input((tiny_digits.SIDE, tiny_digits.SIDE, 1))
    x = inputs
    for filters in (16, 32):
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D(2)(x)
    hidden = keras.layers.Dense(UNITS, activation="relu")(keras.layers.Flatten()(x))
    logits = keras.layers.Dense(KNOWN, name="logits")(hidden)
    return keras.Model(inputs, logits), keras.Model(inputs, [hidden, logits])


def rows(seeds: int, size: str) -> Iterator[dict]:
    """Train a CNN on five digits, and decoders on five others, over some seeds.

    Yields:
        Rows of `captions.csv`, of the task `spelled`.
    """
    (cnn, both), (cnn_epochs, epochs) = classifier(), EPOCHS[size]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    blank_cnn = restarts.compiled(cnn, loss, RATE, xla=False)
    writer = _decoder()
    blank = sentences.compiled(writer)
    write = sentences.writer(writer, LONGEST)
    for seed in range(1, seeds + 1):
        train, test, known = digits(seed)
        restarts.restart(cnn, lambda: classifier()[0], blank_cnn, seed)
        before = features(both, train, test)
        whole = len(known[0]) // BATCH * BATCH
        options = {"batch_size": BATCH, "epochs": cnn_epochs, "verbose": 0}
        cnn.fit(known[0][:whole], known[1][:whole], **options)
        seen = features(both, train, test) | {"random": before["hidden"]}
        row = {"task": "spelled", "seed": seed}
        yield from (row | scored for scored in _baselines(train, test))
        for name in KINDS[size]:
            restarts.restart(writer, _decoder, blank, seed)
            x, x_test = seen[name]
            sentences.train(writer, x, train[1], LETTERS, epochs)
            written = write(x_test, LETTERS)
            scored = sentences.scores(test[1], written, LETTERS)
            scored |= {"parameters": writer.count_params()}
            yield row | {"model": name, "kind": "network"} | scored


def _decoder():
    return sentences.from_vector(UNITS, len(LETTERS))


def digits(seed: int) -> tuple[tuple, tuple, tuple]:
    """Split the digits: new ones to train and test with names, known ones with classes.

    Returns:
        Pictures, (digits, 8, 8, 1), and names, of training and of test; and pictures
        and classes, (digits,), that the CNN learns.
    """
    columns, classes = tiny_digits.columns_and_classes(seed)
    pictures = examples.parts(columns.transpose(0, 2, 1)[..., None])
    classes = examples.parts(classes)
    sides = []
    for split in ("train", "test"):
        new = classes[split] >= KNOWN
        names = tuple(scenes.NAMES[n] for n in classes[split][new])
        sides.append((pictures[split][new], names))
    known = classes["train"] < KNOWN
    return *sides, (pictures["train"][known], classes["train"][known])


def features(both, train: tuple, test: tuple) -> dict[str, tuple]:
    """Read digits by the CNN as it is: for each kind, of training and of test.

    Returns:
        Kind -> (digits, UNITS) of training, and of test.
    """
    from scipy.special import softmax

    read = [map(np.asarray, both.predict_on_batch(x)) for x, _ in (train, test)]
    (hidden, logits), (hidden_test, logits_test) = read
    kinds = {
        "hidden": (hidden, hidden_test),
        "scores": (logits, logits_test),
        "probabilities": (softmax(logits, axis=1), softmax(logits_test, axis=1)),
    }
    return {name: scaled(*pair) for name, pair in kinds.items()}


def scaled(x: np.ndarray, x_test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale features by training, and fill them up: (examples, UNITS), twice."""
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    deviation[deviation == 0] = 1  # of a unit that is always off
    filled = [(0, 0), (0, UNITS - x.shape[1])]
    return tuple(np.pad((part - mean) / deviation, filled) for part in (x, x_test))


def _baselines(train: tuple, test: tuple) -> Iterator[dict]:
    """Score the commonest name of training, and that of the nearest digit."""
    names, counts = np.unique(train[1], return_counts=True)
    guesses = {
        "most_frequent": [str(names[counts.argmax()])] * len(test[1]),
        "nearest": [train[1][n] for n in sentences.nearest(train[0], test[0])],
    }
    for name, written in guesses.items():
        row = {"model": name, "kind": "baseline"}
        yield row | sentences.scores(test[1], written, LETTERS)
