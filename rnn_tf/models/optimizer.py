"""The optimizer of the experiments: Adam with clipped gradients, along a cosine."""

import math

import lazy_loader

keras = lazy_loader.load("keras")

LOWEST, HIGHEST = 1e-3, 2e-2  # learning rates


def clipped_adam(rate: float, steps: int):
    """Make Adam with gradients clipped at norm 1 and a rate that falls along a cosine.

    Keras's `clipnorm` clips in each replica, before their gradients are summed; two
    replicas then train otherwise than one device does. This clips the sum. The rate is
    a variable, as it would not be with Keras's `CosineDecay(rate, steps)`: models that
    differ in it alone are compiled once.

    Args:
        rate: learning rate of the first step.
        steps: gradient steps until it is 0.
    """
    share = keras.optimizers.schedules.CosineDecay(1.0, steps)

    class ClippedAdam(keras.optimizers.Adam):
        def update_step(self, gradient, variable, learning_rate):
            norm = keras.ops.sqrt(keras.ops.sum(keras.ops.square(gradient)))
            clipped = gradient / keras.ops.maximum(norm, 1.0)
            now = keras.ops.cast(share(self.iterations), learning_rate.dtype)
            super().update_step(clipped, variable, learning_rate * now)

    return ClippedAdam(rate)


def learning_rate(hp, units: int) -> float:
    """Choose the rate of the first step; by default a wide network begins at a low one.

    0.05 / sqrt(units): at 0.005 one of three GRUs of 400 units was spoilt in its first
    epoch, for good.

    Args:
        hp: hyperparameters, of which it is one.
        units: of the recurrent layers.
    """
    usual = min(max(0.05 / math.sqrt(units), LOWEST), HIGHEST)
    span = {"min_value": LOWEST, "max_value": HIGHEST, "sampling": "log"}
    return hp.Float("learning_rate", **span, default=usual)
