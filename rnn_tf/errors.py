"""Errors that a command reports in one line, and the exit code of each."""

import sys


class InputError(ValueError):
    """What the user can mend: one line on stderr, no traceback, exit code 2."""


class RunError(RuntimeError):
    """A run that cannot go on though the input is right: one line, exit code 1."""


def exit_code(work) -> int:
    """Call `work` and print its InputError, RunError or Ctrl-C as one line on stderr.

    Returns:
        0; 2 for bad input; 1 for a failed run; 130 after Ctrl-C.
    """
    try:
        work()
    except (InputError, RunError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    except KeyboardInterrupt as stop:
        print(f"\ninterrupted{': ' + str(stop) if str(stop) else ''}", file=sys.stderr)
        return 130
    return 0
