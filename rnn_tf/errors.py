"""Errors that a command reports in one line, and the exit code of each."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

from rnn_tf.text import printable, shorten

LINE = 1_000  # characters of a message, at most


class InputError(ValueError):
    """What the user can mend: one line on stderr, no traceback, exit code 2."""


class DiskError(InputError):
    """A folder that cannot be written to: it is full, or not ours, or no folder."""


class RunError(RuntimeError):
    """A run that cannot go on though the input is right: one line, exit code 1."""


def first_line(error: Exception) -> str:
    """Write the kind of an error and the first line of its text, cut to 200."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def warn(line: str) -> None:
    """Print one line to stderr, whatever text of people's files it holds."""
    print(shorten(printable(line), LINE), file=sys.stderr)


def exit_code(work) -> int:
    """Call `work` and print its InputError, RunError or Ctrl-C as one line on stderr.

    The signals that end a process politely, SIGTERM and SIGHUP, are as Ctrl-C: what was
    begun is put away.

    Returns:
        0; 2 for bad input; 1 for a failed run; 130 after Ctrl-C, 143 after SIGTERM.
    """
    received = []
    with _lasting_output(), ended_politely(received):
        try:
            work()
        except (InputError, RunError) as error:
            warn(f"error: {error}")
            return 2 if isinstance(error, InputError) else 1
        except KeyboardInterrupt as stop:
            says = f"interrupted{': ' + str(stop) if str(stop) else ''}"
            print(file=sys.stderr)
            warn(says)
            return 128 + (received or [signal.SIGINT])[0]
    return 0


@contextlib.contextmanager
def ended_politely(received: list[int] | None = None) -> Iterator[None]:
    """Raise KeyboardInterrupt for SIGTERM and SIGHUP too.

    What is ignored stays so: under nohup, SIGHUP.

    Args:
        received: takes the number of the signal that came.
    """

    def interrupt(number, _):
        if received is not None:
            received.append(number)
        raise KeyboardInterrupt

    names = "SIGTERM", "SIGHUP"  # Windows has no SIGHUP
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    numbers = [n for n in numbers if signal.getsignal(n) == signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def report_ctrl_c() -> None:
    """Report a Ctrl-C that comes while a program's modules are imported, in one line.

    To be called by the package of a program, which is imported before all else.
    """
    shown = sys.excepthook

    def show(kind, error, traceback):
        if not issubclass(kind, KeyboardInterrupt):
            return shown(kind, error, traceback)
        print("\ninterrupted", file=sys.stderr, flush=True)
        os._exit(130)

    sys.excepthook = show


class _LastingStream:
    """A text stream whose writer goes on when its reader ends or the disk is full.

    Characters that its encoding lacks become question marks.
    """

    def __init__(self, stream):
        self._stream = stream

    def __getattr__(self, name: str):
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        encoding = self._stream.encoding or "utf-8"
        self._try(self._stream.write, text.encode(encoding, "replace").decode(encoding))
        return len(text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, method, *arguments) -> None:
        try:
            method(*arguments)
        except OSError:  # from now on into nowhere, what Python does at exit too
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
                os.dup2(nowhere.fileno(), self._stream.fileno())


@contextlib.contextmanager
def _lasting_output() -> Iterator[None]:
    """Let nothing that is printed inside end the work; see `_LastingStream`."""
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (s and _LastingStream(s) for s in streams)
    try:
        yield
    finally:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        sys.stdout, sys.stderr = streams
