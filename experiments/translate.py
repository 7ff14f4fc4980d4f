"""Turn a sequence into another: encoder-decoders, attention, beam search, stop tokens.

    make translate                                         quick: dates, a minute
    make translate ARGS="--size full"                      dates, three toy tasks
    make translate ARGS="--data reversal --size full"      one of them
    make translate ARGS="--data FOLDER --unit word --lower --size full"
    python -m experiments.translate say --model RUN "27. November 2026"

Minutes on two cores, by the reference runs, of three seeds and no search: 10 for dates,
77 for Multi30k. Expect of attention no wrong date, and on Multi30k, from German, a BLEU
of 35.7 where word by word has 22.3.

A folder holds train.de, train.en, val.de and so on; a .tsv or .csv holds pairs. The
headline is 100 - chrF of a sentence, by sacrebleu; lower is better. BLEU and exact
matches stand beside it.

By default dates in many ways and languages become ISO 8601; and some ways are held out.
The toy tasks reverse, copy, double or halve words of random letters, so that what is
needed when is known: an output may need an input that comes later, or may be longer
than the input.
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
from rnn_tf.baselines import translation as baselines
from rnn_tf.config import RunConfig, require_paths
from rnn_tf.data.splits import Data, Network
from rnn_tf.data.text import date_formats, pair_batches, parallel, tokens, toys
from rnn_tf.data.text.parallel import ParallelText
from rnn_tf.errors import InputError
from rnn_tf.metrics import translation as metrics
from rnn_tf.metrics.scores import Scores
from rnn_tf.metrics.translation import Translations
from rnn_tf.models import encoder_decoder, optimizer
from rnn_tf.models.encoder_decoder import Network as Kind
from rnn_tf.models.encoder_decoder import Sizes
from rnn_tf.models.translation import BATCH
from rnn_tf.recipe import runner
from rnn_tf.recipe.experiment import Experiment, Outcome
from rnn_tf.recipe.say_translation import say
from rnn_tf.report import plots, translation_plots
from rnn_tf.studies import tones, translations
from rnn_tf.studies.translations import Source

keras = lazy_loader.load("keras")
pd = lazy_loader.load("pandas")

# ---------------------------------------------------------------- configuration

TASKS = "dates", *toys.RULES


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(RunConfig):
    """Translate, and see what an encoder-decoder, attention and beams are good for."""

    data: tuple[str, ...] = ("dates",)
    """Each is a run of its own: dates, reversal, copy, doubled, halved; or a folder of
    parallel text, or a .tsv or .csv of pairs."""
    languages: tuple[str, ...] = ()
    """With a folder: what its files end with, source and target, like de en."""
    unit: Literal["character", "word", "subword"] | None = None
    """What is a token; by default characters of the tasks, words of files."""
    lower: bool = False
    """Put all text into lower case."""
    fewest: int = 2
    """Times that training must have a word or character of files to be known."""
    vocabulary: int = 8_000
    """Tokens of each language to know, the most frequent."""
    longest: int = 50
    """Tokens of a sentence of training, at most."""
    letters: int = 10
    """Letters of a word of the toy tasks, at most; all lengths from 3 on are there."""
    examples: int = 2_400
    """Dates or words to make; 80 % are for training."""
    units: int = 64
    """Units of encoder and decoder; a search tries half as many and half more, too."""
    dropout: float = 0.0
    """Share of numbers between layers that training drops; a search tries others."""
    beams: int = 1
    """Translations that the search keeps, for the table: 1 is greedy."""
    states: tuple[int, ...] = ()
    """Units of further encoder-decoders, with and without attention."""
    models: tuple[str, ...] = ("plain", "encoder_decoder", "attention")
    """Names of the networks to run; the size full has them all."""
    trials: int = 0
    trial_epochs: int = 4
    epochs: int = 4
    batch_size: int | None = 64

    def __post_init__(self):
        super().__post_init__()
        config.require_any(self, "data")
        config.require_at_least(self, "examples", 100)
        config.require_at_least(self, "letters", toys.SHORTEST)
        for name in ("fewest", "beams"):
            config.require_at_least(self, name, 1)
        for name in ("vocabulary", "longest", "units", *["states"] * bool(self.states)):
            config.require_at_least(self, name, 2)
        if not 0 <= self.dropout < 1:
            raise InputError(
                f"--dropout is {self.dropout}; it must be at least 0, and below 1"
            )
        config.require_any(self, "models")
        config.require_known(self, "models", MODELS)

    @property
    def runs(self) -> int:
        """A run for each data set."""
        return len(set(self.data))


FULL = {
    "data": ("dates", "reversal", "copy", "doubled"),
    "examples": 20_000,
    "batch_size": 128,
    "letters": 20,
    "units": 128,
    "epochs": 12,
    "patience": 12,  # all networks have as many updates
    "states": (16, 64),
    "models": (
        *("plain", "plain_bidirectional", "plain_delayed", "plain_delayed_lstm"),
        *("encoder_decoder", "encoder_decoder_lstm", "encoder_decoder_no_end"),
        *("encoder_decoder_context", "encoder_decoder_reversed"),
        "encoder_decoder_bidirectional",
        *("attention", "attention_bahdanau", "attention_lstm", "attention_sampled"),
    ),
}

# Networks that are searched with several numbers of beams, and those numbers.
SEARCHED = {"quick": ("attention",), "full": ("encoder_decoder", "attention")}
BEAMS = {"quick": (1, 5), "full": (1, 2, 5, 10, 20)}

# ---------------------------------------------------------------- data


def load_data(config: Config) -> Data:
    """Load parallel text in three parts, as numbers of its tokens."""
    (name,) = config.data
    task, unit = name in TASKS, config.unit
    unit = unit or ("character" if task else "word")
    if name == "dates":
        text = date_formats.dates(config.examples)
    elif task:
        text = toys.toy(name, config.examples, config.letters)
    else:
        text = _read(Path(name), unit, config)
    train, fewest = text.parts["train"], 1 if task else config.fewest
    known = tuple(
        tokens.learn(side, unit, fewest, config.vocabulary)
        for side in (train.sources, train.targets)
    )
    parts = {split: pair_batches.part(p, known) for split, p in text.parts.items()}
    tokenize = "char" if task else {"word": "none"}.get(unit, "13a")
    source = Source(text, known, parts, tokenize)
    batch = config.batch_size or 64
    sizes = *map(len, known), source.longest
    facts = _facts(source, task)
    return Data(sizes, partial(dataset, source, batch), batch, 1, facts, source)


def _read(path: Path, unit: str, config: Config) -> ParallelText:
    """Read parallel text, and leave out what cannot be learned from."""
    text = parallel.read(path, config.languages)

    def count(sentence):
        # Of subwords, which are learned only then, there are about as many as words.
        return len(tokens.pieces(sentence, "word" if unit == "subword" else unit))

    return parallel.clean(text, config.longest, count, config.lower)


def _facts(source: Source, task: bool) -> dict:
    """Give what config.json records of the text, and a sentence on it."""
    text, (first, second) = source.text, source.tokens
    counts = {split: len(part) for split, part in source.parts.items()}
    pairs = ", ".join(f"{count:,} {split}" for split, count in counts.items())
    kinds = f"{len(first):,} and {len(second):,} {first.unit}s"
    says = f"{text.name}, {' to '.join(text.languages)}, {pairs}, {kinds}"
    return {
        "source": text.name,
        "sha256": text.sha256,
        "task": task,
        "languages": list(text.languages),
        "unit": first.unit,
        "examples": counts,
        "left_out": list(text.notes),
        "limit": source.limit,
        "longest_source": int(source.parts["train"].sources.lengths.max()),
        "signatures": metrics.signatures(source.tokenize),
        "vocabulary": list(second.names),
        "source_vocabulary": list(first.names),
        "subwords": [known.subwords for known in source.tokens],
        "says": "; ".join([says, *text.notes]),
    }


def dataset(source: Source, batch: int, split: str, network: Network, order=None):
    """Make batches that fit the network; of training by an order, else to score."""
    layout = pair_batches.layout(network.model, ends="no_end" not in network.name)
    return pair_batches.dataset(source.parts[split], layout, batch, order)


def find_baselines(config: Config, data: Data) -> dict:
    """Give each baseline's predict(split), by name."""
    source, train = data.source, data.source.text.parts["train"]
    rivals = {
        "copy": baselines.copy(),
        "most_frequent": baselines.most_frequent(train),
        "nearest": baselines.nearest(train, source.tokens[0]),
        "word_by_word": baselines.word_by_word(train, source.tokens),
    }

    def predict(rival, split):
        texts = rival(source.parts[split].pairs.sources)
        if source.tokens[1].unit == "word":
            texts = [" ".join(tokens.pieces(text, "word")) for text in texts]
        return Translations(texts, np.ones(len(texts), bool))

    return {name: partial(predict, rival) for name, rival in rivals.items()}


