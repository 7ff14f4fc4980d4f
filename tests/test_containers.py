"""Video files opened: every format by any ending, and nothing that is no video."""

import os
import resource
import socket

import numpy as np
import pytest

from rnn_tf.data.video import containers, decoding
from rnn_tf.data.video.containers import SUFFIXES, BadClip
from rnn_tf.data.video.decoding import Sampling
from tests.conftest import grey_frames, run_python, write_video
from tests.fuzz import assert_sturdy
from tests.video_files import write_grey

SMALL = Sampling(frames=4, stride=2, clips=2, side=16, channels=1)


@pytest.mark.parametrize(
    ("ending", "codec"),
    [
        (".m4v", "libx264"), (".mpg", "mpeg2video"), (".mpeg", "mpeg1video"),
        (".wmv", "wmv2"), (".3gp", "mpeg4"), (".ts", "libx264"), (".flv", "flv"),
        (".asf", "msmpeg4"), (".mov", "libx264"), (".mkv", "libvpx-vp9"),
        (".mxf", "mpeg2video"), (".vob", "mpeg2video"), (".mjpeg", "mjpeg"),
        (".h264", "libx264"), (".ivf", "libvpx"), (".nut", "mpeg4"), (".y4m", "raw"),
    ],
)  # fmt: skip
def test_whatever_ffmpeg_reads_is_read(tmp_path, ending, codec):
    """Would catch a class of .m4v files that vanishes without a word."""
    assert ending in SUFFIXES
    codec = {"raw": "wrapped_avframe"}.get(codec, codec)
    path = write_grey(tmp_path / f"a{ending}", fps=25, codec=codec)
    decoded = decoding.read(path.rename(tmp_path / f"a{ending.upper()}"), SMALL)
    brightness = decoded.clips.mean(axis=(2, 3, 4))
    expected = 5 * np.array([[0, 2, 4, 6], [33, 35, 37, 39]])
    assert np.abs(brightness - expected).max() < 3


def write_gif(path, count):
    """Write an animated picture."""
    return write_video(path, grey_frames(count), fps=25, codec="gif", pix="rgb8")


def test_an_animated_picture_is_a_film_and_a_still_one_is_not(tmp_path):
    decoded = decoding.read(write_gif(tmp_path / "a.gif", 12), SMALL)
    assert np.abs(decoded.clips[1].mean(axis=(1, 2, 3)) - [25, 35, 45, 55]).max() < 20
    for path in (
        write_gif(tmp_path / "b.gif", 1),
        write_grey(tmp_path / "c.mp4", 1),
    ):
        with pytest.raises(BadClip, match="is a picture, no film"):
            decoding.read(path, SMALL)


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile good.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\ngood.mp4\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "<?xml version='1.0'?><MPD><Period></Period></MPD>",
    ],
)
def test_a_playlist_is_never_opened(tmp_path, text):
    """Would catch a text whose frames are those of another file, under its checksum."""
    write_grey(tmp_path / "good.mp4")
    path = tmp_path / "list.mp4"
    path.write_text(text)
    with pytest.raises(BadClip, match="cannot be decoded"):
        decoding.read(path, SMALL)


def test_a_name_is_never_taken_for_an_address(tmp_path, monkeypatch):
    """Would catch `predict concat:a.mp4`, and a file whose name has a colon."""
    monkeypatch.chdir(tmp_path)
    write_grey(tmp_path / "a.mp4")
    with pytest.raises(BadClip, match="is no file"):
        decoding.read(tmp_path.__class__("concat:a.mp4"), SMALL)
    (tmp_path / "a.mp4").rename("file:b%03d.mp4")
    decoding.read(tmp_path.__class__("file:b%03d.mp4"), SMALL)


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """Things that are called like videos and are no files."""
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "folder.mp4").mkdir()
    (folder / "dangling.mp4").symlink_to("absent")
    (folder / "loop.mp4").symlink_to("loop.mp4")
    (folder / "device.mp4").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.mp4")
    monkeypatch.chdir(folder)  # until the test has ended
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.mp4")  # a socket's whole path has a limit
    return folder


def test_what_is_no_file_is_told_and_never_waited_for(odd):
    for path in (*odd.iterdir(), odd / "absent.mp4"):
        with pytest.raises(BadClip, match="is no file, or a link to none"):
            decoding.read(path, SMALL)


def test_metadata_in_another_encoding_is_read(tmp_path):
    """Would catch a film of an old camera whose title is Latin-1."""
    path = tmp_path / "a.avi"
    import av

    with av.open(str(path), "w") as container:
        container.metadata["title"] = "caf~ title"
        stream = container.add_stream("mpeg4", rate=12)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for pixels in grey_frames(12):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    content = path.read_bytes()
    assert b"caf~" in content
    path.write_bytes(content.replace(b"caf~", b"caf\xe9"))
    assert decoding.read(path, SMALL).clips.shape == SMALL.shape


@pytest.mark.parametrize("ending", ["mp4", "gif"])
def test_frames_of_absurd_size_are_refused(tmp_path, monkeypatch, ending):
    """Would catch a header of 65,535 x 65,535 points, which takes 17 GB."""
    path = tmp_path / f"a.{ending}"
    write_gif(path, 12) if ending == "gif" else write_grey(path)
    content = bytearray(path.read_bytes())
    if ending == "gif":
        content[6:10] = b"\xff" * 4
        path.write_bytes(content)
    else:
        options = containers.OPTIONS | {"max_pixels": "3000"}
        monkeypatch.setattr(containers, "OPTIONS", options)
        monkeypatch.setattr(containers, "MOST_PIXELS", 3000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadClip, match="too large .64 x 48|cannot be decoded"):
        decoding.read(path, SMALL)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 17


def test_ffmpeg_says_nothing_of_its_own(tmp_path):
    """Would catch a terminal full of ffmpeg's warnings, a line for each packet."""
    path = write_grey(tmp_path / "a.mp4")
    content = bytearray(path.read_bytes())
    content[200:3000] = bytes(2800)
    path.write_bytes(content)
    code = (
        "import sys; from pathlib import Path; from rnn_tf.data.video import decoding\n"
        "try: decoding.read(Path(sys.argv[1]), decoding.Sampling(4, 2, 1, 16, 1))\n"
        "except decoding.BadClip: print('told')"
    )
    done = run_python("-c", code, path)
    assert (done.stdout, done.stderr) == ("told\n", "")


def read_small(path):
    """Read a file's clips, for the process of `tests.fuzz`."""
    return decoding.read(path, SMALL)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "codec", "copies"),
    [
        ("a.mp4", "libx264", 1_000), ("a.webm", "libvpx", 300), ("a.mkv", "mpeg4", 300),
        ("a.avi", "mpeg4", 300), ("a.mpg", "mpeg2video", 100), ("a.ts", "libx264", 100),
        ("a.wmv", "wmv2", 100), ("a.flv", "flv", 100), ("a.gif", "gif", 100),
        ("a.mxf", "mpeg2video", 100), ("a.nut", "mpeg4", 100),
    ],
)  # fmt: skip
def test_damaged_videos_do_no_harm(tmp_path, name, codec, copies):
    """Would catch a traceback, a hang, or memory that a few bytes fill."""
    if codec == "gif":
        path = write_gif(tmp_path / name, 30)
    else:
        path = write_grey(tmp_path / name, 30, fps=25, codec=codec)
    assert_sturdy(read_small, path, copies)
