"""The tables of a language run beside the recipe's: of what was trained, and studies.

Each table is its columns and its rows.
"""

from dataclasses import dataclass

import numpy as np

from rnn_tf.baselines import ngrams
from rnn_tf.data.text import grammar
from rnn_tf.data.text.corpus import Corpus, Part
from rnn_tf.errors import warn
from rnn_tf.studies import (
    at_once,
    context,
    embeddings,
    language_models,
    little_models,
    small_languages,
    speech,
    weight_sharing,
)
from rnn_tf.studies.language_models import NetworkReader, NgramReader

CELLS = "simple_rnn", "gru", "lstm"  # networks that speak fed with anything
JUDGE, SURPRISED = 6, 5  # the n of n-grams that score speech, and of those shown
PROMPT = 20  # tokens before what is said by the likeliest token
LEAST = {"train": 2_000, "validation": 200, "test": 200}  # tokens to train on anew

Tables = dict[str, tuple[list[str], list[dict]]]


@dataclass(frozen=True, eq=False)
class Text:
    """A text, and the models that a run has trained on it."""

    corpus: Corpus
    grams: ngrams.Models
    networks: list[NetworkReader]  # of all seeds
    ngrams: list[NgramReader]  # of all orders
    spoken: int  # tokens that each model says

    @property
    def first(self) -> list[NetworkReader]:
        """The networks of the first seed that could be trained."""
        return list({r.name: r for r in reversed(self.networks)}.values())[::-1]

    @property
    def test(self) -> Part:
        """The part that is looked at."""
        return self.corpus.parts["test"]


# ---------------------------------------------------------------- of what was trained


def of_trained(text: Text) -> Tables:
    """Look at what the trained models are made of, see and say."""
    size, test = len(text.corpus.vocabulary), text.test
    readers = [*text.ngrams, *text.networks]
    by_length, calibration = context.context_tables(readers, test)
    judge = text.grams.model(JUDGE)
    speakers = [*{r.order: r for r in (text.ngrams[0], text.ngrams[-1])}.values()]
    surprised = [NgramReader(text.grams.model(SURPRISED)), *text.first]
    tables = {
        "ngrams": (
            language_models.NGRAMS,
            language_models.ngram_rows(text.grams, test),
        ),
        "reach": (context.REACH, context.reach_rows(readers, test, size)),
        "context": (context.CONTEXT, by_length),
        "calibration": (context.CALIBRATION, calibration),
        "outputs": (
            language_models.OUTPUTS,
            language_models.output_rows(text.first, test, size),
        ),
        "embeddings": (embeddings.COLUMNS, embeddings.rows(text.networks, text.corpus)),
        "embedding_map": (
            embeddings.MAP,
            [r for n in text.first[:1] for r in embeddings.map_rows(n, text.corpus)],
        ),
        "speech": (
            speech.SPEECH,
            speech.speech_rows(
                [*speakers, *text.first], judge, text.corpus.text, text.spoken
            ),
        ),
        "surprise": (
            language_models.SURPRISE,
            language_models.surprise_rows(
                surprised, test, sentence(text.corpus), text.corpus.text
            ),
        ),
    }
    if text.corpus.unit == "word":
        tables |= _agreement(text, readers)
    return tables


def _agreement(text: Text, readers: list) -> Tables:
    """Ask for the verbs of the artificial language; nothing of another text."""
    words = text.corpus.vocabulary
    verbs = np.array([grammar.verb_class(word) for word in words])
    if not (verbs >= 0).any() or "\n" not in words:
        return {}
    rows = context.agreement_rows(readers, text.test, verbs, words.index("\n"))
    return {"agreement": (context.AGREEMENT, rows)}


def sentence(corpus: Corpus) -> range:
    """Choose tokens of the test text to look at: of its first lines the longest."""
    tokens = np.asarray(corpus.parts["test"].tokens[:400])
    end = corpus.vocabulary.index("\n") if "\n" in corpus.vocabulary else -1
    lines = np.flatnonzero(tokens == end)
    if len(lines) < 2:
        return range(min(40, len(tokens)))
    longest = int(np.diff(lines).argmax())
    start, stop = int(lines[longest]) + 1, int(lines[longest + 1]) + 1
    return range(start, min(stop, start + 40))


# ---------------------------------------------------------------- studies


def of_studies(text: Text, seeds: int) -> Tables:
    """Train small networks, and have the trained ones speak for long; minutes.

    Args:
        text: and its trained models.
        seeds: of what is trained here.
    """
    recurrent = [r for r in text.networks if r.name in CELLS]
    judge, known = text.grams.model(JUDGE), speech.known_words(text.corpus)
    prompts = text.test.read(np.arange(speech.TEXTS) * PROMPT, PROMPT)
    tables = {
        "hello": (small_languages.HELLO, small_languages.hello_rows(seeds=10)),
        "bank": (small_languages.BANK, small_languages.bank_rows(seeds)),
        "weight_sharing": (weight_sharing.COLUMNS, list(weight_sharing.rows(seeds))),
        "fed": (speech.FED, speech.fed_rows(recurrent, judge, known)),
        "long_speech": (speech.LONG, speech.long_rows(recurrent, judge, known)),
        "loops": (speech.LOOPS, speech.loop_rows(recurrent, prompts)),
    }
    return tables | _trained_anew(text, seeds)


def _trained_anew(text: Text, seeds: int) -> Tables:
    """Train small networks on little of the text; nothing if there is less."""
    parts, size = text.corpus.parts, len(text.corpus.vocabulary)
    for split, least in LEAST.items():
        if len(parts[split].tokens) < least:
            needed = f"{least:,} {text.corpus.unit}s for {split}"
            warn(f"left out: to train small networks on little text takes {needed}")
            return {}
    written = at_once.rows(parts["train"], parts["test"], seeds)
    little = little_models.rows(little_models.cut(parts, size), seeds)
    return {
        "at_once": (at_once.COLUMNS, list(written)),
        "little_models": (little_models.COLUMNS, list(little)),
    }
