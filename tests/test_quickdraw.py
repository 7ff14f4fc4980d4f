"""Quick, Draw! from a server on this machine: sound files kept, all others refused."""

import pytest

from experiments import sketch
from rnn_tf.data import download
from rnn_tf.data.drawings import batches, npz, quickdraw
from rnn_tf.errors import InputError
from tests.bucket import class_file, serve


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """Three classes; the cache is in tmp_path."""
    with serve(tmp_path / "served") as bucket:
        for seed, name in enumerate(["cat", "alarm clock", "The Mona Lisa"], 1):
            class_file(bucket.folder / f"{name}.npz", seed)
        monkeypatch.setattr(quickdraw, "URL", bucket.url)
        monkeypatch.setattr(download, "cache", lambda: tmp_path / "cache")
        yield bucket


def refused(message, *classes):
    with pytest.raises(InputError, match=message) as error:
        quickdraw.fetch(classes)
    assert "\n" not in str(error.value)
    return str(error.value)


def kept():
    folder = quickdraw.cache()
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def test_the_names_are_googles():
    """Would catch a name that is lost, twice, or not written as the files are."""
    assert len(set(quickdraw.CLASSES)) == len(quickdraw.CLASSES) == 345
    assert list(quickdraw.CLASSES) == sorted(quickdraw.CLASSES)
    odd = {"The Eiffel Tower", "The Mona Lisa", "The Great Wall of China", "t-shirt"}
    assert odd | {"teddy-bear", "cat", "zigzag"} <= set(quickdraw.CLASSES)
    assert not any("_" in n or n != n.strip() for n in quickdraw.CLASSES)


def test_files_are_asked_for_by_quoted_names_and_kept_whole(bucket):
    files = quickdraw.fetch(["cat", "alarm_clock"])
    assert [file.name for file in files] == ["alarm clock", "cat"]
    for file in files:
        served = bucket.folder / file.path.name
        assert file.path.read_bytes() == served.read_bytes()
    paths = ["/alarm%20clock.npz", "/cat.npz"]
    assert bucket.asked == [
        f"{how} {path}" for how in ("HEAD", "GET") for path in paths
    ]
    assert sorted(kept()) == ["alarm clock.npz", "cat.npz"]


def test_it_says_how_much_it_is_going_to_fetch(bucket, capsys):
    size = sum(path.stat().st_size for path in bucket.folder.iterdir())
    quickdraw.fetch(["cat", "alarm clock", "The Mona Lisa"])
    output = capsys.readouterr().out
    assert "3 files" in output
    assert f"{size / 1e6:.1f} MB" in output


def test_what_is_there_is_not_asked_for_again(bucket, monkeypatch, capsys):
    """Would catch a cache that is of no use on a train."""
    quickdraw.fetch(["cat"])
    capsys.readouterr()
    monkeypatch.setattr(quickdraw, "URL", "http://127.0.0.1:9")
    assert [file.name for file in quickdraw.fetch(["cat"])] == ["cat"]
    assert capsys.readouterr().out == ""
    refused("could not download http://127.0.0.1:9/alarm%20clock.npz", "alarm clock")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hashes": "md5=AAAAAAAAAAAAAAAAAAAAAA=="}, "its md5 is not 0{32}"),
        ({"cut": 100}, "could not download|its md5 is not"),
        ({"hashes": "crc32c=AAAAAA=="}, "without an MD5 .*crc32c=AAAAAA=="),
        ({"hashes": ""}, "without an MD5"),
    ],
)
def test_a_file_that_is_not_what_was_announced_is_not_kept(bucket, change, reason):
    """Would catch half a file, or another one, that stays in the cache for ever."""
    for name, value in change.items():
        setattr(bucket, name, value)
    message = refused(reason, "cat")
    assert "--data" in message
    assert "manual_dir" in message
    assert kept() == []


@pytest.mark.parametrize("hashes", ["md5={md5}, crc32c=AA==", "crc32c=A, md5={md5}"])
def test_the_md5_is_found_wherever_it_stands(bucket, hashes):
    bucket.hashes = hashes
    assert quickdraw.fetch(["cat"])[0].path.is_file()


def test_a_class_that_the_server_lacks_stops_it_before_anything_is_fetched(bucket):
    """Would catch gigabytes fetched before it is found out."""
    refused("could not download .*zebra.npz .404", "cat", "zebra")
    assert not any(asked.startswith("GET") for asked in bucket.asked)


def test_a_class_there_is_not_is_answered_with_the_nearest(bucket):
    refused("Quick, Draw! has no class 'cats' among its 345; .*'cat'", "cats", "dog")
    assert bucket.asked == []


def test_one_split_is_read_as_it_is(tmp_path):
    """Would catch train where the test was asked for, or an empty split passed over."""
    path = class_file(tmp_path / "cat.npz", 3, valid=[])
    assert [rows[0, :2].tolist() for rows in npz.read(path, "test")] == [[3, 2]]
    assert len(list(npz.read(path, "train"))) == 5
    with pytest.raises(InputError, match=r"cat.npz has no drawing in valid"):
        list(npz.read(path, "valid"))


def test_the_experiment_takes_the_classes_it_was_told(bucket, monkeypatch):
    """Would catch classes that an earlier run left in the cache."""
    monkeypatch.setattr(batches, "padding", lambda *_: batches.Padding((24,), 1.0))
    quickdraw.fetch(["The Mona Lisa"])
    config = sketch.Config(data="quickdraw", classes=("cat", "alarm_clock"))
    facts = sketch.load_data(config).facts
    assert facts["classes"] == ["alarm clock", "cat"]
    assert facts["source"] == "quickdraw"
    assert facts["drawings"] == {"train": 10, "validation": 4, "test": 2}
    with pytest.raises(InputError, match="one class, 'cat'"):
        sketch.load_data(sketch.Config(data="quickdraw", classes=("cat",)))


def test_without_classes_the_experiment_asks_for_all(bucket):
    with pytest.raises(InputError, match="could not download"):
        sketch.load_data(sketch.Config(data="quickdraw"))
    assert bucket.asked[0] == "HEAD /The%20Eiffel%20Tower.npz"
