"""Predict the next character or word: n-grams against recurrent networks.

    make language                                            quick, 1 minute
    make language ARGS="--size full"                         an hour, numbers to quote
    make language ARGS="--data FILE.txt --size full"         any text, by character
    make language ARGS="--data FILE.txt --unit word"         or by word
    python -m experiments.language say --model RUN --prompt "the "

Minutes on two cores, by the reference runs. Expect at full size 0.527 bits per
character (gru_ensemble); the best n-grams have 0.597, and none can have under 0.526.

The headline is bits per character of the last part of the text, so that models of
characters and of words compare; lower is better. By default the text is of a small
artificial language whose verbs agree with subjects far before them, and whose entropy
is known.

The state of a recurrent network is carried from chunk to chunk, and gradients go back
through one chunk: truncated backpropagation through time.
"""

import dataclasses
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import lazy_loader
import numpy as np

from rnn_tf import config, files
from rnn_tf.baselines import ngrams
from rnn_tf.config import RunConfig, require_paths
from rnn_tf.data.splits import Data, Network
from rnn_tf.data.text import batches, corpus, grammar, reader, streams
from rnn_tf.data.text.batches import size_of
from rnn_tf.data.text.corpus import Corpus, Part
from rnn_tf.errors import InputError
from rnn_tf.metrics import language
from rnn_tf.metrics.formatting import number, plain
from rnn_tf.metrics.scores import Scores
from rnn_tf.models import carried_state, layers, optimizer
from rnn_tf.recipe import runner
from rnn_tf.recipe.experiment import Experiment, Outcome, by_batch
from rnn_tf.recipe.say import say
from rnn_tf.report import language_plots
from rnn_tf.studies import language_models, language_tables, speech
from rnn_tf.studies.language_models import NetworkReader

keras = lazy_loader.load("keras")

# ---------------------------------------------------------------- configuration

CELLS = "simple_rnn", "gru", "lstm"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(RunConfig):
    """Predict the next character or word of a text, and see what beats n-grams."""

    data: str = "grammar"
    """grammar, the artificial language; or a UTF-8 text file, or a folder of .txt."""
    unit: Literal["character", "word"] | None = None
    """What is predicted; by default words of the grammar, characters of files."""
    split: tuple[int, ...] = (80, 10, 10)
    """Percent of the text for training, validation and test, in its order."""
    vocabulary: int = 10_000
    """Tokens of training to know, the most frequent; all others are unknown."""
    sentences: int = 6_000
    """Of the grammar: how many to make."""
    orders: int = 8
    """The longest n-grams to count."""
    chunk: int = 32
    """Tokens that gradients go back through; the state is carried on."""
    units: int = 96
    """Units of each layer; a search tries half as many and half as many more, too."""
    dropout: float = 0.1
    """Share of numbers between layers that training drops; a search tries others."""
    window: int = 8
    """Tokens before the next that the window MLP sees."""
    sizes: tuple[int, ...] = ()
    """Tokens of training, the last ones, that a GRU and n-grams learn from too."""
    spoken: int = 60
    """Tokens that each model says, for samples.md and speech.csv."""
    models: tuple[str, ...] = CELLS
    """Names of the networks to run; the size full has them all."""
    trials: int = 0
    trial_epochs: int = 3
    epochs: int = 5
    batch_size: int | None = 16

    def __post_init__(self):
        super().__post_init__()
        if self.unit is None:
            unit = "word" if self.data == "grammar" else "character"
            object.__setattr__(self, "unit", unit)
        if len(self.split) != 3 or sum(self.split) != 100 or min(self.split) < 1:
            shares = " ".join(map(str, self.split))
            raise InputError(
                f"--split is {shares}; give percent for training, validation and test "
                "that add up to 100, like 80 10 10"
            )
        config.require_at_least(self, "vocabulary", 3)
        config.require_at_least(self, "sentences", 100)
        config.require_at_least(self, "orders", 1)
        if not 0 <= self.dropout < 1:
            raise InputError(
                f"--dropout is {self.dropout}; it must be at least 0, and below 1"
            )
        for name in ("chunk", "units", "window", "spoken"):
            config.require_at_least(self, name, 2)
        if self.sizes:
            config.require_at_least(
                self, "sizes", ((self.batch_size or STREAMS) + 1) * self.chunk
            )
        config.require_any(self, "models")
        config.require_known(self, "models", MODELS)
        if self.replicas or self.strategy in ("mirrored", "multiworker", "tpu"):
            raise InputError(
                f"--strategy {self.strategy}, but a language model's state is carried "
                "from batch to batch on one device; take auto, cpu or gpu"
            )


