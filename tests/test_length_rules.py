"""The rules on lengths: each is made to say everything it can, by made-up rows."""

import pytest

from rnn_tf.claims import course, length_rules
from rnn_tf.claims.verdict import CONFIRMED, DEPENDS, NOT_MEASURED, REFUTED
from rnn_tf.runs import finished
from tests.claim_runs import CLAIMS, network, write_run


def graphs(changed=(), **kinds) -> dict:
    """Rows of graphs.csv at 10 and 100 steps: of each kind ms, seconds and nodes."""
    rows = []
    for place, steps in enumerate((10, 100)):
        for kind, (times, seconds, nodes) in kinds.items():
            row = {"kind": kind, "steps": steps, "nodes": nodes[place], "error": ""}
            row |= {"nodes_after": nodes[place] + 5 * (kind in changed)}
            row |= {"build_seconds": seconds[place], "first_seconds": 0.1}
            row |= {"update_ms": times[place], "update_low": times[place] - 0.5}
            rows.append(row | {"update_high": times[place] + 0.5})
    return {"graphs": rows}


FLAT, GROWS = (300, 300), (1_000, 10_000)
QUICK, SLOW = (1.0, 10.0), (5.0, 50.0)
STATIC = {"static": (SLOW, SLOW, GROWS)}


def loops(times=QUICK, seconds=QUICK, nodes=FLAT, **options) -> dict:
    return graphs(**STATIC, dynamic=(times, seconds, nodes), **options)


def parallel(times) -> dict:
    one = (3.0, 30.0), QUICK, FLAT
    return graphs(dynamic=(times, QUICK, FLAT), dynamic_1=one)


def memory(short: float, mixed: float) -> dict:
    used = {"all long": 20.0, "all short": short, "one long": mixed}
    rows = [
        {"kind": kind, "rows": name, "steps": 200, "megabytes": mb, "error": ""}
        for kind in ("static", "dynamic")
        for name, mb in used.items()
    ]
    return {"memory": rows}


def named(function: str, error="", **gaps) -> dict:
    """Rows of equality.csv of a function of TensorFlow 1, and a stream of a GRU."""
    known = {"outputs": 0, "last": 0, "after the end": 0, "another length": 0}
    known |= {part.replace("_", " "): gap for part, gap in gaps.items()}
    rows = [
        {"function": function, "way": "sequence_length", "part": part, "gap": gap}
        | {"error": ""}
        for part, gap in known.items()
        if part != "stream"
    ]
    if error:
        rows[-1] |= {"gap": "", "error": error}
    way = "chunks of 5, state carried"
    gap = known.get("stream", 0)
    return {"equality": [*rows, {"function": "GRU", "way": way, "gap": gap}]}


def keras(way: str, outputs: float, last: float, lstm: float = 0) -> dict:
    """Rows of equality.csv of two cells with padding behind."""
    rows = [
        {"function": cell, "way": way, "side": "post", "direction": "forward"}
        | {"part": part, "gap": gap + more, "error": ""}
        for cell, more in (("GRU", 0), ("LSTM", lstm))
        for part, gap in (("outputs", outputs), ("last", last))
    ]
    return {"equality": rows}


def errors(seeds=3, noise=1.0, **models) -> dict:
    rows = [
        {"model": model, "seed": seed, "split": "test", "metric": "mae", "slice": ""}
        | {"value": value}
        for model, score in models.items()
        for seed, value in enumerate(network(score, seeds, noise), 1)
    ]
    return {"metrics": rows}


def batches(single: float, padded: float) -> dict:
    rows = [
        {"lengths": name, "way": way, "waste": 10, "steps_per_second": speed}
        | {"low": 0.9 * speed, "high": 1.1 * speed, "error": ""}
        for name, gain in (("sentences", 1), ("drawings", 4))
        for way, speed in (("one by one", single), ("longest of all", gain * padded))
    ]
    rows.append({"lengths": "sentences", "way": "packed", "error": "no such thing"})
    return {"batching": rows}


def costs(*rnn: float) -> dict:
    rows = [
        {"model": model, "work": "training", "cores": 1, "steps": steps}
        | {"milliseconds": ms, "low": ms - 1, "high": ms + 1, "error": ""}
        for steps, own in zip((10, 100), rnn, strict=True)
        for model, ms in (("rnn", own), ("conv", 10), ("mlp", 5))
    ]
    return {"step_costs": rows}


