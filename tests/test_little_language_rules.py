"""The rules on speech and on little text: each says everything it can, by made-up rows.

A rule that could only say yes would be found here; `test_language_rules` has the rest.
"""

import pytest

from rnn_tf.claims.verdict import CONFIRMED, DEPENDS, NOT_MEASURED, REFUTED
from tests.claim_runs import judged, level, write_run

NOISE = 0.0, 0.001, 0.002, 0.001  # of the seeds, whatever is measured


def little(seeds: int = 3, **values) -> dict:
    """Small networks: name -> columns of its best epoch, and of its last, if it has."""
    rows = []
    for name, whens in values.items():
        for when, columns in whens.items():
            for seed in range(1, seeds + 1):
                row = {"model": name, "when": when, "seed": seed}
                noisy = {
                    k: v + NOISE[(seed + len(name)) % 4] for k, v in columns.items()
                }
                rows.append(row | noisy)
    return {"little_models": rows}


def losses(first: float, *others: float, seeds: int = 3) -> dict:
    """Shares of wrong tokens, by cross-entropy and by the other losses."""
    names = "first", "squared", "hinge", "absolute"
    pairs = zip(names, (first, *others), strict=True)
    return little(seeds, **{name: {"best": {"wrong": w}} for name, w in pairs})


def inputs(one_hot: float, width_8: float, width_30: float, seeds: int = 3) -> dict:
    bits = {"one_hot": one_hot, "width_8": width_8, "first": width_30}
    return little(seeds, **{name: {"best": {"bits": b}} for name, b in bits.items()})


def overfitting(small: float, dropout: tuple, decay: tuple, seeds: int = 3) -> dict:
    """Bits of test and of training after the last epoch; 128 units have 5 and 1."""
    pairs = {"units_16": (4.0, 4.0 - small), "units_128": (5.0, 1.0)}
    pairs |= {"units_128_dropout": dropout, "units_128_decay": decay}
    last = {
        name: {"last": {"bits": bits, "train_bits": train}}
        for name, (bits, train) in pairs.items()
    }
    return little(seeds, **last)


def calibrated(gru: float, best: float, last: float, seeds: int = 3) -> dict:
    rows = [
        {"model": "gru", "seed": seed, "error": gru + NOISE[seed]}
        for seed in range(seeds)
    ]
    both = {"best": {"calibration": best}, "last": {"calibration": last}}
    return {"calibration": rows} | little(seeds, units_128=both)


def fed(own: float, zeros: float, random: float, seeds: int = 3, known=0.9) -> dict:
    bits = {"own": own, "zeros": zeros, "random": random}
    return {
        "fed": [
            {"model": "gru", "seed": seed, "fed": name, "tokens": 800}
            | {"known": known, "bits": value + NOISE[(seed + len(name)) % 4]}
            for name, value in bits.items()
            for seed in range(seeds)
        ]
    }


def written(once: float, last: float, tokens: int = 400, seeds: int = 3) -> dict:
    """One by one has 2 bits a token, and so has the first tenth of a long text."""
    at_once = [
        {"model": name, "seed": seed, "prompt": prompt, "tokens": tokens}
        | {"bits": value + NOISE[(seed + len(name)) % 4]}
        for name, value in {"one_by_one": 2.0, "at_once": once}.items()
        for seed in range(seeds)
        for prompt in (1, 100)
    ]
    long = [
        {"model": "gru", "seed": seed, "tenth": tenth}
        | {"bits": value + NOISE[(seed + tenth) % 4]}
        for tenth, value in {1: 2.0, 10: last}.items()
        for seed in range(seeds)
    ]
    loops = [{"model": "gru", "period": period} for period in (12, 12, "")]
    return {"at_once": at_once, "long_speech": long, "loops": loops}


def neighbours(seeds: int = 3, **shares: float) -> dict:
    """Labels -> share of neighbours of one's group; by chance it is 0.2."""
    return {
        "embeddings": [
            {"model": "gru", "seed": seed, "label": label, "shuffled": 0.2}
            | {"share": share + NOISE[seed]}
            for label, share in shares.items()
            for seed in range(seeds)
        ]
    }


def sines(few: float, many: float, seeds: int = 3) -> dict:
    """Errors of shared weights on few series and many; others have 10."""
    errors = {"shared": {100: few, 10_000: many}}
    errors["of_each_step"] = {100: 10.0, 10_000: 10.0}
    return {
        "weight_sharing": [
            {"model": name, "examples": n, "seed": seed, "parameters": 9}
            | {"mse": value + NOISE[(seed + len(name)) % 4]}
            for name, by_count in errors.items()
            for n, value in by_count.items()
            for seed in range(seeds)
        ]
    }


