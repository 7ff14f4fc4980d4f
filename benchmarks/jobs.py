"""Whole runs with one job and with two at a time; what the second one costs to start.

Each round is a run from nothing, in a process of its own: libraries, data, baselines,
test and pictures included. Full size, but for fewer models, and fewer epochs of
drawings and clips.
"""

import subprocess
import sys
import tempfile
import time
from functools import partial

from benchmarks.contest import Contender, Work

FULL = "--size full --trials 0".split()
RUNS = {
    "forecast, GRU and LSTM, 5 seeds": (
        "forecast",
        "--models gru lstm --no-classical".split(),
    ),
    "sketch, conv_lstm and conv_bilstm, 3 seeds": (
        "sketch",
        "--models conv_lstm conv_bilstm --doodles 8000 --epochs 15".split(),
    ),
    "video, cnn_lstm and conv3d, 3 seeds": (
        "video",
        "--models cnn_lstm conv3d --digits 6000 --epochs 10".split(),
    ),
    "start: forecast, MLP, 2 seeds of one epoch": (
        "forecast",
        "--models mlp --no-classical --seeds 2 --epochs 1".split(),
    ),
}


def run(experiment: str, options: list[str], jobs: int):
    """Run an experiment as a user does."""

    def run_round() -> float:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", f"experiments.{experiment}", *FULL]
            command += [*options, "--jobs", str(jobs), "--results", folder]
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            return 60 / (time.perf_counter() - started)

    return run_round


WORKS = tuple(
    Work(
        name,
        "runs/minute",
        (
            Contender("one job at a time", partial(run, *what, 1)),
            Contender("two jobs at a time", partial(run, *what, 2)),
        ),
        rounds=3,
        warm_up=False,
    )
    for name, what in RUNS.items()
)
