"""The rules on language models: each is made to say everything it can, by made-up rows.

A rule that could only say yes would be found here.
"""

import pytest

from rnn_tf.claims import course
from rnn_tf.claims.verdict import CONFIRMED, DEPENDS, NOT_MEASURED, REFUTED
from tests import test_little_language_rules
from tests.claim_runs import against, judged, level, network, scored, write_run

FURTHEST = 12


def reach(gram=lambda n: n - 1, far: float = 0.1) -> dict:
    """n-grams change up to `gram(n)` tokens back; a GRU by `far` at the furthest."""
    rows = [
        {"model": f"ngram_{n}", "seed": "", "order": n, "back": back}
        | {"changed": 0.5 * (back <= gram(n))}
        for n in (1, 2, 3)
        for back in range(1, FURTHEST + 1)
    ]
    rows += [
        {"model": "gru", "seed": 1, "order": "", "back": back, "changed": far}
        for back in range(1, FURTHEST + 1)
    ]
    return {"reach": rows}


def agreement(beyond: float, gru: float, seeds: int = 3) -> dict:
    rows = [
        {"model": f"ngram_{n}", "seed": "", "order": n, "distance": distance, "n": 50}
        | {"right": 0.9 if distance < n else beyond}
        for n in (2, 5)
        for distance in (1, 4, 7)
    ]
    rows += [
        {"model": "gru", "seed": seed, "order": "", "distance": distance, "n": 50}
        | {"right": gru + 0.01 * seed}
        for seed in range(seeds)
        for distance in (1, 4, 7)
    ]
    return {"agreement": rows}


def tables(seen=lambda n: 100 * n, unseen=lambda n: n / 10) -> dict:
    rows = [
        {"order": n, "tokens": tokens, "vocabulary": 50, "possible": 50.0**n}
        | {"seen": seen(n), "unseen_test": unseen(n), "parameters": 1}
        for n in (1, 2, 3, 4)
        for tokens in (100, 1_000)
    ]
    return {"ngrams": rows}


def sizes(network=lambda longer: 7, gram=lambda n, tokens: n * tokens) -> dict:
    rows = [
        {"order": n, "tokens": tokens, "parameters": gram(n, tokens)}
        for n in (1, 2)
        for tokens in (100, 1_000)
    ]
    own = {"model": "gru", "parameters": network(False)}
    return {"ngrams": rows, "outputs": [own | {"parameters_longer": network(True)}]}


def outputs(**changes) -> dict:
    row = {"model": "gru", "vocabulary": 137, "width": 64, "embedding_gap": 0.0}
    row |= {"logits": 137, "probabilities": 137, "smallest": 1e-9, "sum_gap": 1e-7}
    row |= {"count": 100, "loss_mean": 1.8, "loss_sum": 180.0}
    return {"outputs": [row | changes]}


def speech(greedy: float, drawn: float, texts=("a", "b", "c"), model="ngram_1") -> dict:
    """Shares of different tokens, of 50; and what is said over three seeds."""
    rows = [
        {"model": model, "temperature": temperature, "seed": seed, "tokens": 50}
        | {"distinct": share, "text": texts[seed] if temperature else "always"}
        for temperature, share in ((0.0, greedy), (1.0, drawn))
        for seed in range(3)
    ]
    return {"speech": rows}


def hello(*right: int) -> dict:
    rows = [
        {"model": "rnn", "seed": seed, "right": n, "letters": 4}
        for seed, n in enumerate(right)
    ]
    return {"hello": [*rows, {"model": "bigram", "seed": "", "right": 3, "letters": 4}]}


def bank(word: float, window: float, seeds: int = 3) -> dict:
    errors = {"word": word, "window": window, "rnn": 0.0}
    return {
        "bank": [
            {"model": model, "seed": seed, "error": error + seed, "n": 500}
            for model, error in errors.items()
            for seed in range(seeds)
        ]
    }


def little(*better: int, sizes=(1_000, 9_000)) -> dict:
    """n-grams are better on some sizes of training text, the GRU on the others."""
    errors = {}
    for n in sizes:
        errors[f"gru_of_{n}"] = network(20)
        errors[f"ngrams_of_{n}"] = 10.0 if n in better else 30.0
    return scored(errors)


def chunks(gru: float, short: float, reset: float, seeds: int = 3) -> dict:
    errors = {"gru": gru, "gru_8": short, "gru_8_reset": reset}
    noise = {"gru": 0.5, "gru_8": 1.0, "gru_8_reset": 0.5}
    return scored({m: network(e, seeds, noise[m]) for m, e in errors.items()})


