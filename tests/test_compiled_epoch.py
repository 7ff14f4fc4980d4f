"""A whole epoch as one program: the weights, scores and order of batch after batch.

`KERAS_BACKEND=jax pytest tests/test_compiled_epoch.py` does so on JAX; CI runs both.
"""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from experiments import forecast
from rnn_tf.config import RunConfig
from rnn_tf.data import order as orders
from rnn_tf.data.order import Order
from rnn_tf.data.series import periods, windows
from rnn_tf.devices import compiled_epoch, rnn_kernels, strategy
from rnn_tf.models.optimizer import clipped_adam
from rnn_tf.recipe import fit
from tests.conftest import make_series

BATCH, EPOCHS = 16, 3


@pytest.fixture
def cut():
    """A noisy weekly series of 280 days: 11 batches of training windows."""
    random = np.random.default_rng(1)
    week = np.tile([5.0, 6, 6, 6, 5, 3, 2], 40)
    made = make_series(week + random.normal(0, 0.3, size=280))
    return windows.Windows(made, periods.by_share(280), 14, 7)


# A stand-in for the model, which says how windows are cut.
LIKE = SimpleNamespace(input_shape=(None, 14, 1), output_shape=(None, 7))


def steps_of(cut) -> int:
    return len(cut.origins["train"]) // BATCH


def model_of(fast: bool):
    """An LSTM, compiled as the forecast is."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((14, 1))
    model = keras.Model(inputs, keras.layers.Dense(7)(keras.layers.LSTM(8)(inputs)))
    if fast:
        rnn_kernels.use_fast_kernels(model)
    score = keras.metrics.MeanMetricWrapper(forecast.last_step_mae, name="score")
    optimizer = clipped_adam(0.01, 33)
    model.compile(optimizer, "mean_absolute_error", metrics=[score], jit_compile=True)
    return model


def batch_by_batch(cut) -> tuple[list, dict]:
    """The weights and the history of Keras's own layers and `fit`."""
    model, order = model_of(False), Order(1)
    anew = keras.callbacks.LambdaCallback(on_epoch_begin=order.begin)
    history = model.fit(
        cut.dataset("train", LIKE, BATCH, order),
        validation_data=cut.dataset("validation", LIKE, 500),
        epochs=EPOCHS, shuffle=False, callbacks=[anew], verbose=0,
    )  # fmt: skip
    return model.get_weights(), history.history


def by_whole_epochs(cut, model, first: int = 0) -> tuple[list, dict]:
    """The same, from epoch `first` on."""
    train = cut.dataset("train", LIKE, BATCH, Order(1, first), orders.stacked)
    compiled_epoch.fit(
        model,
        train,
        steps_of(cut),
        validation_data=cut.dataset("validation", LIKE, 500),
        initial_epoch=first,
        epochs=EPOCHS,
        shuffle=False,
        verbose=0,
    )
    return model.get_weights(), model.history.history


def test_weights_and_scores_are_those_of_batch_after_batch(cut):
    """Would catch a batch that is skipped, or a gradient by hand that leads elsewhere.

    Both levers at once: what a run has, against what Keras does as it is.
    """
    weights, history = batch_by_batch(cut)
    fast, scores = by_whole_epochs(cut, model_of(True))
    for one, other in zip(fast, weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    assert list(scores) == list(history)
    for name, values in history.items():
        np.testing.assert_allclose(scores[name], values, rtol=1e-5)


def test_a_second_seed_goes_through_the_same_program(cut):
    """Would catch seeds that are compiled anew, which costs seconds each."""
    job = SimpleNamespace(devices=strategy.start(RunConfig()))
    model = model_of(True)
    blank = fit.optimizer_state(job, model)
    first, _ = by_whole_epochs(cut, model)
    program = model.train_function
    fit.reset(model, model_of(True), blank)
    again, _ = by_whole_epochs(cut, model)
    assert model.train_function is program
    for one, other in zip(again, first, strict=True):
        np.testing.assert_array_equal(one, other)


def arrays(dataset, count: int) -> list[np.ndarray]:
    """So many elements' targets."""
    return [y for _, y in dataset.take(count).as_numpy_iterator()]


def test_stacks_hold_the_batches_of_each_epoch_in_turn(cut):
    """Would catch an order that repeats, or another one than without stacks."""
    stacks = arrays(cut.dataset("train", LIKE, BATCH, Order(1, 4), orders.stacked), 2)
    for epoch, stack in enumerate(stacks, start=4):
        plain = arrays(cut.dataset("train", LIKE, BATCH, Order(1, epoch)), -1)
        np.testing.assert_array_equal(stack, np.stack(plain))
    assert not np.array_equal(*stacks)


def test_a_model_of_two_inputs_trains_by_whole_epochs():
    """Would catch stacks that hold one array in, as a translation's do not."""

    def cut(which):
        x = tf.cast(which[:, None], "float32") / 32
        return {"a": x, "b": 2 * x}, 3 * x

    def model():
        keras.utils.set_random_seed(1)
        a, b = (keras.Input((1,), name=name) for name in "ab")
        both = keras.ops.concatenate([a, b], axis=-1)
        model = keras.Model({"a": a, "b": b}, keras.layers.Dense(1)(both))
        model.compile("sgd", "mse", jit_compile=True)
        return model

    plain, whole, order = model(), model(), Order(1)
    plain.fit(orders.shuffled(32, 8, order, cut), shuffle=False, verbose=0)
    stacks = orders.stacked(32, 8, order, cut)
    compiled_epoch.fit(whole, stacks, 4, shuffle=False, verbose=0)
    for one, other in zip(plain.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_large_epochs_are_several_stacks(cut, monkeypatch):
    """Would catch memory that grows with the series."""
    one = BATCH * (14 + 7) * 4  # bytes of a batch
    monkeypatch.setattr(orders, "STACK", 7 * one)
    parts = periods.Periods((0, 212), (212, 240), (240, 280))
    cut = windows.Windows(cut.series, parts, 14, 7)
    assert steps_of(cut) == 12
    dataset = cut.dataset("train", LIKE, BATCH, Order(1, 2), orders.stacked)
    assert dataset.element_spec[0].shape == (6, BATCH, 14, 1)  # 6, as 7 is no divisor
    found = arrays(dataset, 4)
    for number, epoch in enumerate((2, 3)):
        plain = arrays(cut.dataset("train", LIKE, BATCH, Order(1, epoch)), -1)
        both = np.concatenate(found[2 * number : 2 * number + 2])
        np.testing.assert_array_equal(both, np.stack(plain))
