"""Video files decoded once: their clips on disk, their labels, groups and notes."""

import numpy as np
import pytest

from rnn_tf.data import download
from rnn_tf.data.video import store
from rnn_tf.data.video.decoding import BadClip, Sampling
from rnn_tf.data.video.lists import Video
from rnn_tf.data.video.store import DecodedVideos
from rnn_tf.errors import InputError
from tests.conftest import grey_frames, write_video

SMALL = Sampling(frames=4, stride=2, clips=1, side=16, channels=1)

# ------------------------------------------------------------------- the store


@pytest.fixture
def sound(tmp_path):
    """Four short videos that differ in brightness, one of them of another size."""
    videos = []
    for number in range(4):
        frames = grey_frames(6, width=64 if number else 80, start=50 * number)
        path = write_video(tmp_path / "set" / "x" / f"{number}.mp4", frames)
        videos.append(Video(path, "x", path.name))
    return videos


def bad(path) -> Video:
    """A file that cannot be decoded."""
    path.write_bytes(b"no video")
    return Video(path, "x", path.name)


@pytest.mark.parametrize("chunk", [2, 64])
def test_a_store_gives_back_what_was_decoded(sound, tmp_path, monkeypatch, chunk):
    """Would catch clips that slip by one, where a bad file was left out too, and files
    that come in another order because several are decoded at a time."""
    monkeypatch.setattr(store, "CHUNK", chunk)
    sound.insert(1, bad(tmp_path / "set/x/bad.mp4"))
    with pytest.raises(BadClip, match="bad.mp4 cannot be decoded"):
        store.write(tmp_path / "store", sound, SMALL, skip=False)
    assert not (tmp_path / "store").exists()
    store.write(tmp_path / "store", sound, SMALL, skip=True)
    kept, stored, about = store.read(tmp_path / "store", SMALL)
    assert isinstance(stored, np.memmap)
    assert kept == [0, 2, 3, 4]
    assert about["skipped"] == {"cannot be decoded": 1}
    assert about["sizes"] == {"80 x 48": 1, "64 x 48": 3}
    assert about["padded"] == 4
    first = stored[:, 0, 0].mean(axis=(1, 2, 3))
    assert np.abs(first - [0, 50, 100, 150]).max() < 2.5
    assert sorted(p.name for p in tmp_path.iterdir()) == ["set", "store"]


def test_if_nothing_can_be_decoded_it_says_so(tmp_path):
    damaged = [bad(tmp_path / "bad.mp4")]
    store.write(tmp_path / "store", damaged, SMALL, skip=True)
    with pytest.raises(InputError, match="no file could be decoded"):
        store.read(tmp_path / "store", SMALL)


def test_what_could_be_decoded_stays_beside_its_clips(sound, tmp_path, monkeypatch):
    """Would catch labels of all files beside the clips of those that are sound."""
    monkeypatch.setattr(download, "cache", lambda: tmp_path / "cache")
    every = [sound[0], bad(tmp_path / "bad.mp4"), *sound[1:]]
    decoded = store.decode_videos(every, SMALL, skip=True)
    assert decoded.videos == sound
    assert len(decoded.clips) == len(sound)
    with pytest.raises(BadClip, match=r"bad\.mp4"):
        store.decode_videos(every, SMALL, skip=False)


# ------------------------------------------------------------------- three parts


def test_labels_and_groups_of_three_parts_by_hand():
    """Would catch labels that are numbered part by part, or in the order of files."""
    known = [("b", "g3"), ("a", "g1"), ("b", "g1"), ("a", "g2"), ("b", "g2")]
    stored = np.arange(5, dtype="uint8").reshape(5, 1, 1, 1, 1, 1)
    about = {"sha256": "0", "skipped": {}, "padded": 0, "sizes": {"64 x 48": 5}}
    footage = DecodedVideos([Video(None, *pair) for pair in known], stored, about)
    cuts = {"train": [0], "validation": [2, 1], "test": [3, 4]}
    cuts = {split: np.array(cut) for split, cut in cuts.items()}
    labelled = footage.labelled("some/where", cuts, grouped=True)
    assert labelled.classes == ("a", "b")
    labels = {split: part.labels.tolist() for split, part in labelled.parts.items()}
    assert labels == {"train": [1], "validation": [1, 0], "test": [0, 1]}
    clips = labelled.parts["validation"].clips(np.array([0, 1]))
    assert clips.ravel().tolist() == [2, 1]
    assert labelled.facts["source"] == "where"
    assert labelled.facts["notes"] == []
    assert labelled.facts["groups"]["test"] == ["g2"]
    assert labelled.block == 2  # both videos of the test share a group
