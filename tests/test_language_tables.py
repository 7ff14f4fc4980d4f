"""The studies of a full run, wired together: as little of each as there can be."""

from functools import partial

import keras
import pytest

from rnn_tf.baselines import ngrams
from rnn_tf.data.text import corpus, grammar, reader
from rnn_tf.data.text.corpus import Part
from rnn_tf.studies import (
    at_once,
    language_tables,
    little_models,
    restarts,
    small_languages,
    speech,
    weight_sharing,
)
from rnn_tf.studies.language_models import NetworkReader


@pytest.fixture(scope="module")
def text() -> language_tables.Text:
    """The artificial language, and a GRU that has learnt nothing of it."""
    words = reader.from_string("grammar", grammar.Language().text(600))
    made = corpus.in_memory(words, "word", (80, 10, 10), 1_000)
    size = len(made.vocabulary)
    inputs = keras.Input(batch_shape=(4, 16), dtype="int32")
    x = keras.layers.Embedding(size, 4)(inputs)
    x = keras.layers.GRU(4, return_sequences=True, stateful=True)(x)
    model = keras.Model(inputs, keras.layers.Dense(size)(x))
    grams = ngrams.Models(made.parts["train"].tokens, size, 2)
    return language_tables.Text(made, grams, [NetworkReader("gru", 1, model)], [], 5)


LITTLE = {
    (speech, "fed_rows"): {"length": 2},
    (speech, "long_rows"): {"length": 80},
    (speech, "loop_rows"): {"length": 4},
    (at_once, "rows"): {"updates": 1},
    (little_models, "rows"): {"settings": ("first",), "epochs": 1},
    (weight_sharing, "rows"): {"examples": (10,), "updates": 10},
}
STUDIES = set("hello bank weight_sharing fed long_speech loops".split())


def test_every_study_fills_the_columns_of_its_table(text, monkeypatch):
    """Would catch a study that fails after an hour of training."""
    monkeypatch.setattr(restarts, "COMPILED", False)
    monkeypatch.setattr(at_once, "PROMPTS", (1, 9))
    monkeypatch.setattr(weight_sharing, "MODELS", {"shared": weight_sharing.shared})
    monkeypatch.setattr(weight_sharing, "ROUNDS", 2)
    for (module, name), options in LITTLE.items():
        monkeypatch.setattr(module, name, partial(getattr(module, name), **options))
    for name in ("hello_rows", "bank_rows"):  # have tests of their own
        monkeypatch.setattr(small_languages, name, lambda seeds: [])
    tables = language_tables.of_studies(text, seeds=1)
    assert set(tables) == STUDIES | {"at_once", "little_models"}
    for name, (columns, rows) in tables.items():
        assert rows or name in ("hello", "bank")
        assert all(list(row) == columns for row in rows), name


def test_a_text_that_is_too_short_for_little_models_is_told(text, capsys):
    """Would catch an empty batch at the end of a long run."""
    parts = text.corpus.parts | {"test": Part(text.test.tokens[:150], None)}
    short = corpus.Corpus(parts, text.corpus.vocabulary, {}, "word")
    other = language_tables.Text(short, text.grams, [], [], 5)
    assert language_tables._trained_anew(other, 1) == {}
    assert "takes 200 words for test" in capsys.readouterr().err


def test_the_sentence_that_is_shown_is_the_longest_of_the_first_lines(text):
    words = text.corpus.vocabulary
    places = language_tables.sentence(text.corpus)
    shown = [words[n] for n in text.test.tokens[places.start : places.stop]]
    assert shown[-1] == "\n" and shown.count("\n") == 1
    lines = text.corpus.text(text.test.tokens[:400].tolist()).split("\n")
    longest = max(lines[1:-1], key=lambda line: len(line.split()))
    assert "".join(shown[:-1]) == longest
