"""Several workers, as real processes: they train as one device does, and end as one."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from experiments.forecast import Config
from rnn_tf.devices import mirrored, strategy
from rnn_tf.errors import InputError
from rnn_tf.recipe import checkpoint
from tests import workers
from tests.conftest import ROOT


def environment() -> dict[str, str]:
    """As a user has it, without what this process has set for TensorFlow."""
    ours = "TF_CPP", "MAKE", "KERAS"
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)}


@contextlib.contextmanager
def pair(folder: Path, *command):
    """Two workers that run `python -m COMMAND`; killed in the end.

    `{index}` in the command is the worker's. What they say goes to `folder`.
    """
    with contextlib.ExitStack() as stack:
        free = [stack.enter_context(socket.create_server(("", 0))) for _ in range(2)]
        addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in free]
    started = []
    try:
        for index in range(2):
            task = {"type": "worker", "index": index}
            found = json.dumps({"cluster": {"worker": addresses}, "task": task})
            own = folder / f"tmp-{index}"
            own.mkdir(parents=True)
            with (folder / f"said-{index}").open("w") as said:
                arguments = [str(word).format(index=index) for word in command]
                started.append(
                    subprocess.Popen(
                        [sys.executable, "-m", *arguments], cwd=ROOT,
                        env=environment() | {"TF_CONFIG": found, "TMPDIR": str(own)},
                        stdout=subprocess.DEVNULL, stderr=said,
                    )
                )  # fmt: skip
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """`{(how, name): (weights, history)}`, and what the workers say of the rest."""
    folder = tmp_path_factory.mktemp("trained")
    with pair(folder / "said", "tests.workers", folder / "{index}.npz") as processes:
        found = {}
        for how in ("cpu", "mirrored"):
            devices = strategy.start(Config(strategy=how))
            found |= {
                (how, name): workers.trained(name, devices) for name in workers.FITS
            }
        for process in processes:
            assert process.wait(240) == 0
    facts = {}
    for how in ("0", "1"):
        weights, facts[how] = checkpoint.unpack((folder / f"{how}.npz").read_bytes())
        for name, history in facts[how].pop("history").items():
            found[how, name] = weights[name], history
    return found, facts


def assert_alike(one, other):
    """The same weights and metrics, but for rounding."""
    for a, b in zip(one[0], other[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)
    for a, b in zip(one[1], other[1], strict=True):
        assert a == pytest.approx(b, rel=1e-5)
    assert len(one[1]) == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", workers.FITS)
def test_workers_and_replicas_train_as_one_device_does(trained, name):
    """Would catch batches that are shared out otherwise, gradients that are clipped
    before they are summed, and validation examples that count twice or not at all."""
    found, _ = trained
    assert_alike(found["mirrored", name], found["cpu", name])
    assert_alike(found["0", name], found["cpu", name])


@pytest.mark.slow
def test_all_workers_have_the_same_numbers_to_the_last_bit(trained):
    """They stop by the score: a difference, and one would wait for the other."""
    found, _ = trained
    for name in workers.FITS:
        (weights, history), other = found["0", name], found["1", name]
        assert history == other[1]
        assert all(map(np.array_equal, weights, other[0]))


@pytest.mark.slow
def test_without_the_private_names_it_trains_the_same(trained):
    found, _ = trained
    assert_alike(found["0", "by hand"], found["cpu", workers.BY_HAND])
    assert found["0", "by hand"][1] == found["1", "by hand"][1]


@pytest.mark.slow
def test_all_workers_get_what_the_chief_has(trained):
    _, facts = trained
    for index in ("0", "1"):
        assert facts[index] == {"given": True, "run_id": "run-of-0"}


def test_a_keras_that_was_not_tried_is_an_error(monkeypatch):
    monkeypatch.setattr(keras, "__version__", "3.99.1")
    with pytest.raises(InputError, match=r"tried with Keras 3\.10 to 3\.15, .* 3.99.1"):
        mirrored.override_keras.__wrapped__()


@pytest.mark.parametrize("name", ["_maybe_symbolic_build", "reduce"])
def test_names_that_are_gone_are_noticed(monkeypatch, name):
    from keras.src.backend.tensorflow import trainer

    if name == "reduce":
        monkeypatch.delattr(trainer, "_collective_all_reduce_multi_worker")
    else:
        monkeypatch.delattr(trainer.TensorFlowTrainer, name)
    monkeypatch.setattr(keras, "__version__", "3.99.1")
    assert mirrored.override_keras.__wrapped__() is False


TINY = (
    "--models mlp --trials 1 --trial-epochs 1 --epochs 1 --seeds 1 --lookback 28 "
    "--no-classical"
)


@pytest.mark.slow
def test_make_runs_an_experiment_on_two_workers(tmp_path):
    """The chief alone leaves anything."""
    own = tmp_path / "tmp"
    own.mkdir()
    results = tmp_path / "results"
    done = subprocess.run(
        ["make", "VENV=", f"PYTHON={sys.executable}", "forecast-multiworker",
         "WORKERS=2", f"ARGS={TINY} --results {results}"],
        cwd=ROOT, capture_output=True, text=True, timeout=240,
        env=environment() | {"TMPDIR": str(own)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^forecast on synthetic.*\(complete\)", done.stdout, re.M)
    (folder,) = (results / "forecast").iterdir()
    info = json.loads((folder / "config.json").read_text())
    found = info["devices"]
    assert (found["strategy"], found["workers"], found["replicas"]) == (
        "multiworker", 2, 2,
    )  # fmt: skip
    assert len(found["names"]) == 2
    assert found["learning_rate_rule"].startswith("unchanged")
    assert list(own.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("victim", "who"),
    [pytest.param(0, "the chief", marks=pytest.mark.long), (1, "worker 1")],
)
def test_when_a_worker_is_killed_the_other_says_so_and_ends(tmp_path, victim, who):
    results = tmp_path / "results"
    command = [
        "experiments.forecast", "--strategy", "multiworker", "--results", results,
        *TINY.replace("--epochs 1 ", "--epochs 9999 --patience 9999 ").split(),
    ]  # fmt: skip
    with pair(tmp_path, *command) as processes:
        until(lambda: list(results.glob("forecast/*/state/mlp-1.epoch.npz")))
        processes[victim].send_signal(signal.SIGKILL)
        survivor = 1 - victim
        assert processes[survivor].wait(60) == 1
    (folder,) = (results / "forecast").iterdir()
    said = (tmp_path / f"said-{survivor}").read_text()
    assert re.fullmatch(
        rf"error: {who} \(127\.0\.0\.1:\d+\) is gone: .* start all workers again with "
        rf"--resume {folder.name}\n",
        said,
    )
    status = json.loads((folder / "config.json").read_text())["status"]
    assert status == ("failed" if survivor == 0 else "running")
    if survivor:
        assert list((tmp_path / "tmp-1").glob("rnn-worker-*")) == []


def until(condition, seconds=120):
    """Wait until it is true."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)
