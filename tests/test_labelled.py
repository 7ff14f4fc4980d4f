"""What config.json and the terminal are told of examples of several classes."""

import dataclasses
import json

from rnn_tf.data.drawings import doodles


def test_facts_count_what_is_there_and_can_be_written():
    """Would catch a note that never reaches the terminal, counts that are not those of
    the parts, NumPy numbers that JSON refuses, and facts of a source that change."""
    labelled = doodles.labelled(1_300)
    facts = labelled.facts | {"notes": ["one note", "two"]}
    labelled = dataclasses.replace(labelled, facts=facts)
    before = json.dumps(facts)
    described = labelled.describe("drawings", padding={"scale": 2.5})
    assert json.loads(json.dumps(described)) == described
    assert described["classes"] == list(doodles.CLASSES)
    assert described["padding"] == {"scale": 2.5}
    counts = {name: len(part.labels) for name, part in labelled.parts.items()}
    assert described["drawings"] == counts
    assert described["says"] == (
        "doodles, 12 classes, 1,040 train, 130 validation, 130 test; one note; two"
    )
    assert json.dumps(facts) == before
