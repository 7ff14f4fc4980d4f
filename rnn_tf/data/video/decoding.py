"""Decode clips of a few small frames from video files.

By PyAV, whose wheels bring ffmpeg.

Measured on one core of an EPYC, 320 x 240, H.264: some 1,600 frames a second, over 100
times as fast as they were filmed; scaling takes half of that, so only the frames that
a clip needs are scaled.
"""

from dataclasses import dataclass
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf.errors import InputError

av = lazy_loader.load("av")

FORMATS = ".mp4", ".avi", ".webm", ".mkv", ".mov"
COMPLETE = 0.9  # share of the promised frames; with fewer a file is truncated


class BadClip(InputError):
    """A file that gives no clip; skipped files are counted by `reason`."""

    def __init__(self, path: Path, reason: str, received=""):
        detail = f" ({received})" if received else ""
        super().__init__(f"{path} {reason}{detail}; mend it, or skip bad clips")
        self.reason = reason


@dataclass(frozen=True)
class Sampling:
    """Which frames of a video a model sees, and how large."""

    frames: int  # of a clip
    stride: int  # frames from one to the next
    clips: int  # of a video, spread over it
    side: int  # of a frame, in pixels; other shapes are squeezed
    channels: int  # 1: grey, 3: red, green and blue

    def positions(self, count: int) -> np.ndarray:
        """Choose the frames of each clip of a video with `count` frames.

        Returns:
            (clips, frames): numbers of frames; a short video repeats its last one.
        """
        reach = (self.frames - 1) * self.stride
        starts = np.linspace(0, max(0, count - 1 - reach), self.clips).astype(int)
        steps = self.stride * np.arange(self.frames)
        return np.minimum(starts[:, None] + steps, count - 1)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the clips of one video."""
        return self.clips, self.frames, self.side, self.side, self.channels


@dataclass(frozen=True)
class Decoded:
    """The clips of one video."""

    clips: np.ndarray  # (clips, frames, side, side, channels) uint8
    size: tuple[int, int]  # width and height in the file
    padded: bool  # whether its last frame is repeated because it is short
    seconds: float  # how long the video plays


def read(path: Path, sampling: Sampling) -> Decoded:
    """Decode the clips of one video; memory holds the frames of its clips alone.

    Raises:
        BadClip: it cannot be decoded, is truncated, or has no frame.
    """
    try:
        with av.open(str(path)) as container:
            count, promised, rate = _count(container)
            if count == 0:
                raise BadClip(path, "has no frame")
            if count < COMPLETE * promised:
                raise BadClip(path, "is truncated", f"{count} of {promised} frames")
        with av.open(str(path)) as container:
            wanted = sampling.positions(count)
            decoded, size = _decode(container, set(wanted.ravel().tolist()), sampling)
    except (av.FFmpegError, IndexError) as error:
        reason = getattr(error, "strerror", None) or "no video in it"
        raise BadClip(path, "cannot be decoded", reason) from None
    if len(decoded) < COMPLETE * len(np.unique(wanted)):
        raise BadClip(path, "is truncated", f"its header promises {count} frames")
    last = max(decoded)  # some codecs have a packet that shows nothing
    frames = np.stack([decoded[min(i, last)] for i in wanted.ravel()])
    padded = count < 1 + (sampling.frames - 1) * sampling.stride
    return Decoded(frames.reshape(sampling.shape), size, padded, count / rate)


def _count(container) -> tuple[int, int, float]:
    """Count the frames in a file; also return those promised, and frames a second."""
    stream = container.streams.video[0]
    rate = float(stream.average_rate or 25)
    seconds = (container.duration or 0) / av.time_base
    promised = stream.frames or int(seconds * rate)
    return sum(1 for packet in container.demux(stream) if packet.size), promised, rate


def _decode(container, wanted: set[int], sampling: Sampling):
    """Decode and scale the wanted frames, by number; also return their size before."""
    side, frames, last = sampling.side, {}, max(wanted)
    colours = "gray" if sampling.channels == 1 else "rgb24"
    # One for all frames: `frame.reformat` makes a new one each time, which took half
    # of the time of decoding.
    scaler = av.video.reformatter.VideoReformatter()
    for number, frame in enumerate(container.decode(video=0)):
        if number in wanted:
            small = scaler.reformat(frame, side, side, colours, interpolation="AREA")
            frames[number] = small.to_ndarray().reshape(side, side, sampling.channels)
        if number == last:
            break
    return frames, (frame.width, frame.height)
