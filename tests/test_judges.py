"""Classifiers that judge drawings: each drawing gets its own name, in its own unit."""

import numpy as np
import pytest

from rnn_tf.data.drawings.batches import Padding
from rnn_tf.studies import judges

NAMES = "left", "right"


@pytest.mark.parametrize("together", [2, 256])
def test_each_drawing_gets_the_name_of_its_likeliest_class(monkeypatch, together):
    """Would catch names in another order than the drawings, where several batches are
    judged, and steps that are not in the unit of the classifier."""
    monkeypatch.setattr(judges, "TOGETHER", together)
    steps = []

    def predict(x):
        steps.append(np.abs(x[..., 0]).max())
        goes_right = x[:, 0, 0] > 0
        return np.stack([~goes_right, goes_right], axis=1)

    drawings = [np.array([[way * 50, 0, 1]], "int16") for way in (1, -1, -1, 1, -1)]
    name = judges.judge(predict, Padding((8,), 25.0), NAMES)
    assert name(drawings).tolist() == ["right", "left", "left", "right", "left"]
    assert set(steps) == {2.0}
