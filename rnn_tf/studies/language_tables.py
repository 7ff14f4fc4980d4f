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
    return _made_of(text) | _seen(text) | _said(text)


def _made_of(text: Text) -> Tables:
    """Look at n-grams, and at the vectors, outputs and losses of networks."""
    size = len(text.corpus.vocabulary)
    ngram = language_models.ngram_rows(text.grams, text.test)
    outputs = language_models.output_rows(text.first, text.test, size)
    neighbours = embeddings.rows(text.networks, text.corpus)
    places = [r for n in text.first[:1] for r in embeddings.map_rows(n, text.corpus)]
    return {
        "ngrams": (language_models.NGRAMS, ngram),
        "outputs": (language_models.OUTPUTS, outputs),
        "embeddings": (embeddings.COLUMNS, neighbours),
        "embedding_map": (embeddings.MAP, places),
    }


def _seen(text: Text) -> Tables:
    """Look at what text before a token is to each model, and at one sentence."""
    words, readers = text.corpus.vocabulary, [*text.ngrams, *text.networks]
    reach = context.reach_rows(readers, text.test, len(words))
    by_length, calibration = context.context_tables(readers, text.test)
    shown = [NgramReader(text.grams.model(SURPRISED)), *text.first]
    surprise = language_models.surprise_rows(
        shown, text.test, sentence(text.corpus), text.corpus.text
    )
    tables = {
        "reach": (context.REACH, reach),
        "context": (context.CONTEXT, by_length),
        "calibration": (context.CALIBRATION, calibration),
        "surprise": (language_models.SURPRISE, surprise),
    }
    verbs = np.array([grammar.verb_class(word) for word in words])
    if text.corpus.unit == "word" and (verbs >= 0).any() and "\n" in words:
        # The artificial language, or a text that has its words.
        end = words.index("\n")
        rows = context.agreement_rows(readers, text.test, verbs, end)
        tables["agreement"] = context.AGREEMENT, rows
    return tables


def _said(text: Text) -> Tables:
    """Have the unigrams, the longest n-grams and each network speak."""
    ends = {r.order: r for r in (text.ngrams[0], text.ngrams[-1])}
    judge = text.grams.model(JUDGE)
    speakers = [*ends.values(), *text.first]
    rows = speech.speech_rows(speakers, judge, text.corpus.text, text.spoken)
    return {"speech": (speech.SPEECH, rows)}


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
    sharing = weight_sharing.rows(max(seeds, weight_sharing.SEEDS))
    tables = {
        "hello": (small_languages.HELLO, small_languages.hello_rows(seeds=10)),
        "bank": (small_languages.BANK, small_languages.bank_rows(seeds)),
        "weight_sharing": (weight_sharing.COLUMNS, list(sharing)),
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
