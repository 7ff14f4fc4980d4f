"""Language models that count: n-grams, interpolated by Kneser and Ney's method.

Tokens are numbers, characters or words. An n-gram's number is its place among those
that were seen, sorted; its code is that of its first n - 1 tokens, times the size of
the vocabulary, plus its last token. So all n-grams of a text are counted, and looked
up, by sorting, whatever n and vocabulary.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from rnn_tf.data.text.corpus import Part

# The discount where no n-gram was seen once, as of characters in a long text: without
# any, what was never seen would be impossible.
UNSEEN = 0.5
COUNTED = 5_000_000  # tokens of a text that n-grams are counted in, the last ones


@dataclass(frozen=True)
class Counts:
    """The n-grams of one n in a text, sorted by code; the text begins with none."""

    codes: np.ndarray  # (n-grams,) int64
    seen: np.ndarray  # (n-grams,): how often
    # (n-grams,): after how many different tokens (Kneser and Ney's continuation count)
    follows: np.ndarray


@dataclass(frozen=True)
class Level:
    """What one n adds to the probability: (n-grams,), then (contexts,), of n - 1."""

    codes: np.ndarray
    discounted: np.ndarray  # counts less the discount
    totals: np.ndarray  # of the counts after each context
    left: np.ndarray  # what the discounts of each context sum up to


@dataclass(frozen=True)
class KneserNey:
    """An interpolated n-gram model (Kneser and Ney, 1995; Chen and Goodman, 1999).

    p(w | h) = max(c(h w) - d, 0) / c(h) + d t(h) / c(h) p(w | h without its first)

    c counts at the highest n; below, it counts different tokens before. t(h) is how
    many different tokens follow h, d the discount n1 / (n1 + 2 n2) of that n, by how
    many n-grams were seen once and twice. Below unigrams lies the uniform distribution.
    """

    vocabulary: int
    levels: tuple[Level, ...]  # unigrams first

    @property
    def order(self) -> int:
        """The n of its longest n-grams: it sees n - 1 tokens."""
        return len(self.levels)

    @property
    def parameters(self) -> int:
        """How many numbers it holds: one for each n-gram and two for each context."""
        return sum(len(x.codes) + 2 * len(x.totals) for x in self.levels)

    def probabilities(self, tokens: np.ndarray) -> np.ndarray:
        """Return the probability of each token after those before it: (tokens,)."""
        p = np.full(len(tokens), 1 / self.vocabulary)
        context = np.zeros(len(tokens), np.int64)  # of no token
        for level in self.levels:
            codes = _codes(context, tokens, self.vocabulary)
            place = _places(level.codes, codes)
            p = _interpolate(level, context, place, p)
            context = _later(place)
        return p

    def known(self, tokens: np.ndarray) -> np.ndarray:
        """Tell of each token whether the longest n-gram it ends was seen: (tokens,)."""
        context = np.zeros(len(tokens), np.int64)
        for level in self.levels:
            place = _places(level.codes, _codes(context, tokens, self.vocabulary))
            context = _later(place)
        return place >= 0

    def distribution(self, context: np.ndarray) -> np.ndarray:
        """Return the probability of each token after a context: (vocabulary,)."""
        every, p = np.arange(self.vocabulary), np.full(self.vocabulary, 1.0)
        p /= self.vocabulary
        for n, level in enumerate(self.levels):
            if n > len(context):
                break
            place = self._number(context[len(context) - n :])
            codes = _codes(np.full(self.vocabulary, place), every, self.vocabulary)
            at = np.full(self.vocabulary, place)
            p = _interpolate(level, at, _places(level.codes, codes), p)
        return p

    def _number(self, tokens: np.ndarray) -> int:
        """Return the number of an n-gram, -1 if it was not seen."""
        number = np.zeros(1, np.int64)
        for level, token in zip(self.levels, tokens, strict=False):
            code = _codes(number, np.array([token]), self.vocabulary)
            number = _places(level.codes, code)
        return int(number[0])


def count(tokens: np.ndarray, vocabulary: int, order: int) -> list[Counts]:
    """Count the n-grams of a text for n = 1 to `order`.

    Args:
        tokens: (tokens,) int64, from 0 to `vocabulary` - 1.
        vocabulary: how many different tokens there can be.
        order: the longest n-grams.
    """
    return list(_count(tokens, vocabulary, order))


def _count(tokens: np.ndarray, vocabulary: int, order: int) -> Iterator[Counts]:
    context, pending = np.zeros(len(tokens), np.int64), None
    for _ in range(order + 1):
        codes = _codes(context, tokens, vocabulary)
        whole = codes >= 0  # the first tokens of a text end no long n-gram
        unique, first, number, seen = np.unique(
            codes[whole], return_index=True, return_inverse=True, return_counts=True
        )
        ends = np.flatnonzero(whole)
        if pending:  # each different n-gram is one more token before its last n - 1
            shorter, numbers = pending
            follows = np.bincount(numbers[ends[first]], minlength=len(shorter[0]))
            yield Counts(*shorter, follows)
        place = np.full(len(tokens), -1)
        place[ends] = number
        pending, context = ((unique, seen), place), _later(place)


def fit(counts: list[Counts], vocabulary: int) -> KneserNey:
    """Make the model of the longest n-grams in `counts`."""
    levels, contexts = [], 1
    for n, of in enumerate(counts, 1):
        numbers = of.seen if n == len(counts) else of.follows
        levels.append(_level(of.codes, numbers, vocabulary, contexts))
        contexts = len(of.codes)
    return KneserNey(vocabulary, tuple(levels))


def _level(codes: np.ndarray, counts: np.ndarray, vocabulary: int, contexts: int):
    once, twice = (counts == 1).sum(), (counts == 2).sum()
    discount = once / (once + 2 * twice) if once else UNSEEN
    discounted, context = np.maximum(counts - discount, 0), codes // vocabulary
    totals = np.bincount(context, counts, minlength=contexts)
    left = totals - np.bincount(context, discounted, minlength=contexts)
    return Level(codes, discounted, totals, left)


@dataclass(frozen=True, eq=False)
class Models:
    """The n-gram models of a text; each is counted when it is asked for, and kept."""

    tokens: np.ndarray  # (tokens,); may lie on disk
    vocabulary: int  # how many different tokens there can be
    orders: int  # the longest n-grams

    @functools.cache  # noqa: B019 - a run has one text
    def counts(self, tokens: int = COUNTED) -> list[Counts]:
        """Count the n-grams of the last tokens, up to the longest."""
        return count(self.last(tokens), self.vocabulary, self.orders)

    @functools.cache  # noqa: B019
    def model(self, order: int, tokens: int = COUNTED) -> KneserNey:
        """Make the model of an order, at most the longest, from the last tokens."""
        return fit(self.counts(tokens)[: min(order, self.orders)], self.vocabulary)

    def last(self, tokens: int = COUNTED) -> np.ndarray:
        """Return the last tokens, (tokens,) int64."""
        return self.tokens[-tokens:].astype("int64")

    def predictors(
        self, parts: dict[str, Part], sizes: Iterable[int] = ()
    ) -> dict[str, Callable[[str], np.ndarray]]:
        """Give each baseline its predict(split): the probability of each token.

        Args:
            parts: of the text, by split.
            sizes: numbers of tokens to count anew, where the order that is best on
                validation predicts.
        """

        def ngram(order, split, count=COUNTED):
            tokens = parts[split].tokens.astype("int64")
            return self.model(order, count).probabilities(tokens)

        def ngrams_of(count, split):
            return ngram(self.best_order(parts["validation"], count), split, count)

        def uniform(split):
            return np.full(len(parts[split].tokens), 1 / self.vocabulary)

        orders = range(1, self.orders + 1)
        known = {f"ngram_{n}": functools.partial(ngram, n) for n in orders}
        known |= {f"ngrams_of_{n}": functools.partial(ngrams_of, n) for n in sizes}
        return {"uniform": uniform} | known

    @functools.cache  # noqa: B019
    def best_order(self, part: Part, tokens: int) -> int:
        """Choose the order that gives a part's tokens the highest probabilities."""
        text = part.tokens.astype("int64")
        orders = range(1, self.orders + 1)
        fits = [np.log(self.model(n, tokens).probabilities(text)) for n in orders]
        return 1 + int(np.argmax([fit.mean() for fit in fits]))


# ---------------------------------------------------------------- numbers


def _codes(context: np.ndarray, tokens: np.ndarray, vocabulary: int) -> np.ndarray:
    """Return the codes of n-grams by the numbers of their contexts, -1 for unseen."""
    return np.where(context < 0, -1, context * vocabulary + tokens)


def _places(codes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return where each code lies in sorted ones, -1 where it does not."""
    place = np.searchsorted(codes, wanted)
    place[place == len(codes)] = 0
    return np.where(codes[place] == wanted, place, -1)


def _later(places: np.ndarray) -> np.ndarray:
    """Return the n-gram that ends before each token, -1 before the first."""
    return np.concatenate([[-1], places[:-1]])


def _interpolate(level: Level, context, place, shorter: np.ndarray) -> np.ndarray:
    """Add what an n tells to the probabilities by shorter ones, where it knows h."""
    total = np.where(context < 0, 0, level.totals[context])
    counted = np.where(place < 0, 0, level.discounted[place])
    share = counted + level.left[context] * shorter
    return np.divide(share, total, out=shorter.copy(), where=total > 0)
