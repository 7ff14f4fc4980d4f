"""Score translations by sacrebleu: chrF of each sentence, BLEU of all of them.

Sources: Popović (2015), "chrF: character n-gram F-score for automatic MT evaluation";
Papineni et al. (2002), "BLEU"; Post (2018), "A call for clarity in reporting BLEU
scores", whose signatures are recorded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import lazy_loader
import numpy as np

from rnn_tf.metrics.scores import Scores

sacrebleu = lazy_loader.load("sacrebleu")


@dataclass(frozen=True)
class Translations:
    """What a model made of the sources of a part, in order."""

    texts: Sequence[str]
    stopped: np.ndarray  # (sentences,) bool: whether it ended by itself


@dataclass(frozen=True)
class References:
    """What is right, and how it is compared."""

    texts: Sequence[str]
    slices: Sequence[str]  # of each sentence, such as its length
    tokenize: str  # sacrebleu's, for BLEU: char, none or 13a


def sentence_errors(texts: Sequence[str], references: Sequence[str]) -> np.ndarray:
    """Return 100 - chrF of each sentence: (sentences,)."""
    chrf = sacrebleu.metrics.CHRF()
    pairs = zip(texts, references, strict=True)
    return np.array([100 - chrf.sentence_score(t, [r]).score for t, r in pairs])


def bleu(texts: Sequence[str], references: Sequence[str], tokenize: str) -> tuple:
    """Return BLEU of all sentences together, and their length over the references'."""
    metric = sacrebleu.metrics.BLEU(tokenize=tokenize, force=True)
    score = metric.corpus_score(list(texts), [list(references)])
    return score.score, score.sys_len / max(score.ref_len, 1)


def signatures(tokenize: str) -> dict[str, str]:
    """Give sacrebleu's signatures of both metrics, which say how they were computed."""
    known = {
        "chrf": sacrebleu.metrics.CHRF(),
        "bleu": sacrebleu.metrics.BLEU(tokenize=tokenize),
    }
    for metric in known.values():
        metric.corpus_score(["a"], [["a"]])  # only then are the references counted
    return {name: str(metric.get_signature()) for name, metric in known.items()}


def scores(translations: Translations, references: References) -> Scores:
    """Score translations: the error of a sentence is 100 - chrF.

    Exact matches, lengths that are right and unstopped sentences are shares in %.
    """
    texts, right = list(translations.texts), list(references.texts)
    errors = sentence_errors(texts, right)
    pairs = list(zip(texts, right, strict=True))
    values = {
        "chrf_error": errors,
        "exact": 100.0 * np.array([t == r for t, r in pairs]),
        "right_length": 100.0 * np.array([len(t) == len(r) for t, r in pairs]),
        "unstopped": 100.0 * ~np.asarray(translations.stopped, bool),
    }
    whole, ratio = bleu(texts, right, references.tokenize)
    rows = [_row(name, "", of_all) for name, of_all in values.items()]
    rows += [
        _row("bleu", "", whole, len(texts)),
        _row("length_ratio", "", ratio, len(texts)),
    ]
    of = np.asarray(references.slices)
    for part in dict.fromkeys(references.slices):
        inside = of == part
        rows += [_row(n, part, values[n][inside]) for n in ("chrf_error", "exact")]
    return Scores(rows, errors)


UNITS = {"bleu": "", "length_ratio": "", "chrf_error": "100 - chrF"}


def _row(metric: str, part: str, values, count: int | None = None) -> dict:
    """Make a row of the mean of values, or of a number of so many sentences."""
    row = {"metric": metric, "slice": part, "value": float(np.mean(values))}
    return row | {"unit": UNITS.get(metric, "%"), "n": count or len(values)}
