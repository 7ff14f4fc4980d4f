"""The TFDS data set: the assignment's line as it was written, and TFDS's own tests."""

import pickle
import shutil
import subprocess
import sys
import tempfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.core import constants

from rnn_tf.data import download, sketch_rnn
from rnn_tf.data.drawings import npz, quickdraw
from rnn_tf.errors import InputError
from tests.bucket import COUNTS, class_file, drawing, serve
from tests.conftest import ROOT

THREE = ("The Mona Lisa", "alarm clock", "cat")


def fill(folder, classes=THREE, **changed) -> Path:
    """A manual folder with small files; the seed of a class is its place in THREE."""
    folder.mkdir(exist_ok=True)
    for seed, name in enumerate(classes, 1):
        class_file(folder / f"{name}.npz", seed, **changed)
    return folder


def load(tmp_path, manual, *classes, split="train", **options):
    """Some classes from a manual folder, or downloaded where it is None."""
    config = tfds.download.DownloadConfig(manual_dir=manual)
    return tfds.load(
        "sketch_rnn",
        split=split,
        data_dir=tmp_path / "tfds",
        builder_kwargs={"config": sketch_rnn.of(*classes)},
        download_and_prepare_kwargs={"download_config": config},
        **options,
    )


class TestSketchRnn(tfds.testing.DatasetBuilderTestCase):
    """TFDS's own tests of a data set."""

    DATASET_CLASS = sketch_rnn.SketchRnn
    BUILDER_CONFIG_NAMES_TO_TEST = [sketch_rnn.of(*THREE)]
    SPLITS = {npz.SPLITS[member]: 3 * count for member, count in COUNTS.items()}

    @classmethod
    def setUpClass(cls):
        cls.EXAMPLE_DIR = tempfile.mkdtemp()  # made here, so that none is committed
        fill(Path(cls.EXAMPLE_DIR))
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.EXAMPLE_DIR)


@pytest.fixture
def everything(tmp_path, monkeypatch):
    """A server with one small file for each of the 345 classes, and empty caches."""
    with serve(tmp_path / "served") as bucket:
        for seed, name in enumerate(quickdraw.CLASSES):
            path = bucket.folder / f"{name}.npz"
            class_file(path, seed, train=[drawing(seed, "train", i) for i in range(10)])
        monkeypatch.setattr(quickdraw, "URL", bucket.url)
        monkeypatch.setattr(download, "cache", lambda: tmp_path / "cache")
        monkeypatch.setattr(constants, "DATA_DIR", str(tmp_path / "tfds"))
        yield bucket


def test_the_line_of_the_assignment_works_as_it_was_written(everything):
    """Would catch labels that have slipped, and a split that is sorted by class.

    With 3,450 drawings, 80 % of them drawn at random lack about no class.
    """
    train, rest = tfds.load('sketch_rnn/quickdraw', split=['train[:80%]', 'train[80%:]'], as_supervised=True)  # noqa: E501 # fmt: skip
    assert len([asked for asked in everything.asked if "GET" in asked]) == 345
    labels = {}
    for name, dataset in (("train", train), ("rest", rest)):
        pairs = list(dataset.as_numpy_iterator())
        assert all(strokes[0, 0] == label for strokes, label in pairs)
        assert {strokes.dtype for strokes, _ in pairs} == {np.dtype("int16")}
        labels[name] = np.array([label for _, label in pairs])
    assert (len(labels["train"]), len(labels["rest"])) == (2760, 690)
    assert len(set(labels["train"])) == 345
    assert len(set(labels["rest"])) > 280  # sorted, it would be 69
    together = np.concatenate(list(labels.values()))
    assert (np.bincount(together, minlength=345) == 10).all()


def test_drawings_come_out_as_they_went_in(tmp_path):
    """Would catch bytes in another order, or a split that is called another name."""
    manual = fill(tmp_path / "manual")
    datasets, info = load(tmp_path, manual, *THREE, split=None, with_info=True)
    for member, split in npz.SPLITS.items():
        rows = [
            (int(one["label"]), one["strokes"].tolist())
            for one in datasets[split].as_numpy_iterator()
        ]
        expected = [
            (quickdraw.CLASSES.index(name), drawing(seed, member, i).tolist())
            for seed, name in enumerate(THREE, 1)
            for i in range(COUNTS[member])
        ]
        assert sorted(rows) == sorted(expected)
    assert info.features["label"].names == list(quickdraw.CLASSES)
    assert info.supervised_keys == ("strokes", "label")
    assert "CC BY 4.0" in info.redistribution_info.license
    assert "1704.03477" in info.citation


