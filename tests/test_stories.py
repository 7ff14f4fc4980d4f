"""Stories that end on a name: what they tell, and what no two parts share."""

import numpy as np
import pytest

from rnn_tf.data.text import stories
from rnn_tf.data.text.stories import NAMES, NEAREST, SHORTEST, WORDS


@pytest.fixture(scope="module")
def parts():
    return stories.stories(2_000, 200)


def test_a_story_by_hand():
    """Jane is number 0 and John 1; without filler it is the course's story."""
    made = stories.Stories(np.array([[0, 1]]), np.zeros((1, 0), int))
    words = stories.text(made.words(0)[0])
    assert words == "jane walked into the room . john walked in too . jane said hi to"
    assert NAMES[made.labels[0]] == "john"
    assert len(words.split()) == SHORTEST


def test_filler_stands_within_a_story_or_before_it():
    """Would catch words that get lost where the story begins in the middle."""
    filler = [[stories.number(word) for word in "red gate . tall river".split()]]
    made = stories.Stories(np.array([[0, 1], [0, 1]]), np.repeat(filler, 2, axis=0))
    first, second = map(stories.text, made.words(4, np.array([1, 4])))
    story = "jane walked into the room . john walked in too ."
    assert first == f"gate . tall {story} river jane said hi to"
    assert second == f"{story} gate . tall river jane said hi to"


@pytest.mark.parametrize("distance", [0, 5, 30, 200])
def test_the_name_is_as_far_from_the_end_as_it_says(parts, distance):
    test = parts["test"]
    place = -1 - NEAREST - distance
    assert test.words(distance).shape == (200, SHORTEST + distance)
    assert np.array_equal(test.words(distance)[:, place], test.people[:, 1])
    within = np.arange(200) % (distance + 1)
    words = test.words(distance, within)
    found = words[np.arange(200), -1 - NEAREST - within]
    assert np.array_equal(found, test.people[:, 1])
    assert words.shape == (200, SHORTEST + distance)


def pairs(part) -> set[tuple]:
    """Adjective and noun at the end of each sentence of filler."""
    sentences = part.filler.reshape(-1, stories.SENTENCE)
    return set(map(tuple, sentences[:, -3:-1]))


def test_no_part_has_the_filler_of_another(parts):
    """Not even the end of a sentence; would catch a test that was learnt by heart."""
    train, validation, test = (pairs(parts[split]) for split in stories.SPLITS)
    assert not train & test
    assert not train & validation
    assert not validation & test
    assert min(map(len, (train, validation, test))) > 30
    whole = [set(map(tuple, p.filler.reshape(-1, 9))) for p in parts.values()]
    assert len(set.union(*whole)) == sum(map(len, whole))


def test_every_part_has_every_word(parts):
    """Would catch a network that meets a word on test for the first time."""
    known = [set(part.words(200).ravel().tolist()) for part in parts.values()]
    assert known == [set(range(len(WORDS)))] * 3
    assert len(WORDS) > 100
    assert len(set(WORDS)) == len(WORDS)


def test_nobody_greets_themselves_and_names_are_equally_frequent(parts):
    people = parts["train"].people
    assert (people[:, 0] != people[:, 1]).all()
    counts = np.bincount(people[:, 1], minlength=len(NAMES))
    assert counts.min() > 0.7 * counts.mean()


def test_the_same_seed_gives_the_same_stories_over_any_distance():
    """Names and answers too, so that distances are compared on the same ones."""
    one, again, other = (stories.stories(100, 20, seed) for seed in (1, 1, 2))
    longer = stories.stories(100, 90)
    assert np.array_equal(one["test"].words(20), again["test"].words(20))
    assert not np.array_equal(one["test"].people, other["test"].people)
    for split in stories.SPLITS:
        assert np.array_equal(one[split].people, longer[split].people)
