"""The generate experiment from end to end, and its command `draw`."""

import json
import shutil
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from experiments import generate
from rnn_tf import config
from rnn_tf.data.drawings import doodles
from rnn_tf.data.drawings.formats import first_drawings
from rnn_tf.errors import InputError
from rnn_tf.models import mixture_density
from rnn_tf.recipe.draw import draw
from rnn_tf.studies import drawn

pytestmark = pytest.mark.usefixtures("quick_scores")

TINY = {
    "doodles": 300,
    "models": ("lstm", "lstm_unconditional"),
    "units": 8,
    "batch_size": 16,
    "epochs": 1,
    "seeds": 1,
    "jobs": 1,
    "judge_steps": 4,
    "drawn": 2,
    "longest": 30,
    "temperatures": (0.3, 1.0),
    "studies": (),
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return generate.run(generate.Config(results=folder, **TINY))


def test_a_run_leaves_its_tables_and_pictures(done):
    info = json.loads((done.folder / "config.json").read_text())
    assert {path.name for path in done.folder.iterdir()} == {
        *("history.csv", "metrics.csv", "trials.csv", "drawn.csv", "config.json"),
        *("learning_curves.png", "drawn.png", "temperatures.png"),
        f"{info['chosen']}.keras",
    }
    assert info["data"]["classes"] == list(doodles.CLASSES)
    assert info["data"]["limit"] == 30
    assert 20 < info["data"]["scale"] < 100


def test_every_model_and_baseline_is_scored_on_the_same_drawings(done):
    """Would catch means of means: a drawing's points weigh as much as any others."""
    metrics = done.tables["metrics"]
    test = metrics[(metrics["split"] == "test") & (metrics["slice"] == "")]
    names = {*TINY["models"], "gaussian", "bigram"}
    values = {}
    for metric in ("nats", "step_nats", "pen_nats", "drawing_nats"):
        own = test[test["metric"] == metric].set_index("model")["value"]
        assert set(own.index) == names
        values[metric] = own
    assert (values["step_nats"] + values["pen_nats"]).to_dict() == pytest.approx(
        values["nats"].to_dict()
    )
    lengths = done.data.source.parts["test"].lengths
    points = (values["drawing_nats"] / values["nats"])["gaussian"]
    assert points == pytest.approx(lengths.mean() + 1)
    classes = metrics[(metrics["metric"] == "nats") & (metrics["slice"] != "")]
    assert set(classes["slice"]) == set(doodles.CLASSES)


def test_the_score_while_training_is_of_real_points_alone(done):
    """Would catch padding that counts."""
    scored = done.tables["metrics"].query(
        "model == 'lstm' and split == 'validation' and metric == 'nats' and slice == ''"
    )
    history = done.tables["history"].query("model == 'lstm'")
    assert scored["value"].item() == pytest.approx(history["score"].min(), rel=1e-4)


def test_the_saved_model_is_enough(done):
    """Would catch a model that needs the scale from elsewhere, or saves another one."""
    (path,) = done.folder.glob("*.keras")
    model = keras.saving.load_model(path, compile=False)
    drawing = done.data.source.parts["test"].drawing(7)
    label = done.data.source.parts["test"].labels[7]
    real = np.zeros((1, len(drawing) + 1, 5), "float32")
    real[0, :-1, :2], real[0, :-1, 3] = drawing[:, :2], drawing[:, 2]
    real[0, :-1, 2], real[0, -1, 4] = 1 - drawing[:, 2], 1
    before = np.concatenate([[[[0, 0, 1, 0, 0]]], real[:, :-1]], axis=1)
    outputs = model.predict_on_batch([before.astype("float32"), np.array([label])])
    real[..., :2] /= done.data.sizes.scale
    nats = keras.ops.convert_to_numpy(mixture_density.loss(real, outputs)).sum()
    network = done.members[path.stem]()
    expected = generate.predict(network, done.data, "test")[7]
    assert expected[2] == len(drawing) + 1
    assert nats == pytest.approx(expected[:2].sum(), rel=1e-4)


def test_there_is_a_row_for_each_network_and_temperature_after_one_for_people(done):
    import pandas as pd

    table = pd.read_csv(done.folder / "drawn.csv", keep_default_na=False)
    assert list(table.columns) == list(drawn.COLUMNS)
    assert (
        table["model"].tolist()
        == ["test drawings", "lstm", "lstm"] + ["lstm_unconditional"] * 2
    )
    assert table["n"].tolist() == [30, 24, 24, 24, 24]
    assert table["chosen"].astype(str).tolist()[0] == ""
    assert table["chosen"].tolist().count("1") == 2
    shares = table[["recognised", "recognised_by_other", "ended", "near_copies"]]
    assert ((shares >= 0) & (shares <= 100)).all(axis=None)
    assert table["ended"].iloc[0] == 100


# ---------------------------------------------------------------- the command


def test_it_draws_a_class_and_the_other_tools_read_it(done, tmp_path, capsys):
    """Would catch drawings that `predict` and --data refuse, and seeds not heeded."""
    out = tmp_path / "some"
    generate.config.program(
        "python -m experiments.generate",
        ["draw", *f"--model {done.folder} --class circle --n 5 --out {out}".split()],
        generate.run,
        draw=draw,
    )
    assert capsys.readouterr().out.count(f"{out}.svg and {out}.ndjson: 5 x circle") == 1
    drawings = first_drawings(tmp_path / "some.ndjson", 99)
    assert len(drawings) == 5
    sides = [
        np.ptp(np.cumsum(np.vstack([[0, 0], d[:, :2]]), axis=0), axis=0).max()
        for d in drawings
    ]
    assert sides == [255] * 5
    assert (tmp_path / "some.svg").read_text().count("<path") == 5
    first = (tmp_path / "some.ndjson").read_text()
    draw(done.folder, "circle", n=5, out=out)
    assert (tmp_path / "some.ndjson").read_text() == first
    draw(done.folder, "circle", n=5, seed=2, out=out)
    assert (tmp_path / "some.ndjson").read_text() != first
    assert {json.loads(line)["word"] for line in first.splitlines()} == {"circle"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "dog"}, "has no class 'dog' among its 12; the nearest are"),
        ({"temperature": 0.0}, "--temperature is 0; it must be above 0"),
        ({"temperature": -1.0}, "--temperature is -1; it must be above 0"),
        ({"temperature": float("nan")}, "--temperature is nan"),
        ({"n": 0}, "--n is 0; it can be 1 to 1,000"),
        ({"n": 1_001}, "--n is 1001"),
        ({"seed": -1}, "--seed is -1"),
        ({"out": "nowhere/some"}, "--out is 'nowhere/some'; name files in a folder"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    options, message, done, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    if "out" in options:
        options = options | {"out": generate.Path(options["out"])}
    with pytest.raises(InputError) as error:
        draw(**({"model": done.folder, "name": "circle"} | options))
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def copied(done, tmp_path):
    """A copy of the run's folder, to damage."""
    return shutil.copytree(done.folder, tmp_path / "run")


def refused(run, message: str, classes: tuple = doodles.CLASSES) -> None:
    with pytest.raises(InputError, match=message) as error:
        draw(run, classes[0], out=run / "out")
    assert "\n" not in str(error.value)
    assert not list(run.glob("out*"))


def test_a_class_names_no_file_elsewhere(copied, tmp_path, monkeypatch):
    """Would catch a run of somebody else's that writes where it likes."""
    info = json.loads((copied / "config.json").read_text())
    info["data"]["classes"][0] = "../a <b>\x1b"
    (copied / "config.json").write_text(json.dumps(info))
    monkeypatch.chdir(copied)
    draw(copied, "../a <b>\x1b", n=1)
    assert {path.name for path in copied.glob("_a_b_.*")} == {
        "_a_b_.svg",
        "_a_b_.ndjson",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert "\x1b" not in (copied / "_a_b_.svg").read_text()


def test_a_run_of_another_experiment_is_refused(copied):
    info = json.loads((copied / "config.json").read_text())
    info["experiment"] = "sketch"
    (copied / "config.json").write_text(json.dumps(info))
    refused(copied, "is not the folder of a finished generate run")


def test_a_damaged_run_is_refused(copied):
    """Would catch a traceback: a file cut short, no limit, another model."""
    info = json.loads((copied / "config.json").read_text())
    model = copied / f"{info['chosen']}.keras"
    whole = model.read_bytes()
    model.write_bytes(whole[: len(whole) // 2])
    refused(copied, "is not a sound model of this project")
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]).save(model)
    refused(copied, "is not a sound model of this project")
    model.write_bytes(whole)
    more = info["data"] | {"classes": [*info["data"]["classes"], "zebra"]}
    (copied / "config.json").write_text(json.dumps(info | {"data": more}))
    if info["chosen"] == "lstm":
        refused(copied, "is not a sound model of this project")
    (copied / "config.json").write_text(
        json.dumps(info | {"data": info["data"] | {"limit": "much"}})
    )
    refused(copied, "has no sound limit")


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ("vae",)}, "--models has 'vae'; known are lstm"),
        ({"temperatures": (0.5, 0.0)}, "--temperatures is 0.0; it must be above 0"),
        ({"temperatures": ()}, "--temperatures is empty"),
        ({"dropout": 1.0}, "--dropout is 1.0; it must be at least 0, and below 1"),
        ({"stretch": -0.1}, "--stretch is -0.1"),
        ({"drawn": 1}, "--drawn is 1; it must be at least 2"),
    ],
)
def test_a_bad_option_is_one_line(options, message):
    with pytest.raises(InputError) as error:
        generate.Config(**options)
    assert message in str(error.value)