SAYS = [
    ("P1", REFUTED, loops()),
    ("P1", DEPENDS, loops(nodes=GROWS)),
    ("P1", CONFIRMED, loops(nodes=GROWS, changed=["dynamic"])),
    ("P2", REFUTED, named("static_rnn")),
    ("P2", DEPENDS, named("static_rnn", error="ValueError: no")),
    ("P2", CONFIRMED, named("static_rnn", error="ValueError: no", last=1)),
    ("P3", CONFIRMED, memory(2, 3)),
    ("P3", DEPENDS, memory(2, 19)),
    ("P3", REFUTED, memory(19, 20)),
    ("P4", CONFIRMED, parallel((1.0, 10.0))),
    ("P4", DEPENDS, parallel((1.0, 30.0))),
    ("P4", REFUTED, parallel((3.0, 40.0))),
    ("P5", CONFIRMED, loops()),
    ("P5", DEPENDS, loops(times=(9.0, 90.0))),
    ("P5", REFUTED, loops(times=(9.0, 90.0), seconds=(9.0, 90.0))),
    ("P6", CONFIRMED, named("dynamic_rnn")),
    ("P6", DEPENDS, named("dynamic_rnn", last=0.1)),
    ("P6", REFUTED, named("dynamic_rnn", last=0.1, outputs=0.1, after_the_end=1)),
    ("P7", CONFIRMED, named("dynamic_rnn") | loops()),
    ("P7", DEPENDS, named("dynamic_rnn", stream=0.1) | loops()),
    (
        "P7",
        REFUTED,
        named("dynamic_rnn", error="ValueError: no", stream=1)
        | loops(changed=["dynamic"]),
    ),
    ("P8", CONFIRMED, errors(gru_pre=1, gru_post=1)),
    ("P8", REFUTED, errors(gru_pre=1, gru_post=50)),
    ("P8", DEPENDS, errors(gru_pre=1, gru_post=50, gru_pre_mask=1, gru_post_mask=1)),
    ("P8", NOT_MEASURED, errors(seeds=2, gru_pre=1, gru_post=50)),
    ("P10", CONFIRMED, keras("output mask", 0, 0)),
    ("P10", DEPENDS, keras("output mask", 0, 1)),
    ("P10", REFUTED, keras("output mask", 1, 1)),
    ("P11", CONFIRMED, batches(1, 9)),
    ("P11", DEPENDS, batches(5, 2)),
    ("P11", REFUTED, batches(9, 1)),
    ("Q10", CONFIRMED, costs(20, 200)),
    ("Q10", DEPENDS, costs(10, 200)),
    ("Q10", REFUTED, costs(1, 2)),
    ("K4", CONFIRMED, keras("state mask", 0, 0)),
    ("K4", DEPENDS, keras("state mask", 0, 0, lstm=0.1)),
    ("K4", REFUTED, keras("state mask", 1, 1)),
]


@pytest.mark.parametrize(("claim", "verdict", "tables"), SAYS)
def test_each_rule_says_everything(tmp_path, claim, verdict, tables):
    """Would catch a rule that confirms whatever was measured."""
    write_run(tmp_path, "lengths", tables)
    (run,) = finished.find_runs(tmp_path)
    assert CLAIMS[claim].rule(run).verdict == verdict


def test_each_rule_is_tried():
    """Would catch a claim that is added without a test."""
    names = {c.name for c in course.CLAIMS if c.command == course.LENGTHS}
    assert names | {"K4"} == {claim for claim, *_ in SAYS}


@pytest.mark.parametrize("claim", sorted({claim for claim, *_ in SAYS}))
def test_no_rule_judges_a_run_without_rows(tmp_path, claim):
    """Would catch a rule that fails on other experiments, and on JAX, whose tables
    have errors where TensorFlow is needed."""
    write_run(tmp_path, "lengths", errors(always=1))
    failed = {"kind": "dynamic", "steps": 10, "error": "no TensorFlow"}
    no_part = {"function": "dynamic_rnn", "way": "sequence_length", "error": "none"}
    tables = {"graphs": [failed], "equality": [no_part, no_part]}
    write_run(tmp_path, "lengths", tables | errors(always=1))
    write_run(tmp_path, "sketch", errors(always=1))
    runs = finished.find_runs(tmp_path)
    assert len(runs) == 3
    assert [CLAIMS[claim].rule(run) for run in runs] == [None] * 3


def test_what_differs_too_little_or_too_much_is_not_alike(tmp_path):
    """Would catch "alike" for any difference that is not proved."""
    write_run(tmp_path, "lengths", errors(noise=80, gru_pre=20, gru_post=20))
    rows = errors(gru_pre=10, gru_post=10)["metrics"]
    for row, value in zip(rows[3:], (40, 10, 0), strict=True):
        row["value"] = value
    write_run(tmp_path, "lengths", {"metrics": rows})
    first, second = finished.find_runs(tmp_path)
    said = {length_rules.either_end_alike(run).verdict for run in (first, second)}
    assert said == {CONFIRMED, NOT_MEASURED}
