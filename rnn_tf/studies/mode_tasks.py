"""The small tasks of `studies.modes`: their data, baselines and networks.

A task of classes is scored by the share of wrong ones in %, one of numbers by the mean
squared error.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from rnn_tf.data import examples
from rnn_tf.data.drawings import tiny_digits
from rnn_tf.data.series import motifs, synthetic
from rnn_tf.data.text.grammar import Language
from rnn_tf.studies import mode_models as models
from rnn_tf.studies.mode_baselines import (
    Parts,
    bigram,
    class_mean,
    drift,
    last_value,
    logistic,
    ridge,
)

EXAMPLES = 5_000  # of what is made up; 80 % are for training
SINE_STEPS, ADDING_STEPS, TEXT_STEPS, PLANTED_STEPS = 20, 20, 12, 28
PRICE_STEPS, DAYS_AHEAD, DRIFT = 20, 10, 0.05  # of log-prices; a day's deviation is 1
# Small, so that the windows are enough to learn the order of its words: 6 nouns, 6
# verbs, 4 prepositions, "the" and the full stop.
LANGUAGE, TEXT_WORDS = Language(classes=3, stems=2, verbs=2), 18

# ---------------------------------------------------------------- data


def _parts(x: np.ndarray, y: np.ndarray) -> Parts:
    """Split examples in order, which is random, into three parts."""
    inputs, targets = examples.parts(x), examples.parts(y)
    return {split: (inputs[split], targets[split]) for split in inputs}


def _random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _made(make: Callable, seed: int) -> Parts:
    return _parts(*make(EXAMPLES, _random(seed)))


def _presence(seed: int) -> Parts:
    bases, marked = motifs.planted_motifs(EXAMPLES, _random(seed))
    return _parts(bases, marked.max(axis=1))


def _class_to_columns(seed: int) -> Parts:
    columns, classes = tiny_digits.columns_and_classes(seed)
    return _parts(np.eye(tiny_digits.CLASSES, dtype="float32")[classes], columns)


def _columns_to_class(seed: int) -> Parts:
    return _parts(*tiny_digits.columns_and_classes(seed))


def _columns_to_tags(seed: int) -> Parts:
    columns, _ = tiny_digits.columns_and_classes(seed)
    return _parts(columns, tiny_digits.ink_tags(columns))


def _rows_to_class(seed: int) -> Parts:
    columns, classes = tiny_digits.columns_and_classes(seed)
    return _parts(columns.transpose(0, 2, 1), classes)


def _parity(seed: int) -> Parts:
    """Take 0 and 1 for numbers: of a linear map then, a constant is best.

    As a class it may be right in 11 of 16 cases, by where it happens to cross 0.
    """
    bits, odd = motifs.parity(EXAMPLES, _random(seed))
    return _parts(bits, odd.astype("float32"))


def _sines(seed: int) -> Parts:
    series = synthetic.two_sines(EXAMPLES, SINE_STEPS + 1, seed)
    return _parts(series[:, :-1, None], series[:, -1])


def _sines_at_each_step(seed: int) -> Parts:
    series = synthetic.two_sines(EXAMPLES, SINE_STEPS + 1, seed)
    return _parts(series[:, :-1, None], series[:, 1:, None])


def _sines_ahead(seed: int) -> Parts:
    series = synthetic.two_sines(EXAMPLES, SINE_STEPS + DAYS_AHEAD, seed)
    return _parts(series[:, :SINE_STEPS, None], series[:, SINE_STEPS:])


def _planted(seed: int) -> Parts:
    series = sum(synthetic.planted(EXAMPLES, PLANTED_STEPS + DAYS_AHEAD, seed).values())
    return _parts(series[:, :PLANTED_STEPS, None], series[:, PLANTED_STEPS:])


def _prices(seed: int) -> Parts:
    walks = synthetic.random_walks(EXAMPLES, PRICE_STEPS + DAYS_AHEAD, DRIFT, seed)
    return _parts(walks[:, :PRICE_STEPS, None], walks[:, PRICE_STEPS:])


def _adding(seed: int) -> Parts:
    return _parts(*synthetic.adding_problem(EXAMPLES, ADDING_STEPS, seed))


def _text(seed: int) -> Parts:
    """Cut windows that do not overlap, and the word after each."""
    text = LANGUAGE.text(EXAMPLES, seed).split()
    numbers = np.unique(text, return_inverse=True)[1].astype("int32")
    whole = len(numbers) // (TEXT_STEPS + 1) * (TEXT_STEPS + 1)
    windows = numbers[:whole].reshape(-1, TEXT_STEPS + 1)[:EXAMPLES]
    return _parts(windows[:, :-1], windows[:, -1])


# ---------------------------------------------------------------- tasks


@dataclass(frozen=True, eq=False)
class Task:
    """Examples, guesses that need no network, and networks."""

    data: Callable[[int], Parts]  # seed -> three parts
    networks: dict[str, Callable]  # name -> a function that builds it
    classes: bool = True  # or numbers
    baselines: dict[str, Callable] = field(default_factory=dict)  # besides `constant`
    shuffled: tuple[str, ...] = ()  # networks that are trained on shuffled steps too
    # that are scored each by itself; by default all at once
    steps: tuple[int, ...] = ()
    passes: int = 1  # epochs of training for each one of the run


def _networks(*bodies: Callable, **options) -> dict[str, Callable]:
    return {body.__name__: models.builder(body, **options) for body in bodies}


_DIGITS = {"shape": (8, 8)}
_DNA = {"shape": (motifs.DNA_STEPS,), "tokens": len(motifs.BASES), "outputs": 2}
_NAMES = {"shape": (motifs.WORD_STEPS,), "tokens": motifs.WORDS, "outputs": 2}
_ORDER = {"shape": (motifs.ORDER_STEPS,), "tokens": motifs.ORDER_TOKENS, "outputs": 2}
_SINES = {"shape": (SINE_STEPS, 1), "outputs": 1}
_TEXT = {"shape": (TEXT_STEPS,), "tokens": TEXT_WORDS, "outputs": TEXT_WORDS}
_PLAIN = models.simple_rnn, models.simple_rnn_no_bias
_CONVOLVED = models.gru, models.conv_before, models.conv_after
_TAGGERS = models.gru_steps, models.bidirectional

TASKS = {
    "class_to_columns": Task(
        _class_to_columns,
        _networks(models.from_vector, shape=(10,), outputs=8),
        classes=False,
        baselines={"class_mean": class_mean},
        passes=4,
    ),
    "columns_to_class": Task(
        _columns_to_class,
        _networks(models.gru, **_DIGITS, outputs=10),
        baselines={"logistic": logistic},
        passes=4,
    ),
    "columns_to_tags": Task(
        _columns_to_tags, _networks(*_TAGGERS, **_DIGITS, outputs=2), passes=4
    ),
    "rows_to_class": Task(
        _rows_to_class,
        _networks(*_PLAIN, models.gru, **_DIGITS, outputs=10),
        baselines={"logistic": logistic},
        passes=4,
    ),
    "motif": Task(_presence, _networks(models.gru, **_DNA), passes=2),
    "motif_places": Task(
        functools.partial(_made, motifs.planted_motifs),
        _networks(*_TAGGERS, **_DNA),
        passes=2,
    ),
    "names": Task(
        functools.partial(_made, motifs.names_before_verbs),
        _networks(*_TAGGERS, **_NAMES),
    ),
    "sines": Task(
        _sines,
        _networks(models.gru, models.causal_conv, *_PLAIN, **_SINES),
        classes=False,
        baselines={"ridge": ridge},
        shuffled=("gru",),
    ),
    "adding": Task(
        _adding,
        _networks(models.gru, models.causal_conv, shape=(ADDING_STEPS, 2), outputs=1),
        classes=False,
        passes=2,
    ),
    "text": Task(
        _text,
        _networks(
            models.gru, shape=(TEXT_STEPS,), tokens=TEXT_WORDS, outputs=TEXT_WORDS
        ),
        baselines={"bigram": bigram},
        shuffled=("gru",),
    ),
    "counting": Task(
        functools.partial(_made, motifs.counting),
        _networks(models.gru, *_PLAIN, shape=(motifs.COUNT_STEPS, 1), outputs=1),
        classes=False,
        baselines={"ridge": ridge},
        shuffled=("gru",),
    ),
    "before": Task(
        functools.partial(_made, motifs.a_before_b),
        _networks(models.flattened, models.bag, models.gru, **_ORDER),
    ),
    "parity": Task(
        _parity,
        _networks(
            models.linear_rnn, models.simple_rnn, shape=(motifs.BITS, 1), outputs=1
        ),
        classes=False,
        baselines={"ridge": ridge},
        passes=3,
    ),
    "prices": Task(
        _prices,
        _networks(models.gru, shape=(PRICE_STEPS, 1), outputs=DAYS_AHEAD),
        classes=False,
        baselines={"last_value": last_value, "drift": drift},
        steps=(1, 5, DAYS_AHEAD),
        passes=2,
    ),
    "sines_ahead": Task(
        _sines_ahead,
        _networks(*_CONVOLVED, shape=(SINE_STEPS, 1), outputs=DAYS_AHEAD),
        classes=False,
        baselines={"last_value": last_value},
        passes=2,
    ),
    "planted": Task(
        _planted,
        _networks(*_CONVOLVED, shape=(PLANTED_STEPS, 1), outputs=DAYS_AHEAD),
        classes=False,
        baselines={"last_value": last_value},
        passes=2,
    ),
    "first_state": Task(
        _sines_at_each_step,
        _networks(models.gru_steps, models.learned_state, **_SINES),
        classes=False,
        steps=(2, 5, 10, 20),
    ),
}
