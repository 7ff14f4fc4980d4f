"""Train and decode by BiGRU(256) with attention: tokens and sentences a second."""

import time
from functools import partial

import lazy_loader
import numpy as np

from benchmarks.contest import Contender, Work
from experiments import translate
from rnn_tf.config import RunConfig
from rnn_tf.data.order import Order
from rnn_tf.data.text import pair_batches
from rnn_tf.data.text.pair_batches import Numbers, Part
from rnn_tf.data.text.parallel import Pairs
from rnn_tf.data.text.tokens import BEGIN, END
from rnn_tf.devices import strategy
from rnn_tf.models.encoder_decoder import Sizes, encoder_decoder
from rnn_tf.models.translation import Search
from rnn_tf.models.translation import translate as search
from rnn_tf.recipe.training import hyperparameters

keras = lazy_loader.load("keras")

UNITS, WIDTH, VOCABULARY, BATCH = 256, 256, 5_000, 64
PAIRS, MEDIAN, SPREAD = 1_280, 12, 0.35  # tokens of a sentence: log-normal, as captions
LIMIT = 20  # tokens of a translation: these networks know no end
PLENTY = 5_000  # gradient steps of a full-size run, for which models are compiled


def part(pairs: int = PAIRS) -> Part:
    """Make pairs of random tokens, as long as captions are."""
    random, sides = np.random.default_rng(1), []
    for _ in range(2):
        lengths = np.ceil(random.lognormal(np.log(MEDIAN), SPREAD, pairs)).astype(int)
        rows = [random.integers(3, VOCABULARY, n) for n in lengths]
        sides.append(Numbers(tuple((*map(int, row), END) for row in rows)))
    names = tuple(map(str, range(pairs)))
    return Part(Pairs(names, names), *sides)