# ---------------------------------------------------------------- models
# Sources, (batch, steps), and the target so far, (batch, steps) -> the logits of each
# target, (batch, steps, tokens). A plain one takes sources alone, and gives an output
# at each of their steps.


def build(make: Callable, kind: Kind, hp, config: Config, sizes, units=None):
    """Build a network, of `units` units, by default as many as a search tries."""
    half = config.units // 2
    units = units or hp.Choice("units", [half, 2 * half, 3 * half], default=2 * half)
    rates = sorted({0.0, 0.2, 0.4, config.dropout})
    known = Sizes(
        *sizes[:2],
        embedding=hp.Choice("embedding", [half, 2 * half], default=2 * half),
        units=units,
        dropout=hp.Choice("dropout", rates, default=config.dropout),
        width=sizes[2] if kind.attention == "bahdanau" else None,
    )
    return make(kind, known)


ONE_PER_STEP, DELAYED = encoder_decoder.plain, encoder_decoder.plain_delayed
TWO_PARTS = encoder_decoder.encoder_decoder
WITH_ATTENTION = Kind(bidirectional=True, attention="luong")
KINDS = {
    "plain": (ONE_PER_STEP, Kind()),
    "plain_bidirectional": (ONE_PER_STEP, Kind(bidirectional=True)),
    "plain_delayed": (DELAYED, Kind()),
    "plain_delayed_lstm": (DELAYED, Kind("lstm")),
    "encoder_decoder": (TWO_PARTS, Kind()),
    "encoder_decoder_lstm": (TWO_PARTS, Kind("lstm")),
    "encoder_decoder_no_end": (TWO_PARTS, Kind()),  # its training has no stop token
    "encoder_decoder_context": (TWO_PARTS, Kind(context=True)),
    "encoder_decoder_reversed": (TWO_PARTS, Kind(reverse=True)),
    # The next one, but for its attention: what that alone is worth.
    "encoder_decoder_bidirectional": (TWO_PARTS, Kind(bidirectional=True)),
    "attention": (TWO_PARTS, WITH_ATTENTION),
    "attention_bahdanau": (
        TWO_PARTS,
        dataclasses.replace(WITH_ATTENTION, attention="bahdanau"),
    ),
    "attention_lstm": (TWO_PARTS, dataclasses.replace(WITH_ATTENTION, cell="lstm")),
    # Scheduled sampling: a quarter of what the decoder reads is its own.
    "attention_sampled": (TWO_PARTS, dataclasses.replace(WITH_ATTENTION, own=0.25)),
}
MODELS = {name: partial(build, *kind) for name, kind in KINDS.items()}


