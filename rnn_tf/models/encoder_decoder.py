"""Networks that turn a sequence into another: an output per step, or two parts.

The parts are models of their own inside the whole: `encoder` reads a source once, and
`decoder` goes on from its states by any number of steps. Training calls the decoder on
all steps of the right answer (teacher forcing), decoding on one step after the other:
the same layers do both. See `beam_search`.

Padding is at the end and changes nothing: what follows a real step cannot reach it, and
the backward half of an encoder reads the real steps alone. So no Keras mask is needed,
and the fast kernels of `devices.rnn_kernels` work.
"""

from dataclasses import dataclass

import lazy_loader

from rnn_tf.models import attention, layers

keras = lazy_loader.load("keras")


@dataclass(frozen=True)
class Network:
    """What a network is made of; the defaults are those of a plain encoder-decoder."""

    cell: str = "gru"  # or lstm, simple_rnn
    bidirectional: bool = False  # the encoder, half of its units each way
    reverse: bool = False  # whether the encoder reads the source from its end
    context: bool = False  # whether every step gets the encoder's state (Cho, 2014)
    attention: str = ""  # or luong, bahdanau
    # Share of what the decoder reads in training that is its own guess, not what is
    # right: scheduled sampling (Bengio et al., 2015, arXiv:1506.03099), not scheduled,
    # and with the guesses of a first pass (Mihaylova and Martins, 2019).
    own: float = 0.0


@dataclass(frozen=True)
class Sizes:
    """How large a network is."""

    sources: int  # tokens of the source language
    targets: int  # tokens of the target language
    embedding: int
    units: int
    dropout: float = 0.0
    width: int | None = None  # of targets, for Bahdanau's steps alone


# ---------------------------------------------------------------- pieces


def recurrent(cell: str, units: int, **options):
    """Make a recurrent layer that returns its sequence."""
    return layers.recurrent(cell)(units, return_sequences=True, **options)


def embedding(tokens: int, width: int, name: str):
    """Make the layer of the tokens' vectors, as large as PyTorch's: N(0, 1).

    With Keras's default, uniform in ±0.05, translation hardly trained: a perplexity of
    74 where 10 is reached.
    """
    normal = keras.initializers.RandomNormal(stddev=1.0)
    return keras.layers.Embedding(tokens, width, normal, name=name)


def real_steps(tokens):
    """Mask the padding, number 0: (batch, steps) int -> (batch, steps) float."""
    return keras.ops.cast(keras.ops.not_equal(tokens, 0), "float32")


def last_real(x, mask):
    """Take the last real step: (batch, steps, features) -> (batch, features)."""
    after = keras.ops.concatenate([mask[:, 1:], keras.ops.zeros_like(mask[:, :1])], 1)
    return keras.ops.sum(x * (mask - after)[..., None], axis=1)


# ---------------------------------------------------------------- one per step


def plain(network: Network, sizes: Sizes):
    """Build a network with one output per input step: (batch, steps) -> logits.

    Logits are (batch, steps, targets).
    """
    source = keras.Input((None,), dtype="int32", name="source")
    x = embedding(sizes.sources, sizes.embedding, "embedding")(source)
    x = _read(network, sizes, x, real_steps(source))
    return keras.Model(source, _logits(sizes, x))


def plain_delayed(network: Network, sizes: Sizes):
    """Build a network that gives its outputs after the source has ended.

    It reads blanks from then on: (batch, steps), and as many blanks as there are
    outputs -> logits, (batch, blanks, targets). What stands in the blanks is not read.
    """
    source = keras.Input((None,), dtype="int32", name="source")
    target = keras.Input((None,), dtype="int32", name="target")
    blanks = keras.ops.zeros_like(target)
    steps = keras.ops.concatenate([source, blanks], axis=1)
    x = embedding(sizes.sources, sizes.embedding, "embedding")(steps)
    x = keras.layers.Dropout(sizes.dropout)(x)
    x = recurrent(network.cell, sizes.units)(x)
    length = keras.ops.cast(keras.ops.sum(real_steps(source), axis=1), "int32")
    count = keras.ops.sum(keras.ops.ones_like(steps), axis=1, keepdims=True)
    place = keras.ops.cumsum(keras.ops.ones_like(blanks), axis=1) - 1
    place = length[:, None] + place
    x = layers.pick(x, place, count)
    return keras.Model([source, target], _logits(sizes, x))


def _read(network: Network, sizes: Sizes, x, mask):
    """Read vectors, (batch, steps, features), into states: (batch, steps, units)."""
    x, ones = keras.layers.Dropout(sizes.dropout)(x), mask[..., None]
    if network.bidirectional:
        half = sizes.units // 2
        backward = recurrent(network.cell, half)(layers.masked_reverse(x, ones))
        parts = [
            recurrent(network.cell, half)(x),
            layers.masked_reverse(backward, ones),
        ]
        return keras.layers.Concatenate()(parts)
    x = layers.masked_reverse(x, ones) if network.reverse else x
    return recurrent(network.cell, sizes.units)(x)


