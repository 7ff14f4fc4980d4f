"""Errors that a command tells in one line, and the exit code of each."""

import sys


class InputError(ValueError):
    """Something the user can mend: one line on stderr, exit code 2, no traceback."""


class RunError(RuntimeError):
    """A run that cannot go on, through no fault of the input: one line, exit code 1."""


def exit_code(work) -> int:
    """Do the work, and turn what the user can mend into one line on stderr.

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
