"""Measure the memory of truncated backpropagation, in a process of its own.

    python -m rnn_tf.studies.peak_memory simple_rnn 100 1000

prints MiB: the peak while a sequence of 1,000 steps trains in chunks of 100, less what
the process held with its model built. A peak never falls again, so that each setting
needs a new process.
"""

import re
import subprocess
import sys
from pathlib import Path


def peak(cell: str, chunk: int, steps: int) -> float | str:
    """Start a process that trains one sequence in chunks; return its peak in MiB.

    Returns:
        MiB over what was there before training; "" on systems that do not tell.
    """
    module = [sys.executable, "-m", "rnn_tf.studies.peak_memory"]
    words = [*module, cell, str(chunk), str(steps)]
    done = subprocess.run(words, capture_output=True, text=True)
    return float(done.stdout.split()[-1]) if done.returncode == 0 else ""


def main(cell: str, chunk: int, steps: int) -> None:
    """Train in this process, and print the peak."""
    from rnn_tf.studies import truncated_bptt

    model = truncated_bptt.chunk_model(cell, chunk, carried=True)
    data = truncated_bptt.delayed_stream(steps, seed=1)
    before = _memory("VmRSS")
    truncated_bptt.train_by_chunks(model, data, chunk)
    print((_memory("VmHWM") - before) / 1024)


def _memory(name: str) -> int:
    """Read what Linux knows of this process's memory, in KiB: VmRSS now, VmHWM at most.

    `resource` would tell more systems, but counts what a large parent held when it
    started this process.
    """
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+)", status)[1])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
