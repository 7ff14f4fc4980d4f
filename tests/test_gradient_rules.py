"""The rules on gradients: each is made to say everything it can, by made-up rows."""

import itertools

import pytest

from rnn_tf.claims.verdict import CONFIRMED, DEPENDS, NOT_MEASURED, REFUTED
from tests.claim_runs import judged, write_run

CELLS = "simple_rnn", "lstm", "gru"

# ---------------------------------------------------------------- tables of the flow


def setting(slope=-0.1, spread=0.01, **columns) -> dict:
    """A row of gradient_decay.csv in which the logarithms are a line."""
    row = {"phase": "fresh", "cell": "simple_rnn", "activation": "tanh"}
    row |= {"weights": "orthogonal", "gain": 1.0, "forget_bias": "", "depth": 1}
    row |= {"input_scale": 1.0, "seeds": 5, "r2": 1.0, "saturated": 0.1}
    row |= {"sigma_max": 1.0, "sigma_min": 0.5, "radius": 1.0}
    ends = {"": 0, "_low": -spread, "_high": spread}
    row |= {f"slope{end}": slope + by for end, by in ends.items()}
    steps = {10: 10, 50: 50, 100: 100, 200: 200, "first": 200}
    for (name, n), (end, by) in itertools.product(steps.items(), ends.items()):
        row[f"log10_{name}{end}"] = n * (slope + by)
    row["longest"] = 200
    return row | columns


def decay(*rows) -> dict:
    return {"gradient_decay": list(rows)}


def by_value(*slopes: float, sigma: float, **columns) -> dict:
    """Settings with one largest singular value, and a slope each."""
    return decay(*(setting(slope, sigma_max=sigma, **columns) for slope in slopes))


def by_gain(*slopes: float, scale=1.0) -> list[dict]:
    """tanh at the gains 0.9, 1.1 and 1.5, with a slope each."""
    gains = zip((0.9, 1.1, 1.5), slopes, strict=True)
    return [setting(slope, gain=gain, input_scale=scale) for gain, slope in gains]


def by_scale(**slopes: float) -> dict:
    """tanh by the size of the inputs."""
    return decay(*(setting(s, input_scale=float(x[1:])) for x, s in slopes.items()))


def activations(weights: str, tanh: float, relu: float, gain=1.0) -> list[dict]:
    slopes = {"tanh": tanh, "relu": relu, "linear": 0.0}.items()
    options = {"weights": weights, "gain": gain}
    return [setting(slope, activation=name, **options) for name, slope in slopes]


def gated(lstm: float, gru: float, phase="fresh", **columns) -> list[dict]:
    """An LSTM and a GRU."""
    columns |= {"phase": phase, "spread": 0.001}
    first = setting(lstm, cell="lstm", forget_bias=1.0, **columns)
    return [first, setting(gru, cell="gru", **columns)]


def stack(bent: bool) -> dict:
    """A row of layers: their logarithms are a line, or none."""
    options = {"phase": "stack", "weights": "", "gain": "", "depth": 32}
    return setting(-0.1, r2=0.5 if bent else 1.0, **options)


def short(*rows, accuracy=None) -> dict:
    """Gradients by distance, and what is recalled without the steps before."""
    tables = decay(*rows)
    if accuracy is not None:
        tables |= recall(accuracy, state="reset")
    return tables


# ---------------------------------------------------------------- tables of the facts


def facts(seeds: int = 3, **values) -> dict:
    """Rows of gradient_facts.csv: fact -> subject -> a value, or one per seed."""
    rows = []
    for fact, subjects in values.items():
        for subject, value in subjects.items():
            for seed in range(1, seeds + 1):
                number = value[seed - 1] if isinstance(value, list) else value
                row = {"fact": fact, "subject": subject, "seed": seed}
                rows.append(row | {"value": number})
    return {"gradient_facts": rows}


def heads(gap: float, softmax: list[float], seeds: int = 3) -> dict:
    declines = {"softmax": softmax, "linear": [-3.0, -3.5, -4.0]}
    gaps = {"softmax": gap, "linear": 1e-7}
    return facts(seeds, head_gap=gaps, head_decline=declines)


def clipped(norm: float, value: float) -> dict:
    cosines = {"norm": norm, "value": value}
    norms, small = {"norm": 1.0, "value": 4.0}, {"norm": 0.0, "value": 0.0}
    return facts(clip_cosine=cosines, clip_norm=norms, clip_small=small)


def lstm(total: float, least: float, ms: float, gradient: float) -> dict:
    of = dict.fromkeys(CELLS, 0.0)
    times = {"simple_rnn": 5.0, "gru": 8.0, "lstm": ms}
    return facts(
        output_sum=of | {"lstm": total},
        output_least=of | {"lstm": least},
        kernel_gradient=of | {"lstm": gradient},
        step_ms=times,
        step_ms_low={cell: t - 1 for cell, t in times.items()},
        step_ms_high={cell: t + 1 for cell, t in times.items()},
    )


