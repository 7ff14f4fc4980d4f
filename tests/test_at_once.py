"""Twenty tokens at once: which are asked for after which, and prompts of any length."""

import numpy as np
import pytest

from rnn_tf.data.text.corpus import Part
from rnn_tf.studies import at_once
from rnn_tf.studies.at_once import AHEAD, CHUNK, LAST


class Recorder:
    """Stands for a network, and keeps what it would train on."""

    def __init__(self, output_shape):
        self.output_shape = output_shape

    def fit(self, x, y, **_):
        self.x, self.y = x, y


TEXT = np.arange(1_000).astype("int32")  # each token is its place


def test_all_at_once_is_asked_for_the_tokens_after_each_of_the_last_ones():
    """Would catch targets that begin with the token that was read."""
    recorder = Recorder((None, LAST, AHEAD, 9))
    at_once._train(recorder, TEXT, np.random.default_rng(1), updates=2)
    assert recorder.x.shape == (2 * at_once.BATCH, CHUNK)
    assert recorder.y.shape == (2 * at_once.BATCH, LAST, AHEAD)
    read = recorder.x[:, -LAST:]
    assert (recorder.y == read[..., None] + np.arange(1, AHEAD + 1)).all()


def test_one_by_one_reads_the_same_chunks():
    """Would catch a network that sees less of the text than its rival."""
    recorder = Recorder((None, None, 9))
    at_once._train(recorder, TEXT, np.random.default_rng(1), updates=2)
    assert (recorder.y == recorder.x + 1).all()
    both = Recorder((None, LAST, AHEAD, 9))
    at_once._train(both, TEXT, np.random.default_rng(1), updates=2)
    assert (both.x == recorder.x[:, :CHUNK]).all()


@pytest.mark.parametrize("ahead", [1, AHEAD])
def test_a_writer_takes_prompts_of_any_length(ahead):
    write = at_once._writer(at_once.network(9, ahead))
    part = Part(np.random.default_rng(1).integers(0, 9, 300), None)
    for length in (1, 30):
        prompts = at_once._prompts(part, length, 9)
        texts = write(prompts, np.random.default_rng(1))
        assert texts.shape == (at_once.TEXTS, AHEAD)
        assert texts.min() >= 0 and texts.max() < 9


def test_prompts_end_at_the_same_places_whatever_their_length():
    part = Part(np.random.default_rng(1).integers(0, 9, 300), None)
    short, long = (at_once._prompts(part, length, 9) for length in (2, 50))
    assert (long[:, -2:] == short).all()
