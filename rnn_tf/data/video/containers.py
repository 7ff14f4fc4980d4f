"""Open video files, and nothing else: no playlist, picture, pipe or address.

By PyAV, whose wheels bring ffmpeg, which would also follow what a text names.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import lazy_loader

from rnn_tf.data.video import mp4_index, timeline
from rnn_tf.errors import InputError

av = lazy_loader.load("av")

SUFFIXES = tuple(
    ".3g2 .3gp .264 .265 .amv .apng .asf .avi .dav .divx .dv .f4v .flv .gif .h264 "
    ".h265 .hevc .insv .ivf .lrv .m1v .m2t .m2ts .m2v .m4v .mjpeg .mjpg .mk3d .mkv "
    ".mod .mov .mp4 .mpe .mpeg .mpg .mts .mxf .nut .ogg .ogm .ogv .qt .rm .rmvb .ts "
    ".vob .webm .wmv .wtv .xvid .y4m".split()
)
# ffmpeg's names of the formats of these files. Left out are those that open further
# files (concat, hls, dash, image2), or read a text as a film.
FORMATS = (
    "apng,asf,avi,dhav,dv,flv,gif,h264,hevc,ivf,m4v,matroska,mjpeg,mov,mpeg,mpegts,"
    "mpegvideo,mxf,nut,ogg,rm,wtv,yuv4mpegpipe"
)
MOST_PIXELS = 1 << 24  # of a frame; a decoder may keep some 20 of them
MOST_STREAMS = 20  # ffmpeg decodes a little of each while it opens a file
OPTIONS = {
    "format_whitelist": FORMATS,
    "protocol_whitelist": "file",
    "max_pixels": str(MOST_PIXELS),
    "max_streams": str(MOST_STREAMS),
}


class BadClip(InputError):
    """A file that gives no clip; skipped files are counted by `reason`."""

    def __init__(self, path: Path, reason: str, received=""):
        detail = f" ({received})" if received else ""
        super().__init__(f"{path} {reason}{detail}; mend it, or skip bad clips")
        self.reason = reason


@contextlib.contextmanager
def open_video(path: Path) -> Iterator[tuple]:
    """Open a video file; yield its container and the stream of its picture.

    Raises:
        BadClip: it is no video file, or its frames are too large or too many.
    """
    check_file(path)
    if mp4_index.count_samples(path) > timeline.MOST_FRAMES:
        raise BadClip(path, "promises too many frames, or hides how many")
    # An absolute path is never taken for an address, such as concat:a.mp4.
    name = str(path.absolute())
    with av.open(name, options=OPTIONS, metadata_errors="replace") as container:
        stream = container.streams.best("video")
        codec = stream and stream.codec_context
        if codec is None:
            raise BadClip(path, "cannot be decoded", "no video in it")
        size = f"{codec.width} x {codec.height}"
        if codec.width * codec.height > MOST_PIXELS:
            raise BadClip(path, "has frames that are too large", size)
        codec.options = {"max_pixels": OPTIONS["max_pixels"]}
        yield container, stream


def check_file(path: Path) -> None:
    """Check that there is a file, which can be opened without waiting for ever.

    Raises:
        BadClip: a folder, a pipe, a device, or a link that leads nowhere.
    """
    if not path.is_file():
        raise BadClip(path, "is no file, or a link to none")