def product(**gaps: float) -> dict:
    return facts(product_gap=gaps)


def sums(gap: float, least: float, gru: float | None = None) -> dict:
    gaps = dict.fromkeys(CELLS, gap) | ({} if gru is None else {"gru": gru})
    return facts(sum_gap=gaps, least_step=dict.fromkeys(CELLS, least))


def formulas(gap: float, off: float) -> dict:
    return facts(lstm_gap={"n 4, m 2": gap}, lstm_parameters={"n 4, m 2": off})


def rates(*ratios: float, seeds: int = 3) -> dict:
    """log10 of what arrives after training at the rates 0.001, 0.01, ..."""
    rows = [
        {"learning_rate": 10.0 ** (n - 3), "seed": seed, "saturated": 0.5}
        | {"log10_ratio": ratio - 0.1 * seed}
        for n, ratio in enumerate(ratios)
        for seed in range(1, seeds + 1)
    ]
    return {"learning_rates": rows}


def memory(near: float, far: float, seeds: int = 3) -> dict:
    """R^2 of inputs 1 and 50 steps ago."""
    return {
        "state_memory": [
            {"cell": cell, "distance": d, "seed": seed, "r2": r2 + 0.01 * seed}
            for cell in CELLS
            for d, r2 in ((0, 1.0), (1, near), (50, far))
            for seed in range(1, seeds + 1)
        ]
    }


# ---------------------------------------------------------------- tables of truncation


GROWN = ("tanh", 1.5), ("relu", 2.0)


def exploded(*norms: tuple[float, float], seeds: int = 3) -> dict:
    """Norms of gradients that are cut off after 5 steps, and of the whole ones."""
    return {
        "truncated_training": [
            {"activation": name, "gain": gain, "chunk": chunk, "steps": 50}
            | {"seed": seed, "first_norm": norm * (1 + 0.1 * seed), "diverged": False}
            for (name, gain), pair in zip(GROWN, norms, strict=True)
            for chunk, norm in zip((5, 50), pair, strict=True)
            for seed in range(1, seeds + 1)
        ]
    }


def cost(update: float, sequence: float, peak=10.0, other=None) -> dict:
    """A chunk of 10 (and one of 100) against the whole: milliseconds and MiB."""
    chunks = {10: (update, sequence, peak), 1_000: (400.0, 400.0, 100.0)}
    if other is not None:
        chunks[100] = (update, sequence, other)
    rows = []
    for chunk, (a, b, mib) in chunks.items():
        row = {"cell": "gru", "chunk": chunk, "steps": 1_000, "state": "carried"}
        row |= {"update_ms": a, "update_low": a - 1, "update_high": a + 1}
        row |= {"sequence_ms": b, "sequence_low": b - 9, "sequence_high": b + 9}
        rows += [row | {"peak_mb": mib}, row | {"state": "reset", "peak_mb": ""}]
    return {"truncated_cost": rows}


def recall(*accuracies, task="first", state="carried", seeds=3, spread=0.01) -> dict:
    """Accuracies of a SimpleRNN and a GRU with chunks of 2, and of the whole."""
    rows = []
    for cell, accuracy in zip(("simple_rnn", "gru"), accuracies, strict=False):
        for seed, chunk in itertools.product(range(1, seeds + 1), (2, 21)):
            row = {"task": task, "cell": cell, "chunk": chunk, "seed": seed}
            row |= {"state": state, "length": 21, "distance": 20, "chance": 0.25}
            value = 1.0 if chunk == 21 else accuracy + spread * (seed - 2)
            rows.append(row | {"accuracy": value})
    return {"truncated_recall": rows}


def cosines(*values: float, seeds: int = 3) -> dict:
    return {
        "truncated_gradients": [
            {"cell": "gru", "chunk": chunk, "steps": 1_000, "seed": seed}
            | {"cosine": value}
            for chunk, value in zip((2, 10, 1_000), (*values, 1.0), strict=True)
            for seed in range(1, seeds + 1)
        ]
    }


