"""Words of tones: what is heard where, and what each network is asked for."""

import numpy as np
import pytest

from rnn_tf.data.series import tones
from rnn_tf.studies import tones as study

HZ = tones.RATE / tones.FRAME  # between two bands


def pitches(frames: np.ndarray) -> np.ndarray:
    """Estimate the pitch of each frame by its loudest band, in Hz."""
    return (frames.argmax(axis=-1) + tones.BANDS.start) * HZ


@pytest.fixture(scope="module")
def recordings():
    return tones.record(400, most=4, seed=1)


def test_a_word_glides_from_its_first_pitch_to_its_second(recordings):
    """Would catch words that are told by their pitches in any order, and a phase that
    gives another pitch than it says."""
    one = tones.record(300, most=1, seed=3)
    for word in range(tones.WORDS):
        own = one.frames[one.words[:, 0] == word]
        last = pitches(own[:, -1])
        low, high = tones.PITCHES[word // 3], tones.PITCHES[word % 3]
        # A frame is 32 ms, an eighth of the shortest word and more: a glide within it.
        assert np.median(last) == pytest.approx(high, rel=0.25)
        first = pitches(own[:, -tones.DURATIONS[0]])
        between = sorted([low, high])
        assert between[0] * 0.8 <= np.median(first) <= between[1] * 1.2


def test_silence_comes_first_and_a_word_last(recordings):
    loudest = recordings.frames.max(axis=-1)
    longest = recordings.counts * (tones.DURATIONS[1] + tones.GAPS[1])
    for row, frames in zip(loudest, longest, strict=True):
        assert row[-1] > 1
        assert row[: tones.FRAMES - frames].max(initial=-9) < 1.5


def test_words_stand_before_the_blanks(recordings):
    assert set(recordings.counts) == {1, 2, 3, 4}
    blank = recordings.words < 0
    assert (np.sort(blank, axis=1) == blank).all()
    again = tones.record(400, most=4, seed=1)
    assert (again.frames == recordings.frames).all()


@pytest.fixture
def taught(monkeypatch):
    """Have networks give their targets back, changed by a function: what they hear."""

    def teach(learn, most, change=lambda y: y):
        def trained(build, x, y, test, seeds, epochs):
            yield np.eye(y.max() + 1)[change(y)]

        monkeypatch.setattr(study, "_trained", trained)
        train = tones.record(30, most, seed=1)
        (heard,) = learn(train, train, 1, 1)
        return heard, train.words

    return teach


@pytest.mark.parametrize("learn", [study.classify, study.transcribe])
def test_who_learns_all_hears_what_was_said(taught, learn):
    """Would catch a label that is read back as other words, and a missing stop."""
    heard, said = taught(learn, 4)
    assert (heard == said).all()


def test_nothing_is_heard_after_the_stop(taught):
    def goes_on(y):
        return np.where(y == study.STOP, np.arange(5) % 2 * study.STOP, y)

    heard, said = taught(study.transcribe, 4, goes_on)
    ended = np.cumsum(heard < 0, axis=1) > 0
    assert (heard[ended] == -1).all()
    assert (heard != said).any()


@pytest.mark.slow
def test_every_task_model_and_seed_has_its_rows(monkeypatch):
    monkeypatch.setattr(study, "TEST", 40)
    monkeypatch.setattr(study.restarts, "COMPILED", False)
    rows = list(study.rows(2, training=64, epochs=1))
    whole = [row for row in rows if row["words"] == ""]
    assert len(whole) == 2 * 2 * 2
    assert [list(row) for row in rows] == [study.COLUMNS] * len(rows)
    parts = [row for row in rows if row["words"] != ""]
    assert {row["task"] for row in parts} == {"several"}
    assert sum(row["n"] for row in parts) == 40 * 2 * 2
