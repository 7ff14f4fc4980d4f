"""Have language models speak, and score what they say by numbers.

The judge is an n-gram model of the training text: how many bits does a token cost it?
"""

import re
from collections.abc import Callable, Iterable

import numpy as np

from rnn_tf.baselines import ngrams
from rnn_tf.data.text.corpus import Corpus
from rnn_tf.metrics import language
from rnn_tf.models import sampling
from rnn_tf.models.sampling import Choice
from rnn_tf.studies.language_models import NetworkReader, Reader

SPEECH = "model temperature seed tokens distinct repeated bits text".split()
FED = "model seed fed tokens known bits".split()
LONG = "model seed tenth tokens known bits".split()
LOOPS = "model seed text tokens period".split()

TEXTS = 8  # side by side
FED_LENGTH, LOOP_LENGTH = 100, 300  # tokens
LONG_LENGTH = 20_000  # of all texts together
WORD = re.compile(r"\w+")

Judge = Callable[[np.ndarray], float]  # tokens, (texts, length) -> bits of a token

# ---------------------------------------------------------------- one text


def speech_rows(
    readers: Iterable[Reader],
    judge: ngrams.KneserNey,
    text: Callable,
    length: int,
    seeds: int = 3,
) -> list[dict]:
    """Have each model speak, by the likeliest token and by draws, over some seeds.

    Args:
        readers: the models.
        judge: an n-gram model that scores what is spoken.
        text: tokens -> what they are as text.
        length: tokens to speak.
        seeds: of the draws, at each temperature.

    Returns:
        `distinct`: share of different tokens; `repeated`: share of 4-grams that were
        spoken before; `bits`: of a token, under the judge.
    """
    rows = []
    for reader in readers:
        begin = _speakers(reader)
        for temperature in (0.0, 1.0):
            for seed in range(1, seeds + 1):
                random = np.random.default_rng(seed)
                spoken = sampling.speak(begin(), [0], Choice(temperature), random)
                tokens = np.array([next(spoken) for _ in range(length)])
                row = {"model": reader.name, "temperature": temperature, "seed": seed}
                row |= {"tokens": length}
                row |= {"distinct": len(set(tokens.tolist())) / length}
                row |= {"repeated": repeated(tokens, 4)}
                row |= {"bits": bits(judge, tokens[None])}
                rows.append(row | {"text": text(tokens)})
    return rows


def _speakers(reader: Reader) -> Callable[[], sampling.Speaker]:
    """Make what makes speakers of a model."""
    if isinstance(reader, NetworkReader):
        return sampling.network_speakers(reader.speaks, reader.context)
    return lambda: sampling.ngram_speaker(reader.model)


def repeated(tokens: np.ndarray, n: int) -> float:
    """Return the share of n-grams that came before."""
    grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return 1 - len(set(grams)) / max(1, len(grams))


def bits(judge: ngrams.KneserNey, texts: np.ndarray) -> float:
    """Return what a token of some texts, (texts, length), costs an n-gram model."""
    return float(np.mean([language.bits(judge.probabilities(t)) for t in texts]))


def samples(rows: list[dict]) -> str:
    """Write what the models said side by side, as Markdown."""
    lines = ["# What the models say", ""]
    for row in rows:
        if row["seed"] == 1:
            how = "draws" if row["temperature"] else "always the likeliest"
            text = row["text"].replace("```", "` ` `")
            lines += [f"## {row['model']}, {how}", "", "```text", text, "```", ""]
    return "\n".join(lines)


# ---------------------------------------------------------------- words


def known_words(corpus: Corpus) -> Callable[[np.ndarray], float | str]:
    """Make a function: texts, (texts, length) -> the share of words that training has.

    The first and the last word of a text, which may be cut, do not count. A model of
    words says no others, so its share is "".
    """
    if corpus.unit == "word":
        return lambda texts: ""
    training = corpus.parts["train"].tokens[-ngrams.COUNTED :]
    known = set(WORD.findall(corpus.text(training.tolist())))

    def share(texts: np.ndarray) -> float | str:
        words = [w for t in texts for w in WORD.findall(corpus.text(t.tolist()))[1:-1]]
        return sum(word in known for word in words) / len(words) if words else ""

    return share


