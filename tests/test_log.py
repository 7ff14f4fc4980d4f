"""Tests of results/log.md: its numbers are those of the reference runs it names."""

import itertools
import re

import numpy as np
import pytest

from rnn_tf.claims.comparison import difference
from rnn_tf.runs.finished import Finished, find_runs
from tests.conftest import ROOT
from tests.page_runs import REFERENCE

RUNS = {run.name: run for run in find_runs(REFERENCE)}
SPREAD = re.compile(r"([\d.]+) ± ([\d.]+)")
DIFFERENCE = re.compile(r"([+-][\d.]+) \[([+-][\d.]+), ([+-][\d.]+)\]")


def find_rows() -> list[tuple[Finished, str]]:
    """Give the rows of the log that name a reference run: the run, and what came out.

    The table's columns are what was tried, what came of it, and the source.
    """
    lines = (ROOT / "results/log.md").read_text("utf-8").splitlines()
    cells = [line.split(" | ") for line in lines if line.startswith("| ")]
    sources = [(row[1], re.split(r"[;|\s]+", row[2])) for row in cells]
    return [(RUNS[w], text) for text, words in sources for w in words if w in RUNS]


ROWS = find_rows()


def as_printed(numbers: tuple[float, ...], texts: tuple[str, ...]) -> bool:
    """Whether numbers, in their unit or in thousandths, round to the printed ones."""
    places = [len(text.partition(".")[2]) for text in texts]
    return any(
        all(
            abs(scale * number - float(text)) <= 0.5000001 * 10**-n
            for number, text, n in zip(numbers, texts, places, strict=True)
        )
        for scale in (1, 1_000)
    )


def test_rows_are_found():
    """Would catch runs with other names, so that the test below looks at nothing."""
    numbers = [text for _, text in ROWS if SPREAD.search(text)]
    differences = [text for _, text in ROWS if DIFFERENCE.search(text)]
    assert len(numbers) >= 4
    assert len(differences) >= 6


@pytest.mark.parametrize("run, text", ROWS, ids=[run.name for run, _ in ROWS])
def test_numbers_are_those_of_the_run(run, text):
    """Would catch a reference run that was made again, and a log that was not."""
    seeds = [list(run.scores(model).values()) for model in run.models]
    spreads = [(np.mean(s), np.std(s, ddof=1)) for s in seeds if len(s) > 1]
    for printed in SPREAD.findall(text):
        assert any(as_printed(spread, printed) for spread in spreads), printed
    pairs = itertools.permutations(run.models, 2) if DIFFERENCE.search(text) else ()
    differences = [difference(run, *pair) for pair in pairs]
    ends = [(d.value, d.low, d.high) for d in differences]
    for printed in DIFFERENCE.findall(text):
        assert any(as_printed(numbers, printed) for numbers in ends), printed
