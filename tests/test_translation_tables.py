"""The tables of the READMEs on translations, from made-up runs."""

import pytest

from rnn_tf.report import translation_tables as tables
from tests.test_length_tables import cells

SCORES = {
    "chrf_error": (40, 44),
    "bleu": (30, 36),
    "exact": (2, 4),
    "length_ratio": (1, 1),
}


@pytest.fixture(autouse=True)
def run(monkeypatch):
    """A network of two seeds, and a baseline that is worse."""
    metrics = []
    for metric, values in SCORES.items():
        known = {"metric": metric, "split": "test", "slice": ""}
        for value in values:
            metrics.append(known | {"model": "attention", "value": str(value)})
        metrics.append(known | {"model": "copy", "value": "80"})
        metrics.append(metrics[-1] | {"split": "validation", "value": "1"})
    for part, values in (("10-12 tokens", (0, 1)), ("3-9 tokens", (50, 52))):
        known = {"metric": "exact", "split": "test", "slice": part}
        for value in values:
            metrics.append(known | {"model": "attention", "value": str(value)})
        metrics.append(known | {"model": "copy", "value": "9"})
    rows = {"metrics": metrics, "trials": [{"model": "attention"}] * 2}
    monkeypatch.setattr(tables, "rows_of", lambda folder, name: rows[name])


def test_models_stand_by_their_scores_on_test():
    """Would catch scores of validation, or of some sentences, among those of test."""
    assert cells(tables.models(None)) == [
        ["model", "100 - chrF", "BLEU", "exact, %", "length ratio"],
        ["attention", "42.0 ± 2.8", "33.0 ± 4.2", "3.0 ± 1.4", "1.00 ± 0.00"],
        ["copy", "80.0", "80.0", "80.0", "80.00"],
    ]


def test_models_that_score_alike_stand_as_in_the_run(monkeypatch):
    """Would catch a set: its order is another one in each process."""
    names = [f"model_{n}" for n in (3, 1, 4, 5, 9, 2, 6)]
    known = {"split": "test", "slice": "", "value": "1"}
    rows = [
        known | {"model": name, "metric": metric}
        for name in names
        for metric in tables.METRICS
    ]
    monkeypatch.setattr(tables, "rows_of", lambda folder, name: rows)
    assert [line[0] for line in cells(tables.models(None))[1:]] == names


def test_lengths_are_columns_in_their_order():
    """Would catch 10 before 3, as text has it, and baselines among the networks."""
    assert cells(tables.by_length(None)) == [
        ["exact, %", "3-9 tokens", "10-12 tokens"],
        ["attention", "51.0 ± 1.4", "0.5 ± 0.7"],
    ]
