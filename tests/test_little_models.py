"""Small networks on little text: losses by hand, chunks, and what is scored."""

import numpy as np
import pytest

from rnn_tf.data.text.corpus import Part
from rnn_tf.studies import little_models, restarts
from rnn_tf.studies.little_models import CHUNK, LOSSES, Setting

P = np.array([0.5, 0.25, 0.25])
LOGITS = np.log(P)[None, None].astype("float32")


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("cross_entropy", np.log(4)),
        ("squared", (0.5**2 + 0.75**2 + 0.25**2) / 3),
        ("absolute", (0.5 + 0.75 + 0.25) / 3),
        ("hinge", 1 + np.log(0.5) - np.log(0.25)),
    ],
)
def test_the_losses_by_hand(loss, expected):
    """Would catch a loss of logits that are taken for probabilities."""
    value = np.asarray(LOSSES[loss](np.array([[1]], "int32"), LOGITS))
    assert value == pytest.approx(np.array([[expected]]), rel=1e-5)


def part(*tokens: int) -> Part:
    return Part(np.array(tokens, "uint16"), None)


def test_chunks_go_on_where_the_last_one_ended_and_rare_tokens_are_unknown():
    """Would catch a token that is no target of any chunk, and another vocabulary."""
    rare = little_models.VOCABULARY + 5
    parts = {"train": part(*range(1, 3 * CHUNK), rare, 7)}
    parts |= {name: part(*[1] * 90) for name in ("validation", "test")}
    chunks = little_models.cut(parts, 1_000)
    assert chunks.train.shape == (3, CHUNK + 1)
    assert (chunks.train[1:, 0] == chunks.train[:-1, -1]).all()
    assert chunks.train.ravel()[-2:].tolist() == [0, 7]
    assert chunks.vocabulary == little_models.VOCABULARY
    assert {x.shape for x in chunks.scored.values()} == {(2, CHUNK + 1)}


def test_each_setting_is_one_change_to_the_first_or_to_the_large_network():
    """Would catch a remedy that is compared with a network of another size."""
    large = little_models.SETTINGS["units_128"]
    for name, changes in little_models.SETTINGS.items():
        known = large if name.startswith("units_128_") else {}
        assert len(set(changes.items()) - set(known.items())) <= 1
    assert Setting(width=0).inputs == "one_hot"
    assert Setting(width=8).inputs == "embedding_8"


@pytest.fixture
def quick(monkeypatch):
    """Not compiled by XLA, which takes longer than all of the rest."""
    monkeypatch.setattr(restarts, "COMPILED", False)


def test_a_setting_is_scored_at_its_best_epoch_and_its_last(quick):
    """Of a text that counts up: learnt at once. Would catch scores of other chunks."""
    text = np.tile(np.arange(1, 9), 150)
    chunks = little_models.cut(
        {name: part(*text) for name in ("train", "validation", "test")}, 9
    )
    best, last = little_models.rows(chunks, seeds=1, settings=("first",), epochs=3)
    assert (best["when"], last["when"], last["epoch"]) == ("best", "last", 3)
    assert list(best) == little_models.COLUMNS
    assert best["validation_bits"] <= last["validation_bits"]
    assert last["bits"] == last["train_bits"] < 3
    assert 0 <= last["wrong"] < 0.9
