"""A search by several processes: who is who, and the same table as from one."""

import csv
import socket

import keras_tuner
import pytest

from rnn_tf.config import RunConfig
from rnn_tf.devices import strategy, tuner_processes
from rnn_tf.errors import InputError
from rnn_tf.recipe import search
from tests.conftest import run_python


@pytest.fixture
def environment(monkeypatch):
    """Set keras-tuner's variables; None leaves one out."""

    def set_all(id, address, port):
        names = tuner_processes.ID, tuner_processes.ADDRESS, tuner_processes.PORT
        for name, value in zip(names, (id, address, port), strict=True):
            monkeypatch.delenv(name, raising=False)
            if value is not None:
                monkeypatch.setenv(name, value)

    return set_all


def test_alone_there_is_no_chief(environment):
    environment(None, None, None)
    assert tuner_processes.from_environment() is None


def test_the_chief_writes_the_results_and_a_worker_does_not(environment, tmp_path):
    config = RunConfig(results=tmp_path)
    environment("chief", "127.0.0.1", "4000")
    with strategy.own_folder(config) as own:
        assert own.results == tmp_path
    environment("tuner1", "127.0.0.1", "4000")
    with strategy.own_folder(config) as own:
        assert own.results != tmp_path
        assert own.results.is_dir()
    assert not own.results.exists()


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (("chief", None, "4000"), "KERASTUNER_ORACLE_IP not set; a search by several"),
        ((None, None, "4000"), "KERASTUNER_TUNER_ID and KERASTUNER_ORACLE_IP not set"),
        (("chief", "127.0.0.1", "http"), "PORT is 'http'; it must be a number from 1"),
        (("chief", "127.0.0.1", "70000"), "PORT is '70000'; it must be a number from"),
    ],
)
def test_a_wrong_setting_is_one_line(environment, variables, message):
    environment(*variables)
    with pytest.raises(InputError, match=message):
        tuner_processes.from_environment()


def test_two_ways_to_share_the_work_at_once_are_an_error(environment):
    environment("chief", "127.0.0.1", "4000")
    with (
        pytest.raises(InputError, match="multiworker, and KERASTUNER_TUNER_ID is set"),
        strategy.own_folder(RunConfig(strategy="multiworker")),
    ):
        pass


def test_a_port_in_use_is_one_line(environment):
    """Would catch a chief that waits for workers which another program answers."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        environment("chief", "127.0.0.1", str(port - 1))
        with pytest.raises(InputError, match=f"cannot listen on 127.0.0.1:{port} "):
            tuner_processes.from_environment().meet_at(1)


def served(known=()):
    """A chief's oracle, and the rows that it reports."""
    rows = []
    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0, 10, default=3.0)
    oracle = search._ServingOracle(
        lambda row, curve: rows.append(row),
        objective=keras_tuner.Objective("score", "min"),
        max_trials=4,
        seed=1,
        hyperparameters=hp,
    )
    oracle.verbose = 0
    oracle.remember(known)
    return oracle, rows


def finish(oracle, tmp_path, status, **sent):
    """What a worker does with its next trial."""
    oracle._set_project_dir(tmp_path, "search")
    trial = oracle.create_trial("tuner1")
    if sent:
        oracle.update_trial(trial.trial_id, sent)
    trial.status = status
    oracle.end_trial(trial)


def test_the_chief_reports_what_workers_send(tmp_path):
    """Would catch a column that only a search by one process has."""
    oracle, rows = served()
    sent = {"score": 0.5, "seconds": 1.25, "epochs": 3, "parameters": 70}
    finish(oracle, tmp_path, "COMPLETED", **sent)
    finish(oracle, tmp_path, "FAILED")
    assert rows[0] == {"trial": 1, "status": "completed", "hp.x": 3.0} | sent
    assert [type(rows[0][name]) for name in ("epochs", "parameters")] == [int, int]
    assert (rows[1]["trial"], rows[1]["status"]) == (2, "failed")
    assert "worker" in rows[1]["error"]
    assert rows[1]["seconds"] >= 0


def test_a_chief_that_goes_on_asks_for_the_trials_that_are_missing(tmp_path):
    """Would catch finished trials that are run again, or forgotten in the choice."""
    known = [
        [{"trial": 2, "status": "completed", "score": 0.1, "hp.x": 7.5}, []],
        [{"trial": 1, "status": "failed", "error": "lost", "hp.x": 3.0}, []],
    ]
    oracle, rows = served(known)
    for _ in range(2):
        finish(
            oracle, tmp_path, "COMPLETED", score=1.0, seconds=1, epochs=1, parameters=1
        )
    assert [row["trial"] for row in rows] == [2, 1, 3, 4]
    assert oracle.create_trial("tuner1").status == "STOPPED"
    assert len({row["hp.x"] for row in rows}) == 4


@pytest.mark.long
@pytest.mark.timeout(400)
def test_two_workers_and_their_chief_leave_one_complete_run(tmp_path):
    """Would catch a worker that writes results, a trial that is lost, and a second
    model that finds the search of the first."""
    options = (
        "experiments.stacked --data adding --cells gru simple_rnn --depths 1 "
        "--lengths 25 --examples 400 --seeds 1 --trials 3 --trial-epochs 2 --epochs 2"
    ).split()
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    launch = "-m rnn_tf.devices.launch --workers 2 --tune".split()
    for command, root in ([["-m"], alone], [launch, shared]):
        done = run_python(*command, *options, "--results", root, timeout=380)
        assert done.returncode == 0, done.stderr
    tables = []
    for root in (alone, shared):
        (folder,) = (root / "stacked").iterdir()
        with (folder / "trials.csv").open(newline="") as file:
            tables.append(list(csv.DictReader(file)))
    one, other = tables
    assert list(one[0]) == list(other[0])
    keys = [
        [(row["model"], row["phase"], row["trial"], row["status"]) for row in table]
        for table in tables
    ]
    assert sorted(keys[0]) == sorted(keys[1])
    for row in other:
        assert all(row[name] for name in ("score", "seconds", "epochs", "parameters"))
