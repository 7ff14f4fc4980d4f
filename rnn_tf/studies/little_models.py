"""Train small networks on little of a text, each one change to the first.

What the loss does, what an embedding adds, and what becomes of too many parameters:
chunks of the text in a new order each epoch, the state not carried.
"""

import dataclasses
import functools
from collections.abc import Iterator
from dataclasses import dataclass

import lazy_loader
import numpy as np

from rnn_tf.data.text.corpus import UNKNOWN, Part
from rnn_tf.metrics import language
from rnn_tf.studies import restarts
from rnn_tf.studies.language_models import chosen, softmax

keras = lazy_loader.load("keras")

COLUMNS = (
    "model units inputs loss dropout decay seed epoch when parameters train_bits "
    "validation_bits bits wrong confidence calibration"
).split()

CHUNK, BATCH, RATE = 32, 16, 1e-2
VOCABULARY = 500  # the most frequent tokens; all others are unknown
TOKENS, EPOCHS = 10_000, 16
TESTED = 200  # chunks that are scored


@dataclass(frozen=True)
class Setting:
    """What a network is made of, and how it is trained."""

    units: int = 64
    width: int = 30  # of the embedding; 0: one-hot vectors
    loss: str = "cross_entropy"
    dropout: float = 0.0  # of what the output layer reads, and the recurrent one
    decay: float = 0.0  # of the weights, by step and learning rate

    @property
    def inputs(self) -> str:
        """What the recurrent layer reads."""
        return f"embedding_{self.width}" if self.width else "one_hot"


SETTINGS = {
    "first": {},
    "squared": {"loss": "squared"},
    "absolute": {"loss": "absolute"},
    "hinge": {"loss": "hinge"},
    "one_hot": {"width": 0},
    "width_8": {"width": 8},
    "units_16": {"units": 16},
    "units_128": {"units": 128},
    "units_128_dropout": {"units": 128, "dropout": 0.5},
    "units_128_decay": {"units": 128, "decay": 1.0},
}

# ---------------------------------------------------------------- the text


