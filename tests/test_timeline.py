"""Timelines: whole videos of every kind are whole, and what is cut short is told."""

import shutil

import numpy as np
import pytest

from rnn_tf.data.video import decoding, timeline
from rnn_tf.data.video.containers import open_video
from rnn_tf.data.video.decoding import BadClip, Sampling
from tests.video_files import shorten, trim, write_grey, write_timed

STEADY = range(0, 1600, 40)
UNSTEADY = [0, 33, 66, 100, 133, 300, 333, 366, 400, 1400, 1433, 1466, 1500, 1600]
ENDS = Sampling(2, 1, 2, 16, 1)  # the first two frames and the last two


@pytest.fixture
def whole(tmp_path):
    """Write a whole video by its name."""
    writers = {
        "b_frames.mp4": lambda p: write_timed(p, STEADY, 1600),
        "b_frames.mkv": lambda p: write_timed(p, STEADY, 1600),
        "b_frames.avi": lambda p: write_grey(p, fps=25, codec="libx264"),
        "b_frames.mts": lambda p: write_grey(p, fps=25, codec="libx264"),
        "late.mp4": lambda p: write_timed(p, [2000 + t for t in STEADY], 3600),
        "late.mkv": lambda p: write_timed(p, [2000 + t for t in STEADY], 3600),
        "parts.mp4": lambda p: write_grey(
            p, fps=25, codec="libx264", movflags="frag_keyframe+empty_moov"
        ),
        "unsteady.mp4": lambda p: write_timed(p, UNSTEADY, 2600),
        "unsteady.mkv": lambda p: write_timed(p, UNSTEADY, 2600),
        "unsteady.webm": lambda p: write_timed(p, UNSTEADY, 2600, "libvpx"),
        "sound.mkv": lambda p: write_timed(p, STEADY, 1600, "mpeg4", sound=4),
        "sound.webm": lambda p: write_timed(p, STEADY, 1600, "libvpx", sound=4),
        "sound.mp4": lambda p: write_timed(p, STEADY, 1600, sound=4),
        "film.webm": lambda p: write_timed(p, STEADY, 1600, "libvpx"),
        "film.wmv": lambda p: write_grey(p, fps=25, codec="wmv2"),
        "film.flv": lambda p: write_grey(p, fps=25, codec="flv"),
        "film.mpg": lambda p: write_grey(p, fps=25, codec="mpeg2video"),
        "film.h264": lambda p: write_grey(p, fps=25, codec="libx264"),
    }
    return lambda name: writers[name](tmp_path / name)


@pytest.mark.parametrize(
    ("name", "count", "seconds"),
    [
        *((name, 40, 1.6) for name in (
            "b_frames.mp4", "b_frames.mkv", "b_frames.avi", "b_frames.mts", "late.mp4",
            "late.mkv", "parts.mp4", "sound.mkv", "sound.webm", "sound.mp4", "film.wmv",
            "film.flv", "film.mpg", "film.h264",
        )),
        ("unsteady.mp4", 14, 2.6), ("unsteady.mkv", 14, 2.6),
        ("unsteady.webm", 14, 2.6),
    ],
)  # fmt: skip
def test_a_whole_video_shows_all_its_frames(whole, name, count, seconds):
    """Would catch a whole file that is called truncated, because its sound is longer,
    its rate changes, or it begins late; and a last frame that is another."""
    decoded = decoding.read(whole(name), ENDS)
    first, last = decoded.clips.mean(axis=(2, 3, 4))
    assert np.abs(first - [0, 5]).max() < 2.5
    assert np.abs(last - [5 * (count - 2), 5 * (count - 1)]).max() < 2.5
    assert decoded.seconds == pytest.approx(seconds, abs=0.07)


@pytest.mark.parametrize("share", [0.6, 0.9, 0.97])
@pytest.mark.parametrize(
    "name",
    ["film.webm", "unsteady.webm", "sound.mkv", "sound.webm", "b_frames.avi"],
)
def test_a_cut_video_is_told(whole, name, share):
    """Would catch a film without its end that passes for a whole one. A share of the
    bytes up to the last packet, so that the cut is in the picture."""
    path = whole(name)
    with open_video(path) as (container, stream):
        ends = [(p.pos, p.size) for p in container.demux(stream) if p.size]
    shorten(path, share * (ends[-1][0] + ends[-1][1]) / path.stat().st_size)
    with pytest.raises(BadClip, match="is truncated|cannot be decoded|has no frame"):
        decoding.read(path, ENDS)


