"""Drawings in .ndjson files: goldens, splits by the drawing, bad lines by reason."""

import contextlib
import json
import random
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from rnn_tf.data.drawings import ndjson, stroke3
from rnn_tf.data.drawings.formats import ClassFile, first_drawings, read_drawings
from rnn_tf.data.drawings.stroke3 import UNRECOGNIZED, Choice, notes
from rnn_tf.errors import InputError
from tests.drawing_files import (
    SQUARE,
    SQUARE_ROWS,
    choose,
    line,
    ndjson_file,
    read,
    read_rows,
    refused,
)
from tests.fuzz import assert_sturdy

# --- goldens, worked out by hand


def test_simplified_strokes_become_moves(tmp_path):
    """The first point has no row; the pen is up after the last point of a stroke."""
    drawing = [[[10, 20, 20], [5, 5, 15]], [[0, 0], [0, 7]]]
    expected = [[10, 0, 0], [0, 10, 1], [-20, -15, 0], [0, 7, 1]]
    assert read_rows(ndjson_file(tmp_path / "a.ndjson", drawing)) == [expected]
    given_points = [np.array(stroke).T for stroke in drawing]
    assert stroke3.to_moves(given_points).tolist() == expected


def test_raw_strokes_are_scaled_and_thinned_out(tmp_path):
    """510 wide and 200 high: scaled by a half; eleven points in a line become two."""
    line = [[100 + 51 * i for i in range(11)], [3.0] * 11, list(range(11))]
    drawing = [line, [[100, 100], [203, 103], [20, 30]]]
    expected = [[255, 0, 1], [-255, 100, 0], [0, -50, 1]]
    assert read_rows(ndjson_file(tmp_path / "a.ndjson", drawing)) == [expected]


@pytest.mark.parametrize(("height", "kept"), [(1.9, False), (2.1, True)])
def test_a_point_two_units_off_the_line_is_kept(tmp_path, height, kept):
    """Would catch another epsilon, or thinning before scaling (here by a tenth)."""
    scale = 10
    drawing = [[[0, 127 * scale, 255 * scale], [0, height * scale, 0], [0, 1, 2]]]
    expected = [[127, 2, 0], [128, -2, 1]] if kept else [[255, 0, 1]]
    assert read_rows(ndjson_file(tmp_path / "a.ndjson", drawing)) == [expected]


def test_dots_and_repeated_points_are_fine(tmp_path):
    """A raw dot is two equal points, as Google's simplified files have it."""
    raw = [[[0.0], [0.0], [0]], [[0, 0, 255], [9, 9, 9], [1, 2, 3]]]
    simplified = [[[0, 0], [0, 0]], [[0, 255], [9, 9]]]
    file = ndjson_file(
        tmp_path / "a.ndjson", raw, simplified, [[[7, 7], [7, 7], [0, 1]]]
    )
    same = [[0, 0, 1], [0, 9, 0], [255, 0, 1]]
    assert read_rows(file) == [same, same, [[0, 0, 1]]]


# --- the split of a drawing


KNOWN = {"0": "test", "1": "train", "2": "train", "4": "validation", "9": "test"}


def splits(file):
    return [split for split, _ in read(file)]


def keyed(path, keys):
    lines = [json.dumps({"drawing": [SQUARE], "key_id": key}) for key in keys]
    return ndjson_file(path, *lines)


def test_the_split_never_changes(tmp_path):
    """Would catch hash(), which differs from run to run.

    The CRC-32 of 123456789 is 0xCBF43926 everywhere; modulo 10 that is 2.
    """
    file = keyed(tmp_path / "a.ndjson", ["123456789", *KNOWN])
    assert splits(file) == ["train", *KNOWN.values()]
    assert splits(keyed(tmp_path / "b.ndjson", map(int, KNOWN))) == [*KNOWN.values()]


def test_the_splits_are_80_10_10_whatever_the_order(tmp_path):
    """Would catch splits by line number, which leak when a file is shuffled or cut."""
    keys = [str(4_503_599_627_370_496 + 7 * i) for i in range(10_000)]
    shuffled = random.Random(0).sample(keys, len(keys))
    by_key = dict(zip(keys, splits(keyed(tmp_path / "a.ndjson", keys)), strict=True))
    again = splits(keyed(tmp_path / "b.ndjson", shuffled[:500]))
    assert again == [by_key[key] for key in shuffled[:500]]
    counts = Counter(by_key.values())
    assert counts["train"] == pytest.approx(8000, abs=150)
    assert counts["validation"] == pytest.approx(1000, abs=100)
    assert counts["test"] == pytest.approx(1000, abs=100)