@dataclass(frozen=True, eq=False)
class Chunks:
    """Chunks of a text's parts, with the token after each: (chunks, CHUNK + 1)."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    vocabulary: int

    @property
    def scored(self) -> dict[str, np.ndarray]:
        """As many of each part, so that all have one shape."""
        least = min(map(len, (self.train, self.validation, self.test)))
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: part[: min(least, TESTED)] for name, part in parts.items()}


def cut(parts: dict[str, Part], vocabulary: int, tokens: int = TOKENS) -> Chunks:
    """Cut the last tokens of training, and the first of the other parts, into chunks.

    Args:
        parts: of the text.
        vocabulary: how many tokens there are.
        tokens: of training.
    """
    chunks = {
        "train": _chunks(parts["train"].tokens[-tokens:]),
        "validation": _chunks(parts["validation"].tokens[: TESTED * CHUNK + 1]),
        "test": _chunks(parts["test"].tokens[: TESTED * CHUNK + 1]),
    }
    return Chunks(**chunks, vocabulary=min(vocabulary, VOCABULARY))


def _chunks(tokens: np.ndarray) -> np.ndarray:
    tokens = frequent(tokens)
    count = (len(tokens) - 1) // CHUNK
    return tokens[np.arange(count)[:, None] * CHUNK + np.arange(CHUNK + 1)]


def frequent(tokens: np.ndarray) -> np.ndarray:
    """Take rare tokens for unknown: numbers below `VOCABULARY`, int32.

    A vocabulary is sorted by frequency.
    """
    return np.where(tokens < VOCABULARY, tokens, UNKNOWN).astype("int32")


# ---------------------------------------------------------------- losses
# Each takes tokens, (batch, steps), and logits, (batch, steps, vocabulary).


def _one_hot(tokens, logits):
    return keras.ops.one_hot(keras.ops.cast(tokens, "int32"), logits.shape[-1])


def squared(tokens, logits):
    """Take the squared error between probabilities and those of the right token."""
    p = keras.ops.softmax(logits)
    return keras.losses.mean_squared_error(_one_hot(tokens, logits), p)


def absolute(tokens, logits):
    """Take the absolute error between probabilities and those of the right token."""
    p = keras.ops.softmax(logits)
    return keras.losses.mean_absolute_error(_one_hot(tokens, logits), p)


def hinge(tokens, logits):
    """Take by how much less than 1 the right logit is above the highest other.

    Source: Crammer and Singer (2001). Keras's takes the highest other one, or 0.
    """
    right = _one_hot(tokens, logits)
    others = keras.ops.max(logits - 1e9 * right, axis=-1)
    return keras.ops.relu(1 + others - keras.ops.sum(right * logits, axis=-1))


def cross_entropy(tokens, logits):
    """Take the cross-entropy."""
    return keras.losses.sparse_categorical_crossentropy(
        tokens, logits, from_logits=True
    )


LOSSES = {f.__name__: f for f in (cross_entropy, squared, absolute, hinge)}
SCORES = {"hinge"}  # losses whose logits are scores, no logarithms of probabilities

# ---------------------------------------------------------------- training


def build(setting: Setting, vocabulary: int):
    """Build a network: (batch, CHUNK) tokens -> (batch, CHUNK, vocabulary) logits."""
    inputs = keras.Input((CHUNK,), dtype="int32")
    options = {"trainable": False, "embeddings_initializer": "identity"}
    width, options = (setting.width, {}) if setting.width else (vocabulary, options)
    x = keras.layers.Embedding(vocabulary, width, **options)(inputs)
    x = keras.layers.Dropout(setting.dropout)(x) if setting.width else x
    x = keras.layers.GRU(setting.units, return_sequences=True)(x)
    x = keras.layers.Dropout(setting.dropout)(x)
    return keras.Model(inputs, keras.layers.Dense(vocabulary)(x))


def rows(
    chunks: Chunks, seeds: int, settings=tuple(SETTINGS), epochs: int = EPOCHS
) -> Iterator[dict]:
    """Train each setting over some seeds; score the best epoch and the last one.

    Args:
        chunks: of the text.
        seeds: of the weights and of the order of the chunks.
        settings: keys of `SETTINGS`.
        epochs: of training.

    Yields:
        Rows of `little_models.csv`. `wrong` is the share of test tokens that are not
        the likeliest, `calibration` see `language.calibration_error`; what asks for
        probabilities is "" where the loss makes none.
    """
    for name in settings:
        setting = Setting(**SETTINGS[name])
        fresh = functools.partial(build, setting, chunks.vocabulary)
        model, loss = fresh(), LOSSES[setting.loss]
        blank = restarts.compiled(model, loss, RATE, setting.decay)
        about = {"model": name} | dataclasses.asdict(setting)
        about |= {"inputs": setting.inputs, "parameters": model.count_params()}
        for seed in range(1, seeds + 1):
            restarts.restart(model, fresh, blank, seed)
            for row in _train(model, chunks, seed, epochs, setting.loss):
                row = about | {"seed": seed} | row
                yield {column: row[column] for column in COLUMNS}


def _train(model, chunks: Chunks, seed: int, epochs: int, loss: str) -> list[dict]:
    """Train a network; score it after the epoch that is best on validation, and last.

    By bits, or by wrong tokens where there are no probabilities.
    """
    random, best = np.random.default_rng(seed), None
    whole = len(chunks.train) // BATCH * BATCH
    for epoch in range(1, epochs + 1):
        order = random.permutation(len(chunks.train))[:whole]
        x, y = chunks.train[order, :-1], chunks.train[order, 1:]
        model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0)
        scores = {"epoch": epoch} | _scores(model, chunks, loss)
        if best is None or scores["choice"] < best["choice"]:
            best = scores
    return [best | {"when": "best"}, scores | {"when": "last"}]


def _scores(model, chunks: Chunks, loss: str) -> dict:
    """Score a network on some chunks of each part."""
    logits = {
        split: np.asarray(model.predict_on_batch(part[:, :-1]))
        for split, part in chunks.scored.items()
    }
    targets = {split: part[:, 1:] for split, part in chunks.scored.items()}
    wrong = {s: (x.argmax(axis=-1) != targets[s]).mean() for s, x in logits.items()}
    row = {"wrong": float(wrong["test"]), "choice": float(wrong["validation"])}
    if loss in SCORES:
        empty = "train_bits validation_bits bits confidence calibration".split()
        return row | dict.fromkeys(empty, "")
    p = {split: softmax(x.astype(float)) for split, x in logits.items()}
    bits = {s: float(language.bits(chosen(x, targets[s])).mean()) for s, x in p.items()}
    highest, right = p["test"].max(axis=-1), p["test"].argmax(axis=-1)
    row |= {"choice": bits["validation"], "validation_bits": bits["validation"]}
    row |= {"train_bits": bits["train"], "bits": bits["test"]}
    row |= {"confidence": float(highest.mean())}
    error = language.calibration_error(highest, right == targets["test"])
    return row | {"calibration": error}
