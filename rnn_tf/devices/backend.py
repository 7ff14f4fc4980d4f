"""Keras's engine, TensorFlow or JAX: chosen by the environment, imported quietly."""

import contextlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator

from rnn_tf.errors import InputError

VIRTUAL_CPUS = 2  # replicas by default where there is no GPU
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def requested() -> str:
    """What Keras runs on: tensorflow, or jax if the environment says KERAS_BACKEND=jax.

    Raises:
        InputError: it names another, or JAX is not installed.
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
    """TensorFlow, and Keras on its engine, without the start-up noise.

    On JAX, TensorFlow is there to read the data; it leaves GPUs alone.

    Raises:
        InputError: see `requested`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = name = requested()
    with _muted_stderr():
        import keras

        # A lazily loaded Keras must be whole before TensorFlow, which imports Keras.
        _ = keras.backend
        import tensorflow as tf

        # Starts the device list, whose search for CUDA is part of the noise.
        gpus = tf.config.list_physical_devices("GPU")
    if keras.config.backend() != name:
        raise InputError(
            f"KERAS_BACKEND is {name}, but Keras runs on {keras.config.backend()} "
            "already; restart Python"
        )
    if name == "jax":
        hide_gpus(tf, gpus)
    tf.get_logger().setLevel("ERROR")  # one model after another is no retracing
    return tf


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
    """Layers that are made inside compute in so many bits; weights are float32."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(POLICIES[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextlib.contextmanager
def _muted_stderr() -> Iterator[None]:
    """Hold back what C++ writes to stderr; show it after all if an import fails."""
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