# claim, verdict, tables of one run
CASES = [
    ("L11", CONFIRMED, losses(0.4, 0.5, 0.6, 0.7)),
    ("L11", DEPENDS, losses(0.4, 0.4, 0.6, 0.7)),
    ("L11", REFUTED, losses(0.4, 0.4, 0.4, 0.4)),
    ("L11", REFUTED, losses(0.4, 0.3, 0.3, 0.3)),
    ("L11", NOT_MEASURED, losses(0.4, 0.5, 0.6, 0.7, seeds=2)),
    ("L13", CONFIRMED, calibrated(0.01, 0.02, 0.02)),
    ("L13", DEPENDS, calibrated(0.01, 0.02, 0.2)),
    ("L13", REFUTED, calibrated(0.3, 0.2, 0.2)),
    ("L13", NOT_MEASURED, calibrated(0.01, 0.02, 0.2, seeds=2)),
    ("L16", CONFIRMED, fed(2, 5, 6)),
    ("L16", DEPENDS, fed(2, 2, 6)),
    ("L16", REFUTED, fed(6, 5, 5)),
    ("L16", NOT_MEASURED, fed(2, 5, 6, seeds=2)),
    ("L16", CONFIRMED, fed(2, 5, 6, known="")),  # a model of words
    ("L17", CONFIRMED, written(3, 2)),
    ("L17", DEPENDS, written(3, 4)),
    ("L17", DEPENDS, written(1, 2)),
    ("L17", REFUTED, written(1, 4, tokens=0)),
    ("L17", NOT_MEASURED, written(3, 2, seeds=2)),
    ("L19", CONFIRMED, sines(5, 9)),
    ("L19", DEPENDS, sines(5, 10)),
    ("L19", REFUTED, sines(11, 12)),
    ("L19", NOT_MEASURED, sines(5, 9, seeds=2)),
    ("L20", CONFIRMED, neighbours(**{"class": 0.9, "kind": 0.9})),
    ("L20", DEPENDS, neighbours(case=0.9, vowel=0.2)),
    ("L20", REFUTED, neighbours(case=0.2)),
    ("L20", NOT_MEASURED, neighbours(case=0.9, seeds=2)),
    ("L22", CONFIRMED, inputs(3, 2, 2)),
    ("L22", DEPENDS, inputs(3, 3, 2)),
    ("L22", REFUTED, inputs(3, 3, 3)),
    ("L22", NOT_MEASURED, inputs(3, 2, 2, seeds=2)),
    ("G22", CONFIRMED, overfitting(1.0, (4.0, 2.0), (4.5, 3.0))),
    ("G22", DEPENDS, overfitting(1.0, (4.0, 2.0), (5.0, 1.0))),
    ("G22", DEPENDS, overfitting(1.0, (6.0, 5.0), (6.0, 5.0))),  # gap, but not test
    ("G22", REFUTED, overfitting(4.0, (5.0, 1.0), (5.0, 1.0))),
    ("G22", NOT_MEASURED, overfitting(1.0, (4.0, 2.0), (4.5, 3.0), seeds=2)),
]
NAMES = sorted({name for name, *_ in CASES})


@pytest.mark.parametrize(("name", "verdict", "rows"), CASES)
def test_a_rule_says_what_the_rows_say(tmp_path, name, verdict, rows):
    write_run(tmp_path, "language", rows)
    row = judged(name, tmp_path)
    assert row["verdict"] == verdict, row
    assert bool(row["condition"]) == (verdict == DEPENDS)
    assert row["evidence"]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_of_another_experiment_or_without_the_rows_says_nothing(tmp_path, name):
    """Would catch a rule that takes the tables of another experiment for its own."""
    (rows, *_) = [rows for claim, _, rows in CASES if claim == name]
    write_run(tmp_path, "gradients", rows)
    write_run(tmp_path, "language", level("conv", "window_mlp"))
    assert judged(name, tmp_path)["runs"] == ""


def test_a_text_without_letters_or_classes_says_nothing_of_embeddings(tmp_path):
    """Would catch a table of headings alone that is taken for a measurement."""
    write_run(tmp_path, "language", {"embeddings": []})
    row = judged("L20", tmp_path)
    assert (row["verdict"], row["runs"]) == (NOT_MEASURED, "")


def test_what_is_known_and_where_speech_goes_in_circles_is_told(tmp_path):
    write_run(tmp_path, "language", fed(2, 5, 6) | written(3, 2))
    assert "known words: own 90 %, random 90 %" in judged("L16", tmp_path)["evidence"]
    assert "67 % end in a loop of 12 tokens" in judged("L17", tmp_path)["evidence"]
