"""The rules of the claims: each is made to say everything it can, by made-up rows.

A rule that could only say yes would be found here: for every claim there are rows that
confirm it and rows that refute it.
"""

import itertools

import pytest

from rnn_tf.claims import answers, course
from rnn_tf.claims.verdict import CONFIRMED, DEPENDS, NOT_MEASURED, REFUTED
from rnn_tf.runs import finished
from tests.claim_runs import against, as_given, level, network, scored, write_run

CELLS = "SimpleRNN", "LSTM", "GRU"
NAMES = "simple_rnn", "lstm", "gru"


# ---------------------------------------------------------------- tables of shapes


def shapes(builds=None, outputs=None, head=None, trains=None) -> dict:
    """Rows of shapes.csv, as Keras has them but where a function says otherwise."""
    rows = []
    patterns = [
        p for n in (1, 2, 3) for p in itertools.product([True, False], repeat=n)
    ]
    for cell, pattern in itertools.product(CELLS, patterns):
        rows.append(_shape(cell, pattern, "(4, 10, 32)", all(pattern[:-1])))
    for cell, wrong in itertools.product(CELLS, ["(4, 32)", "(4, 10, 32, 1)"]):
        rows.append(_shape(cell, (False,), wrong, False))
    changes = {
        "builds": builds,
        "outputs": outputs,
        "head": head,
        "trains_on_7": trains,
    }
    for row, (column, change) in itertools.product(rows, changes.items()):
        if change:
            row[column] = change(row)
    return {"shapes": rows}


def _shape(cell, pattern, axes, builds) -> dict:
    outputs = " -> ".join("(4, 10, 64)" if p else "(4, 64)" for p in pattern)
    row = {"cell": cell, "depth": len(pattern), "input": axes, "builds": builds}
    row |= {"return_sequences": " ".join(map(str, pattern)), "outputs": outputs}
    head = ("seq-to-seq" if pattern[-1] else "seq-to-vector") if builds else ""
    row |= {"head": head, "trains_on_7": builds and pattern[-1] if builds else ""}
    error = "" if builds else "expected ndim=3, found ndim=2. Full shape: (4, 64)"
    return row | {"error": error}


def lengths(runs=True, parameters=lambda n: 100) -> dict:
    rows = [
        {"model": "gru", "length": n, "runs": runs, "parameters": parameters(n)}
        for n in (5, 50)
    ]
    grown = {"model": "mlp_of_this_length", "runs": "", "parameters": 9}
    return {"lengths": [*rows, grown | {"length": 5}]}


def quiz(widths=(30, 128, 10), gap=1e-7) -> dict:
    parts = zip(("embedding", "rnn", "decoder"), widths, strict=True)
    rows = [{"part": part, "output": f"(None, {width})"} for part, width in parts]
    whole = {"part": "model", "output": "(None, 10)", "max_difference": gap}
    counts = {"parameters": 7, "pytorch_parameters": 8}
    return {"quiz": [row | counts for row in [*rows, whole]]}


def remembered(plain: float, gated: float, seeds: int = 3) -> dict:
    """Errors of the adding problem at 50 and 200 steps."""
    found = {f"{c}_200": network(gated, seeds) for c in ("lstm", "gru")}
    return scored(found | {"simple_rnn_200": network(plain, seeds, 0.5)})


# ---------------------------------------------------------------- other tables


def mlp(error: float, networks: float, naive: float = 15.0, seeds: int = 3) -> dict:
    found = {name: network(networks, seeds, 0.5) for name in NAMES}
    return scored({"mlp": network(error, seeds), "naive": naive} | found)


def iterated(error: float, seeds: int = 3) -> dict:
    found = {"iterated": network(error, seeds), "gru": network(10, seeds, 0.5)}
    return scored(found | {"week_before": 30.0}, days=2)


def stacks(*better: str) -> dict:
    """Seq-to-seq beats seq-to-vector in some of the cells."""
    found = {}
    for cell in ("lstm", "gru"):
        found[f"{cell}_1_seq2seq"] = network(5 if cell in better else 20)
        found[f"{cell}_1_seq2vec"] = network(10, noise=0.5)
    return scored(found)


