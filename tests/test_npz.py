"""Drawings in .npz files: sound ones exactly, unsound ones refused, none run."""

import pickle
import struct
import tracemalloc
import zipfile
from collections import Counter

import numpy as np
import pytest

from rnn_tf.data.drawings import stroke3
from rnn_tf.data.drawings.formats import ClassFile, first_drawings, read_drawings
from rnn_tf.data.drawings.stroke3 import Choice, notes
from tests.drawing_files import (
    GOOD,
    PYTHON_2,
    moves,
    npz_file,
    objects,
    pickled_file,
    read,
    read_rows,
    refused,
)
from tests.fuzz import assert_sturdy

# --- goldens, worked out by hand


def test_npz_is_read_split_by_split_as_it_is(tmp_path):
    file = npz_file(tmp_path / "a.npz", [GOOD], [GOOD * [2, 2, 1]], [GOOD * [3, 3, 1]])
    drawings = [(split, drawing.tolist()) for split, drawing in read(file)]
    assert drawings == [
        ("train", [[3, -4, 0], [0, 5, 1]]),
        ("validation", [[6, -8, 0], [0, 10, 1]]),
        ("test", [[9, -12, 0], [0, 15, 1]]),
    ]
    assert all(drawing.dtype == np.int16 for _, drawing in read(file))


@pytest.mark.parametrize("module", [b"numpy.core", b"numpy._core"])
def test_npz_of_old_and_new_writers(tmp_path, module):
    """Would catch Google's own files, written by Python 2, refused or misread."""
    stream = PYTHON_2.replace(b"numpy.core", module)
    assert read_rows(pickled_file(tmp_path / "a.npz", stream)) == [[[-2, 300, 1]]]


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_npz_of_every_pickle_protocol(tmp_path, protocol):
    stream = pickle.dumps(objects([GOOD, GOOD]), protocol)
    assert read_rows(pickled_file(tmp_path / "a.npz", stream, 2)) == [GOOD.tolist()] * 2


@pytest.mark.parametrize("dtype", ["u1", ">i2", "<i4", "i8", "f4", ">f8"])
def test_npz_of_other_number_types(tmp_path, dtype):
    """Would catch bytes read in the wrong order, or columns for rows."""
    drawing = np.asfortranarray([[3, 4, 0], [0, 5, 1]]).astype(dtype)
    assert read_rows(npz_file(tmp_path / "a.npz", [drawing])) == [
        [[3, 4, 0], [0, 5, 1]]
    ]


def test_fractions_are_rounded_where_they_lead_to(tmp_path):
    """Would catch errors that add up: ten moves of 2.4 lead to 24, not to 20."""
    [rows] = read_rows(npz_file(tmp_path / "a.npz", [moves([[2.4, 0, 0]] * 10, float)]))
    assert np.sum(rows, axis=0)[0] == 24


def test_the_longest_moves_are_kept(tmp_path):
    drawing = [[10_000, -10_000, 0], [-10_000, 10_000, 1]]
    assert read_rows(npz_file(tmp_path / "a.npz", [moves(drawing)])) == [drawing]


# --- bad drawings


BAD_ARRAYS = {
    "shape is not (points, 3)": np.zeros((4, 2), np.int16),
    "fewer than 2 points": np.zeros((0, 3), np.int16),
    "not finite": moves([[0, np.nan, 1]], float),
    "move beyond 10,000": moves([[1, 10_001, 1]], np.int64),
    "pen is not 0 or 1": moves([[1, 1, 2]]),
    "not an array of numbers": np.array([["1", "2", "0"]]),
}


MORE_BAD_ARRAYS = [
    ("not finite", moves([[np.inf, 0, 1]], "f4")),
    ("move beyond 10,000", moves([[-1e30, 0, 1]], float)),
    ("pen is not 0 or 1", moves([[1, 1, 0.5]], float)),
    ("pen is not 0 or 1", moves([[1, 1, -1]])),
    ("shape is not (points, 3)", np.zeros(3, np.int16)),
    ("shape is not (points, 3)", np.zeros((1, 2, 3), np.int16)),
    ("not an array of numbers", np.array([[True, False, True]])),
    ("not an array of numbers", np.array([[1j, 0, 1]])),
    ("not an array of numbers", objects([GOOD])),
    ("not an array of numbers", np.zeros(2, "i2,i2,O")),
    ("not an array of numbers", [[1, 2, 1]]),
    ("not an array of numbers", None),
    ("not an array of numbers", "text"),
]


