"""The meeting of workers: who is missing or differs is named, before training."""

import contextlib
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from rnn_tf.config import RunConfig
from rnn_tf.devices import meeting
from rnn_tf.devices.tf_config import Cluster
from rnn_tf.errors import InputError, RunError


def test_options_must_be_the_same_and_folders_need_not():
    """Would catch workers that wait for each other with different options."""

    def settings(**options):
        return meeting.shared_settings(RunConfig(**options), 0)

    own_disk = {"results": Path("elsewhere"), "resume": "an-id", "wait": 9}
    assert settings(**own_disk) == settings()
    assert settings(epochs=3)["--epochs"] == 3
    assert settings(trial_epochs=3)["--trial-epochs"] == 3


def test_a_port_in_use_is_an_error():
    """TensorFlow would share it with the other process, and neither would work."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"the port {port}, but it cannot be used"):
            meeting.reserve(Cluster((f"127.0.0.1:{port}",), 0, False))


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
                port = meeting.reserve(own)
                if first and own.chief:
                    first()
                meeting.meet(own, port, cards[index], patience)
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
        meeting.meet(own, meeting.reserve(own), {}, 0.3)


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