def test_other_classes_have_another_name():
    """Would catch cats that come out of a cache of dogs."""
    names = {sketch_rnn.of(*c).name for c in [("cat",), ("dog",), ("cat", "dog")]}
    assert len(names | {"quickdraw"}) == 4
    assert sketch_rnn.of("dog", "cat").name == sketch_rnn.of("cat", "dog", "cat").name
    assert sketch_rnn.of("alarm_clock").classes == ("alarm clock",)
    with pytest.raises(InputError, match="no class 'cats'.*'cat'"):
        sketch_rnn.of("cats")


def test_a_manual_folder_may_have_underscores_and_other_classes(tmp_path):
    manual = fill(tmp_path / "manual")
    (manual / "alarm clock.npz").rename(manual / "alarm_clock.npz")
    dataset = load(tmp_path, manual, "alarm clock", "cat", as_supervised=True)
    seeds = {int(strokes[0, 0]) for strokes, _ in dataset.as_numpy_iterator()}
    assert seeds == {2, 3}


def test_a_manual_folder_without_a_class_is_refused(tmp_path):
    """Would catch a download of gigabytes, or a data set that lacks a class."""
    manual = fill(tmp_path / "manual")
    (manual / "zebra.ndjson").touch()
    with pytest.raises(InputError, match="manual has no .npz file of dog, zebra; add"):
        load(tmp_path, manual, "cat", "dog", "zebra")
    with pytest.raises(InputError, match="manual has no .npz file of zebra; add"):
        load(tmp_path, manual, "zebra")
    with pytest.raises(InputError, match="absent does not exist or is empty"):
        load(tmp_path, tmp_path / "absent", "cat")
    assert not list((tmp_path / "tfds").rglob("*.tfrecord*"))


def test_what_other_data_sets_have_in_the_manual_folder_is_no_matter(
    everything, tmp_path
):
    manual = tmp_path / "tfds" / "downloads" / "manual"
    manual.mkdir(parents=True)
    (manual / "ILSVRC2012_img_train.tar").touch()
    assert len(load(tmp_path, None, "cat")) == 10
    fill(manual, ["dog"])  # files of ours are used
    assert len(load(tmp_path, None, "dog")) == COUNTS["train"]
    assert [asked for asked in everything.asked if "GET" in asked] == ["GET /cat.npz"]


def test_a_bad_drawing_is_named(tmp_path):
    bad = [drawing(1, "train", 0), np.zeros((4, 2), np.int16)]
    manual = fill(tmp_path / "manual", ["cat"], train=bad)
    with pytest.raises(InputError, match=r"cat.npz, train, drawing 1: shape is not"):
        load(tmp_path, manual, "cat")


class Malicious:
    """Unpickled, it would leave a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_nothing_in_a_file_is_executed(tmp_path):
    """Would catch np.load(allow_pickle=True)."""
    manual, harm = fill(tmp_path / "manual", ["cat"]), tmp_path / "harm"
    with zipfile.ZipFile(manual / "cat.npz") as archive:
        content = archive.read("train.npy")
    head = content[: content.index(b"\n") + 1]
    with zipfile.ZipFile(manual / "cat.npz", "w") as archive:
        archive.writestr("train.npy", head + pickle.dumps([Malicious(harm)]))
    with pytest.raises(InputError, match=r"cat.npz, train: .*do not trust this file"):
        load(tmp_path, manual, "cat")
    assert not harm.exists()


def test_memory_does_not_grow_with_the_classes(tmp_path):
    """Would catch files that are all read before the first example, or kept."""
    rows = np.random.default_rng(1).integers(-255, 255, (2000, 60, 3), np.int16)
    rows[..., 2] = 0
    path = class_file(tmp_path / "a.npz", 0, train=list(rows))
    builder = sketch_rnn.SketchRnn(data_dir=tmp_path, config=sketch_rnn.of("cat"))
    peaks = []
    for count in (1, 8):
        files = [sketch_rnn.ClassFile(name, path) for name in quickdraw.CLASSES[:count]]
        tracemalloc.start()
        drawings = sum(1 for _ in builder._generate_examples(files, "train"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert drawings == 2000 * count
    assert peaks[1] < 1.3 * peaks[0]


def test_keys_are_those_of_the_files(tmp_path):
    """Would catch an order that changes with the folder the files are in."""
    path = class_file(tmp_path / "a.npz", 0)
    builder = sketch_rnn.SketchRnn(data_dir=tmp_path, config=sketch_rnn.of("cat"))
    examples = builder._generate_examples([sketch_rnn.ClassFile("cat", path)], "valid")
    assert [key for key, _ in examples] == ["cat 0", "cat 1"]


def test_the_experiment_does_not_wait_for_tfds():
    """Would catch a --help that takes seconds."""
    # Names alone: to show a lazily loaded module may load it.
    code = (
        "import sys, experiments.sketch; sys.exit('tensorflow' in str([*sys.modules]))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
