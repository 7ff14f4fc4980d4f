"""Two tiny tasks of the course: "hello" over four letters, and two kinds of bank.

Networks are trained here, in seconds, over some seeds.
"""

import itertools
from collections import Counter

import lazy_loader
import numpy as np

keras = lazy_loader.load("keras")

HELLO = "model seed right letters".split()
BANK = "model seed error n".split()

WORD = "hello"
UNITS = 16
CLUE_PLACES = 3  # words before "bank" in which the clue stands
FILLERS = 20
CHANCE = 50.0  # % of wrong labels, of two that are equally likely

# ---------------------------------------------------------------- hello


def hello_rows(seeds: int, steps: int = 150) -> list[dict]:
    """Teach networks to go on with "hello", letter by letter; count what is right.

    `rnn` has a state, `letter` sees the last letter alone, as a bigram does.
    """
    letters = sorted(set(WORD))
    numbers = np.array([letters.index(x) for x in WORD])
    x, y = numbers[None, :-1], numbers[None, 1:]
    rows = []
    for name, layer in {"rnn": _rnn, "letter": _dense}.items():
        for seed in range(1, seeds + 1):
            keras.utils.set_random_seed(seed)
            model = _letter_model(len(letters), layer)
            many = (np.repeat(part, steps, axis=0) for part in (x, y))
            model.fit(*many, batch_size=1, verbose=0)  # one epoch: most time is theirs
            guesses = np.asarray(model.predict_on_batch(x)).argmax(axis=-1)
            right = int((guesses == y).sum())
            rows.append({"model": name, "seed": seed, "right": right, "letters": 4})
    # The best that any table of bigrams can do: one guess for each letter.
    pairs = Counter(itertools.pairwise(WORD))
    best = {before: max(pairs[before, y] for y in WORD) for before, _ in pairs}
    row = {"model": "bigram", "seed": "", "right": sum(best.values()), "letters": 4}
    return [*rows, row]


def _rnn(x):
    return keras.layers.SimpleRNN(UNITS, return_sequences=True)(x)


def _dense(x):
    return keras.layers.Dense(UNITS, activation="tanh")(x)


def _letter_model(letters: int, layer):
    inputs = keras.Input((len(WORD) - 1,), dtype="int32")
    x = layer(keras.layers.Embedding(letters, UNITS)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(letters)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss)
    return model


# ---------------------------------------------------------------- bank


def banks(count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Make phrases that end on "bank", which a clue before it makes a river's or not.

    Returns:
        (phrases, CLUE_PLACES + 1) numbers of words: 0 is bank, 1 and 2 are the clues,
        above are fillers; and (phrases,) labels, 0 or 1.
    """
    labels = random.integers(0, 2, count)
    words = random.integers(3, 3 + FILLERS, (count, CLUE_PLACES + 1))
    words[np.arange(count), random.integers(0, CLUE_PLACES, count)] = 1 + labels
    words[:, -1] = 0
    return words, labels


def bank_rows(seeds: int, phrases: int = 1_000, epochs: int = 10) -> list[dict]:
    """Teach networks to label a bank by its neighbours; count wrong ones, in %.

    `word` sees each word by itself, `window` all four at once, `rnn` one by one.
    """
    rows = []
    for name, layers in {"word": _word, "window": _window, "rnn": _last_state}.items():
        for seed in range(1, seeds + 1):
            random = np.random.default_rng(seed)
            keras.utils.set_random_seed(seed)
            (x, y), (x_test, y_test) = banks(phrases, random), banks(500, random)
            inputs = keras.Input((CLUE_PLACES + 1,), dtype="int32")
            embedded = keras.layers.Embedding(3 + FILLERS, UNITS)(inputs)
            model = keras.Model(inputs, keras.layers.Dense(2)(layers(embedded)))
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(keras.optimizers.Adam(0.01), loss)
            model.fit(x, y, batch_size=50, epochs=epochs, verbose=0)
            guesses = np.asarray(model.predict_on_batch(x_test)).argmax(axis=-1)
            error = float(100 * (guesses != y_test).mean())
            rows.append({"model": name, "seed": seed, "error": error, "n": 500})
    return rows


def _word(x):
    return keras.layers.Dense(UNITS, activation="tanh")(x[:, -1])


def _window(x):
    return keras.layers.Dense(UNITS, activation="tanh")(keras.layers.Flatten()(x))


def _last_state(x):
    return keras.layers.SimpleRNN(UNITS)(x)
