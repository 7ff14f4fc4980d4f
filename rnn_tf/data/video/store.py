"""Decode video files once, to clips in a flat file on disk."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from rnn_tf import files
from rnn_tf.data import download
from rnn_tf.data.labelled import Labelled
from rnn_tf.data.video import copies, decoding
from rnn_tf.data.video.decoding import BadClip, Decoded, Sampling
from rnn_tf.data.video.lists import Video
from rnn_tf.errors import InputError

CHUNK = 64  # videos whose clips may wait in memory to be written


@dataclass(frozen=True)
class Videos:
    """The clips of one part, one after the other, video by video."""

    stored: np.ndarray  # (videos, clips, frames, side, side, channels) uint8
    numbers: np.ndarray  # (videos of the part,): which of them
    labels: np.ndarray  # (videos of the part,) int16

    @property
    def per_video(self) -> int:
        """The number of clips of a video."""
        return self.stored.shape[1]

    def clips(self, which: np.ndarray) -> np.ndarray:
        """Read the clips numbered `which`: (clips, frames, side, side, channels)."""
        video, clip = np.divmod(which, self.per_video)
        return self.stored[self.numbers[video], clip]


@dataclass(frozen=True)
class DecodedVideos:
    """Videos of several classes, and their clips on disk."""

    videos: list[Video]  # that could be decoded
    clips: np.ndarray  # (videos, clips, frames, side, side, channels) uint8
    about: dict  # sha256; counts: skipped, by reason; padded; sizes; seconds to play

    def join_copies(self) -> "DecodedVideos":
        """Join groups that share a file, see `copies.join_copies`."""
        return replace(self, videos=copies.join_copies(self.videos))

    def labelled(
        self,
        name: str,
        cuts: dict[str, np.ndarray],
        grouped: bool,
        left_out: Sequence[str] = (),
    ) -> Labelled:
        """Split the clips into three parts.

        Args:
            name: where they come from, as the user has named it.
            cuts: split -> numbers of the videos, see `folder.split_by_group`.
            grouped: whether it is known which videos belong together.
            left_out: what else is in the folder, for the notes.
        """
        classes = tuple(sorted({video.label for video in self.videos}))
        labels = [classes.index(video.label) for video in self.videos]
        labels = np.array(labels, "int16")
        parts = {split: Videos(self.clips, n, labels[n]) for split, n in cuts.items()}
        groups = {
            split: sorted({self.videos[number].group for number in cut})
            for split, cut in cuts.items()
        }
        facts = {"source": Path(name).resolve().name} | self.about
        notes = [*left_out, *self._notes(cuts, grouped)]
        facts |= {"notes": notes, "groups": groups}
        block = round(len(cuts["test"]) / len(groups["test"]))
        return Labelled(classes, parts, facts, block)

    def _notes(self, cuts: dict[str, np.ndarray], grouped: bool) -> Iterator[str]:
        """Yield what a reader should know of the clips."""
        count = copies.count_copies(self.videos)
        left_out = len(self.videos) - sum(map(len, cuts.values()))
        if left_out:
            yield f"left out {left_out} videos that are copies of files of a later part"
        elif count:
            yield f"{count} copies of other files, in one group with them"
        for reason, count in self.about["skipped"].items():
            yield f"skipped {count} files ({reason})"
        if self.about["padded"]:
            yield f"{self.about['padded']} shorter than a clip, padded and masked"
        if len(self.about["sizes"]) > 1:
            sizes, side = ", ".join(self.about["sizes"]), self.clips.shape[-2]
            yield f"sizes {sizes}, all squeezed to {side} pixels"
        if not grouped:
            yield "each file is a group of its own (--group-column)"


def decode_videos(videos: list[Video], sampling: Sampling, skip: bool) -> DecodedVideos:
    """Decode the clips of videos, once; they are kept in the cache.

    Args:
        videos: of several classes.
        sampling: which frames are seen, and how large.
        skip: whether bad files are counted, or the first is an error.

    Raises:
        InputError: a bad file that is not to be skipped, or there is no other.
    """
    videos, skipped = copies.read_hashes(videos, skip)
    if not videos:
        raise InputError(f"no file could be read: {dict(skipped)}")
    digest = hashlib.sha256(f"2 {sampling} {skip}".encode())
    for video in videos:
        digest.update(video.sha256.encode())
    folder = download.cache() / f"clips-{digest.hexdigest()[:32]}"
    if not files.is_whole(folder):
        write(folder, videos, sampling, skip)
    kept, clips, about = read(folder, sampling)
    about["skipped"] = dict(skipped + Counter(about["skipped"]))
    about = {"sha256": digest.hexdigest()} | about
    return DecodedVideos([videos[number] for number in kept], clips, about)


# ---------------------------------------------------------------- on disk


def write(folder: Path, videos: list[Video], sampling: Sampling, skip: bool) -> None:
    """Decode the videos, one after the other, into a folder, whole or absent.

    Raises:
        BadClip: unless bad files are to be skipped.
    """
    about = {"kept": [], "skipped": Counter(), "padded": 0, "sizes": Counter()}
    about |= {"seconds": 0.0}
    with files.atomic_folder(folder) as temporary:
        with (temporary / "clips").open("wb") as file:
            for number, video in _decode(videos, sampling, skip, about["skipped"]):
                video.clips.tofile(file)
                about["kept"].append(number)
                about["padded"] += video.padded
                about["sizes"]["{} x {}".format(*video.size)] += 1
                about["seconds"] += video.seconds
        (temporary / "about.json").write_text(json.dumps(about), encoding="utf-8")


def _decode(
    videos: list[Video], sampling: Sampling, skip: bool, skipped: Counter
) -> Iterator[tuple[int, Decoded]]:
    """Yield number and clips of each video in order; a video a core at a time."""
    # Imported before the threads start: two that import it at once see half of it.
    import av  # noqa: F401

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(videos), CHUNK):  # so that few wait in memory
            paths = [video.path for video in videos[start : start + CHUNK]]
            decode = partial(_decode_or_error, sampling=sampling)
            for number, result in enumerate(pool.map(decode, paths), start):
                if isinstance(result, Decoded):
                    yield number, result
                elif skip:
                    skipped[result.reason] += 1
                else:
                    raise result


def _decode_or_error(path: Path, sampling: Sampling) -> Decoded | BadClip:
    try:
        return decoding.read(path, sampling)
    except BadClip as error:
        return error


def read(folder: Path, sampling: Sampling) -> tuple[list[int], np.ndarray, dict]:
    """Read what `write` wrote.

    Returns:
        The numbers of the videos; their clips, (videos, clips, frames, side, side,
        channels) uint8, which stay on disk; and counts, see `DecodedVideos.about`.

    Raises:
        InputError: no file could be decoded.
    """
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    kept = about.pop("kept")
    if not kept:
        raise InputError(f"no file could be decoded: {about['skipped']}")
    shape = len(kept), *sampling.shape
    return kept, np.memmap(folder / "clips", "uint8", "r", shape=shape), about
