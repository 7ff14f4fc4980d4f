"""The rules on `make modes`: each says everything it can, by made-up rows."""

import pytest

from rnn_tf.claims.verdict import CONFIRMED, DEPENDS, NOT_MEASURED, REFUTED
from tests.claim_runs import judged, level, write_run

NOISE = 0.0, 0.001, 0.002, 0.001  # of the seeds, whatever is measured
WIDE = -9.0, 0.0, 9.0  # of seeds that prove nothing


def row(task: str, model: str, seed: int, value, part="", metric="error") -> dict:
    if value != "":
        value += NOISE[(seed + len(model)) % 4]
    return {"task": task, "model": model, "seed": seed, "slice": part,
            "metric": metric, "value": value, "n": 9, "parameters": 99}  # fmt: skip


def table(tasks: dict, seeds: int = 3) -> dict:
    """Make modes.csv of task -> model -> error."""
    return {
        "modes": [
            row(task, model, seed, value)
            for task, models in tasks.items()
            for model, value in models.items()
            for seed in range(1, seeds + 1)
        ]
    }


def digits(vector: float, to_class: float, tags: float, seeds: int = 3) -> dict:
    """Errors on digits; a constant guess has 50."""
    tasks = {
        "class_to_columns": {"constant": 50.0, "from_vector": vector},
        "columns_to_class": {"constant": 50.0, "gru": to_class},
        "columns_to_tags": {"constant": 50.0, "gru_steps": tags},
    }
    return table(tasks, seeds)


def dna(whole: float, each: float, seeds: int = 3) -> dict:
    tasks = {"motif": {"constant": 50.0, "gru": whole}}
    tasks["motif_places"] = {"constant": 10.0, "bidirectional": each}
    return table(tasks, seeds)


def names(both: float, forward: float, seeds: int = 3) -> dict:
    models = {"constant": 12.0, "bidirectional": both, "gru_steps": forward}
    return table({"names": models}, seeds)


def prices(near: float, far: float, sines: float = 1, seeds: int = 3) -> dict:
    """Errors of a GRU a day ahead and ten; of the last value and of the drift 5."""
    control = {"sines_ahead": {"last_value": 5.0, "gru": sines}}
    return {
        "modes": table(control, seeds)["modes"]
        + [
            row("prices", model, seed, value, part, "mse")
            for part, own in {"1": near, "10": far}.items()
            for model, value in {"last_value": 5.0, "drift": 5.0, "gru": own}.items()
            for seed in range(1, seeds + 1)
        ]
    }


def beside(after: float, trend: float, spikes: float = 1, seeds: int = 3) -> dict:
    """Errors of Conv1D after a GRU and of readouts; the others' are 5."""
    models = {"gru": 5.0, "conv_before": 4.0, "conv_after": after}
    rows = table({"sines_ahead": models, "planted": models}, seeds)["modes"]
    rows += [
        row("filters", model, seed, value, part, "mse")
        for part, own in {"trend": trend, "season": trend, "spikes": spikes}.items()
        for model, value in {"random_filters": 5.0, "trained_filters": own}.items()
        for seed in range(1, seeds + 1)
    ]
    return {"modes": rows}


def clips(flattened: float, pooled: float, seeds: int = 3) -> dict:
    models = {"constant": 87.0, "clips_flattened": flattened, "clips_pooled": pooled}
    return table({"clips": models}, seeds)


def convolved(sines: float, adding: float, seeds: int = 3) -> dict:
    """Errors of a GRU; convolutions have 5."""
    pairs, rest = {"sines": sines, "adding": adding}, {"constant": 9.0}
    models = {t: rest | {"gru": v, "causal_conv": 5.0} for t, v in pairs.items()}
    return table(models, seeds)


def in_order(sines: float, text: float, counting: float, seeds: int = 3) -> dict:
    """Errors in order; of shuffled steps 5."""
    pairs = {"sines": sines, "text": text, "counting": counting}
    rest = {"gru_shuffled": 5.0, "constant": 9.0}
    return table({t: rest | {"gru": v} for t, v in pairs.items()}, seeds)


