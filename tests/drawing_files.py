"""Make files of drawings, sound, bad and malicious, for the tests of their readers."""

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rnn_tf.data.drawings import store
from rnn_tf.data.drawings.formats import ClassFile, read_drawings
from rnn_tf.data.drawings.stroke3 import Choice
from rnn_tf.errors import InputError

SQUARE = [[0, 255, 255, 0], [0, 0, 255, 255]]  # three sides, the pen down throughout


SQUARE_ROWS = [[255, 0, 0], [0, 255, 0], [-255, 0, 1]]


SPLITS = ("train", "valid", "test")


def objects(drawings):
    """Make a 1-D object array, also where all drawings have the same shape."""
    array = np.empty(len(drawings), object)
    for index, drawing in enumerate(drawings):
        array[index] = drawing
    return array


def moves(rows, dtype=np.int16):
    return np.array(rows, dtype)


GOOD = moves([[3, -4, 0], [0, 5, 1]])


def npz_file(path, train=(GOOD,), valid=(), test=()):
    """Write an .npz file as sketch-rnn's; return it as the file of the class cat."""
    drawings = dict(zip(SPLITS, map(objects, (train, valid, test)), strict=True))
    np.savez_compressed(path, **drawings)
    return ClassFile("cat", path)


def pickled_file(path, stream, count=1, header=None):
    """Write an .npz file whose train member is a pickle of `count` objects by hand."""
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


def ndjson_file(path, *drawings, **fields):
    """Write a line for each drawing, a list; texts are lines as they are."""
    lines = [
        json.dumps({"word": "cat", "drawing": drawing, **fields})
        if isinstance(drawing, list)
        else drawing
        for drawing in drawings
    ]
    path.write_text("\n".join(lines) + "\n")
    return ClassFile("cat", path)


def line(drawing, **fields):
    """Return a line of an .ndjson file."""
    return json.dumps({"drawing": drawing, **fields})


def choose(skipped=None):
    """Skip bad drawings and count them; without a counter, the first is an error."""
    return Choice() if skipped is None else Choice("skip", counts=skipped)


def read(file, skipped=None):
    return list(read_drawings(file, choose(skipped)))


def read_rows(file, skipped=None):
    return [drawing.tolist() for _, drawing in read(file, skipped)]


def refused(file, message):
    """Check that reading fails in one line that names the file; return that line."""
    with pytest.raises(InputError, match=message) as error:
        list(read_drawings(file, Choice()))
    assert "\n" not in str(error.value)
    assert str(file.path) in str(error.value)
    return str(error.value)


# As Python 2 and NumPy 1 wrote them: an object array of one int16 array (1, 3).
PYTHON_2 = (
    b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01K\x00"
    b"\x85q\x02U\x01bq\x03\x87q\x04Rq\x05(K\x01K\x01\x85q\x06cnumpy\ndtype\nq\x07U\x02O8"
    b"q\x08K\x00K\x01\x87q\x09Rq\x0a(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?t"
    b"q\x0bb\x89]q\x0ch\x00h\x01K\x00\x85h\x03\x87R(K\x01K\x01K\x03\x86h\x07U\x02i2K\x00"
    b"K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
    b"U\x06\xfe\xff\x2c\x01\x01\x00tbatb."
)


class Calls:
    """Pickles as a call of `function`, which unpickling would make."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def attacks(marker):
    """Return objects whose unpickling would leave a file called `marker`."""
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


def example(rows, shape=None, index=1, ink="ink"):
    """Return the bytes of a tf.train.Example as Google's tutorial writes it."""
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
    """Write records to a shard of training; return its path."""
    import tensorflow as tf

    path = folder / "training.tfrecord-00000-of-00010"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)
    return path


INK = [[1.0, 0.2, 0], [-0.5, -0.2, 1]]


def numbered_drawing(points: int, start: int = 0) -> np.ndarray:
    """Return moves that depend on `start`; the pen is lifted at the end."""
    rows = np.stack(
        [start + np.arange(points), -np.arange(points), np.zeros(points)], 1
    )
    rows[-1, 2] = 1
    return rows.astype("int16")


def hundred_drawings():
    """Pack 100 drawings of 1 to 100 points by chance; drawing i has label i % 5."""
    lengths = np.random.default_rng(1).permutation(np.arange(1, 101))
    drawings = [numbered_drawing(n, start=7 * i) for i, n in enumerate(lengths)]
    return store.pack(drawings, np.arange(100) % 5)
