"""Make text of a small artificial language, whose entropy is known.

    the SUBJECT (PREPOSITION the NOUN)* VERB the OBJECT .

Nouns have classes, as in Bantu languages: the verb begins with the prefix of its
subject's class, however many other nouns, of any class, stand between. An n-gram model
that sees no further back than these cannot know it; a recurrent network can.
"""

import itertools
from dataclasses import dataclass

import numpy as np

CLASSES = ("ba", "ki", "mu", "li", "vi", "zu", "ma", "tu")
STEMS = ("ntu", "tabu", "simba", "kolo", "lemo", "rafi", "pesa", "wana", "goti", "doma")
VERBS = ("peleka", "soma", "andika", "imba", "tafuta", "jenga")
PREPOSITIONS = ("near", "under", "behind", "with")
MORE = 0.6  # the chance of one more preposition, at each step


def verb_class(word: str) -> int:
    """Return the class with which a verb agrees, its place in `CLASSES`; else -1."""
    verbs = {name + stem: k for k, name in enumerate(CLASSES) for stem in VERBS}
    return verbs.get(word.strip(), -1)


def noun_class(word: str) -> str:
    """Return the prefix of a noun's class, one of `CLASSES`; "" of other words."""
    nouns = {name + stem: name for name in CLASSES for stem in STEMS}
    return nouns.get(word.strip(), "")


def kind(word: str) -> str:
    """Return the part of speech of a word: noun, verb or preposition; else ""."""
    if noun_class(word):
        return "noun"
    if word.strip() in PREPOSITIONS:
        return "preposition"
    return "verb" if verb_class(word) >= 0 else ""


@dataclass(frozen=True)
class Language:
    """Sizes that tell how much there is to learn; all choices are equally likely."""

    classes: int = 8
    stems: int = 10
    verbs: int = 6

    @property
    def nouns(self) -> list[str]:
        """All nouns, those of the first class first."""
        pairs = itertools.product(CLASSES[: self.classes], STEMS[: self.stems])
        return [prefix + stem for prefix, stem in pairs]

    @property
    def bits(self) -> float:
        """The entropy of a sentence, in bits: no model can do better on average."""
        noun, more = np.log2(self.classes * self.stems), MORE / (1 - MORE)
        stop = -(MORE * np.log2(MORE) + (1 - MORE) * np.log2(1 - MORE)) / (1 - MORE)
        between = more * (np.log2(len(PREPOSITIONS)) + noun)
        return float(noun + stop + between + np.log2(self.verbs) + noun)

    def sentences(self, count: int, seed: int = 1) -> list[str]:
        """Make sentences, each with a space between words and a full stop.

        Args:
            count: of sentences.
            seed: same seed, same sentences.
        """
        random = np.random.default_rng(seed)
        nouns = self.nouns
        between = random.geometric(1 - MORE, count) - 1
        subjects, objects = random.integers(len(nouns), size=(2, count))
        verbs = random.integers(self.verbs, size=count)
        steps = random.integers(len(PREPOSITIONS), size=between.sum())
        others = random.integers(len(nouns), size=between.sum())
        phrases = iter(
            f" {PREPOSITIONS[step]} the {nouns[other]}"
            for step, other in zip(steps.tolist(), others.tolist(), strict=True)
        )
        return [
            f"the {nouns[subject]}{''.join(itertools.islice(phrases, more))} "
            f"{CLASSES[subject // self.stems]}{VERBS[verb]} the {nouns[thing]} ."
            for subject, more, verb, thing in zip(
                *(a.tolist() for a in (subjects, between, verbs, objects)), strict=True
            )
        ]

    def text(self, sentences: int, seed: int = 1) -> str:
        """Make text, a sentence a line."""
        return "".join(f"{line}\n" for line in self.sentences(sentences, seed))
