"""Folders of drawings: their files and classes, read alike in every format."""

import os
import unicodedata
from collections import Counter

import numpy as np
import pooch
import pytest

from rnn_tf.data.drawings import tfrecord
from rnn_tf.data.drawings.folder import find_class_files, read_folder
from rnn_tf.data.drawings.formats import first_drawings
from rnn_tf.data.drawings.stroke3 import Choice
from rnn_tf.errors import InputError
from tests.drawing_files import (
    GOOD,
    SQUARE,
    SQUARE_ROWS,
    example,
    line,
    moves,
    ndjson_file,
    npz_file,
    objects,
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


def note(folder, *classes):
    return "; ".join(read_folder(folder, classes).notes)


@pytest.mark.parametrize("suffix", ["NDJSON", "NPZ", "Ndjson"])
def test_suffixes_are_read_in_any_case(tmp_path, suffix):
    """Would catch a class that vanishes, as its file is called line.NDJSON."""
    path = tmp_path / f"line.{suffix}"
    if suffix == "NPZ":
        npz_file(tmp_path / "line.npz").path.rename(path)
    else:
        ndjson_file(path, line([SQUARE]))
    touch(tmp_path, "dog.npz")
    assert names(tmp_path) == ["dog", "line"]
    assert note(tmp_path) == ""
    assert len(first_drawings(path, 1)) == 1


def test_what_is_left_out_is_named(tmp_path):
    """Would catch files that nobody misses; hidden ones are the system's."""
    touch(tmp_path, "cat.npz", "dog.npz", "line.ndjson.gz", ".DS_Store", "owl.csv")
    (tmp_path / "old").mkdir()
    assert note(tmp_path) == "left out line.ndjson.gz, old, owl.csv"
    touch(tmp_path, "a.txt", "b.txt")
    assert note(tmp_path) == "left out a.txt, b.txt, line.ndjson.gz and 2 more"
    touch(tmp_path, "train.tfrecord")
    (tmp_path / "train.tfrecord.classes").write_text("cat\ndog")
    assert "a.txt, b.txt, cat.npz and 4 more" in note(tmp_path)


@pytest.mark.parametrize("name", ["cat.npy", "cat.bin", "cat.ndjson.gz", "train.csv"])
def test_other_files_of_google_are_refused_with_the_way_out(tmp_path, name):
    touch(tmp_path, name)
    with pytest.raises(InputError, match=f"it has {name}.: .*take the simplified"):
        names(tmp_path)


# --- paths that are no files


def folder_at(path):
    path.mkdir()


def dangling(path):
    path.symlink_to(path.with_name("absent"))


def loop(path):
    path.symlink_to(path)


def device(path):
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [folder_at, dangling, loop, os.mkfifo, device])
@pytest.mark.parametrize("name", ["b.npz", "b.ndjson", "b.NDJSON", "b.tfrecord"])
def test_what_is_no_file_is_refused(tmp_path, make, name):
    """Would catch a pipe that is waited for, and a device that fills the memory."""
    touch(tmp_path, "a.npz", "c.npz")
    make(tmp_path / name)
    with pytest.raises(InputError, match=f"{name} is not a file, but") as error:
        read_folder(tmp_path)
    assert "\n" not in str(error.value)
    if "tfrecord" not in name:
        with pytest.raises(InputError, match="is not a file"):
            first_drawings(tmp_path / name, 1)
        with pytest.raises(InputError, match="is not a file"):
            find_class_files(tmp_path)


def test_a_pipe_with_the_classes_is_not_waited_for(tmp_path):
    touch(tmp_path, "a.tfrecord")
    os.mkfifo(tmp_path / "training.tfrecord.classes")
    with pytest.raises(InputError, match="needs its list of classes"):
        read_folder(tmp_path)


def test_names_that_are_no_utf_8_are_refused(tmp_path):
    """Would catch a run that dies when it writes its results."""
    touch(tmp_path, "a.npz", "c.npz", os.fsdecode(b"w\xe4lk.txt"))
    with pytest.raises(InputError, match="is not UTF-8; rename it"):
        read_folder(tmp_path)


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    """Would catch a traceback: root may read all, so pooch plays the disk."""
    touch(tmp_path, "a.npz", "c.npz")

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pooch, "file_hash", refuse)
    with pytest.raises(InputError, match=r"a.npz cannot be read .Permission denied"):
        read_folder(tmp_path).labelled("x", Choice())


# --- classes by word


def worded(path, *words, count=40, start=0):
    """Write `count` different drawings of each word; return their path."""
    drawings = [
        line([[[0, start + i], [0, 255]]], word=word)
        for word in words
        for i in range(count)
    ]
    return ndjson_file(path, *drawings).path


def test_files_of_several_words_are_read_by_word(tmp_path):
    """Would catch classes called train and test, which tell nothing."""
    worded(tmp_path / "train.ndjson", "circle", "ice_cream", "zebra")
    worded(tmp_path / "test.ndjson", "circle", "ice_cream", "zebra", start=50)
    touch(tmp_path, "dog.npz")
    drawings = read_folder(tmp_path)
    assert drawings.classes == ("circle", "ice cream", "zebra")
    counts = Counter((split, label) for split, label, _ in drawings.read(Choice()))
    assert [counts["test", label] for label in range(3)] == [40] * 3
    assert [counts["train", n] + counts["validation", n] for n in range(3)] == [40] * 3
    assert all(counts["validation", label] for label in range(3))
    assert "the classes are by `word`" in note(tmp_path)
    assert note(tmp_path).endswith("left out dog.npz")
    two = read_folder(tmp_path, ("zebra", "circle"))
    assert {label for _, label, _ in two.read(Choice())} == {0, 1}
    assert len(list(two.read(Choice()))) == 160
    assert two.files != drawings.files  # known apart in the cache