def lengths(seeds: int = 3, **errors: tuple) -> dict:
    """Errors on sequences of 5 and 9 steps, "" where a network fails; a guess has 50.

    By default an MLP and a GRU are as the claim says.
    """
    fails = dict.fromkeys(("flattened", "padded", "pooled"), (1.0, ""))
    models = fails | {"gru": (1.0, 1.0), "gru_untrained": (50.0, 50.0)} | errors
    models["constant"] = 50.0, 50.0
    return {
        "modes": [
            row("lengths", model, seed, value, part)
            for model, values in models.items()
            for part, value in zip(("5", "9"), values, strict=True)
            for seed in range(1, seeds + 1)
        ]
    }


def before(flattened: float, bag: float, seeds: int = 3) -> dict:
    models = {"constant": 50.0, "flattened": flattened, "bag": bag, "gru": 0.0}
    return table({"before": models}, seeds)


def by_row(plain: float, gru: float, seeds: int = 3) -> dict:
    models = {"constant": 90.0, "logistic": 10.0, "simple_rnn": plain, "gru": gru}
    return table({"rows_to_class": models}, seeds)


def parity(linear: float, tanh: float, gap: float, seeds: int = 3) -> dict:
    models = {"constant": 50.0, "linear_rnn": linear, "simple_rnn": tanh}
    rows = table({"parity": models}, seeds)["modes"]
    gaps = [
        row("parity", "linear_rnn", seed, 0, metric="map_difference") | {"value": gap}
        for seed in range(1, seeds + 1)
    ]
    return {"modes": rows + gaps}


def first_state(early: float, late: float, seeds: int = 3) -> dict:
    """Errors of a learned first state after 2 steps and 20; zeros have 5."""
    return {
        "modes": [
            row("first_state", model, seed, value, part, "mse")
            for part, learned in {"2": early, "20": late}.items()
            for model, value in {"gru_steps": 5.0, "learned_state": learned}.items()
            for seed in range(1, seeds + 1)
        ]
    }


def bias(digits: float, sines: float, counting: float, seeds: int = 3) -> dict:
    """Errors with a bias; without one 5."""
    pairs = {"rows_to_class": digits, "sines": sines, "counting": counting}
    models = {t: {"simple_rnn": v, "simple_rnn_no_bias": 5.0} for t, v in pairs.items()}
    return table(models, seeds)


def wide(tables: dict) -> dict:
    """Spread the seeds of the networks, so that every interval holds 0."""
    rows = [
        row | {"value": row["value"] + WIDE[row["seed"] % 3]}
        if row["model"] not in ("constant", "gru_shuffled") else row
        for row in tables["modes"]
    ]  # fmt: skip
    return {"modes": rows}


