"""TF_CONFIG and the meeting of workers: what is wrong is one line, before training."""

import contextlib
import json
import socket
import threading
from contextlib import ExitStack

import pytest

from rnn_tf.devices import tf_config
from rnn_tf.devices.tf_config import Cluster
from rnn_tf.errors import InputError, RunError
from tests.conftest import run_python

TWO = ["10.0.0.1:2222", "10.0.0.2:2222"]


def config(jobs=None, job="worker", index=0) -> str:
    """The text of a TF_CONFIG."""
    jobs = {"worker": TWO} if jobs is None else jobs
    return json.dumps({"cluster": jobs, "task": {"type": job, "index": index}})


def test_the_first_worker_is_the_chief(monkeypatch):
    for index in (0, 1):
        monkeypatch.setenv("TF_CONFIG", config(index=index))
        found = tf_config.from_environment()
        assert (found.workers, found.index, found.chief) == (2, index, index == 0)
    assert found.name(1) == "worker 1 (10.0.0.2:2222)"
    assert found.place("worker", 1) == 1


def test_a_chief_apart_from_the_workers_comes_first(monkeypatch):
    """Would catch a worker 0 that takes itself for the chief."""
    jobs = {"worker": TWO, "chief": ["10.0.0.9:1"]}
    monkeypatch.setenv("TF_CONFIG", config(jobs, "worker", 0))
    found = tf_config.from_environment()
    assert found.addresses == ("10.0.0.9:1", *TWO)
    assert (found.index, found.chief, found.port) == (1, False, 2222)
    assert [found.place("chief", 0), found.place("worker", 1)] == [0, 2]
    monkeypatch.setenv("TF_CONFIG", config(jobs, "chief", 0))
    assert tf_config.from_environment().chief


@pytest.mark.parametrize(
    ("text", "said"),
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
def test_a_wrong_tf_config_is_one_line(monkeypatch, text, said):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match=said) as found:
        tf_config.from_environment()
    assert "\n" not in str(found.value)


def test_the_command_line_says_so_and_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config(index=5))
    options = "--strategy", "multiworker", "--results", tmp_path / "results"
    done = run_python("-m", "experiments.forecast", *options)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: TF_CONFIG's task has the index 5")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "results").exists()


def test_a_port_in_use_is_an_error():
    """TensorFlow would share it with the other process, and neither would work."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"the port {port}, but it cannot be used"):
            tf_config.reserve(Cluster((f"127.0.0.1:{port}",), 0, False))


@pytest.fixture
def three():
    """Three workers with ports of their own, and how they meet in threads.

    `meet(cards, patience)` gives what each of the first `len(cards)` raised, or None.
    `first` is called when the chief listens, before it hears of anybody.
    """
    with ExitStack() as stack:
        free = [stack.enter_context(socket.create_server(("", 0))) for _ in range(3)]
        addresses = tuple(f"127.0.0.1:{one.getsockname()[1]}" for one in free)

    def meet(cards: list[dict], patience: float, first=None) -> list[Exception | None]:
        raised: list[Exception | None] = [None] * len(cards)

        def one(index):
            own = Cluster(addresses, index, False)
            try:
                port = tf_config.reserve(own)
                if first and own.chief:
                    first()
                tf_config.meet(own, port, cards[index], patience)
            except (InputError, RunError) as error:
                raised[index] = error

        threads = [threading.Thread(target=one, args=(i,)) for i in range(len(cards))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        return raised

    meet.addresses = addresses
    return meet


def test_workers_that_agree_meet(three):
    assert three([{"--epochs": 3}] * 3, 60) == [None] * 3
    assert three([{"--epochs": 3}] * 3, 60) == [None] * 3  # the ports are free again


def test_a_worker_that_does_not_come_is_named(three):
    """On the chief, and on those that wait with it."""
    chief, worker = three([{}] * 2, 0.5)
    missing = f"waited for worker 2 ({three.addresses[2]}), in vain"
    assert isinstance(chief, RunError)
    assert missing in str(chief)
    assert missing in str(worker) or "the chief" in str(worker)


def test_a_chief_that_does_not_come_is_named():
    with socket.create_server(("", 0)) as one, socket.create_server(("", 0)) as two:
        ports = [found.getsockname()[1] for found in (one, two)]
    own = Cluster(tuple(f"127.0.0.1:{port}" for port in ports), 1, False)
    with pytest.raises(RunError, match=rf"the chief \(127.0.0.1:{ports[0]}\), in vain"):
        tf_config.meet(own, tf_config.reserve(own), {}, 0.3)


def test_workers_with_other_options_do_not_begin(three):
    """They would stop in the middle, each waiting for the other."""
    raised = three([{"--epochs": 3}, {"--epochs": 4}], 60)
    assert isinstance(raised[0], InputError)
    assert str(raised[0]) == str(raised[1])
    assert "--epochs is 3 on the chief and 4 on worker 1 (" in str(raised[0])


def test_strangers_that_call_do_not_disturb(three):
    """A port scanner, or another program with a wrong address, before all others."""
    address, calls = ("127.0.0.1", int(three.addresses[0].split(":")[1])), []

    def stranger():
        calls.append(socket.create_connection(address, timeout=30))
        calls[0].sendall(b"GET / HTTP/1.1\r\n\r\n")

    assert three([{}] * 3, 60, stranger) == [None] * 3
    with calls[0] as call, contextlib.suppress(ConnectionResetError):
        assert call.recv(1) == b""  # nobody talks to it