FULL = {
    "batch_size": 32,
    "trials": 4,
    "trial_epochs": 3,
    "epochs": 12,
    "patience": 3,
    "chunk": 64,
    "units": 256,
    "sentences": 20_000,
    "spoken": 300,
    "sizes": (10_000, 30_000, 100_000),
    "models": (*CELLS, "window_mlp", "conv", "gru_reset", "gru_8", "gru_8_reset"),
}

STREAMS = 16  # read side by side, by default
BLOCK = 5  # stretches of a text that are alike: a scene, an article

# ---------------------------------------------------------------- data


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """A text in three parts, and the n-grams of the first."""

    corpus: Corpus
    grams: ngrams.Models

    @property
    def parts(self) -> dict[str, Part]:
        """The parts by split."""
        return self.corpus.parts


def load_data(config: Config) -> Data:
    """Load a text in three parts, as numbers of its characters or words."""
    batch = config.batch_size or STREAMS
    if config.data == "grammar":
        words = grammar.Language().text(config.sentences)
        text, make = reader.from_string("grammar", words), corpus.in_memory
    else:
        text, make = reader.read(Path(config.data)), corpus.in_cache
    split_text = make(text, config.unit, config.split, config.vocabulary)
    size, least = streams.Size(batch, config.chunk), 2 * language.STRETCH
    batches.check_length(split_text, text.name, size, config.sizes, least)
    facts = batches.facts(split_text, text, ngrams.COUNTED)
    if config.data == "grammar":
        entropy = grammar.Language().bits * config.sentences / len(words)
        facts["entropy"] = entropy
    tokens, known = split_text.parts["train"].tokens, len(split_text.vocabulary)
    source = Source(split_text, ngrams.Models(tokens, known, config.orders))
    dataset = partial(batches.dataset, split_text.parts)
    return Data(known, dataset, batch, BLOCK, facts, source)


def find_baselines(config: Config, data: Data) -> dict:
    """Give each baseline's predict(split): the probability of each token that comes."""
    return data.source.grams.predictors(data.source.parts, config.sizes)


# ---------------------------------------------------------------- models
# Each takes tokens, (streams, context + chunk), and gives the logits of the token after
# each of the last `chunk` of them, (streams, chunk, vocabulary). The recurrent ones
# have no context: they carry a state.


def recurrent(cell: str, hp, config: Config, vocabulary: int, chunk=None, carry=True):
    """Build recurrent layers on an embedding, whose state is carried on.

    Tied output weights (Press and Wolf, 2017) are those of the embedding.

    Args:
        cell: simple_rnn, gru or lstm.
        hp: the hyperparameters.
        config: of the run.
        vocabulary: how many tokens there are.
        chunk: tokens that gradients go back through; by default the run's.
        carry: whether the state is carried from chunk to chunk, or begins anew.
    """
    size = config.batch_size or STREAMS, chunk or config.chunk
    inputs = keras.Input(batch_shape=size, dtype="int32", name="tokens")
    embedding, rate = _embedding(hp, vocabulary), _dropout(hp, config)
    x, units = embedding(inputs), _units(hp, config)
    for _ in range(hp.Choice("depth", [1, 2], default=1)):
        x = keras.layers.Dropout(rate)(x)
        x = layers.recurrent(cell)(units, return_sequences=True, stateful=carry)(x)
        if hp.Boolean("layer_norm", default=False):
            x = keras.layers.LayerNormalization()(x)
    x = keras.layers.Dropout(rate)(x)
    return keras.Model(inputs, _logits(hp, x, embedding, vocabulary))


def window_mlp(hp, config: Config, vocabulary: int):
    """Build an MLP with one hidden layer on the last few tokens (Bengio et al., 2003).

    A convolution without padding is such an MLP, applied at each place.
    """
    size = config.batch_size or STREAMS, config.chunk + config.window - 1
    inputs = keras.Input(batch_shape=size, dtype="int32", name="tokens")
    embedding, rate = _embedding(hp, vocabulary), _dropout(hp, config)
    hidden = keras.layers.Conv1D(_units(hp, config), config.window, activation="tanh")
    x = hidden(embedding(inputs))
    x = keras.layers.Dropout(rate)(x)
    return keras.Model(inputs, _logits(hp, x, embedding, vocabulary))