# claim, verdict, tables of one run
CASES = [
    ("M2", CONFIRMED, digits(30, 5, 5)),
    ("M2", DEPENDS, digits(50, 5, 5)),
    ("M2", REFUTED, digits(50, 51, 52)),
    ("M2", NOT_MEASURED, digits(30, 5, 5, seeds=2)),
    ("M6", CONFIRMED, dna(1, 10)),
    ("M6", DEPENDS, dna(1, 1)),
    ("M6", REFUTED, dna(50, 1)),
    ("M6", NOT_MEASURED, dna(1, 1, seeds=2)),
    ("M7", CONFIRMED, names(1, 2)),
    ("M7", DEPENDS, names(1, 12)),
    ("M7", REFUTED, names(12, 13)),
    ("M7", NOT_MEASURED, names(1, 2, seeds=2)),
    ("M8", CONFIRMED, prices(1, 1)),
    ("M8", DEPENDS, prices(5, 1)),
    ("M8", DEPENDS, prices(6, 5)),  # sines alone
    ("M8", REFUTED, prices(6, 5, sines=5)),
    ("M8", NOT_MEASURED, prices(1, 1, seeds=2)),
    ("M14", CONFIRMED, beside(1, 1)),
    ("M14", DEPENDS, beside(5, 1)),
    ("M14", DEPENDS, beside(1, 1, spikes=5)),
    ("M14", REFUTED, beside(5, 5, spikes=6)),
    ("M14", NOT_MEASURED, beside(1, 1, seeds=2)),
    ("M15", CONFIRMED, clips(10, 30)),
    ("M15", DEPENDS, clips(30, 10)),
    ("M15", REFUTED, clips(87, 10)),
    ("M15", NOT_MEASURED, clips(10, 30, seeds=2)),
    ("M16", CONFIRMED, convolved(1, 1)),
    ("M16", DEPENDS, convolved(1, 5)),
    ("M16", REFUTED, convolved(5, 9)),
    ("M16", NOT_MEASURED, convolved(1, 1, seeds=2)),
    ("Q1", CONFIRMED, in_order(1, 1, 1)),
    ("Q1", DEPENDS, in_order(1, 1, 5)),
    ("Q1", REFUTED, in_order(5, 5, 5)),
    ("Q1", NOT_MEASURED, wide(in_order(4, 4, 4))),
    ("Q2", CONFIRMED, lengths()),
    ("Q2", DEPENDS, lengths(padded=(1.0, 5.0), pooled=(1.0, 1.0))),
    ("Q2", DEPENDS, lengths(gru=(1.0, 50.0))),
    ("Q2", DEPENDS, lengths(gru_untrained=(1.0, 50.0))),
    ("Q2", REFUTED, lengths(**dict.fromkeys(("flattened", "padded", "pooled"), (1, 1)),
                            gru=(1.0, ""), gru_untrained=(1.0, 1.0))),
    ("Q2", NOT_MEASURED, lengths(seeds=2)),
    ("Q3", CONFIRMED, before(50, 51)),
    ("Q3", DEPENDS, before(1, 50)),
    ("Q3", REFUTED, before(1, 1)),
    ("Q3", NOT_MEASURED, wide(before(48, 48))),
    ("Q4", CONFIRMED, by_row(90, 91)),
    ("Q4", DEPENDS, by_row(20, 5)),
    ("Q4", REFUTED, by_row(10, 5)),
    ("Q4", NOT_MEASURED, by_row(10, 5, seeds=2)),
    ("Q7", CONFIRMED, parity(50, 1, 1e-7)),
    ("Q7", DEPENDS, parity(50, 50, 1e-7)),
    ("Q7", REFUTED, parity(1, 1, 0.5)),
    ("Q7", NOT_MEASURED, parity(50, 1, 1e-7, seeds=2)),
    ("Q13", CONFIRMED, first_state(1, 1)),
    ("Q13", DEPENDS, first_state(1, 5)),
    ("Q13", REFUTED, first_state(5, 6)),
    ("Q13", NOT_MEASURED, first_state(1, 1, seeds=2)),
    ("Q15", CONFIRMED, bias(1, 1, 1)),
    ("Q15", DEPENDS, bias(1, 5, 5)),
    ("Q15", REFUTED, bias(5, 6, 7)),
    ("Q15", NOT_MEASURED, bias(1, 1, 1, seeds=2)),
]  # fmt: skip
NAMES = sorted({name for name, *_ in CASES})


@pytest.mark.parametrize(("name", "verdict", "rows"), CASES)
def test_a_rule_says_what_the_rows_say(tmp_path, name, verdict, rows):
    write_run(tmp_path, "modes", rows)
    judgement = judged(name, tmp_path)
    assert judgement["verdict"] == verdict, judgement
    assert bool(judgement["condition"]) == (verdict == DEPENDS)
    assert judgement["evidence"]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_of_another_experiment_or_without_the_rows_says_nothing(tmp_path, name):
    """Would catch a rule that takes the tables of another experiment for its own."""
    (rows, *_) = [rows for claim, _, rows in CASES if claim == name]
    write_run(tmp_path, "gradients", rows)
    write_run(tmp_path, "modes", table({"other": {"gru": 1.0}}))
    write_run(tmp_path, "modes", level("conv", "window_mlp"))
    assert judged(name, tmp_path)["runs"] == ""


def test_what_is_solved_by_both_is_no_gain_of_order(tmp_path):
    """Would catch errors next to 0, of which noise is more than a tenth."""
    solved = {"gru": 1e-4, "gru_shuffled": 1.1e-4, "constant": 9.0}
    write_run(tmp_path, "modes", table({"counting": solved}))
    assert judged("Q1", tmp_path)["verdict"] == REFUTED


def test_conditions_name_what_the_claim_does_not_hold_for(tmp_path):
    """Would catch a condition that is turned around."""
    write_run(tmp_path, "modes", before(1, 50))
    write_run(tmp_path / "names", "modes", names(1, 12))
    assert judged("Q3", tmp_path)["condition"] == "not for an MLP on all steps"
    condition = judged("M7", tmp_path / "names")["condition"]
    assert condition == "proved for both directions; not for forward alone"
