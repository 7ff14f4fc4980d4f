"""What every model builder of every experiment must pass.

A test module makes one `Case` per model and calls `check_*` on it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import keras_tuner
import numpy as np
import tensorflow as tf

from rnn_tf.config import RunConfig
from rnn_tf.devices import strategy
from rnn_tf.devices.devices import Devices


@dataclass(frozen=True)
class Case:
    """A builder and a batch of made-up examples that fits it."""

    build: Callable  # hp -> an uncompiled model
    compile_arguments: Callable  # hp -> arguments of `model.compile`
    inputs: Any  # (batch, *shape), or a tuple or dict of such arrays
    targets: np.ndarray  # fitting the model's output
    output_shape: tuple  # without the batch
    parameters: int  # with default hyperparameters, counted by hand
    smooth_loss: str = "mean_squared_error"  # without kinks, for comparing replicas
    change: Callable = lambda model: model  # such as `without_dropout`
    falls: bool = True  # whether the loss on one batch does, at once

    def model(self, seed: int = 1, **compile_options):
        """A compiled model with default hyperparameters."""
        keras.utils.set_random_seed(seed)
        hp = keras_tuner.HyperParameters()
        model = self.change(self.build(hp))
        options = {"jit_compile": keras.config.backend() == "jax"} | compile_options
        model.compile(**self.compile_arguments(hp), **options)
        return model


def without_dropout(model):
    """The same: replicas draw their own dropout, and would not agree."""
    for layer in model.layers:
        if layer.__class__.__name__ == "Dropout":
            layer.rate = 0.0
    return model


def check_shapes_and_parameters(case: Case) -> None:
    """Would catch a lost time axis, or a layer nobody meant to add."""
    model = case.model()
    # Where a state is carried, the batch is of one size.
    assert model.output_shape[0] in (None, len(case.inputs))
    assert model.output_shape[1:] == case.output_shape
    assert model.count_params() == case.parameters


def check_saves_and_loads_in_safe_mode(case: Case, path) -> None:
    """Would catch a Lambda, or a custom layer that a stranger cannot load."""
    model, file = case.model(), path / "model.keras"
    model.save(file)
    loaded = keras.saving.load_model(file, compile=False, safe_mode=True)
    np.testing.assert_allclose(
        loaded.predict(case.inputs, verbose=0),
        model.predict(case.inputs, verbose=0),
        atol=1e-6,
    )


def check_every_weight_learns(case: Case) -> None:
    """Would catch a gradient that does not reach a weight, or a branch never used."""
    model, losses = case.model(), []
    before = model.get_weights()
    for _ in range(30 if case.falls else 3):
        model.reset_metrics()
        losses.append(model.train_on_batch(case.inputs, case.targets)[0])
    for weight, old in zip(model.weights, before, strict=True):
        assert not np.array_equal(keras.ops.convert_to_numpy(weight), old), weight.path
    assert not case.falls or losses[-1] < 0.8 * losses[0]


def check_xla_compiles_and_agrees(case: Case) -> None:
    """Would catch an operation that XLA, and so a TPU, refuses or changes."""
    plain, jitted = case.model(), case.model(jit_compile=True)
    for model in (plain, jitted):
        model.train_on_batch(case.inputs, case.targets)
    np.testing.assert_allclose(
        jitted.predict_on_batch(case.inputs),
        plain.predict_on_batch(case.inputs),
        atol=1e-5,
    )


def check_two_replicas_agree_with_one_device(case: Case) -> None:
    """Would catch a loss that is summed, not averaged, over replicas."""
    one = strategy.start(RunConfig(strategy="cpu"))
    two = strategy.start(RunConfig(strategy="mirrored", replicas=2))
    assert (one.replicas, two.replicas) == (1, 2)
    assert_close(trained(case, two), trained(case, one))


def trained(case: Case, devices: Devices, weights=None) -> list[np.ndarray]:
    """The weights after three steps, from `weights` or from the usual start.

    With plain SGD on a smooth loss: Adam would hide a factor in the gradient, and the
    kink of the absolute error magnifies rounding.
    """
    data = tf.data.Dataset.from_tensor_slices((case.inputs, case.targets))
    data = data.batch(len(keras.tree.flatten(case.inputs)[0]))
    with devices.scope():
        model = case.model()
        model.set_weights(weights or model.get_weights())
        optimizer = keras.optimizers.SGD(0.05)
        model.compile(optimizer, case.smooth_loss, **devices.compile_options(1))
    devices.fit(model, data, None, epochs=3, shuffle=False, verbose=0)
    return model.get_weights()


def assert_close(some: list[np.ndarray], others: list[np.ndarray]) -> None:
    """Weights that differ by rounding alone."""
    for weight, other in zip(some, others, strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-5, atol=1e-5)


def check_bfloat16_is_for_what_lies_between(case: Case) -> None:
    """Would catch an output with three digits, or weights that small steps miss."""
    devices = strategy.start(RunConfig(precision="bfloat16"))
    with devices.scope():
        model = case.model()
    assert "bfloat16" in {layer.compute_dtype for layer in model.layers}
    assert model.output.dtype == "float32"
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"  # of all that follows


def check_every_hyperparameter_matters(case: Case) -> None:
    """Would catch a hyperparameter that never reaches the model or its optimizer."""
    default = keras_tuner.HyperParameters()
    before = _description(case, default)
    assert default.space
    for one in default.space:
        hp = default.copy()
        hp.values[one.name] = _another_value(one, hp.get(one.name))
        assert _description(case, hp) != before, f"{one.name} changes nothing"


def _another_value(one, value):
    if hasattr(one, "values"):
        return next(other for other in one.values if other != value)
    return one.max_value if value != one.max_value else one.min_value


def _description(case: Case, hp) -> str:
    keras.utils.clear_session()  # numbers layers anew, so that names are the same
    model = case.build(hp)
    arguments = case.compile_arguments(hp)
    shapes = [weight.shape for weight in model.weights]
    optimizer = arguments["optimizer"].get_config()
    return repr((model.to_json(), shapes, optimizer, arguments["loss"]))