def padded(known: Part) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pad all to the longest, as tutorials do: sources, targets before, targets."""
    which = range(len(known))
    x, y = (s.pad(which, s.lengths.max()) for s in (known.sources, known.targets))
    begin = np.full((len(y), 1), BEGIN, "int32")
    return x, np.concatenate([begin, y[:, :-1]], axis=1), y


def stock_parts():
    """Build encoder and decoder of Keras's layers, with its attention."""
    source = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(VOCABULARY, WIDTH)(source)
    half = keras.layers.GRU(UNITS // 2, return_sequences=True, return_state=True)
    memory, *states = keras.layers.Bidirectional(half)(x)
    encoder = keras.Model(source, [memory, keras.layers.Concatenate()(states)])
    target, state = keras.Input((None,), dtype="int32"), keras.Input((UNITS,))
    read = keras.Input((None, UNITS))
    x = keras.layers.Embedding(VOCABULARY, WIDTH)(target)
    gru = keras.layers.GRU(UNITS, return_sequences=True, return_state=True)
    h, after = gru(x, initial_state=state)
    x = keras.layers.Concatenate()([keras.layers.Attention()([h, read]), h])
    x = keras.layers.Dense(UNITS, activation="tanh")(x)
    logits = keras.layers.Dense(VOCABULARY)(x)
    return encoder, keras.Model([target, state, read], [logits, after])


# ---------------------------------------------------------------- training


def stock():
    """Train as Keras's tutorials do, by `fit` on arrays."""
    known, (encoder, decoder) = part(), stock_parts()
    x, before, y = padded(known)
    source, target = (keras.Input((None,), dtype="int32") for _ in range(2))
    memory, state = encoder(source)
    model = keras.Model([source, target], decoder([target, state, memory])[0])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    weights, tokens = (y > 0).astype("float32"), int((y > 0).sum())

    def run_round() -> float:
        started = time.perf_counter()
        model.fit([x, before], y, BATCH, sample_weight=weights, verbose=0)
        return tokens / (time.perf_counter() - started)

    return run_round


def ours():
    """Train with the model, the devices and the batches of a run."""
    devices, known = strategy.start(RunConfig()), part()
    config = translate.Config(units=UNITS, batch_size=BATCH)
    hp = hyperparameters(None)
    sizes = VOCABULARY, VOCABULARY, int(known.targets.lengths.max())
    with devices.scope():
        model = translate.MODELS["attention"](hp, config, sizes)
        arguments = translate.compile_arguments(hp, config, PLENTY)
        xla = translate.xla_from("attention") <= PLENTY
        devices.compile(model, PLENTY, xla, **arguments)
    train = pair_batches.dataset(known, pair_batches.layout(model), BATCH, Order(1))
    options = {"validation_data": None, "callbacks": [], "verbose": 0}
    tokens = int(known.targets.lengths.sum())

    def run_round() -> float:
        started = time.perf_counter()
        devices.fit(model, train, **options)
        return tokens / (time.perf_counter() - started)

    return run_round


def torch_parts():
    """Build the same of PyTorch's modules: source and target embeddings, and so on."""
    import torch

    nn = torch.nn
    return nn.ModuleDict(
        {
            "source": nn.Embedding(VOCABULARY, WIDTH),
            "target": nn.Embedding(VOCABULARY, WIDTH),
            "encoder": nn.GRU(WIDTH, UNITS // 2, batch_first=True, bidirectional=True),
            "decoder": nn.GRU(WIDTH, UNITS, batch_first=True),
            "join": nn.Linear(2 * UNITS, UNITS),
            "output": nn.Linear(UNITS, VOCABULARY),
        }
    )


def torch_encode(net, x):
    """Read sources: (batch, steps) -> memory, and the decoder's first state."""
    memory, ends = net["encoder"](net["source"](x))
    return memory, ends.transpose(0, 1).reshape(1, len(x), -1)


def torch_decode(net, target, state, memory):
    """Go on from a state: logits, (batch, steps, tokens), and the state after."""
    import torch

    h, state = net["decoder"](net["target"](target), state)
    weights = (h @ memory.transpose(1, 2)).softmax(-1)
    x = torch.tanh(net["join"](torch.cat([weights @ memory, h], -1)))
    return net["output"](x), state


def pytorch():
    """Train by the loop of PyTorch's tutorials, on padded batches."""
    import torch

    net, known = torch_parts(), part()
    arrays = [torch.from_numpy(a.astype("int64")) for a in padded(known)]
    optimizer = torch.optim.Adam(net.parameters())
    tokens = int(known.targets.lengths.sum())

    def run_round() -> float:
        started = time.perf_counter()
        for x, before, y in zip(*(a.split(BATCH) for a in arrays), strict=True):
            optimizer.zero_grad()
            memory, state = torch_encode(net, x)
            logits, _ = torch_decode(net, before, state, memory)
            flat = logits.flatten(0, 1), y.flatten()
            torch.nn.functional.cross_entropy(*flat, ignore_index=0).backward()
            optimizer.step()
        return tokens / (time.perf_counter() - started)

    return run_round


# ---------------------------------------------------------------- decoding

SENTENCES = 256


def stock_greedy():
    """Decode by a loop over the steps in Python, as Keras's tutorials do."""
    known, (encoder, decoder) = part(SENTENCES), stock_parts()
    x, *_ = padded(known)

    def run_round() -> float:
        started = time.perf_counter()
        for rows in np.split(x, range(BATCH, len(x), BATCH)):
            memory, state = encoder.predict_on_batch(rows)
            last = np.full((len(rows), 1), BEGIN)
            for _ in range(LIMIT):
                logits, state = decoder.predict_on_batch([last, state, memory])
                last = np.asarray(logits).argmax(axis=-1)
        return SENTENCES / (time.perf_counter() - started)

    return run_round


def our_search(beams: int):
    """Decode as a run does, all steps in one program."""
    strategy.start(RunConfig())
    known = part(SENTENCES)
    sizes = Sizes(VOCABULARY, VOCABULARY, embedding=WIDTH, units=UNITS)
    model = encoder_decoder(translate.WITH_ATTENTION, sizes)
    how = Search(LIMIT, beams, end=-1)

    def run_round() -> float:
        started = time.perf_counter()
        search(model, known.sources, how)
        return SENTENCES / (time.perf_counter() - started)

    return run_round


def torch_greedy():
    """Decode by a loop over the steps in Python."""
    import torch

    net, known = torch_parts(), part(SENTENCES)
    x = torch.from_numpy(padded(known)[0].astype("int64"))

    @torch.no_grad()
    def run_round() -> float:
        started = time.perf_counter()
        for rows in x.split(BATCH):
            memory, state = torch_encode(net, rows)
            last = torch.full((len(rows), 1), BEGIN)
            for _ in range(LIMIT):
                logits, state = torch_decode(net, last, state, memory)
                last = logits.argmax(-1)
        return SENTENCES / (time.perf_counter() - started)

    return run_round


_JAX = ("jax",), {"KERAS_BACKEND": "jax"}
WORKS = (
    Work(
        f"train BiGRU({UNITS}) with attention, {BATCH} pairs a batch",
        "target tokens/s",
        (
            Contender("Keras, fit as it is", stock),
            Contender("ours, one job", ours),
            Contender("ours on JAX", ours, *_JAX),
            Contender("PyTorch", pytorch, ("torch",)),
        ),
    ),
    Work(
        f"translate {SENTENCES} sentences, {LIMIT} tokens each",
        "sentences/s",
        (
            Contender("ours, greedy", partial(our_search, 1)),
            Contender("ours, 5 beams", partial(our_search, 5)),
            Contender("Keras, greedy, a loop in Python", stock_greedy),
            Contender("ours on JAX, greedy", partial(our_search, 1), *_JAX),
            Contender("PyTorch, greedy", torch_greedy, ("torch",)),
        ),
    ),
)
