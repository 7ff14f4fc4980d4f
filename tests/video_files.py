"""Make video files like those of phones, browsers and cameras, and cut them short."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.conftest import grey_frames, write_video

MILLISECOND = Fraction(1, 1000)


def write_timed(
    path: Path, starts, end: int, codec: str = "libx264", sound: float = 0, frames=None
) -> Path:
    """Write grey frames that are shown at `starts`, in ms, the last until `end`.

    `sound`: seconds of silence beside them.
    """
    lengths = dict(zip(starts, np.diff([*starts, end]).tolist(), strict=True))
    frames = grey_frames(len(starts)) if frames is None else frames
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.bit_rate = "yuv420p", 4_000_000
        stream.codec_context.time_base = MILLISECOND
        noise = container.add_stream("libopus", rate=48_000) if sound else None
        for packet in _encode(stream, frames, starts):
            packet.duration = lengths[packet.pts]
            container.mux(packet)
        if noise:
            _write_silence(container, noise, sound)
    return path


def _encode(stream, frames, starts):
    for pixels, start in zip(frames, starts, strict=True):
        frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
        frame.pts, frame.time_base = start, MILLISECOND
        yield from stream.encode(frame)
    yield from stream.encode()


def _write_silence(container, stream, seconds: float) -> None:
    for start in range(0, int(48_000 * seconds), 960):
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 960), "float32"), format="flt", layout="mono"
        )
        frame.sample_rate, frame.pts = 48_000, start
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def patch(path: Path, box: bytes, offset: int, *numbers: int) -> Path:
    """Write big-endian numbers of four bytes into the first such box of an MP4 file."""
    content = bytearray(path.read_bytes())
    place = content.index(box) + 4 + offset
    struct.pack_into(f">{len(numbers)}i", content, place, *numbers)
    path.write_bytes(content)
    return path


def turn(path: Path, right: tuple[int, int], down: tuple[int, int]) -> Path:
    """Write a display matrix: where the film's x axis points, and its y axis."""
    one = 1 << 16
    (a, b), (c, d) = right, down
    return patch(path, b"tkhd", 40, a * one, b * one, 0, c * one, d * one)


def trim(path: Path, start: int, length: int, fps: int = 12) -> Path:
    """Write an edit list that shows `length` frames of an MP4 file, from `start` on."""
    content = path.read_bytes()
    movie = struct.unpack_from(">I", content, content.index(b"mvhd") + 16)[0]
    media = struct.unpack_from(">I", content, content.index(b"mdhd") + 16)[0]
    return patch(path, b"elst", 8, length * movie // fps, start * media // fps)


def shorten(path: Path, share: float) -> Path:
    """Cut off the end of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def write_grey(path: Path, count: int = 40, **options) -> Path:
    """Write frames whose brightness is 5 times their number."""
    return write_video(path, grey_frames(count), **options)


def write_dawn_and_dusk(folder: Path) -> Path:
    """Write videos that grow brighter or darker, of six recordings, with clips.csv."""
    lines = ["file,class,recording"]
    for number in range(18):
        name = ("dawn", "dusk")[number % 2]
        frames = grey_frames(8, start=10 + number)[:: 1 if name == "dawn" else -1]
        write_video(folder / name / f"{number}.mp4", frames)
        lines.append(f"{name}/{number}.mp4,{name},r{number // 3}")
    (folder / "clips.csv").write_text("\n".join(lines))
    return folder