def test_a_file_named_as_no_part_is_cut_by_a_hash(tmp_path):
    worded(tmp_path / "all drawings.ndjson", "circle", "zebra", count=150)
    drawings = read_folder(tmp_path)
    splits = {split for split, *_ in drawings.read(Choice())}
    assert splits == {"train", "validation", "test"}


def test_a_class_that_is_the_copy_of_another_is_refused(tmp_path):
    """Would catch a file that was copied, and not yet drawn anew: no model can tell
    its class from the other, and nothing says why."""
    for name in ("cat.npz", "dog.npz"):
        npz_file(tmp_path / name, [GOOD] * 3, [GOOD], [GOOD])
    with pytest.raises(InputError, match="dog.npz has the bytes of cat.npz"):
        read_folder(tmp_path).labelled("x", Choice())


def test_a_copy_of_the_training_file_is_no_test(tmp_path):
    """Would catch a test on the drawings of training."""
    train = worded(tmp_path / "train.ndjson", "circle", "zebra", count=150)
    (tmp_path / "test.ndjson").write_bytes(train.read_bytes())
    drawings = read_folder(tmp_path)
    counts = Counter(split for split, *_ in drawings.read(Choice()))
    assert counts.total() == 300
    assert counts["train"] > 200
    assert "test.ndjson has the bytes of train.ndjson" in note(tmp_path)


def test_the_word_is_the_class_where_a_file_is_not_named_for_it(tmp_path):
    """Would catch cat-1 and cat-2 as two classes."""
    worded(tmp_path / "cat-1.ndjson", "cat")
    worded(tmp_path / "cat-2.ndjson", "cat", start=50)
    with pytest.raises(InputError, match="one class, 'cat'.*by `word`"):
        read_folder(tmp_path)
    worded(tmp_path / "full_simplified_train.ndjson", "train")
    assert names(tmp_path) == ["cat", "train"]


def test_names_of_google_and_of_users_stay_classes(tmp_path):
    """Would catch words that are asked for where the file's name says it all."""
    worded(tmp_path / "full_simplified_house plant.ndjson", "house plant")
    worded(tmp_path / "ice_cream.ndjson", "ice cream")
    worded(tmp_path / "Zebra.ndjson", "zebra")
    ndjson_file(tmp_path / "mine.ndjson", line([SQUARE]))
    worded(tmp_path / unicodedata.normalize("NFD", "Büro.ndjson"), "Büro")
    assert set(names(tmp_path)) >= {"house plant", "ice cream", "Zebra", "mine"}
    assert note(tmp_path) == ""


def test_a_bad_word_in_a_file_of_words_is_bad(tmp_path):
    path = worded(tmp_path / "train.ndjson", "circle", "zebra")
    with path.open("a") as file:
        file.write(line([SQUARE]) + "\n")
    with pytest.raises(InputError, match="line 81: no word that names its class"):
        list(read_folder(tmp_path).read(Choice()))
    counts = Counter()
    assert len(list(read_folder(tmp_path).read(Choice("skip", counts=counts)))) == 80
    assert counts == {"no word that names its class": 1}


@pytest.mark.parametrize("suffix", ["npz", "ndjson"])
def test_parts_without_words_are_no_classes(tmp_path, suffix):
    """Would catch classes called train and test."""
    for name in ("train", "Test", "valid"):
        write = {"npz": npz_file, "ndjson": ndjson_file}[suffix]
        write(tmp_path / f"{name}.{suffix}", *([line([SQUARE])] * (suffix != "npz")))
    with pytest.raises(InputError, match="named as parts, .*, and not as classes"):
        read_folder(tmp_path)
    touch(tmp_path, "car.npz")
    assert len(names(tmp_path)) == 4  # a train is also something that one can draw


# --- files to look at


def test_any_array_of_drawings_may_be_looked_at(tmp_path):
    """Would catch a file refused that has only `test`: looking needs no parts."""
    path, cube = tmp_path / "a.npz", np.array([GOOD, GOOD * [2, 1, 1]])
    arrays = {
        "test": objects([GOOD]),
        "arr_0": objects([GOOD, GOOD]),
        "cubes": cube,
        "objects": cube.astype(object),
        "one": GOOD,
        "shares": cube / [255, 255, 1],
    }
    for name, array in arrays.items():
        np.savez(path, **{name: array})
        drawings = first_drawings(path, 9)
        assert drawings[0].tolist() == GOOD.tolist()
        assert len(drawings) == (1 if name == "one" else len(array))
    np.savez(path, labels=np.arange(2), drawings=cube, names=np.array(["a", "b"]))
    assert len(first_drawings(path, 9)) == 2
    np.savez(path, test=cube[1:], train=cube[:1])
    assert [rows[0, 0] for rows in first_drawings(path, 9)] == [3, 6]
    np.savez(path, labels=np.arange(2))
    with pytest.raises(InputError, match="a.npz, labels: an array"):
        first_drawings(path, 9)


def test_a_limit_below_one_is_refused(tmp_path):
    file = ndjson_file(tmp_path / "cat.ndjson", [SQUARE])
    with pytest.raises(InputError, match="the limit is 0"):
        first_drawings(file.path, 0)


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
