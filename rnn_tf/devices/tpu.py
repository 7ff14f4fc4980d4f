"""A TPU on the TensorFlow engine. It was never tried: no TPU was available.

Training batches have a static size, and a static shape; drawings have a few shapes, one
for each length. The last batch for validation may be smaller: `TPUStrategy` pads it
(its option `experimental_enable_dynamic_batch_size`, on by default).
"""

import contextlib
import textwrap
from collections.abc import Iterator

import tensorflow as tf

from rnn_tf.errors import InputError, RunError

BY_JAX = (
    "take the JAX engine for TPUs: make jax, and the same command with "
    "KERAS_BACKEND=jax before it"
)


def start() -> tuple[tuple[str, ...], tf.distribute.Strategy]:
    """Start this machine's TPU.

    Returns:
        The names of its cores, and the strategy that trains on them.

    Raises:
        InputError: there is no TPU, or TensorFlow cannot start it.
    """
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver("local")
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        strategy = tf.distribute.TPUStrategy(resolver)
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        raise InputError(
            f"--strategy tpu, but TensorFlow starts none ({_shorten(error)}); {BY_JAX}"
        ) from None
    cores = tuple(core.name for core in tf.config.list_logical_devices("TPU"))
    return cores, strategy


@contextlib.contextmanager
def short_errors() -> Iterator[None]:
    """Turn what fails inside into an error of one line, which names the way out.

    Keras 3 is reported to fail under `TPUStrategy` (keras#19448), in several ways.
    """
    try:
        yield
    except (InputError, RunError):
        raise
    except Exception as error:
        raise RunError(
            f"TensorFlow failed on the TPU ({_shorten(error)}); {BY_JAX}"
        ) from error


def _shorten(error: Exception) -> str:
    return textwrap.shorten(f"{type(error).__name__}: {error}", 120, placeholder=" ...")
