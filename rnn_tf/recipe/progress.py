"""The progress of a run: a bar on a terminal or in a notebook, else a line per fit.

Runs that come in a row share one display, `several`: a bar for all of them above that
of the run. Runs in a worker show nothing; they tell how far they are, see `told`.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from rnn_tf.metrics.formatting import plain
from rnn_tf.text import printable


class _Bar(Progress):
    """rich's bars. In a notebook they would need ipywidgets, so IPython shows them."""

    place = None  # in a notebook: where they are shown, again and again
    elsewhere = False  # whether another process shows how far they are

    @property
    def shown(self) -> bool:
        """Whether somebody sees them."""
        return not self.disable or self.place is not None or self.elsewhere

    def start(self) -> None:
        super().start()
        if self.console.is_jupyter:
            from IPython.display import display

            self.place = display(self, display_id=True)

    def update(self, *task, **changes) -> None:
        super().update(*task, **changes)
        if self.place:
            self.place.update(self)

    def stop(self) -> None:
        super().stop()
        if self.place:
            self.place.update(Text())


@dataclass
class _Several:
    """The display of runs that come in a row, and how many of them are over."""

    bar: _Bar
    move: Callable[[float], None]  # to so many finished runs, a part of the next too
    done: int = 0


_several: list[_Several] = []  # one at most


def bars(console: Console) -> _Bar:
    """Make a display of several bars, on a terminal or in a notebook alone."""
    return _Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(compact=True),
        TextColumn("left"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        expand=True,
        speed_estimate_period=600,
    )


@contextlib.contextmanager
def several(runs: int) -> Iterator[None]:
    """Show one display for all the runs inside, `runs` of them.

    Inside another that counts them too, it is that one.
    """
    if _several:
        yield
        return
    with bars(Console()) as bar:
        task = bar.add_task("", total=runs)

        def move(done: float) -> None:
            label = f"run {min(int(done) + 1, runs)} of {runs}"
            bar.update(task, completed=done, description=label)

        with _shared(_Several(bar, move)):
            yield


@contextlib.contextmanager
def told(
    tell: Callable[[float], None], console: Console, shown: bool
) -> Iterator[None]:
    """Have the runs inside print to a console without bars, and tell how far they are.

    Args:
        tell: takes how many runs are over, a fraction of the next one too.
        console: of no terminal.
        shown: whether a bar shows elsewhere what is told; else each fit is a line.
    """
    display = _Several(bars(console), tell)
    display.bar.elsewhere = shown
    with _shared(display):
        yield


@contextlib.contextmanager
def _shared(display: _Several) -> Iterator[None]:
    """Have the runs inside share a display."""
    display.move(0)
    _several.append(display)
    try:
        yield
    finally:
        _several.clear()


def console() -> Console:
    """Return the console: that of the display, if there is one for several runs."""
    return _several[0].bar.console if _several else Console()


class RunProgress:
    """Count fits (trials and final runs) in a bar, above one for each job that runs.

    A context manager. Jobs are told apart by any hashable key.
    """

    def __init__(self, fits: int, console: Console, unit: str = "fits"):
        self.console, self.unit = console, unit
        self.several = _several[0] if _several else None
        self.bar = self.several.bar if self.several else bars(console)
        self.fits, self.done = fits, 0
        self.running = {}  # key of a job -> its bar, and the share of its fit
        self.begun = {}  # key of a job -> when its last fit has begun
        self.task = self.bar.add_task("", total=fits)
        self._move()

    def __enter__(self):
        if self.several is None:
            self.bar.start()
        return self

    def __exit__(self, *exc_info):
        if self.several is None:
            self.bar.stop()
            return
        for key in list(self.running):
            self.stop(key)
        self.bar.remove_task(self.task)
        self.several.done += 1
        self.several.move(self.several.done)

    def _move(self) -> None:
        fits = self.done + sum(share for _, share in self.running.values())
        label = f"{self.done} of {self.fits} {self.unit}"
        self.bar.update(self.task, completed=fits, description=label)
        if self.several and self.fits:
            self.several.move(self.several.done + fits / self.fits)

    def begin(self, key, what: str) -> None:
        """Show the fit that a job begins."""
        self.stop(key)
        self.begun[key] = time.monotonic()
        self.running[key] = self.bar.add_task(printable(what), total=1), 0.0

    def epoch(self, key, done: int, of: int) -> None:
        """Count the epochs of a running fit, `done` of at most `of`."""
        bar, share = self.running[key][0], min(done / of, 0.99)
        self.running[key] = bar, share
        self.bar.update(bar, completed=share)
        self._move()

    def stop(self, key) -> None:
        """Show the fit of a job no more."""
        if key in self.running:
            self.bar.remove_task(self.running.pop(key)[0])

    def finish(self, key, what: str, row: dict) -> None:
        """Count the fit of a job as finished; `row` is its row in `trials.csv`."""
        self.stop(key)
        self.done += 1
        self._move()
        failed = row["status"] != "completed"
        if failed or not self.bar.shown:
            result = row["error"] if failed else f"validation {row['score']:.4f}"
            took = f"{row['epochs']} epochs, " if "epochs" in row else ""
            took += f"{row['seconds']:.1f} s"
            self.say(f"{what} · {row['status']}: {result} · {took}")

    def end(self, task: str) -> None:
        """Count a task as done; where no bar is shown, print how long it took."""
        self.stop(task)
        self.skip(1)
        if not self.bar.shown:
            self.say(f"{task} · {time.monotonic() - self.begun[task]:.1f} s")

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self.console.print(plain(line), soft_wrap=True)

    def skip(self, fits: int) -> None:
        """Count fits that are skipped."""
        self.done += fits
        self._move()


def one_by_one(names: Sequence[str], console: Console) -> Iterator[str]:
    """Yield tasks; a bar shows which one is worked on, or a line how long it took."""
    with RunProgress(len(names), console, "tasks") as progress:
        for name in names:
            progress.begin(name, name)
            yield name
            progress.end(name)
