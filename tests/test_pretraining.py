"""Training on moving digits, before the first video."""

import keras
import numpy as np
import pytest

from rnn_tf.data.video import moving_digits
from rnn_tf.models import pretraining
from rnn_tf.models.optimizer import clipped_adam


@pytest.mark.parametrize("channels", [1, 3])
def test_a_network_of_any_colour_sees_the_digits_of_the_training_part(
    channels, monkeypatch
):
    """Would catch colours that are mixed, and a rate that falls too early or late."""
    seen, planned, optimizer = [], [], clipped_adam
    monkeypatch.setattr(
        pretraining,
        "clipped_adam",
        lambda *plan: planned.append(plan) or optimizer(*plan),
    )

    class Network(keras.Sequential):
        def fit(self, dataset, epochs, **options):
            seen.extend([list(dataset), epochs])

    model = Network([keras.Input((4, 16, 16, channels)), keras.layers.Flatten()])
    pretraining.train_on_digits(model, 200, epochs=3, batch=16)
    batches, epochs = seen
    assert (len(batches), epochs) == (10, 3)
    assert planned == [(1e-3, 30)]
    part = moving_digits.digits(200, 4, 16)["train"]
    known = {part.clips(np.array([i])).tobytes(): part.labels[i] for i in range(160)}
    for clips, labels in batches:
        assert clips.shape == (16, 4, 16, 16, channels)
        for clip, label in zip(clips.numpy(), labels.numpy(), strict=True):
            for channel in np.moveaxis(clip, -1, 0):
                assert known[channel.tobytes()] == label
