"""Processes that take turns: what they answer, how they fail, and that they end."""

import os
from pathlib import Path

import psutil
import pytest

from rnn_tf.errors import RunError
from rnn_tf.studies import turns

WORKER = """
import os, sys
from rnn_tf.studies import turns

def answer(word, times=1):
    print("a library prints")
    if word == "fail":
        raise ValueError("no such word\\nand more")
    if word == "die":
        os._exit(3)
    return {"said": sys.argv[1] + word * times, "process": os.getpid()}

turns.serve(answer)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module whose process answers; its name."""
    (tmp_path / "made_worker.py").write_text(WORKER)
    root = Path(__file__).parent.parent
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{root}")
    return "made_worker"


def test_each_process_answers_for_itself(module):
    """Would catch one process for all, whose memory and caches they would share."""
    with turns.workers(module, ["a", "b"]) as workers:
        answers = {n: w.ask(word="x", times=2) for n, w in workers.items()}
    assert {n: a["said"] for n, a in answers.items()} == {"a": "axx", "b": "bxx"}
    assert len({a["process"] for a in answers.values()} - {os.getpid()}) == 2


def test_an_error_is_an_answer_of_one_line(module):
    """Would catch a table that is lost because one of its rows cannot be measured."""
    with turns.workers(module, ["a"]) as workers:
        assert workers["a"].ask(word="fail") == {"error": "ValueError: no such word"}
        assert workers["a"].ask(word="y")["said"] == "ay"


def test_a_process_that_dies_is_one_line(module):
    with turns.workers(module, ["a"]) as workers:
        with pytest.raises(RunError, match="has ended with code 3"):
            workers["a"].ask(word="die")
        with pytest.raises(RunError, match="has ended with code 3"):
            workers["a"].ask(word="x")


def test_no_process_is_left_when_work_is_broken_off(module):
    """Would catch workers that wait for questions after a Ctrl-C."""
    begun = []
    with pytest.raises(KeyboardInterrupt), turns.workers(module, "ab") as workers:
        begun += [workers[name].ask(word="x")["process"] for name in workers]
        raise KeyboardInterrupt
    assert len(begun) == 2
    assert not any(psutil.pid_exists(number) for number in begun)


def test_turns_alternate_and_the_first_is_not_counted():
    """Would catch all turns of one after all of another, which a busy machine tells
    apart from nothing."""
    order, spent = [], {"a": iter([90, 1, 2, 3]), "b": iter([80, 4, 4, 4])}

    def once(name):
        order.append(name)
        return next(spent[name])

    timed = {name: lambda name=name: once(name) for name in spent}
    assert turns.take_turns(timed, rounds=3) == {"a": (2, 1.5, 2.5), "b": (4, 4, 4)}
    assert order == ["a", "b"] * 4


def test_a_module_that_cannot_start_is_one_line():
    started = turns.workers("rnn_tf.no_such_module", ["a"])
    with started as workers, pytest.raises(RunError, match="has ended with code 1"):
        workers["a"].ask(word="x")