# claim, verdict, tables of one run
CASES = [
    ("G1", CONFIRMED, by_value(0.1, 0.2, sigma=1.5)),
    ("G1", REFUTED, by_value(0.1, -0.2, sigma=1.5)),
    ("G1", NOT_MEASURED, by_value(0.1, 0.001, sigma=1.5)),  # the interval holds 0
    ("G1", NOT_MEASURED, by_value(0.1, 0.2, sigma=1.5, seeds=2)),
    ("G1", NOT_MEASURED, by_value(-0.1, sigma=0.9)),  # none above 1
    ("G2", CONFIRMED, by_value(-0.1, -0.2, sigma=0.9)),
    ("G2", REFUTED, by_value(-0.1, 0.2, sigma=0.9)),
    ("G2", NOT_MEASURED, by_value(-0.1, -0.001, sigma=0.9)),
    ("G2", NOT_MEASURED, by_value(0.1, sigma=1.1)),
    ("G3", CONFIRMED, decay(*by_gain(-0.1, -0.2, -0.3))),
    ("G3", REFUTED, decay(*by_gain(-0.3, -0.2, -0.1))),
    ("G3", REFUTED, decay(*by_gain(-0.1, -0.3, -0.2))),  # it rises again
    ("G3", DEPENDS,
     decay(*by_gain(-0.1, -0.2, -0.3), *by_gain(-0.3, -0.2, -0.1, scale=10.0))),
    ("G4", CONFIRMED, heads(0.5, [-5.0, -5.6, -6.0])),
    ("G4", REFUTED, heads(1e-7, [-3.1, -3.4, -4.0])),
    ("G4", DEPENDS, heads(1e-7, [-5.0, -5.6, -6.0])),
    ("G4", NOT_MEASURED, heads(0.5, [-5.0, -5.6], seeds=2)),
    ("G5", CONFIRMED, rates(-1, -3, -9)),
    ("G5", REFUTED, rates(-3, -2, -1)),
    ("G5", DEPENDS, rates(-1, -1, -9)),
    ("G5", NOT_MEASURED, rates(-1, -3, seeds=2)),
    ("G6", CONFIRMED, decay(setting(), *gated(-0.1, -0.1), stack(bent=False))),
    ("G6", REFUTED, decay(setting(r2=0.5), stack(bent=True))),
    ("G6", REFUTED, decay(setting(0.0), stack(bent=True))),
    ("G6", DEPENDS, decay(setting(), stack(bent=True))),
    ("G7", CONFIRMED, product(tanh=1e-7, relu=1e-8)),
    ("G7", REFUTED, product(tanh=0.1, relu=0.1)),
    ("G7", DEPENDS, product(tanh=1e-7, relu=0.1)),
    ("G10", CONFIRMED, clipped(norm=0.9, value=0.7)),
    ("G10", REFUTED, clipped(norm=1.0, value=1.0)),
    ("G10", DEPENDS, clipped(norm=1.0, value=0.7)),
    ("G12", CONFIRMED, short(setting(-0.1), accuracy=0.9)),
    ("G12", REFUTED, short(setting(0.0), accuracy=0.3)),
    ("G12", DEPENDS, short(setting(-0.1), accuracy=0.3)),
    ("G12", DEPENDS, short(setting(-0.1), *gated(0.0, -0.1))),
    ("G14", CONFIRMED, decay(*activations("identity", 0.01, 0.01))),
    ("G14", REFUTED, decay(*activations("identity", -0.1, -0.1))),
    ("G14", DEPENDS, decay(*activations("identity", -0.1, 0.01), *gated(-0.1, 0.1))),
    ("G15", CONFIRMED, decay(*activations("identity", -0.1, 0.1))),
    ("G15", REFUTED, decay(*activations("orthogonal", 0.1, -0.1))),
    ("G15", DEPENDS, decay(*itertools.chain(
        activations("identity", -0.1, 0.1), activations("gaussian", -0.1, -0.1)))),
    ("G18", CONFIRMED, decay(*gated(0.0, 0.0), *gated(0.0, 0.0, phase="trained"))),
    ("G18", REFUTED, decay(*gated(-0.1, -0.1))),
    ("G18", DEPENDS, decay(*gated(0.0, -0.1))),
    ("G18", DEPENDS, decay(*gated(-0.1, -0.1),
                           *gated(0.0, 0.0, phase="trained", gain="", input_scale="",
                                  longest=49, log10_200="", log10_200_low=""))),
    ("G19", CONFIRMED, lstm(1.0, 0.0, ms=2.0, gradient=0.0)),
    ("G19", REFUTED, lstm(0.3, -0.5, ms=9.0, gradient=1.0)),
    ("G19", REFUTED, lstm(1.0, -0.5, ms=4.0, gradient=1.0)),  # quartiles overlap
    ("G19", DEPENDS, lstm(0.3, -0.5, ms=2.0, gradient=1.0)),
    ("T1", CONFIRMED, exploded((1, 100), (1, 1e9))),
    ("T1", REFUTED, exploded((100, 1), (1, 1))),
    ("T1", DEPENDS, exploded((1, 1), (1, 1e9))),
    ("T1", CONFIRMED, exploded((1, float("inf")), (1, float("nan")))),  # ends float32
    ("T1", REFUTED, exploded((float("inf"), float("inf")), (1, 1))),
    ("T1", NOT_MEASURED, exploded((1, 100), (1, 1e9), seeds=2)),
    ("T2", CONFIRMED, cost(update=4, sequence=200)),
    ("T2", REFUTED, cost(update=500, sequence=900)),
    ("T2", DEPENDS, cost(update=4, sequence=395)),  # within the quartiles
    ("T3", CONFIRMED, cost(4, 400, peak=200.0)),
    ("T3", REFUTED, cost(4, 400, peak=10.0)),
    ("T3", DEPENDS, cost(4, 400, peak=10.0, other=200.0)),
    ("T3", NOT_MEASURED, {"truncated_cost": []}),
    ("T4", CONFIRMED, recall(0.25, 0.3)),
    ("T4", REFUTED, recall(1.0, 0.9)),
    ("T4", DEPENDS, recall(1.0, 0.3)),
    ("T4", NOT_MEASURED, recall(0.6, 0.6, spread=0.4)),
    ("T4", NOT_MEASURED, recall(0.25, 0.3, seeds=2)),
    ("T5", CONFIRMED, recall(0.25, 0.3, task="stream")),
    ("T5", REFUTED, recall(1.0, 0.9, task="stream")),
    ("T5", DEPENDS, recall(1.0, 0.3, task="stream")),
    ("T6", CONFIRMED, cosines(1.0, 1.0)),
    ("T6", REFUTED, cosines(0.5, 0.99)),
    ("T6", DEPENDS, cosines(0.5, 1.0)),
    ("T6", NOT_MEASURED, cosines(0.5, 0.9, seeds=2)),
    ("T9", CONFIRMED, sums(gap=1e-7, least=0.1)),
    ("T9", REFUTED, sums(gap=1e-7, least=0.0)),
    ("T9", REFUTED, sums(gap=0.1, least=0.1)),
    ("T9", DEPENDS, sums(gap=1e-7, least=0.1, gru=0.1)),
    ("Q5", CONFIRMED, memory(near=0.9, far=0.5)),
    ("Q5", REFUTED, memory(near=0.0, far=0.0)),
    ("Q5", DEPENDS, memory(near=0.9, far=0.0)),
    ("Q5", NOT_MEASURED, memory(near=0.9, far=0.5, seeds=2)),
    ("Q9", CONFIRMED, by_scale(x1=-0.3, x10=-0.9)),
    ("Q9", REFUTED, by_scale(x1=-0.01, x10=-0.02)),
    ("Q9", DEPENDS, by_scale(x1=-0.01, x10=-0.9)),
    ("Q14", CONFIRMED, formulas(gap=1e-7, off=0)),
    ("Q14", REFUTED, formulas(gap=0.1, off=8)),
    ("Q14", DEPENDS, formulas(gap=1e-7, off=8)),
]  # fmt: skip
NAMES = list(dict.fromkeys(name for name, _, _ in CASES))
IDS = [f"{name}-{verdict}" for name, verdict, _ in CASES]