def test_drawings_without_a_key_are_split_by_what_they_show(tmp_path):
    """Would catch all of them in one split, or whitespace that changes it."""
    drawings = [[[[0, i % 256], [i // 256, 9]]] for i in range(600)]
    expected = splits(ndjson_file(tmp_path / "a.ndjson", *drawings))
    assert set(expected) == {"train", "validation", "test"}
    wide = [json.dumps({"drawing": d}, separators=(" , ", " : ")) for d in drawings]
    assert splits(ndjson_file(tmp_path / "b.ndjson", *wide)) == expected
    assert splits(ndjson_file(tmp_path / "c.ndjson", *drawings, key_id="")) == expected


# --- bad drawings


BAD_LINES = {
    "not JSON": '{"drawing": [[[1, 2], [3',
    "not a JSON object with a list called drawing": line("text"),
    "no strokes": line([]),
    "stroke is not [[x...], [y...]] or with [t...]": line([[1, 2]]),
    "x, y and t of different lengths, or empty": line([[[1, 2], [3]]]),
    "coordinates are not numbers": line([[[1, "2"], [3, 4]]]),
    "not finite": line([[[1, float("nan")], [3, 4], [0, 1]]]),
    "coordinates outside 0..255": line([[[1, 256], [3, 4]]]),
    "coordinates outside -10000..10000": line([[[1, 1e6], [3, 4], [0, 1]]]),
    "fewer than 2 points": line([[[5], [5]]]),
    "strokes with and without times": line([SQUARE, [*SQUARE, [0, 1, 2, 3]]]),
    "line longer than 1,048,576 bytes": line([SQUARE], word="w" * (1 << 20)),
    "more than 10,000 points": line([[[0, 255] * 5_001, [0, 9] * 5_001]]),
    "fractions in less than 2 units; scale up to 255": line([[[0, 0.7], [0.4, 0.1]]]),
}


MORE_BAD_LINES = [
    ("not JSON", "[" * 100_000),
    ("not JSON", '{"drawing": %s}' % ("9" * 5000)),
    ("not a JSON object with a list called drawing", "[1, 2]"),
    ("not a JSON object with a list called drawing", "null"),
    ("not a JSON object with a list called drawing", '{"word": "cat"}'),
    ("not a JSON object with a list called drawing", '{"a":' * 900 + "1" + "}" * 900),
    ("stroke is not [[x...], [y...]] or with [t...]", line([["ab", "cd"]])),
    ("stroke is not [[x...], [y...]] or with [t...]", line([{"x": [1]}])),
    ("stroke is not [[x...], [y...]] or with [t...]", line([[[1, 2]]])),
    ("x, y and t of different lengths, or empty", line([[[1, 2], [3, 4], [5]]])),
    ("x, y and t of different lengths, or empty", line([[[], []]])),
    ("coordinates are not numbers", line([[[True, False], [True, True]]])),
    ("coordinates are not numbers", line([[[1, None], [3, 4]]])),
    ("coordinates are not numbers", line([[[1, [2]], [3, 4]]])),
    ("coordinates are not numbers", line([[[1, 10**400], [3.5, 4]]])),
    ("coordinates are not numbers", line([[[1, 2], [3, 4], ["a", "b"]]])),
    ("not finite", line([[[0, float("inf")], [3, 4]]])),
    ("coordinates outside 0..255", line([[[-1, 2], [3, 4]]])),
    ("coordinates outside -10000..10000", line([[[-1e308, 1e308], [0, 1], [0, 1]]])),
    ("fewer than 2 points", line([[[5.0], [5.0], [0]]])),
]


@pytest.mark.parametrize(("reason", "bad"), [*BAD_LINES.items(), *MORE_BAD_LINES])
def test_a_bad_line_is_an_error_that_says_where(tmp_path, reason, bad):
    file = ndjson_file(tmp_path / "a.ndjson", [SQUARE], "", bad)
    assert reason in refused(file, "a.ndjson, line 3: ")


def test_bad_lines_are_skipped_and_counted_by_reason(tmp_path):
    """Would catch a drawing lost in silence, or a good one lost with a bad."""
    file = ndjson_file(tmp_path / "a.ndjson", [SQUARE], *BAD_LINES.values(), [SQUARE])
    skipped = Counter()
    assert read_rows(file, skipped) == [SQUARE_ROWS] * 2
    assert skipped == Counter(dict.fromkeys(BAD_LINES, 1))
    refused(ClassFile("cat", tmp_path / "absent.ndjson"), "cannot be read")


def test_memory_does_not_grow_with_the_file(tmp_path):
    """Would catch a file read whole: 64 MB in one line, 4 MB of drawings."""
    path = tmp_path / "a.ndjson"
    with path.open("wb") as file:
        file.write(b'{"drawing": [')
        for _ in range(64):
            file.write(b" " * (1 << 20))
        file.write(b"\n" + (line([SQUARE], pad="x" * 2000).encode() + b"\n") * 2000)
    skipped = Counter()
    tracemalloc.start()
    count = sum(1 for _ in read_drawings(ClassFile("cat", path), choose(skipped)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, skipped.total()) == (2000, 1)
    assert peak < 8 << 20


# --- recognized


def test_drawings_that_were_not_recognized_are_kept_or_skipped_and_counted(tmp_path):
    """Would catch a third of a class's drawings gone, or scribbles kept, in silence."""
    fields = [{"recognized": value} for value in (True, False, None, "false", False)]
    lines = [line([SQUARE], word="cat", **field) for field in fields]
    file = ndjson_file(tmp_path / "a.ndjson", *lines, [SQUARE])
    keep, skip = Choice(), Choice(unrecognized="skip")
    assert len(list(read_drawings(file, keep))) == 6
    assert len(list(read_drawings(file, skip))) == 4
    assert keep.counts == skip.counts == {UNRECOGNIZED: 2}
    assert notes(keep.counts, keep) == [
        "2 drawings were not recognized by the game, and are kept"
    ]
    assert notes(skip.counts, skip) == [
        "skipped 2 drawings (not recognized by the game)"
    ]


# --- words


def test_a_drawing_of_another_word_than_its_class_is_bad(tmp_path):
    """Would catch dogs in a file of cats; one that says no word is of its file."""
    words = ["cat", "", None, 5, "CAT", "\ud800"]
    sound = [line([SQUARE], word=word) for word in words]
    file = ndjson_file(tmp_path / "a.ndjson", *sound, line([SQUARE], word="dog"))
    refused(file, "line 7: another word than the file's class .it is 'dog'.;")
    skipped = Counter()
    assert len(read_rows(file, skipped)) == 6
    assert skipped.total() == 1


def test_words_are_read_as_classes_are_named(tmp_path):
    """Would catch a class called ice_cream beside ice cream, or with half a letter."""
    words = ["ice_cream", " ice cream ", 'say "cat"', "猫", "\udc00", "", None, ["x"]]
    path = tmp_path / "train.ndjson"
    ndjson_file(path, "{", *(line([SQUARE], word=word) for word in words))
    assert ndjson.all_words(path) == {"ice cream", 'say "cat"', "猫"}
    assert ndjson.first_word(path) == "ice cream"
    ndjson_file(path, *(line([SQUARE], word=str(i)) for i in range(2000)))
    with pytest.raises(InputError, match="over 1,000 different values of `word`"):
        ndjson.all_words(path)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("train", "train"),
        ("TEST", "test"),
        ("quickdraw_eval-2", "test"),
        ("val", "validation"),
        ("my dev set", "validation"),
        ("latest", None),
        ("training.full", "train"),
        ("circle", None),
    ],
)
def test_names_tell_the_part(name, part):
    assert ndjson.part(Path(f"{name}.ndjson")) == part


# --- damaged files


@pytest.mark.long
def test_a_thousand_damaged_files_do_no_harm(tmp_path):
    raw = [[*(3.5 * np.array(SQUARE)).tolist(), [0, 1, 2, 3]]]
    drawings = [[SQUARE], raw, [SQUARE, [[1, 2], [3, 4]]]] * 5
    file = ndjson_file(tmp_path / "a.ndjson", *drawings, key_id="1", recognized=False)
    assert_sturdy(read_all, file.path)


def read_all(path):
    """Read a class, look at it, and read it by its words."""
    with contextlib.suppress(InputError):
        first_drawings(path, 20)
    words, choice = ndjson.all_words(path), Choice("skip", "skip")
    with contextlib.suppress(InputError):
        list(ndjson.read_all([path], words, dict.fromkeys(words, 0), choice))
    list(read_drawings(ClassFile("cat", path), Choice()))
