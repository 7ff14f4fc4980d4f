"""Train GRU(256) on 64 x 128 characters, the state carried: characters a second."""

import functools
import time
from functools import partial

import lazy_loader
import numpy as np

from benchmarks.contest import Contender, Work, all_jobs
from experiments import language
from rnn_tf.config import RunConfig
from rnn_tf.data.order import Order
from rnn_tf.data.text import corpus, grammar, reader, streams
from rnn_tf.devices import strategy
from rnn_tf.models import carried_state
from rnn_tf.recipe.training import hyperparameters

keras = lazy_loader.load("keras")

UNITS, WIDTH, STREAMS, CHUNK = 256, 64, 64, 128
SENTENCES = 3_000  # some 100,000 characters: 13 batches
PLENTY = 10_000  # gradient steps of a full-size run, for which models are compiled


def text() -> corpus.Corpus:
    """Make the embedded text, by character."""
    words = reader.from_string("grammar", grammar.Language().text(SENTENCES))
    return corpus.in_memory(words, "character", (80, 10, 10), 1_000)


def _batches() -> tuple[np.ndarray, np.ndarray, int]:
    """Cut inputs and targets, (batches, STREAMS, CHUNK), and count the characters."""
    grammar_text = text()
    part, size = grammar_text.parts["train"], streams.Size(STREAMS, CHUNK)
    count = streams.steps(part, size)
    first = np.arange(STREAMS) * ((len(part.tokens) - CHUNK) // STREAMS)
    starts = [first + number * CHUNK for number in range(count)]
    x = np.stack([size.inputs(part, start) for start in starts])
    y = np.stack([part.read(start, CHUNK) for start in starts])
    return x, y, len(grammar_text.vocabulary)


def stock():
    """Train as Keras's tutorials do, by `fit` on arrays."""
    x, y, vocabulary = _batches()
    inputs = keras.Input(batch_shape=(STREAMS, CHUNK), dtype="int32")
    hidden = keras.layers.Embedding(vocabulary, WIDTH)(inputs)
    hidden = keras.layers.GRU(UNITS, return_sequences=True, stateful=True)(hidden)
    model = keras.Model(inputs, keras.layers.Dense(vocabulary)(hidden))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    flat = x.reshape(-1, CHUNK), y.reshape(-1, CHUNK)

    def run_round() -> float:
        carried_state.reset(model)
        started = time.perf_counter()
        model.fit(*flat, batch_size=STREAMS, shuffle=False, verbose=0)
        return x.size / (time.perf_counter() - started)

    return run_round


def ours():
    """Train with the model, the devices and the batches of a run."""
    devices, grammar_text = strategy.start(RunConfig()), text()
    config = language.Config(
        batch_size=STREAMS, chunk=CHUNK, units=UNITS, dropout=0.0, unit="character"
    )
    hp = hyperparameters(None)
    with devices.scope():
        model = language.MODELS["gru"](hp, config, len(grammar_text.vocabulary))
        arguments = language.compile_arguments(hp, config, PLENTY)
        xla = language.xla_from("gru") <= PLENTY
        devices.compile(model, PLENTY, xla, **arguments)
    size = streams.Size(STREAMS, CHUNK)
    train = streams.training(grammar_text.parts["train"], size, Order(1))
    characters = int(train.cardinality()) * STREAMS * CHUNK

    options = {"callbacks": carried_state.resets(model), "verbose": 0}

    def run_round() -> float:
        started = time.perf_counter()
        devices.fit(model, train, validation_data=None, **options)
        return characters / (time.perf_counter() - started)

    return run_round


def _train_here(tell) -> int:
    """Train in a worker, compiled once in each; return how many characters it was."""
    _ours_here()()
    size, train = streams.Size(STREAMS, CHUNK), text().parts["train"]
    return streams.steps(train, size) * STREAMS * CHUNK


_ours_here = functools.cache(ours)


def pytorch():
    """Train by the loop of PyTorch's tutorials, the state carried."""
    import torch

    x, y, vocabulary = _batches()
    x, y = (torch.from_numpy(part.astype("int64")) for part in (x, y))
    embedding = torch.nn.Embedding(vocabulary, WIDTH)
    rnn = torch.nn.GRU(WIDTH, UNITS, batch_first=True)
    head = torch.nn.Linear(UNITS, vocabulary)
    parts = [embedding, rnn, head]
    optimizer = torch.optim.Adam([p for part in parts for p in part.parameters()])

    def run_round() -> float:
        started, state = time.perf_counter(), None
        for inputs, targets in zip(x, y, strict=True):
            optimizer.zero_grad()
            hidden, state = rnn(embedding(inputs), state)
            state = state.detach()
            logits = head(hidden).flatten(0, 1)
            torch.nn.functional.cross_entropy(logits, targets.flatten()).backward()
            optimizer.step()
        return x.numel() / (time.perf_counter() - started)

    return run_round


_JAX = ("jax",), {"KERAS_BACKEND": "jax"}
WORKS = (
    Work(
        f"train GRU({UNITS}), {STREAMS} x {CHUNK} characters",
        "characters/s",
        (
            Contender("Keras, fit as it is", stock),
            Contender("ours, one job", ours),
            Contender("ours, all jobs", partial(all_jobs, _train_here)),
            Contender("Keras on JAX, fit as it is", stock, *_JAX),
            Contender("ours on JAX", ours, *_JAX),
            Contender("PyTorch", pytorch, ("torch",)),
        ),
    ),
)
