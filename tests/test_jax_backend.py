"""The same experiments on Keras's JAX engine, as real processes, on the CPU.

The runs are smaller than quick, and XLA optimises nothing: most of their time goes into
compiling.
"""

import functools
import importlib.util
import json
import shlex
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest

from experiments import (
    forecast,
    generate,
    gradients,
    language,
    lengths,
    sketch,
    stacked,
    translate,
    video,
)
from rnn_tf import config
from rnn_tf.config import RunConfig
from rnn_tf.data.splits import Network
from rnn_tf.devices import backend, strategy
from rnn_tf.errors import InputError
from rnn_tf.recipe import predict
from rnn_tf.studies import layer_shapes
from tests import model_harness, test_models
from tests.conftest import grey_frames, run_python, write_video
from tests.test_docs import make

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed: make jax"
)

ON_JAX = {
    "KERAS_BACKEND": "jax",
    "XLA_FLAGS": "--xla_backend_optimization_level=0",
}
EXPERIMENTS = {
    "forecast": forecast,
    "stacked": stacked,
    "gradients": gradients,
    "lengths": lengths,
    "language": language,
    "translate": translate,
    "sketch": sketch,
    "generate": generate,
    "video": video,
}
IN_CI = [
    pytest.param(name, marks=[pytest.mark.long] * (name != "forecast"))
    for name in EXPERIMENTS
]
# These have a row for each test example, to compare with.
WITHOUT = "gradients", "lengths", "language", "translate", "generate"
WITH_PREDICTIONS = [p for p in IN_CI if p.values[0] not in WITHOUT]
SMALL = {
    "forecast": "--models gru --trials 1 --trial-epochs 1 --epochs 2 --seeds 2 "
    "--lookback 28 --no-classical",
    "stacked": "--data adding --cells lstm --lengths 10 --epochs 2 --seeds 1 "
    "--examples 200",
    "gradients": "--data recall --cells gru --distances 5 --remedies none batch_inside "
    "--remedy-distance 2 --epochs 2 --seeds 1 --stories 200",
    "lengths": "--epochs 2 --seeds 1 --examples 200 --rows 32 --steps 3 6 --rounds 1",
    "language": "--models gru conv --sentences 500 --units 8 --epochs 2 --seeds 1 "
    "--batch-size 4 --spoken 9",
    "translate": "--models attention --examples 200 --units 8 --epochs 2 --seeds 1",
    # Two devices, and 33 drawings for validation: batches of 32 and of 1.
    "sketch": "--models answer --doodles 330 --longest 24 --epochs 2 --seeds 1 "
    "--strategy mirrored --replicas 2",
    "generate": "--models lstm gru --doodles 250 --longest 24 --units 8 --epochs 2 "
    "--seeds 1 --judge-steps 4 --drawn 2 --temperatures 0.5 --studies",
    "video": "--models cnn_lstm --digits 160 --epochs 2 --seeds 1",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run an experiment on JAX; gives its folder. Each is run once."""

    @functools.cache
    def once(name: str) -> Path:
        results = tmp_path_factory.mktemp("jax")
        environment = [f"{key}={value}" for key, value in ON_JAX.items()]
        options = f"ARGS={SMALL[name]} --results {results}"
        done = make("VENV=", name, *environment, options)
        lines = done.stderr.splitlines()  # studies that only TensorFlow can do
        rest = [line for line in lines if not line.startswith("left out: ")]
        assert (done.returncode, rest) == (0, [])
        assert not lines or name == "gradients"
        (folder,) = (results / name).iterdir()
        return folder

    return once


def read(folder: Path, table: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{table}.csv", keep_default_na=False, na_values=[""])


# ------------------------------------------------------------------- runs


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_CI)
def test_an_experiment_runs_on_jax(name, run):
    info = json.loads((run(name) / "config.json").read_text())
    assert info["status"] == "complete"
    assert info["devices"]["engine"] == "jax"
    assert info["versions"]["jax"] == metadata.version("jax")
    two = ("mirrored", ["cpu:0", "cpu:1"])
    found = (info["devices"]["strategy"], info["devices"]["names"])
    assert found == (two if name == "sketch" else ("cpu", ["cpu:0"]))
    trials = read(run(name), "trials")
    assert set(trials["status"]) == {"completed"}
    assert np.isfinite(read(run(name), "metrics")["value"]).all()


@pytest.mark.slow
@pytest.mark.long
def test_small_tasks_run_on_jax(tmp_path):
    """Would catch what a small network takes from TensorFlow alone."""
    environment = [f"{key}={value}" for key, value in ON_JAX.items()]
    options = f"ARGS=--tasks parity names first_state --seeds 1 --results {tmp_path}"
    done = make("VENV=", "modes", *environment, options)
    assert (done.returncode, done.stderr) == (0, "")
    (folder,) = (tmp_path / "modes").iterdir()
    info = json.loads((folder / "config.json").read_text())
    assert (info["status"], info["devices"]["engine"]) == ("complete", "jax")
    assert np.isfinite(read(folder, "modes")["value"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_PREDICTIONS)
def test_a_model_saved_on_jax_gives_the_same_on_tensorflow(name, run):
    """Would catch a layer that one engine computes differently."""
    assert keras.config.backend() == "tensorflow"
    folder = run(name)
    chosen = json.loads((folder / "config.json").read_text())["chosen"]
    model = keras.saving.load_model(folder / f"{chosen}.keras", compile=False)
    on_tensorflow = np.concatenate(
        [model.predict(x, verbose=0) for x in unseen(name, chosen, model)]
    )
    rows = read(folder, "predictions")
    differences = [
        difference(one, on_tensorflow)
        for _, one in rows[rows["model"] == chosen].groupby("seed", dropna=False)
    ]
    assert min(differences) < 1e-5  # of several seeds the best one is saved


@pytest.mark.long
def test_a_language_model_saved_on_jax_costs_the_same_bits_on_tensorflow(run):
    """Would catch tokens, a state or a softmax that one engine computes differently.

    The saved model reads the test text in one pass, the run did so by streams.
    """
    folder = run("language")
    chosen = json.loads((folder / "config.json").read_text())["chosen"]
    model = keras.saving.load_model(folder / f"{chosen}.keras", compile=False)
    options = shlex.split(SMALL["language"])
    options = config.parse(language.Config, language.FULL, options, "language")
    data = language.load_data(options)
    tokens = np.asarray(data.source.parts["test"].tokens).astype("int32")
    context = 2 * (1 + 2 + 4 + 8) if chosen == "conv" else 0
    x = np.concatenate([np.zeros(1 + context, "int32"), tokens[:-1]])
    p = np.asarray(model.predict_on_batch(x[None]))[0][np.arange(len(tokens)), tokens]
    rows = read(folder, "metrics")
    rows = rows[(rows["model"] == chosen) & (rows["split"] == "test")]
    (bits,) = rows[(rows["metric"] == "bits") & rows["slice"].isna()]["value"]
    found = language.evaluate(data, "test", p).errors.mean()
    assert found == pytest.approx(bits, rel=1e-4)


def unseen(name: str, chosen: str, model):
    """The batches of the test set, in the unit of files."""
    module = EXPERIMENTS[name]
    options = config.parse(module.Config, module.FULL, shlex.split(SMALL[name]), name)
    data = module.load_data(options)
    network = Network(chosen, model)
    for x, *_ in data.dataset("test", network).as_numpy_iterator():
        if name == "sketch":
            scale = data.source.padding.scale
            yield x * np.array([scale, scale, 1, 1, 1], "float32")
        elif name == "forecast":
            cut = data.source
            level, spread = cut.levels[cut.origins["test"]].T[..., None, None]
            yield (x * spread + level).astype("float32")
        else:
            yield x if name == "video" else x * data.source.scale


def difference(rows: pd.DataFrame, outputs: np.ndarray) -> float:
    """The largest between predictions in a table and a model's outputs, relative."""
    if "probability" in rows:
        return np.abs(rows["probability"].to_numpy() - outputs.max(axis=1)).max()
    found = rows["prediction"].to_numpy(float)
    return np.abs(found / outputs.ravel() - 1).max()


@pytest.mark.long
def test_two_devices_count_every_example_once_in_validation(run):
    """The last batch does not divide: it must be neither lost nor padded."""
    best = read(run("sketch"), "history")["score"].min()
    rows = read(run("sketch"), "metrics")
    rows = rows[(rows["model"] == "answer") & (rows["split"] == "validation")]
    (error,) = rows[(rows["metric"] == "error") & rows["slice"].isna()]["value"]
    assert error == pytest.approx(100 * best, rel=1e-5)


@pytest.mark.long
def test_what_is_tensorflows_is_left_out(run):
    """The course's program for SketchRNN, whose errors are TensorFlow's."""
    assert (run("sketch") / "padding.csv").is_file()
    assert not (run("sketch") / "as_given.csv").exists()


@pytest.mark.long
def test_a_run_on_jax_says_on_either_engine_what_a_film_shows(run, tmp_path, capsys):
    film = write_video(tmp_path / "film.avi", grey_frames(48))
    options = ["predict", film, "--model", run("video")]
    done = run_python("-m", "experiments.video", *options, env=ON_JAX)
    assert (done.returncode, done.stderr) == (0, "")
    predict.predict_videos((film,), run("video"))
    assert capsys.readouterr().out.split() == done.stdout.split()


# ------------------------------------------------------------------- training

CASES = {
    "year_gru": test_models.case,
    "lstm_2_seq2seq": test_models.stacked_case,
    "lstm_bias_5_6": test_models.gradients_case,
    "conv_bilstm": test_models.sketch_case,
    "cnn_lstm_differences": test_models.video_case,
}


def write_trained(folder: Path) -> None:
    """Write what a process on JAX computes, beside the weights at the start."""
    two = strategy.start(RunConfig(strategy="mirrored", replicas=2))
    one = strategy.start(RunConfig(strategy="cpu"))
    assert (one.engine, one.replicas, two.replicas) == ("jax", 1, 2)
    for name, case in CASES.items():
        with np.load(folder / f"{name}.npz") as start:
            weights = list(start.values())
        for count, devices in (("one", one), ("two", two)):
            found = model_harness.trained(case(name), devices, weights)
            np.savez(folder / f"{name}-{count}.npz", *found)
    (folder / "anatomy.json").write_text(json.dumps(anatomy_rows()))
    (folder / "refused.json").write_text(json.dumps([refused(n) for n in REFUSED]))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with weights before training and after it, on JAX."""
    folder = tmp_path_factory.mktemp("trained")
    for name, case in CASES.items():
        np.savez(folder / f"{name}.npz", *case(name).model().get_weights())
    code = "import pathlib, sys; from tests import test_jax_backend; "
    code += "test_jax_backend.write_trained(pathlib.Path(sys.argv[1]))"
    done = run_python("-c", code, folder, env=ON_JAX)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.long
@pytest.mark.parametrize("count", ["one", "two"])
@pytest.mark.parametrize("name", CASES)
def test_training_on_jax_ends_on_the_weights_of_tensorflow(name, count, trained):
    """On one device and on two; would catch a gradient that is summed over devices."""
    before, after = (
        list(np.load(trained / f"{name}{end}.npz").values())
        for end in ("", f"-{count}")
    )
    devices = strategy.start(RunConfig(strategy="cpu"))
    model_harness.assert_close(
        after, model_harness.trained(CASES[name](name), devices, before)
    )


# ------------------------------------------------------------------- anatomy

COLUMNS = "return_sequences builds outputs head trains_on_7 trains_on_1".split()


def anatomy_rows() -> dict:
    """What Keras itself answers, without any experiment."""
    stacks = [(True,), (False,), (True, False), (False, False)]
    shape = (layer_shapes.BATCH, layer_shapes.STEPS, layer_shapes.FEATURES)
    shapes = [layer_shapes._shape_row("GRU", stack, shape) for stack in stacks]
    x = np.ones((6, 10, 1), "float32")
    models = {"mlp": stacked.mlp_of(10, 4), "gru": recurrent()}
    lengths = layer_shapes.length_rows(
        models, {n: (x[:, :n], x[:, 0, 0]) for n in (5, 10)}
    )
    quiz = layer_shapes.quiz_rows()
    return {
        "shapes": [{k: row[k] for k in COLUMNS if k in row} for row in shapes],
        "lengths": [[row["model"], row["length"], row["runs"]] for row in lengths],
        "quiz": [[row["part"], row["parameters"]] for row in quiz],
        "formula": quiz[-1]["max_difference"] < 1e-5,
    }


def recurrent():
    """A model of any length."""
    inputs = keras.Input((None, 1))
    return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.GRU(4)(inputs)))


@pytest.mark.long
def test_what_layers_take_and_give_is_keras_answer_not_tensorflows(trained):
    """Would catch a table of shapes, or of lengths, that holds for one engine alone."""
    on_jax = json.loads((trained / "anatomy.json").read_text())
    assert on_jax == anatomy_rows()
    assert [row["builds"] for row in on_jax["shapes"]] == [True, True, True, False]
    assert [runs for *_, runs in on_jax["lengths"]] == [False, True, True, True]


@pytest.mark.long
def test_what_makes_training_fast_is_the_same_on_jax():
    """Would catch a gradient by hand, or an epoch as one program, of TensorFlow's."""
    names = "rnn_kernels", "dropout", "compiled_epoch"
    files = [f"tests/test_{name}.py" for name in names]
    done = run_python("-m", "pytest", "-q", *files, env=ON_JAX)
    assert done.returncode == 0, done.stdout


# ------------------------------------------------------------------- errors


def test_an_engine_that_is_not_known_is_one_line_and_leaves_nothing(tmp_path):
    options = "-m", "experiments.forecast", "--results", tmp_path
    done = run_python(*options, env={"KERAS_BACKEND": "torch"})
    message = "error: KERAS_BACKEND is 'torch'; it can be tensorflow or jax\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)
    assert not list(tmp_path.iterdir())


def test_jax_that_is_not_installed_names_the_file_that_installs_it(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install -r requirements-jax.txt"):
        backend.requested()


def test_keras_that_runs_on_another_engine_already_needs_a_restart(monkeypatch):
    """In a notebook, say."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(InputError, match="runs on tensorflow already; restart Python"):
        strategy.start(RunConfig())


@pytest.mark.parametrize(
    ("platform", "count", "options", "expected"),
    [
        ("cpu", 1, {}, ("cpu", 1)),
        ("gpu", 1, {}, ("gpu", 1)),
        ("gpu", 4, {}, ("gpu", 1)),
        ("gpu", 4, {"replicas": 2}, ("mirrored", 2)),
        ("gpu", 4, {"strategy": "gpu"}, ("gpu", 1)),
        ("gpu", 4, {"strategy": "mirrored"}, ("mirrored", 4)),
        ("gpu", 4, {"strategy": "mirrored", "replicas": 3}, ("mirrored", 3)),
        ("cpu", 2, {"strategy": "mirrored"}, ("mirrored", 2)),
        ("tpu", 8, {}, ("tpu", 8)),
        ("tpu", 1, {}, ("tpu", 1)),
        ("tpu", 8, {"strategy": "mirrored", "replicas": 4}, ("mirrored", 4)),
    ],
)
def test_which_devices_are_taken(monkeypatch, platform, count, options, expected):
    """Would catch GPUs that auto leaves idle. JAX is told that it has them."""
    import jax

    from rnn_tf.devices import jax_backend

    devices = [SimpleNamespace(platform=platform, id=i) for i in range(count)]
    monkeypatch.setattr(jax, "devices", lambda kind=None: devices)
    name, replicas = jax_backend.start(RunConfig(**options))
    assert (name, replicas.num_replicas_in_sync) == expected
    assert replicas.devices[-1] == f"{platform}:{expected[1] - 1}"


REFUSED = {
    "gpu": "--strategy gpu, but JAX has no such device",
    "tpu": "--strategy tpu, but JAX has no such device",
    "mirrored": "--replicas 3, but JAX sees 2 CPUs; restart Python to have more",
}


def refused(name: str) -> str:
    """Return the error of a strategy that is not available."""
    with pytest.raises(InputError) as error:
        strategy.start(RunConfig(strategy=name, replicas=3))
    return str(error.value)


@pytest.mark.long
def test_devices_that_are_not_there_are_one_line(trained):
    found = json.loads((trained / "refused.json").read_text())
    for line, message in zip(found, REFUSED.values(), strict=True):
        assert line.startswith(message)
        assert "\n" not in line
        assert len(line) < 300


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gpu", "error: --strategy gpu, but JAX has no such device"),
        ("multiworker", "error: --strategy multiworker is TensorFlow's; with KERAS_BA"),
    ],
)
def test_a_run_that_cannot_be_leaves_nothing(name, message, tmp_path):
    options = "-m", "experiments.forecast", "--strategy", name, "--results", tmp_path
    done = run_python(*options, env=ON_JAX)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
