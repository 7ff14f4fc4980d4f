"""The video experiment from end to end, on moving digits and on folders of files."""

import csv
import json
import os
import shutil
from types import SimpleNamespace

import h5py
import keras
import numpy as np
import pytest

from experiments import video
from rnn_tf import config
from rnn_tf.baselines.video import mean_differences, motion_numbers
from rnn_tf.data import download
from rnn_tf.data.order import Order
from rnn_tf.data.splits import Network
from rnn_tf.data.video import batches, moving_digits, ucf101
from rnn_tf.data.video.store import Videos
from rnn_tf.errors import InputError
from rnn_tf.models import pretrained_cnn
from tests.conftest import ROOT, grey_frames, run_python, write_video

pytestmark = pytest.mark.usefixtures("quick_scores")

TINY = {
    "digits": 320,
    "models": ("cnn_lstm_shuffled",),
    "frames": 5,
    "side": 16,
    "epochs": 1,
    "seeds": 2,
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """One small run on moving digits."""
    folder = tmp_path_factory.mktemp("results")
    return video.run(video.Config(results=folder, **TINY))


def rows(done, **wanted):
    """Rows of metrics.csv on the test set."""
    found = done.tables["metrics"]
    for name, value in ({"split": "test"} | wanted).items():
        found = found[found[name] == value]
    return found


def test_a_run_leaves_what_the_readme_promises(done):
    left = {path.name for path in done.folder.iterdir()}
    info = json.loads((done.folder / "config.json").read_text())
    assert left == {
        "config.json", "trials.csv", "history.csv", "metrics.csv", "predictions.csv",
        "confusion.png", "clips.png", "learning_curves.png", "waiting.csv",
        f"{info['chosen']}.keras",
    }  # fmt: skip
    assert info["data"]["classes"] == list(moving_digits.CLASSES)
    assert info["data"]["clips"] == {"train": 256, "validation": 32, "test": 32}
    assert info["data"]["class_weights"] == [1.0] * 8
    assert info["data"]["sampling"]["frames"] == 5


def test_errors_can_be_worked_out_again_from_the_predictions(done):
    """Would catch clips that are evaluated in another order than their labels."""
    frame = done.tables["predictions"]
    wrong = 100.0 * (frame["target"] != frame["prediction"])
    again = wrong.groupby([frame["model"], frame["seed"]]).mean()
    found = rows(done, metric="error", slice="").set_index(["model", "seed"])["value"]
    assert set(found.index) == set(again.index)
    for key, value in found.items():
        assert again[key] == pytest.approx(value)
    targets = frame[frame["model"] == "majority"]["target"].tolist()
    labels = moving_digits.digits(320, 5, 16)["test"].labels
    assert targets == [moving_digits.CLASSES[label] for label in labels]


def test_per_class_errors_average_to_the_error(done):
    found = rows(done, model="cnn_lstm_shuffled", metric="error", seed=1)
    parts = found[found["slice"] != ""]
    assert set(parts["slice"]) == set(moving_digits.CLASSES)
    overall = found[found["slice"] == ""]["value"].item()
    assert np.average(parts["value"], weights=parts["n"]) == pytest.approx(overall)


def test_the_saved_model_reads_clips_as_they_are_decoded(done):
    """Would catch a scale that is applied twice, or not at all."""
    info = json.loads((done.folder / "config.json").read_text())
    path = done.folder / f"{info['chosen']}.keras"
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    part = moving_digits.digits(320, 5, 16)["test"]
    x = next(iter(batches.dataset(part, video.EVALUATED, shuffled=True)))[0]
    frame = done.tables["predictions"]
    frame = frame[frame["model"] == info["chosen"]]
    found = model.predict(x, verbose=0).max(axis=1)
    seeds = frame.groupby("seed")["probability"]  # the best of them was saved
    assert any(np.allclose(seed, found, atol=1e-4) for _, seed in seeds)


def test_the_same_seed_gives_the_same_csv(done, tmp_path):
    """Would catch frames that are shuffled, or clips drawn, by the clock."""
    again = video.run(video.Config(results=tmp_path, **TINY))
    for name in ("metrics.csv", "predictions.csv"):
        before, after = (d.folder / name for d in (done, again))
        assert before.read_bytes() == after.read_bytes(), name


def test_columns_are_those_of_the_readme_of_results(done):
    text = (ROOT / "results" / "README.md").read_text()
    for name in ("predictions.csv", "waiting.csv"):
        with (done.folder / name).open(newline="") as file:
            for column in next(csv.reader(file)):
                assert f"`{column}`" in text, f"results/README.md lacks `{column}`"


def test_waiting_is_a_share_of_the_step(done):
    (row,) = csv.DictReader((done.folder / "waiting.csv").read_text().splitlines())
    assert 0 <= float(row["waiting_seconds"]) < float(row["step_seconds"])
    assert 0 <= float(row["share"]) < 1


def test_clips_of_a_video_are_averaged():
    stored = np.zeros((2, 3, 1, 1, 1, 1), "uint8")
    part = Videos(stored, np.arange(2), np.array([0, 1], "int16"))
    output = np.array([[1, 0], [0, 1], [1, 0], [0, 1], [0, 1], [0, 1]], float)
    pairs = [(output[:4], None), (output[4:], None)]
    source = video.Source({"test": part}, (), None)
    data = video.Data(None, lambda *_: pairs, 1, 1, {}, source)
    model = SimpleNamespace(predict_on_batch=lambda inputs: inputs)
    videos = video.predict(Network("conv3d", model), data, "test")
    assert np.allclose(videos, [[2 / 3, 1 / 3], [0, 1]])


def test_rare_classes_weigh_more():
    part = Videos(None, None, np.array([0] * 6 + [1] * 2, "int16"))
    source = video.Source({"train": part}, ("a", "b"), None)
    assert source.weights.tolist() == pytest.approx([8 / 2 / 6, 8 / 2 / 2])


# ------------------------------------------------------------------- baselines


def test_motion_by_hand():
    """A spot that moves from the left half to the right one, and rests."""
    x = np.zeros((1, 9, 12, 12, 1), "uint8")
    x[0, :4, 0, 0], x[0, 4:, 0, 11] = 200, 200
    where = mean_differences(x).reshape(6, 6)
    assert np.flatnonzero(where.ravel()).tolist() == [0, 5]
    assert where[0, 0] == pytest.approx(200 / 4 / 8)  # of 4 points in 8 differences
    when = motion_numbers(x).reshape(8, 3)
    assert np.flatnonzero(when[:, 0]).tolist() == [3]
    assert when[3] == pytest.approx([2 / 144, 400 / 144 / 255, 5.5 / 12], abs=1e-6)


@pytest.mark.parametrize("frames", [2, 5, 30])
def test_motion_of_any_length_is_finite(frames):
    x = np.random.default_rng(1).integers(0, 255, (3, frames, 16, 16, 3), "uint8")
    for feature in (mean_differences, motion_numbers):
        found = feature(x)
        assert found.shape == (3, 36 if feature is mean_differences else 24)
        assert np.isfinite(found).all()


# ------------------------------------------------------------------- own videos


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of the test's own."""
    monkeypatch.setattr(download, "cache", lambda: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Videos that grow brighter or darker, of six recordings, listed in clips.csv."""
    path, lines = tmp_path_factory.mktemp("videos") / "set", ["file,class,recording"]
    for number in range(18):
        name = ("dawn", "dusk")[number % 2]
        frames = grey_frames(8, start=10 + number)[:: 1 if name == "dawn" else -1]
        write_video(path / name / f"{number}.mp4", frames)
        lines.append(f"{name}/{number}.mp4,{name},r{number // 3}")
    (path / "clips.csv").write_text("\n".join(lines))
    return path


OWN = {"frames": 4, "stride": 2, "side": 16, "batch_size": 4, "seeds": 1, "epochs": 1}


def loaded(folder, **options):
    return video.load_data(video.Config(data=str(folder), **(OWN | options)))


def test_a_folder_runs_and_is_decoded_once(folder, cache, tmp_path):
    options = {"group_column": "recording", "clips": 2, "change": "turn"}
    made = video.Config(
        data=str(folder), results=tmp_path, models=("cnn_gru",), **OWN, **options
    )
    done = video.run(made)
    info = json.loads((done.folder / "config.json").read_text())
    assert info["data"]["classes"] == ["dawn", "dusk"]
    assert sum(info["data"]["clips"].values()) == 18
    assert sum(map(len, info["data"]["groups"].values())) == 6
    (store,) = cache.iterdir()
    written = [path.stat().st_mtime_ns for path in store.iterdir()]
    loaded(folder, **options)
    assert [path.stat().st_mtime_ns for path in store.iterdir()] == written
    said = run_python(
        "-m", "experiments.video", "predict", "--model", done.folder,
        folder / "dawn" / "0.mp4", folder / "dusk" / "1.mp4",
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert said.stderr == ""
    assert sum("%" in line for line in said.stdout.splitlines()) == 2


def test_what_a_cache_is_known_by(folder, cache):
    """Would catch a changed file, or another sampling, that finds the old clips."""
    sums = {loaded(folder).facts["sha256"]}
    for options in ({"frames": 5}, {"stride": 1}, {"side": 20}, {"colour": "rgb"}):
        sums.add(loaded(folder, **options).facts["sha256"])
    file = folder / "dawn" / "0.mp4"
    before = file.read_bytes()
    write_video(file, grey_frames(9))
    sums.add(loaded(folder).facts["sha256"])
    file.write_bytes(before)
    assert len(sums) == len(list(cache.iterdir())) == 6


def test_clips_belong_to_their_labels(folder, cache):
    """Would catch labels in another order than the clips: dawn is brightest last."""
    data = loaded(folder, group_column="recording")
    for part in data.source.parts.values():
        x = part.clips(np.arange(len(part.labels))).mean(axis=(2, 3, 4))
        assert np.array_equal(part.labels == 0, x[:, -1] > x[:, 0])
    assert data.block == 3


def test_bad_clips_are_an_error_or_counted(folder, cache, tmp_path):
    own = tmp_path / "own"
    for path in folder.glob("*/*.mp4"):
        copy = own / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (own / "dusk" / "1.mp4").write_bytes(b"none")
    write_video(own / "dusk" / "3.mp4", grey_frames(3, width=80))
    with pytest.raises(InputError, match=r"1\.mp4 cannot be decoded"):
        loaded(own)
    assert not list(cache.iterdir())
    notes = loaded(own, on_bad_clip="skip").facts["notes"]
    assert notes == [
        "skipped 1 files (cannot be decoded)",
        "1 shorter than a clip, padded and masked",
        "sizes 64 x 48, 80 x 48, all squeezed to 16 pixels",
        "each file is a group of its own (--group-column)",
    ]


def test_a_run_that_cannot_start_leaves_no_folder(folder, cache, tmp_path):
    made = video.Config(data=str(folder), results=tmp_path / "out", group_column="day")
    with pytest.raises(InputError, match="no column 'day'"):
        video.run(made)
    assert not list((tmp_path / "out").rglob("*"))


# ------------------------------------------------------------------- frozen features


def test_without_weights_there_are_no_frozen_features(capsys, tmp_path, monkeypatch):
    """Would catch random weights that pass for pre-trained ones."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    names = video._possible(video.Config(models=("frozen_features", "conv3d")))
    assert names == ["conv3d"]
    said = capsys.readouterr().err
    assert said.startswith("left out: frozen_features: no weights of MobileNetV2 in")
    assert said.count("\n") == 1
    with pytest.raises(InputError, match="--weights"):
        video._possible(video.Config(models=("frozen_features",)))
    with pytest.raises(InputError, match="absent.h5 does not exist"):
        pretrained_cnn.find_weights(tmp_path / "absent.h5")


@pytest.mark.parametrize(("numbers", "says"), [(None, "signature"), (7, "7 numbers")])
def test_weights_of_another_network_are_one_line(tmp_path, numbers, says):
    """Would catch a traceback of HDF5, and a network with its last layer on."""
    path = tmp_path / "bad.h5"
    path.write_text("no weights")
    if numbers:
        with h5py.File(path, "w") as file:
            file["layers/dense"] = np.zeros(numbers)
    with pytest.raises(InputError, match=f"without its last layer .*{says}"):
        pretrained_cnn.build_network((4, 16, 16, 1), path)


def test_weights_that_are_cut_off_are_one_line(tmp_path):
    path = tmp_path / "cut.weights.h5"
    with h5py.File(path, "w") as file:
        file["numbers"] = np.zeros(218_544)
    with pytest.raises(InputError, match="is damaged"):
        pretrained_cnn.build_network((4, 16, 16, 1), path)


def test_random_weights_are_the_same_each_time_and_keep_the_scale():
    """Would catch a control that sees nothing: all of its features 0, or too large."""
    shapes = (3, 3, 64, 32), (3, 3, 64, 1), (32,)
    ones = [np.ones(shape, "float32") for shape in shapes]
    plain, depthwise, scale = pretrained_cnn.random_weights(ones)
    again = pretrained_cnn.random_weights(ones)
    assert all(map(np.array_equal, (plain, depthwise, scale), again))
    assert plain.std() == pytest.approx(np.sqrt(2 / (9 * 64)), rel=0.05)
    assert depthwise.std() == pytest.approx(np.sqrt(2 / 9), rel=0.1)
    assert np.array_equal(scale, np.ones(32))


@pytest.mark.slow
def test_frozen_features_are_those_of_each_frame(folder, cache, tmp_path):
    """Would catch features of another frame, and an export that forgets the CNN."""
    file = tmp_path / "mobile.weights.h5"
    cnn = keras.applications.MobileNetV2(
        (96, 96, 3), alpha=0.35, include_top=False, pooling="avg", weights=None
    )
    cnn.save_weights(file)
    made = video.Config(
        data=str(folder), models=("frozen_features", "frozen_random"), weights=file,
        results=tmp_path / "out", **OWN,
    )  # fmt: skip
    done = video.run(made)
    assert set(done.members) >= {"frozen_features", "frozen_random"}
    data = video.load_data(made)
    part = data.source.parts["test"]
    frame = part.clips(np.array([0]))[0, 2]
    found = pretrained_cnn.cached_features(part, file).clips(np.array([0]))[0, 2]
    large = keras.ops.image.resize(np.repeat(frame, 3, -1)[None] / 127.5 - 1, (96, 96))
    expected = keras.ops.convert_to_numpy(cnn(large, training=False))[0]
    np.testing.assert_allclose(found, expected, atol=2e-3)
    probabilities = done.model.predict(part.clips(np.arange(3)), verbose=0).max(axis=1)
    table = done.tables["predictions"]
    table = table[table["model"] == done.shown[0]].iloc[:3]
    assert table["probability"].tolist() == pytest.approx(probabilities, abs=2e-3)
    random = pretrained_cnn.cached_features(part, file, random=True)
    assert 0.1 < random.clips(np.arange(3)).std() < 10


# ------------------------------------------------------------------- variants


def test_a_pretrained_network_starts_where_the_digits_left_it(monkeypatch):
    """Would catch weights that are never used, or a head that is not new."""
    import keras_tuner

    monkeypatch.setattr(video, "LEARNING", 1)
    made, shape = video.Config(data="folder", digits=160), ((4, 16, 16, 3), 5)
    hp = keras_tuner.HyperParameters()
    one, other = (video.pretrained(hp, made, shape) for _ in range(2))
    learned = video._learned(made, shape)
    assert sum(map(len, learned)) == len(one.weights) - 2
    for model in (one, other):
        for weights, found in zip(sum(learned, []), model.get_weights(), strict=False):
            assert np.array_equal(found, weights)
    assert not np.array_equal(one.get_weights()[-2], other.get_weights()[-2])
    assert one.output_shape == (None, 5)


def test_what_each_variant_is_shown(folder, cache):
    """Would catch a row that is named for a change and gets none, or the reverse."""
    data = loaded(folder, change="turn")
    part = data.source.parts["train"]
    shown = {}
    for name in ("cnn_lstm", "cnn_lstm_unchanged", "cnn_lstm_shuffled"):
        dataset = data.dataset("train", Network(name, None), Order(1))
        shown[name] = next(iter(dataset))[0].numpy()
    known = {part.clips(np.array([i]))[0].tobytes() for i in range(len(part.labels))}
    assert all(clip.tobytes() in known for clip in shown["cnn_lstm_unchanged"])
    assert not any(clip.tobytes() in known for clip in shown["cnn_lstm"])
    assert not any(clip.tobytes() in known for clip in shown["cnn_lstm_shuffled"])


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
    data = loaded(own)
    assert data.facts["notes"] == [
        "left out 1 folders without a video file (noon: a.xyz)",
        "3 copies of other files, in one group with them",
        "each file is a group of its own (--group-column)",
    ]
    assert "own, 2 classes (dawn, dusk), " in data.facts["says"]
    assert sum(data.facts["clips"].values()) == 21
    groups = [group for part in data.facts["groups"].values() for group in part]
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
        loaded(own)
    notes = loaded(own, on_bad_clip="skip").facts["notes"]
    assert "skipped 1 files (is no file, or a link to none)" in notes


def test_a_class_that_cannot_be_decoded_is_named(folder, cache, tmp_path):
    own = copy_folder(folder, tmp_path / "own")
    (own / "noon").mkdir()
    (own / "noon" / "a.mp4").write_text("none")
    notes = loaded(own, on_bad_clip="skip").facts["notes"]
    assert "left out noon: no video of it can be decoded" in notes
    shutil.rmtree(own / "dusk")
    with pytest.raises(InputError, match="one class, 'dawn'; .*left out noon"):
        loaded(own, on_bad_clip="skip")


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
    data = loaded("ucf101", batch_size=2)
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
        loaded("ucf101")


# ------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--models lstm", "'lstm'.*cnn_lstm, cnn_gru"),
        ("--digits 10", "--digits is 10; it must be at least 160"),
        ("--frames 1", "--frames is 1; it must be at least 2"),
        ("--side 8", "--side is 8; it must be at least 16"),
        ("--stride 0", "--stride is 0; it must be at least 1"),
        ("--on-bad-clip ignore", "'error', 'skip'"),
        ("--change mirror", "--change mirror would make other classes"),
    ],
)
def test_a_bad_option_is_one_clear_line(arguments, said):
    with pytest.raises(InputError, match=said):
        config.parse(video.Config, video.FULL, arguments.split(), "video")