def cost(*milliseconds: float) -> dict:
    """Of one step of training with the strides 1, 2, 4; all with the same error."""
    names = "conv_lstm_stride_1", "conv_lstm_stride_2", "conv_lstm"
    rows = [
        {
            "model": name,
            "stride": 2**n,
            "milliseconds": ms,
            "low": ms - 1,
            "high": ms + 1,
        }
        for n, (name, ms) in enumerate(zip(names, milliseconds, strict=True))
    ]
    return {"cost": rows} | scored({name: network(5) for name in names})


def padding(answer: float, **masked: float) -> dict:
    found = {"answer": answer} | masked
    return {
        "padding": [
            {"model": model, "steps": n, "max_difference": gap * (n > 100)}
            for model, gap in found.items()
            for n in (100, 200)
        ]
    }


def guessed(error: float, models=("conv3d",), noise: float = 1.0) -> dict:
    found = {model: network(error, noise=noise) for model in models}
    return scored({"naive": 50.0, "majority": 80.0} | found)


def timed(mean: float, shuffled: float) -> dict:
    found = {"cnn_lstm": 10, "cnn_mean": mean, "cnn_lstm_shuffled": shuffled}
    noise = {"cnn_lstm": 1.0, "cnn_mean": 0.5, "cnn_lstm_shuffled": 0.5}
    return scored({name: network(e, noise=noise[name]) for name, e in found.items()})


def frozen(random: float, trained: float) -> dict:
    errors = {"frozen_features": 10, "frozen_random": random, "cnn_lstm": trained}
    noise = {"frozen_features": 1.0, "frozen_random": 0.5, "cnn_lstm": 0.5}
    return scored({name: network(e, noise=noise[name]) for name, e in errors.items()})


def devices(gaps=(1e-6, 1e-6), updated: int = 2, seeds: int = 3) -> dict:
    settings = [("one device", 1, 0.0), ("two replicas", 2, gaps[0])]
    settings += [("two workers", 2, gaps[1])]
    return {
        "devices": [
            {"setting": name, "count": count, "seed": seed, "max_difference": gap}
            | {"copies": count, "updated": min(count, updated), "devices": "0 1"}
            for name, count, gap in settings
            for seed in range(1, seeds + 1)
        ]
    }


