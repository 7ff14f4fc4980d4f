"""Damage copies of a sound file and have a process of its own read them all.

Every end must be a result or an InputError of one line; no copy may take long, or fill
the memory. The process is new, so that its memory is the reader's alone.
"""

import multiprocessing
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rnn_tf.errors import InputError

COPIES = 1_000
SECONDS, GIB = 20, 2**30
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Outcome:
    """What came of the damaged copies of one file."""

    results: int  # read, whatever they gave
    refusals: int  # an InputError of one line
    failures: tuple[str, ...]  # anything else, with the seed that repeats it
    slowest: float  # seconds of one copy
    growth: int  # bytes that the process grew by


def damaged(content: bytes, seed: int) -> bytes:
    """Return `content` with the damage of `seed`: of one kind, or of several.

    Bytes changed, a stretch zeroed, lost, doubled or filled by chance, the end cut off,
    a number of four bytes made huge.
    """
    chance, content = random.Random(seed), bytearray(content)
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        start = chance.randrange(len(content) + 1)
        end = min(len(content), start + chance.choice([1, 4, 16, 256, 4096]))
        kind = chance.randrange(7)
        if kind == 0:
            content[start : start + 1] = chance.randbytes(1)
        elif kind == 1:
            content[start:end] = bytes(end - start)
        elif kind == 2:
            del content[start:end]
        elif kind == 3:
            content[start:start] = content[start:end]
        elif kind == 4:
            content[start:end] = chance.randbytes(end - start)
        elif kind == 5:
            del content[start:]
        else:
            content[start : start + 4] = chance.choice([b"\x7f", b"\xff"]) * 4
    return bytes(content)


def read_damaged(
    read: Callable[[Path], object], path: Path, copies: int = COPIES
) -> Outcome:
    """Read damaged copies of the sound file `path`, which they replace in turn.

    Args:
        read: a function of a module; the process imports it. It reads the file wholly.
        path: the sound file; it is there again afterwards.
        copies: how many, with the seeds 0 to this.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(_read_all, read, path, copies).result()


def assert_sturdy(read: Callable[[Path], object], path: Path, copies: int = COPIES):
    """Check that no damaged copy of `path` does harm; see `read_damaged`."""
    outcome = read_damaged(read, path, copies)
    assert not outcome.failures, "\n\n".join(outcome.failures[:3])
    assert outcome.refusals, "no copy was refused: the damage does not reach the reader"
    assert outcome.slowest < SECONDS
    assert outcome.growth < GIB


def _read_all(read, path: Path, copies: int) -> Outcome:
    sound, failures, counts, slowest = path.read_bytes(), [], [0, 0], 0.0
    read(path)  # a sound file is read, and what the reader imports is there
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for seed in range(copies):
        path.write_bytes(damaged(sound, seed))
        started = time.perf_counter()
        refused, failure = _read(read, path)
        slowest = max(slowest, time.perf_counter() - started)
        if failure:
            failures.append(f"seed {seed}: {failure}")
        counts[refused] += 1
    path.write_bytes(sound)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    growth = (after - before) * MAXRSS_UNIT
    return Outcome(*counts, tuple(failures), slowest, growth)


def _read(read, path: Path) -> tuple[bool, str]:
    """Read one copy; whether it was refused, and what went wrong otherwise."""
    signal.alarm(2 * SECONDS)  # a reader that hangs ends the process, and the test
    try:
        read(path)
    except InputError as error:
        return True, "" if "\n" not in str(error) else f"lines: {error!r}"
    except BaseException:
        return False, traceback.format_exc()
    finally:
        signal.alarm(0)
    return False, ""