def find_models(config: Config) -> dict[str, Callable]:
    """Give the models to run: those by name, and some with other numbers of units."""
    sized = {
        f"{name}_{units}": partial(MODELS[name], units=units)
        for units in config.states
        for name in ("encoder_decoder", "attention")
    }
    return {name: MODELS[name] for name in config.models} | sized


# ---------------------------------------------------------------- training


def compile_arguments(hp, config: Config, steps: int) -> dict:
    """Train by Adam, clipped, its rate falling to zero along a cosine over `steps`.

    Padding has the weight 0. The loss is divided by all places, of padding too,
    so that replicas train as one device does, whichever has more of it. The score is
    the cross-entropy of a real token in nats.
    """
    rate = optimizer.learning_rate(hp, hp.values.get("units", config.units))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    score = keras.metrics.SparseCategoricalCrossentropy("score", from_logits=True)
    return {
        "optimizer": optimizer.clipped_adam(rate, steps),
        "loss": loss,
        "weighted_metrics": [score],
    }


def xla_from(name: str) -> float:
    """Say from how many gradient steps XLA pays for a whole model: never."""
    return math.inf


# ---------------------------------------------------------------- evaluation


def predict(beams: int, network: Network, data: Data, split: str) -> Translations:
    """Translate the sources of a part."""
    source = data.source
    best = translations.translated(source, source.parts[split], network, beams)
    return translations.written(source, best)


