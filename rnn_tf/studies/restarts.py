"""Train a network again from the start, over several seeds, compiled once.

XLA takes seconds to compile a recurrent network, more than most small ones train.
"""

from collections.abc import Callable

import lazy_loader
import numpy as np

keras = lazy_loader.load("keras")

COMPILED = True  # by XLA


def compiled(
    model, loss, rate: float, decay: float = 0.0, xla: bool = True
) -> list[np.ndarray]:
    """Compile a network to train by Adam; return the optimizer's variables.

    Args:
        model: built.
        loss: of Keras.
        rate: learning rate.
        decay: of the weights, by step and learning rate (Loshchilov and Hutter, 2019).
        xla: whether XLA compiles it, which pays where training takes long.
    """
    optimizer = keras.optimizers.Adam(rate, weight_decay=decay or None)
    # JAX computes nothing fast without it.
    xla = COMPILED and (xla or keras.config.backend() == "jax")
    model.compile(optimizer, loss, jit_compile=xla)
    optimizer.build(model.trainable_variables)
    return [np.asarray(variable) for variable in optimizer.variables]


def restart(model, build: Callable, blank: list[np.ndarray], seed: int) -> None:
    """Put a network to the start of another seed: as if it had just been built.

    Args:
        model: compiled, trained or not.
        build: makes an equal one with new weights.
        blank: see `compiled`.
        seed: of the weights, and of what the training draws.
    """
    keras.utils.set_random_seed(seed)
    model.set_weights(build().get_weights())
    for variable, value in zip(model.optimizer.variables, blank, strict=True):
        variable.assign(value)
