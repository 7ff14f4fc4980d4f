"""The video experiment from end to end, on moving digits and on folders of files."""

import csv
import json
from types import SimpleNamespace

import h5py
import keras
import numpy as np
import pytest

from experiments import video
from rnn_tf import config
from rnn_tf.baselines.video import mean_differences, motion_numbers
from rnn_tf.data.order import Order
from rnn_tf.data.splits import Network
from rnn_tf.data.video import batches, moving_digits
from rnn_tf.data.video.decoding import Sampling
from rnn_tf.data.video.parts import Choice
from rnn_tf.data.video.store import Videos
from rnn_tf.errors import InputError
from rnn_tf.models import pretrained_cnn
from tests.conftest import ROOT, run_python
from tests.video_files import write_dawn_and_dusk

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_dawn_and_dusk(tmp_path_factory.mktemp("videos") / "set")


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


def test_the_options_choose_the_videos(monkeypatch):
    """Would catch groups for validation that are tested, and colours that are lost."""
    asked = []
    monkeypatch.setattr(video, "read_parts", lambda *given: asked.append(given))
    video.read_labelled(
        video.Config(
            data="films", classes=("a", "b"), group_column="day", colour="rgb",
            validation_groups=("v",), test_groups=("t",), on_bad_clip="skip", **OWN,
        )
    )  # fmt: skip
    choice = Choice(("a", "b"), "day", validation=("v",), test=("t",), skip=True)
    assert asked == [("films", choice, Sampling(4, 2, 1, 16, 3))]


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
    made, shape = video.Config(data="folder", digits=160), (4, 16, 16, 3)
    hp = keras_tuner.HyperParameters()
    one, other = (video.pretrained(hp, made, (shape, 5)) for _ in range(2))
    learned = video.digit_weights(video.CNN_LSTM, shape, 160, 1, video.BATCH)
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