def test_a_classifier_must_be_a_sketch_run_that_knows_the_classes(tmp_path):
    """Would catch a run that fails after an hour of training."""
    options = generate.Config(doodles=200, classifier=tmp_path)
    with pytest.raises(InputError, match="not the folder of a finished sketch run"):
        generate.load_data(options)
    info = {"experiment": "sketch", "chosen": "lstm", "data": {"classes": ["circle"]}}
    (tmp_path / "config.json").write_text(json.dumps(info))
    (tmp_path / "lstm.keras").touch()
    with pytest.raises(InputError, match="does not know the class 'spiral'"):
        generate.load_data(options)


def test_a_classifier_of_a_run_judges_drawings_in_their_own_unit(
    monkeypatch, tmp_path, done
):
    """Would catch drawings that are scaled twice, or names in another order."""
    seen = []

    def predict(x):
        seen.append(x)
        return np.eye(2)[[1] * len(x)]

    monkeypatch.setattr(generate.saved_model, "load_classifier", lambda *_: predict)
    monkeypatch.setattr(generate, "_train_judge", lambda *_: None)
    source = done.data.source
    own = generate.dataclasses.replace(source, judge=(("b", "a"), tmp_path))
    judges = generate.find_judges(generate.Config(**TINY), own)
    drawing = source.parts["test"].drawing(0)
    assert judges.first([drawing, drawing]).tolist() == ["a", "a"]
    assert np.array_equal(seen[0][1, : len(drawing), :2], drawing[:, :2])


