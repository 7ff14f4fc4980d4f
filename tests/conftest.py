"""Shared fixtures. Two virtual CPUs, so that replicas can be tested in this process."""

import functools
import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import sklearn.ensemble
from hypothesis import HealthCheck, settings

from rnn_tf.config import RunConfig
from rnn_tf.data import download
from rnn_tf.data.series.daily import Series
from rnn_tf.devices import backend, strategy
from rnn_tf.devices.workers import available_memory
from rnn_tf.metrics import intervals
from rnn_tf.runs import run_folder
from tests.browser import start

ROOT = Path(__file__).resolve().parent.parent
GIB = 2**30
# What one of two processes of `make test` grows to, because TensorFlow keeps all that
# XLA compiles. One of many compiles less, and needs less.
WORKER_MEMORY = 5 * GIB


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config) -> int:
    """Say how many processes `-n auto` is, see `workers`."""
    return workers(usable_cores(), available_memory())


def workers(cores: int, memory: float) -> int:
    """Count the processes that a machine runs at a time: at least one.

    Args:
        cores: that the tests may use.
        memory: bytes that are free.
    """
    return max(1, int(min(cores, memory // WORKER_MEMORY)))


def usable_cores() -> int:
    """Count the cores that this process may use, which may be less than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS


def pytest_configure():
    """Set up two virtual CPUs, before anything starts TensorFlow; one job at a time.

    Runs that want worker processes say so by --jobs; a test waits for them to start.
    """
    os.environ["LOKY_MAX_CPU_COUNT"] = "1"
    tf = backend.import_tensorflow()
    backend.use_one_thread(tf)
    cpu = tf.config.list_physical_devices("CPU")[0]
    parts = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, parts)
    # By default Hypothesis reads the clock: it fails what takes over 0.2 s, as anything
    # may on a busy machine. And its examples share a folder, where each has its file.
    allowed = HealthCheck.too_slow, HealthCheck.function_scoped_fixture
    settings.register_profile("ours", deadline=None, suppress_health_check=allowed)
    settings.load_profile("ours")
    if backend.requested() == "jax":  # KERAS_BACKEND=jax pytest tests/test_models.py
        strategy.start(RunConfig(strategy="mirrored", replicas=2))


def make_series(values, start="2015-01-01", name="made") -> Series:
    """Make a gapless series of `values`, one a day."""
    values = np.asarray(values, dtype=float)
    dates = np.datetime64(start) + np.arange(len(values))
    return Series(name, "things", dates, values, np.zeros(len(values), bool), "0" * 64)


def take_ctrl_c() -> None:
    """Have a child process take Ctrl-C: the `preexec_fn` of those that tests send it.

    A script's background, where CI may run, ignores SIGINT, and children inherit that.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run_python(
    *arguments, timeout=240, env=None, **options
) -> subprocess.CompletedProcess:
    """Run `python ARGUMENTS` in the project's root, as a user would.

    `env` is added to the environment.
    """
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=os.environ | {"COLUMNS": "80"} | (env or {}),
        **options,
    )


@pytest.fixture
def csv_file(tmp_path):
    """Write the text of a CSV file and return its path."""

    def write(text: str | bytes, name: str = "series.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Keep what a test downloads or decodes in a folder of its own."""
    monkeypatch.setattr(download, "cache", lambda: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def quick_scores():
    """Boost a few times and draw a few times, for what a small run leaves behind.

    Trees and intervals take half of the time of such a run. Whether they are any good
    is for the tests of their own.
    """
    trees = sklearn.ensemble.HistGradientBoostingRegressor
    few_trees = functools.partial(trees, max_iter=3)
    few_draws = functools.partial(intervals.block_interval, draws=100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sklearn.ensemble, trees.__name__, few_trees)
        patch.setattr(intervals, "block_interval", few_draws)
        yield


@pytest.fixture(scope="module")
def browser():
    """The system's Chromium."""
    with start() as started:
        yield started


def make_run(root, low=-5.0, high=-1.0, naive=50, **info) -> Path:
    """Write a finished run of one baseline and one model with three seeds."""
    with run_folder.open_run(root, "made", {}) as run:
        known = {"headline": "mae", "best_baseline": "naive", "chosen": "gru"}
        data = {"source": "cta", "sha256": "1"}
        run.record(**known | {"data": data} | info)
        base = {"split": "test", "metric": "mae", "slice": "", "unit": "rides", "n": 9}
        rows = [
            base | {"model": "naive", "kind": "baseline", "seed": "", "value": naive}
        ]
        for seed, value in ((1, 46), (2, 47), (3, 48)):
            row = {"model": "gru", "kind": "tuned", "seed": seed, "value": value}
            rows.append(base | row)
        for model, kind, value, ends in (
            ("naive", "baseline", 0, (0, 0)), ("gru", "tuned", -3, (low, high)),
        ):  # fmt: skip
            row = base | {"model": model, "kind": kind, "seed": ""}
            mean = {"metric": "mae_mean", "value": 50 + value, "low": 40, "high": 60}
            difference = {"metric": "mae_difference", "slice": "naive", "value": value}
            rows += [row | mean]
            rows += [row | difference | {"low": ends[0], "high": ends[1]}]
        run.add("metrics", rows)
        final = {"model": "gru", "phase": "final", "parameters": 7, "seconds": 2.5}
        run.add("trials", [final, final | {"phase": "search", "seconds": 99}])
    return run.path


def write_video(
    path: Path, frames, fps: int = 12, codec: str = "mpeg4", pix: str = "", **options
):
    """Write frames (frames, height, width, 3) uint8 to a video file, by PyAV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=fps)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix or ("yuvj420p" if codec == "mjpeg" else "yuv420p")
        stream.bit_rate = 4_000_000
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode())
    return path


def grey_frames(count: int, width: int = 64, height: int = 48, start: int = 0):
    """Make frames whose brightness tells their number: 5 more each, from `start`."""
    values = np.arange(start, start + 5 * count, 5).astype("uint8")
    return np.broadcast_to(
        values[:, None, None, None], (count, height, width, 3)
    ).copy()
