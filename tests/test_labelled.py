"""What config.json and the terminal are told of examples of several classes."""

import dataclasses
import json
import os
from pathlib import Path

import pytest

from rnn_tf.data.drawings import doodles
from rnn_tf.data.labelled import check_name, list_names
from rnn_tf.errors import InputError


@pytest.mark.parametrize("place", [b"w\xe4lk/a.mp4", b"walk/\xe4.ndjson"])
def test_a_name_in_another_encoding_is_refused_before_training(place):
    """Would catch a run that trains fully and then cannot write metrics.csv."""
    path = Path(os.fsdecode(b"clips/" + place))
    with pytest.raises(InputError, match="is not UTF-8") as error:
        check_name(path)
    assert str(error.value).encode("utf-8").isascii()


def test_any_name_in_utf8_is_taken():
    check_name(Path("clips/Büro-Öffnung/猫 [x].mp4"))


def test_facts_count_what_is_there_and_can_be_written():
    """Would catch a note that never reaches the terminal, counts that are not those of
    the parts, NumPy numbers that JSON refuses, and facts of a source that change."""
    labelled = doodles.labelled(1_300)
    facts = labelled.facts | {"notes": ["one note", "two"]}
    labelled = dataclasses.replace(labelled, facts=facts)
    before = json.dumps(facts)
    described = labelled.describe("drawings", padding={"scale": 2.5})
    assert json.loads(json.dumps(described)) == described
    assert described["classes"] == list(doodles.CLASSES)
    assert described["padding"] == {"scale": 2.5}
    counts = {name: len(part.labels) for name, part in labelled.parts.items()}
    assert described["drawings"] == counts
    assert described["says"] == (
        "doodles, 12 classes (circle, spiral, square, hourglass, pentagon, star and 6 "
        "more), 1,040 train, 130 validation, 130 test; one note; two"
    )
    assert json.dumps(facts) == before


@pytest.mark.parametrize(
    ("names", "most", "text"),
    [
        (("walk", "sit"), 6, "walk, sit"),
        (tuple("abcdefg"), 6, "a, b, c, d, e, f and 1 more"),
        (tuple("abcdef"), 6, "a, b, c, d, e, f"),
        (("x" * 31,), 6, "x" * 29 + "…"),
        ((), 6, ""),
    ],
)
def test_names_are_shortened_by_hand(names, most, text):
    """Would catch a folder called train that is taken for a class without a word, and
    101 names that fill the terminal."""
    assert list_names(names, most) == text
