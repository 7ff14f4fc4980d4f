"""Files that are byte for byte the same: one group, one class, and never two parts."""

import dataclasses

import pytest

from rnn_tf.data.video.containers import BadClip
from rnn_tf.data.video.copies import count_copies, join_copies, read_hashes
from rnn_tf.data.video.folder import split_by_group
from rnn_tf.data.video.lists import Video
from rnn_tf.errors import InputError


def known(text: str) -> list[Video]:
    """Make videos from words such as "a:g1:x": class, group and content."""
    words = [word.split(":") for word in text.split()]
    return [
        dataclasses.replace(Video(None, label, group), sha256=content)
        for label, group, content in words
    ]


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("a:g3:x a:g1:y b:g2:z", "g3 g1 g2"),
        ("a:g3:x a:g1:x b:g2:z", "g1 g1 g2"),
        # The whole of both recordings, and what is joined by a third.
        ("a:g3:x a:g1:x b:g3:z b:g2:z b:g4:v", "g1 g1 g1 g1 g4"),
        ("a:g1:x a:g1:x b:g2:z", "g1 g1 g2"),
    ],
)
def test_groups_that_share_a_file_are_one(text, groups):
    """Would catch a clip in training whose copy is in the test."""
    videos = known(text)
    joined = join_copies(videos)
    assert [video.group for video in joined] == groups.split()
    assert [video.label for video in joined] == [video.label for video in videos]


def test_copies_by_chance_are_in_one_part():
    text = " ".join(
        f"{name}:{name}{i}:{name}{i % 5}" for i in range(20) for name in "ab"
    )
    videos = join_copies(known(text))
    parts = split_by_group(videos)
    contents = [{videos[i].sha256 for i in part} for part in parts.values()]
    assert sum(map(len, contents)) == len(set.union(*contents)) == 10
    assert sum(map(len, parts.values())) == 40
    assert count_copies(videos) == 30


def test_copies_in_named_parts_stay_in_the_last():
    """Would catch named groups of UCF101 that share a clip: the test keeps its own."""
    videos = known("a:g1:x b:g1:y a:g2:x b:g2:z a:g3:v b:g3:z a:g1:w b:g1:s b:g2:u")
    parts = split_by_group(videos, validation=("g2",), test=("g3",))
    named = {name: part.tolist() for name, part in parts.items()}
    assert named == {"train": [1, 6, 7], "validation": [2, 8], "test": [4, 5]}
    with pytest.raises(InputError, match=r"'b' is for validation.* 1 are copies"):
        split_by_group(videos[:-1], validation=("g2",), test=("g3",))


def write(folder, **contents) -> list[Video]:
    """Write files, named for class and number, and return them as videos."""
    videos = []
    for name, content in contents.items():
        (folder / name).write_text(content)
        videos.append(Video(folder / name, name[0], name))
    return videos


def test_a_file_in_two_classes_is_told_or_left_out_of_both(tmp_path):
    """Would catch a clip with two answers, one of which is counted as a mistake."""
    videos = write(tmp_path, a1="x", a2="y", b1="x", b2="z", a3="y")
    with pytest.raises(BadClip, match=r"a1 is the same file .*b1, class b\)"):
        read_hashes(videos, skip=False)
    kept, skipped = read_hashes(videos, skip=True)
    assert [video.path.name for video in kept] == ["a2", "b2", "a3"]
    assert skipped == {"is the same file as one of another class": 2}
    assert kept[0].sha256 == kept[2].sha256 != kept[1].sha256


def test_what_cannot_be_read_is_told_or_left_out(tmp_path, monkeypatch):
    videos = write(tmp_path, a1="x", b1="y")
    (tmp_path / "a2").mkdir()
    (tmp_path / "b2").symlink_to("absent")
    odd = [Video(tmp_path / name, name[0], name) for name in ("a2", "b2")]
    for video in odd:
        with pytest.raises(BadClip, match=f"{video.path.name} is no file"):
            read_hashes([*videos, video], skip=False)
    kept, skipped = read_hashes([*odd, *videos], skip=True)
    assert kept == videos
    assert skipped == {"is no file, or a link to none": 2}
