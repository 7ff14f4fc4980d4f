"""LSTM, GRU and SimpleRNN with gradients written by hand: Keras's numbers, faster.

Keras's layers multiply input and state at every step, and so do the gradients that are
derived from them. Here the loop over the steps computes only what depends on the step
before: products with the input, gradients of weights and derivatives of gates are
computed for all steps at once (Appleyard et al., 2016, "Optimizing performance of
recurrent neural networks on GPUs"). All gates of an LSTM come from one tanh:
sigmoid(x) = (1 + tanh(x / 2)) / 2.

Layers stay Keras's own, so models are saved, loaded and used elsewhere as before:
`use_fast_kernels` changes how the layers of one model compute in this process. The
formulas alone, without gradients, are in `rnn_tf.studies.layer_shapes`.

Names: `d_x` is the gradient of the loss with respect to `x`. Arrays of all steps have
time as their first axis.
"""

import functools

import lazy_loader
import numpy as np

keras = lazy_loader.load("keras")


def use_fast_kernels(model, compiled: bool = False) -> None:
    """Have the recurrent layers of `model` compute as this module does, where possible.

    It is possible in float32, with Keras's default activations, a bias and no dropout.
    Where a mask reaches them they compute as Keras does.

    Args:
        model: built, of any layers.
        compiled: have XLA compile these layers alone, on TensorFlow: for a model that
            is slower when XLA compiles all of it.
    """
    for layer in _layers(model):
        cell = _cell(layer)
        if cell and layer.compute_dtype == "float32":
            layer.inner_loop = functools.partial(_inner_loop, layer, cell, compiled)


def _layers(model):
    """Yield the layers of a model, also those in nested models and Bidirectional."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        elif isinstance(layer, keras.layers.Bidirectional):
            yield from (layer.forward_layer, layer.backward_layer)
        else:
            yield layer


def _cell(layer):
    """Choose the functions below that compute a layer; None where Keras must."""
    sigmoid = {"recurrent_activation": keras.activations.sigmoid}
    kinds = {
        keras.layers.LSTM: ((_lstm, _lstm_gradient), sigmoid),
        keras.layers.GRU: ((_gru, _gru_gradient), sigmoid | {"reset_after": True}),
        keras.layers.SimpleRNN: ((_simple_rnn, _simple_rnn_gradient), {}),
    }
    cell, needs = kinds.get(type(layer), (None, {}))
    needs |= {"activation": keras.activations.tanh, "use_bias": True, "unroll": False}
    needs |= {"dropout": 0, "recurrent_dropout": 0}
    fits = cell and all(getattr(layer, name) == value for name, value in needs.items())
    return cell if fits else None


def _inner_loop(layer, cell, compiled, sequences, initial_state, mask, training=False):
    """Compute what the layer's own `inner_loop` does, by `cell`.

    (batch, time, features) -> the last output, (batch, units); all outputs or the last,
    (batch, time or 1, units); the last states, each (batch, units).
    """
    if any(part is not None for part in keras.tree.flatten(mask)):
        keras_loop = type(layer).inner_loop
        return keras_loop(layer, sequences, initial_state, mask, training=training)
    weights = layer.cell.kernel, layer.cell.recurrent_kernel, layer.cell.bias
    # Tensors: TensorFlow's custom gradients do not take variables.
    kernel, recurrent, bias = map(keras.ops.copy, weights)
    x = keras.ops.transpose(sequences, (1, 0, 2))
    x = keras.ops.flip(x, axis=0) if layer.go_backwards else x
    if len(bias.shape) == 2:  # a GRU's: one for the input, one for the state
        initial_state, bias = [bias[1], *initial_state], bias[0]
    x = keras.ops.matmul(x, kernel) + bias
    run = _differentiable(*cell, layer.return_sequences, compiled)
    outputs, *states = run(x, recurrent, *initial_state)
    if not layer.return_sequences:
        outputs, states = outputs[None], [outputs, *states]
    return states[0], keras.ops.transpose(outputs, (1, 0, 2)), states


def _differentiable(forward, backward, sequences: bool, compiled: bool):
    """Join a cell's functions: all outputs if `sequences`, and the last states."""
    if compiled and keras.config.backend() == "tensorflow":
        import tensorflow as tf

        by_xla = functools.partial(tf.function, jit_compile=True, autograph=False)
        forward, backward = by_xla(forward), by_xla(backward)

    @keras.ops.custom_gradient
    def run(*arguments):
        outputs, states, kept = forward(*arguments)

        def gradient(*upstream):
            flat = keras.tree.flatten(upstream)  # the engines nest them differently
            d_outputs, d_states = flat[: -len(states)], flat[-len(states) :]
            return backward(arguments, kept, d_outputs, d_states)

        return (outputs, *states) if sequences else states, gradient

    return run


