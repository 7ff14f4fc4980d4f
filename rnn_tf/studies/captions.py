"""Describe pictures: a small CNN, and an RNN that writes the sentence, to a stop.

The course calls it vector-to-sequence, and sequence-to-sequence. All networks for
scenes have the same convolutions. `vector` cuts off what would classify, and writes
from one vector; `rows` reads the rows of feature maps by a GRU, and writes from its
last state; `attention` looks at all places of the maps before each word.

`spelled` are the names of digits that a CNN has never seen: see `spelling`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import lazy_loader
import numpy as np

from rnn_tf.data.drawings import scenes
from rnn_tf.data.drawings.scenes import HELD_OUT, SIDE, TOKENS, Scenes
from rnn_tf.studies import restarts, sentences, spelling
from rnn_tf.studies.sentences import ATTENDING, FROM_VECTOR, UNITS

keras = lazy_loader.load("keras")

COLUMNS = "task model kind seed part digits n exact tokens parameters".split()

FILTERS = 16, 32  # of each convolution, before pooling halves both sides
LONGEST = 8  # words of a caption
SHOWN = "vector"  # whose captions pictures show


@dataclass(frozen=True)
class Plan:
    """How much work there is."""

    scenes: int  # for training
    tested: int
    epochs: int
    networks: tuple[str, ...]


PLANS = {
    "quick": Plan(1_000, 200, 3, ("vector", "attention")),
    "full": Plan(4_000, 500, 12, ("vector", "rows", "attention")),
}

# ---------------------------------------------------------------- networks


def _maps():
    """Begin a network: the scene, (SIDE, SIDE, 1), and its feature maps, (5, 5, 32)."""
    inputs = keras.Input((SIDE, SIDE, 1), name="picture")
    x = inputs
    for filters in FILTERS:
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D(2)(x)
    return inputs, x


def vector():
    """Build a network that writes from one vector: the CNN's last hidden layer."""
    inputs, maps = _maps()
    flat = keras.layers.Flatten()(maps)
    last = keras.layers.Dense(UNITS, activation="relu")(flat)
    return sentences.with_decoder(inputs, None, last, FROM_VECTOR, len(TOKENS))


def rows_of_maps():
    """Build a network that reads row by row, and writes from the last state."""
    inputs, maps = _maps()
    steps = keras.layers.Reshape((maps.shape[1], -1))(maps)
    last = keras.layers.GRU(UNITS)(steps)
    return sentences.with_decoder(inputs, None, last, FROM_VECTOR, len(TOKENS))


def attention():
    """Build a network that attends to the places of the feature maps."""
    inputs, maps = _maps()
    places = keras.layers.Reshape((-1, maps.shape[-1]))(maps)
    memory = keras.layers.Dense(UNITS)(_placed(places))
    last = keras.ops.mean(memory, axis=1)
    return sentences.with_decoder(inputs, memory, last, ATTENDING, len(TOKENS))


def _placed(places):
    """Add a learned vector to each place, which says where it is."""
    count, width = places.shape[1:]
    numbers = keras.ops.cumsum(keras.ops.ones_like(places[..., 0]), axis=1) - 1
    where = keras.layers.Embedding(count, width)
    return places + where(keras.ops.cast(numbers, "int32"))


NETWORKS = {"vector": vector, "rows": rows_of_maps, "attention": attention}

# ---------------------------------------------------------------- rows


def rows(seeds: int, size: str, show: Callable | None = None) -> Iterator[dict]:
    """Train networks to describe scenes, and to spell the names of new digits.

    Args:
        seeds: of the handwriting of each part, the scenes, weights and order.
        size: quick or full.
        show: gets test scenes, then those of new combinations, as pictures, captions
            and what is written: (scenes, side, side, 1), texts, texts; once each.

    Yields:
        Rows of `captions.csv`.
    """
    plan = PLANS[size]
    parts = [
        scenes.scenes(plan.scenes, plan.tested, seed) for seed in range(1, seeds + 1)
    ]
    own = _baselines(parts)
    for row in (*own, *_networks(parts, plan, show), *spelling.rows(seeds, size)):
        known = {"part": "test", "digits": "", "parameters": ""} | row
        yield {column: known[column] for column in COLUMNS}


def _networks(parts: list[dict], plan: Plan, show) -> Iterator[dict]:
    for name in plan.networks:
        build = NETWORKS[name]
        model = build()
        blank = sentences.compiled(model)
        write = sentences.writer(model, LONGEST)
        row = {"model": name, "kind": "network", "parameters": model.count_params()}
        for seed, own in enumerate(parts, start=1):
            restarts.restart(model, build, blank, seed)
            train = own["train"]
            sentences.train(model, train.pictures, train.captions, TOKENS, plan.epochs)
            for part in ("test", HELD_OUT):
                written = write(own[part].pictures, TOKENS)
                for scored in _scores(own[part], written):
                    yield row | {"seed": seed, "part": part} | scored
                if show and (name, seed) == (SHOWN, 1):
                    show(own[part].pictures, own[part].captions, written)


def _baselines(parts: list[dict]) -> Iterator[dict]:
    """Score the commonest caption of training, and that of the nearest scene."""
    for seed, own in enumerate(parts, start=1):
        for name, guess in {"most_frequent": commonest, "nearest": nearest}.items():
            for part in ("test", HELD_OUT):
                written = guess(own["train"], own[part])
                row = {"model": name, "kind": "baseline", "seed": seed, "part": part}
                yield from (row | scored for scored in _scores(own[part], written))


def commonest(train: Scenes, part: Scenes) -> tuple[str, ...]:
    """Give every scene the caption that training has most often."""
    captions, counts = np.unique(train.captions, return_counts=True)
    return (str(captions[counts.argmax()]),) * len(part.captions)


def nearest(train: Scenes, part: Scenes) -> tuple[str, ...]:
    """Give each scene the caption of the training scene with the nearest pixels."""
    known = sentences.nearest(train.pictures, part.pictures)
    return tuple(train.captions[n] for n in known)


def _scores(part: Scenes, written: tuple[str, ...]) -> Iterator[dict]:
    """Score captions: of all scenes, and of those with so many digits."""
    for digits in ("", *np.unique(part.digits).tolist()):
        chosen = [n for n, d in enumerate(part.digits) if digits in ("", d)]
        texts = ([side[n] for n in chosen] for side in (part.captions, written))
        scored = sentences.scores(*texts, TOKENS)
        yield {"task": "scenes", "digits": digits} | scored
