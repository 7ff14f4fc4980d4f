"""Start commands, and time them."""

import subprocess
import sys
import time
from functools import partial

from benchmarks.contest import Contender, Work


def command(*arguments: str):
    """Run Python with these arguments."""

    def run_round() -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        return 1 / (time.perf_counter() - started)

    return run_round


HELP = "-m", "experiments.forecast", "--help"
IMPORT = "from rnn_tf.devices import backend; backend.import_tensorflow()"
WORKS = (
    Work(
        "start",
        "starts/s",
        (
            Contender("Python alone", partial(command, "-c", "pass")),
            Contender("help of an experiment", partial(command, *HELP)),
            Contender("with TensorFlow", partial(command, "-c", IMPORT)),
        ),
    ),
)
