"""Networks whose state goes on from batch to batch, and copies of them.

A layer with `stateful=True` keeps its last state, row by row, for the next batch: that
is truncated backpropagation through time (Williams and Peng, 1990). Keras holds the
states apart from the weights, so a copy for another batch takes the weights alone.
"""

import lazy_loader

keras = lazy_loader.load("keras")


def reset(model) -> None:
    """Put the carried states of a model back to zero."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.RNN) and layer.stateful:
            layer.reset_state()


def resets(model) -> list:
    """Make the Keras callbacks that reset the states before every pass over a part."""

    def begin(*_):
        reset(model)

    return [keras.callbacks.LambdaCallback(on_epoch_begin=begin), _before_tests(begin)]


def _before_tests(begin):
    callback = keras.callbacks.Callback()
    callback.on_test_begin = begin
    return callback


def copy(model, inputs, stateful: bool, name: str = ""):
    """Copy a model with its weights, for other inputs; return the copy's outputs.

    Args:
        model: of layers, not of models.
        inputs: `keras.Input`, of another batch size or length than the model's.
        stateful: whether the copy's recurrent layers carry their state.
        name: goes before the names of its layers.
    """

    def layer_copy(layer):
        options = layer.get_config() | {"name": f"{name}{layer.name}"}
        if isinstance(layer, keras.layers.RNN):
            options["stateful"] = stateful
        return type(layer).from_config(options)

    twin = keras.models.clone_model(
        model, input_tensors=inputs, clone_function=layer_copy
    )
    twin.set_weights(model.get_weights())
    return twin.output
