"""Drawings in .npz files: sound ones exactly, unsound ones refused, none run."""

import pickle
import resource
import struct
import tracemalloc
import zipfile
from collections import Counter

import numpy as np
import pytest

from rnn_tf.data.drawings import unpickler
from rnn_tf.data.drawings.formats import ClassFile
from rnn_tf.errors import InputError
from tests.drawing_files import (
    GOOD,
    attacks,
    moves,
    npz_file,
    objects,
    pickled_file,
    read,
    read_rows,
    refused,
)

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
    """Would catch errors that add up: ten moves of 0.4 lead to 4, not to 0."""
    drawing = moves([[0.4, 0, 0]] * 10, float)
    assert np.sum(read_rows(npz_file(tmp_path / "a.npz", [drawing]))[0], axis=0)[0] == 4


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


# --- malicious files


@pytest.mark.parametrize("name", attacks("x"))
@pytest.mark.parametrize("skipped", [None, Counter()])
def test_nothing_in_a_file_is_executed(tmp_path, name, skipped):
    """Would catch np.load(allow_pickle=True), or a drawing skipped after it ran."""
    marker = tmp_path / "executed"
    file = npz_file(tmp_path / "a.npz", [GOOD, attacks(marker)[name]])
    with pytest.raises(InputError, match="pickle asks for .*do not trust"):
        read_rows(file, skipped)
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
    refused(pickled_file(tmp_path / "a.npz", STREAMS[case]), "train(, drawing 0)?: ")
    assert unpickler.Array.state == (None,) * 5


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
    file = pickled_file(tmp_path / "a.npz", BOMBS[case])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(file, "train: ")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 200_000  # kB; each would take 1,000,000


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


def test_a_missing_split_is_named(tmp_path):
    np.savez(tmp_path / "a.npz", train=objects([GOOD]), test=objects([GOOD]))
    message = refused(ClassFile("cat", tmp_path / "a.npz"), "no valid.npy among")
    assert "train.npy, test.npy" in message
