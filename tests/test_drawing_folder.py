"""Folders of drawings: their files and classes, read alike in every format."""

from collections import Counter

import numpy as np
import pytest

from rnn_tf.data.drawings import tfrecord
from rnn_tf.data.drawings.folder import find_class_files, read_folder
from rnn_tf.data.drawings.formats import first_drawings
from rnn_tf.data.drawings.stroke3 import Choice
from rnn_tf.errors import InputError
from tests.drawing_files import (
    SQUARE,
    SQUARE_ROWS,
    example,
    moves,
    ndjson_file,
    npz_file,
    read_rows,
    refused,
    tfrecord_file,
)


def test_the_first_drawings_of_a_file(tmp_path):
    file = ndjson_file(
        tmp_path / "cat.ndjson", *([[[0, n], [0, 9]]] for n in (1, 2, 3))
    )
    first = first_drawings(file.path, 2)
    assert [drawing.tolist() for drawing in first] == read_rows(file)[:2]
    assert len(first_drawings(file.path, 9)) == 3
    with pytest.raises(InputError, match="cat.txt does not end in .npz or .ndjson"):
        first_drawings(tmp_path / "cat.txt", 1)


# --- the files of a folder


def names(folder, *classes):
    return list(read_folder(folder, classes).classes)


def touch(folder, *files):
    for name in files:
        (folder / name).touch()


def test_class_names_lose_what_google_adds(tmp_path):
    """Would catch a class called 'full simplified ice cream'."""
    touch(tmp_path, "full_simplified_ice_cream.ndjson", "full_raw_The Mona Lisa.ndjson")
    touch(tmp_path, "sketchrnn_cat.full.npz", "alarm_clock.npz", "README.md", "._x.npz")
    expected = ["The Mona Lisa", "alarm clock", "cat", "ice cream"]
    assert names(tmp_path) == expected
    assert names(tmp_path, "cat", "alarm_clock") == ["alarm clock", "cat"]
    assert find_class_files(tmp_path)[2].path == tmp_path / "sketchrnn_cat.full.npz"


def test_folders_that_do_not_serve_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"not a folder; .* or .tfrecord files"):
        names(tmp_path / "absent")
    touch(tmp_path, "cat.npy")
    with pytest.raises(InputError, match="not a folder"):
        names(tmp_path / "cat.npy")
    with pytest.raises(InputError, match=r"no .npz, .ndjson or .tfrecord file"):
        names(tmp_path)
    touch(tmp_path, "cat.npz")
    with pytest.raises(InputError, match="one class, 'cat'"):
        names(tmp_path)


def test_a_class_that_is_not_there_is_answered_with_the_nearest(tmp_path):
    touch(tmp_path, "cat.npz", "dog.npz", "camel.npz")
    with pytest.raises(InputError, match="no class 'cats' among its 3; .*'cat'"):
        names(tmp_path, "cats", "dog")
    with pytest.raises(InputError, match="one class, 'dog'"):
        names(tmp_path, "dog", "dog")


def test_two_files_for_a_class_are_refused(tmp_path):
    """Would catch one of them read and the other forgotten."""
    touch(tmp_path, "ice_cream.npz", "ice cream.ndjson", "cat.npz")
    with pytest.raises(InputError, match="two files for the class 'ice cream'"):
        names(tmp_path)


# --- all formats


def test_all_formats_agree(tmp_path):
    """Would catch a first row that one format has and another has not."""
    raw = [[*(10.0 * np.array(SQUARE) + 3).tolist(), [0, 1, 2, 3]]]
    file = ndjson_file(tmp_path / "a.ndjson", [SQUARE], raw)
    assert read_rows(file) == [SQUARE_ROWS] * 2
    assert read_rows(npz_file(tmp_path / "a.npz", [moves(SQUARE_ROWS)])) == [
        SQUARE_ROWS
    ]
    path = tfrecord_file(tmp_path, example(moves(SQUARE_ROWS) / [255, 255, 1]))
    [(_, drawing)] = tfrecord.read(path, ("cat", "dog"), Choice())
    assert drawing.tolist() == SQUARE_ROWS


def test_a_file_without_a_sound_drawing_is_an_error(tmp_path):
    """Would catch a class in name only, also where bad drawings are skipped."""
    refused(npz_file(tmp_path / "a.npz", ()), "has no drawing in it, and 0 bad ones")
    refused(ndjson_file(tmp_path / "a.ndjson", "", " "), "has no drawing in it")
    with pytest.raises(InputError, match="no drawing in it, and 1 bad"):
        read_rows(ndjson_file(tmp_path / "b.ndjson", "{"), Counter())
