"""Make short stories whose last word is a name, any number of words further back.

    Jane walked into the room . John walked in too . <filler> Jane said hi to John

The story is that of Stanford's CS224n (Manning, "RNNs and language models"). Filler is
cut from sentences like "the old sailor waited behind the red gate .": the last two
words, adjective and noun, are a pair that no filler of another part has.
"""

from dataclasses import dataclass

import numpy as np

from rnn_tf.data import examples
from rnn_tf.data.splits import SPLITS

NAMES = "jane john mary peter anna david laura simon emma oscar".split()
FRAME = "walked into the room . in too said hi to".split()
ADJECTIVES = (
    "old young tall quiet clever tired happy angry small famous "
    "red broken heavy golden dusty empty narrow frozen wooden hidden"
).split()
NOUNS = (
    "sailor teacher doctor farmer baker painter singer hunter lawyer gardener "
    "gate table bridge tower garden river window lantern carpet stairway "
    "kitchen harbour mountain market chapel library cottage station orchard cellar"
).split()
VERBS = (
    "waited slept laughed sang worked smiled vanished stumbled rested whistled "
    "danced shouted paused knelt wept hid read ate played wandered "
    "yawned sneezed argued coughed"
).split()
PLACES = "behind near under above beside past against beyond inside outside".split()
WORDS = tuple(dict.fromkeys([*NAMES, *FRAME, *ADJECTIVES, *NOUNS, *VERBS, *PLACES]))

SENTENCE = 9  # words of a sentence of filler
# (adjective + noun) mod 10 of a sentence's last two words, by part.
SUMS = {"train": range(8), "validation": range(8, 9), "test": range(9, 10)}
# What stands around the filler, without the names.
ENTERS, FOLLOWS, GREETS = "walked into the room .", "walked in too .", "said hi to"
SHORTEST = 15  # words of a story without filler
NEAREST = 8  # from the name that is asked for to the end of such a story


def number(word: str) -> int:
    """Return the number of a word, its place in `WORDS`."""
    return WORDS.index(word)


def numbers(text: str) -> np.ndarray:
    """Return the numbers of words that are separated by spaces: (words,)."""
    return np.array([number(word) for word in text.split()], int)


def text(story: np.ndarray) -> str:
    """Write a story, (words,), as a line."""
    return " ".join(WORDS[word] for word in story)


@dataclass(frozen=True)
class Stories:
    """The people and the filler of one part; any distance can be told of them."""

    people: np.ndarray  # (stories, 2): numbers of two names, the second is the answer
    filler: np.ndarray  # (stories, words): whole sentences

    @property
    def labels(self) -> np.ndarray:
        """The place in `NAMES` of the name that each story ends on: (stories,)."""
        return self.people[:, 1].astype("int32")

    def words(self, longest: int, distance=None) -> np.ndarray:
        """Tell each story, and as much filler before it as makes all equally long.

        Args:
            longest: words of filler of each text.
            distance: (stories,), how many of them stand within the story; by default
                all. The name that is asked for is so many words and `NEAREST` from the
                end.

        Returns:
            (stories, SHORTEST + longest) int32. Filler is what comes last in its
            sentences, so the first one may be cut.
        """
        first, second = np.split(self.people, 2, axis=1)
        enters, follows, greets = (
            np.tile(numbers(words), (len(first), 1))
            for words in (ENTERS, FOLLOWS, GREETS)
        )
        story = np.concatenate([first, enters, second, follows], axis=1)
        filler = self.filler[:, self.filler.shape[1] - longest :]
        within = np.full(len(first), longest) if distance is None else distance
        before, step = (longest - within)[:, None], np.arange(longest + story.shape[1])
        after = before + story.shape[1]  # where the filler within begins
        place = np.where(step < before, step, step - story.shape[1])
        place = np.where(
            (step >= before) & (step < after), longest + step - before, place
        )
        told = np.take_along_axis(
            np.concatenate([filler, story], axis=1), place, axis=1
        )
        return np.concatenate([told, first, greets], axis=1).astype("int32")


def stories(count: int, longest: int, seed: int = 1) -> dict[str, Stories]:
    """Make stories in three parts, 80, 10 and 10 %.

    Args:
        count: stories of all parts together.
        longest: words of filler that the stories can be told with, at most.
        seed: same seed, same people and answers, whatever `longest` is.
    """
    shares = examples.parts(np.arange(count))
    parts = {}
    for key, split in enumerate(SPLITS):
        n = len(shares[split])
        random = np.random.default_rng((seed, key))
        first, gap = random.integers([0, 1], len(NAMES), (n, 2)).T
        people = np.stack([first, (first + gap) % len(NAMES)], axis=1)
        parts[split] = Stories(people, _filler(random, n, longest, SUMS[split]))
    return parts


def _filler(random, count: int, words: int, sums: range) -> np.ndarray:
    """Draw sentences, at least `words` words of them: (count, words) numbers.

    the <adjective> <noun> <verb> <place> the <adjective> <noun> . whose last adjective
    and noun have places in their lists that add up, mod 10, to one of `sums`.
    """
    shape = count, -(-words // SENTENCE)
    lists = [ADJECTIVES, NOUNS, VERBS, PLACES, ADJECTIVES]
    drawn = [random.integers(0, len(each), shape) for each in lists]
    tens = random.integers(0, len(NOUNS) // 10, shape)
    sums = random.choice(list(sums), shape)
    drawn.append((sums - drawn[-1]) % 10 + 10 * tens)
    adjective, noun, verb, place, other, end = (
        np.array([number(word) for word in each])[chosen]
        for each, chosen in zip([*lists, NOUNS], drawn, strict=True)
    )
    the, stop = (np.full(shape, number(word)) for word in ("the", "."))
    sentence = [the, adjective, noun, verb, place, the, other, end, stop]
    return np.stack(sentence, axis=-1).reshape(count, -1)
