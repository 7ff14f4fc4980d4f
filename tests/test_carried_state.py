"""States that go on from batch to batch, and copies for other batches."""

import keras
import numpy as np
import pytest

from rnn_tf.models import carried_state

TOKENS = np.random.default_rng(1).integers(0, 5, (3, 24)).astype("int32")


def model(layer=keras.layers.GRU, chunk: int = 8, batch: int = 3):
    keras.utils.set_random_seed(1)
    inputs = keras.Input(batch_shape=(batch, chunk), dtype="int32")
    x = keras.layers.Embedding(5, 4)(inputs)
    x = layer(6, return_sequences=True, stateful=True)(x)
    return keras.Model(inputs, keras.layers.Dense(5)(x))


def in_chunks(network, tokens, chunk: int = 8) -> np.ndarray:
    chunks = np.split(tokens, tokens.shape[1] // chunk, axis=1)
    return np.concatenate([network.predict_on_batch(c) for c in chunks], axis=1)


LAYERS = keras.layers.SimpleRNN, keras.layers.GRU, keras.layers.LSTM


@pytest.mark.parametrize("layer", LAYERS)
def test_chunks_with_a_carried_state_are_the_whole_sequence(layer):
    """Would catch a state that is lost, or that goes to another row."""
    network = model(layer)
    inputs = keras.Input((None,), dtype="int32")
    whole = keras.Model(inputs, carried_state.copy(network, inputs, stateful=False))
    assert in_chunks(network, TOKENS) == pytest.approx(
        whole.predict_on_batch(TOKENS), abs=1e-6
    )


def test_reset_begins_anew():
    network = model()
    first = in_chunks(network, TOKENS)
    assert np.abs(in_chunks(network, TOKENS) - first).max() > 1e-3
    carried_state.reset(network)
    assert in_chunks(network, TOKENS) == pytest.approx(first, abs=1e-6)


def test_weights_are_without_states():
    """Would catch a checkpoint that cannot be loaded for another batch."""
    assert len(model().get_weights()) == len(model(batch=7).get_weights()) == 6
    model(batch=7).set_weights(model().get_weights())


@pytest.mark.parametrize("fast", [False, True])
def test_training_resets_before_every_epoch_and_every_evaluation(fast):
    """Would catch a validation score that hangs on what was trained on before it."""
    from rnn_tf.devices import rnn_kernels

    network = model()
    if fast:
        rnn_kernels.use_fast_kernels(network)
    network.compile("sgd", "mse")
    network.optimizer.learning_rate = 0.0
    x, y = TOKENS.reshape(3, 3, 8).transpose(1, 0, 2).reshape(9, 8), np.zeros((9, 8, 5))
    history = network.fit(
        x,
        y,
        batch_size=3,
        epochs=3,
        shuffle=False,
        validation_data=(x, y),
        validation_batch_size=3,
        verbose=0,
        callbacks=carried_state.resets(network),
    ).history
    losses = [*history["loss"], *history["val_loss"]]
    assert losses == pytest.approx([losses[0]] * 6)


def test_copies_of_several_networks_fit_into_one_model():
    """Would catch layers of one name."""
    inputs = keras.Input((None,), dtype="int32")
    outputs = [
        carried_state.copy(model(), inputs, False, name=f"m{n}_") for n in range(2)
    ]
    both = keras.Model(inputs, keras.layers.average(outputs))
    assert both.predict_on_batch(TOKENS).shape == (3, 24, 5)
