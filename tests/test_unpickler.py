"""Pickles of strangers: nothing in them is executed, none fills the memory."""

import resource
import struct
import tracemalloc
from collections import Counter

import numpy as np
import pytest

from rnn_tf.data.drawings import unpickler
from rnn_tf.errors import InputError
from tests.drawing_files import (
    GOOD,
    PYTHON_2,
    attacks,
    npz_file,
    pickled_file,
    read,
    read_rows,
    refused,
)


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


def test_a_drawing_is_not_named_again_and_again(tmp_path):
    """Would catch a file of some kB that fills memory and disk: a pickle names the one
    drawing in two bytes each time."""
    long = np.random.default_rng(1).integers(-9, 9, (9_000, 3)).astype("i2")
    long[:, 2] = 0
    file = npz_file(tmp_path / "a.npz", [long] * 20_000)
    assert file.path.stat().st_size < 200_000
    tracemalloc.start()
    refused(file, "train: .* the same again and again; do not trust")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20
    assert len(read(npz_file(tmp_path / "b.npz", [GOOD] * 20_000))) == 20_000


SWARMS = {
    "lists": b"]",
    "marks": b"(",
    "tuples": b")\x85",
    "pairs": b"NN\x86",
    "memos": b"N\x94",
    "dictionaries": b"}",
}


@pytest.mark.parametrize("case", SWARMS)
def test_a_pickle_of_many_objects_does_not_fill_the_memory(tmp_path, case):
    """Would catch a million objects of 80 bytes from a million bytes, packed in 1,000.

    Bytes by chance before them make it compress like drawings.
    """
    noise = np.random.default_rng(1).bytes(200_000)
    stream = b"\x80\x04B" + struct.pack("<I", len(noise)) + noise + b"0"
    stream += SWARMS[case] * (8_000_000 // len(SWARMS[case])) + b"."
    file = pickled_file(tmp_path / "a.npz", stream)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(file, "train: its pickle makes more objects than its drawings need")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 100_000  # kB; each would take 600,000