@pytest.mark.parametrize(("name", "verdict", "tables"), CASES, ids=IDS)
def test_a_rule_says_what_the_rows_say(tmp_path, name, verdict, tables):
    write_run(tmp_path, "gradients", tables)
    row = judged(name, tmp_path)
    assert row["verdict"] == verdict, row["evidence"]
    assert row["evidence"]
    assert bool(row["condition"]) == (verdict == DEPENDS)


@pytest.mark.parametrize("name", NAMES)
def test_every_claim_can_be_confirmed_and_refuted_and_runs_may_disagree(tmp_path, name):
    """Would catch a rule that can only say yes, and one run that hides another."""
    runs = {verdict: tables for claim, verdict, tables in CASES if claim == name}
    assert {CONFIRMED, REFUTED} <= set(runs)
    for verdict in (CONFIRMED, REFUTED):
        write_run(tmp_path, "gradients", runs[verdict])
    row = judged(name, tmp_path)
    assert row["verdict"] == DEPENDS
    assert CONFIRMED in row["condition"]
    assert REFUTED in row["condition"]


def test_what_is_exactly_nothing_is_told_as_0(tmp_path):
    """Would catch 1e-308 in a table, which is where floats end, and no measurement."""
    dead = setting(-1.54, activation="relu", weights="identity")
    dead |= {f"log10_{n}{e}": -308.0 for n in (100, 200) for e in ("", "_low", "_high")}
    write_run(
        tmp_path, "gradients", decay(*activations("orthogonal", -0.1, -0.1), dead)
    )
    row = judged("G14", tmp_path)
    assert "ReLU, identity 0;" in row["evidence"] + ";"
