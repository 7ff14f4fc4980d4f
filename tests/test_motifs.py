"""Small tasks on sequences: what the targets are, counted by hand."""

import numpy as np
import pytest

from rnn_tf.data.drawings import tiny_digits
from rnn_tf.data.series import motifs


@pytest.fixture
def random():
    return np.random.default_rng(1)


def as_text(bases: np.ndarray) -> str:
    return "".join(motifs.BASES[base] for base in bases)


def test_a_motif_is_marked_wherever_it_stands():
    """Would catch marks of the first base alone, and of overlaps that are lost."""
    text = "ATATAATATAAC"
    bases = np.array([[motifs.BASES.index(base) for base in text]], "int32")
    motif = np.array([motifs.BASES.index(base) for base in motifs.MOTIF])
    assert motifs.mark(bases, motif).tolist() == [[0, *[1] * 10, 0]]
    assert motifs.mark(bases[:, :5], motif).sum() == 0  # ATATA


def test_planted_motifs_are_those_of_the_text(random):
    """Would catch a label of what was planted, where chance has made one more."""
    bases, marked = motifs.planted_motifs(400, random)
    has = [motifs.MOTIF in as_text(row) for row in bases]
    assert marked.any(axis=1).tolist() == has
    assert 0.45 < np.mean(has) < 0.6
    assert (marked.sum(axis=1)[has] >= len(motifs.MOTIF)).all()


def test_a_word_is_a_name_before_a_verb_alone(random):
    """Would catch a tag that the word itself, or the one before, gives away."""
    words, names = motifs.names_before_verbs(400, random)
    verbs = (words >= 5) & (words < 15)
    for row, tags, after in zip(words, names, verbs, strict=True):
        expected = [int(w < 5 and v) for w, v in zip(row, after[1:], strict=False)]
        assert tags.tolist() == [*expected, 0]
    share = names[:, :-1][words[:, :-1] < 5].mean()
    assert 0.45 < share < 0.55, "a word that may be a name is one half of the time"


def test_one_a_and_one_b_stand_in_either_order(random):
    tokens, first = motifs.a_before_b(400, random)
    assert ((tokens == 0).sum(axis=1) == 1).all()
    assert ((tokens == 1).sum(axis=1) == 1).all()
    places = (tokens == 0).argmax(axis=1), (tokens == 1).argmax(axis=1)
    assert ((places[0] < places[1]) == first).all()
    assert 0.4 < first.mean() < 0.6


def test_parity_is_odd_after_an_odd_number_of_ones(random):
    bits, odd = motifs.parity(400, random)
    assert bits.shape == (400, 4, 1)
    assert (((bits[..., 0] > 0).sum(axis=1) % 2) == odd).all()
    assert len(np.unique(bits > 0, axis=0)) == 16


def test_counting_gives_the_share_of_ones(random):
    bits, share = motifs.counting(400, random)
    assert np.allclose(bits.sum(axis=(1, 2)) / motifs.COUNT_STEPS, share)
    assert share.std() > 0.25, "every share is as likely, not one half alone"


def test_a_majority_is_of_the_steps_before_the_padding(random):
    """Would catch padding that counts, and sequences of one length alone."""
    signs, more = motifs.majority(400, (5, 9), 11, random)
    lengths = (signs[..., 0] != 0).sum(axis=1)
    assert set(lengths) == {5, 9}
    assert all(abs(row[n:]).max() == 0 for row, n in zip(signs, lengths, strict=True))
    assert (((signs[..., 0] > 0).sum(axis=1) > lengths / 2) == more).all()


def test_each_example_is_shuffled_by_itself_and_loses_nothing(random):
    """Would catch one order for all, which a network could learn."""
    x = np.tile(np.arange(12).reshape(1, 6, 2), (50, 1, 1))
    mixed = motifs.shuffled(x, random)
    assert (np.sort(mixed[..., 0], axis=1) == x[..., 0]).all()
    assert (mixed[..., 1] == mixed[..., 0] + 1).all(), "features stay together"
    assert len(np.unique(mixed[..., 0], axis=0)) > 20


def test_digits_are_columns_from_left_to_right():
    """Would catch rows, which the tags by ink would then be of."""
    columns, classes = tiny_digits.columns_and_classes(1)
    assert columns.shape == (1797, 8, 8)
    assert (columns.min(), columns.max()) == (0, 1)
    ones = columns[classes == 1].mean(axis=0)
    assert ones[:2].sum() < ones[3:5].sum() / 2, "a 1 has its ink in the middle"
    assert (tiny_digits.columns_and_classes(1)[1] == classes).all()
    assert (tiny_digits.columns_and_classes(2)[1] != classes).any()


def test_a_column_is_tagged_once_half_of_the_ink_is_seen():
    ink = np.array([1.0, 1, 0, 2, 0, 0, 1, 1])
    columns = np.repeat(ink[None, :, None], 8, axis=2) / 8
    assert tiny_digits.ink_tags(columns).tolist() == [[0, 0, 0, 1, 1, 1, 1, 1]]
