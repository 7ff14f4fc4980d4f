"""Texts as numbers: splits by place, the vocabulary of training alone, bad files."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_tf.data.text import corpus, reader
from rnn_tf.errors import InputError

SHARES = 80, 10, 10


def made(text: str, unit: str = "character", most: int = 100, shares=SHARES):
    return corpus.in_memory(reader.from_string("text", text), unit, shares, most)


# ---------------------------------------------------------------- numbers


def test_characters_are_numbered_by_how_often_training_has_them():
    """b 3, a 2 and c 2 times: the more frequent first, then by the alphabet."""
    text = made("bbbaaccbda", shares=(70, 10, 20))
    assert text.vocabulary == ("", "b", "a", "c")
    assert text.parts["train"].tokens.tolist() == [1, 1, 1, 2, 2, 3, 3]
    assert text.parts["validation"].tokens.tolist() == [1]
    assert text.parts["test"].tokens.tolist() == [corpus.UNKNOWN, 2]


def test_the_vocabulary_is_that_of_training_and_unknown_tokens_are_counted():
    """Would catch a test set that tells the model which tokens there are."""
    text = made("ab" * 40 + "xyzababab!" + "!?!bababab")
    assert text.vocabulary == ("", "a", "b")
    assert text.unknown == {"train": 0, "validation": 4, "test": 3}


def test_rare_words_are_unknown_where_the_vocabulary_is_full():
    text = made("a b b c " * 30, "word", most=3)
    assert text.vocabulary[1] == " b"
    assert text.unknown["train"] > 0


def test_parts_follow_each_other_in_the_text():
    """Would catch shuffled or overlapping parts."""
    whole = "abcdefghij" * 20
    text = made(whole)
    told = "".join(text.text(part.tokens) for part in text.parts.values())
    assert told == whole
    assert [len(p.tokens) for p in text.parts.values()] == [160, 20, 20]


def test_words_keep_their_spaces_so_that_every_character_is_paid_for():
    assert corpus.pieces("The cat's  on\nit.", "word") == [
        *("The", " cat", "'", "s", " ", " on", "\n", "it", ".")
    ]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.sampled_from(sorted(corpus.UNITS)))
def test_pieces_are_the_text_again(text, unit):
    assert "".join(corpus.pieces(text, unit)) == text


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet="ab \n.", max_size=60), st.integers(1, 7))
def test_blocks_do_not_show_in_words(text, size):
    """Would catch a word that is cut where a block of the file ends."""
    blocks = (text[i : i + size] for i in range(0, len(text), size))
    words = [
        w for block in corpus._whole_words(blocks) for w in corpus.WORD.findall(block)
    ]
    assert words == corpus.WORD.findall(text)


def test_a_word_without_end_is_cut():
    """Would catch memory that grows with a file that holds no space."""
    blocks = list(corpus._whole_words("a" * 50_000 for _ in range(4)))
    assert len(blocks) > 1
    assert "".join(blocks) == "a" * 200_000


# ---------------------------------------------------------------- parts


def test_what_lies_outside_of_a_part_is_unknown():
    part = corpus.Part(np.array([5, 6, 7], "<u2"), None)
    read = part.read(np.array([-2, 1]), 3)
    assert read.tolist() == [[0, 0, 5], [6, 7, 0]]
    assert read.dtype == "int32"


def test_stretches_are_equally_long_and_end_with_the_part():
    part = corpus.Part(np.zeros(2_500, "<u2"), None)
    assert part.ends(1_000).tolist() == [1_250, 2_500]
    assert part.ends(10_000).tolist() == [2_500]


def test_stretches_of_words_end_where_their_characters_do():
    """Six characters in stretches of about 3: the first ends behind "bb"."""
    part = corpus.Part(np.array([1, 2, 3], "<u2"), np.array([1, 2, 3], "<u4"))
    assert part.characters == 6
    assert part.ends(3).tolist() == [2, 3]


# ---------------------------------------------------------------- files


def write(folder, name, content: bytes):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr("rnn_tf.data.download.cache", lambda: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.mark.parametrize("unit", corpus.UNITS)
def test_a_text_in_the_cache_is_the_text_in_memory(tmp_path, cache, monkeypatch, unit):
    monkeypatch.setattr(reader, "BLOCK", 64)
    monkeypatch.setattr(corpus, "CHUNK", 50)
    words = np.random.default_rng(1).choice(["cat", "dog", "überall", "ox."], 400)
    whole = " ".join(words) + "\n"
    path = write(tmp_path, "a.txt", whole.encode())
    here = made(whole, unit)
    for _ in range(2):  # written, then read
        there = corpus.in_cache(reader.read(path), unit, SHARES, 100)
        assert there.vocabulary == here.vocabulary
        assert there.unknown == here.unknown
        for split, part in there.parts.items():
            assert (part.tokens == here.parts[split].tokens).all()
            assert part.characters == here.parts[split].characters
    (folder,) = cache.iterdir()
    assert not (folder / "raw").exists()


def test_the_cache_tells_units_splits_and_vocabularies_apart(tmp_path, cache):
    text = reader.read(write(tmp_path, "a.txt", b"a b c d e f " * 50))
    for unit, shares, most in [
        *(("word", SHARES, 100), ("word", SHARES, 3), ("word", (50, 25, 25), 100)),
        ("character", SHARES, 100),
    ]:
        corpus.in_cache(text, unit, shares, most)
    assert len(list(cache.iterdir())) == 4


def test_a_folder_is_its_texts_sorted_by_path(tmp_path):
    write(tmp_path, "b.txt", b"second\n")
    write(tmp_path, "a/x.txt", b"first\r\nline")
    write(tmp_path, "notes.md", b"no")
    write(tmp_path, ".hidden.txt", b"no")
    text = reader.read(tmp_path)
    assert "".join(text.blocks()) == "first\nline\nsecond\n"
    assert text.name == tmp_path.name


def test_a_byte_order_mark_is_no_character(tmp_path):
    text = reader.read(write(tmp_path, "a.txt", b"\xef\xbb\xbfabc"))
    assert "".join(text.blocks()) == "abc"


BAD = {
    "empty": (b"", "is empty; give a text"),
    "latin": ("Größe".encode("latin-1"), "no UTF-8 text (invalid"),
    "utf16": ("abc".encode("utf-16"), "no UTF-8 text (invalid start byte"),
    "binary": (b"abc\0\1\2", "no UTF-8 text (it holds the character NUL)"),
    "cut": ("aü".encode()[:-1], "no UTF-8 text (unexpected end of data"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_text_ends_in_one_line(tmp_path, name):
    content, message = BAD[name]
    path = write(tmp_path, f"{name}.txt", content)
    with pytest.raises(InputError) as error:
        reader.read(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_no_file_ends_in_one_line(tmp_path):
    """Would catch a pipe that is waited for without end."""
    with pytest.raises(InputError, match="no such file or folder"):
        reader.read(tmp_path / "absent.txt")
    with pytest.raises(InputError, match=r"holds no file that ends with \.txt"):
        reader.read(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.txt")
        with pytest.raises(InputError, match="no such file or folder"):
            reader.read(tmp_path / "pipe.txt")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a" * 500, "has one character, 'a', again and again"),
        ("\n" * 500, r"has one character, '\\\\n', again"),
        ("ab", "has 2 characters; that is too short for three parts"),
    ],
)
def test_a_text_that_teaches_nothing_ends_in_one_line(text, message):
    with pytest.raises(InputError, match=message):
        made(text)
