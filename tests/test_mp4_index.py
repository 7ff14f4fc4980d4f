"""The index of MP4 files: frames are counted before ffmpeg makes room for them."""

import struct

import numpy as np
import pytest

from rnn_tf.data.video import decoding, mp4_index, timeline
from rnn_tf.data.video.containers import BadClip
from rnn_tf.data.video.decoding import Sampling
from tests.video_files import patch, write_grey

SMALL = Sampling(frames=4, stride=2, clips=1, side=16, channels=1)
MANY = 80_000_000


def test_the_frames_of_a_sound_file_are_counted(tmp_path):
    assert mp4_index.count_samples(write_grey(tmp_path / "a.mp4", 30)) == 30
    assert mp4_index.count_samples(write_grey(tmp_path / "b.avi", 30)) == 0
    (tmp_path / "c.mp4").touch()
    assert mp4_index.count_samples(tmp_path / "c.mp4") == 0


def test_parts_are_counted_too(tmp_path):
    path = write_grey(tmp_path / "a.mp4", 30, movflags="frag_keyframe+empty_moov")
    assert mp4_index.count_samples(path) == 30


@pytest.mark.parametrize("options", [{}, {"movflags": "faststart"}])
def test_an_index_of_millions_is_refused_at_once(tmp_path, options):
    """Would catch 3 GB of memory for a file of 5 kB."""
    path = write_grey(tmp_path / "a.mp4", **options)
    patch(path, b"stsz", 4, 1, MANY)
    patch(path, b"stsc", 4, 1, 1, MANY, 1)
    patch(path, b"stts", 4, 1, MANY, 512)
    with pytest.raises(BadClip, match="promises too many frames"):
        decoding.read(path, SMALL)


def test_a_part_of_millions_is_refused_at_once(tmp_path):
    path = write_grey(tmp_path / "a.mp4", 30, movflags="frag_keyframe+empty_moov")
    with pytest.raises(BadClip, match="promises too many frames"):
        decoding.read(patch(path, b"trun", 4, MANY), SMALL)


def test_an_edit_list_of_millions_is_refused_at_once(tmp_path):
    """Would catch 10 GB of memory for a film that an edit list shows 100,000 times."""
    path = write_grey(tmp_path / "a.mp4", 30)
    with pytest.raises(BadClip, match="promises too many frames"):
        decoding.read(patch(path, b"elst", 4, MANY), SMALL)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def track(handler: bytes, count: int) -> bytes:
    """The parts of a track that count its samples, each of which lasts 1."""
    content = box(b"hdlr", bytes(8) + handler + bytes(12))
    content += box(b"stts", struct.pack(">4I", 0, 1, count, 1))
    return box(b"trak", content + box(b"stsz", struct.pack(">3I", 0, 1, count)))


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (box(b"moov", track(b"vide", 7) + track(b"vide", 5)), 12),
        # The samples of raw sound are no frames; a file has a byte for each.
        (box(b"moov", track(b"vide", 7) + track(b"soun", 200)), 7),
        (box(b"moov", track(b"soun", MANY)), MANY),
        (box(b"moov", box(b"elst", bytes(7) + b"\x02") + track(b"vide", 7)), 7),
        (box(b"moov", box(b"elst", bytes(7) + b"\x50") + track(b"vide", 7)), 70),
        (box(b"free", b"") + box(b"mdat", track(b"vide", 7)), 0),
        (
            struct.pack(">I4sQ", 1, b"mdat", 24)
            + bytes(8)
            + box(b"moov", track(b"vide", 7)),
            7,
        ),
        (box(b"moov", box(b"cmov", box(b"dcom", b"zlib"))), np.inf),
        # A box without an end, and one that ends before it begins.
        (struct.pack(">I4s", 10_000, b"moov") + track(b"vide", 7), 7),
        (struct.pack(">I4s", 0, b"moov") + track(b"vide", 7), 7),
        (struct.pack(">I4s", 3, b"moov") + track(b"vide", 7), 7),
        # A box within the name of another.
        (box(b"moov", b"stszstsz" + struct.pack(">4I", 0, 0, MANY, 0)), 1e7),
        (b"\0", 0),
    ],
)
def test_counts_by_hand(tmp_path, content, count):
    """Would catch an index that hides behind its name, its parent or another box."""
    path = tmp_path / "a.mp4"
    path.write_bytes(content + bytes(100))
    expected = mp4_index.count_samples(path)
    if count == 1e7:
        assert expected > timeline.MOST_FRAMES
    else:
        assert expected == count
