"""Video files decoded: the right frames exactly, damaged files refused by name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_tf.data.video import batches, decoding, timeline
from rnn_tf.data.video.containers import open_video
from rnn_tf.data.video.decoding import BadClip, Sampling
from tests.conftest import grey_frames, write_video
from tests.video_files import turn, write_grey

SMALL = Sampling(frames=4, stride=2, clips=1, side=16, channels=1)


@pytest.mark.parametrize(
    ("sampling", "count", "expected"),
    [
        (Sampling(4, 2, 1, 16, 1), 20, [[0, 2, 4, 6]]),
        (Sampling(3, 5, 3, 16, 1), 21, [[0, 5, 10], [5, 10, 15], [10, 15, 20]]),
        (Sampling(4, 2, 2, 16, 1), 5, [[0, 2, 4, 4], [0, 2, 4, 4]]),
        (Sampling(3, 1, 1, 16, 1), 1, [[0, 0, 0]]),
    ],
)
def test_positions_by_hand(sampling, count, expected):
    """Would catch a clip that begins late, or a stride that is off by one."""
    assert sampling.positions(count).tolist() == expected


@given(st.integers(1, 500), st.integers(2, 40), st.integers(1, 9), st.integers(1, 6))
def test_positions_are_in_the_video_and_never_go_back(count, frames, stride, number):
    positions = Sampling(frames, stride, number, 16, 1).positions(count)
    assert positions.shape == (number, frames)
    assert positions.min() >= 0
    assert positions.max() < count
    assert (np.diff(positions, axis=1) >= 0).all()
    assert (np.diff(positions[:, 0]) >= 0).all()
    if count > (frames - 1) * stride:
        assert (np.diff(positions, axis=1) == stride).all()
        assert number == 1 or positions[-1, -1] == count - 1


@pytest.mark.parametrize(
    ("ending", "codec"), [("mp4", "mpeg4"), ("avi", "mpeg4"), ("webm", "libvpx")]
)
def test_the_right_frames_are_decoded(tmp_path, ending, codec):
    """Would catch a frame that slips by one: its brightness says which it is."""
    path = write_video(tmp_path / f"a.{ending}", grey_frames(30, start=20), codec=codec)
    decoded = decoding.read(path, Sampling(3, 4, 2, 16, 1))
    assert decoded.clips.shape == (2, 3, 16, 16, 1)
    assert decoded.clips.dtype == np.uint8
    brightness = decoded.clips.mean(axis=(2, 3, 4))
    expected = 20 + 5 * np.array([[0, 4, 8], [21, 25, 29]])
    assert np.abs(brightness - expected).max() < 2.5
    assert (decoded.size, decoded.padded) == ((64, 48), False)
    assert decoded.seconds == pytest.approx(2.5, abs=0.1)


def test_colours_stay_in_their_order(tmp_path):
    frames = np.zeros((8, 48, 64, 3), "uint8")
    frames[..., 0], frames[..., 2] = 200, 60
    path = write_video(tmp_path / "a.mp4", frames)
    clips = decoding.read(path, Sampling(2, 1, 1, 16, 3)).clips
    assert np.abs(clips.mean(axis=(0, 1, 2, 3)) - [200, 0, 60]).max() < 8


RIGHT, LEFT, DOWN, UP = (1, 0), (-1, 0), (0, 1), (0, -1)


@pytest.mark.parametrize(
    ("x_axis", "y_axis", "corners"),
    [
        # A film whose corners are 0 1 / 2 3 (brightness 0, 80, 160, 240), as shown.
        (RIGHT, DOWN, "0 1 / 2 3"),
        (DOWN, LEFT, "2 0 / 3 1"),  # a quarter to the right: a phone held upright
        (LEFT, UP, "3 2 / 1 0"),
        (UP, RIGHT, "1 3 / 0 2"),
        (LEFT, DOWN, "1 0 / 3 2"),  # as in a mirror
        (RIGHT, UP, "2 3 / 0 1"),
        (DOWN, RIGHT, "0 2 / 1 3"),
        (UP, LEFT, "3 1 / 2 0"),
    ],
)
def test_a_film_is_shown_as_its_matrix_says(tmp_path, x_axis, y_axis, corners):
    """Would catch a film that lies on its side, or a turn to the other side: then a
    model guesses exactly the wrong class."""
    frames = np.zeros((12, 48, 64, 3), "uint8")
    frames[:, :24, 32:], frames[:, 24:, :32], frames[:, 24:, 32:] = 80, 160, 240
    path = turn(write_video(tmp_path / "a.mp4", frames), x_axis, y_axis)
    decoded = decoding.read(path, SMALL)
    shown = decoded.clips[0, 0, [[3], [12]], [3, 12], 0] / 80
    expected = [list(map(int, row.split())) for row in corners.split("/")]
    assert np.abs(shown - expected).max() < 0.2
    turned = x_axis in (DOWN, UP)
    assert decoded.size == ((48, 64) if turned else (64, 48))


def test_pyav_agrees_on_a_quarter_turn(tmp_path):
    """Would catch a sign: `rotation` counts against the clock, as PyAV documents it."""
    path = turn(write_grey(tmp_path / "a.mp4"), DOWN, LEFT)
    with open_video(path) as (container, stream):
        frame = next(container.decode(stream))
    assert getattr(frame, "rotation", -90) == -90  # PyAV 14 does not know


def test_a_short_video_repeats_its_last_frame_and_is_masked(tmp_path):
    path = write_video(tmp_path / "a.mp4", grey_frames(5))
    decoded = decoding.read(path, SMALL)
    assert decoded.padded
    assert batches.frame_mask(decoded.clips).tolist() == [[True, True, True, False]]


def cut(path, share, **options):
    """A file that ends early."""
    whole = write_video(path, grey_frames(40), **options).read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    return path


@pytest.mark.parametrize(
    ("name", "share", "options", "message"),
    [
        ("a.mp4", 0.5, {}, "cannot be decoded .Invalid data"),
        ("b.mp4", 0.7, {"movflags": "faststart"}, "is truncated .* of 3.33 seconds"),
        ("c.webm", 0.5, {"codec": "libvpx"}, "is truncated"),
        ("d.avi", 0.3, {}, "cannot be decoded|is truncated"),
        ("e.mp4", 0.0, {}, "cannot be decoded"),
    ],
)
def test_damaged_files_are_refused_by_name(tmp_path, name, share, options, message):
    """Would catch half a video that passes for a whole one."""
    path = cut(tmp_path / name, share, **options)
    with pytest.raises(BadClip, match=message) as error:
        decoding.read(path, SMALL)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_what_is_no_video_is_refused(tmp_path):
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(BadClip, match="cannot be decoded"):
        decoding.read(tmp_path / "a.mp4", SMALL)
    write_sound(tmp_path / "b.mp4")
    with pytest.raises(BadClip, match="no video in it"):
        decoding.read(tmp_path / "b.mp4", SMALL)


def write_sound(path):
    """A file with sound and no picture."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        sound = np.zeros((1, 1024), "float32")
        frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_a_file_without_frames_is_refused(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4", grey_frames(5))
    empty = timeline.Timeline(frames=0)
    monkeypatch.setattr(timeline, "read", lambda container, stream: empty)
    with pytest.raises(BadClip, match="has no frame"):
        decoding.read(path, SMALL)
