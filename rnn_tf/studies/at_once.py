"""Write many tokens at once, by a dense layer, against one token after the other.

Both networks read the same chunks of a text for as many updates. One gives the chances
of the next token after each, and is fed with its own output; the other those of the
next twenty, of which each is drawn for itself.
"""

import functools
from collections.abc import Iterator

import lazy_loader
import numpy as np

from rnn_tf.baselines import ngrams
from rnn_tf.data.text.corpus import Part
from rnn_tf.models import sampling
from rnn_tf.studies import restarts, speech
from rnn_tf.studies.language_models import softmax
from rnn_tf.studies.little_models import frequent

keras = lazy_loader.load("keras")

COLUMNS = "model seed prompt tokens bits".split()

AHEAD = 20  # tokens at once
CHUNK, LAST = 32, 8  # tokens of a chunk; in training it writes after the last of them
UNITS, WIDTH, BATCH, RATE = 64, 30, 16, 5e-3
TOKENS, UPDATES = 100_000, 600
PROMPTS = 1, 2, 5, 10, 20, 50, 100  # tokens
TEXTS = 20  # that each prompt length begins
JUDGE = 5  # the n of the n-grams that score them


def rows(train: Part, test: Part, seeds: int, updates: int = UPDATES) -> Iterator[dict]:
    """Train both networks over some seeds; have them go on with prompts of any length.

    Args:
        train: the training text; its last tokens are read.
        test: where prompts are from.
        seeds: of the weights, the chunks and the draws.
        updates: of each network.

    Yields:
        Rows of `at_once.csv`: `bits` is what a token of the `AHEAD` that are written
        costs n-grams of the training text.
    """
    tokens = frequent(train.tokens[-TOKENS:])
    vocabulary = int(tokens.max()) + 1
    counts = ngrams.count(tokens.astype("int64"), vocabulary, JUDGE)
    judge = ngrams.fit(counts, vocabulary)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for name, ahead in {"one_by_one": 1, "at_once": AHEAD}.items():
        fresh = functools.partial(network, vocabulary, ahead)
        model = fresh()
        blank = restarts.compiled(model, loss, RATE)
        for seed in range(1, seeds + 1):
            restarts.restart(model, fresh, blank, seed)
            random = np.random.default_rng(seed)
            _train(model, tokens, random, updates)
            write = _writer(model)
            for length in PROMPTS:
                texts = write(_prompts(test, length, vocabulary), random)
                row = {"model": name, "seed": seed, "prompt": length}
                row |= {"tokens": texts.size}
                yield row | {"bits": speech.bits(judge, texts)}


def network(vocabulary: int, ahead: int):
    """Build a network that gives the logits of the next `ahead` tokens.

    (batch, steps) -> (batch, steps, vocabulary) if `ahead` is 1; else, after the last
    few steps alone, (batch, up to LAST, ahead, vocabulary).
    """
    inputs = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(vocabulary, WIDTH)(inputs)
    x = keras.layers.GRU(UNITS, return_sequences=True)(x)
    if ahead == 1:
        return keras.Model(inputs, keras.layers.Dense(vocabulary)(x))
    x = keras.layers.Dense(ahead * vocabulary)(x[:, -LAST:])
    return keras.Model(inputs, keras.layers.Reshape((-1, ahead, vocabulary))(x))


def _train(model, tokens: np.ndarray, random, updates: int) -> None:
    """Train a network on chunks from anywhere in a text."""
    starts = random.integers(0, len(tokens) - CHUNK - AHEAD, updates * BATCH)
    chunks = tokens[starts[:, None] + np.arange(CHUNK + AHEAD)]
    x, y = chunks[:, :-1], chunks[:, 1:]
    if len(model.output_shape) == 4:
        after = np.arange(CHUNK - LAST, CHUNK)[:, None] + np.arange(1, AHEAD + 1)
        x, y = chunks[:, :CHUNK], chunks[:, after]
    model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0)


def _prompts(test: Part, length: int, vocabulary: int) -> np.ndarray:
    """Draw texts to go on with, which end at the same places whatever their length."""
    random = np.random.default_rng(1)
    ends = random.integers(max(PROMPTS), len(test.tokens), TEXTS)
    prompts = frequent(test.read(ends - length, length))
    return np.where(prompts < vocabulary, prompts, 0)


def _writer(model):
    """Make a function: prompts (texts, tokens), random -> (texts, AHEAD) tokens."""
    if len(model.output_shape) == 4:
        # Not compiled, as XLA would compile it for each length.
        plain = keras.Model(model.input, model.output)

        def write(prompts, random):
            logits = np.asarray(plain.predict_on_batch(prompts))[:, -1]
            return sampling.draw_each(softmax(logits), random)

        return write

    probabilities = keras.layers.Softmax()(model.output)
    begin = sampling.speakers_side_by_side(
        keras.Model(model.input, probabilities), TEXTS
    )
    return lambda prompts, random: sampling.speak_side_by_side(
        begin(), prompts, AHEAD, random
    )
