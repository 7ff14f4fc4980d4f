"""Find files that are byte for byte the same, so that no two parts share one."""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Sequence

import lazy_loader
import numpy as np

from rnn_tf.data.video.containers import BadClip, check_file
from rnn_tf.data.video.lists import Video

pooch = lazy_loader.load("pooch")


def read_hashes(videos: Sequence[Video], skip: bool) -> tuple[list[Video], Counter]:
    """Give each video the sha256 of its file.

    Args:
        videos: of all classes.
        skip: whether those that are no files, or in two classes, are counted and left
            out, or the first is an error.

    Returns:
        The videos, and how many were left out for each reason.

    Raises:
        BadClip: unless they are to be skipped.
    """
    hashed, errors = [], []
    for video in videos:
        try:
            check_file(video.path)
            sha256 = pooch.file_hash(video.path)
            hashed.append(dataclasses.replace(video, sha256=sha256))
        except BadClip as error:
            errors.append(error)
        except OSError as error:
            errors.append(BadClip(video.path, "cannot be read", error.strerror))
    hashed, contradictions = _without_contradictions(hashed)
    errors += contradictions
    if errors and not skip:
        raise errors[0]
    return hashed, Counter(error.reason for error in errors)


def _without_contradictions(
    videos: list[Video],
) -> tuple[list[Video], list[BadClip]]:
    """Leave out files that are in two classes; return an error for each."""
    known = defaultdict(dict)
    for video in videos:
        known[video.sha256].setdefault(video.label, video)
    kept, errors = [], []
    for video in videos:
        others = [v for label, v in known[video.sha256].items() if label != video.label]
        if not others:
            kept.append(video)
            continue
        other = f"{others[0].path}, class {others[0].label}"
        reason = "is the same file as one of another class"
        errors.append(BadClip(video.path, reason, other))
    return kept, errors


def join_copies(videos: list[Video]) -> list[Video]:
    """Join groups that share a file: the joined group has the name of the first.

    Without copies the videos stay as they are.
    """
    from scipy.sparse import coo_matrix, csgraph  # here, so that --help is quick

    groups, group = np.unique([video.group for video in videos], return_inverse=True)
    _, content = np.unique([video.sha256 for video in videos], return_inverse=True)
    size = len(groups) + content.max() + 1
    edges = np.ones(len(videos)), (group, len(groups) + content)
    graph = coo_matrix(edges, shape=(size, size))
    _, joined = csgraph.connected_components(graph, directed=False)
    _, first, index = np.unique(joined[: len(groups)], True, True)
    names = groups[first[index]][group]
    return [
        dataclasses.replace(video, group=str(name))
        for video, name in zip(videos, names, strict=True)
    ]


def count_copies(videos: list[Video]) -> int:
    """Count the files that are the same as one before them."""
    hashes = [video.sha256 for video in videos if video.sha256]
    return len(hashes) - len(set(hashes))