def conv(hp, config: Config, vocabulary: int):
    """Build a stack of causal convolutions, ever further apart, with residuals.

    Sources: van den Oord et al. (2016), "WaveNet"; Bai et al. (2018).
    """
    dilations = 1, 2, 4, 8
    size = config.batch_size or STREAMS, config.chunk + 2 * sum(dilations)
    inputs = keras.Input(batch_shape=size, dtype="int32", name="tokens")
    embedding, rate = _embedding(hp, vocabulary), _dropout(hp, config)
    units = _units(hp, config)
    x = keras.layers.Dense(units)(embedding(inputs))
    for dilation in dilations:
        x = keras.layers.Dropout(rate)(x)
        layer = keras.layers.Conv1D(units, 3, dilation_rate=dilation, activation="relu")
        y = layer(x)
        x = keras.layers.LayerNormalization()(x[:, 2 * dilation :] + y)
    return keras.Model(inputs, _logits(hp, x, embedding, vocabulary))


def _embedding(hp, vocabulary: int):
    """Make the layer of the tokens' vectors; where Keras can, it may be tied."""
    width = hp.Choice("embedding", [32, 64, 128], default=64)
    if hasattr(keras.layers, "ReversibleEmbedding") and hp.Boolean("tied"):
        return keras.layers.ReversibleEmbedding(vocabulary, width, dtype="float32")
    return keras.layers.Embedding(vocabulary, width)


def _dropout(hp, config: Config) -> float:
    rates = sorted({0.0, 0.2, 0.4, config.dropout})
    return hp.Choice("dropout", rates, default=config.dropout)


def _units(hp, config: Config) -> int:
    half = config.units // 2
    return hp.Choice("units", [half, 2 * half, 3 * half], default=2 * half)


def _logits(hp, x, embedding, vocabulary: int):
    """Give the logit of each token: by its own weights, or by the embedding's."""
    if hp.values.get("tied"):
        return embedding(keras.layers.Dense(embedding.output_dim)(x), reverse=True)
    return layers.output(vocabulary)(x)


MODELS = {
    "simple_rnn": partial(recurrent, "simple_rnn"),
    "gru": partial(recurrent, "gru"),
    "lstm": partial(recurrent, "lstm"),
    "window_mlp": window_mlp,
    "conv": conv,
    # Whether to carry the state, and how long chunks must be.
    "gru_reset": partial(recurrent, "gru", carry=False),
    "gru_8": partial(recurrent, "gru", chunk=8),
    "gru_8_reset": partial(recurrent, "gru", chunk=8, carry=False),
}


def find_models(config: Config) -> dict[str, Callable]:
    """Give the models to run: those by name, and a GRU for each size of training."""
    little = {f"gru_of_{n}": MODELS["gru"] for n in config.sizes}
    return {name: MODELS[name] for name in config.models} | little


# ---------------------------------------------------------------- training


def compile_arguments(hp, config: Config, steps: int) -> dict:
    """Train by Adam, clipped, its rate falling to zero along a cosine over `steps`.

    Tokens that warm a stream up have the weight 0 in evaluations.
    """
    rate = optimizer.learning_rate(hp, hp.values.get("units", config.units))
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="mean_with_sample_weight"
    )
    score = keras.metrics.SparseCategoricalCrossentropy("score", from_logits=True)
    return {
        "optimizer": optimizer.clipped_adam(rate, steps),
        "loss": loss,
        "weighted_metrics": [score],
    }


def xla_from(name: str) -> float:
    """Say from how many gradient steps XLA pays for a whole model: never.

    Measured with one thread, GRU(256) on 64 x 128 characters, characters per second of
    a core: Keras's own 37,300; the fast kernels 39,600, compiled by XLA alone 42,100;
    XLA for all of the model 7,400.
    """
    return math.inf


# ---------------------------------------------------------------- evaluation


def predict(network: Network, data: Data, split: str) -> np.ndarray:
    """Give the probability of each token of a part, after all before it: (tokens,)."""
    size = size_of(network.model)
    carried_state.reset(network.model)

    def of_targets(targets, logits):
        logits = logits - logits.max(axis=-1, keepdims=True)
        right = np.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
        return np.exp(right) / np.exp(logits).sum(axis=-1)

    values = by_batch(network, data.dataset(split, network), of_targets)
    layout = streams.Layout(len(data.source.parts[split].tokens), size.streams)
    return layout.in_order(values, size.chunk)


