"""Decode clips of a few small frames from video files.

Measured on one core of an EPYC, 320 x 240, H.264: some 1,600 frames a second, over 100
times as fast as they were filmed; scaling takes half of that, so only the frames that
a clip needs are scaled.
"""

from dataclasses import dataclass
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf.data.video import timeline
from rnn_tf.data.video.containers import BadClip, open_video
from rnn_tf.data.video.timeline import Timeline

av = lazy_loader.load("av")


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
    size: tuple[int, int]  # width and height as shown
    padded: bool  # whether its last frame is repeated because it is short
    seconds: float  # of what is shown


def read(path: Path, sampling: Sampling) -> Decoded:
    """Decode the clips of one video; memory holds the frames of its clips alone.

    Raises:
        BadClip: it cannot be decoded, is truncated or damaged, or shows no film.
    """
    try:
        with open_video(path) as (container, stream):
            shown = timeline.read(container, stream)
        _check_whole(path, shown)
        count = shown.frames
        wanted = sampling.positions(count)
        frames = _decode(path, wanted, sampling)
        if frames.ended <= wanted.max():  # some codecs have packets that show nothing
            _check_end(path, shown, frames)
            count = frames.ended
            wanted = sampling.positions(count)
            frames = _decode(path, wanted, sampling)
    except BadClip:
        raise
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadClip(path, "cannot be decoded", str(reason)[:80]) from None
    if count == 1:
        raise BadClip(path, "is a picture, no film")
    clips = np.stack([frames.small[number] for number in wanted.ravel()])
    padded = count < 1 + (sampling.frames - 1) * sampling.stride
    return Decoded(clips.reshape(sampling.shape), frames.size, padded, shown.seconds)


def _check_whole(path: Path, shown: Timeline) -> None:
    """Check that a video has frames, and all that its header promises."""
    if shown.frames == 0:
        raise BadClip(path, "has no frame")
    if not shown.whole:
        promise = f" of {shown.promised:.2f}" if shown.promised else ""
        raise BadClip(path, "is truncated", f"{shown.seconds:.2f}{promise} seconds")


def _check_end(path: Path, shown: Timeline, frames: "_Frames") -> None:
    """Check that decoding went on to the last frame by its time."""
    if frames.ended == 0:
        raise BadClip(path, "has no frame")
    if frames.time is not None and shown.last - frames.time > 1.5 * shown.step:
        promise = f"{frames.time:.2f} of {shown.last:.2f} seconds"
        raise BadClip(path, "is damaged", promise)


@dataclass(frozen=True)
class _Frames:
    """The frames of a video that were wanted, and where decoding ended."""

    small: dict[int, np.ndarray]  # number -> (side, side, channels) uint8
    size: tuple[int, int]  # width and height, as shown
    ended: int  # frames that were decoded; if there were fewer than wanted, all
    time: float | None  # of the last one, in seconds


def _decode(path: Path, wanted: np.ndarray, sampling: Sampling) -> _Frames:
    """Decode a video up to the last of the wanted frames; scale those."""
    side, small, last = sampling.side, {}, int(wanted.max())
    numbers, number, frame, matrix = set(wanted.ravel().tolist()), -1, None, None
    colours = "gray" if sampling.channels == 1 else "rgb24"
    # One for all frames: `frame.reformat` makes a new one each time, which took half
    # of the time of decoding.
    scaler = av.video.reformatter.VideoReformatter()
    with open_video(path) as (container, stream):
        for number, frame in enumerate(container.decode(stream)):
            # Of the first alone: a frame that was asked stays in memory, as it and its
            # side data name each other.
            matrix = matrix or _display_matrix(frame)
            if number in numbers:
                pixels = scaler.reformat(
                    frame, side, side, colours, interpolation="AREA"
                ).to_ndarray()
                pixels = pixels.reshape(side, side, sampling.channels)
                small[number] = _turn(pixels, matrix)
            if number == last:
                break
    if frame is None:
        return _Frames({}, (0, 0), 0, None)
    size = frame.width, frame.height
    size = size[::-1] if _is_upright(matrix) else size
    return _Frames(small, size, number + 1, frame.time)


def _turn(pixels: np.ndarray, matrix: tuple) -> np.ndarray:
    """Turn and mirror the pixels of a frame, (height, width, channels).

    The display matrix says where the film's x and y axes point on the screen, with y
    downwards; see ISO/IEC 14496-12, 6.2.2. Phones write it: their sensor never turns.
    """
    x_right, x_down, y_right, y_down = matrix
    if _is_upright(matrix):
        pixels, x_right, y_down = pixels.swapaxes(0, 1), y_right, x_down
    pixels = pixels[:, ::-1] if x_right < 0 else pixels
    return pixels[::-1] if y_down < 0 else pixels


def _is_upright(matrix: tuple) -> bool:
    """Tell whether what is across in the film goes up or down on the screen."""
    x_right, x_down, _, _ = matrix
    return abs(x_down) > abs(x_right)


def _display_matrix(frame) -> tuple[int, int, int, int]:
    """Read where x and y of a frame point: right and down of each, in 65,536ths."""
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # beside it is a kind of data that PyAV does not know
        turn = np.exp(-1j * np.radians(getattr(frame, "rotation", 0)))
        return turn.real, turn.imag, -turn.imag, turn.real
    if matrix is None:
        return 1, 0, 0, 1
    a, b, _, c, d, *_ = np.frombuffer(matrix, "i4").tolist()
    return a, b, c, d
