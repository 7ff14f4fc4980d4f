"""The rules on `make generate`: each says everything it can, by made-up rows."""

import pytest

from rnn_tf.claims.verdict import CONFIRMED, DEPENDS, NOT_MEASURED, REFUTED
from tests.claim_runs import judged, write_run

NOISE = 0.0, 0.2, 0.4  # of the seeds, whatever is measured
WIDE = -30.0, 0.0, 30.0  # of seeds that prove nothing


def rows(shares: dict, share: str, noise=NOISE, seeds: int = 3, **chosen) -> list[dict]:
    """Rows of a table: of each model a share in %, seed by seed."""
    baselines = "trigram", "nearest", "copy"
    return [
        {"model": model, "kind": "baseline" if model in baselines else "network"}
        | {"seed": seed, "n": 100} | chosen
        | {share: value + noise[(seed + place) % len(noise)]}
        for place, (model, value) in enumerate(shares.items())
        for seed in range(1, seeds + 1)
    ]  # fmt: skip


def music(key: float, unheard: float | None = None, again=80.0, **options) -> dict:
    """Tunes that keep the rules: of a key, and of next notes; a trigram has 10 %."""
    shares = {"trigram": 10.0, "key_to_tune": key, "next_note": again}
    shares |= {} if unheard is None else {"unheard": unheard}
    chosen = {"temperature": 1.0, "task": "tune"}
    single = rows({"next_note": 99.0}, "kept", task="next", temperature=1.0)
    cold = rows({"key_to_tune": 0.0}, "kept", task="tune", temperature=0.5)
    fresh = [{"model": "by_rules", "kind": "rules", "seed": 1, "task": "tune"}
             | {"temperature": "", "n": 9, "kept": 100}]  # fmt: skip
    return {"tunes": rows(shares, "kept", **chosen, **options) + single + cold + fresh}


def captions(vector: float, rest: float, new: float = 0.0, **options) -> dict:
    """Exact captions from a vector, from rows and places; a neighbour has 10 %."""
    shares = {"nearest": 10.0, "vector": vector, "rows": rest, "attention": rest}
    chosen = {"task": "scenes", "digits": "", "part": "test"}
    own = rows(shares, "exact", **chosen, **options)
    few = rows({"vector": 0.0}, "exact", **chosen | {"digits": 3})
    held = {"nearest": 0.0, "vector": new}
    return {
        "captions": own + few + rows(held, "exact", **chosen | {"part": "held_out"})
    }


def summaries(bag: float, flat: float, sequence: float, **options) -> dict:
    shares = {"copy": 10.0, "bag": bag, "flat": flat, "attention": sequence}
    return {"summaries": rows(shares, "exact", **options)}


def spelled(hidden: float, scores: float, random: float, **options) -> dict:
    shares = {"nearest": 99.0, "hidden": hidden, "scores": scores, "random": random}
    chosen = {"task": "spelled", "digits": "", "part": "test"}
    return {"captions": rows(shares, "exact", **chosen, **options)}


# claim, verdict, tables of one run
CASES = [
    ("M4", CONFIRMED, music(80, 79)),
    ("M4", CONFIRMED, music(95)),
    ("M4", DEPENDS, music(80, 2)),
    ("M4", REFUTED, music(40, 2)),
    ("M4", REFUTED, music(3, 2, again=2.0)),  # as good as what is no good
    ("M4", NOT_MEASURED, music(80, 2, seeds=2)),
    ("M4", NOT_MEASURED, music(80, noise=WIDE)),
    ("M5", CONFIRMED, captions(80, 80) | summaries(90, 90, 90)),
    ("M5", DEPENDS, captions(80, 80) | summaries(20, 90, 90)),
    ("M5", DEPENDS, captions(50, 80) | summaries(95, 95, 90)),
    ("M5", REFUTED, captions(50, 80) | summaries(20, 50, 90)),
    ("M5", REFUTED, captions(8, 8)),
    ("M5", NOT_MEASURED, captions(80, 80, seeds=2)),
    ("M5", NOT_MEASURED, captions(80, 80, noise=WIDE)),
    ("M13", CONFIRMED, spelled(95, 80, 70)),
    ("M13", DEPENDS, spelled(95, 80, 95)),
    ("M13", REFUTED, spelled(80, 80, 95)),
    ("M13", NOT_MEASURED, spelled(95, 80, 70, seeds=2)),
    ("M13", NOT_MEASURED, spelled(95, 80, 70, noise=WIDE)),
]


@pytest.mark.parametrize(("name", "verdict", "tables"), CASES)
def test_a_rule_says_what_the_rows_say(tmp_path, name, verdict, tables):
    write_run(tmp_path, "generate", tables)
    row = judged(name, tmp_path)
    assert row["verdict"] == verdict, row["evidence"]
    assert row["runs"]
    assert bool(row["condition"]) == (verdict == DEPENDS)


@pytest.mark.parametrize("name", ["M4", "M5", "M13"])
def test_runs_of_other_experiments_have_no_rows_for_it(tmp_path, name):
    tables = music(80, 79) | captions(80, 80) | summaries(90, 90, 90)
    write_run(tmp_path, "translate", tables)
    assert judged(name, tmp_path)["runs"] == ""


def test_a_run_of_drawings_alone_is_not_measured(tmp_path):
    """Would catch a rule that needs a table which quick or old runs lack."""
    write_run(tmp_path, "generate", {})
    for name in ("M4", "M5", "M13"):
        assert judged(name, tmp_path)["verdict"] == NOT_MEASURED


def test_the_words_name_what_differs(tmp_path):
    """Would catch a condition that blames the wrong side, and shares left out."""
    write_run(tmp_path, "generate", music(80, 2))
    row = judged("M4", tmp_path)
    assert row["condition"] == (
        "proved for key to tune, fed with its notes; not for key to tune, not fed"
    )
    assert "trigram 10.2 %, key_to_tune 80.2 %, unheard 2.2 %" in row["evidence"]
    assert "next note again and again 80" in row["evidence"]


def test_the_table_of_both_tasks_is_read_for_each(tmp_path):
    """Would catch names of digits that count as captions of scenes."""
    tables = captions(80, 80, new=60.0)
    tables["captions"] += spelled(95, 80, 95)["captions"]
    write_run(tmp_path, "generate", tables)
    row = judged("M5", tmp_path)
    assert row["verdict"] == CONFIRMED
    assert "nearest 10.2 %, vector 80.2 %" in row["evidence"]
    assert "of new combinations: nearest 0.2 %, vector 60.2 %" in row["evidence"]
    assert (
        "exact names of new digits: nearest 99" in judged("M13", tmp_path)["evidence"]
    )