def evaluate(data: Data, split: str, predictions: np.ndarray) -> Scores:
    """Score the probabilities of a part's tokens, by stretches of 1,000 characters."""
    part = data.source.parts[split]
    return language.scores(predictions, part.ends(language.STRETCH), part.lengths)


def export(networks: list[Network], data: Data):
    """Join the networks into one model of any length, the mean of their probabilities.

    Its state is not carried: (batch, context + steps) -> (batch, steps, vocabulary).
    """
    inputs = keras.Input((None,), dtype="int32", name="tokens")
    outputs = [
        keras.layers.Softmax(dtype="float32", name=f"softmax_{n}")(
            carried_state.copy(network.model, inputs, False, name=f"member_{n}_")
        )
        for n, network in enumerate(networks, start=1)
    ]
    mean = keras.layers.average(outputs) if len(outputs) > 1 else outputs[0]
    return keras.Model(inputs, mean)


def report(config: Config, outcome: Outcome) -> None:
    """Write what the models are made of, what they see, and what they say."""
    source = outcome.data.source
    known = range(1, config.orders + 1)
    grams = [language_models.NgramReader(source.grams.model(n)) for n in known]
    text = language_tables.Text(
        source.corpus, source.grams, trained(outcome), grams, config.spoken
    )
    tables = language_tables.of_trained(text)
    tables["mixture"] = language_models.MIXTURE, mixture(config, outcome)
    write(outcome.folder, tables)
    language_plots.draw(outcome.folder, outcome.tables, outcome.data.facts)
    samples = speech.samples(tables["speech"][1])
    files.write_text(outcome.folder / "samples.md", samples)
    if config.size == "full":  # which takes minutes, so that the rest lies there first
        write(outcome.folder, language_tables.of_studies(text, config.seeds))


def write(folder: Path, tables: language_tables.Tables) -> None:
    """Write tables into the run's folder."""
    for name, (columns, rows) in tables.items():
        files.write_csv(folder / f"{name}.csv", columns, rows)


def trained(outcome: Outcome) -> list[NetworkReader]:
    """Give each trained network, by name and seed.

    Those that differ from the GRU in their training alone are left out.
    """
    readers = []
    for name, seed in outcome.fits:
        if not name.startswith("gru_"):
            model = outcome.members[name](seed).model
            readers.append(NetworkReader(name, seed, model, size_of(model).context))
    return readers


def mixture(config: Config, outcome: Outcome) -> list[dict]:
    """Mix the seeds of the best network with the best n-grams, by validation."""
    rows, data = outcome.tables["metrics"], outcome.data
    rows = rows[(rows["split"] == "validation") & (rows["metric"] == "bits")]
    means = rows.groupby("model")["value"].mean()
    network = means[[m for m in config.models if m in means]].idxmin()
    grams = means[[m for m in means.index if m.startswith("ngram")]].idxmin()
    seeds = rows[rows["model"] == network]["seed"].astype(int)
    members = [outcome.members[network](seed) for seed in seeds]
    baseline = find_baselines(config, data)[grams]
    predictions = {
        split: (
            np.mean([predict(member, data, split) for member in members], axis=0),
            baseline(split),
        )
        for split in ("validation", "test")
    }
    return language_models.mixture_rows(
        (network, grams), predictions, partial(evaluate, data), data.block
    )


def show(outcome: Outcome, console) -> None:
    """Print what no model can go below, where it is known."""
    entropy = outcome.data.facts.get("entropy")
    if entropy:
        line = f"the language has {number(entropy)} bits per character: no model can "
        console.print(plain(f"{line}have fewer in the long run"))


# ---------------------------------------------------------------- run


def experiment(config: Config) -> Experiment:
    """Define the experiment; see `rnn_tf.recipe.experiment`."""
    return Experiment(
        name="language",
        headline="bits",
        models=find_models(config),
        answers=(),
        rivals=("gru", "gru_8_reset", *(f"ngrams_of_{n}" for n in config.sizes)),
        load_data=load_data,
        baselines=find_baselines,
        compile_arguments=compile_arguments,
        predict=predict,
        evaluate=evaluate,
        export=export,
        report=partial(report, config),
        show=show,
        callbacks=carried_state.resets,
        xla_from=xla_from,
    )


def run(config: Config) -> Outcome:
    """Run the recipe; see `rnn_tf.recipe.runner.run`."""
    require_paths(config, "grammar")
    return runner.run(experiment, config)


if __name__ == "__main__":
    raise SystemExit(config.main(run, Config, FULL, "language", say=say))