# ---------------------------------------------------------------- cells
# Each cell is two functions.
#
# Forward takes the products with the input, (time, batch, gates), the weights of the
# state, (units, gates), of a GRU a bias, and the first states, (batch, units). It
# returns all outputs, (time, batch, units), the last states, and `kept`, which is what
# the gradient needs.
#
# The gradient takes the arguments of forward, `kept`, the gradient of all outputs in a
# list, which is empty where only the last output is used, and those of the last states.
# It returns the gradients of the arguments.


def _lstm(x, recurrent, h, c):
    """Hochreiter and Schmidhuber (1997), with forget gates, as Keras has it.

    i, f, o = sigmoid(...), g = tanh(...), c = f * before + i * g, h = o * tanh(c).
    """
    scale = _scale(x.shape[-1] // 4)

    def step(states, inputs):
        (h, c), (x,) = states, inputs
        gates = keras.ops.tanh(scale * (x + keras.ops.matmul(h, recurrent)))
        gates = scale * gates + (1 - scale)
        i, f, g, o = keras.ops.split(gates, 4, axis=-1)
        c = f * c + i * g
        return (o * keras.ops.tanh(c), c), (gates, c)

    states, (gates, cs) = _scan(step, (h, c), [x])
    *_, o = keras.ops.split(gates, 4, axis=-1)
    tanh_c = keras.ops.tanh(cs)
    return o * tanh_c, states, (gates, cs, tanh_c)


def _scale(units: int) -> np.ndarray:
    """Scale each gate for one tanh: i, f and o are sigmoids (0.5), g is a tanh (1)."""
    return np.repeat(np.array([0.5, 0.5, 1.0, 0.5], "float32"), units)


def _lstm_gradient(arguments, kept, d_hs, d_states):
    (x, recurrent, h, c), (gates, cs, tanh_c) = arguments, kept
    scale = _scale(x.shape[-1] // 4)
    i, f, g, o = keras.ops.split(gates, 4, axis=-1)
    # What each gate is multiplied by, times the gate's own derivative.
    factors = keras.ops.concatenate([g, _shifted(c, cs), i, tanh_c], axis=-1)
    slopes = factors * (scale**2 - (gates - (1 - scale)) ** 2)

    def step(states, inputs):
        (d_h, d_c), (slopes, through_c, f, *d_out) = states, inputs
        d_h = d_h + d_out[0] if d_out else d_h
        d_c = d_c + d_h * through_c
        d_x = keras.ops.concatenate([d_c, d_c, d_c, d_h], axis=-1) * slopes
        return (_back(d_x, recurrent), d_c * f), (d_x,)

    inputs = [slopes, o * (1 - tanh_c * tanh_c), f, *d_hs]
    (d_h, d_c), (d_x,) = _scan(step, tuple(d_states), inputs, reverse=True)
    return d_x, _d_weights(_shifted(h, o * tanh_c), d_x), d_h, d_c


def _gru(x, recurrent, bias, h):
    """Cho et al. (2014), the reset gate after the product, as Keras has it.

    z, r = sigmoid(...), g = tanh(x + r * a), h = z * before + (1 - z) * g; a is the
    state's product with its weights, plus a bias.
    """
    units = x.shape[-1] // 3

    def step(states, inputs):
        (h,), (x,) = states, inputs
        a = keras.ops.matmul(h, recurrent) + bias
        gates = x[:, : 2 * units] + a[:, : 2 * units]
        gates = 0.5 * keras.ops.tanh(0.5 * gates) + 0.5
        z, r = keras.ops.split(gates, 2, axis=-1)
        a = a[:, 2 * units :]
        g = keras.ops.tanh(x[:, 2 * units :] + r * a)
        h = g + z * (h - g)
        return (h,), (gates, a, g, h)

    states, (gates, a, g, hs) = _scan(step, (h,), [x])
    return hs, states, (gates, a, g, hs)


def _gru_gradient(arguments, kept, d_hs, d_states):
    (x, recurrent, _, h), (gates, a, g, hs) = arguments, kept
    z, r = keras.ops.split(gates, 2, axis=-1)
    before = _shifted(h, hs)
    slope_g = (1 - z) * (1 - g * g)
    slopes = [z * (1 - z) * (before - g), r * (1 - r) * a * slope_g, r * slope_g]
    slopes = keras.ops.concatenate(slopes, axis=-1)

    def step(states, inputs):
        (d_h,), (slopes, z, *d_out) = states, inputs
        d_h = d_h + d_out[0] if d_out else d_h
        d_a = keras.ops.concatenate([d_h, d_h, d_h], axis=-1) * slopes
        return (d_h * z + _back(d_a, recurrent),), (d_h, d_a)

    inputs = [slopes, z, *d_hs]
    (d_h,), (d_hs_all, d_a) = _scan(step, tuple(d_states), inputs, reverse=True)
    d_x = [d_a[..., : 2 * (x.shape[-1] // 3)], d_hs_all * slope_g]
    d_x = keras.ops.concatenate(d_x, axis=-1)
    return d_x, _d_weights(before, d_a), keras.ops.sum(d_a, axis=(0, 1)), d_h


def _simple_rnn(x, recurrent, h):
    """Elman (1990): h = tanh(...)."""

    def step(states, inputs):
        (h,), (x,) = states, inputs
        h = keras.ops.tanh(x + keras.ops.matmul(h, recurrent))
        return (h,), (h,)

    states, (hs,) = _scan(step, (h,), [x])
    return hs, states, (hs,)


def _simple_rnn_gradient(arguments, kept, d_hs, d_states):
    (_, recurrent, h), (hs,) = arguments, kept

    def step(states, inputs):
        (d_h,), (slopes, *d_out) = states, inputs
        d_x = (d_h + d_out[0] if d_out else d_h) * slopes
        return (_back(d_x, recurrent),), (d_x,)

    inputs = [1 - hs * hs, *d_hs]
    (d_h,), (d_x,) = _scan(step, tuple(d_states), inputs, reverse=True)
    return d_x, _d_weights(_shifted(h, hs), d_x), d_h


# ---------------------------------------------------------------- pieces


def _shifted(first, rest):
    """Shift states by a step: the state before each one, (time, batch, units)."""
    return keras.ops.concatenate([first[None], rest[:-1]], axis=0)


def _back(gradient, weights):
    """Take a gradient, (batch, gates), back to the state, (batch, units)."""
    return keras.ops.matmul(gradient, keras.ops.transpose(weights))


def _d_weights(before, gradient):
    """Sum the gradient of the weights over all steps and examples: (units, gates)."""
    states = keras.ops.reshape(before, (-1, before.shape[-1]))
    gates = keras.ops.reshape(gradient, (-1, gradient.shape[-1]))
    return keras.ops.matmul(keras.ops.transpose(states), gates)


def _scan(step, states, inputs, reverse: bool = False):
    """Loop over time.

    Args:
        step: called as `step(states, inputs of a step) -> states, outputs of a step`.
        states: tuple of arrays before the first step.
        inputs: list of (time, ...).
        reverse: from the last step to the first.

    Returns:
        The last states, and a tuple of outputs, each (time, ...).
    """
    if keras.config.backend() == "jax":
        import jax

        return jax.lax.scan(step, states, inputs, reverse=reverse)
    import tensorflow as tf

    # Not `keras.ops.scan`: in TensorFlow its outputs must have the states' shape.
    count = inputs[0].shape[0] or tf.shape(inputs[0])[0]
    arrays = [tf.TensorArray(x.dtype, count).unstack(x) for x in inputs]
    _, first = step(states, [x[0] for x in inputs])
    results = [tf.TensorArray(y.dtype, count, element_shape=y.shape) for y in first]

    def body(number, states, results):
        place = count - 1 - number if reverse else number
        states, outputs = step(states, [array.read(place) for array in arrays])
        pairs = zip(results, outputs, strict=True)
        return number + 1, states, [array.write(place, y) for array, y in pairs]

    _, states, results = tf.while_loop(
        lambda number, *_: number < count,
        body,
        (0, states, results),
        parallel_iterations=1,
        maximum_iterations=count,
    )
    return states, tuple(array.stack() for array in results)
