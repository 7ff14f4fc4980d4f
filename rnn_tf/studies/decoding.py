"""Measure what beams, lengths and stopping do to the translations of trained networks.

beams.csv     each number of beams, with and without normalisation by length
stopping.csv  greedy search that stops when all have ended, and one that does not
"""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from rnn_tf.data.text.pair_batches import Numbers
from rnn_tf.metrics import translation as metrics
from rnn_tf.metrics.translation import References
from rnn_tf.models.translation import BATCH, Search, Translated, translate

ALPHAS = 0.0, 1.0
REPEATS = 3  # of what is timed; the median counts
ROUNDING = 1e-4  # of log-probabilities
METRICS = "exact right_length bleu chrf_error length_ratio unstopped".split()


def beam_rows(
    model,
    sources: Numbers,
    write: Callable,
    references: References,
    search: Search,
    beams: tuple[int, ...],
) -> list[dict]:
    """Translate by each number of beams, and choose with and without normalisation.

    Args:
        model: an encoder-decoder.
        sources: to translate.
        write: translations as numbers -> `metrics.Translations`, the best of each.
        references: of the sources.
        search: its limit counts.
        beams: to keep.
    """
    rows, greedy = [], translate(model, sources, search)
    for count in beams:
        wide = replace(search, beams=count)
        translate(model, Numbers(sources.rows[:BATCH]), wide)  # it is compiled
        begun = time.perf_counter()
        translated = translate(model, sources, wide)
        seconds = round(time.perf_counter() - begun, 3)
        for alpha in ALPHAS:
            best = choose(translated, alpha)
            row = {"beams": count, "alpha": alpha, "n": len(references.texts)}
            row |= _scores(best, greedy, write, references)
            rows.append(row | {"seconds": seconds})
    return rows


def choose(translated: Translated, alpha: float) -> Translated:
    """Choose one of the beams of each sentence: the best by score / length ** alpha."""
    values = translated.log_probabilities / translated.lengths.astype(float) ** alpha
    best = values.argmax(axis=1)[:, None]
    return Translated(
        np.take_along_axis(translated.tokens, best[..., None], axis=1),
        np.take_along_axis(translated.log_probabilities, best, axis=1),
        np.take_along_axis(translated.lengths, best, axis=1),
        np.take_along_axis(translated.stopped, best, axis=1),
        translated.steps,
    )


def _scores(best: Translated, greedy: Translated, write, references) -> dict:
    """Score the translations that were chosen, also against greedy ones."""
    scored = metrics.scores(write(best), references).metrics
    values = {row["metric"]: row["value"] for row in scored if not row["slice"]}
    likelier = best.log_probabilities >= greedy.log_probabilities - ROUNDING
    return {name: values[name] for name in METRICS} | {
        "log_probability": float(best.log_probabilities.mean()),
        "likelier": 100 * float(likelier.mean()),
        "different_lengths": len(set(best.lengths[:, 0].tolist())),
    }


def stopping(model, sources: Numbers, search: Search) -> dict:
    """Time greedy search on one batch, that stops when all have ended, and not."""
    batch = Numbers(sources.rows[:BATCH])
    early, seconds = _timed(model, batch, search)
    fixed, seconds_fixed = _timed(model, batch, replace(search, patient=True))
    return {
        "n": len(batch.rows),
        "longest": int(early.lengths.max()),
        "steps": early.steps,
        "seconds": round(seconds, 4),
        "limit": search.limit,
        "steps_fixed": fixed.steps,
        "seconds_fixed": round(seconds_fixed, 4),
    }


def _timed(model, batch: Numbers, search: Search) -> tuple[Translated, float]:
    """Translate a batch once to compile, and again to time it."""
    translated, times = translate(model, batch, search), []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        translate(model, batch, search)
        times.append(time.perf_counter() - begun)
    return translated, float(np.median(times))
