"""Translate sources, as numbers, by a trained network: in batches, of like lengths."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import lazy_loader
import numpy as np

from rnn_tf.data.text import pair_batches
from rnn_tf.data.text.pair_batches import Numbers
from rnn_tf.data.text.tokens import BEGIN, END
from rnn_tf.models import beam_search
from rnn_tf.models.sampling import draw_each

keras = lazy_loader.load("keras")

BATCH = 128  # sources that are translated together


@dataclass(frozen=True)
class Search:
    """How translations are searched for."""

    limit: int  # tokens of a translation, its end among them, at most
    beams: int = 1
    alpha: float = 1.0  # see `beam_search.search`
    end: int = END  # or -1: none, and all translations have as many tokens as may be
    patient: bool = False  # whether to go on up to the limit when all have ended
    temperature: float = 0.0  # above 0, with one beam: a sample
    seed: int = 1  # of the sample


@dataclass(frozen=True)
class Translated:
    """Translations as numbers, those of a source the best first."""

    tokens: np.ndarray  # (sources, beams, limit) int32
    log_probabilities: np.ndarray  # (sources, beams)
    lengths: np.ndarray  # (sources, beams): tokens, with the end
    stopped: np.ndarray  # (sources, beams) bool: whether it ended
    steps: int  # of the decoder, over all batches


def translate(model, sources: Numbers, search: Search) -> Translated:
    """Translate sources by an encoder-decoder, or one that gives an output per step."""
    order = np.argsort(sources.lengths, kind="stable")
    run = (_outputs if _per_step(model) else _searched)(model, search)
    cuts = np.split(order, range(BATCH, len(order), BATCH))
    parts = [run(_padded(sources, which)) for which in cuts]
    kept = [len(which) for which in cuts]
    back = np.argsort(order)
    arrays = (
        np.concatenate(
            [part[n][:count] for part, count in zip(parts, kept, strict=True)]
        )
        for n in range(3)
    )
    tokens, logs, lengths = (array[back] for array in arrays)
    stopped = (tokens == search.end).any(axis=-1)
    return Translated(tokens, logs, lengths, stopped, sum(int(p[3]) for p in parts))


def _per_step(model) -> bool:
    """Whether a network gives its outputs without having read those before."""
    return "decoder" not in {layer.name for layer in model.layers}


def _padded(sources: Numbers, which: np.ndarray) -> np.ndarray:
    """Pad a batch of sources, to few different shapes: (BATCH or fewer, steps)."""
    width = pair_batches.width(sources, which)
    rows = min(BATCH, 16 * -(-len(sources.rows) // 16))
    which = np.concatenate([which, np.repeat(which[:1], rows - len(which))])
    return sources.pad(which, width)


# Both give a function: sources, (batch, steps) -> tokens, log-probabilities, lengths,
# steps. Where it draws, it draws anew each time.


def _searched(model, search: Search) -> Callable:
    """Search with an encoder-decoder."""
    translator = _translator(model, search)
    translator.seeds.state.assign(keras.random.SeedGenerator(search.seed).state)

    def run(x):
        outputs = translator.predict_on_batch(x)
        tokens, _, logs, lengths, steps = map(np.asarray, outputs)
        return tokens, logs, lengths, steps

    return run


@functools.lru_cache(maxsize=8)
def _translator(model, search: Search):
    """Make the model that searches; kept, because Keras compiles it."""
    return beam_search.translator(model, BEGIN, search)


def _outputs(model, search: Search) -> Callable:
    """Take the likeliest token of each step, or draw one, up to the first end."""
    from scipy.special import log_softmax

    random = np.random.default_rng(search.seed)

    def run(x):
        inputs = x
        if len(model.inputs) > 1:
            inputs = [x, np.full((len(x), search.limit), BEGIN, "int32")]
        logs = log_softmax(np.asarray(model.predict_on_batch(inputs)), axis=-1)
        tokens = draw_each(np.exp(logs), random, search.temperature).astype("int32")
        drawn = np.take_along_axis(logs, tokens[..., None], axis=-1)[..., 0]
        if len(model.inputs) == 1:
            # An output for each real step of the source, and no more.
            tokens = np.where(x > 0, tokens, END)
        after = np.cumsum(tokens == search.end, axis=1) - (tokens == search.end) > 0
        tokens = np.where(after, search.end, tokens)
        wide = np.full((len(x), search.limit), max(search.end, 0), "int32")
        wide[:, : tokens.shape[1]] = tokens[:, : search.limit]
        logs = np.where(after, 0, drawn).sum(axis=1)
        lengths = (~after).sum(axis=1)
        return wide[:, None], logs[:, None], lengths[:, None], tokens.shape[1]

    return run


def alignment(model, source: np.ndarray, target: np.ndarray) -> np.ndarray | None:
    """Return the weights of the attention for a pair; None if the model has none.

    Args:
        model: any network that translates.
        source: (sources,) numbers, with the end.
        target: (targets,) numbers of its translation.

    Returns:
        (targets, sources).
    """
    if _per_step(model):
        return None
    encode, decode = model.get_layer("encoder"), model.get_layer("decoder")
    memory, mask, *states = encode(keras.ops.convert_to_tensor(source[None]))
    if memory.shape[1] != len(source):
        return None
    read = np.array([[BEGIN, *target[:-1]]], "int32")
    # The decoder of Bahdanau's attention takes one step at a time.
    one = decode.inputs[0].shape[1] == 1
    parts = np.split(read, read.shape[1], axis=1) if one else [read]
    rows = []
    for part in map(keras.ops.convert_to_tensor, parts):
        _, weights, *states = decode([part, memory, mask, *states])
        rows.append(keras.ops.convert_to_numpy(weights)[0])
    return np.concatenate(rows)