# claim, verdict, tables of one run
CASES = [
    ("T7", CONFIRMED, chunks(10, 10, 10)),
    ("T7", DEPENDS, chunks(10, 10, 20)),
    ("T7", DEPENDS, chunks(5, 10, 20)),
    ("T7", REFUTED, chunks(5, 10, 10)),
    ("T7", NOT_MEASURED, chunks(10, 10, 20, seeds=2)),
    ("L1", CONFIRMED, reach()),
    ("L1", REFUTED, reach(gram=lambda n: n + 1, far=0.0)),
    ("L1", DEPENDS, reach(far=0.0)),
    ("L1", CONFIRMED, reach(gram=lambda n: min(n - 1, 1))),  # long ones are rare
    ("L1", DEPENDS, reach(gram=lambda n: n if n == 3 else n - 1)),
    ("L2", CONFIRMED, agreement(0.13, 0.9)),
    ("L2", REFUTED, agreement(0.5, 0.9)),
    ("L2", DEPENDS, agreement(0.13, 0.13)),
    ("L2", NOT_MEASURED, agreement(0.13, 0.9, seeds=2)),
    ("L3", CONFIRMED, tables()),
    ("L3", REFUTED, tables(seen=lambda n: 50**n, unseen=lambda n: 1 / n)),
    ("L3", DEPENDS, tables(unseen=lambda n: 1 / n)),
    ("L4", CONFIRMED, sizes()),
    ("L4", REFUTED, sizes(network=lambda longer: 7 + longer, gram=lambda n, t: 5)),
    ("L4", DEPENDS, sizes(network=lambda longer: 7 + longer)),
    ("L5", CONFIRMED, little(1_000, 9_000)),
    ("L5", DEPENDS, little(1_000)),
    ("L5", REFUTED, little()),
    ("L6", CONFIRMED, scored({"gru": network(10), "ngram_1": 30.0, "ngram_2": 20.0})),
    ("L6", REFUTED, scored({"gru": network(25), "ngram_1": 30.0, "ngram_2": 20.0})),
    ("L6", DEPENDS,
     scored({"gru": network(10), "lstm": network(25), "ngram_2": 20.0})),
    ("L6", NOT_MEASURED, scored({"gru": network(10, 2), "ngram_2": 20.0})),
    ("L7", CONFIRMED, speech(1 / 50, 1 / 50)),
    ("L7", DEPENDS, speech(1 / 50, 0.5)),
    ("L7", REFUTED, speech(0.2, 0.5)),
    ("L10", CONFIRMED, outputs(count=1, loss_sum=1.8)),
    ("L10", DEPENDS, outputs()),
    ("L10", REFUTED, outputs(loss_sum=90.0)),
    ("L12", CONFIRMED, outputs()),
    ("L12", DEPENDS, outputs(sum_gap=0.1)),
    ("L12", REFUTED, outputs(sum_gap=0.1, smallest=-1.0, probabilities=10)),
    ("L14", CONFIRMED, speech(1 / 50, 0.5, "aaa", "gru")),
    ("L14", REFUTED, speech(1 / 50, 0.5, "abc", "gru")),
    ("L15", CONFIRMED, hello(4, 4, 4)),
    ("L15", DEPENDS, hello(4, 3, 4)),
    ("L15", REFUTED, hello(3, 3, 3)),
    ("L15", NOT_MEASURED, hello(4, 4)),
    ("L18", CONFIRMED, bank(50, 49)),
    ("L18", DEPENDS, bank(50, 1)),
    ("L18", REFUTED, bank(1, 1)),
    ("L18", NOT_MEASURED, bank(50, 1, seeds=2)),
    ("L21", DEPENDS, outputs()),
    ("L21", REFUTED, outputs(vocabulary=60)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "verdict", "rows"), CASES)
def test_a_rule_says_what_the_rows_say(tmp_path, name, verdict, rows):
    write_run(tmp_path, "language", rows)
    row = judged(name, tmp_path)
    assert row["verdict"] == verdict, row
    assert bool(row["condition"]) == (verdict == DEPENDS)
    assert row["evidence"]


LANGUAGE = [c.name for c in course.CLAIMS if c.command == course.LANGUAGE]


@pytest.mark.parametrize("name", LANGUAGE)
def test_every_claim_can_be_refuted_and_can_hold(name):
    """Would catch a claim without a case, and a rule that can only say one thing."""
    every = [*CASES, *test_little_language_rules.CASES]
    verdicts = {verdict for claim, verdict, _ in every if claim == name}
    assert REFUTED in verdicts
    assert verdicts & {CONFIRMED, DEPENDS}


@pytest.mark.parametrize("name", sorted({name for name, *_ in CASES}))
def test_a_run_of_another_experiment_says_nothing(tmp_path, name):
    """Would catch a rule that takes the tables of another experiment for its own."""
    write_run(tmp_path, "sketch", against("a", "b"))
    assert judged(name, tmp_path)["runs"] == ""


@pytest.mark.parametrize("name", sorted({name for name, *_ in CASES}))
def test_a_run_without_the_rows_says_nothing(tmp_path, name):
    write_run(tmp_path, "language", level("conv", "window_mlp"))
    assert judged(name, tmp_path)["runs"] == ""


def test_every_verdict_names_the_numbers_it_comes_from(tmp_path):
    write_run(tmp_path, "language", tables())
    evidence = judged("L3", tmp_path)["evidence"]
    assert "400 seen of 6.2e+06" in evidence
    assert "40 % of those in test are unseen" in evidence