def _logits(sizes: Sizes, x):
    return layers.output(sizes.targets)(keras.layers.Dropout(sizes.dropout)(x))


# ---------------------------------------------------------------- two parts


def encoder_decoder(network: Network, sizes: Sizes):
    """Build an encoder and a decoder: sources, targets so far -> logits of the next.

    Sources are (batch, steps), targets (batch, steps) and begin with `tokens.BEGIN`;
    logits are (batch, steps, target tokens). Sources: Sutskever et al. (2014,
    arXiv:1409.3215), Cho et al. (2014, arXiv:1406.1078).
    """
    encode, decode = encoder(network, sizes), decoder(network, sizes)
    source = keras.Input((None,), dtype="int32", name="source")
    target = keras.Input((sizes.width,), dtype="int32", name="target")
    memory, mask, *states = encode(source)
    if network.attention != "bahdanau":
        read = target
        if network.own:
            logits, *_ = decode([target, memory, mask, *states])
            read = _mix(target, logits, network.own)
        logits, *_ = decode([read, memory, mask, *states])
        return keras.Model([source, target], logits)
    steps = []
    for step in range(sizes.width):
        now = target[:, step : step + 1]
        logits, _, *states = decode([now, memory, mask, *states])
        steps.append(logits)
    return keras.Model([source, target], keras.ops.concatenate(steps, axis=1))


def _mix(target, logits, share: float):
    """Put guesses in the place of a share of the right tokens, in training alone.

    A dropout of ones draws the places; it leaves all as they are after training.
    """
    keep = keras.layers.Dropout(share)(keras.ops.ones_like(logits[..., 0])) > 0
    guesses = keras.ops.cast(keras.ops.argmax(logits, axis=-1), "int32")
    before = keras.ops.concatenate([target[:, :1], guesses[:, :-1]], axis=1)
    return keras.ops.where(keep, target, before)


def encoder(network: Network, sizes: Sizes):
    """Build the encoder: sources, (batch, steps) -> memory, mask, decoder's states.

    The memory has every step if there is attention, (batch, steps, units), or the last
    one alone, (batch, 1, units). The decoder's states, (batch, units) each, begin as a
    layer's output on the last real step; of a bidirectional encoder, on both ends.
    """
    source = keras.Input((None,), dtype="int32", name="source")
    mask = real_steps(source)
    x = embedding(sizes.sources, sizes.embedding, "embedding")(source)
    x = _read(network, sizes, x, mask)
    last = last_real(x, mask)
    if network.bidirectional:
        half = sizes.units // 2
        last = keras.ops.concatenate([last[:, :half], x[:, 0, half:]], axis=-1)
    states = [
        keras.layers.Dense(sizes.units, activation="tanh", name=f"begin_{name}")(last)
        for name in ("state", "cell")[: 1 + (network.cell == "lstm")]
    ]
    if not network.attention:
        x, mask = last[:, None], mask[:, :1]
    return keras.Model(source, [x, mask, *states], name="encoder")


def decoder(network: Network, sizes: Sizes):
    """Build the decoder: targets so far, memory, mask, states -> logits and more.

    Returns:
        A model whose outputs are logits, (batch, steps, target tokens), weights of the
        attention, (batch, steps, sources), and the states after the last step.
    """
    bahdanau = network.attention == "bahdanau"
    target = keras.Input((1 if bahdanau else None,), dtype="int32", name="target")
    memory = keras.Input((None, sizes.units), name="memory")
    mask = keras.Input((None,), name="mask")
    states = [
        keras.Input((sizes.units,), name=name)
        for name in ("state", "cell")[: 1 + (network.cell == "lstm")]
    ]
    x = embedding(sizes.targets, sizes.embedding, "embedding")(target)
    x = keras.layers.Dropout(sizes.dropout)(x)
    # The whole memory is its last step where there is no attention.
    weights = mask[:, None]
    if network.context:
        x = keras.ops.concatenate([x, _at_each(memory, x)], axis=-1)
    if bahdanau:
        context, weights = attention.bahdanau(states[0], memory, mask)
        x = keras.ops.concatenate([x, context[:, None]], axis=-1)
    layer = recurrent(network.cell, sizes.units, return_state=True)
    h, *after = layer(x, initial_state=states)
    if network.attention == "luong":
        context, weights = attention.luong(h, memory, mask)
        x = keras.ops.concatenate([context, h], axis=-1)
        h = keras.layers.Dense(sizes.units, activation="tanh", use_bias=False)(x)
    elif network.context:
        h = keras.ops.concatenate([h, _at_each(memory, h)], axis=-1)
    elif bahdanau:
        h = keras.ops.concatenate([h, context[:, None]], axis=-1)
    inputs = [target, memory, mask, *states]
    outputs = [_logits(sizes, h), weights, *after]
    return keras.Model(inputs, outputs, name="decoder")


def _at_each(memory, x):
    """Repeat a memory of one step at each step of x."""
    return memory + 0 * x[..., :1]
