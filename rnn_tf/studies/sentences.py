"""Train decoders that write what stands in a vector, a picture or a text.

Whatever is described, what reads it is the model's part `encoder` and what writes is
its part `decoder`, as in `encoder_decoder`; `beam_search` writes with any of them.
"""

import lazy_loader
import numpy as np

from rnn_tf.data.text import pair_batches
from rnn_tf.data.text.tokens import BEGIN, Tokens
from rnn_tf.models import beam_search, encoder_decoder
from rnn_tf.models.encoder_decoder import Network, Sizes
from rnn_tf.models.translation import Search
from rnn_tf.studies import restarts

keras = lazy_loader.load("keras")

UNITS, WIDTH = 64, 32  # of the decoder; of the vectors of its tokens
BATCH, RATE = 64, 4e-3
# What begins from a vector is told it again at each step, as in Cho et al. (2014,
# arXiv:1406.1078): on other scenes, 44 % of captions are exact with it, 14 without.
FROM_VECTOR, ATTENDING = Network(context=True), Network(attention="luong")


def with_decoder(inputs, memory, last, network: Network, tokens: int):
    """Join what reads with a decoder that writes.

    Args:
        inputs: of the reading part, a Keras input.
        memory: what attention looks at, (batch, places, UNITS); None without any.
        last: the vector that the decoder begins with, (batch, features).
        network: of the decoder.
        tokens: that it writes, the special ones among them.

    Returns:
        A model: inputs, and tokens so far, (batch, steps) -> logits of the next ones,
        (batch, steps, tokens).
    """
    state = keras.layers.Dense(UNITS, activation="tanh", name="begin_state")(last)
    memory = state[:, None] if memory is None else memory
    ones = keras.ops.ones_like(memory[..., 0])
    encoder = keras.Model(inputs, [memory, ones, state], name="encoder")
    decoder = encoder_decoder.decoder(network, Sizes(0, tokens, WIDTH, UNITS))
    so_far = keras.Input((None,), dtype="int32", name="target")
    logits, *_ = decoder([so_far, *encoder(inputs)])
    return keras.Model([inputs, so_far], logits)


def from_vector(features: int, tokens: int, hidden: bool = False):
    """Build a network that writes what a vector says; see `with_decoder`.

    Args:
        features: of the vector.
        tokens: that it writes.
        hidden: whether a hidden layer lies between.
    """
    inputs = keras.Input((features,), name="vector")
    x = keras.layers.Dense(UNITS, activation="relu")(inputs) if hidden else inputs
    return with_decoder(inputs, None, x, FROM_VECTOR, tokens)


def compiled(model) -> list[np.ndarray]:
    """Compile a network to train; return the optimizer's variables: `restarts`.

    XLA would take longer to compile than these train.
    """
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return restarts.compiled(model, loss, RATE, xla=False)


def train(model, inputs: np.ndarray, texts, tokens: Tokens, epochs: int) -> None:
    """Train a network to write texts, (examples,), of inputs, (examples, ...)."""
    numbers = pair_batches.number(texts, tokens)
    y = numbers.pad(range(len(texts)), int(numbers.lengths.max()))
    begin = np.full((len(y), 1), BEGIN, "int32")
    so_far = np.concatenate([begin, y[:, :-1]], axis=1)
    whole = len(y) // BATCH * BATCH  # a smaller batch would be compiled too
    options = {"batch_size": BATCH, "epochs": epochs, "verbose": 0}
    weights = (y > 0).astype("float32")[:whole]
    model.fit(
        [inputs[:whole], so_far[:whole]], y[:whole], sample_weight=weights, **options
    )


def writer(model, longest: int):
    """Make what writes with a network: inputs -> the likeliest tokens, one by one.

    Args:
        model: trained, or to be trained; Keras compiles the writer once.
        longest: tokens of a text, at most, without the stop.
    """
    searcher = beam_search.translator(model, BEGIN, Search(longest + 1))

    def write(inputs: np.ndarray, tokens: Tokens) -> tuple[str, ...]:
        best, *_ = searcher.predict_on_batch(inputs)
        return tuple(map(tokens.decode, np.asarray(best)[:, 0]))

    return write


def scores(right, written, tokens: Tokens) -> dict[str, float | int]:
    """Score texts: `n` of them, % `exact`, and % of the `tokens` at their places.

    Args:
        right: the texts as they should be.
        written: as they are.
        tokens: what is counted in both; the stop is not.
    """
    pairs = list(zip(right, written, strict=True))
    hits, count = 0, 0
    for first, second in pairs:
        own, other = tokens.pieces(first), tokens.pieces(second)
        hits += sum(a == b for a, b in zip(own, other, strict=False))
        count += max(len(own), len(other))
    exact = 100 * sum(first == second for first, second in pairs) / len(pairs)
    return {"n": len(pairs), "exact": exact, "tokens": 100 * hits / count}


def nearest(known: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Find the known picture with the nearest pixels for each of others: (others,)."""
    from sklearn.neighbors import NearestNeighbors

    flat = NearestNeighbors(n_neighbors=1).fit(known.reshape(len(known), -1))
    places = flat.kneighbors(asked.reshape(len(asked), -1), return_distance=False)
    return places[:, 0]
