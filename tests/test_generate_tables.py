"""The tables of the READMEs on drawings and captions, from made-up runs."""

import pytest

from rnn_tf.report import generate_tables as tables
from tests.test_length_tables import cells

HEADINGS = [
    "drawings", "temperature", "recognised, %", "by another, %", "ended, %",
    "near copies, %", "variety",
]  # fmt: skip


def drawn(model: str, temperature: str, chosen: str, recognised: int) -> dict:
    shares = {"recognised": str(recognised), "recognised_by_other": "70"}
    rest = {"ended": "99", "near_copies": "0", "variety": "110.4"}
    known = {"model": model, "temperature": temperature, "chosen": chosen}
    return known | shares | rest


@pytest.fixture(autouse=True)
def run(monkeypatch):
    """Drawings of two seeds, and scenes of one digit."""
    people = drawn("test drawings", "", "", 91)
    pairs = ("0.4", "1", 80), ("1.0", "0", 60), ("0.6", "1", 84)
    networks = [drawn("lstm", *pair) for pair in pairs]
    scenes = [
        {"task": "scenes", "model": "vector", "part": "test", "digits": "1"}
        | {"exact": exact}
        for exact in ("50", "60")
    ]
    whole = scenes[0] | {"digits": "", "exact": "1"}
    spelled = scenes[0] | {"task": "spelled", "exact": "2"}
    rows = {"drawn": [people, *networks], "captions": [*scenes, whole, spelled]}
    monkeypatch.setattr(tables, "rows_of", lambda folder, name: rows[name])


def test_drawings_are_those_of_the_temperature_that_was_chosen():
    """Would catch the best temperature on test, and people lost for having none."""
    assert cells(tables.drawn(None)) == [
        HEADINGS,
        ["lstm", "0.5 ± 0.1", "82.0 ± 2.8", "70.0 ± 0.0", "99.0 ± 0.0", "0.0 ± 0.0",
         "110 ± 0"],
        ["test drawings", "", "91.0", "70.0", "99.0", "0.0", "110"],
    ]  # fmt: skip


def test_captions_stand_by_the_digits_of_their_scenes():
    """Would catch spelled names, or all scenes together, among those of one digit."""
    assert cells(tables.captions(None)) == [
        ["exact, %", "1 digit", "2 digits", "3 digits", "combinations held out"],
        ["vector", "55.0 ± 7.1", "", "", ""],
    ]
