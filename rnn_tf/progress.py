"""How far a run is: a bar on a terminal, one line per fit anywhere else."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class RunProgress:
    """Counts fits (trials and final runs); used as a context manager."""

    def __init__(self, fits: int, console: Console):
        self.console = console
        self.bar = Progress(
            TextColumn("{task.description}"),
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
        self.task = self.bar.add_task("starting", total=fits)
        self.done = 0

    def __enter__(self):
        self.bar.start()
        return self

    def __exit__(self, *exc_info):
        self.bar.stop()

    def begin(self, what: str) -> None:
        """Name the fit that runs now."""
        self.bar.update(self.task, description=what)

    def epoch(self, done: int, of: int) -> None:
        """The running fit has finished `done` of at most `of` epochs."""
        self.bar.update(self.task, completed=self.done + min(done / of, 0.99))

    def finish(self, what: str, row: dict) -> None:
        """The running fit is over; `row` is its row in `trials.csv`."""
        self.done += 1
        self.bar.update(self.task, completed=self.done)
        failed = row["status"] != "completed"
        if failed or not self.console.is_terminal:
            said = row["error"] if failed else f"validation {row['score']:.4f}"
            took = f"{row['epochs']} epochs, " if "epochs" in row else ""
            line = f"{what} · {row['status']}: {said} · {took}{row['seconds']:.1f} s"
            self.console.print(line, highlight=False, soft_wrap=True)

    def skip(self, fits: int) -> None:
        """So many fits will not happen."""
        self.done += fits
        self.bar.update(self.task, completed=self.done)