@pytest.mark.parametrize("trimmed", [False, True])
@pytest.mark.parametrize("share", [0.9, 0.97])
def test_a_cut_mp4_is_told_with_an_edit_list_or_without(tmp_path, share, trimmed):
    path = tmp_path / "a.mp4"
    write_grey(path, codec="libx264", movflags="faststart")
    shorten(trim(path, 10, 30) if trimmed else path, share)
    with pytest.raises(BadClip, match="is truncated"):
        decoding.read(path, ENDS)


@pytest.mark.parametrize(
    ("codec", "start", "length", "first", "last"),
    [
        ("mpeg4", 10, 20, 10, 29),
        ("mpeg4", 0, 37, 0, 36),
        ("mpeg4", 3, 37, 3, 39),
        # With B frames, the first comes two frames after the beginning of the film.
        ("libx264", 10, 20, 8, 27),
        ("libx264", 0, 37, 0, 34),
        ("libx264", 2, 40, 0, 39),
        ("libx264", 30, 12, 28, 39),
    ],
)
def test_an_edit_list_says_what_is_shown(tmp_path, codec, start, length, first, last):
    """Would catch frames that were cut off on a phone, and one repeated for them."""
    path = trim(write_grey(tmp_path / "a.mp4", codec=codec), start, length)
    decoded = decoding.read(path, ENDS)
    clips = decoded.clips.mean(axis=(2, 3, 4))
    expected = 5 * np.array([[first, first + 1], [last - 1, last]])
    assert np.abs(clips - expected).max() < 2.5
    assert decoded.seconds == pytest.approx((last + 1 - first) / 12, abs=0.01)


@pytest.mark.parametrize("share", [1, 0.8])
@pytest.mark.parametrize("name", ["film.webm", "sound.mkv"])
@pytest.mark.parametrize("tag", [b"XURATION", b"00:99:01", b"00:00:xx", b"01.6 s  "])
def test_a_tag_that_is_missing_or_of_another_film(whole, name, tag, share):
    """Would catch a clip cut out of a film of two hours, whose tag it still has."""
    path = whole(name)
    content = path.read_bytes()
    old = b"DURATION" if tag.startswith(b"X") else b"00:00:01"
    assert old in content
    path.write_bytes(content.replace(old, tag[: len(old)]))
    if share == 1:
        decoded = decoding.read(path, ENDS)
        assert decoded.seconds == pytest.approx(1.6, abs=0.01)
    else:
        with pytest.raises(BadClip, match="is truncated"):
            decoding.read(shorten(path, share), ENDS)


def test_frames_that_the_decoder_does_not_give_are_damage(tmp_path):
    """Would catch a film whose second half is noise that its decoder passes over."""
    path = write_grey(tmp_path / "a.mp4", codec="mpeg2video")
    with open_video(path) as (container, stream):
        places = [(p.pos, p.size) for p in container.demux(stream) if p.size]
    content = bytearray(path.read_bytes())
    for place, size in places[20:]:
        content[place : place + size] = bytes(size)
    path.write_bytes(content)
    with pytest.raises(BadClip, match="is damaged|cannot be decoded"):
        decoding.read(path, ENDS)


@pytest.mark.parametrize("limit", ["MOST_FRAMES", "MOST_REPEATED"])
def test_a_film_that_never_ends_is_left(tmp_path, monkeypatch, limit):
    """Would catch an index that names the same bytes again and again."""
    path = write_grey(tmp_path / "a.mp4")
    shutil.copy(path, tmp_path / "b.mp4")
    monkeypatch.setattr(timeline, limit, {"MOST_FRAMES": 39}.get(limit, 0.01))
    with pytest.raises(BadClip, match="promises too many|more frames than a file"):
        decoding.read(path, ENDS)
