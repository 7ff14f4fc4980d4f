"""The clips of a folder of videos, or of UCF101, in three parts; and odd folders."""

import os
import shutil

import numpy as np
import pytest

from rnn_tf.data.video import ucf101
from rnn_tf.data.video.decoding import Sampling
from rnn_tf.data.video.parts import Choice, read_parts
from rnn_tf.errors import InputError
from tests.conftest import grey_frames, write_video
from tests.video_files import write_dawn_and_dusk


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_dawn_and_dusk(tmp_path_factory.mktemp("videos") / "set")


SMALL = {"frames": 4, "stride": 2, "clips": 1, "side": 16, "channels": 1}


def read(data, sampling=(), **choice):
    return read_parts(
        str(data), Choice(**choice), Sampling(**{**SMALL, **dict(sampling)})
    )


def test_what_a_cache_is_known_by(folder, cache):
    """Would catch a changed file, or another sampling, that finds the old clips."""
    sums = {read(folder).facts["sha256"]}
    for option in ({"frames": 5}, {"stride": 1}, {"side": 20}, {"channels": 3}):
        sums.add(read(folder, option).facts["sha256"])
    file = folder / "dawn" / "0.mp4"
    before = file.read_bytes()
    write_video(file, grey_frames(9))
    sums.add(read(folder).facts["sha256"])
    file.write_bytes(before)
    assert len(sums) == len(list(cache.iterdir())) == 6


def test_clips_belong_to_their_labels(folder, cache):
    """Would catch labels in another order than the clips: dawn is brightest last."""
    labelled = read(folder, group_column="recording")
    for part in labelled.parts.values():
        x = part.clips(np.arange(len(part.labels))).mean(axis=(2, 3, 4))
        assert np.array_equal(part.labels == 0, x[:, -1] > x[:, 0])
    assert labelled.block == 3


def test_bad_clips_are_an_error_or_counted(folder, cache, tmp_path):
    own = tmp_path / "own"
    for path in folder.glob("*/*.mp4"):
        copy = own / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (own / "dusk" / "1.mp4").write_bytes(b"none")
    write_video(own / "dusk" / "3.mp4", grey_frames(3, width=80))
    with pytest.raises(InputError, match=r"1\.mp4 cannot be decoded"):
        read(own)
    assert not list(cache.iterdir())
    notes = read(own, skip=True).facts["notes"]
    assert notes == [
        "skipped 1 files (cannot be decoded)",
        "1 shorter than a clip, padded and masked",
        "sizes 64 x 48, 80 x 48, all squeezed to 16 pixels",
        "each file is a group of its own (--group-column)",
    ]


# ------------------------------------------------------------------- odd folders


def copy_folder(folder, own):
    """Copy the videos of a folder, without its list."""
    for path in folder.glob("*/*.mp4"):
        (own / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, own / path.parent.name / path.name)
    return own


def test_what_was_left_out_stands_in_the_notes(folder, cache, tmp_path):
    """Would catch a class that is gone, a copy that is in two parts, and classes of
    which only the number is printed."""
    own = copy_folder(folder, tmp_path / "own")
    for number in (0, 2, 4):
        shutil.copy(own / f"dawn/{number}.mp4", own / f"dawn/copy{number}.MP4")
    (own / "noon").mkdir()
    (own / "noon" / "a.xyz").touch()
    data = read(own)
    facts = data.describe("clips")
    assert facts["notes"] == [
        "left out 1 folders without a video file (noon: a.xyz)",
        "3 copies of other files, in one group with them",
        "each file is a group of its own (--group-column)",
    ]
    assert "own, 2 classes (dawn, dusk), " in facts["says"]
    assert sum(facts["clips"].values()) == 21
    groups = [group for part in facts["groups"].values() for group in part]
    assert len(groups) == len(set(groups)) == 18


@pytest.mark.parametrize("kind", ["folder", "pipe", "dangling", "loop"])
def test_what_is_called_a_video_and_is_no_file(folder, cache, tmp_path, kind):
    """Would catch a traceback, or a run that waits for ever."""
    own = copy_folder(folder, tmp_path / "own")
    odd = own / "dusk" / "odd.mp4"
    if kind == "folder":
        odd.mkdir()
    elif kind == "pipe":
        os.mkfifo(odd)
    else:
        odd.symlink_to("odd.mp4" if kind == "loop" else "absent")
    with pytest.raises(InputError, match=r"odd.mp4 is no file, or a link to none"):
        read(own)
    notes = read(own, skip=True).facts["notes"]
    assert "skipped 1 files (is no file, or a link to none)" in notes


