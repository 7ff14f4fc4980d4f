"""How far back language models see, what that is worth, and how sure they are.

Readers are those of `language_models`; each begins anew with every row of tokens.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from rnn_tf.data.text.corpus import Part
from rnn_tf.metrics import language
from rnn_tf.studies.language_models import (
    NetworkReader,
    Reader,
    chosen,
    columns,
    softmax,
)

REACH = "model seed order back changed".split()
AGREEMENT = "model seed order distance n right".split()
CONTEXT = "model seed order before until n bits".split()
CALIBRATION = "model seed n accuracy confidence error".split()

ROWS, LENGTH = 40, 64  # contexts that are changed, and their tokens
FURTHEST = 12  # tokens back of one that is changed
STRETCHES, LONG = 120, 128  # that are read from their beginning, and their tokens
TOGETHER = 20  # of them, so that a large vocabulary fits in memory
BEFORE = 0, 1, 2, 4, 8, 16, 32, 64  # tokens, from which on a row counts


def reach_rows(readers: Iterable[Reader], part: Part, vocabulary: int) -> list[dict]:
    """Change a token so and so far back, and see whether the next one's chances do.

    Args:
        readers: the models.
        part: of the text.
        vocabulary: how many tokens there are.

    Returns:
        `changed`: the largest change of any probability.
    """
    contexts = _stretches(part, ROWS, LENGTH)
    shift = np.random.default_rng(2).integers(1, vocabulary, ROWS)
    rows = []
    for reader in readers:
        before = reader.after(contexts)
        for back in range(1, FURTHEST + 1):
            other = contexts.copy()
            other[:, -back] = (other[:, -back] + shift) % vocabulary
            changed = float(np.abs(reader.after(other) - before).max())
            rows.append(columns(reader) | {"back": back, "changed": changed})
    return rows


def _stretches(part: Part, count: int, length: int) -> np.ndarray:
    """Draw stretches of a text: (count, length) tokens."""
    last = max(1, len(part.tokens) - length)
    return part.read(np.random.default_rng(1).integers(0, last, count), length)


def agreement_rows(
    readers: Iterable[Reader], part: Part, verbs: np.ndarray, end: int, most: int = 400
) -> list[dict]:
    """Ask for the verb of the artificial language: does its class agree?

    Args:
        readers: the models.
        part: of the text.
        verbs: (vocabulary,) the class of each verb; of other tokens -1.
        end: the token that ends a sentence.
        most: verbs.

    Returns:
        By the distance of the subject from its verb, in tokens: `right`, the share of
        the right class in the probabilities of all verbs.
    """
    tokens = np.asarray(part.tokens).astype(int)
    places = np.flatnonzero(verbs[tokens] >= 0)
    places = places[places >= LENGTH][:most]
    contexts = part.read(places - LENGTH, LENGTH)
    # The subject is the second word of its sentence.
    since = np.argmax(contexts[:, ::-1] == end, axis=1)
    distances, whole = since - 1, (contexts == end).any(axis=1)
    right, every = verbs[tokens[places]], range(verbs.max() + 1)
    rows = []
    for reader in readers:
        p = reader.after(contexts)
        shares = np.stack([p[:, verbs == k].sum(axis=1) for k in every])
        share = (shares / shares.sum(axis=0))[right, np.arange(len(right))]
        for distance in np.unique(distances[whole]):
            own = share[whole & (distances == distance)]
            row = columns(reader) | {"distance": int(distance), "n": len(own)}
            rows.append(row | {"right": float(own.mean())})
    return rows


# ---------------------------------------------------------------- how much they need


def context_tables(
    readers: Iterable[Reader], part: Part
) -> tuple[list[dict], list[dict]]:
    """Read stretches of a text from their beginning, with nothing before them.

    Returns:
        By the tokens that stand before, `bits` of a token: the rows of `context.csv`.
        And of networks how sure they are of their likeliest token, and how often it
        comes, over all tokens: the rows of `calibration.csv`.
    """
    tokens = _stretches(part, STRETCHES, LONG)
    context, calibration = [], []
    for reader in readers:
        if isinstance(reader, NetworkReader):
            each = _read(reader, tokens)
            p, highest, hit = (np.concatenate(x) for x in zip(*each, strict=True))
            row = {"model": reader.name, "seed": reader.seed, "n": hit.size}
            row |= {"accuracy": float(hit.mean())}
            row |= {"confidence": float(highest.mean())}
            row |= {"error": language.calibration_error(highest, hit)}
            calibration.append(row)
        else:
            p = reader.of_each(tokens)
        context += _by_length(reader, language.bits(p))
    return context, calibration


def _read(reader: NetworkReader, tokens: np.ndarray) -> Iterator[tuple]:
    """Yield each token's probability, the highest, and whether the two are one."""
    for start in range(0, len(tokens), TOGETHER):
        some = tokens[start : start + TOGETHER]
        p = softmax(reader.logits(some))
        yield chosen(p, some), p.max(axis=-1), p.argmax(axis=-1) == some


def _by_length(reader: Reader, bits: np.ndarray) -> Iterator[dict]:
    """Yield the mean bits of tokens with so many before them, (rows, length)."""
    for before, until in zip(BEFORE, [*BEFORE[1:], bits.shape[1]], strict=True):
        own = bits[:, before:until]
        row = columns(reader) | {"before": before, "until": until - 1, "n": own.size}
        yield row | {"bits": float(own.mean())}
