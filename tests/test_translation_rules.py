"""The rules on translation: each is made to say everything it can, by made-up rows."""

import pytest

from rnn_tf.claims import course, translation_rules
from rnn_tf.claims.verdict import CONFIRMED, DEPENDS, NOT_MEASURED, REFUTED
from rnn_tf.runs import finished
from tests.claim_runs import network, write_run

RULES = {
    claim.name: claim.rule
    for claim in course.CLAIMS
    if claim.command == course.TRANSLATION
}


def metrics(metric: str, parts=("",), seeds: int = 3, **models) -> dict:
    """Rows of metrics.csv: of each model the score, or one for each slice."""
    rows = []
    for model, found in models.items():
        each = found if isinstance(found, tuple) else (found,) * len(parts)
        for part, score in zip(parts, each, strict=True):
            for seed, value in enumerate(network(score, seeds, bool(score)), 1):
                row = {"model": model, "seed": seed, "split": "test"}
                row |= {"metric": metric, "slice": part, "value": value}
                # A run lists its models by the rows of its headline.
                rows += [row, row | {"metric": "chrf_error", "slice": "", "value": 1}]
    if metric == "chrf_error":
        rows = rows[::2]
    return {"metrics": rows}


def exact(**models) -> dict:
    return metrics("exact", ("3-6 tokens", "12-20 tokens"), **models)


def beams(**changes) -> dict:
    """Rows of beams.csv: of greedy search, and what five beams add to each column."""
    base = {"bleu": 20, "log_probability": -9, "length_ratio": 0.9, "exact": 50}
    rows = []
    for seed, count, alpha in (
        (seed, count, alpha)
        for seed in (1, 2, 3)
        for count in (1, 5)
        for alpha in (0, 1)
    ):
        row = {"model": "attention", "seed": seed, "beams": count, "alpha": alpha}
        row |= {"different_lengths": changes.get("lengths", 4)}
        for column, value in base.items():
            gain = changes.get(column, 0) * (count == 5)
            gain += changes.get(f"{column}_normalised", 0) * (alpha == 1)
            row[column] = value + gain * (1 + 0.1 * seed)
        rows.append(row)
    return {"beams": rows}


def all_right() -> dict:
    """Rows of beams.csv where there is nothing to win: a tie is not a defeat."""
    return {"beams": [row | {"exact": 100.0} for row in beams()["beams"]]}


def stopping(steps: int, saved: float) -> dict:
    rows = [
        {
            "model": "attention", "seed": seed, "longest": 11, "steps": steps,
            "limit": 30, "seconds": 1.0, "seconds_fixed": 1 + saved + 0.001 * seed,
        }
        for seed in (1, 2, 3)
    ]  # fmt: skip
    return {"stopping": rows}


def tones(one: float, several: float, seeds: int = 3) -> dict:
    """Rows of tones.csv: sequences have 90 % right, one answer what is given."""
    scores = {"many_to_one": {"one": one, "several": several}}
    scores["seq_to_seq"] = {"one": 90.0, "several": 90.0}
    rows = [
        {"task": task, "model": model, "seed": seed, "words": words, "n": 100}
        | {"exact": value + 0.1 * seed * (model == "seq_to_seq")}
        for model, own in scores.items()
        for task, value in own.items()
        for words in ("", 1)
        for seed in range(1, seeds + 1)
    ]
    return {"tones": rows}


def errors(encoder_decoder, **models) -> dict:
    return metrics("chrf_error", encoder_decoder=encoder_decoder, **models)


def lengths(**models) -> dict:
    return metrics("right_length", **models)