RNNS = "cnn_lstm", "cnn_gru"
# claim, experiment, verdict, tables of one run
CASES = [
    ("S1", "stacked", CONFIRMED, shapes()),
    ("S1", "stacked", REFUTED, shapes(builds=lambda r: r["input"] != "(4, 10, 32)")),
    ("S1", "stacked", DEPENDS, shapes(builds=lambda r: True)),
    ("S2", "stacked", CONFIRMED, shapes(outputs=lambda r: "(64, 4, 10)")),
    ("S2", "stacked", REFUTED, shapes()),
    ("S2", "stacked", DEPENDS,
     shapes(outputs=lambda r: "(64, 4, 10)" if r["cell"] == "GRU" else r["outputs"])),
    ("S3", "stacked", CONFIRMED,
     shapes(head=lambda r: "seq-to-seq", trains=lambda r: True)),
    ("S3", "stacked", REFUTED, shapes()),
    ("S3", "stacked", REFUTED, shapes(head=lambda r: "seq-to-seq")),
    ("S3", "stacked", DEPENDS,
     shapes(head=lambda r: "seq-to-seq", trains=lambda r: r["depth"] == 2)),
    ("S4", "stacked", CONFIRMED, shapes(builds=lambda r: True)),
    ("S4", "stacked", REFUTED, shapes()),
    ("S4", "stacked", DEPENDS, shapes(builds=lambda r: r["cell"] == "GRU")),
    ("S5", "stacked", CONFIRMED, shapes()),
    ("S5", "stacked", REFUTED, shapes(outputs=lambda r: "(4, 64) -> (4, 10, 64)")),
    ("S5", "stacked", DEPENDS,
     shapes(outputs=lambda r: "" if r["cell"] == "GRU" else r["outputs"])),
    ("S6", "stacked", CONFIRMED, lengths()),
    ("S6", "stacked", REFUTED, lengths(runs=False)),
    ("S6", "stacked", DEPENDS, lengths(parameters=lambda n: n)),
    ("S7", "stacked", CONFIRMED, quiz()),
    ("S7", "stacked", REFUTED, quiz(widths=(31, 129, 11), gap=1.0)),
    ("S7", "stacked", DEPENDS, quiz(gap=1e-3)),
    ("S8", "stacked", CONFIRMED, remembered(plain=10, gated=5)),
    ("S8", "stacked", REFUTED, remembered(plain=5, gated=10)),
    ("S8", "stacked", NOT_MEASURED, remembered(plain=10, gated=5, seeds=2)),
    ("S8", "stacked", DEPENDS,
     scored({"simple_rnn_100": network(10, noise=0.5), "lstm_100": network(5),
             "gru_100": network(15)})),
    ("F1", "forecast", CONFIRMED, mlp(10, networks=10)),
    ("F1", "forecast", REFUTED, mlp(20, networks=10)),
    ("F1", "forecast", REFUTED, mlp(20, networks=25)),  # a simple rule is better
    ("F1", "forecast", DEPENDS, mlp(12, networks=10)),
    ("F1", "forecast", NOT_MEASURED, mlp(15, networks=15)),
    ("F1", "forecast", NOT_MEASURED, mlp(10, networks=10, seeds=2)),
    ("F2", "forecast", CONFIRMED, iterated(10)),
    ("F2", "forecast", REFUTED, iterated(20)),
    ("F2", "forecast", REFUTED, iterated(35)),
    ("F2", "forecast", NOT_MEASURED, iterated(10, seeds=2)),
    ("F3", "forecast", CONFIRMED, against("seq2seq", "gru")),
    ("F3", "forecast", REFUTED, against("gru", "seq2seq")),
    ("F3", "forecast", NOT_MEASURED, level("gru", "seq2seq")),
    ("F3", "stacked", CONFIRMED, stacks("lstm", "gru")),
    ("F3", "stacked", DEPENDS, stacks("lstm")),
    ("F3", "stacked", REFUTED, stacks()),
    ("F4", "forecast", CONFIRMED, against("conv_gru", "gru")),
    ("F4", "forecast", REFUTED, against("gru", "conv_gru")),
    ("F4", "forecast", NOT_MEASURED, level("conv_gru", "gru")),
    ("K1", "sketch", CONFIRMED, as_given(0)),
    ("K1", "sketch", DEPENDS, as_given(1)),
    ("K1", "sketch", REFUTED, as_given(2)),
    ("K1", "sketch", REFUTED, as_given(None)),
    ("K2", "sketch", CONFIRMED, cost(60, 40, 20)),
    ("K2", "sketch", REFUTED, cost(20, 40, 60)),
    ("K2", "sketch", REFUTED, cost(20, 19, 18)),  # within the quartiles
    ("K2", "sketch", DEPENDS, cost(60, 20, 40)),
    ("K3", "sketch", CONFIRMED, against("conv_lstm_stride_1", "lstm")),
    ("K3", "sketch", REFUTED, against("lstm", "conv_lstm_stride_1")),
    ("K3", "sketch", NOT_MEASURED, level("lstm", "conv_lstm_stride_1")),
    ("K4", "sketch", CONFIRMED, padding(0.5, conv_lstm=1e-8)),
    ("K4", "sketch", REFUTED, padding(0.5, conv_lstm=0.1)),
    ("K4", "sketch", DEPENDS, padding(0.0, conv_lstm=0.0)),  # no mask was needed
    ("K4", "sketch", DEPENDS, padding(0.5, conv_lstm=0.0, conv_bilstm=0.1)),
    ("V1", "video", CONFIRMED, guessed(10)),
    ("V1", "video", REFUTED, guessed(90)),
    ("V1", "video", DEPENDS, guessed(60)),
    ("V1", "video", NOT_MEASURED, guessed(50, noise=900.0)),
    ("V2", "video", CONFIRMED, guessed(10, RNNS)),
    ("V2", "video", REFUTED, guessed(90, RNNS)),
    ("V2", "video", DEPENDS, guessed(60, RNNS)),
    ("V3", "video", CONFIRMED, timed(20, 20)),
    ("V3", "video", REFUTED, timed(5, 5)),
    ("V3", "video", DEPENDS, timed(20, 5)),
    ("V3", "video", NOT_MEASURED, timed(10, 10)),
    ("V4", "video", CONFIRMED, frozen(20, 20)),
    ("V4", "video", REFUTED, frozen(5, 5)),
    ("V4", "video", DEPENDS, frozen(20, 5)),
    ("V4", "video", NOT_MEASURED, frozen(10, 10)),
    ("D1", "devices", CONFIRMED, devices()),
    ("D1", "devices", REFUTED, devices(gaps=(0.1, 0.1))),
    ("D1", "devices", DEPENDS, devices(gaps=(1e-6, 0.1))),
    ("D1", "devices", NOT_MEASURED, devices(seeds=2)),
    ("D2", "devices", CONFIRMED, devices(updated=1)),
    ("D2", "devices", REFUTED, devices()),
]  # fmt: skip
# Whose rules have tests of their own.
ELSEWHERE = {
    *(course.GRADIENTS, course.LANGUAGE, course.TRANSLATION, course.LENGTHS),
    *(course.MODES, course.FACTS, course.GENERATION),
}
OTHERS = [claim for claim in course.CLAIMS if claim.command not in ELSEWHERE]
CLAIMS = {claim.name: claim for claim in OTHERS}
IDS = [f"{name}-{verdict}" for name, _, verdict, _ in CASES]