def evaluate(data: Data, split: str, predictions: Translations) -> Scores:
    """Score translations by 100 - chrF of a sentence, and by more."""
    references = data.source.references(data.source.parts[split])
    return metrics.scores(predictions, references)


def report(config: Config, outcome: Outcome) -> None:
    """Write how networks decode, what they make of ways held out, and what they say."""
    folder, source = outcome.folder, outcome.data.source
    tables, samples = {"beams": [], "stopping": [], "held_out": []}, {}
    for name, seed, network in outcome.networks():
        compared = BEAMS[config.size] if name in SEARCHED[config.size] else ()
        measured = translations.rows(source, network, config.beams, compared)
        for table, rows in measured.items():
            tables[table] += [{"model": name, "seed": seed} | row for row in rows]
        if name not in samples:
            samples[name] = show_samples(config, outcome, network)
    for name, rows in tables.items():
        if rows:
            files.write_csv(folder / f"{name}.csv", list(rows[0]), rows)
    if tables["beams"]:
        translation_plots.beams(folder / "beams.png", pd.DataFrame(tables["beams"]))
    plots.learning_curves(folder / "learning_curves.png", outcome.tables["history"])
    translation_plots.lengths(folder / "lengths.png", outcome.tables["metrics"])
    files.write_text(folder / "samples.md", translations.samples_page(source, samples))
    if config.size == "full" and source.text.name == "dates":  # a study for all, once
        rows = list(tones.rows(config.seeds))
        files.write_csv(folder / "tones.csv", tones.COLUMNS, rows)


def show_samples(config: Config, outcome: Outcome, network: Network) -> list[str]:
    """Translate a few test sentences; draw what the first attention attends to."""
    source, picture = outcome.data.source, outcome.folder / "alignment.png"
    part = source.parts["test"].first(BATCH)  # of which all are compiled
    best = translations.translated(source, part, network, config.beams)
    if "attention" in network.name and not picture.exists():
        target = best.tokens[0, 0, : best.lengths[0, 0]]
        attended = translations.attention(source, network, target)
        translation_plots.alignment(picture, *attended)
    return translations.written(source, best).texts[: translations.SAMPLES]


# ---------------------------------------------------------------- run


def experiment(config: Config) -> Experiment:
    """Define the experiment on one data set; see `rnn_tf.recipe.experiment`."""
    return Experiment(
        name="translate",
        headline="chrf_error",
        models=find_models(config),
        answers=(),
        rivals=("plain_delayed", "encoder_decoder"),
        load_data=load_data,
        baselines=find_baselines,
        compile_arguments=compile_arguments,
        predict=partial(predict, config.beams),
        evaluate=evaluate,
        report=partial(report, config),
        mean=None,  # no ensembles: there is no mean of sentences
        xla_from=xla_from,
    )


def run(config: Config) -> dict[str, Outcome]:
    """Run the recipe on each data set; see `rnn_tf.recipe.runner.run`."""
    require_paths(config, *TASKS)
    return runner.run_each(experiment, config)


if __name__ == "__main__":
    raise SystemExit(config.main(run, Config, FULL, "translate", say=say))
