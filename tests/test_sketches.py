"""Drawings from people's files: sound ones exactly, unsound ones refused, none run."""

import io
import json
import os
import pickle
import random
import resource
import struct
import tracemalloc
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnn_tf.data.drawings import npz, stroke3, tfrecord
from rnn_tf.data.drawings.folder import (
    ClassFile,
    find_class_files,
    first_drawings,
    read_drawings,
    read_folder,
)
from rnn_tf.errors import InputError

SQUARE = [[0, 255, 255, 0], [0, 0, 255, 255]]  # three sides, the pen down throughout
SQUARE_ROWS = [[255, 0, 0], [0, 255, 0], [-255, 0, 1]]
SPLITS = ("train", "valid", "test")


def objects(drawings):
    """A 1-D object array, also where all drawings have the same shape."""
    array = np.empty(len(drawings), object)
    for index, drawing in enumerate(drawings):
        array[index] = drawing
    return array


def moves(rows, dtype=np.int16):
    return np.array(rows, dtype)


GOOD = moves([[3, -4, 0], [0, 5, 1]])


def npz_file(path, train=(GOOD,), valid=(), test=()):
    drawings = dict(zip(SPLITS, map(objects, (train, valid, test)), strict=True))
    np.savez_compressed(path, **drawings)
    return ClassFile("cat", path)


