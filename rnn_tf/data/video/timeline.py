"""Count the frames and the seconds that a video shows, by its packets.

Nothing is decoded. A packet may be marked as one that is decoded but not shown: what an
edit list has cut off, such as the beginning of a film that was trimmed on a phone.
"""

import re
from dataclasses import dataclass

import numpy as np

EXACT = "mov", "matroska"  # their headers say what was written, others what was planned
# Formats whose header has the length of each stream, or of the longest.
EACH, LONGEST = ("mov", "avi", "mxf", "ivf"), ("matroska", "flv", "asf")
COMPLETE = 0.9  # share of the frames; with fewer, and a packet cut, some are missing
MOST_FRAMES = 1 << 21  # 19 hours
MOST_REORDERED = 16  # frames that a decoder may have to wait for
MOST_REPEATED = 10  # an index may name the same bytes again and again

FIELDS = [  # of a packet
    ("start", "f8"),  # in seconds; NaN if unknown
    ("length", "f8"),  # in seconds; 0 if unknown
    ("shown", "?"),
    ("cut", "?"),  # whether a part of it is missing
]


@dataclass(frozen=True)
class Timeline:
    """What a video shows, by its packets."""

    frames: int
    step: float = 0.0  # the longest time from one frame to the next, in seconds
    last: float = np.nan  # when the last frame begins, in seconds; NaN if unknown
    seconds: float = 0.0  # from the first frame to the end of the last
    promised: float = 0.0  # seconds by the header; 0 if it does not say
    whole: bool = True  # whether the packets fill them


def read(container, stream) -> Timeline:
    """Read the packets of a video.

    Args:
        container: as PyAV opens it.
        stream: its picture.

    Raises:
        ValueError: they are more than a video can have, or a file of its size.
    """
    kind = container.format.name.split(",")[0]
    promised, streams = _promise(container, stream, kind)
    packets = _read_packets(container, streams)
    every = packets[stream.index]
    picture = every[every["shown"]]
    if not len(picture):
        return Timeline(0, promised=promised)
    usual = 1 / float(stream.average_rate or 25)
    starts = np.unique(picture["start"][np.isfinite(picture["start"])])
    step = np.diff(starts).max() if len(starts) > 1 else usual
    first, last = (starts[0], starts[-1]) if len(starts) else (0.0, np.nan)
    seconds = _end(picture, usual) - first
    if len(every) == stream.frames:
        filled = promised
    elif kind in EACH:  # the time that the first frame waits is counted or not
        waits = np.clip(first, 0, MOST_REORDERED * usual)
        filled = max(seconds + waits, picture["length"].sum())
    else:  # counted from zero, even if the first frame comes later
        filled = max(_end(p[p["shown"]], usual) for p in packets.values())
    allowed = step / 2 if kind in EXACT else max(1.5 * step, promised / 10)
    whole = promised - filled <= allowed and not _is_cut(picture, usual, seconds)
    return Timeline(len(picture), step, last, seconds, promised, bool(whole))


def _is_cut(picture: np.ndarray, usual: float, seconds: float) -> bool:
    """Whether a packet is cut at the end, or one anywhere and frames are missing."""
    sparse = len(picture) * usual < COMPLETE * seconds
    return bool(picture["cut"][-1] or (picture["cut"].any() and sparse))


def _promise(container, stream, kind: str) -> tuple[float, list]:
    """Return the seconds that the header promises, and the streams that fill them.

    Sound may be longer than the picture. Matroska may have a tag with the length of a
    stream; if it is longer than the file, it is that of a film this one was cut from.
    """
    if kind in EACH:
        return float((stream.duration or 0) * stream.time_base), [stream]
    if kind not in LONGEST or not container.duration:
        return 0.0, [stream]
    longest = container.duration / 1e6
    tag = re.fullmatch(r"(\d+):(\d+):(\d+\.?\d*)", stream.metadata.get("DURATION", ""))
    hours, minutes, seconds = map(float, tag.groups()) if tag else (np.inf, 0, 0)
    own = 3600 * hours + 60 * minutes + seconds
    if own < longest + 0.01:  # in the header, times are rounded
        return own, [stream]
    return longest, [*container.streams.video, *container.streams.audio]


def _read_packets(container, streams: list) -> dict[int, np.ndarray]:
    """Read the packets of streams.

    Returns:
        Number of the stream -> (packets,) of `FIELDS`.
    """
    rows = {stream.index: [] for stream in streams}
    count, left = MOST_FRAMES, MOST_REPEATED * (container.size + 1000)
    for packet in container.demux(*streams):
        size = packet.size
        count, left = count - 1, left - size
        if count < 0 or left < 0:
            raise ValueError("more frames than a file of its size can have")
        if size:
            start = packet.pts
            start = packet.dts if start is None else start
            shown, cut = not packet.is_discard, packet.is_corrupt
            rows[packet.stream_index].append((start, packet.duration, shown, cut))
    units = {stream.index: float(stream.time_base) for stream in streams}
    return {number: _columns(rows[number], unit) for number, unit in units.items()}


def _columns(rows: list[tuple], unit: float) -> np.ndarray:
    """Put rows of `FIELDS`, with times in `unit` seconds, into an array."""
    start, length, shown, cut = np.array(rows, "f8").reshape(-1, 4).T
    packets = np.zeros(len(rows), FIELDS)
    packets["start"], packets["length"] = start * unit, np.nan_to_num(length) * unit
    packets["shown"], packets["cut"] = shown, cut
    return packets


def _end(packets: np.ndarray, usual: float) -> float:
    """Return when the last packet ends, in seconds; by default one lasts `usual`."""
    lengths = np.where(packets["length"] > 0, packets["length"], usual)
    ends = (packets["start"] + lengths)[np.isfinite(packets["start"])]
    return ends.max() if len(ends) else lengths.sum()
