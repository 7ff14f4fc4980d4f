"""Scenes of digits: what stands where, what is said of it, and what is held out."""

import itertools

import numpy as np
import pytest

from rnn_tf.data.drawings import scenes
from rnn_tf.data.drawings.scenes import ABOVE, HELD_OUT, LEFT


@pytest.fixture(scope="module")
def parts():
    return scenes.scenes(300, 90, seed=1)


def pairs(caption: str) -> list[tuple]:
    """Read the pairs of a caption: digit, relation, digit."""
    words = caption.replace("left of", "left").split()
    digits = [scenes.NAMES.index(word) for word in words[1::3]]
    relations = [LEFT if word == "left" else word for word in words[2::3]]
    return list(zip(digits, relations, digits[1:], strict=False))


def test_no_handwriting_is_in_two_parts(parts):
    """Would catch a split by scene, which shows the test's digits in training."""
    numbers = {name: set(own.shown.ravel()) - {-1} for name, own in parts.items()}
    names = [name for name in numbers if name != HELD_OUT]
    for first, second in itertools.combinations(names, 2):
        assert not numbers[first] & numbers[second]
    assert not numbers[HELD_OUT] & (numbers["train"] | numbers["validation"])


def test_what_is_held_out_is_in_no_other_part(parts):
    for name, own in parts.items():
        new = [
            any(itertools.starmap(scenes.is_held_out, pairs(c))) for c in own.captions
        ]
        assert set(new) == {name == HELD_OUT}


def test_every_digit_is_in_known_pairs_on_either_side():
    """Would catch a digit that no training scene has on the left."""
    for relation in (ABOVE, LEFT):
        known = [
            (first, second)
            for first, second in itertools.product(range(10), repeat=2)
            if not scenes.is_held_out(first, relation, second)
        ]
        assert len(known) == 80
        assert [{pair[side] for pair in known} for side in (0, 1)] == [
            set(range(10))
        ] * 2


def test_a_caption_says_an_eight_and_reads_on():
    assert scenes.caption((8,), ()) == "an eight"
    long = scenes.caption((3, 8, 1), (ABOVE, LEFT))
    assert long == "a three above an eight left of a one"
    assert scenes.TOKENS.decode(scenes.TOKENS.encode(long)) == long


def test_digits_stand_where_the_caption_says(parts):
    """Would catch rows taken for columns: the ink of the first digit is on its side."""
    train = parts["train"]
    assert set(train.digits) == {1, 2, 3}
    for picture, caption in zip(train.pictures[..., 0], train.captions, strict=True):
        words = caption.split()
        if len(words) == 2:
            assert picture[scenes.SIDE // 2 - 4 : scenes.SIDE // 2 + 4].sum() > 5
            assert picture[:5].sum() == picture[:, -5:].sum() == 0
        elif words[2] == "above":
            assert picture[:10].sum() > 5 < picture[10:].sum()
            if len(words) == 5:
                assert not picture[:, :5].any()
        else:
            assert picture[:, :10].sum() > 5 < picture[:, 10:].sum()
            if len(words) == 6:
                assert not picture[:5].any()


def test_a_seed_makes_the_same_scenes(parts):
    again, other = (scenes.scenes(300, 90, seed) for seed in (1, 2))
    assert (again["test"].pictures == parts["test"].pictures).all()
    assert again["test"].captions != other["test"].captions
    assert np.isin(parts["test"].pictures.max(), [1.0])
