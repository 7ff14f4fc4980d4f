"""LSTM, GRU and SimpleRNN with gradients written by hand: the same numbers, sooner.

Keras's layers multiply input and state at every step, and so do the gradients that are
derived from them. Here the loop over the steps does what depends on the step before
and no more: products with the input, gradients of weights and derivatives of gates are
made for all steps at once (Appleyard et al., 2016, "Optimizing performance of recurrent
neural networks on GPUs"). All gates of an LSTM come from one tanh:
sigmoid(x) = (1 + tanh(x / 2)) / 2.

Layers stay Keras's own, so models are saved, loaded and used elsewhere as ever:
`hasten` changes how the layers of one model compute in this process.

Words: a gradient `d_x` is that of the loss by `x`; arrays of all steps lead with time.
"""

import functools

import lazy_loader
import numpy as np

keras = lazy_loader.load("keras")


def hasten(model) -> None:
    """Let the recurrent layers of `model` compute as this module does, where they can.

    They can in float32, with Keras's default activations, a bias and no dropout. Where
    a mask reaches them they compute as before.
    """
    for layer in _layers(model):
        run = _how(layer)
        if run and layer.compute_dtype == "float32":
            layer.inner_loop = functools.partial(_inner_loop, layer, run)


def _layers(model):
    """The layers of a model, those of models and of directions in it one by one."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        elif isinstance(layer, keras.layers.Bidirectional):
            yield from (layer.forward_layer, layer.backward_layer)
        else:
            yield layer


def _how(layer):
    """The function below that computes a layer; None where Keras must."""
    tanh, sigmoid = keras.activations.tanh, keras.activations.sigmoid
    kinds = {
        keras.layers.LSTM: (_lstm, {"recurrent_activation": sigmoid}),
        keras.layers.GRU: (_gru, {"recurrent_activation": sigmoid, "reset_after": 1}),
        keras.layers.SimpleRNN: (_simple_rnn, {}),
    }
    run, needs = kinds.get(type(layer), (None, {}))
    needs |= {"activation": tanh, "use_bias": 1, "unroll": 0}
    needs |= {"dropout": 0, "recurrent_dropout": 0}
    able = run and all(getattr(layer, name) == value for name, value in needs.items())
    return run if able else None


def _inner_loop(layer, run, sequences, initial_state, mask, training=False):
    """What the layer's own `inner_loop` does, by `run`.

    (batch, time, features) -> the last output, (batch, units); all outputs or the last,
    (batch, time or 1, units); the last states, each (batch, units).
    """
    if any(one is not None for one in keras.tree.flatten(mask)):
        own = type(layer).inner_loop
        return own(layer, sequences, initial_state, mask, training=training)
    weights = layer.cell.kernel, layer.cell.recurrent_kernel, layer.cell.bias
    # Tensors: TensorFlow's custom gradients do not take variables.
    kernel, recurrent, bias = map(keras.ops.copy, weights)
    x = keras.ops.transpose(sequences, (1, 0, 2))
    x = keras.ops.flip(x, axis=0) if layer.go_backwards else x
    x = keras.ops.matmul(x, kernel) + (bias[0] if run is _gru else bias)
    weights = (recurrent, bias[1]) if run is _gru else (recurrent,)
    outputs, *states = run(x, weights, initial_state, layer.return_sequences)
    outputs = keras.ops.transpose(outputs, (1, 0, 2))
    return states[0], outputs, states


# ---------------------------------------------------------------- layers
# Each takes the products with the input, (time, batch, gates), the other weights, the
# states, and whether all outputs are asked for. Each gives the outputs, (time, batch,
# units), or the last one of them, and the last states.


def _lstm(x, weights, states, sequences: bool):
    """Hochreiter and Schmidhuber (1997), with forget gates, as Keras has it.

    i, f, o = sigmoid(...), g = tanh(...), c = f * before + i * g, h = o * tanh(c).
    """
    units = x.shape[-1] // 4
    scale = np.repeat(np.array([0.5, 0.5, 1.0, 0.5], "float32"), units)

    @keras.ops.custom_gradient
    def run(x, recurrent, h0, c0):
        def forward(states, inputs):
            (h, c), (x,) = states, inputs
            gates = keras.ops.tanh(scale * (x + keras.ops.matmul(h, recurrent)))
            gates = scale * gates + (1 - scale)
            i, f, g, o = keras.ops.split(gates, 4, axis=-1)
            c = f * c + i * g
            return (o * keras.ops.tanh(c), c), (gates, c)

        (h, c), (gates, cs) = _scan(forward, (h0, c0), [x])
        i, f, g, o = keras.ops.split(gates, 4, axis=-1)
        tanh_c = keras.ops.tanh(cs)
        hs = o * tanh_c

        def gradient(*upstream):
            d_hs, d_h, d_c = _upstream(upstream, sequences, 2)
            beside = keras.ops.concatenate([g, _shifted(c0, cs), i, tanh_c], axis=-1)
            slopes = beside * (scale**2 - (gates - (1 - scale)) ** 2)

            def backward(states, inputs):
                (d_h, d_c), (slopes, through_c, f, *d_out) = states, inputs
                d_h = d_h + d_out[0] if d_out else d_h
                d_c = d_c + d_h * through_c
                d_x = keras.ops.concatenate([d_c, d_c, d_c, d_h], axis=-1) * slopes
                return (_back(d_x, recurrent), d_c * f), (d_x,)

            inputs = [slopes, o * (1 - tanh_c * tanh_c), f, *d_hs]
            (d_h, d_c), (d_x,) = _scan(backward, (d_h, d_c), inputs, reverse=True)
            return d_x, _by_weights(_shifted(h0, hs), d_x), d_h, d_c

        return (hs, h, c) if sequences else (h, c), gradient

    return _with_outputs(run(x, *weights, *states), sequences)


def _gru(x, weights, states, sequences: bool):
    """Cho et al. (2014), the reset gate after the product, as Keras has it.

    z, r = sigmoid(...), g = tanh(x + r * a), h = z * before + (1 - z) * g; a is the
    state's product with its weights, plus a bias.
    """
    units = x.shape[-1] // 3

    @keras.ops.custom_gradient
    def run(x, recurrent, bias, h0):
        def forward(states, inputs):
            (h,), (x,) = states, inputs
            a = keras.ops.matmul(h, recurrent) + bias
            gates = x[:, : 2 * units] + a[:, : 2 * units]
            gates = 0.5 * keras.ops.tanh(0.5 * gates) + 0.5
            z, r = keras.ops.split(gates, 2, axis=-1)
            a = a[:, 2 * units :]
            g = keras.ops.tanh(x[:, 2 * units :] + r * a)
            h = g + z * (h - g)
            return (h,), (gates, a, g, h)

        (h,), (gates, a, g, hs) = _scan(forward, (h0,), [x])

        def gradient(*upstream):
            d_hs, d_h = _upstream(upstream, sequences, 1)
            z, r = keras.ops.split(gates, 2, axis=-1)
            before = _shifted(h0, hs)
            of_g = (1 - z) * (1 - g * g)
            slopes = [z * (1 - z) * (before - g), r * (1 - r) * a * of_g, r * of_g]
            slopes = keras.ops.concatenate(slopes, axis=-1)

            def backward(states, inputs):
                (d_h,), (slopes, z, *d_out) = states, inputs
                d_h = d_h + d_out[0] if d_out else d_h
                d_a = keras.ops.concatenate([d_h, d_h, d_h], axis=-1) * slopes
                return (d_h * z + _back(d_a, recurrent),), (d_h, d_a)

            inputs = [slopes, z, *d_hs]
            (d_h0,), (d_h, d_a) = _scan(backward, (d_h,), inputs, reverse=True)
            d_x = [d_a[..., : 2 * units], d_h * of_g]
            d_x = keras.ops.concatenate(d_x, axis=-1)
            d_bias = keras.ops.sum(d_a, axis=(0, 1))
            return d_x, _by_weights(before, d_a), d_bias, d_h0

        return (hs, h) if sequences else (h,), gradient

    return _with_outputs(run(x, *weights, *states), sequences)


def _simple_rnn(x, weights, states, sequences: bool):
    """Elman (1990): h = tanh(...)."""

    @keras.ops.custom_gradient
    def run(x, recurrent, h0):
        def forward(states, inputs):
            (h,), (x,) = states, inputs
            h = keras.ops.tanh(x + keras.ops.matmul(h, recurrent))
            return (h,), (h,)

        (h,), (hs,) = _scan(forward, (h0,), [x])

        def gradient(*upstream):
            d_hs, d_h = _upstream(upstream, sequences, 1)

            def backward(states, inputs):
                (d_h,), (slopes, *d_out) = states, inputs
                d_x = (d_h + d_out[0] if d_out else d_h) * slopes
                return (_back(d_x, recurrent),), (d_x,)

            inputs = [1 - hs * hs, *d_hs]
            (d_h,), (d_x,) = _scan(backward, (d_h,), inputs, reverse=True)
            return d_x, _by_weights(_shifted(h0, hs), d_x), d_h

        return (hs, h) if sequences else (h,), gradient

    return _with_outputs(run(x, *weights, *states), sequences)


# ---------------------------------------------------------------- pieces


def _with_outputs(found, sequences: bool):
    """Put the last output in front of the last states, where all are not there."""
    return found if sequences else (found[0][None], *found)


def _upstream(gradients, sequences: bool, states: int):
    """The gradients of the outputs, a list of one array or none, and of each state."""
    found = keras.tree.flatten(gradients)  # engines pack them in their own ways
    return found[: len(found) - states], *found[-states:]


def _shifted(first, rest):
    """What there was before each step: (time, batch, units)."""
    return keras.ops.concatenate([first[None], rest[:-1]], axis=0)


def _back(gradient, weights):
    """(batch, gates) -> (batch, units): through the product with the state."""
    return keras.ops.matmul(gradient, keras.ops.transpose(weights))


def _by_weights(before, gradient):
    """(units, gates): summed over all steps and examples, in one product."""
    flat = keras.ops.reshape(before, (-1, before.shape[-1]))
    by = keras.ops.reshape(gradient, (-1, gradient.shape[-1]))
    return keras.ops.matmul(keras.ops.transpose(flat), by)


def _scan(step, states, inputs, reverse: bool = False):
    """Loop over time: `step(states, inputs of a step) -> states, outputs of a step`.

    Args:
        step: the function.
        states: tuple of arrays, to begin with.
        inputs: list of (time, ...).
        reverse: from the last step to the first.

    Returns:
        The last states, and a tuple of outputs, each (time, ...).
    """
    if keras.config.backend() == "jax":
        import jax

        return jax.lax.scan(step, states, inputs, reverse=reverse)
    import tensorflow as tf

    # Not `keras.ops.scan`, whose outputs in TensorFlow must be shaped as the states.
    count = inputs[0].shape[0] or tf.shape(inputs[0])[0]
    arrays = [tf.TensorArray(x.dtype, count).unstack(x) for x in inputs]
    _, first = step(states, [x[0] for x in inputs])
    made = [tf.TensorArray(y.dtype, count, element_shape=y.shape) for y in first]

    def body(number, states, made):
        place = count - 1 - number if reverse else number
        states, outputs = step(states, [array.read(place) for array in arrays])
        pairs = zip(made, outputs, strict=True)
        return number + 1, states, [array.write(place, y) for array, y in pairs]

    _, states, made = tf.while_loop(
        lambda number, *_: number < count,
        body,
        (0, states, made),
        parallel_iterations=1,
        maximum_iterations=count,
    )
    return states, tuple(array.stack() for array in made)