@pytest.mark.parametrize(("name", "experiment", "verdict", "tables"), CASES, ids=IDS)
def test_a_rule_says_what_the_rows_say(tmp_path, name, experiment, verdict, tables):
    write_run(tmp_path, experiment, tables)
    row = answers.judge(CLAIMS[name], finished.find_runs(tmp_path))
    assert row["verdict"] == verdict, row["evidence"]
    assert row["evidence"]
    assert bool(row["condition"]) == (verdict == DEPENDS)


@pytest.mark.parametrize("name", CLAIMS)
def test_every_claim_can_be_confirmed_and_refuted_and_runs_may_disagree(tmp_path, name):
    """Would catch a rule that can only say yes, and one run that hides another."""
    found = {}
    for claim, experiment, verdict, tables in CASES:
        if claim == name:
            found.setdefault(verdict, (experiment, tables))
    assert {CONFIRMED, REFUTED} <= set(found)
    for verdict in (CONFIRMED, REFUTED):
        write_run(tmp_path, *found[verdict])
    row = answers.judge(CLAIMS[name], finished.find_runs(tmp_path))
    assert row["verdict"] == DEPENDS
    assert CONFIRMED in row["condition"]
    assert REFUTED in row["condition"]
    assert len(row["runs"].split("; ")) == 2


def test_runs_whose_conditions_differ_are_told_apart(tmp_path):
    """Would catch "not for day 1; not for day 1, 2", which says nothing of either."""
    for tables in (cost(60, 20, 40), cost(20, 40, 30)):
        write_run(tmp_path, "sketch", tables)
    row = answers.judge(CLAIMS["K2"], finished.find_runs(tmp_path))
    assert row["verdict"] == DEPENDS
    first, second = row["condition"].split("; ")
    conditions = {line.split(": ")[1] for line in (first, second)}
    assert conditions == {"not for stride 4", "not for stride 2"}


def test_runs_with_the_same_condition_share_it(tmp_path):
    """Would catch a condition that is said again for each run."""
    for tables in (cost(60, 20, 40), cost(60, 20, 41), cost(20, 40, 30)):
        write_run(tmp_path, "sketch", tables)
    row = answers.judge(CLAIMS["K2"], finished.find_runs(tmp_path))
    parts = {part.split(": ")[1]: part for part in row["condition"].split("; ")}
    assert set(parts) == {"not for stride 4", "not for stride 2"}
    assert parts["not for stride 4"].count("(made)") == 2


def test_the_course_s_program_is_judged_by_one_seed_too(tmp_path):
    """What breaks in it has no seeds; would catch a spread that one seed has not."""
    tables = as_given(2) | scored({"answer": [50.0]})
    write_run(tmp_path, "sketch", tables)
    row = answers.judge(CLAIMS["K1"], finished.find_runs(tmp_path))
    assert row["verdict"] == REFUTED
    assert "test error 50 %" in row["evidence"]
