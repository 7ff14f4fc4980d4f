"""Describe pictures: a small CNN, and an RNN that writes the sentence, to a stop.

The course calls it vector-to-sequence, and sequence-to-sequence. A CNN learns to tell
single digits; its last layers are cut off, and it stays as it is. All networks write
from the same feature maps: `vector` makes one vector of them; `rows` reads the rows of
the maps by a GRU, and writes from its last state; `attention` looks at all places of
the maps before each word.

`spelled` are the names of digits that a CNN has never seen: see `spelling`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import lazy_loader
import numpy as np

from rnn_tf.data.drawings import scenes
from rnn_tf.data.drawings.scenes import HELD_OUT, SIDE, TOKENS, Scenes
from rnn_tf.models import layers
from rnn_tf.studies import restarts, sentences, spelling
from rnn_tf.studies.sentences import ATTENDING, BATCH, FROM_VECTOR, UNITS

keras = lazy_loader.load("keras")

COLUMNS = "task model kind seed part digits n exact tokens parameters".split()

FILTERS = 16, 32  # of each convolution, before pooling halves both sides
MAPS = SIDE // 4, SIDE // 4, FILTERS[-1]
HIDDEN = 128  # units between the maps and the vector
LONGEST = 8  # words of a caption
CENTRE = slice(4, 16)  # of a scene: where its digit is, if it has but one
CNN_RATE, CNN_EPOCHS = 2e-3, 20
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
    "full": Plan(6_000, 500, 24, ("vector", "rows", "attention")),
}

# ---------------------------------------------------------------- features


def convolutions(side: int):
    """Build the CNN without its last layers: (side, side, 1) -> a quarter of it."""
    inputs = keras.Input((side, side, 1), name="picture")
    x = inputs
    for filters in FILTERS:
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D(2)(x)
    return keras.Model(inputs, x, name="convolutions")


def classifier():
    """Build the whole CNN: a scene's middle -> logits of its one digit."""
    cut = convolutions(CENTRE.stop - CENTRE.start)
    x = keras.layers.Flatten()(cut.output)
    x = keras.layers.Dense(UNITS, activation="relu")(x)
    return keras.Model(cut.input, layers.output(len(scenes.NAMES))(x)), cut


def feature_maps(parts: list[dict]) -> list[dict[str, np.ndarray]]:
    """Train the CNN on scenes of one digit, for each seed; read all scenes by it.

    Returns:
        For each seed, part -> (scenes, *MAPS), of deviation 1 in training.
    """
    (whole, cut), read, every = classifier(), convolutions(SIDE), []
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    blank = restarts.compiled(whole, loss, CNN_RATE, xla=False)
    for seed, own in enumerate(parts, start=1):
        restarts.restart(whole, lambda: classifier()[0], blank, seed)
        x, y = single_digits(own["train"])
        batches = len(y) // BATCH * BATCH
        options = {"batch_size": BATCH, "epochs": CNN_EPOCHS, "verbose": 0}
        whole.fit(x[:batches], y[:batches], **options)
        read.set_weights(cut.get_weights())
        maps = {
            part: read.predict(scene.pictures, batch_size=500, verbose=0)
            for part, scene in own.items()
        }
        scale = np.std(maps["train"])
        every.append({part: np.asarray(x) / scale for part, x in maps.items()})
    return every


def single_digits(train: Scenes) -> tuple[np.ndarray, np.ndarray]:
    """Cut out the middle of scenes of one digit; and number the digits."""
    one = np.flatnonzero(train.digits == 1)
    names = [scenes.NAMES.index(train.captions[n].split()[-1]) for n in one]
    return train.pictures[one, CENTRE, CENTRE], np.array(names)


# ---------------------------------------------------------------- networks
# Feature maps, and words so far -> logits of the next words: `sentences.with_decoder`.


def vector():
    """Build a network that writes from one vector."""
    maps = keras.Input(MAPS, name="maps")
    flat = keras.layers.Flatten()(maps)
    last = keras.layers.Dense(HIDDEN, activation="relu")(flat)
    return sentences.with_decoder(maps, None, last, FROM_VECTOR, len(TOKENS))


def rows_of_maps():
    """Build a network that reads row by row, and writes from the last state."""
    maps = keras.Input(MAPS, name="maps")
    steps = keras.layers.Reshape((MAPS[0], -1))(maps)
    last = keras.layers.GRU(HIDDEN)(steps)
    return sentences.with_decoder(maps, None, last, FROM_VECTOR, len(TOKENS))


def attention():
    """Build a network that attends to the places of the maps."""
    maps = keras.Input(MAPS, name="maps")
    places = _placed(keras.layers.Reshape((-1, MAPS[-1]))(maps))
    memory = keras.layers.Dense(UNITS, activation="relu")(places)
    last = keras.ops.mean(memory, axis=1)
    return sentences.with_decoder(maps, memory, last, ATTENDING, len(TOKENS))


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
        show: gets the first seed's test scenes, (scenes, SIDE, SIDE, 1), their
            captions, and what `vector` writes.

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
    every = feature_maps(parts)
    for name in plan.networks:
        build = NETWORKS[name]
        model = build()
        blank = sentences.compiled(model)
        write = sentences.writer(model, LONGEST)
        row = {"model": name, "kind": "network", "parameters": model.count_params()}
        for seed, (own, maps) in enumerate(zip(parts, every, strict=True), start=1):
            restarts.restart(model, build, blank, seed)
            captions = own["train"].captions
            sentences.train(model, maps["train"], captions, TOKENS, plan.epochs)
            for part in ("test", HELD_OUT):
                written = write(maps[part], TOKENS)
                for scored in _scores(own[part], written):
                    yield row | {"seed": seed, "part": part} | scored
                if show and (name, seed, part) == (SHOWN, 1, "test"):
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
