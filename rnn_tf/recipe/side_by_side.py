"""Several experiments at a time, each as one call of a worker.

What an experiment does beside its training, such as drawing its pictures, takes one
core; another experiment has the others meanwhile. Each is the run that it would be
alone, and has the same numbers: see `jobs`.
"""

import contextlib
import functools
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from rnn_tf.devices.workers import Died, Workers
from rnn_tf.errors import InputError, RunError, ended_politely, warn
from rnn_tf.recipe import jobs, progress
from rnn_tf.recipe.training import Tell


@dataclass(frozen=True, eq=False)
class Task:
    """An experiment to run.

    Attributes:
        name: of the experiment.
        command: what runs it alone, as words; its run folders keep it.
        run: a function of a module.
        arguments: of that function.
        runs: how many runs it makes.
    """

    name: str
    command: tuple[str, ...]
    run: Callable
    arguments: tuple
    runs: int = 1


@dataclass(frozen=True)
class Printed:
    """What an experiment has printed, and why it has ended early, if it has."""

    output: str
    notes: str
    failure: str = ""


# ---------------------------------------------------------------- here


def run(staff: Workers, tasks: list[Task]) -> None:
    """Run experiments on all workers; print what each has shown, when it is over.

    One that fails does not keep the others from their work.

    Args:
        staff: workers without a call.
        tasks: in the order in which they begin.

    Raises:
        RunError: some have failed; each has been named, with its reason.
        KeyboardInterrupt: its text says how to go on with each.
    """
    if not tasks:
        return
    console, waiting, failed = Console(), list(tasks), []
    with progress.bars(console) as bars, staff.signals_in_turn():
        display = _Display(bars, bars.add_task("experiments", total=len(tasks)))
        try:
            while waiting or staff.busy:
                while waiting and staff.idle:
                    _start(staff, waiting.pop(0), display)
                task, printed = staff.next()
                display.end(task)
                failed += _show(task, printed, console)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_stop(staff, display)) from None
    if failed:
        raise RunError(f"{', '.join(failed)} failed, the others are complete")


@dataclass
class _Display:
    """A bar for all experiments, and one for each that runs."""

    bars: Progress
    all: int
    running: dict[Task, int] = field(default_factory=dict)
    processes: dict[Task, int] = field(default_factory=dict)
    stopped: bool = False

    def begin(self, task: Task) -> None:
        """Show an experiment."""
        self.running[task] = self.bars.add_task(task.name, total=task.runs)

    def hear(self, task: Task, kind: str, value: float) -> None:
        """Take a message of an experiment: its process, or how far it is, in runs."""
        if kind == "runs":
            self.bars.update(self.running[task], completed=value)
            return
        self.processes[task] = value
        if self.stopped:  # before it was known
            _end(value)

    def stop(self) -> None:
        """Have all experiments end, as after Ctrl-C."""
        self.stopped = True
        for process in self.processes.values():
            _end(process)

    def end(self, task: Task) -> None:
        """Show an experiment no more."""
        self.bars.remove_task(self.running.pop(task))
        self.processes.pop(task, None)
        self.bars.advance(self.all)


def _end(process: int) -> None:
    """Have the experiment that a process runs end."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)


def _start(staff: Workers, task: Task, display: _Display) -> None:
    """Have an idle worker run an experiment."""
    console = display.bars.console
    look = {"width": console.width, "color_system": console.color_system}
    display.begin(task)
    hear = functools.partial(display.hear, task)
    staff.start(task, hear, _work, task, look, display.bars.shown)


def _show(task: Task, printed: Printed | Died, console: Console) -> list[str]:
    """Print what an experiment has printed; give its name if it has failed."""
    if isinstance(printed, Died):
        printed = Printed("", "", "its process has died; is there enough memory?")
    console.print(Text.from_ansi(printed.output), soft_wrap=True)
    for line in printed.notes.splitlines():
        warn(line)
    if printed.failure:
        warn(f"{task.name}: {printed.failure}")
    return [task.name] if printed.failure else []


def _stop(staff: Workers, display: _Display) -> str:
    """Have the experiments end that run; say how to go on with each."""
    display.stop()
    advice = []
    while staff.busy:
        task, printed = staff.next()
        if isinstance(printed, Printed) and printed.failure:
            advice.append(f"{task.name}: {printed.failure}")
    return "; ".join(advice)


# ---------------------------------------------------------------- in a worker


def _work(task: Task, look: dict, shown: bool, tell: Tell) -> Printed:
    """Run an experiment, and return what it prints."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all
    tell("process", os.getpid())
    sys.orig_argv = ["python", *task.command]  # as its run folders are to have it
    output, notes, failure = io.StringIO(), io.StringIO(), ""
    console = Console(file=output, force_terminal=False, **look)
    with (
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(notes),
        jobs.none_elsewhere(),
        progress.told(functools.partial(tell, "runs"), console, shown),
        ended_politely(),
    ):
        try:
            task.run(*task.arguments)
        except (InputError, RunError) as error:
            failure = f"error: {error}"
        except KeyboardInterrupt as stop:
            failure = str(stop) or "nothing to go on with"
        except Exception:
            failure = traceback.format_exc()
    return Printed(output.getvalue(), notes.getvalue(), failure)
