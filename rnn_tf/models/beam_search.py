"""Search for likely sequences of a model that gives one token after the other.

All sequences of a batch are searched at once, in `keras.ops`: a beam is a row of the
batch, and there is no loop but that over the steps. It ends when all have ended.

Sources: Sutskever et al. (2014, arXiv:1409.3215); Wu et al. (2016, arXiv:1609.08144)
for the normalisation by length.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import lazy_loader

from rnn_tf.models import layers

keras = lazy_loader.load("keras")

NEVER = -1e9  # the log-probability of what must not be taken

# (tokens, (rows, 1); states) -> logits, (rows, 1, tokens), and the states after.
Step = Callable


class Found(NamedTuple):
    """The sequences of each row, the best first."""

    tokens: object  # (rows, beams, limit) int32; after its end a sequence is all ends
    scores: object  # (rows, beams): log-probability, over length ** alpha
    log_probabilities: object  # (rows, beams)
    lengths: object  # (rows, beams) int32: tokens up to the end, with it
    steps: object  # () int32: how often the model was asked


def search(
    step: Step,
    states: list,
    begin: int,
    end: int,
    beams: int,
    limit: int,
    alpha: float = 0.0,
    noise: Callable | None = None,
    patient: bool = False,
) -> Found:
    """Keep the likeliest `beams` sequences of each row, step by step.

    A sequence that has ended stays among them with the score that it has. With one beam
    this is greedy search; with as many as there are sequences, an exact one.

    Args:
        step: of the model; it takes `beams` rows for each row, those of a row together.
        states: of the model before the first step, (rows, ...) each.
        begin: the token that every sequence begins with.
        end: the token that ends one; -1 if none does.
        beams: to keep of each row.
        limit: tokens of a sequence, at most.
        alpha: of two sequences that the search has kept, the one with the higher
            log-probability / length ** alpha is the better.
        noise: (shape) -> numbers to add to log-probabilities before a token is chosen,
            such as `gumbel`: what one beam draws then is a sample.
        patient: whether to go on up to the limit when all have ended.
    """
    ops = keras.ops
    rows = ops.shape(states[0])[0]
    states = [ops.repeat(state, beams, axis=0) for state in states]
    first = ops.cast(ops.arange(beams) > 0, "float32") * NEVER
    scores = ops.zeros((rows, 1)) + first  # all beams are the same at first
    tokens = ops.zeros((rows, beams, limit), "int32") + max(end, 0)
    last = ops.zeros((rows * beams, 1), "int32") + begin
    ended = ops.zeros((rows, beams), "bool")
    lengths = ops.zeros((rows, beams), "int32")
    offsets = ops.arange(rows)[:, None] * beams

    def goes_on(number, tokens, last, scores, ended, lengths, *states):
        over = ops.logical_and(ops.all(ended), not patient)
        return ops.logical_and(number < limit, ops.logical_not(over))

    def body(number, tokens, last, scores, ended, lengths, *states):
        logits, states = step(last, list(states))
        logits = ops.cast(logits[:, -1], "float32")
        # Of each beam no more than the best tokens can stay: what follows is small.
        few = min(beams, logits.shape[-1])
        drawn = logits if noise is None else logits + noise(ops.shape(logits))
        best = largest(drawn, few)
        logs = layers.pick(logits, best)
        logs = logs - ops.logsumexp(logits, axis=-1, keepdims=True)
        best, logs = (ops.reshape(x, (rows, beams, few)) for x in (best, logs))
        # What has ended goes on with ends alone, which cost nothing.
        first = ops.cast(ops.arange(few) > 0, "float32") * NEVER
        logs = ops.where(ended[..., None], first, logs)
        best = ops.where(ended[..., None], max(end, 0), best)
        total = ops.reshape(scores[..., None] + logs, (rows, beams * few))
        scores, places = ops.top_k(total, beams)
        places = ops.cast(places, "int32")
        parents = places // few
        chosen = layers.pick(ops.reshape(best, (rows, beams * few)), places)
        tokens = layers.pick(tokens, parents)
        here = ops.arange(limit) == number
        tokens = ops.where(here, chosen[..., None], tokens)
        ended = layers.pick(ended, parents)
        lengths = layers.pick(lengths, parents)
        lengths = lengths + ops.cast(ops.logical_not(ended), "int32")
        ended = ops.logical_or(ended, chosen == end)
        flat = ops.reshape(offsets + parents, (-1,))
        states = [ops.take(state, flat, axis=0) for state in states]
        last = ops.reshape(chosen, (-1, 1))
        return number + 1, tokens, last, scores, ended, lengths, *states

    start = ops.zeros((), "int32"), tokens, last, scores, ended, lengths, *states
    steps, tokens, _, scores, _, lengths, *_ = ops.while_loop(goes_on, body, start)
    values = scores / ops.power(ops.cast(lengths, "float32"), alpha)
    order = ops.cast(ops.argsort(-values, axis=1), "int32")
    each = [layers.pick(x, order) for x in (tokens, values, scores, lengths)]
    return Found(*each, steps)


GROUP = 64  # tokens


def largest(x, count: int):
    """Find the largest of each row: (rows, n) -> their places, (rows, count) int32.

    As `top_k`, which takes three times as long for thousands of tokens: the largest lie
    in as many groups, those whose own largest are the largest.
    """
    ops, groups = keras.ops, -(-x.shape[-1] // GROUP)
    if groups <= count:
        return ops.cast(ops.top_k(x, count)[1], "int32")
    more = groups * GROUP - x.shape[-1]
    x = ops.pad(x, [[0, 0], [0, more]], constant_values=-math.inf)
    x = ops.reshape(x, (-1, groups, GROUP))
    best = ops.cast(ops.top_k(ops.max(x, axis=-1), count)[1], "int32")
    few = ops.reshape(layers.pick(x, best), (-1, count * GROUP))
    places = ops.cast(ops.top_k(few, count)[1], "int32")
    return layers.pick(best, places // GROUP) * GROUP + places % GROUP


def gumbel(temperature: float, seed) -> Callable:
    """Make noise with which the largest of log-probabilities is a sample of them.

    With p ** (1 / temperature) in place of p. Source: Gumbel (1954).

    Args:
        temperature: above 0; 1 draws as the model expects.
        seed: `keras.random.SeedGenerator`.
    """

    def noise(shape):
        drawn = keras.random.uniform(shape, 1e-7, 1 - 1e-7, seed=seed)
        return -temperature * keras.ops.log(-keras.ops.log(drawn))

    return noise


# ---------------------------------------------------------------- encoder-decoders


def translator(model, begin: int, how):
    """Make a model that translates: sources, (batch, steps) -> `Found`, as a tuple.

    Keras compiles it on any engine, by `predict_on_batch`.

    Args:
        model: of `encoder_decoder.encoder_decoder`, or a copy of one.
        begin: the token that every translation begins with.
        how: `translation.Search`.
    """
    encode, decode = model.get_layer("encoder"), model.get_layer("decoder")

    class Translator(keras.Model):
        def __init__(self):
            super().__init__()
            self.seeds = keras.random.SeedGenerator(how.seed)

        def call(self, source):
            memory, mask, *states = encode(source)
            memory, mask = (
                keras.ops.repeat(x, how.beams, axis=0) for x in (memory, mask)
            )

            def step(last, states):
                logits, _, *after = decode([last, memory, mask, *states])
                return logits, after

            noise = gumbel(how.temperature, self.seeds) if how.temperature else None
            limits = how.end, how.beams, how.limit, how.alpha
            return tuple(search(step, states, begin, *limits, noise, how.patient))

    return Translator()
