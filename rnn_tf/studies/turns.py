"""Measure pieces of work in processes of their own, which take turns.

What a process builds takes its time and memory from no other, and what else the machine
does slows all of them down alike.

A worker is `python -m MODULE WORDS`: it reads a question from each line of stdin, and
answers it by a line on stdout, both JSON.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from rnn_tf.errors import RunError, first_line


@dataclass(frozen=True)
class Worker:
    """A process that answers questions."""

    process: subprocess.Popen

    def ask(self, **question) -> dict:
        """Ask it, and wait for the answer; one that cannot answer says so in "error".

        Raises:
            RunError: the process has ended.
        """
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            code = self.process.wait()
            raise RunError(f"a process that measures has ended with code {code}")
        return json.loads(answer)


@contextlib.contextmanager
def workers(module: str, names: Iterable[str], *words: str) -> Iterator[dict]:
    """Start `python -m MODULE NAME WORDS` for each name: name -> `Worker`.

    They begin side by side, and none is asked before all have begun: what begins would
    slow down what is measured.
    """
    with contextlib.ExitStack() as stack:
        started = {
            name: stack.enter_context(_worker(module, name, *words)) for name in names
        }
        for worker in started.values():
            worker.process.stdout.readline()  # none of one that has ended: `ask` says
        yield started


@contextlib.contextmanager
def _worker(*command: str) -> Iterator[Worker]:
    """Start a worker; in the end it is told to stop, and stopped if it does not."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # TensorFlow's log; errors come as answers
        text=True,
    )
    try:
        yield Worker(process)
    finally:
        process.kill()  # it has nothing to put away, and may be in the middle of work
        process.communicate()


def serve(
    answer: Callable[..., dict], begin: Callable[[], object] = lambda: None
) -> None:
    """Answer each question on stdin by `answer(**question)`, until there are no more.

    Args:
        answer: where it fails, the answer is the first line of its error.
        begin: is called first, for what takes seconds and is not measured, such as
            importing an engine.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    with contextlib.suppress(Exception):  # of which each answer will say why
        begin()
    print("begun", file=answers, flush=True)
    for line in sys.stdin:
        try:
            reply = answer(**json.loads(line))
        except Exception as error:  # any, of any engine: it becomes a row
            reply = {"error": first_line(error)}
        print(json.dumps(reply), file=answers, flush=True)


def take_turns(timed: dict[str, Callable[[], float]], rounds: int) -> dict[str, tuple]:
    """Call each in turn, `rounds` times; the first turn is not counted.

    Args:
        timed: name -> a function that returns how long something took.
        rounds: that count.

    Returns:
        name -> median, and the quartiles.
    """
    spent = {name: [] for name in timed}
    for _ in range(rounds + 1):
        for name, once in timed.items():
            spent[name].append(once())
    return {
        name: tuple(np.quantile(values[1:], [0.5, 0.25, 0.75]).tolist())
        for name, values in spent.items()
    }
