"""Build the networks of `studies.tunes`, and train them on tunes as tokens."""

import lazy_loader
import numpy as np

from rnn_tf.data.series.tunes import END, KEYS, MOST, NOTES
from rnn_tf.data.text import tokens
from rnn_tf.data.text.tokens import BEGIN, SPECIAL
from rnn_tf.models import encoder_decoder, layers
from rnn_tf.studies import sentences
from rnn_tf.studies.sentences import UNITS, WIDTH

keras = lazy_loader.load("keras")

TOKENS = SPECIAL + NOTES
BATCH, NOTE_BATCH = 64, 256  # tunes; beginnings of tunes, with one note to learn each

# ---------------------------------------------------------------- networks


def key_to_tune():
    """Build a decoder: keys, one-hot, and tokens so far -> logits of each next."""
    return sentences.from_vector(KEYS, TOKENS)


def unheard():
    """Build a network that gives all notes of a key: (batch, MOST + 1, TOKENS)."""
    key = keras.Input((KEYS,), name="vector")
    steps = keras.layers.RepeatVector(MOST + 1)(key)
    states = keras.layers.GRU(UNITS, return_sequences=True)(steps)
    return keras.Model(key, layers.output(TOKENS)(states))


def next_note():
    """Build a network with one output: tokens so far, (batch, steps) -> logits."""
    notes = keras.Input((MOST,), dtype="int32", name="notes")
    mask = encoder_decoder.real_steps(notes)
    x = encoder_decoder.embedding(TOKENS, WIDTH, "embedding")(notes)
    x = encoder_decoder.recurrent("gru", UNITS)(x)
    return keras.Model(notes, layers.output(TOKENS)(encoder_decoder.last_real(x, mask)))


NETWORKS = {"key_to_tune": key_to_tune, "unheard": unheard, "next_note": next_note}


def numbered(notes: np.ndarray) -> np.ndarray:
    """Number notes as tokens, and each end: (tunes, MOST) -> (tunes, MOST + 1) int32.

    What follows the end is 0, padding.
    """
    wide = np.pad(notes, [(0, 0), (0, 1)], constant_values=END)
    after = np.cumsum(wide == END, axis=1) > 1
    numbers = np.where(wide == END, tokens.END, wide + SPECIAL)
    return np.where(after, tokens.PAD, numbers).astype("int32")


def one_hot(keys: np.ndarray) -> np.ndarray:
    """Write keys as vectors: (tunes, KEYS)."""
    return np.eye(KEYS, dtype="float32")[keys]


def examples(name: str, keys: np.ndarray, y: np.ndarray) -> tuple:
    """Give a network's inputs, targets and weights; `y` as of `numbered`."""
    weights = (y > 0).astype("float32")
    if name == "unheard":
        return one_hot(keys), y, weights
    begin = np.full((len(y), 1), BEGIN, "int32")
    if name == "key_to_tune":
        so_far = np.concatenate([begin, y[:, :-1]], axis=1)
        return [one_hot(keys), so_far], y, weights
    parts = []
    for step in range(1, MOST + 1):
        own = y[y[:, step] > 0]
        heard = np.where(np.arange(MOST) < step, own[:, :MOST], tokens.PAD)
        parts.append((heard, own[:, step]))
    x, following = map(np.concatenate, zip(*parts, strict=True))
    return x.astype("int32"), following, np.ones(len(x), "float32")


def train(model, name: str, keys: np.ndarray, notes: np.ndarray, updates: int) -> None:
    """Train a network on tunes, for about so many updates of its weights."""
    x, y, weights = examples(name, keys, numbered(notes))
    batch = NOTE_BATCH if name == "next_note" else BATCH
    whole = len(y) // batch * batch  # a smaller batch would be compiled too
    inputs = [part[:whole] for part in x] if isinstance(x, list) else x[:whole]
    epochs = max(1, round(updates * batch / whole))
    options = {"batch_size": batch, "epochs": epochs, "verbose": 0}
    model.fit(inputs, y[:whole], sample_weight=weights[:whole], **options)
