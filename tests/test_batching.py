"""Rows of several lengths as batches: what is padded, counted, and computed."""

import numpy as np
import pytest

from rnn_tf.studies import batching
from rnn_tf.studies.batching import ALL, BUCKETED, ONE, OWN, PACKED

ENDS = np.array([2, 9, 3, 8, 1, 4])


@pytest.mark.parametrize(("way", "shapes", "computed"), [
    (ONE, [(1, 2), (1, 9), (1, 3), (1, 8), (1, 1), (1, 4)], 27),
    (ALL, [(2, 9)] * 3, 54),
    (OWN, [(2, 9), (2, 8), (2, 4)], 42),
    (BUCKETED, [(2, 2), (2, 4), (2, 9)], 30),
    (PACKED, [(2, 9), (2, 8), (2, 4)], 27),
])  # fmt: skip
def test_batches_by_hand(way, shapes, computed):
    """Would catch waste that is counted for rows that others have."""
    parts = batching.batches(way, ENDS, size=2)
    assert [mask.shape for _, mask, _ in parts] == shapes
    assert sum(int(mask.sum()) for _, mask, _ in parts) == ENDS.sum()
    assert batching.computed(way, parts) == computed


def test_packed_computes_what_a_mask_does():
    """Would catch a loop that is quick because it computes something else."""
    plain, packed = batching.network(False), batching.network(True)
    packed.set_weights(plain.get_weights())
    ((values, mask, targets),) = batching.batches(PACKED, ENDS, size=6)
    outputs = [model.predict_on_batch([values, mask]) for model in (plain, packed)]
    assert outputs[0] == pytest.approx(outputs[1], abs=1e-5)
    losses = [
        [model.train_on_batch([values, mask], targets) for _ in range(3)]
        for model in (plain, packed)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    assert losses[0][2] < losses[0][0]


def test_lengths_are_those_of_sentences_and_drawings():
    for name, middle in (("sentences", 11), ("drawings", 48)):
        drawn = batching.lengths(name, 4_000)
        known = batching.QUANTILES[name]
        assert np.median(drawn) == pytest.approx(middle, abs=2)
        assert known[0] <= drawn.min() and drawn.max() <= known[-1]
        assert list(known) == sorted(known) and len(known) == 21