def pickled(path, stream, count=1, header=None):
    """An .npz file whose train member is `count` objects in a hand-made pickle."""
    npz_file(path, ())
    head = io.BytesIO()
    fields = {"descr": "|O", "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(head, fields)
    with zipfile.ZipFile(path) as archive:
        rest = {name: archive.read(f"{name}.npy") for name in SPLITS[1:]}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.npy", (header or head.getvalue()) + stream)
        for name, content in rest.items():
            archive.writestr(f"{name}.npy", content)
    return ClassFile("cat", path)


def ndjson(path, *drawings, **fields):
    """Lists are drawings, text and bytes are lines as they are."""
    lines = [
        json.dumps({"word": "cat", "drawing": drawing, **fields})
        if isinstance(drawing, list)
        else drawing
        for drawing in drawings
    ]
    path.write_text("\n".join(lines) + "\n")
    return ClassFile("cat", path)


def rows(file, skipped=None):
    return [drawing.tolist() for _, drawing in read_drawings(file, skipped)]


def refused(file, said):
    with pytest.raises(InputError, match=said) as error:
        list(read_drawings(file))
    assert "\n" not in str(error.value)
    assert str(file.path) in str(error.value)
    return str(error.value)


def test_the_first_drawings_of_a_file(tmp_path):
    file = ndjson(tmp_path / "cat.ndjson", *([[[0, n], [0, 9]]] for n in (1, 2, 3)))
    first = first_drawings(file.path, 2)
    assert [drawing.tolist() for drawing in first] == rows(file)[:2]
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


# --- goldens, worked out by hand


def test_npz_is_read_split_by_split_as_it_is(tmp_path):
    file = npz_file(tmp_path / "a.npz", [GOOD], [GOOD * [2, 2, 1]], [GOOD * [3, 3, 1]])
    found = [(split, drawing.tolist()) for split, drawing in read_drawings(file)]
    assert found == [
        ("train", [[3, -4, 0], [0, 5, 1]]),
        ("validation", [[6, -8, 0], [0, 10, 1]]),
        ("test", [[9, -12, 0], [0, 15, 1]]),
    ]
    assert all(drawing.dtype == np.int16 for _, drawing in read_drawings(file))


# As Python 2 and NumPy 1 wrote them: an object array of one int16 array (1, 3).
PYTHON_2 = (
    b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01K\x00"
    b"\x85q\x02U\x01bq\x03\x87q\x04Rq\x05(K\x01K\x01\x85q\x06cnumpy\ndtype\nq\x07U\x02O8"
    b"q\x08K\x00K\x01\x87q\x09Rq\x0a(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?t"
    b"q\x0bb\x89]q\x0ch\x00h\x01K\x00\x85h\x03\x87R(K\x01K\x01K\x03\x86h\x07U\x02i2K\x00"
    b"K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
    b"U\x06\xfe\xff\x2c\x01\x01\x00tbatb."
)


@pytest.mark.parametrize("module", [b"numpy.core", b"numpy._core"])
def test_npz_of_old_and_new_writers(tmp_path, module):
    """Would catch Google's own files, written by Python 2, refused or misread."""
    stream = PYTHON_2.replace(b"numpy.core", module)
    assert rows(pickled(tmp_path / "a.npz", stream)) == [[[-2, 300, 1]]]


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_npz_of_every_pickle_protocol(tmp_path, protocol):
    stream = pickle.dumps(objects([GOOD, GOOD]), protocol)
    assert rows(pickled(tmp_path / "a.npz", stream, 2)) == [GOOD.tolist()] * 2


@pytest.mark.parametrize("dtype", ["u1", ">i2", "<i4", "i8", "f4", ">f8"])
def test_npz_of_other_number_types(tmp_path, dtype):
    """Would catch bytes read in the wrong order, or columns for rows."""
    drawing = np.asfortranarray([[3, 4, 0], [0, 5, 1]]).astype(dtype)
    assert rows(npz_file(tmp_path / "a.npz", [drawing])) == [[[3, 4, 0], [0, 5, 1]]]


def test_fractions_are_rounded_where_they_lead_to(tmp_path):
    """Would catch errors that add up: ten moves of 0.4 lead to 4, not to 0."""
    drawing = moves([[0.4, 0, 0]] * 10, float)
    assert np.sum(rows(npz_file(tmp_path / "a.npz", [drawing]))[0], axis=0)[0] == 4


def test_simplified_strokes_become_moves(tmp_path):
    """The first point has no row; the pen is up after the last point of a stroke."""
    drawing = [[[10, 20, 20], [5, 5, 15]], [[0, 0], [0, 7]]]
    expected = [[10, 0, 0], [0, 10, 1], [-20, -15, 0], [0, 7, 1]]
    assert rows(ndjson(tmp_path / "a.ndjson", drawing)) == [expected]
    given_points = [np.array(stroke).T for stroke in drawing]
    assert stroke3.strokes(given_points).tolist() == expected


def test_raw_strokes_are_scaled_and_thinned_out(tmp_path):
    """510 wide and 200 high: scaled by a half; eleven points in a line become two."""
    line = [[100 + 51 * i for i in range(11)], [3.0] * 11, list(range(11))]
    drawing = [line, [[100, 100], [203, 103], [20, 30]]]
    expected = [[255, 0, 1], [-255, 100, 0], [0, -50, 1]]
    assert rows(ndjson(tmp_path / "a.ndjson", drawing)) == [expected]


@pytest.mark.parametrize(("height", "kept"), [(1.9, False), (2.1, True)])
def test_a_point_two_units_off_the_line_is_kept(tmp_path, height, kept):
    """Would catch another epsilon, or thinning before scaling (here by a tenth)."""
    scale = 10
    drawing = [[[0, 127 * scale, 255 * scale], [0, height * scale, 0], [0, 1, 2]]]
    expected = [[127, 2, 0], [128, -2, 1]] if kept else [[255, 0, 1]]
    assert rows(ndjson(tmp_path / "a.ndjson", drawing)) == [expected]


def test_dots_and_repeated_points_are_fine(tmp_path):
    """A raw dot is two equal points, as Google's simplified files have it."""
    raw = [[[0.0], [0.0], [0]], [[0, 0, 255], [9, 9, 9], [1, 2, 3]]]
    simplified = [[[0, 0], [0, 0]], [[0, 255], [9, 9]]]
    file = ndjson(tmp_path / "a.ndjson", raw, simplified, [[[7, 7], [7, 7], [0, 1]]])
    same = [[0, 0, 1], [0, 9, 0], [255, 0, 1]]
    assert rows(file) == [same, same, [[0, 0, 1]]]


def test_all_formats_agree(tmp_path):
    """Would catch a first row that one format has and another has not."""
    raw = [[*(10.0 * np.array(SQUARE) + 3).tolist(), [0, 1, 2, 3]]]
    file = ndjson(tmp_path / "a.ndjson", [SQUARE], raw)
    assert rows(file) == [SQUARE_ROWS] * 2
    assert rows(npz_file(tmp_path / "a.npz", [moves(SQUARE_ROWS)])) == [SQUARE_ROWS]
    path = tfrecord_file(tmp_path, example(moves(SQUARE_ROWS) / [255, 255, 1]))
    [(_, found)] = tfrecord.read(path, ("cat", "dog"))
    assert found.tolist() == SQUARE_ROWS


# --- the split of an .ndjson drawing


KNOWN = {"0": "test", "1": "train", "2": "train", "4": "validation", "9": "test"}


def splits(file):
    return [split for split, _ in read_drawings(file)]


def keyed(path, keys):
    lines = [json.dumps({"drawing": [SQUARE], "key_id": key}) for key in keys]
    return ndjson(path, *lines)


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
    found = dict(zip(keys, splits(keyed(tmp_path / "a.ndjson", keys)), strict=True))
    again = splits(keyed(tmp_path / "b.ndjson", shuffled[:500]))
    assert again == [found[key] for key in shuffled[:500]]
    counts = Counter(found.values())
    assert counts["train"] == pytest.approx(8000, abs=150)
    assert counts["validation"] == pytest.approx(1000, abs=100)
    assert counts["test"] == pytest.approx(1000, abs=100)


def test_drawings_without_a_key_are_split_by_what_they_show(tmp_path):
    """Would catch all of them in one split, or whitespace that changes it."""
    drawings = [[[[0, i % 256], [i // 256, 9]]] for i in range(600)]
    found = splits(ndjson(tmp_path / "a.ndjson", *drawings))
    assert set(found) == {"train", "validation", "test"}
    wide = [json.dumps({"drawing": d}, separators=(" , ", " : ")) for d in drawings]
    assert splits(ndjson(tmp_path / "b.ndjson", *wide)) == found
    assert splits(ndjson(tmp_path / "c.ndjson", *drawings, key_id="")) == found


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
    said = refused(
        npz_file(tmp_path / "a.npz", [GOOD], [GOOD, bad]), "valid, drawing 1: "
    )
    assert reason in said


def test_the_longest_moves_are_kept(tmp_path):
    drawing = [[10_000, -10_000, 0], [-10_000, 10_000, 1]]
    assert rows(npz_file(tmp_path / "a.npz", [moves(drawing)])) == [drawing]


def line(drawing, **fields):
    return json.dumps({"drawing": drawing, **fields})


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
    file = ndjson(tmp_path / "a.ndjson", [SQUARE], "", bad)
    assert reason in refused(file, "a.ndjson, line 3: ")


def test_bad_drawings_are_skipped_and_counted_by_reason(tmp_path):
    """Would catch a drawing lost in silence, or a good one lost with a bad."""
    arrays = [GOOD, *BAD_ARRAYS.values(), GOOD, *BAD_ARRAYS.values(), GOOD]
    skipped = Counter()
    found = rows(npz_file(tmp_path / "a.npz", arrays, arrays[:2]), skipped)
    assert found == [GOOD.tolist()] * 4
    expected = Counter(dict.fromkeys(BAD_ARRAYS, 2)) + Counter([list(BAD_ARRAYS)[0]])
    assert skipped == expected
    file = ndjson(tmp_path / "a.ndjson", [SQUARE], *BAD_LINES.values(), [SQUARE])
    skipped = Counter()
    assert rows(file, skipped) == [SQUARE_ROWS] * 2
    assert skipped == Counter(dict.fromkeys(BAD_LINES, 1))


def test_a_file_without_a_sound_drawing_is_an_error(tmp_path):
    """Would catch a class in name only, also where bad drawings are skipped."""
    refused(npz_file(tmp_path / "a.npz", ()), "has no drawing in it, and 0 bad ones")
    refused(ndjson(tmp_path / "a.ndjson", "", " "), "has no drawing in it")
    with pytest.raises(InputError, match="no drawing in it, and 1 bad"):
        rows(ndjson(tmp_path / "b.ndjson", "{"), Counter())


# --- unsound and malicious files


class Calls:
    """Pickles as a call of `function`, which unpickling would make."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def attacks(marker):
    """Each would leave a file called `marker`, if it were run."""
    text = f"open({str(marker)!r}, 'w').close()"
    return {
        "system": Calls(os.system, f"touch {marker}"),
        "eval": Calls(eval, text),
        "exec": Calls(exec, text),
        "getattr": Calls(getattr, Calls(Path, str(marker)), "touch"),
        "numpy": Calls(np.save, str(marker), 1),
        "numpy runs": Calls(np.testing.rundocs, str(marker)),
        "nested": objects([objects([Calls(os.system, f"touch {marker}")])]),
        "inside a drawing": np.array([[1, 2, Calls(eval, text)]], object),
    }


@pytest.mark.parametrize("name", attacks("x"))
@pytest.mark.parametrize("skipped", [None, Counter()])
def test_nothing_in_a_file_is_executed(tmp_path, name, skipped):
    """Would catch np.load(allow_pickle=True), or a drawing skipped after it ran."""
    marker = tmp_path / "executed"
    file = npz_file(tmp_path / "a.npz", [GOOD, attacks(marker)[name]])
    with pytest.raises(InputError, match="pickle asks for .*do not trust"):
        rows(file, skipped)
    assert not marker.exists()
    if name == "system":  # the attack is real: whoever loads it with pickle runs it
        np.load(file.path, allow_pickle=True)["train"]
        assert marker.exists()


FORGED_DTYPE = (3, "|", None, None, None, -1, -1, 0)  # "no objects here"


def test_bytes_are_never_taken_for_pointers(tmp_path):
    """Would catch NumPy's own dtype let through: its forged flags crash the process."""

    class Dtype:
        def __reduce__(self):
            return np.dtype, ("O8", False, True), FORGED_DTYPE

    class Array:
        def __reduce__(self):
            make, arguments, _ = GOOD.__reduce__()
            return make, arguments, (1, (1, 3), Dtype(), False, b"\x41" * 24)

    refused(npz_file(tmp_path / "a.npz", [Array()]), "not an array of numbers")


STREAMS = {
    "persistent id": b"\x80\x02Pabc\n.",
    "binary persistent id": b"\x80\x02NQ.",
    "extension": b"\x80\x02\x82\x01.",
    "no array": b"\x80\x02N.",
    "cut off": PYTHON_2[:-20],
    "empty": b"",
    "attribute of a stand-in": b"\x80\x02cnumpy\nndarray\n}U\x05stateK\x01sb.",
    "other count": PYTHON_2.replace(b"tbatb.", b"tbaNatb."),
    "too few bytes": PYTHON_2.replace(b"K\x01K\x03\x86", b"K\x09K\x03\x86"),
    "negative shape": PYTHON_2.replace(b"K\x03\x86", b"J\xff\xff\xff\xff\x86"),
    "huge array": PYTHON_2.replace(b"K\x03\x86", b"J\xff\xff\xff\x7f\x86"),
}


@pytest.mark.parametrize("case", STREAMS)
def test_a_pickle_that_holds_no_drawings_is_refused(tmp_path, case):
    refused(pickled(tmp_path / "a.npz", STREAMS[case]), "train(, drawing 0)?: ")
    assert npz._Array.state == (None,) * 5


BOMBS = {
    # A memo of half a billion entries, for which the unpickler in C makes room.
    "LONG_BINPUT": b"\x80\x04Nr\xff\xff\xff\x03.",
    "BYTEARRAY8": b"\x80\x05\x96" + struct.pack("<Q", 1 << 30) + b".",
    # One text of a megabyte, a thousand times turned into bytes.
    "encode": b"\x80\x02](X" + struct.pack("<I", 1 << 20) + b"x" * (1 << 20) + b"q\x00"
    b"c_codecs\nencode\nq\x01X\x06\0\0\0latin1q\x02"
    + b"h\x01h\x00h\x02\x86R" * 1000
    + b"e.",
}


@pytest.mark.parametrize("case", BOMBS)
def test_a_small_pickle_does_not_fill_the_memory(tmp_path, case):
    file = pickled(tmp_path / "a.npz", BOMBS[case])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(file, "train: ")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 200_000  # kB; each would take 1,000,000


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
    refused(pickled(tmp_path / "a.npz", PYTHON_2, header=HEADERS[case]), "train: ")


def test_files_that_are_no_npz_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    whole = npz_file(path, [GOOD] * 50).path.read_bytes()
    for content in (b"", b"not a zip", whole[:-30], whole[: len(whole) // 2]):
        path.write_bytes(content)
        refused(ClassFile("cat", path), "not a readable .npz file")
    path.write_bytes(whole[:60] + bytes([whole[60] ^ 255]) + whole[61:])
    refused(ClassFile("cat", path), "train: ")
    refused(ClassFile("cat", tmp_path / "absent.npz"), "not a readable .npz file")
    refused(ClassFile("cat", tmp_path / "absent.ndjson"), "cannot be read")


def test_a_missing_split_is_named(tmp_path):
    np.savez(tmp_path / "a.npz", train=objects([GOOD]), test=objects([GOOD]))
    said = refused(ClassFile("cat", tmp_path / "a.npz"), "no valid.npy among")
    assert "train.npy, test.npy" in said


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
    count = sum(1 for _ in read_drawings(ClassFile("cat", path), skipped))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, skipped.total()) == (2000, 1)
    assert peak < 8 << 20


# --- TFRecords


def example(rows, shape=None, index=1, ink="ink"):
    import tensorflow as tf

    flat = np.ravel(rows).astype(float).tolist()
    shape = np.shape(rows) if shape is None else shape
    index = [index] if isinstance(index, int) else index
    feature = {
        ink: tf.train.Feature(float_list=tf.train.FloatList(value=flat)),
        "shape": tf.train.Feature(int64_list=tf.train.Int64List(value=shape)),
        "class_index": tf.train.Feature(int64_list=tf.train.Int64List(value=index)),
    }
    features = tf.train.Features(feature=feature)
    return tf.train.Example(features=features).SerializeToString()


def tfrecord_file(folder, *records):
    import tensorflow as tf

    path = folder / "training.tfrecord-00000-of-00010"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)
    return path


INK = [[1.0, 0.2, 0], [-0.5, -0.2, 1]]


def test_tfrecords_are_scaled_back(tmp_path):
    """By hand: 1.0 and 0.2 of the box are 255 and 51; -0.5 leads to 127.5, so 128."""
    path = tfrecord_file(tmp_path, example(INK), example(INK, index=0))
    found = list(tfrecord.read(path, ("cat", "dog")))
    assert [index for index, _ in found] == [1, 0]
    assert found[0][1].tolist() == [[255, 51, 0], [-127, -51, 1]]
    assert found[0][1].dtype == np.int16


def test_the_classes_of_a_tfrecord_file_lie_beside_it(tmp_path):
    path = tmp_path / "eval.tfrecord-00003-of-00010"
    with pytest.raises(InputError, match=r"eval.tfrecord.classes"):
        tfrecord.classes(path)
    (tmp_path / "training.tfrecord.classes").write_text("dog\nice cream\n")
    assert tfrecord.classes(path) == ("dog", "ice cream")
    (tmp_path / "eval.tfrecord.classes").write_text("ice cream\r\ndog")
    assert tfrecord.classes(path) == ("ice cream", "dog")
    for unsound in ("", "dog", "dog\ndog"):
        (tmp_path / "eval.tfrecord.classes").write_text(unsound)
        with pytest.raises(InputError, match="2 or more"):
            tfrecord.classes(path)


def shards(folder, drawings, **named):
    """A folder as the tutorial's archive has it; shard -> indices of `drawings`."""
    folder.mkdir(exist_ok=True)
    for name, which in named.items():
        records = [example(drawings[i], index=i % 3) for i in which]
        made = tfrecord_file(folder, *records)
        made.rename(folder / f"{name}.tfrecord-00000-of-00010")
        (folder / f"{name}.tfrecord.classes").write_text("cat\ndog\nice cream\n")
    return folder


def many(count):
    """Drawings that differ, in shares of a box."""
    return [[[(i + 1) / 255, 0, 0], [0, 1 / 255, 1]] for i in range(count)]


def test_a_folder_of_tfrecords_is_one_data_set(tmp_path):
    """Would catch labels that slip where classes are left out, and a lost drawing."""
    parts = {"eval": range(200, 240), "training": range(200)}
    folder = shards(tmp_path / "archive", many(240), **parts)
    every = read_folder(folder)
    assert every.classes == ("cat", "dog", "ice cream")
    found = list(every.read(None))
    assert sorted(int(rows[0, 0]) - 1 for _, _, rows in found) == list(range(240))
    assert all((rows[0, 0] - 1) % 3 == label for _, label, rows in found)
    split = {int(rows[0, 0]) - 1: split for split, _, rows in found}
    assert {i for i in split if split[i] == "test"} == set(range(200, 240))
    assert 8 <= sum(s == "validation" for s in split.values()) <= 40
    two = read_folder(folder, ("ice_cream", "dog"))
    assert two.classes == ("dog", "ice cream")
    some = list(two.read(None))
    assert all((rows[0, 0] - 1) % 3 == label + 1 for _, label, rows in some)
    assert len(some) == 160
    assert {taken for taken, _ in two.files}.isdisjoint(t for t, _ in every.files)
    with pytest.raises(InputError, match="no class 'cats' among its 3"):
        read_folder(folder, ("cats", "dog"))
    with pytest.raises(InputError, match="archive gives one class, 'dog'"):
        read_folder(folder, ("dog",))


def test_tfrecords_without_a_test_are_split_by_the_drawing(tmp_path):
    """Would catch a drawing in two parts: a copy in another shard goes with it."""
    parts = {"a": range(300), "b": range(0, 300, 3)}
    folder = shards(tmp_path, many(300), **parts)
    splits = {}
    for split, _, rows in read_folder(folder).read(None):
        splits.setdefault(rows.tobytes(), set()).add(split)
    assert all(len(found) == 1 for found in splits.values())
    counts = Counter(min(found) for found in splits.values())
    assert counts["train"] > 200
    assert 10 <= counts["validation"] <= 60
    assert 10 <= counts["test"] <= 60


def test_shards_that_disagree_about_the_classes_are_refused(tmp_path):
    folder = shards(tmp_path, many(6), eval=range(6), training=range(6))
    (folder / "eval.tfrecord.classes").write_text("dog\ncat\nice cream\n")
    with pytest.raises(InputError, match="have other classes, or in another order"):
        read_folder(folder)
    for path in folder.glob("*.classes"):
        path.unlink()
    with pytest.raises(InputError, match="needs its list of classes"):
        read_folder(folder)


def bad_examples():
    return {
        "not a tf.train.Example": b"\xff\xff",
        "class_index is not one of 0..1": example(INK, index=2),
        "ink is not of the shape [points, 3]": example(INK, shape=[3, 3]),
        "not finite": example([[np.nan, 0, 1]]),
        "pen is not 0 or 1": example([[0.1, 0, 0.5]]),
        "fewer than 2 points": example(np.zeros((0, 3))),
        "move beyond 10,000": example([[50, 0, 1]]),
    }


def test_bad_examples_are_refused_or_counted(tmp_path):
    bad = bad_examples()
    more = [example(INK, index=-1), example(INK, index=[]), example(INK, index=[0, 1])]
    more += [
        example(INK, shape=[]),
        example(INK, shape=[2, 3, 1]),
        example(INK, ink="i"),
    ]
    path = tfrecord_file(tmp_path, example(INK), *bad.values(), *more, example(INK))
    skipped = Counter()
    assert len(list(tfrecord.read(path, ("a", "b"), skipped))) == 2
    assert set(skipped) == set(bad)
    assert skipped.total() == len(bad) + len(more)
    for reason, record in bad.items():
        path = tfrecord_file(tmp_path, example(INK), record)
        with pytest.raises(InputError, match="record 1: ") as error:
            list(tfrecord.read(path, ("a", "b")))
        assert reason in str(error.value)


def forged(length):
    """A record's head with the right checksum: CRC-32C, masked as TensorFlow does."""
    head, crc = struct.pack("<Q", length), 0xFFFFFFFF
    for byte in head:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return head + struct.pack("<I", masked)


def test_damaged_tfrecords_are_refused(tmp_path):
    """Would catch a forged length, at which TensorFlow ends the process."""
    path = tfrecord_file(tmp_path, example(INK), example(INK))
    whole = path.read_bytes()
    flipped = whole[:40] + bytes([whole[40] ^ 1]) + whole[41:]
    forgeries = [forged(1 << 62) + bytes(50), forged(2**64 - 1), forged(1 << 40)]
    for content in (b"", b"text", whole[:-3], flipped, *forgeries):
        path.write_bytes(content)
        with pytest.raises(InputError) as error:
            list(tfrecord.read(path, ("a", "b"), Counter()))
        assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="cannot be read"):
        list(tfrecord.read(tmp_path / "absent", ("a", "b")))


# --- properties


def check(examples):
    """Hypothesis settings: the folder is shared by the examples, and so is its file."""
    allowed = [HealthCheck.function_scoped_fixture]
    return settings(max_examples=examples, deadline=None, suppress_health_check=allowed)


move = st.tuples(*[st.integers(-10_000, 10_000)] * 2, st.integers(0, 1))
any_moves = st.lists(move, min_size=1, max_size=20)
point = st.tuples(*[st.integers(0, 255)] * 2)
stroke_lists = st.lists(st.lists(point, min_size=2, max_size=8), min_size=1, max_size=6)


@check(100)
@given(drawing=any_moves, dtype=st.sampled_from(["i2", ">i4", "f4", "f8"]))
def test_any_drawing_comes_back_from_npz(tmp_path, drawing, dtype):
    file = npz_file(tmp_path / "a.npz", [moves(drawing, dtype)])
    assert rows(file) == [[list(row) for row in drawing]]


@check(200)
@given(drawing=stroke_lists)
def test_any_drawing_comes_back_from_ndjson(tmp_path, drawing):
    """Property: following the moves from the first point visits every point."""
    as_lists = [
        [list(axis) for axis in zip(*stroke, strict=True)] for stroke in drawing
    ]
    [found] = rows(ndjson(tmp_path / "a.ndjson", as_lists))
    at, visited = drawing[0][0], [drawing[0][:1]]
    lifted = False
    for dx, dy, pen in found:
        if lifted:
            visited.append([])
        at = (at[0] + dx, at[1] + dy)
        visited[-1].append(at)
        lifted = pen == 1
    assert visited == drawing
    assert lifted


@check(100)
@given(drawing=stroke_lists)
def test_any_raw_drawing_fits_the_box(tmp_path, drawing):
    """Property: the longer side is 255, no stroke is lost, none gains a point."""
    timed = [[*map(list, zip(*s, strict=True)), list(range(len(s)))] for s in drawing]
    [found] = rows(ndjson(tmp_path / "a.ndjson", timed))
    path = np.vstack([[0, 0], np.cumsum(np.array(found)[:, :2], axis=0)])
    everywhere = len({p for stroke in drawing for p in stroke})
    assert np.ptp(path, axis=0).max() <= 255
    assert sum(pen for *_, pen in found) == len(drawing)
    assert len(found) + 1 <= sum(map(len, drawing))
    assert everywhere > 1 or not path.any()


def only_input_errors(file, marker):
    for skipped in (None, Counter()):
        try:
            found = list(read_drawings(file, skipped))
        except InputError as error:
            assert "\n" not in str(error)
            continue
        assert all(drawing.dtype == np.int16 for _, drawing in found)
        assert all(drawing.shape[1:] == (3,) and len(drawing) for _, drawing in found)
    assert not marker.exists()


@check(200)
@given(content=st.binary(max_size=300), ending=st.sampled_from([".npz", ".ndjson"]))
def test_any_bytes_are_refused(tmp_path, content, ending):
    path = tmp_path / f"a{ending}"
    path.write_bytes(content)
    only_input_errors(ClassFile("cat", path), tmp_path / "executed")


def mutated(content, changes):
    content = bytearray(content)
    for where, byte in changes:
        content[int(where * len(content))] = byte
    return bytes(content)


changes = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6
)


@check(150)
@given(changes=changes)
def test_any_change_to_an_npz_file_is_harmless(tmp_path, changes):
    path, marker = tmp_path / "a.npz", tmp_path / "executed"
    file = npz_file(path, [GOOD] * 5, [attacks(marker)["system"]])
    path.write_bytes(mutated(path.read_bytes(), changes))
    only_input_errors(file, marker)


@check(400)
@given(changes=changes, evil=st.booleans(), protocol=st.sampled_from([2, 4]))
def test_any_change_to_a_pickle_is_harmless(tmp_path, changes, evil, protocol):
    """As above where the archive is sound, so that the unpickler meets every change."""
    marker = tmp_path / "executed"
    inside = [GOOD, attacks(marker)["eval"]] if evil else [GOOD, GOOD]
    stream = mutated(pickle.dumps(objects(inside), protocol), changes)
    only_input_errors(pickled(tmp_path / "a.npz", stream, 2), marker)


@check(200)
@given(changes=changes)
def test_any_change_to_an_ndjson_file_is_harmless(tmp_path, changes):
    path = tmp_path / "a.ndjson"
    file = ndjson(path, [SQUARE], [[*SQUARE, [0, 1, 2, 3]]], key_id="1")
    path.write_bytes(mutated(path.read_bytes(), changes))
    only_input_errors(file, tmp_path / "executed")


@check(25)
@given(changes=changes, record=st.binary(max_size=60))
def test_any_change_to_a_tfrecord_file_is_harmless(tmp_path, changes, record):
    path = tfrecord_file(tmp_path, mutated(example(INK), changes), record)
    for content in (path.read_bytes(), mutated(path.read_bytes(), changes)):
        path.write_bytes(content)
        try:
            list(tfrecord.read(path, ("a", "b"), Counter()))
        except InputError as error:
            assert "\n" not in str(error)
