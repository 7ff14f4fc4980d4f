"""A killed run goes on, and ends with the numbers of a run that was never killed."""

import contextlib
import csv
import dataclasses
import json
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import keras_tuner
import numpy as np
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
from rnn_tf.config import from_json, parse, to_json
from rnn_tf.devices import strategy
from rnn_tf.errors import InputError
from rnn_tf.recipe import checkpoint, fit, training
from rnn_tf.recipe.checkpoint import Checkpoint
from rnn_tf.recipe.experiment import Context
from rnn_tf.runs import run_folder
from tests.conftest import ROOT, run_python
from tests.drawing_files import attacks
from tests.fuzz import assert_sturdy
from tests.test_multiworker import pair, until

# ---------------------------------------------------------------- one fit

# Dropout, augmentation, several passes, batches of several lengths: whatever draws
# random numbers in training.
FITS = [
    (forecast, forecast.Config(), "weekly_gru"),
    (stacked, stacked.Config(data=("sines",), examples=200), "gru_1_seq2seq"),
    (sketch, sketch.Config(doodles=200, longest=60), "conv_bilstm"),
    (video, video.Config(digits=160, change="move"), "cnn_gru"),
]
EPOCHS = 4


class Killed(BaseException):
    """Stands for a kill where a test stays in one process."""


def context_of(module, config) -> Context:
    """Make the context of a run of an experiment."""
    data = module.load_data(config)
    return Context(module.experiment(config), config, strategy.start(config), data)


@dataclasses.dataclass
class Kept:
    """A file in memory, as the run's process keeps it."""

    data: bytes | None = None

    def checkpoint(self) -> Checkpoint:
        """Go on from what was kept last."""
        saved = checkpoint.unpack(self.data) if self.data else None
        return Checkpoint(saved, lambda data: setattr(self, "data", data))


def fitted(context, name, kept=None, at=None):
    """Train afresh; in epoch `at`, be killed."""

    def hook(epoch, best):
        if epoch == at:
            raise Killed
        return False

    keras.utils.set_random_seed(2)
    network = fit.build(context, name, keras_tuner.HyperParameters(), EPOCHS)
    fit.optimizer_state(context, network.model)
    done = fit.fit(context, network, 2, EPOCHS, hook, kept)
    return done, network.model.get_weights()


def without_seconds(history) -> list[dict]:
    return [row | {"seconds": 0} for row in history]


@pytest.mark.parametrize(
    ("devices", "module", "config", "name"),
    [("cpu", *fit) for fit in FITS]
    + [pytest.param("mirrored", *FITS[0], marks=pytest.mark.long)],
)
def test_a_fit_goes_on_from_its_last_epoch(monkeypatch, devices, module, config, name):
    """Would catch what is not brought back: optimizer, dropout's counter, the order of
    the examples, early stopping, the best weights, the history."""
    monkeypatch.setattr(checkpoint, "SHARE", 1e9)  # every epoch is kept
    context = context_of(module, dataclasses.replace(config, strategy=devices))
    whole, weights = fitted(context, name)
    kept = Kept()
    with pytest.raises(Killed):
        fitted(context, name, kept.checkpoint(), at=3)
    assert len(kept.checkpoint().saved[1]["history"]) == 2
    again, same = fitted(context, name, kept.checkpoint())
    assert without_seconds(again.history) == without_seconds(whole.history)
    for one, other in zip(weights, same, strict=True):
        np.testing.assert_array_equal(one, other)


def test_patience_goes_on_too(monkeypatch):
    """Would catch a count of epochs without a better score that begins again."""
    monkeypatch.setattr(checkpoint, "SHARE", 1e9)
    context = context_of(forecast, forecast.Config(patience=2))

    def never_better(hp, config, steps):
        score = keras.metrics.MeanMetricWrapper(lambda y, p: [0.0], name="score")
        return {"optimizer": "sgd", "loss": "mse", "metrics": [score]}

    experiment = dataclasses.replace(context.experiment, compile_arguments=never_better)
    context = dataclasses.replace(context, experiment=experiment)
    whole, _ = fitted(context, "mlp")
    kept = Kept()
    with pytest.raises(Killed):
        fitted(context, "mlp", kept.checkpoint(), at=3)
    again, _ = fitted(context, "mlp", kept.checkpoint())
    assert len(whole.history) == len(again.history) == 3