@pytest.mark.parametrize(("reason", "bad"), [*BAD_ARRAYS.items(), *MORE_BAD_ARRAYS])
def test_a_bad_array_is_an_error_that_says_where(tmp_path, reason, bad):
    message = refused(
        npz_file(tmp_path / "a.npz", [GOOD], [GOOD, bad]), "valid, drawing 1: "
    )
    assert reason in message


def test_bad_arrays_are_skipped_and_counted_by_reason(tmp_path):
    """Would catch a drawing lost in silence, or a good one lost with a bad."""
    arrays = [GOOD, *BAD_ARRAYS.values(), GOOD, *BAD_ARRAYS.values(), GOOD]
    skipped = Counter()
    kept = read_rows(npz_file(tmp_path / "a.npz", arrays, arrays[:2]), skipped)
    assert kept == [GOOD.tolist()] * 4
    expected = Counter(dict.fromkeys(BAD_ARRAYS, 2)) + Counter([list(BAD_ARRAYS)[0]])
    assert skipped == expected


# --- archives


@pytest.mark.parametrize("declared", [50 << 20, 1000])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, declared):
    """Would catch a size that is believed: zipfile unpacks all, then cuts it off."""
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.npy", bytes(50 << 20))
    sizes = struct.pack("<I", 50 << 20), struct.pack("<I", declared)
    path.write_bytes(path.read_bytes().replace(*sizes))
    tracemalloc.start()
    refused(ClassFile("cat", path), "train: ")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 << 20


def test_only_what_numpy_writes_is_unpacked(tmp_path):
    """Would catch methods whose unpacking zipfile does not bound."""
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("train.npy", bytes(1000))
    refused(ClassFile("cat", path), "another method than deflate")


# --- damaged files


