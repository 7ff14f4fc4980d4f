"""Neighbours of embeddings: groups by hand, against what chance would give."""

from types import SimpleNamespace

import numpy as np
import pytest

from rnn_tf.data.text import corpus, grammar, reader
from rnn_tf.studies import embeddings


def made(text: str, unit: str):
    source = reader.from_string("text", text)
    return corpus.in_memory(source, unit, (80, 10, 10), 1_000)


LETTERS = made("Aa Ee bB i t. " * 60, "character")


def names(text, label: str) -> dict[str, str]:
    """Token -> its group."""
    groups = embeddings.labels(text).get(label, {})
    return {text.vocabulary[n]: group for n, group in groups.items()}


def test_letters_have_a_case_and_are_vowels_or_not():
    assert names(LETTERS, "case") == dict(zip("AaEebB", "aaeebb", strict=True))
    vowels = {x for x, group in names(LETTERS, "vowel").items() if group == "vowel"}
    assert vowels == set("AaEei")
    assert set(names(LETTERS, "vowel")) == set("AaEebBit")
    assert not names(LETTERS, "class")


def test_the_artificial_language_has_noun_classes_and_no_case():
    """Would catch letter pairs that are looked for where there is one case."""
    text = made(grammar.Language().text(2_000), "word")
    assert set(embeddings.labels(text)) == {"class", "kind"}
    assert len(names(text, "class")) == 80
    assert names(text, "kind")[" near"] == "preposition"


def test_english_words_have_no_kind_though_prepositions_are_the_same():
    text = made("the man stood by it near the sea with The dog By It. " * 60, "word")
    assert set(embeddings.labels(text)) == {"case"}


def test_rare_tokens_are_left_out():
    """Would catch vectors that training has hardly touched."""
    assert "z" not in names(made("ab" * 90 + "zZ" * 5 + "ab" * 20, "character"), "case")


def test_neighbours_are_by_direction_not_by_length():
    vectors = np.array([[1, 0], [9, 1], [0, 1], [1, 9]], float)
    assert embeddings.nearest(vectors).tolist() == [1, 0, 3, 2]


def reader_of(matrix: np.ndarray):
    layer = SimpleNamespace(embeddings=matrix)
    return SimpleNamespace(name="gru", seed=1, model=SimpleNamespace(layers=[layer]))


@pytest.mark.parametrize("sorted_by", ["group", "chance"])
def test_a_share_is_high_where_groups_lie_together_and_else_as_by_chance(sorted_by):
    text = made(grammar.Language().text(2_000), "word")
    random = np.random.default_rng(1)
    matrix = random.normal(size=(len(text.vocabulary), 16))
    if sorted_by == "group":
        for n, word in enumerate(text.vocabulary):
            matrix[n, grammar.CLASSES.index(grammar.noun_class(word) or "ba")] += 30
    table = embeddings.rows([reader_of(matrix)], text)
    (row,) = [row for row in table if row["label"] == "class"]
    assert (row["tokens"], row["groups"], row["width"]) == (80, 8, 16)
    assert row["shuffled"] == pytest.approx(9 / 79, abs=0.02)
    if sorted_by == "group":
        assert row["share"] == 1 and row["p"] < 0.01
    else:
        assert row["share"] < 0.3 and row["p"] > 0.01


def test_the_map_shows_each_frequent_token_once():
    matrix = np.random.default_rng(1).normal(size=(len(LETTERS.vocabulary), 4))
    rows = embeddings.map_rows(reader_of(matrix), LETTERS)
    assert [row["token"] for row in rows] == list(LETTERS.vocabulary[1:])
    assert {row["group"] for row in rows} == {"vowel", "consonant", ""}
    assert all(row["nearest"] != row["token"] for row in rows)
