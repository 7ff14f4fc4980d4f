"""Drawings in TFRecords: scaled back, split by shard or drawing, damage refused."""

import struct
from collections import Counter

import numpy as np
import pytest

from rnn_tf.data.drawings import tfrecord
from rnn_tf.data.drawings.folder import read_folder
from rnn_tf.data.drawings.stroke3 import Choice
from rnn_tf.errors import InputError
from tests.drawing_files import INK, choose, example, tfrecord_file
from tests.fuzz import assert_sturdy


def test_tfrecords_are_scaled_back(tmp_path):
    """By hand: 1.0 and 0.2 of the box are 255 and 51; -0.5 leads to 127.5, so 128."""
    path = tfrecord_file(tmp_path, example(INK), example(INK, index=0))
    drawings = list(tfrecord.read(path, ("cat", "dog"), Choice()))
    assert [index for index, _ in drawings] == [1, 0]
    assert drawings[0][1].tolist() == [[255, 51, 0], [-127, -51, 1]]
    assert drawings[0][1].dtype == np.int16


def test_the_classes_of_a_tfrecord_file_lie_beside_it(tmp_path):
    path = tmp_path / "eval.tfrecord-00003-of-00010"
    with pytest.raises(InputError, match=r"eval.tfrecord.classes"):
        tfrecord.read_classes(path)
    (tmp_path / "training.tfrecord.classes").write_text("dog\nice cream\n")
    assert tfrecord.read_classes(path) == ("dog", "ice cream")
    (tmp_path / "eval.tfrecord.classes").write_text("ice cream\r\ndog")
    assert tfrecord.read_classes(path) == ("ice cream", "dog")
    for unsound in ("", "dog", "dog\ndog"):
        (tmp_path / "eval.tfrecord.classes").write_text(unsound)
        with pytest.raises(InputError, match="2 or more"):
            tfrecord.read_classes(path)


# --- folders of shards


def shards(folder, drawings, **named):
    """A folder as the tutorial's archive has it; shard -> indices of `drawings`."""
    folder.mkdir(exist_ok=True)
    for name, which in named.items():
        records = [example(drawings[i], index=i % 3) for i in which]
        shard = tfrecord_file(folder, *records)
        shard.rename(folder / f"{name}.tfrecord-00000-of-00010")
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
    drawings = list(every.read(Choice()))
    assert sorted(int(rows[0, 0]) - 1 for _, _, rows in drawings) == list(range(240))
    assert all((rows[0, 0] - 1) % 3 == label for _, label, rows in drawings)
    split = {int(rows[0, 0]) - 1: split for split, _, rows in drawings}
    assert {i for i in split if split[i] == "test"} == set(range(200, 240))
    assert 8 <= sum(s == "validation" for s in split.values()) <= 40
    two = read_folder(folder, ("ice_cream", "dog"))
    assert two.classes == ("dog", "ice cream")
    some = list(two.read(Choice()))
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
    for split, _, rows in read_folder(folder).read(Choice()):
        splits.setdefault(rows.tobytes(), set()).add(split)
    assert all(len(own) == 1 for own in splits.values())
    counts = Counter(min(own) for own in splits.values())
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


# --- bad and damaged records


def bad_examples():
    return {
        "not a tf.train.Example": b"\xff\xff",
        "class_index is not one of 0..1": example(INK, index=2),
        "ink is not of the shape [points, 3]": example(INK, shape=[3, 3]),
        "not finite": example([[np.nan, 0, 1]]),
        "pen is not 0 or 1": example([[0.1, 0, 0.5]]),
        "fewer than 2 points": example(np.zeros((0, 3))),
        "move beyond 10,000": example([[50, 0, 1]]),
        "more than 10,000 points": example(np.zeros((10_001, 3))),
        "fractions in less than 2 units; scale up to 255": example([[0.004, 0.006, 1]]),
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
    assert len(list(tfrecord.read(path, ("a", "b"), choose(skipped)))) == 2
    assert set(skipped) == set(bad)
    assert skipped.total() == len(bad) + len(more)
    for reason, record in bad.items():
        path = tfrecord_file(tmp_path, example(INK), record)
        with pytest.raises(InputError, match="record 1: ") as error:
            list(tfrecord.read(path, ("a", "b"), Choice()))
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
            list(tfrecord.read(path, ("a", "b"), choose(Counter())))
        assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="cannot be read"):
        list(tfrecord.read(tmp_path / "absent", ("a", "b"), Choice()))


def read_all(path):
    list(tfrecord.read(path, ("cat", "dog"), Choice("skip")))


@pytest.mark.long
def test_a_thousand_damaged_files_do_no_harm(tmp_path):
    path = tfrecord_file(tmp_path, *[example(INK)] * 20, example(np.zeros((900, 3))))
    assert_sturdy(read_all, path)


def read_record(path):
    """Read a record alone, as the checksums of a file would refuse damage."""
    tfrecord._parse(path.read_bytes(), classes=2)


@pytest.mark.long
def test_a_thousand_damaged_records_do_no_harm(tmp_path):
    (tmp_path / "record").write_bytes(example(INK * 9))
    assert_sturdy(read_record, tmp_path / "record")
