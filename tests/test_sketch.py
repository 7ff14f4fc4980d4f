"""The sketch experiment from end to end, on doodles and on people's own files."""

import csv
import itertools
import json

import keras
import numpy as np
import pandas as pd
import pytest

from experiments import sketch
from rnn_tf import config
from rnn_tf.data.drawings import doodles, store
from rnn_tf.errors import InputError
from rnn_tf.runs import run_folder
from rnn_tf.studies import cost, course_program
from tests.conftest import ROOT, run_python

pytestmark = pytest.mark.usefixtures("quick_scores")

TINY = {
    "doodles": 300,
    "models": ("textbook", "conv_lstm"),
    "trials": 0,
    "epochs": 2,
    "seeds": 2,
    "batch_size": 16,
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """One small run on the embedded doodles."""
    folder = tmp_path_factory.mktemp("results")
    return sketch.run(sketch.Config(results=folder, **TINY))


def write_npz(path, drawings) -> None:
    """As sketch-rnn has it, 80 % for training."""
    cuts = np.split(
        np.arange(len(drawings)), [len(drawings) * 8 // 10, -(len(drawings) // 10)]
    )
    arrays = {}
    for name, cut in zip(("train", "valid", "test"), cuts, strict=True):
        arrays[name] = np.empty(len(cut), object)
        arrays[name][:] = [drawings[i] for i in cut]
    np.savez_compressed(path, **arrays)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three classes of 40 doodles each, one file per class."""
    path = tmp_path_factory.mktemp("drawings")
    drawings, labels = doodles.doodles(480)
    for label in (0, 3, 11):
        of_class = [d for d, i in zip(drawings, labels, strict=True) if i == label]
        write_npz(path / f"{doodles.CLASSES[label]}.npz", of_class)
    return path


def test_a_run_leaves_what_the_readme_promises(done):
    left = {path.name for path in done.folder.iterdir()}
    info = json.loads((done.folder / "config.json").read_text())
    assert left == {
        "config.json", "trials.csv", "history.csv", "metrics.csv", "predictions.csv",
        "confusion.png", "drawings.png", "learning_curves.png",
        "padding.csv", "cost.csv", "time_to_score.csv",
        f"{info['chosen']}.keras",
    }  # fmt: skip
    assert info["data"]["classes"] == list(doodles.CLASSES)
    assert info["data"]["drawings"] == {"train": 240, "validation": 30, "test": 30}


def test_padding_changes_nothing_for_a_model_that_minds_it(done):
    """Claim K4: the guesses of the textbook's network depend on the padding."""
    table = pd.read_csv(done.folder / "padding.csv")
    worst = table.groupby("model")["max_difference"].max()
    assert worst["conv_lstm"] < 1e-5 < worst["textbook"]
    assert table["steps"].nunique() == 4
    cost = pd.read_csv(done.folder / "cost.csv").set_index("model")
    assert cost["stride"].to_dict() == {"textbook": 8, "conv_lstm": 4}
    waits = pd.read_csv(done.folder / "time_to_score.csv")
    assert (waits[waits["model"] == "textbook"]["speedup"] == 1).all()


def test_errors_can_be_worked_out_again_from_the_predictions(done):
    """Would catch drawings that are evaluated in another order than their labels."""
    frame, metrics = done.tables["predictions"], done.tables["metrics"]
    wrong = 100.0 * (frame["target"] != frame["prediction"])
    again = wrong.groupby([frame["model"], frame["seed"]]).mean()
    found = metrics[(metrics["split"] == "test") & (metrics["metric"] == "error")]
    found = found[found["slice"] == ""].set_index(["model", "seed"])["value"]
    assert set(found.index) == set(again.index)
    for key, value in found.items():
        assert again[key] == pytest.approx(value)


def test_the_targets_are_those_of_the_drawings(done):
    """Would catch labels that have slipped: each drawing is known by its length."""
    drawings, labels = doodles.doodles(300)
    test = [(len(drawings[i]), doodles.CLASSES[labels[i]]) for i in range(270, 300)]
    frame = done.tables["predictions"]
    frame = frame[frame["model"] == "majority"].sort_values("example")
    in_order = sorted(test, key=lambda pair: pair[0])
    assert frame["target"].tolist() == [name for _, name in in_order]


def test_predictions_labels_and_drawings_have_one_order(done):
    """Would catch an order that every reader of the predictions has to know."""
    data = sketch.load_data(sketch.Config(**TINY))
    part = data.source.parts["test"]
    batch = next(iter(data.dataset("test", keras.Sequential(name="any"))))
    frame = done.tables["predictions"]
    for name in ("bag_of_points", "conv_lstm"):
        rows = frame[frame["model"] == name].drop_duplicates("example")
        assert rows["example"].tolist() == list(range(30))
        targets = [doodles.CLASSES[label] for label in part.labels]
        assert rows["target"].tolist() == targets
    assert data.source.labels("test").tolist() == part.labels.tolist()
    assert batch[1].numpy().tolist() == part.labels.tolist()
    points = [len(part.drawing(number)) for number in range(30)]
    assert (batch[0].numpy()[..., 4] == 0).sum(axis=1).tolist() == points


def test_per_class_errors_average_to_the_error(done):
    metrics = done.tables["metrics"]
    rows = metrics[(metrics["model"] == "conv_lstm") & (metrics["split"] == "test")]
    rows = rows[(rows["metric"] == "error") & (rows["seed"] == 1)]
    overall = rows[rows["slice"] == ""]["value"].item()
    parts = rows[rows["slice"] != ""]
    assert set(parts["slice"]) <= set(doodles.CLASSES)
    assert parts["n"].sum() == 30
    assert np.average(parts["value"], weights=parts["n"]) == pytest.approx(overall)


def test_guesses_are_the_likeliest_three(done):
    frame = done.tables["predictions"]
    frame = frame[frame["model"] == "conv_lstm"]
    assert (frame["prediction"] != frame["second"]).all()
    assert (frame["second"] != frame["third"]).all()
    assert frame["probability"].between(1 / 12, 1).all()


def test_the_saved_model_reads_drawings_as_they_are_in_files(done):
    info = json.loads((done.folder / "config.json").read_text())
    path = done.folder / f"{info['chosen']}.keras"
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    drawings, _ = doodles.doodles(300)
    shortest = min(drawings[270:], key=len)
    part = store.pack([shortest], [0])
    found = model.predict(part.stroke5(np.array([0]), 24, 1.0), verbose=0)
    frame = done.tables["predictions"]
    row = frame[(frame["model"] == info["chosen"]) & (frame["example"] == 0)].iloc[0]
    assert doodles.CLASSES[found[0].argmax()] == row["prediction"]
    assert found[0].max() == pytest.approx(row["probability"], abs=1e-4)


@pytest.mark.long  # the forecast's is not
def test_the_same_seed_gives_the_same_csv(done, tmp_path):
    again = sketch.run(sketch.Config(results=tmp_path, **TINY))
    for name in ("metrics.csv", "predictions.csv"):
        before, after = (d.folder / name for d in (done, again))
        assert before.read_bytes() == after.read_bytes(), name


def test_columns_are_those_of_the_readme_of_results(done):
    text = (ROOT / "results" / "README.md").read_text()
    with (done.folder / "predictions.csv").open(newline="") as file:
        columns = next(csv.reader(file))
    assert set(columns) - set(run_folder.PREDICTIONS) == {
        "probability",
        "second",
        "third",
    }
    tables = cost.PADDING, cost.COST, cost.TIME_TO_SCORE, course_program.AS_GIVEN
    for column in itertools.chain(columns, *tables):
        assert f"`{column}`" in text, f"results/README.md lacks `{column}`"


# ------------------------------------------------------------------- own drawings


def test_a_folder_of_files_runs_and_is_converted_once(folder, cache, tmp_path):
    options = TINY | {"models": ("lstm",), "seeds": 1, "epochs": 1}
    made = sketch.Config(data=str(folder), results=tmp_path / "results", **options)
    info = json.loads((sketch.run(made).folder / "config.json").read_text())
    assert info["data"]["classes"] == ["circle", "hourglass", "wave"]
    assert info["data"]["drawings"] == {"train": 96, "validation": 12, "test": 12}
    (store,) = cache.iterdir()
    written = [(path.name, path.stat().st_mtime_ns) for path in sorted(store.iterdir())]
    sketch.load_data(made)
    assert [(p.name, p.stat().st_mtime_ns) for p in sorted(store.iterdir())] == written


def test_a_changed_file_is_converted_again(folder, cache, tmp_path):
    """Would catch a cache that is known by the name of its folder."""
    own = tmp_path / "own"
    own.mkdir()
    for path in folder.iterdir():
        (own / path.name).write_bytes(path.read_bytes())
    before = sketch.load_data(sketch.Config(data=str(own))).facts["sha256"]
    write_npz(own / "wave.npz", doodles.doodles(40, seed=5)[0])
    assert sketch.load_data(sketch.Config(data=str(own))).facts["sha256"] != before
    assert len(list(cache.iterdir())) == 2


def test_bad_drawings_are_an_error_or_counted(folder, cache, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "wave.npz").write_bytes((folder / "wave.npz").read_bytes())
    good, _ = doodles.doodles(40)
    write_npz(own / "odd.npz", [*good[:5], np.zeros((4, 2), "int16"), *good[6:]])
    with pytest.raises(InputError, match=r"odd\.npz, train, drawing 5: shape is not"):
        sketch.load_data(sketch.Config(data=str(own)))
    assert not list(cache.iterdir())
    data = sketch.load_data(sketch.Config(data=str(own), on_bad_drawing="skip"))
    assert data.facts["notes"] == ["skipped 1 drawings (shape is not (points, 3))"]
    assert "skipped 1 drawings" in data.facts["says"]


def test_unrecognized_drawings_are_counted_and_known_apart(cache, tmp_path):
    """Would catch a cache that gives drawings which the user has left out."""
    for name in ("line", "wave"):
        lines = [
            json.dumps(
                {
                    "drawing": [[[0, i], [0, 255]]],
                    "recognized": i % 10 > 0,
                    "word": name,
                }
            )
            for i in range(200)
        ]
        (tmp_path / f"{name}.ndjson").write_text("\n".join(lines))
    keep = sketch.load_data(sketch.Config(data=str(tmp_path))).facts
    options = {"data": str(tmp_path), "unrecognized": "skip"}
    skip, again = (sketch.load_data(sketch.Config(**options)).facts for _ in range(2))
    assert sum(keep["drawings"].values()) == 400
    assert sum(skip["drawings"].values()) == 360
    assert keep["unrecognized"] == skip["unrecognized"] == 40
    assert "40 drawings were not recognized by the game, and are kept" in keep["says"]
    assert "skipped 40 drawings (not recognized by the game)" in skip["says"]
    assert again == skip
    assert keep["sha256"] != skip["sha256"]
    assert any("left out cache" in note for note in skip["notes"])


def test_a_class_without_a_test_drawing_is_named(folder, cache, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "wave.npz").write_bytes((folder / "wave.npz").read_bytes())
    line = json.dumps({"drawing": [[[0, 255], [0, 255]]], "key_id": "1"})
    (own / "line.ndjson").write_text(line)
    with pytest.raises(InputError, match="the class 'line' has no drawing for"):
        sketch.load_data(sketch.Config(data=str(own)))


# ------------------------------------------------------------------- predict


@pytest.mark.slow
def test_predict_says_what_is_drawn_in_a_file(done, folder):
    command = "-m", "experiments.sketch", "predict", "--model", done.folder
    found = run_python(*command, folder / "wave.npz", "--limit", 3)
    assert found.returncode == 0, found.stderr
    assert found.stderr == ""
    assert "best guess" in found.stdout
    assert sum("%" in line for line in found.stdout.splitlines()) == 3
    bad = run_python(*command, ROOT / "README.md")
    assert bad.returncode == 2
    assert "does not end in .npz or .ndjson" in bad.stderr
    lost = run_python(*command[:4], ROOT, folder / "wave.npz")
    assert lost.returncode == 2
    assert "is not the folder of a finished sketch run" in lost.stderr
    assert len(lost.stderr.splitlines()) == 1


# ------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--models", "--models is empty; give at least one"),
        ("--models gru", "'gru'.*answer, textbook, conv_lstm, conv_bilstm"),
        ("--doodles 10", "--doodles is 10; it must be at least 200"),
        ("--longest 3", "--longest is 3; it must be at least 8"),
        ("--on-bad-drawing ignore", "'error', 'skip'"),
    ],
)
def test_a_bad_option_is_one_clear_line(arguments, said):
    with pytest.raises(InputError, match=said):
        config.parse(sketch.Config, sketch.FULL, arguments.split(), "sketch")


def test_a_folder_that_is_not_there_leaves_no_run_folder(tmp_path):
    made = sketch.Config(data="absent", results=tmp_path / "results", **TINY)
    with pytest.raises(InputError, match="'absent', but there is no such"):
        sketch.run(made)
    assert not list((tmp_path / "results").rglob("*"))
