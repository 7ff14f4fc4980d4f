"""Read the clips of a folder of videos, or of UCF101, in three parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rnn_tf.data.labelled import Labelled, list_names
from rnn_tf.data.video import store, ucf101
from rnn_tf.data.video.decoding import Sampling
from rnn_tf.data.video.folder import (
    choose_classes,
    describe_left_out,
    find_videos,
    split_by_group,
)
from rnn_tf.data.video.lists import Video


@dataclass(frozen=True)
class Choice:
    """Which videos are taken, and which are for validation and for test."""

    classes: tuple[str, ...] = ()  # all, if none is named
    group_column: str | None = None  # of clips.csv: what no two parts share
    validation: tuple[str, ...] = ()  # groups; by default, a fifth of the videos
    test: tuple[str, ...] = ()
    skip: bool = False  # whether bad files are counted, or the first is an error


def read_parts(data: str, choice: Choice, sampling: Sampling) -> Labelled:
    """Find videos, decode their clips, which is done once, and split them.

    Args:
        data: ucf101, which is downloaded once, or a folder.
        choice: of videos.
        sampling: which frames are seen, and how large.

    Raises:
        InputError: no such folder, column, class or group; a bad file that is not to be
            skipped; or a class that a part has no video of.
    """
    videos, left_out = _find(data, choice.group_column)
    videos = choose_classes(videos, choice.classes, left_out)
    decoded = store.decode_videos(videos, sampling, choice.skip)
    if lost := _lost_classes(videos, decoded.videos):
        left_out += [f"left out {list_names(lost, 6)}: no video of it can be decoded"]
        choose_classes(decoded.videos, (), left_out)
    validation, test = choice.validation, choice.test
    if data == "ucf101":
        validation, test = validation or ucf101.VALIDATION, test or ucf101.TEST
    if not (validation or test):
        decoded = decoded.join_copies()
    cuts = split_by_group(decoded.videos, validation, test)
    grouped = len({video.group for video in videos}) < len(videos)
    return decoded.labelled(data, cuts, grouped, left_out)


def _find(data: str, group_column: str | None) -> tuple[list[Video], list[str]]:
    """Find the videos, and describe what else a folder holds."""
    if data == "ucf101":
        return ucf101.find(), []
    return find_videos(Path(data), group_column), describe_left_out(Path(data))


def _lost_classes(videos: Sequence[Video], decoded: Sequence[Video]) -> list[str]:
    """Name the classes of which no video could be decoded."""
    return sorted({v.label for v in videos} - {v.label for v in decoded})
