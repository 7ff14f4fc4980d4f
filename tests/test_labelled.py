"""What config.json records of examples of several classes."""

from types import SimpleNamespace

from rnn_tf.data.labelled import Labelled


def test_what_is_said_of_examples_by_hand():
    """Would catch a note that never reaches the terminal, or counts that slip."""
    counts = {"train": 1_200, "validation": 3, "test": 4}
    parts = {k: SimpleNamespace(labels=[0] * n) for k, n in counts.items()}
    facts = {"source": "mine", "sha256": "0", "notes": ["one", "two"]}
    found = Labelled(("a", "b"), parts, facts).described("clips", side=24)
    assert found == {
        "source": "mine", "sha256": "0", "notes": ["one", "two"],
        "classes": ["a", "b"], "clips": counts, "side": 24,
        "says": "mine, 2 classes, 1,200 train, 3 validation, 4 test; one; two",
    }  # fmt: skip
    assert "clips" not in facts
