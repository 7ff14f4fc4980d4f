"""Shared fixtures. Two virtual CPUs, so that replicas can be tested in this process."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnn_tf import strategy
from rnn_tf.data.series import Series

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure():
    """Before anything starts TensorFlow."""
    tf = strategy.import_tensorflow()
    cpu = tf.config.list_physical_devices("CPU")[0]
    parts = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, parts)


def make_series(values, start="2015-01-01", name="made") -> Series:
    """A gapless series of `values`, one a day."""
    values = np.asarray(values, dtype=float)
    dates = np.datetime64(start) + np.arange(len(values))
    return Series(name, "things", dates, values, np.zeros(len(values), bool), "0" * 64)


def run_python(*arguments, timeout=240, **options) -> subprocess.CompletedProcess:
    """Run `python ARGUMENTS` in the project's root, as a user would."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=os.environ | {"COLUMNS": "80"},
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
