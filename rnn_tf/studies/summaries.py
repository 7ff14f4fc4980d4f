"""Summarise texts of letters, of which the first of each kind is kept.

The course calls it vector-to-sequence, and sequence-to-sequence. The text is a
sequence. What makes a vector of it decides: `bag` counts the letters, `flat` has all
letters side by side, which takes texts of one greatest length; an encoder reads them
one by one, and its last state is a vector (`encoder_decoder`), or attention looks at
every step (`attention`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnn_tf.data.text import pair_batches, summaries
from rnn_tf.data.text.summaries import LETTERS, LONGEST, TOKENS, Texts
from rnn_tf.data.text.tokens import SPECIAL
from rnn_tf.models import encoder_decoder
from rnn_tf.models.encoder_decoder import Network, Sizes
from rnn_tf.studies import restarts, sentences
from rnn_tf.studies.sentences import UNITS, WIDTH

COLUMNS = "model kind seed n exact tokens parameters".split()


@dataclass(frozen=True)
class Plan:
    """How much work there is."""

    texts: int  # for training
    tested: int
    epochs: int
    networks: tuple[str, ...]


PLANS = {
    "quick": Plan(1_000, 200, 3, ("bag", "attention")),
    "full": Plan(3_000, 500, 8, ("bag", "flat", "encoder_decoder", "attention")),
}

# ---------------------------------------------------------------- inputs


def numbered(texts: tuple[str, ...]) -> np.ndarray:
    """Number the letters of texts, each with its end: (texts, LONGEST + 1) int32."""
    numbers = pair_batches.number(texts, TOKENS)
    return numbers.pad(range(len(texts)), LONGEST + 1)


def one_hot(texts: tuple[str, ...]) -> np.ndarray:
    """Write letters as vectors, or zeros: (texts, LONGEST, letters)."""
    letters = numbered(texts)[:, :LONGEST, None] - SPECIAL
    return (letters == np.arange(len(LETTERS))).astype("float32")


def bag(texts: tuple[str, ...]) -> np.ndarray:
    """Count each letter: (texts, letters)."""
    return one_hot(texts).sum(axis=1)


def flat(texts: tuple[str, ...]) -> np.ndarray:
    """Put all letters side by side: (texts, LONGEST * letters)."""
    return one_hot(texts).reshape(len(texts), -1)


# ---------------------------------------------------------------- networks


def from_bag():
    """Build a network that writes from the counts of the letters."""
    return sentences.from_vector(len(LETTERS), len(TOKENS), hidden=True)


def from_flat():
    """Build a network that writes from all letters side by side."""
    return sentences.from_vector(LONGEST * len(LETTERS), len(TOKENS), hidden=True)


def two_parts():
    """Build a network that reads letter by letter, and writes from its last state."""
    return _encoder_decoder(Network())


def attending():
    """Build a network that looks at every letter before it writes the next."""
    return _encoder_decoder(Network(attention="luong"))


def _encoder_decoder(network: Network):
    sizes = Sizes(len(TOKENS), len(TOKENS), WIDTH, UNITS)
    return encoder_decoder.encoder_decoder(network, sizes)


# name -> how a text is written as numbers, and what builds the network
NETWORKS = {
    "bag": (bag, from_bag),
    "flat": (flat, from_flat),
    "encoder_decoder": (numbered, two_parts),
    "attention": (numbered, attending),
}

# ---------------------------------------------------------------- rows


def rows(seeds: int, size: str) -> Iterator[dict]:
    """Train networks to summarise, over some seeds.

    Args:
        seeds: of the texts, weights and order.
        size: quick or full.

    Yields:
        Rows of `summaries.csv`.
    """
    plan = PLANS[size]
    parts = [
        summaries.texts(plan.texts, plan.tested, seed) for seed in range(1, seeds + 1)
    ]
    for row in (*_baselines(parts), *_networks(parts, plan)):
        known = {"parameters": ""} | row
        yield {column: known[column] for column in COLUMNS}


def _networks(parts: list[dict[str, Texts]], plan: Plan) -> Iterator[dict]:
    for name in plan.networks:
        numbers, build = NETWORKS[name]
        model = build()
        blank = sentences.compiled(model)
        write = sentences.writer(model, len(LETTERS))
        row = {"model": name, "kind": "network", "parameters": model.count_params()}
        for seed, own in enumerate(parts, start=1):
            restarts.restart(model, build, blank, seed)
            train, test = own["train"], own["test"]
            inputs = numbers(train.texts)
            sentences.train(model, inputs, train.summaries, TOKENS, plan.epochs)
            written = write(numbers(test.texts), TOKENS)
            scored = sentences.scores(test.summaries, written, TOKENS)
            yield row | {"seed": seed} | scored


def _baselines(parts: list[dict[str, Texts]]) -> Iterator[dict]:
    """Score the text as it is, and its letters in the order of the alphabet."""
    guesses = {"copy": str, "alphabet": lambda text: "".join(sorted(set(text)))}
    for seed, own in enumerate(parts, start=1):
        test = own["test"]
        for name, guess in guesses.items():
            scored = sentences.scores(test.summaries, map(guess, test.texts), TOKENS)
            yield {"model": name, "kind": "baseline", "seed": seed} | scored