def test_a_checkpoint_takes_a_small_share_of_the_time():
    """Would catch epochs of milliseconds that wait for the disk."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    stop_early = keras.callbacks.EarlyStopping("loss")
    stop_early.set_model(model)
    stop_early.on_train_begin()
    kept = Kept()
    once = kept.checkpoint()
    once.save(stop_early, [{"epoch": 1}])
    once.save(stop_early, [{"epoch": 1}, {"epoch": 2}])
    assert len(kept.checkpoint().saved[1]["history"]) == 1


def test_what_is_packed_is_what_comes_out():
    arrays = {"weights": [np.arange(3.0), np.ones((2, 2), "float32")], "none": []}
    facts = {"score": 1 / 3, "rows": [{"loss": float("inf")}], "said": "größer"}
    found, said = checkpoint.unpack(checkpoint.pack(arrays, facts))
    assert list(found) == ["weights"]
    for one, other in zip(found["weights"], arrays["weights"], strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    assert said == facts


# ---------------------------------------------------------------- a whole run

RUN = (
    "--data adding --cells gru --depths 1 --lengths 25 --examples 400 --seeds 2 "
    "--trials 3 --trial-epochs 2 --epochs 6"
).split()
TABLES = "trials", "history", "metrics", "predictions"


def start(folder: Path, *arguments) -> subprocess.Popen:
    """A run in a process of its own."""
    command = [sys.executable, "-m", "experiments.stacked", *arguments]
    return subprocess.Popen(
        [*command, "--results", str(folder)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def folder_of(root: Path) -> Path:
    (found,) = (root / "stacked").iterdir()
    return found


def rows_of(folder: Path, table: str) -> list[dict]:
    """The rows of a table, without what a clock said."""
    with (folder / f"{table}.csv").open(newline="") as file:
        return [{**row, "seconds": ""} for row in csv.DictReader(file)]


def seen(folder: Path) -> set:
    """The files of a run and when they changed."""
    if not folder.is_dir():
        return set()
    found = set()
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # it has just been renamed
            found.add((path.name, path.stat().st_mtime_ns))
    return found


def kill_while_it_works(process, root: Path, random) -> None:
    """Kill -9 soon after some file of the run has changed, or while it does."""
    before, changes = seen(root), random.randint(1, 9)
    while process.poll() is None and changes:
        now = seen(root)
        changes -= now != before
        before = now
        time.sleep(0.0005)
    time.sleep(random.choice([0, 0.001, 0.01, 0.1]))
    process.send_signal(signal.SIGKILL)
    process.wait()


def run_and_kill(folder: Path, moments, kills: int) -> int:
    """A run that is killed at most so often and goes on; how often it was."""
    options = RUN
    for killed in range(kills):
        process = start(folder, *options)
        kill_while_it_works(process, folder, moments)
        if process.returncode == 0:
            return killed
        assert process.returncode == -signal.SIGKILL, process.stderr.read()
        if list(folder.glob("stacked/*/config.json")):
            options = ["--resume", folder_of(folder).name]
        else:  # it had hardly begun
            shutil.rmtree(folder, ignore_errors=True)
    process = start(folder, *options)
    assert process.wait(300) == 0, process.stderr.read()
    return kills


@pytest.mark.long
def test_kill_9_at_ten_moments_changes_no_number_and_no_row(tmp_path):
    """Would catch a trial that runs twice, a row that is lost or doubled, a file that
    is half there, and whatever makes the second half of a run another one."""
    process = start(tmp_path / "whole", *RUN)
    assert process.wait(300) == 0, process.stderr.read()
    whole = folder_of(tmp_path / "whole")
    moments, kills = random.Random(7), 0
    while kills < 10:
        root = tmp_path / f"killed-after-{kills}"
        kills += run_and_kill(root, moments, 10 - kills)
        check_equal(whole, folder_of(root))
        check_equal_summaries(tmp_path / "whole", root)


@pytest.mark.slow
def test_two_runs_at_once_do_not_disturb_each_other(tmp_path):
    """Would catch a folder, or a summary, that one run takes from the other."""
    options = [*RUN, "--trials", "0", "--seeds", "1"]
    processes = [start(tmp_path, *options) for _ in range(2)]
    for process in processes:
        assert process.wait(300) == 0, process.stderr.read()
    one, other = (tmp_path / "stacked").iterdir()
    check_equal(one, other)
    with (tmp_path / "summary.csv").open(newline="") as file:
        rows = [(row["run"], row["status"]) for row in csv.DictReader(file)]
    assert sorted(rows) == sorted(
        (p.name, "complete") for p in (one, other) for _ in "ab"
    )


@pytest.mark.long
@pytest.mark.timeout(600)
def test_two_workers_of_which_one_was_killed_go_on(tmp_path):
    """Would catch workers that go on from different epochs, or one that begins anew."""
    run = ["experiments.stacked", "--strategy", "multiworker", *RUN]
    run += "--trials 1 --seeds 1 --epochs 30 --patience 30".split()
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    with pair(tmp_path / "a", *run, "--results", whole) as workers:
        assert [worker.wait(300) for worker in workers] == [0, 0]
    with pair(tmp_path / "b", *run, "--results", killed) as workers:
        until(lambda: list(killed.glob("stacked/*/state/gru_25-1.epoch.npz")))
        workers[1].kill()
        assert workers[0].wait(60) == 1
    folder = folder_of(killed)
    assert 0 < epochs_kept(folder) < 30
    again = ["--resume", folder.name, "--results", killed]
    with pair(tmp_path / "c", *run[:3], *again) as workers:
        assert [worker.wait(300) for worker in workers] == [0, 0]
    check_equal(folder_of(whole), folder)


def epochs_kept(folder: Path) -> int:
    """Of the first final run."""
    return len(
        checkpoint.unpack((folder / "state/gru_25-1.epoch.npz").read_bytes())[1][
            "history"
        ]
    )


def check_equal(whole: Path, killed: Path) -> None:
    """Of two run folders, all but what clocks and folders are called."""
    for table in TABLES:
        assert rows_of(killed, table) == rows_of(whole, table), table
    names = [{path.name for path in one.iterdir()} for one in (whole, killed)]
    assert names[0] == names[1]
    infos = [json.loads((one / "config.json").read_text()) for one in (whole, killed)]
    for key in ("status", "data", "chosen", "best_baseline", "commit"):
        assert infos[0][key] == infos[1][key], key


def check_equal_summaries(*roots: Path) -> None:
    """One row for each model, with the same numbers."""
    found = []
    for root in roots:
        with (root / "summary.csv").open(newline="") as file:
            found.append(
                [(r["model"], r["mean"], r["sd"]) for r in csv.DictReader(file)]
            )
    assert found[0] == found[1]
    assert len({model for model, _, _ in found[0]}) == len(found[0]) == 2


# ---------------------------------------------------------------- opening a run again

CONFIG = to_json(forecast.Config(epochs=7))


@pytest.fixture
def stopped(tmp_path) -> Path:
    """The folder of a run that was interrupted after its first rows."""
    with (
        pytest.raises(KeyboardInterrupt, match="go on with --resume 2"),
        run_folder.open_run(tmp_path, "forecast", CONFIG) as run,
    ):
        run.record(data={"sha256": "a" * 64})
        run.add("trials", [{"model": "gru", "score": 1.5}, {"model": "lstm"}])
        (run.path / ".99-metrics.csv").write_text("what a kill le")
        raise KeyboardInterrupt
    return run.path


def again(path: Path, config=CONFIG):
    return run_folder.open_run(path.parent.parent, "forecast", config, path.name)


def test_rows_on_disk_stay_until_they_have_been_made_again(stopped):
    """Would catch a second kill that loses what the first one had left."""
    before = (stopped / "trials.csv").read_text()
    with again(stopped) as run:
        run.add("trials", [{"model": "gru", "score": 1.5}])
        assert (stopped / "trials.csv").read_text() == before
        run.add("trials", [{"model": "lstm"}, {"model": "mlp"}])
        assert len((stopped / "trials.csv").read_text().splitlines()) == 4
    assert sorted(path.name for path in stopped.iterdir()) == [
        "config.json",
        "trials.csv",
    ]
    info = json.loads((stopped / "config.json").read_text())
    assert info["status"] == "complete"
    assert [one["after"] for one in info["resumed"]] == ["interrupted"]


def test_bad_input_in_a_resumed_run_removes_nothing(stopped):
    with pytest.raises(InputError), again(stopped):
        raise InputError("the file is gone")
    assert (stopped / "trials.csv").is_file()


def test_other_options_are_an_error(stopped):
    changed = CONFIG | {"epochs": 8}
    with (
        pytest.raises(InputError, match="epochs is 8, but run .* has 7; --resume"),
        again(stopped, changed),
    ):
        pass


def test_other_data_is_an_error(stopped):
    with again(stopped) as run:
        run.check_data({"sha256": "a" * 64})
        with pytest.raises(InputError, match="the data is not what run"):
            run.check_data({"sha256": "b" * 64})


def test_two_processes_cannot_be_at_work_on_one_run(stopped):
    with (
        again(stopped),
        pytest.raises(InputError, match="another process is at work on"),
        again(stopped),
    ):
        pass


def test_a_complete_run_has_nothing_to_resume(stopped):
    with again(stopped):
        pass
    with (
        pytest.raises(InputError, match="is complete; there is nothing"),
        again(stopped),
    ):
        pass


@pytest.mark.parametrize("run_id", ["20200101-000000-abcd", "../forecast", "..", "/"])
def test_an_id_that_is_no_run_is_one_line(stopped, run_id):
    """Would catch an id that leads out of the results folder."""
    root = stopped.parent.parent
    arguments = "--resume", run_id, "--results", str(root)
    done = run_python("-m", "experiments.forecast", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: --resume {run_id}, but")
    assert done.stderr.count("\n") == 1


def test_an_empty_id_is_an_error():
    """Would catch `--resume "$ID"` of a variable that is not set: a new run began."""
    with pytest.raises(InputError, match="--resume is empty"):
        parse(forecast.Config, forecast.FULL, ["--resume", ""], "forecast")


def read_options(path: Path) -> None:
    """Read the options of a run that goes on, from its config.json."""
    root, name, run_id, _ = path.parts[-4:]
    results = Path(*path.parts[:-3])
    arguments = ["--results", str(results), "--resume", run_id]
    parse(forecast.Config, forecast.FULL, arguments, name)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", "\0", '{"config": []}']
    + [json.dumps({"config": CONFIG | {"epochs": value}}) for value in ("ten", [1], {})]
    + [json.dumps({"config": CONFIG | {"models": value}}) for value in (5, [5], "gru")]
    + [json.dumps({"config": CONFIG | {"size": "huge"}})],
)
def test_options_that_are_damaged_are_one_line(stopped, text):
    """Would catch a traceback, and a value of another type that comes through."""
    (stopped / "config.json").write_text(text)
    with pytest.raises(InputError, match="config.json is damaged") as error:
        read_options(stopped / "config.json")
    assert "\n" not in str(error.value)


@pytest.mark.long
def test_any_damage_to_options_is_harmless(stopped):
    assert_sturdy(read_options, stopped / "config.json")


def read_state(path: Path) -> None:
    """Read the state of a fit that goes on."""
    checkpoint.read(path, lambda data: data, "history", "row")


def write_state(path: Path) -> None:
    arrays = {"weights": [np.arange(60.0), np.ones((4, 5), "float32")]}
    path.write_bytes(checkpoint.pack(arrays, {"history": [{"loss": 1}], "row": {}}))


@pytest.mark.parametrize("size", [0, 10, 300])
def test_a_state_that_is_cut_off_says_what_to_delete(tmp_path, size):
    path = tmp_path / "gru-1.finished.npz"
    write_state(path)
    read_state(path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match=f"{path} is damaged .*; delete it") as error:
        read_state(path)
    assert "\n" not in str(error.value)


def test_a_state_that_is_a_pickle_is_not_executed(tmp_path):
    path, marker = tmp_path / "gru-1.finished.npz", tmp_path / "executed"
    path.write_bytes(pickle.dumps(attacks(marker)["system"]))
    with pytest.raises(InputError, match="is damaged"):
        read_state(path)
    assert not marker.exists()


@pytest.mark.long
def test_any_damage_to_a_state_is_harmless(tmp_path):
    path = tmp_path / "gru-1.finished.npz"
    write_state(path)
    assert_sturdy(read_state, path)


def read_trials(path: Path) -> None:
    checkpoint.read_or_refuse(training.read_trials, path.read_bytes(), path)


@pytest.mark.long
def test_any_damage_to_trials_is_harmless(tmp_path):
    path = tmp_path / "gru-trials.json"
    row = {"trial": 1, "status": "completed", "score": 0.5, "hp.units": 32}
    path.write_text(json.dumps([[row, [0.7, 0.5]], [row | {"trial": 2}, [0.8]]]))
    assert_sturdy(read_trials, path)


def test_a_run_that_had_two_replicas_by_default_goes_on(stopped):
    """Would catch a run from when 2 was the default that is not resumed any more."""
    info = json.loads((stopped / "config.json").read_text())
    info["config"]["replicas"] = 2
    (stopped / "config.json").write_text(json.dumps(info))
    arguments = ["--results", str(stopped.parent.parent), "--resume", stopped.name]
    config = parse(forecast.Config, forecast.FULL, arguments, "forecast")
    assert config.replicas == 2
    with again(stopped, to_json(config)) as run:
        assert run.info["config"]["replicas"] == 2


def test_a_resumed_run_has_its_options_from_its_folder(stopped):
    """Would catch defaults that take the place of what the run was begun with."""
    arguments = ["--results", str(stopped.parent.parent), "--resume", stopped.name]
    found = parse(forecast.Config, forecast.FULL, arguments, "forecast")
    assert (found.epochs, found.resume) == (7, stopped.name)
    changed = [*arguments, "--epochs", "9"]
    other = parse(forecast.Config, forecast.FULL, changed, "forecast")
    assert other.epochs == 9  # and `open_run` will say that it cannot be


@pytest.mark.parametrize(
    "config",
    [
        forecast.Config(data_dir=Path("here"), models=("gru",)),
        stacked.Config(lengths=(25, 400)),
        language.Config(split=(90, 5, 5), sizes=(9_000,), unit="character"),
        translate.Config(data=("copy",), states=(8,), unit="subword"),
        lengths.Config(data=("drawings",), steps=(5,), cells=("lstm",)),
        gradients.Config(gains=(1.0, 3.0), remedies=("none", "gru")),
        sketch.Config(),
        generate.Config(classifier=Path("run"), temperatures=(0.5,)),
        video.Config(weights=Path("w.h5"), frames=8),
    ],
)
def test_a_configuration_comes_back_from_json(config):
    """Would catch a tuple that stays a list, or a path that stays text."""
    written = json.loads(json.dumps(to_json(config)))
    assert from_json(type(config), written) == config


def test_options_of_another_version_are_an_error():
    with pytest.raises(InputError, match="config.json has unheard_of, which this"):
        from_json(forecast.Config, {"unheard_of": 1})
