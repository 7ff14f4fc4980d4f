"""Several workers that train in step: connect them, send bytes, name a lost one.

TensorFlow's heartbeats notice a worker that is killed or stops answering: the others
had an error within 23 s, measured with TensorFlow 2.21 on one machine.
"""

import contextlib
import faulthandler
import re
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from rnn_tf.devices.mirrored import override_keras, share
from rnn_tf.devices.tf_config import Cluster
from rnn_tf.errors import RunError

CONNECTING = 60  # seconds that TensorFlow may take, once all workers have met
LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


class WorkersStrategy(tf.distribute.MultiWorkerMirroredStrategy):
    """The replicas of all workers, with batches cut up by `mirrored.share`."""

    def __init__(self, cluster: Cluster):
        super().__init__()
        self.cluster = cluster

    def experimental_distribute_dataset(self, dataset, options=None):
        """Cut out what this worker's replicas train on, of a `tf.data.Dataset`."""
        local = self.num_replicas_in_sync // self.cluster.workers
        return share(self, dataset, self.cluster.index * local, local)


# ---------------------------------------------------------------- start


def start(cluster: Cluster) -> WorkersStrategy:
    """Connect TensorFlow with that of the other workers, who have all met.

    Raises:
        InputError: this version of Keras was not tried.
        RunError: a worker has gone since.
    """
    override_keras()
    # TensorFlow waits for a worker without end, and lets nothing else run in Python.
    faulthandler.dump_traceback_later(CONNECTING, exit=True)
    try:
        with short_errors(cluster, ""):
            return WorkersStrategy(cluster)
    finally:
        faulthandler.cancel_dump_traceback_later()


# ---------------------------------------------------------------- between workers


def from_chief(strategy: WorkersStrategy, data: bytes | None) -> bytes | None:
    """Send the chief's `data` to all workers, who call this in step; return it.

    It is sent as a sum over all workers, to which the others add zeros.
    """
    own = np.frombuffer(data or b"", "uint8") if strategy.cluster.chief else ()
    size = (-1 if data is None else len(data)) if strategy.cluster.chief else 0
    length = _sum(strategy, np.array([size]))[0]
    if length <= 0:  # TensorFlow crashes on a sum of nothing
        return None if length < 0 else b""
    padded = np.zeros(length + -length % 4, "uint8")  # GPUs do not sum single bytes
    padded[: len(own)] = own
    return _sum(strategy, padded.view("int32")).tobytes()[:length]


def _sum(strategy, values: np.ndarray) -> np.ndarray:
    """Sum int32 values over all workers."""
    own = tf.constant(values, tf.int32)
    return strategy.reduce(tf.distribute.ReduceOp.SUM, own, axis=None).numpy()


@contextlib.contextmanager
def short_errors(cluster: Cluster, run_id: str) -> Iterator[None]:
    """Turn TensorFlow's error about a worker that is gone into one line.

    Raises:
        RunError: a worker is gone, or TensorFlow failed on this one, which the others
            cannot know: it must not go on without them.
    """
    try:
        yield
    except tf.errors.OpError as error:
        message = str(error)
        if not isinstance(error, LOST) and "ollective ops" not in message:
            first = f"{type(error).__name__}: {error.message}".splitlines()[0]
            raise RunError(f"TensorFlow failed on this worker ({first})") from error
        again = f" with --resume {run_id}" if run_id else ""
        raise RunError(
            f"{_missing(cluster, message)} is gone: killed, or it does not answer; "
            f"look at its own messages, and start all workers again{again}"
        ) from error


def _missing(cluster: Cluster, message: str) -> str:
    """Name the worker that an error of TensorFlow is about."""
    if "CoordinationService/" in message:
        return cluster.name(0)
    tasks = re.findall(r"/job:(chief|worker)/(?:replica:0/)?task:(\d+)", message)
    places = {cluster.place(job, int(task)) for job, task in tasks} - {cluster.index}
    return cluster.name(places.pop()) if len(places) == 1 else "another worker"
