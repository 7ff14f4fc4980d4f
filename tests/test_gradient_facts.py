"""Facts of gradients and cells: small studies, and numbers by hand."""

import keras
import numpy as np
import pandas as pd
import pytest

from rnn_tf.errors import InputError
from rnn_tf.studies import gradient_facts, learning_rates, state_memory
from rnn_tf.studies.gradient_facts import Sizes

SMALL = Sizes(
    seeds=1,
    rounds=1,
    rates=(1e-3, 1.0),
    updates=6,
    length=12,
    stream=400,
    distances=(0, 1, 5, 30),
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """The tables of a small study; and where they were written."""
    folder = tmp_path_factory.mktemp("facts")
    return gradient_facts.write(folder, SMALL) | {"folder": folder}


@pytest.fixture(scope="module")
def facts(tables):
    """Fact -> subject -> value."""
    rows = pd.DataFrame(tables["gradient_facts"])
    return {
        fact: dict(zip(part["subject"], part["value"], strict=True))
        for fact, part in rows.groupby("fact")
    }


def test_tables_are_written_with_their_columns(tables):
    columns = {
        "gradient_facts": gradient_facts.FACTS,
        "state_memory": state_memory.COLUMNS,
        "learning_rates": learning_rates.COLUMNS,
    }
    for name, expected in columns.items():
        table = pd.read_csv(tables["folder"] / f"{name}.csv")
        assert list(table) == expected
        assert len(table) == len(tables[name])


def test_every_fact_is_explained_and_every_explanation_measured(facts):
    explained = [
        name.strip()
        for line in gradient_facts.__doc__.splitlines()
        if line.startswith("| ") and "---" not in line and "the number" not in line
        for name in line.split("|")[1].split(",")
    ]
    assert sorted(explained) == sorted(facts)


def test_products_and_sums_agree_with_the_tape(facts):
    assert set(facts["product_gap"]) == {"tanh", "relu", "linear"}
    assert max(facts["product_gap"].values()) < 1e-5
    assert max(facts["sum_gap"].values()) < 1e-5
    assert min(facts["least_step"].values()) > 0


def test_a_gap_shows_where_a_product_is_wrong():
    """Would catch a comparison that compares nothing."""
    rnn = gradient_facts.layer("simple_rnn")
    inputs = np.random.default_rng(1).normal(size=(5, 8))
    jacobian = gradient_facts.tape_jacobian(rnn, inputs)
    other = gradient_facts.tape_jacobian(rnn, inputs[::-1])
    assert np.abs(jacobian - other).max() > 1e-3


def test_clipping_by_norm_keeps_the_direction_and_by_value_turns_it(facts):
    assert facts["clip_norm"]["norm"] == pytest.approx(1)
    assert facts["clip_cosine"]["norm"] == pytest.approx(1)
    assert facts["clip_norm"]["value"] > 1
    assert facts["clip_cosine"]["value"] < 0.99
    assert max(facts["clip_small"].values()) < 1e-8


def test_clipping_by_hand():
    """(1e4, 1) becomes (1, 1e-4) by norm, and (1, 1) by value."""
    gradient = np.array([1e4, 1.0])
    by_norm = gradient_facts._clipped("clipnorm", gradient)
    assert by_norm == pytest.approx([1, 1e-4])
    assert gradient_facts._clipped("clipvalue", gradient) == pytest.approx([1, 1])


def test_heads_share_one_jacobian_and_not_one_gradient(facts):
    assert max(facts["head_gap"].values()) < 1e-4
    assert facts["head_logits"]["softmax"] != facts["head_logits"]["linear"]


def test_an_lstm_is_its_formulas_and_no_softmax(facts):
    assert max(facts["lstm_gap"].values()) < 1e-5
    assert set(facts["lstm_parameters"].values()) == {0}
    assert facts["output_least"]["lstm"] < 0
    assert abs(facts["output_sum"]["lstm"] - 1) > 1e-3
    assert facts["kernel_gradient"]["lstm"] > 0
    assert facts["first_input"]["lstm"] > 0


def test_the_last_input_is_read_from_the_state_and_what_is_long_past_is_not(tables):
    """Would catch targets that are moved the wrong way: the future cannot be read."""
    scores = pd.DataFrame(tables["state_memory"]).set_index(["cell", "distance"])["r2"]
    for cell in ("simple_rnn", "lstm", "gru"):
        assert scores[cell, 0] > 0.9
        assert scores[cell, 30] < scores[cell, 0] - 0.2
    assert scores["simple_rnn", 5] > 0.9


def test_a_rate_of_1_saturates_and_the_next_seed_starts_anew(tables):
    rows = pd.DataFrame(tables["learning_rates"]).set_index("learning_rate")
    assert list(rows.index) == [0, 1e-3, 1]
    assert rows.loc[1.0, "saturated"] > 0.5
    # By how much hangs on the last digits, and so on the kind of CPU: 1.1 to over 3.
    assert rows.loc[1.0, "log10_ratio"] < rows.loc[0.0, "log10_ratio"] - 0.5
    assert abs(rows.loc[1e-3, "log10_ratio"] - rows.loc[0.0, "log10_ratio"]) < 1


@pytest.mark.parametrize(("options", "message"), [
    ({"rates": (0.1, 0.0)}, "a learning rate is 0"),
    ({"seeds": 0}, "seeds"),
    ({"length": 3}, "length"),
])  # fmt: skip
def test_wrong_sizes_are_one_line(options, message):
    with pytest.raises(InputError, match=message) as error:
        Sizes(**options)
    assert "\n" not in str(error.value)


def test_on_jax_the_study_is_left_out_with_a_line(tmp_path, monkeypatch, capsys):
    """Would catch a run that dies after its training, for want of a tape."""
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    assert gradient_facts.write(tmp_path, SMALL) == {}
    assert capsys.readouterr().err.startswith("left out: ")
    assert list(tmp_path.iterdir()) == []
