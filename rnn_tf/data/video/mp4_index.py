"""Check what the index of an MP4 or MOV file promises, before ffmpeg believes it.

ffmpeg takes 24 bytes for each frame of the index before it reads the first frame, and
20 bytes can promise 80 million frames.
"""

import itertools
import mmap
import re
from collections.abc import Iterator
from pathlib import Path

# Boxes at the top that ffmpeg looks into; the pictures are in others.
HEADERS = set(
    b"moov moof trak traf mdia minf stbl edts mvex udta wave meta free hoov".split()
)
COUNTS = re.compile(rb"(?=(?:st(?:sz|z2).{4}|trun).{4}(.{4}))", re.DOTALL)
# An edit list may show the same frames again and again, and each has its place again.
EDITS = re.compile(rb"(?=elst.{4}(.{4}))", re.DOTALL)
FEW_EDITS = 8  # of which each may show all frames
COMPRESSED = re.compile(rb"cmov.{4}dcom", re.DOTALL)
TRACK = re.compile(rb"trak")
# The samples of raw sound; ffmpeg's index has chunks of them.
SOUND = re.compile(rb"hdlr.{8}soun", re.DOTALL)
RAW = re.compile(rb"stts\0{7}\x01.{4}\0\0\0\x01", re.DOTALL)


def count_samples(path: Path) -> float:
    """Count the frames and pieces of sound that the index promises, or a bound.

    Returns:
        0 for files of other formats; infinity for an index that is compressed.
    """
    if not path.stat().st_size:
        return 0
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        return sum(_count(data, *header) for header in _headers(data))


def _headers(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Yield beginning and end of each box at the top that is a header."""
    start = 0
    while start + 8 <= len(data):
        size, kind = (
            int.from_bytes(data[start : start + 4], "big"),
            data[start + 4 : start + 8],
        )
        if size == 1:
            size = int.from_bytes(data[start + 8 : start + 16], "big")
        end = start + size if size >= 8 else len(data)
        if kind in HEADERS:
            yield start, min(end, len(data))
        start = end


def _count(data: mmap.mmap, start: int, end: int) -> float:
    if COMPRESSED.search(data, start, end):
        return float("inf")
    marks = [start, *(m.start() for m in TRACK.finditer(data, start, end)), end]
    total = 0
    for begin, stop in itertools.pairwise(marks):
        counts = COUNTS.finditer(data, begin, stop)
        count = sum(int.from_bytes(match[1], "big") for match in counts)
        raw = SOUND.search(data, begin, stop) and RAW.search(data, begin, stop)
        total += 0 if raw and count <= len(data) else count
    edits = EDITS.finditer(data, start, end)
    edits = max((int.from_bytes(match[1], "big") for match in edits), default=0)
    return total * max(1, edits // FEW_EDITS)