def header(text, version=1, length=None):
    size = struct.pack("<H" if version == 1 else "<I", length or len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text.encode()


SHAPE = "{'descr': '|O', 'fortran_order': False, 'shape': %s}\n"


HEADERS = {
    "huge": header("{" + " " * 60_000 + "}"),
    "longer than the file": header("{}", 2, 1 << 31),
    "unknown version": header(SHAPE % "(1,)", 9),
    "not a dict": header("[1]"),
    "code": header("__import__('os').system('true')"),
    "nested": header("(" * 9_000),
    "two axes": header(SHAPE % "(1, 3)"),
    "no axes": header(SHAPE % "()"),
    "too many": header(SHAPE % "(10000000000,)"),
    "numbers": header("{'descr': '<i2', 'fortran_order': False, 'shape': (1,)}\n"),
    "no magic": b"PK\x03\x04",
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_bad_header_is_refused(tmp_path, case):
    refused(pickled_file(tmp_path / "a.npz", PYTHON_2, header=HEADERS[case]), "train: ")


def test_files_that_are_no_npz_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    whole = npz_file(path, [GOOD] * 50).path.read_bytes()
    for content in (b"", b"not a zip", whole[:-30], whole[: len(whole) // 2]):
        path.write_bytes(content)
        refused(ClassFile("cat", path), "not a readable .npz file")
    path.write_bytes(whole[:60] + bytes([whole[60] ^ 255]) + whole[61:])
    refused(ClassFile("cat", path), "train: ")
    refused(ClassFile("cat", tmp_path / "absent.npz"), "not a readable .npz file")


def test_a_file_without_training_drawings_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", valid=objects([GOOD]), test=objects([GOOD]))
    message = refused(ClassFile("cat", tmp_path / "a.npz"), "no array called train")
    assert "among valid, test; save train" in message
    np.savez(tmp_path / "b.npz", cat=objects([GOOD]), dog=objects([GOOD]))
    refused(
        ClassFile("cat", tmp_path / "b.npz"), "no array called train among cat, dog"
    )
    (tmp_path / "c.npz").write_bytes(b"PK\x05\x06" + bytes(18))
    refused(ClassFile("cat", tmp_path / "c.npz"), "has no array in it")


# --- parts that a file does not name


def many(count):
    return [moves([[i, 9, 0], [-i, 5, 1]]) for i in range(count)]


def split_of(file):
    return {rows.tobytes(): split for split, rows in read(file)}


@pytest.mark.parametrize("name", ["train", "arr_0", "drawings"])
def test_one_array_is_cut_into_three_parts(tmp_path, name):
    """Would catch a user's own file refused, and drawings that change their part."""
    path, choice = tmp_path / "a.npz", Choice()
    np.savez(path, **{name: objects(many(600))})
    splits = split_of(ClassFile("cat", path))
    counts = Counter(splits.values())
    assert counts["train"] == pytest.approx(480, abs=40)
    assert counts["validation"] == pytest.approx(60, abs=30)
    assert counts["test"] == pytest.approx(60, abs=30)
    np.savez(path, **{name: objects(many(700)[::-1])})
    again = split_of(ClassFile("cat", path))
    assert all(
        again[key] == split for key, split in split_of(ClassFile("cat", path)).items()
    )
    list(read_drawings(ClassFile("cat", path), choice))
    assert (
        "700 drawings are of files that do not name all parts"
        in notes(choice.counts, choice)[0]
    )


def test_a_missing_part_is_cut_from_the_training_drawings(tmp_path):
    """Would catch test drawings of one's own that are joined by others."""
    test = [moves([[0, i, 1]]) for i in range(50)]
    np.savez(tmp_path / "a.npz", train=objects(many(400)), test=objects(test))
    splits = split_of(ClassFile("cat", tmp_path / "a.npz"))
    assert {key for key in splits if splits[key] == "test"} == {
        t.tobytes() for t in test
    }
    assert sum(s == "validation" for s in splits.values()) == pytest.approx(40, abs=25)
    np.savez(
        tmp_path / "b.npz",
        training=objects(many(9)),
        val=objects(test),
        test=objects(test),
    )
    assert Counter(split for split, _ in read(ClassFile("b", tmp_path / "b.npz"))) == {
        "train": 9, "validation": 50, "test": 50
    }  # fmt: skip


# --- drawings of one length, which NumPy joins


@pytest.mark.parametrize("dtype", [object, "i2", ">i8", "f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_drawings_of_one_length_may_be_one_array(tmp_path, dtype, order):
    """Would catch np.array(drawings, object), which is a cube of numbers, refused."""
    drawings = [[[3 + i, -4, 0], [i, 5, 1]] for i in range(7)]
    cube = np.array(drawings, dtype, order=order)
    np.savez(tmp_path / "a.npz", train=cube, valid=cube[:1], test=cube[2:3])
    rows = read_rows(ClassFile("cat", tmp_path / "a.npz"))
    assert rows == [*drawings, drawings[0], drawings[2]]


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((100, 784), "u1"),  # bitmaps
        np.zeros((5, 4, 5), "f4"),  # stroke-5
        np.zeros((5, 4, 3), bool),
        np.zeros((5, 4, 3), complex),
        np.full((5, 4, 3), "a", object),
        np.full((5, 4, 3), True, object),
        np.full((5, 4, 3), 10**30, object),
        np.array({"train": 1}, object),
        np.array("text"),
    ],
    ids=lambda array: f"{array.dtype} {array.shape}",
)
def test_other_arrays_are_refused(tmp_path, array):
    np.savez(tmp_path / "a.npz", train=array)
    refused(ClassFile("cat", tmp_path / "a.npz"), "a.npz, train: ")


# --- units


CIRCLE = moves([[90, 160, 0], [-170, 20, 0], [80, -180, 1], [0, 5, 0], [10, 0, 1]])


def shares(drawings, divisor):
    return [drawing / np.array([divisor, divisor, 1]) for drawing in drawings]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_moves_divided_by_255_are_scaled_back(tmp_path, dtype):
    """Would catch drawings that are rounded to nothing; 2 units of a dot are kept."""
    drawings, choice = [CIRCLE, CIRCLE * [-1, 1, 1], moves([[2, 1, 1]])], Choice()
    divided = [drawing.astype(dtype) for drawing in shares(drawings, 255)]
    file = npz_file(tmp_path / "a.npz", divided, divided[:1], divided[2:])
    rows = [rows.tolist() for _, rows in read_drawings(file, choice)]
    expected = [drawing.tolist() for drawing in drawings]
    assert rows == [*expected, expected[0], expected[2]]
    assert notes(choice.counts, choice) == [
        "5 drawings in a box of 1 are scaled up to one of 255"
    ]


@pytest.mark.parametrize("divisor", [25, 80, 170])
def test_moves_in_no_known_unit_are_refused(tmp_path, divisor):
    """Would catch moves divided by their standard deviation that are rounded away."""
    file = npz_file(tmp_path / "a.npz", shares([moves([[0, 1, 1]]), CIRCLE], divisor))
    message = refused(file, "train: its moves are fractions and its largest drawing is")
    assert "multiply dx and dy" in message


@pytest.mark.parametrize(
    "drawings",
    [
        [moves([[1, 0, 1]])],  # integers are units, also where all drawings are dots
        [moves([[1, 2, 0], [3, 0, 1]], "f4")],  # and so are fractions that are whole
        [moves([[0, 0, 1]], "f4"), CIRCLE.astype("f4")],
        [moves([[3, 1, 1]], "f4"), CIRCLE.astype("f4")],
    ],
)
def test_units_stay_units(tmp_path, drawings):
    """Would catch a class of dots that is blown up."""
    file = npz_file(tmp_path / "a.npz", drawings)
    assert read_rows(file) == [drawing.tolist() for drawing in drawings]


def test_no_drawing_is_rounded_to_nothing(tmp_path):
    """Would catch one normalised drawing among others that are not."""
    tiny = shares([CIRCLE], 255)
    file = npz_file(tmp_path / "a.npz", [CIRCLE.astype(float), *tiny])
    refused(file, "drawing 1: fractions in less than 2 units; scale up to 255")
    refused(npz_file(tmp_path / "b.npz", [CIRCLE], tiny), "valid, drawing 0: fractions")


# --- size


def test_a_drawing_has_a_longest_length(tmp_path):
    """Would catch one that fills a chunk of the store by itself."""
    rows = np.zeros((stroke3.LONGEST + 1, 3), "i2")
    assert len(read(npz_file(tmp_path / "a.npz", [rows[1:]]))[0][1]) == stroke3.LONGEST
    refused(npz_file(tmp_path / "a.npz", [GOOD, rows]), "drawing 1: more than 10,000")


def read_all(path):
    """Read a class and look at it, as a run and `predict` do."""
    first_drawings(path, 20)
    list(read_drawings(ClassFile("cat", path), Choice("skip")))


def read_member(path):
    """Read an array in a sound archive, whose checksums would else refuse damage."""
    archive = path.with_suffix(".npz")
    with zipfile.ZipFile(archive, "w") as file:
        file.write(path, "train.npy")
    read_all(archive)


@pytest.mark.long
def test_a_thousand_damaged_files_do_no_harm(tmp_path):
    drawings = many(40)
    file = npz_file(tmp_path / "a.npz", drawings, drawings[:5], shares([CIRCLE], 255))
    assert_sturdy(read_all, file.path)


@pytest.mark.parametrize(
    "array",
    [objects(many(20)), objects(shares([CIRCLE] * 3, 255)), np.array([CIRCLE] * 3)],
)
@pytest.mark.long
def test_a_thousand_damaged_arrays_do_no_harm(tmp_path, array):
    np.save(tmp_path / "train.npy", array)
    assert_sturdy(read_member, tmp_path / "train.npy")
