"""TF_CONFIG: who is the chief, and what is wrong is one line, before training."""

import json

import pytest

from rnn_tf.devices import tf_config
from rnn_tf.errors import InputError
from tests.conftest import run_python

TWO = ["10.0.0.1:2222", "10.0.0.2:2222"]


def config(jobs=None, job="worker", index=0) -> str:
    """The text of a TF_CONFIG."""
    jobs = {"worker": TWO} if jobs is None else jobs
    return json.dumps({"cluster": jobs, "task": {"type": job, "index": index}})


def test_the_first_worker_is_the_chief(monkeypatch):
    for index in (0, 1):
        monkeypatch.setenv("TF_CONFIG", config(index=index))
        cluster = tf_config.from_environment()
        assert (cluster.workers, cluster.index, cluster.chief) == (2, index, index == 0)
    assert cluster.name(1) == "worker 1 (10.0.0.2:2222)"
    assert cluster.place("worker", 1) == 1


def test_a_chief_apart_from_the_workers_comes_first(monkeypatch):
    """Would catch a worker 0 that takes itself for the chief."""
    jobs = {"worker": TWO, "chief": ["10.0.0.9:1"]}
    monkeypatch.setenv("TF_CONFIG", config(jobs, "worker", 0))
    cluster = tf_config.from_environment()
    assert cluster.addresses == ("10.0.0.9:1", *TWO)
    assert (cluster.index, cluster.chief, cluster.port) == (1, False, 2222)
    assert [cluster.place("chief", 0), cluster.place("worker", 1)] == [0, 2]
    monkeypatch.setenv("TF_CONFIG", config(jobs, "chief", 0))
    assert tf_config.from_environment().chief


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "TF_CONFIG is not set; each worker needs its own"),
        ("{worker: 1}", "TF_CONFIG is not JSON"),
        ("[]", 'TF_CONFIG has no object "cluster"'),
        ('{"cluster": {}}', 'TF_CONFIG has no object "task"'),
        (config({}), "TF_CONFIG lists no worker"),
        (config(index=2), "index 2, but its worker list has 2 of them: .* from 0 to 1"),
        (config(index=-1), "index -1, but"),
        (config(index="0"), "index '0', but"),
        (config(index=True), "index True, but"),
        (config(job="evaluator"), "type 'evaluator'; it must be worker"),
        (config(job="chief"), "type 'chief'; it must be worker"),
        (config({"worker": TWO, "ps": ["a:1"]}), "lists ps; only chief and worker"),
        (config({"worker": TWO, "chief": ["a:1", "b:1"]}), "lists 2 chiefs"),
        (config({"worker": [TWO[0]] * 2}), "lists 10.0.0.1:2222 twice"),
        (config({"worker": "10.0.0.1:2222"}), "'10.0.0.1:2222'; it must be a list"),
        (config({"worker": ["10.0.0.1"]}), "address '10.0.0.1'; it must be host:port"),
        (config({"worker": ["a:70000"]}), "address 'a:70000'; it must be host:port"),
        (config({"worker": [7]}), "address 7; it must be host:port"),
    ],
)
def test_a_wrong_tf_config_is_one_line(monkeypatch, text, message):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match=message) as error:
        tf_config.from_environment()
    assert "\n" not in str(error.value)


def test_the_command_line_says_so_and_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config(index=5))
    options = "--strategy", "multiworker", "--results", tmp_path / "results"
    done = run_python("-m", "experiments.forecast", *options)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: TF_CONFIG's task has the index 5")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "results").exists()
