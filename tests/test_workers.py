"""Worker processes: how many, what they compute with, what a death leaves."""

import os
import signal
import time

import pytest

from rnn_tf.devices import backend, workers
from rnn_tf.devices.workers import Died, Here, Workers
from tests.conftest import run_python


def test_as_many_as_cores_but_no_more_than_memory_allows(monkeypatch):
    monkeypatch.setattr(workers.loky, "cpu_count", lambda only_physical_cores: 8)
    counts = {}
    for gigabytes in (64, 7, 0.5):
        free = gigabytes * workers.GIB
        monkeypatch.setattr(workers, "available_memory", lambda free=free: free)
        counts[gigabytes] = workers.usable([])
    assert counts == {64: 8, 7: 4, 0.5: 1}
    assert workers.usable(["0", "1", "3"]) == 3


@pytest.mark.parametrize(
    ("visible", "names"),
    [("0,2", ["0", "2"]), ("", []), ("-1", []), ("GPU-8932f937,", ["GPU-8932f937"])],
)
def test_gpus_are_those_that_the_environment_shows(monkeypatch, visible, names):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert workers.gpus() == names


def test_each_worker_has_a_gpu_of_its_own_or_one_thread():
    """Would catch two workers that take all the memory of the first GPU."""
    visible = [
        worker.environment["CUDA_VISIBLE_DEVICES"]
        for worker in workers.local(3, ["0", "1"])
    ]
    assert visible == ["0", "1", "0"]
    assert workers.local(1, [])[0].environment == backend.ONE_THREAD


def test_numpy_computes_with_one_thread_inside_only():
    """Would catch a notebook that is slow after a run, and sums that are not alike."""
    import threadpoolctl

    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpoolctl.threadpool_info()}

    before, environment = threads(), dict(os.environ)
    with backend.one_thread():
        assert threads() == {1}
        assert os.environ["OMP_NUM_THREADS"] == "1"
    assert (threads(), dict(os.environ)) == (before, environment)


# ---------------------------------------------------------------- calls


def shout(words, tell):
    """What a worker is asked to do in these tests."""
    for number, word in enumerate(words):
        tell(number, word.upper())
    return os.getpid(), {name: os.environ.get(name) for name in backend.ONE_THREAD}


def die(_, tell):
    os.kill(os.getpid(), 9)


def fail(_, tell):
    raise ValueError("no such word")


def grow(megabytes, tell):
    """Keep memory, as TensorFlow keeps compiled programs."""
    workers.kept = b"\1" * (megabytes * 2**20)
    time.sleep(1.1)  # loky looks once a second
    return os.getpid()


@pytest.fixture(scope="module")
def two():
    staff = Workers(workers.local(2, []))
    yield staff
    staff.close()


@pytest.mark.slow
def test_a_call_tells_what_happens_and_returns(two):
    told = []
    for job in ("a", "b"):
        two.start(
            job, lambda *facts, j=job: told.append((j, *facts)), shout, ["x", "y"]
        )
    assert not two.idle
    results = dict(two.next() for _ in "ab")
    (one, environment), (other, _) = results["a"], results["b"]
    assert len({one, other, os.getpid()}) == 3
    assert environment == backend.ONE_THREAD
    assert set(told) <= {(j, n, w) for j in "ab" for n, w in enumerate("XY")}


def test_a_signal_waits_for_its_turn_and_an_ignored_one_stays_ignored():
    """Would catch a message that a signal loses while it is taken, and a run under
    nohup that a hangup ends."""
    taken = {signal.SIGHUP: signal.SIG_IGN, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, how) for number, how in taken.items()}
    staff = Workers([])
    try:
        with staff.signals_in_turn():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            signal.raise_signal(signal.SIGINT)  # nothing is raised here
            with pytest.raises(KeyboardInterrupt):
                staff.next()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        for number, how in before.items():
            signal.signal(number, how)
        staff.close()


@pytest.mark.slow
def test_a_death_ends_one_call_and_the_worker_is_started_again(two):
    """Would catch an engine that kills all workers when one dies."""
    two.start("dies", print, die, None)
    two.start("lives", print, shout, ["x"])
    results = dict(two.next() for _ in "ab")
    assert isinstance(results["dies"], Died)
    assert results["lives"][0] != os.getpid()
    two.start("again", print, shout, [])
    two.start("too", print, shout, [])
    assert {two.next()[0] for _ in "ab"} == {"again", "too"}


@pytest.mark.slow
def test_a_worker_that_dies_while_it_is_idle_is_started_again(two):
    """Would catch a traceback where memory ran out between two jobs."""
    two.start("first", print, shout, [])
    _, (pid, _) = two.next()
    two.idle.reverse()  # the one that has just answered is next
    os.kill(pid, 9)
    time.sleep(1)
    two.start("again", print, shout, [])
    job, (other, _) = two.next()
    assert (job, other != pid) == ("again", True)


@pytest.mark.slow
def test_an_error_of_a_call_is_raised_here(two):
    two.start("fails", print, fail, None)
    with pytest.raises(ValueError, match="no such word"):
        two.next()
    assert len(two.idle) == 2


@pytest.mark.slow
def test_a_worker_that_leaks_is_replaced_and_no_call_is_lost():
    """Would catch workers that grow with every program that XLA compiles."""
    staff = Workers(workers.local(1, []))
    try:
        pids = []
        for megabytes in (1, 1, 800, 1):
            staff.start("grow", print, grow, megabytes)
            pids.append(staff.next()[1])
    finally:
        staff.close()
    assert pids[0] == pids[1] == pids[2] != pids[3]


def test_a_stranger_without_the_key_is_not_heard(two):
    """Would catch messages, which are pickles, from any process of the machine."""
    from multiprocessing import AuthenticationError
    from multiprocessing.connection import Client

    with pytest.raises(AuthenticationError):
        Client(two.listener.address, authkey=b"guessed")
    assert two.inbox.empty()


def test_here_calls_run_at_once_in_order():
    staff, told = Here(), []
    staff.start("job", lambda *facts: told.append(facts), shout, ["x"])
    assert told == [(0, "X")]
    assert staff.busy
    assert not staff.idle
    assert staff.next()[1][0] == os.getpid()
    assert not staff.busy


def test_counting_workers_starts_no_tensorflow():
    """Would catch a start of the workers that waits for the libraries."""
    code = (
        "import sys; from rnn_tf.devices import workers as w; w.usable(w.gpus());"
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert run_python("-c", code).returncode == 0
