"""Read TFRecords as Google's tutorial on drawing classification writes them."""

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rnn_tf.data.drawings.stroke3 import (
    BOX,
    BadDrawing,
    Choice,
    choose_split,
    decode_records,
    round_moves,
)
from rnn_tf.errors import InputError

RECORD_LIMIT = 1 << 20  # bytes; drawings have some hundreds
SHARD = r"(?!\.).*\.tfrecord(-\d{5}-of-\d{5})?"  # training.tfrecord-00000-of-00010
TEST = re.compile(
    "eval|test", re.IGNORECASE
)  # how the name of a shard for the test begins


def is_shard(path: Path) -> bool:
    """Tell whether a file has the name of a TFRecord file."""
    return bool(re.fullmatch(SHARD, path.name, re.IGNORECASE))


def read_common_classes(paths: list[Path]) -> tuple[str, ...]:
    """Read the class names that several shards share.

    Raises:
        InputError: they do not agree; or as `read_classes`.
    """
    names = read_classes(paths[0])
    for path in paths[1:]:
        if read_classes(path) != names:
            raise InputError(
                f"{path} and {paths[0]} have other classes, or in another order; leave "
                "the shards of one data set in the folder"
            )
    return names


def read_all(
    paths: list[Path],
    names: tuple[str, ...],
    labels: dict[int, int],
    choice: Choice,
) -> Iterator[tuple[str, int, np.ndarray]]:
    """Yield (split, label, drawing) for the drawings of some classes in all shards.

    Shards called eval or test are for test; where there are none, 10 of 100 drawings
    are. Another 10 are for validation. Which ones depends on the drawing alone, so that
    its copies in other shards are in the same split.

    Args:
        paths: the shards.
        names: the classes that the indices stand for.
        labels: the index of each wanted class -> its label.
        choice: as for `read`.
    """
    has_test = any(TEST.match(path.name) for path in paths)
    missing = {"validation"} if has_test else {"validation", "test"}
    for path in paths:
        for index, drawing in read(path, names, choice):
            if index in labels:
                test = TEST.match(path.name)
                split = "test" if test else choose_split(drawing.tobytes(), missing)
                yield split, labels[index], drawing


def read_classes(path: Path) -> tuple[str, ...]:
    """Read the class names that the indices in a TFRecord file stand for.

    They are in the file beside it that has its name, or is called training.tfrecord,
    and ends in .classes: one per line.

    Raises:
        InputError: no such file, or it names fewer than 2 classes, or one twice.
    """
    own = re.sub(r"-\d{5}-of-\d{5}$", "", path.name) + ".classes"
    named = path.with_name(own)
    if not named.is_file():
        named = path.with_name("training.tfrecord.classes")
    try:
        if not named.is_file():  # a pipe would be waited for
            raise FileNotFoundError
        names = tuple(named.read_text(encoding="utf-8").split("\n"))
    except (OSError, ValueError):
        raise InputError(
            f"{path} needs its list of classes, one per line, in {path.with_name(own)}"
        ) from None
    names = tuple(name.strip() for name in names if name.strip())
    if len(names) < 2 or len(set(names)) < len(names):
        raise InputError(
            f"{named} names {len(names)} classes; give 2 or more, each once"
        )
    return names


def read(
    path: Path, names: tuple[str, ...], choice: Choice
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (class index, drawing) for every drawing of a TFRecord file.

    The tutorial scales x and y by themselves, so these drawings are as wide as high.

    Args:
        path: one shard.
        names: the classes that the indices stand for, from `read_classes`.
        choice: whether bad drawings are counted, or the first is an error.

    Raises:
        InputError: names the file and the record, counted from 0.
    """

    def decode(record: bytes) -> tuple[int, np.ndarray]:
        return _parse(record, len(names))

    return decode_records(path, _records(path), decode, choice)


def _records(path: Path) -> Iterator[tuple[str, bytes]]:
    import tensorflow as tf

    _check_frames(path)
    index = 0
    try:
        # 64 records of the largest size are 64 MiB.
        for batch in tf.data.TFRecordDataset(str(path)).batch(64).as_numpy_iterator():
            for record in batch:
                yield f"record {index}", record
                index += 1
    except tf.errors.OpError as error:
        reason = str(error.message).splitlines()[0][:200]
        raise InputError(f"{path} is damaged ({reason}); fetch it again") from None


def _check_frames(path: Path) -> None:
    """Refuse lengths that do not fit the file; a forged one crashes TensorFlow.

    A record is its length in 8 bytes, a checksum in 4, the record, a checksum in 4.
    """
    try:
        with path.open("rb") as file:
            end, at = path.stat().st_size, 0
            while header := file.read(12):
                length = struct.unpack_from("<Q", header.ljust(12, b"\xff"))[0]
                at += 16 + length
                if length > RECORD_LIMIT or at > end:
                    raise InputError(
                        f"{path} is cut off, is no TFRecord file, or has a record over "
                        f"{RECORD_LIMIT:,} bytes; fetch it again, uncompressed"
                    )
                file.seek(at)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from None


def _parse(record: bytes, classes: int) -> tuple[int, np.ndarray]:
    """Decode a tf.train.Example to the class index and the moves of a drawing."""
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    try:
        feature = tf.train.Example.FromString(record).features.feature
    except DecodeError:
        raise BadDrawing("not a tf.train.Example") from None
    indices = list(feature["class_index"].int64_list.value)
    if len(indices) != 1 or not 0 <= indices[0] < classes:
        raise BadDrawing(f"class_index is not one of 0..{classes - 1}", indices)
    shape = list(feature["shape"].int64_list.value)
    ink = np.array(feature["ink"].float_list.value)
    if len(shape) != 2 or shape[1] != 3 or len(ink) != 3 * shape[0]:
        raise BadDrawing("ink is not of the shape [points, 3]", shape)
    return indices[0], round_moves(ink.reshape(-1, 3) * (BOX, BOX, 1))
