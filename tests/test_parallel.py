"""Parallel text from files: what is read, what is left out, and what cannot be."""

import gzip

import pytest

from rnn_tf.data.text import parallel
from rnn_tf.data.text.parallel import Pairs, ParallelText
from rnn_tf.errors import InputError

GERMAN = [f"Hund {n}" for n in range(12)]
ENGLISH = [f"dog {n}" for n in range(12)]


def write_folder(path, **files) -> None:
    """Write train.de and so on, ten pairs and one each; `files` replaces some."""
    texts = {}
    for language, lines in (("de", GERMAN), ("en", ENGLISH)):
        for stem, part in (("train", lines[:10]), ("val", lines[10:11])):
            texts[f"{stem}.{language}"] = "\n".join(part) + "\n"
        texts[f"test_2016.{language}"] = lines[11] + "\n"
    texts |= {name.replace("_in_", "."): text for name, text in files.items()}
    for name, text in texts.items():
        if text is not None:
            (path / name).write_text(text, encoding="utf-8")


def test_a_folder_has_three_parts_whose_lines_belong_together(tmp_path):
    write_folder(tmp_path)
    text = parallel.read(tmp_path)
    assert {split: len(part) for split, part in text.parts.items()} == {
        "train": 10,
        "validation": 1,
        "test": 1,
    }
    assert list(text.parts["test"]) == [("Hund 11", "dog 11")]
    assert text.languages == ("de", "en")


def test_the_languages_say_which_side_is_the_source(tmp_path):
    write_folder(tmp_path)
    assert parallel.read(tmp_path, ("en", "de")).parts["test"].sources == ("dog 11",)


def test_packed_files_are_read_as_they_are(tmp_path):
    """Would catch a reader that cuts lines at other signs than line feeds."""
    write_folder(tmp_path, val_in_de=None, val_in_en="a\x0bb \u2028c\n")
    with gzip.open(tmp_path / "val.de.gz", "wb") as file:
        file.write("\ufeffein Büro\r\n".encode())
    assert list(parallel.read(tmp_path).parts["validation"]) == [
        ("ein Büro", "a\x0bb \u2028c")
    ]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"train_in_en": "one\ntwo\n"}, "train.en 2: line 3 has no partner"),
        ({"val_in_en": None}, "has no val.en, nor val.en.gz"),
        ({"val_in_de": None, "val_in_en": None}, "has no file for validation"),
        ({"val_in_de": "", "val_in_en": ""}, "val.de is empty"),
        ({"train_in_fr": "\n" * 10}, "de en fr; give two of them"),
    ],
)
def test_a_folder_that_does_not_fit_is_one_line(tmp_path, files, message):
    write_folder(tmp_path, **files)
    with pytest.raises(InputError, match=message) as error:
        parallel.read(tmp_path)
    assert "\n" not in str(error.value)


def test_an_unknown_language_is_one_line(tmp_path):
    write_folder(tmp_path)
    with pytest.raises(InputError, match="--languages is de fr, .* end with: de en"):
        parallel.read(tmp_path, ("de", "fr"))


@pytest.mark.parametrize(
    ("binary", "message"),
    [(b"\xff\xfe", "is no UTF-8 text"), (b"\x1f\x8b\x08cut", "cannot be read")],
)
def test_a_file_that_is_no_text_is_one_line(tmp_path, binary, message):
    write_folder(tmp_path, val_in_de=None)
    (tmp_path / ("val.de.gz" if b"\x1f" in binary else "val.de")).write_bytes(binary)
    with pytest.raises(InputError, match=message):
        parallel.read(tmp_path)


@pytest.mark.parametrize(("name", "sign"), [("a.tsv", "\t"), ("a.csv", ",")])
def test_a_table_is_cut_into_parts_without_a_pair_in_two(tmp_path, name, sign):
    rows = zip(GERMAN, ENGLISH, strict=True)
    lines = [f"{de}{sign}{en}{sign}CC-BY" for de, en in rows]
    (tmp_path / name).write_text("\n".join(lines))
    parts = parallel.read(tmp_path / name).parts
    assert sorted(row for part in parts.values() for row in part) == sorted(
        zip(GERMAN, ENGLISH, strict=True)
    )
    assert len(parts["train"]) == 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tb\n" * 9, "has 9 pairs; three parts take at least 10"),
        ("a\tb\n" * 9 + "only\n", "line 10: one column"),
    ],
)
def test_a_table_without_pairs_is_one_line(tmp_path, text, message):
    (tmp_path / "a.tsv").write_text(text)
    with pytest.raises(InputError, match=message):
        parallel.read(tmp_path / "a.tsv")


@pytest.mark.parametrize("name", ["nowhere", "a.docx"])
def test_what_is_no_parallel_text_is_one_line(tmp_path, name):
    (tmp_path / "a.docx").write_text("")
    with pytest.raises(InputError, match="give a folder with train.de"):
        parallel.read(tmp_path / name)


# ---------------------------------------------------------------- cleaning


def text_of(train, validation, test) -> ParallelText:
    parts = {"train": train, "validation": validation, "test": test}
    pairs = {split: parallel.from_rows(rows) for split, rows in parts.items()}
    return ParallelText("t", pairs, "", ("a", "b"))


def clean(text: ParallelText, longest: int = 3, lower: bool = False) -> ParallelText:
    return parallel.clean(text, longest, lambda s: len(s.split()), lower)


def test_no_source_stands_in_two_parts_and_all_that_goes_is_counted():
    train = [("a", "x"), ("a", "x"), ("b", "y"), ("c", "z"), ("", "q"), ("d " * 4, "w")]
    cleaned = clean(text_of(train, [("b", "y"), ("c", "z")], [("c", "k")]))
    assert list(cleaned.parts["train"]) == [("a", "x")]
    assert list(cleaned.parts["validation"]) == [("b", "y")]
    assert set(cleaned.notes) == {
        "left out of train: 1 empty",
        "left out of train: 1 too long",
        "left out of train: 3 doubled",
        "left out of validation: 1 doubled",
    }


def test_the_test_part_stays_as_others_have_it():
    """Would catch scores that do not compare with published ones."""
    test = [("a  b", "c"), ("a  b", "c"), ("d " * 9, "e")]
    cleaned = clean(text_of([("k", "l")], [("m", "n")], test))
    assert cleaned.parts["test"].sources == ("a b", "a b", "d d d d d d d d d")
    assert cleaned.notes == ()


def test_case_is_put_away_before_doubles_are_looked_for():
    text = text_of([("A", "X"), ("k", "l")], [("m", "n")], [("a", "x")])
    assert clean(text).parts["train"].sources == ("A", "k")
    assert clean(text, lower=True).parts["train"].sources == ("k",)


def test_a_part_with_nothing_left_is_one_line():
    text = text_of([("a b c d", "x")], [("m", "n")], [("a", "x")])
    with pytest.raises(InputError, match="no pair for train that is not empty"):
        clean(text)


def test_pairs_are_picked_together():
    pairs = Pairs(("a", "b", "c"), ("x", "y", "z")).pick([2, 0])
    assert list(pairs) == [("c", "z"), ("a", "x")]