def test_a_class_that_cannot_be_decoded_is_named(folder, cache, tmp_path):
    own = copy_folder(folder, tmp_path / "own")
    (own / "noon").mkdir()
    (own / "noon" / "a.mp4").write_text("none")
    notes = read(own, skip=True).facts["notes"]
    assert "left out noon: no video of it can be decoded" in notes
    shutil.rmtree(own / "dusk")
    with pytest.raises(InputError, match="one class, 'dawn'; .*left out noon"):
        read(own, skip=True)


# ------------------------------------------------------------------- ucf101


FILMS = (*range(1, 9), *range(22, 26))


def unpack_ucf101(folder, films=FILMS):
    """Write a small UCF101, two classes of a clip of each film; return its folder."""
    for number, film in enumerate(films):
        for key, name in enumerate(("Archery", "BabyCrawling")):
            file = f"UCF-101/{name}/v_{name}_g{film:02}_c01.avi"
            write_video(folder / file, grey_frames(8, start=2 * number + key))
    return folder


class Answer:
    """What a server says to HEAD."""

    def raise_for_status(self): ...


@pytest.fixture
def small_ucf101(cache, monkeypatch):
    """The folder where TFDS unpacks, with a server that is there."""
    monkeypatch.setattr(ucf101.requests, "head", lambda *a, **k: Answer())
    monkeypatch.setattr(ucf101, "COUNT", 2 * len(FILMS))
    return cache / "ucf101" / "extracted"


def test_ucf101_says_what_it_downloads_before_it_starts(small_ucf101, monkeypatch):
    """And knows class and film by the name; films 1 to 7 are the test set."""
    said = []

    def fetch():
        assert "6.96 GB" in said[0]
        return unpack_ucf101(small_ucf101 / "ZIP.UCF101")

    monkeypatch.setattr(ucf101, "_fetch", fetch)
    found = ucf101.find(said.append)
    assert [(v.label, v.group) for v in found[:2]] == [
        ("Archery", "g01"), ("Archery", "g02"),
    ]  # fmt: skip
    data = read("ucf101")
    assert data.facts["groups"] == {
        "train": ["g08"], "validation": list(ucf101.VALIDATION),
        "test": list(ucf101.TEST),
    }  # fmt: skip
    assert len(said) == 1


def test_a_killed_unpacking_of_ucf101_is_done_again(small_ucf101, monkeypatch):
    """Would catch a part of the data set that passes for the whole for ever, and files
    that count twice once the whole is there."""
    unpack_ucf101(small_ucf101 / "incomplete.0f_ZIP.UCF101", FILMS[:5])
    calls = []

    def fetch():
        calls.append("unpacked")
        return unpack_ucf101(small_ucf101 / "ZIP.UCF101")

    monkeypatch.setattr(ucf101, "_fetch", fetch)
    for _ in range(2):
        videos = ucf101.find(lambda text: None)
        assert len(videos) == len({v.path.name for v in videos}) == ucf101.COUNT
        assert not any("incomplete." in str(video.path) for video in videos)
    assert calls == ["unpacked"]


def test_an_unpacked_ucf101_that_lacks_files_is_told(small_ucf101, monkeypatch):
    folder = unpack_ucf101(small_ucf101 / "ZIP.UCF101", FILMS[:5])
    monkeypatch.setattr(ucf101, "_fetch", lambda: folder)
    with pytest.raises(InputError, match="holds 10 of 24 videos .* delete this folder"):
        ucf101.find(lambda text: None)


@pytest.mark.slow
def test_tfds_unpacks_again_what_was_killed(tmp_path):
    """Would catch a TFDS that takes an incomplete folder for the whole."""
    import zipfile

    import tensorflow_datasets as tfds

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("v_A_g01_c01.avi", "x")
    (tmp_path / "extracted" / "incomplete.0f_ZIP.a.zip").mkdir(parents=True)
    manager = tfds.download.DownloadManager(download_dir=tmp_path)
    folder = manager.extract(tmp_path / "a.zip")
    assert folder.parent == tmp_path / "extracted"
    assert not folder.name.startswith("incomplete.")
    assert [path.name for path in folder.iterdir()] == ["v_A_g01_c01.avi"]


def test_ucf101_without_a_connection_is_one_line(cache, monkeypatch, capsys):
    def broken(*args, **options):
        raise ucf101.requests.exceptions.ConnectionError("no route")

    monkeypatch.setattr(ucf101.requests, "head", broken)
    with pytest.raises(InputError, match="could not download UCF101 .no route"):
        read("ucf101")