# ---------------------------------------------------------------- fed with what


def fed_rows(
    readers: Iterable[NetworkReader],
    judge: ngrams.KneserNey,
    known: Callable,
    length: int = FED_LENGTH,
) -> list[dict]:
    """Have networks speak, fed with their own output, with zeros, or by chance.

    Args:
        readers: recurrent networks.
        judge: an n-gram model that scores what is spoken.
        known: see `known_words`.
        length: tokens of each of `TEXTS` texts.
    """
    rows = []
    for reader in readers:
        begin = sampling.speakers_side_by_side(reader.speaks, TEXTS)
        for fed, feed in _feeds(judge.vocabulary, reader.seed).items():
            random = np.random.default_rng(reader.seed)
            texts = sampling.speak_side_by_side(
                begin(), _nothing(), length, random, feed=feed
            )
            row = {"model": reader.name, "seed": reader.seed, "fed": fed}
            row |= {"tokens": texts.size, "known": known(texts)}
            rows.append(row | {"bits": bits(judge, texts)})
    return rows


def _feeds(vocabulary: int, seed: int) -> dict[str, Callable]:
    """Name what may be fed back: the unknown token has the number 0."""
    random = np.random.default_rng((seed, 1))
    return {
        "own": np.asarray,
        "zeros": np.zeros_like,
        "random": lambda tokens: random.integers(1, vocabulary, len(tokens)),
    }


def _nothing() -> np.ndarray:
    """Return prompts of the unknown token alone, with which a text begins."""
    return np.zeros((TEXTS, 1), int)


# ---------------------------------------------------------------- for long


def long_rows(
    readers: Iterable[NetworkReader],
    judge: ngrams.KneserNey,
    known: Callable,
    length: int = LONG_LENGTH,
) -> list[dict]:
    """Have networks speak for long, and score each tenth of what they say.

    Args:
        readers: recurrent networks.
        judge: an n-gram model that scores what is spoken.
        known: see `known_words`.
        length: tokens of all `TEXTS` texts together.
    """
    rows = []
    for reader in readers:
        begin = sampling.speakers_side_by_side(reader.speaks, TEXTS)
        random = np.random.default_rng(reader.seed)
        texts = sampling.speak_side_by_side(
            begin(), _nothing(), length // TEXTS, random
        )
        for tenth, part in enumerate(np.array_split(texts, 10, axis=1), start=1):
            row = {"model": reader.name, "seed": reader.seed, "tenth": tenth}
            row |= {"tokens": part.size, "known": known(part)}
            rows.append(row | {"bits": bits(judge, part)})
    return rows


def loop_rows(
    readers: Iterable[NetworkReader], prompts: np.ndarray, length: int = LOOP_LENGTH
) -> list[dict]:
    """Have networks say the likeliest token always, and find where they go in circles.

    Args:
        readers: recurrent networks.
        prompts: (texts, tokens) to begin with.
        length: tokens to say.
    """
    rows = []
    for reader in readers:
        begin = sampling.speakers_side_by_side(reader.speaks, len(prompts))
        random = np.random.default_rng(1)  # is not asked
        texts = sampling.speak_side_by_side(begin(), prompts, length, random, 0.0)
        for number, tokens in enumerate(texts, start=1):
            row = {"model": reader.name, "seed": reader.seed, "text": number}
            rows.append(row | {"tokens": length, "period": period(tokens)})
    return rows


def period(tokens: np.ndarray) -> int | str:
    """Return after how many tokens the last half of a text repeats itself, or ""."""
    last = tokens[len(tokens) // 2 :]
    for n in range(1, len(last) // 2 + 1):
        if (last[n:] == last[:-n]).all():
            return n
    return ""
