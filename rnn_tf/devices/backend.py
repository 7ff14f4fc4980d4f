"""Keras's engine, TensorFlow or JAX: asked for by KERAS_BACKEND, imported quietly."""

import contextlib
import importlib.util
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator

import threadpoolctl

from rnn_tf.errors import InputError, warn

# For OpenMP, NumPy's products, and JAX.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC"), "1")
VIRTUAL_CPUS = 2  # replicas by default where there is no GPU
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def requested() -> str:
    """Return tensorflow, or jax if the environment variable KERAS_BACKEND asks for it.

    Raises:
        InputError: it asks for another engine, or JAX is not installed.
    """
    name = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if name not in ("tensorflow", "jax"):
        raise InputError(f"KERAS_BACKEND is {name!r}; it can be tensorflow or jax")
    if name == "jax" and importlib.util.find_spec("jax") is None:
        raise InputError(
            "KERAS_BACKEND is jax, which is not installed; "
            "make jax, or pip install -r requirements-jax.txt"
        )
    return name


def import_tensorflow():
    """Import TensorFlow, and Keras on its engine, without their start-up messages.

    On JAX, TensorFlow is imported to read the data; it leaves GPUs alone.

    Returns:
        The module `tensorflow`.

    Raises:
        InputError: see `requested`.
    """
    # Its errors come as exceptions. What it logs as errors besides is no news, such as
    # that oneDNN does not transpose the mask of a recurrent layer.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = name = requested()
    with _held_ctrl_c(), _muted_stderr():
        import keras

        # A lazily loaded Keras must be loaded before TensorFlow, which imports Keras.
        _ = keras.backend
        import tensorflow as tf

        # The first list of devices searches for CUDA, which writes to stderr too.
        gpus = tf.config.list_physical_devices("GPU")
    if keras.config.backend() != name:
        raise InputError(
            f"KERAS_BACKEND is {name}, but Keras runs on {keras.config.backend()} "
            "already; restart Python"
        )
    if name == "jax":
        hide_gpus(tf, gpus)
    # TensorFlow warns of retracing where one model is trained after another.
    tf.get_logger().setLevel("ERROR")
    return tf


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Have NumPy, SciPy and JAX on a CPU compute with one thread inside.

    On another number of threads, sums are rounded in another order. What is loaded
    already is told, and what is loaded later reads the environment.
    """
    before = dict(os.environ)
    os.environ.update(ONE_THREAD)
    try:
        with threadpoolctl.threadpool_limits(1):
            yield
    finally:
        for name in ONE_THREAD:
            del os.environ[name]
            if name in before:
                os.environ[name] = before[name]


def use_one_thread(tf) -> None:
    """Have each operation of TensorFlow compute with one thread, see `one_thread`."""
    threads = tf.config.threading
    try:
        threads.set_intra_op_parallelism_threads(1)
    except RuntimeError:  # it has started
        if threads.get_intra_op_parallelism_threads() != 1:
            warn(
                "note: TensorFlow runs already, with several threads, so numbers may "
                "differ in their last digits from those of another machine"
            )


def hide_gpus(tf, gpus: list) -> None:
    """Keep TensorFlow off the GPUs.

    Raises:
        InputError: they are in use already.
    """
    try:
        if gpus:
            tf.config.set_visible_devices([], "GPU")
    except RuntimeError:
        raise InputError(
            "TensorFlow is to leave the GPU alone, but uses it already; restart Python"
        ) from None


@contextlib.contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Have layers that are created inside compute in `precision`, a key of POLICIES.

    Their weights are float32.
    """
    import keras

    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(POLICIES[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)


@contextlib.contextmanager
def _muted_stderr() -> Iterator[None]:
    """Hold back what C++ writes to stderr; show it if an import fails."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


@contextlib.contextmanager
def _held_ctrl_c() -> Iterator[None]:
    """Hold Ctrl-C back until the end of what is inside, the loading of libraries.

    Python drops an exception that comes while `import` looks at a module that is loaded
    lazily (CPython's `import_ensure_initialized` clears it), and TensorFlow's start in
    C++ aborts the process.
    """
    pressed = []
    numbers = [signal.SIGINT, signal.SIGTERM]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    handlers = {n: signal.getsignal(n) for n in numbers}
    handlers = {n: handler for n, handler in handlers.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, lambda *signals: pressed.append(signals))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for number, frame in pressed[:1]:
        handlers[number](number, frame)
