"""Cut a text into the batches of each network, and say what the text is.

A network's name tells how much of the training text it learns from: the last n tokens
for `gru_of_n`. Its shape tells the streams, the chunk and the context of its batches.
"""

import math
import re
from collections.abc import Iterable

from rnn_tf.data.splits import Network
from rnn_tf.data.text import streams
from rnn_tf.data.text.corpus import Corpus, Part
from rnn_tf.data.text.reader import Text
from rnn_tf.errors import InputError

MOST_PASSES = 10  # of an epoch, through little text

# ---------------------------------------------------------------- batches


def dataset(parts: dict[str, Part], split: str, network: Network, order=None):
    """Make batches that fit the network; of training by an order, else to score."""
    size = size_of(network.model)
    if split == "train":
        part, passes = training(parts["train"], network.name)
        return streams.training(part, size, order, passes)
    return streams.evaluation(parts[split], size)


def training(part: Part, model: str) -> tuple[Part, int]:
    """Return the tokens that a model learns from, and how often an epoch has them."""
    count = tokens_of(model)
    if count is None:
        return part, 1
    passes = math.ceil(len(part.tokens) / count)
    return Part(part.tokens[-count:], None), min(passes, MOST_PASSES)


def tokens_of(model: str) -> int | None:
    """Read from a model's name how much of training it learns from; None for all."""
    match = re.fullmatch(r".*_of_(\d+)", model)
    return int(match[1]) if match else None


def size_of(model) -> streams.Size:
    """Read the shape of its batches from a network."""
    rows, chunk, _ = model.output_shape
    return streams.Size(rows, chunk, model.input_shape[1] - chunk)


# ---------------------------------------------------------------- the text


def check_length(
    corpus: Corpus, name: str, size: streams.Size, sizes: Iterable[int], least: int
) -> None:
    """Raise InputError unless there is a batch to train on and stretches to score.

    Args:
        corpus: the text.
        name: of it.
        size: of a batch.
        sizes: tokens of training that some models learn from.
        least: characters of validation, and of test.
    """
    train = len(corpus.parts["train"].tokens)
    needed = (size.streams + 1) * size.chunk
    if train < needed:
        raise InputError(
            f"{name} has {train:,} {corpus.unit}s for training, and {size.streams} "
            f"streams of a chunk of {size.chunk} take {needed:,}; give more text, or a "
            "smaller --chunk or --batch-size"
        )
    if max(sizes, default=0) > train:
        raise InputError(
            f"--sizes has {max(sizes)}, but {name} has {train:,} {corpus.unit}s for "
            "training; leave it out, or give more text"
        )
    for split in ("validation", "test"):
        characters = corpus.parts[split].characters
        if characters < least:
            raise InputError(
                f"{name} has {characters:,} characters for {split}; to score takes "
                f"{least:,}: give more text, or a larger share of it"
            )


def facts(corpus: Corpus, text: Text, counted: int) -> dict:
    """Give what config.json records of the text, and a sentence on it.

    Args:
        corpus: the text, numbered.
        text: as it was read.
        counted: tokens of training that n-grams are counted in, at most.
    """
    counts = {split: len(part.tokens) for split, part in corpus.parts.items()}
    says = ", ".join(f"{count:,} {split}" for split, count in counts.items())
    unknown = sum(corpus.unknown.values())
    if unknown:
        says += f"; unknown: {unknown:,}, of them {corpus.unknown['test']:,} in test"
    if counts["train"] > counted:
        says += f"; n-grams are counted in the last {counted:,}"
    known = len(corpus.vocabulary) - 1
    return {
        "source": text.name,
        "sha256": text.sha256,
        "unit": corpus.unit,
        "examples": counts,
        "unknown": corpus.unknown,
        "vocabulary": list(corpus.vocabulary),
        "says": f"{text.name}, {known:,} different {corpus.unit}s, {says}",
    }