def test_the_size_full_has_what_the_readme_says():
    full = config.sized(generate.Config, generate.FULL, "full")
    assert set(full.models) == set(generate.MODELS)
    assert full.units == 256
    assert full.seeds == 3


def study(what):
    """Stand in for a study: a row for each seed, and what a picture shows."""

    def rows(seeds, size, show):
        show(*what)
        yield from ({"seed": seed, "size": size} for seed in range(1, seeds + 1))

    return SimpleNamespace(COLUMNS=("seed", "size"), rows=rows)


def test_words_and_tunes_leave_rows_and_pictures(monkeypatch, tmp_path):
    """Would catch a study whose rows or picture are lost, and one not asked for."""
    scenes = np.zeros((2, 8, 8, 1)), ["a one", "a two"], ["a one", "a one"]
    notes = "walk", np.array([0]), np.array([[0, 2, 0, -1]])
    studies = {"captions": study(scenes), "tunes": study(notes)}
    monkeypatch.setattr(generate, "STUDIES", studies)
    for asked in ((), ("captions", "tunes")):
        settings = generate.Config(seeds=2, studies=asked)
        generate.make_words_and_tunes(settings, tmp_path)
        files = {path.name for path in tmp_path.iterdir()}
        assert files == {f"{name}.{end}" for name in asked for end in ("csv", "png")}
    table = (tmp_path / "tunes.csv").read_text().splitlines()
    assert table == ["seed,size", "1,quick", "2,quick"]


def test_words_and_tunes_come_with_doodles_alone_unless_asked_for():
    assert generate.Config().studies == ("captions", "summaries", "tunes")
    assert generate.Config(data="folder").studies == ()
    assert generate.Config(data="folder", studies=("tunes",)).studies == ("tunes",)
    with pytest.raises(InputError, match="captions, summaries, tunes"):
        generate.Config(studies=("songs",))