CASES = [
    ("E1", "reversal", CONFIRMED, errors(10.0, plain=80.0, plain_delayed=40.0)),
    ("E1", "reversal", DEPENDS, errors(50.0, plain=80.0, plain_delayed=40.0)),
    ("E1", "reversal", REFUTED, errors(50.0, plain=30.0, plain_delayed=40.0)),
    ("E1", "reversal", NOT_MEASURED, errors(50.0, plain=50.0)),
    ("E1", "copy", None, errors(10.0, plain=80.0)),
    ("E2", "doubled", CONFIRMED, lengths(encoder_decoder=99.0, plain=1.0)),
    ("E2", "doubled", DEPENDS,
     lengths(encoder_decoder=99.0, plain=1.0, plain_delayed=90.0)),
    ("E2", "doubled", REFUTED, lengths(encoder_decoder=9.0, plain=90.0)),
    ("E2", "doubled", NOT_MEASURED, lengths(encoder_decoder=9.0, plain=9.0, seeds=2)),
    ("E3", "reversal", CONFIRMED, exact(encoder_decoder=90.0, attention=90.0)),
    ("E3", "reversal", DEPENDS, exact(encoder_decoder=(90.0, 20.0), attention=90.0)),
    ("E3", "reversal", DEPENDS,
     exact(encoder_decoder_16=(9.0, 9.0), attention_16=90.0,
           encoder_decoder_64=90.0, attention_64=90.0)),
    ("E3", "reversal", REFUTED, exact(encoder_decoder=(50.0, 20.0), attention=90.0)),
    ("E3", "reversal", REFUTED, exact(encoder_decoder=(50.0, 0.0), attention=(90, 0))),
    ("E3", "reversal", NOT_MEASURED, exact(encoder_decoder=0.0, attention=0.0)),
    ("E4", "copy", CONFIRMED, exact(encoder_decoder=90.0, plain_delayed=(90.0, 9.0))),
    ("E4", "copy", REFUTED, exact(encoder_decoder=(90.0, 9.0), plain_delayed=90.0)),
    ("E4", "copy", DEPENDS,
     exact(encoder_decoder=90.0, plain_delayed=9.0,
           encoder_decoder_lstm=9.0, plain_delayed_lstm=9.0)),
    ("E6", "copy", CONFIRMED,
     lengths(encoder_decoder=99.0, encoder_decoder_no_end=9.0)),
    ("E6", "copy", REFUTED, lengths(encoder_decoder=9.0, encoder_decoder_no_end=99.0)),
    ("E6", "copy", NOT_MEASURED,
     lengths(encoder_decoder=9.0, encoder_decoder_no_end=9.0)),
    ("E6", "dates", None, lengths(encoder_decoder=9.0, encoder_decoder_no_end=9.0)),
    ("E7", "copy", CONFIRMED, beams(bleu=2, log_probability=1)),
    ("E7", "copy", DEPENDS, beams(bleu=-2, log_probability=1)),
    ("E7", "copy", REFUTED, beams()),
    ("E7", "dates", NOT_MEASURED, all_right()),
    ("E8", "copy", CONFIRMED, beams(lengths=1)),
    ("E8", "copy", REFUTED, beams()),
    ("E8", "dates", None, beams()),
    ("E9", "copy", CONFIRMED, beams(bleu_normalised=1, length_ratio_normalised=0.1)),
    ("E9", "copy", DEPENDS, beams(length_ratio_normalised=0.1)),
    ("E9", "copy", REFUTED, beams(bleu_normalised=-1)),
    ("E9", "copy", NOT_MEASURED, all_right()),
    ("E9", "dates", None, beams()),
    ("E10", "copy", CONFIRMED, stopping(11, 0.5)),
    ("E10", "copy", DEPENDS, stopping(11, -0.5)),
    ("E10", "copy", REFUTED, stopping(30, -0.5)),
    ("M3", "dates", CONFIRMED, tones(95, 95)),
    ("M3", "dates", DEPENDS, tones(95, 40)),
    ("M3", "dates", REFUTED, tones(40, 40)),
    ("M3", "dates", NOT_MEASURED, tones(95, 40, seeds=2)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "source", "verdict", "tables"), CASES)
def test_a_rule_says_what_the_rows_say(tmp_path, name, source, verdict, tables):
    info = {"headline": "chrf_error"}
    write_run(tmp_path, "translate", tables, source=source, **info)
    (run,) = finished.find_runs(tmp_path)
    finding = RULES[name](run)
    assert (finding and finding.verdict) == verdict
    if finding:
        assert finding.evidence


def test_every_claim_can_be_confirmed_and_refuted():
    seen = {(name, verdict) for name, _, verdict, _ in CASES}
    for name in RULES:
        assert {(name, CONFIRMED), (name, REFUTED)} <= seen


@pytest.mark.parametrize("name", RULES)
def test_runs_of_other_experiments_have_no_rows_for_it(tmp_path, name):
    tables = errors(1.0, plain=2.0) | beams() | stopping(11, 0.5) | tones(9, 9)
    write_run(tmp_path, "language", tables, headline="chrf_error")
    (run,) = finished.find_runs(tmp_path)
    assert RULES[name](run) is None


def test_conditions_name_only_what_decides(tmp_path):
    """Would catch a list of every network and beam, and a condition turned around."""
    tables = beams(bleu=-2, log_probability=1)
    tables["beams"] += [
        row | {"model": "encoder_decoder", "log_probability": -9}
        for row in tables["beams"]
    ]
    write_run(tmp_path, "translate", tables, headline="chrf_error")
    (run,) = finished.find_runs(tmp_path)
    found = translation_rules.beams_find_better(run)
    assert found.condition == "only likelier outputs with attention"


def test_too_few_seeds_prove_nothing(tmp_path):
    tables = beams(bleu=2, log_probability=1)
    tables["beams"] = [row for row in tables["beams"] if row["seed"] < 3]
    write_run(tmp_path, "translate", tables, headline="chrf_error")
    (run,) = finished.find_runs(tmp_path)
    for rule in (
        translation_rules.beams_find_better,
        translation_rules.length_is_weighed,
    ):
        assert rule(run).verdict == NOT_MEASURED
