"""Turn a text into numbers, in three parts by place: characters or words.

The numbers of a text from files lie in a flat file of the cache, and are never all in
memory. Number 0 is the unknown token, which also stands before the first one.
"""

import hashlib
import itertools
import json
import mmap
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_tf import files
from rnn_tf.data import download
from rnn_tf.data.splits import SPLITS
from rnn_tf.data.text.reader import Text
from rnn_tf.errors import InputError
from rnn_tf.text import printable

UNKNOWN = 0
# A word or a sign, with the space before it, if there is one; or any other white space.
# So joined words are the text again, and all of its characters are paid for.
WORD = re.compile(r" ?\w+| ?[^\w\s]|\s")
UNITS = {"character": list, "word": WORD.findall}
CHUNK = 1 << 20  # numbers in memory while they are written
LONGEST = 1 << 16  # characters without white space, after which a word is cut
VERSION = 1  # of what lies in the cache


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a text, as numbers of tokens."""

    tokens: np.ndarray  # (tokens,) unsigned integers; may lie on disk
    lengths: np.ndarray | None  # (tokens,): characters of each, None if all have one

    @property
    def characters(self) -> int:
        """How many characters it has."""
        if self.lengths is None:
            return len(self.tokens)
        return int(self.lengths.sum(dtype="int64"))

    def read(self, starts: np.ndarray, length: int) -> np.ndarray:
        """Read stretches of equal length: (stretches, length) int32.

        What lies before the part, or behind it, is unknown.
        """
        places = starts[:, None] + np.arange(length)
        inside = (places >= 0) & (places < len(self.tokens))
        tokens = self.tokens[np.where(inside, places, 0)].astype("int32")
        release(self.tokens)
        return np.where(inside, tokens, UNKNOWN)

    def ends(self, characters: int) -> np.ndarray:
        """Cut the part into stretches of about so many characters: where each ends.

        All are about equally long, and the last one ends with the part.
        """
        count = max(1, self.characters // characters)
        wanted = np.linspace(0, self.characters, count + 1)[1:]
        if self.lengths is None:
            return np.round(wanted).astype(int)
        reached = np.cumsum(self.lengths, dtype="int64")
        return np.searchsorted(reached, wanted - 0.5) + 1


def release(numbers: np.ndarray) -> None:
    """Free the memory of what was read from disk, or written; the system caches it."""
    base = numbers
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


@dataclass(frozen=True)
class Corpus:
    """A text in three parts, and its vocabulary."""

    parts: dict[str, Part]
    vocabulary: tuple[str, ...]  # the tokens, by number; the unknown one is ""
    unknown: dict[str, int]  # split -> how many of its tokens are
    unit: str

    def text(self, tokens: Iterable[int]) -> str:
        """Write tokens as text; the unknown one as U+FFFD."""
        return "".join(self.vocabulary[token] or "\ufffd" for token in tokens)


# ---------------------------------------------------------------- numbers


def pieces(text: str, unit: str) -> list[str]:
    """Cut a text into characters or words; joined, they are the text."""
    return UNITS[unit](text)


def in_memory(text: Text, unit: str, shares: tuple, most: int) -> Corpus:
    """Make a corpus of a text that fits in memory; for the rest see `in_cache`."""
    names = _numbered()
    first = np.concatenate([*_first_numbers(text.blocks(), unit, names), _NONE])
    cut = _cut(text.name, len(first), shares, unit)
    vocabulary, table = _vocabulary(names, first, cut[0], most)
    tokens, unknown = np.empty(len(first), _type(vocabulary)), dict.fromkeys(SPLITS, 0)
    _renumber(first, table, tokens, cut, unknown)
    lengths = None if unit == "character" else _lengths(names)[first]
    return _corpus(text.name, tokens, lengths, cut, vocabulary, unknown, unit)


def in_cache(text: Text, unit: str, shares: tuple, most: int) -> Corpus:
    """Make a corpus whose numbers lie in the cache; they are written once.

    Args:
        text: of files.
        unit: a key of `UNITS`.
        shares: of the tokens that each part has, in percent; the first is for training.
        most: tokens that the vocabulary holds, those that training has most often; all
            others are unknown.

    Raises:
        InputError: a part would be empty, or there is nothing to predict.
    """
    key = json.dumps([VERSION, text.sha256, unit, shares, most])
    name = f"text-{hashlib.sha256(key.encode()).hexdigest()[:32]}"
    folder = download.cache() / name
    if not files.is_whole(folder):
        with files.atomic_folder(folder) as temporary:
            _write(temporary, text, unit, shares, most)
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    tokens = np.memmap(folder / "tokens", about["type"], "r")
    lengths = None if unit == "character" else np.memmap(folder / "lengths", "<u4", "r")
    vocabulary, unknown = about["vocabulary"], about["unknown"]
    return _corpus(text.name, tokens, lengths, about["cut"], vocabulary, unknown, unit)


def _write(folder: Path, text: Text, unit: str, shares: tuple, most: int) -> None:
    """Number the tokens as they come, choose the vocabulary, and number them anew."""
    names, raw, count = _numbered(), folder / "raw", 0
    with raw.open("wb") as file:
        for numbers in _first_numbers(text.blocks(), unit, names):
            numbers.tofile(file)
            count += len(numbers)
    cut = _cut(text.name, count, shares, unit)
    first = np.memmap(raw, "<u4", "r")
    vocabulary, table = _vocabulary(names, first, cut[0], most)
    kind, unknown = _type(vocabulary), dict.fromkeys(SPLITS, 0)
    tokens = np.memmap(folder / "tokens", kind, "w+", shape=(count,))
    _renumber(first, table, tokens, cut, unknown)
    tokens.flush()
    if unit != "character":
        lengths = np.memmap(folder / "lengths", "<u4", "w+", shape=(count,))
        _renumber(first, _lengths(names), lengths)
        lengths.flush()
    del first
    raw.unlink()
    about = {"vocabulary": vocabulary, "cut": cut, "unknown": unknown, "type": kind}
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")


_NONE = np.zeros(0, "<u4")


def _numbered() -> defaultdict:
    """Make a dict that numbers what it is asked for, in the order of appearance."""
    return defaultdict(itertools.count().__next__)


def _first_numbers(blocks: Iterator[str], unit: str, names: dict) -> Iterator:
    """Yield the number of each token in `names`, block by block."""
    for block in _whole_words(blocks) if unit == "word" else blocks:
        tokens = pieces(block, unit)
        yield np.fromiter(map(names.__getitem__, tokens), "<u4", len(tokens))


def _whole_words(blocks: Iterator[str]) -> Iterator[str]:
    """Cut a text before white space, so that no word ends in one block and goes on."""
    rest = ""
    for block in blocks:
        block = rest + block
        end = max(block.rfind(sign) for sign in " \n")
        end = len(block) if end < 1 and len(block) > LONGEST else max(end, 0)
        rest = block[end:]
        if end:
            yield block[:end]
    if rest:
        yield rest


def _cut(name: str, count: int, shares: tuple, unit: str) -> list[int]:
    """Say where each part ends, in tokens."""
    ends = np.cumsum(shares) / np.sum(shares)
    cut = [round(count * float(end)) for end in ends]
    if min(np.diff([0, *cut])) < 1:
        raise InputError(
            f"{name} has {count:,} {unit}s; that is too short for three parts of "
            f"{', '.join(map(str, shares))} %"
        )
    return cut


def _vocabulary(names: dict, first: np.ndarray, end: int, most: int) -> tuple:
    """Choose the tokens that training, up to `end`, has most often.

    Returns:
        The vocabulary, the unknown one first, and a table: number in `names` -> number
        in the vocabulary.
    """
    counts = np.zeros(len(names), int)
    for start in range(0, end, CHUNK):
        counts += np.bincount(first[start : min(start + CHUNK, end)], None, len(names))
        release(first)
    tokens = list(names)
    seen = sorted(
        np.flatnonzero(counts).tolist(), key=lambda n: (-counts[n], tokens[n])
    )
    seen = seen[: most - 1]
    table = np.zeros(len(names), int)
    table[seen] = np.arange(1, len(seen) + 1)
    return ["", *(tokens[n] for n in seen)], table


def _type(vocabulary: list) -> str:
    return "<u2" if len(vocabulary) <= 1 << 16 else "<u4"


def _lengths(names: dict) -> np.ndarray:
    return np.array([len(name) for name in names], "<u4")


def _renumber(first, table, numbers, cut=(), unknown=None) -> None:
    """Look numbers up in a table, and count the unknown ones of each part."""
    edges = [0, *(cut or [len(first)])]
    for split, (begin, end) in zip(SPLITS, itertools.pairwise(edges), strict=False):
        for start in range(begin, end, CHUNK):
            chunk = slice(start, min(start + CHUNK, end))
            numbers[chunk] = table[first[chunk]]
            if unknown is not None:
                unknown[split] += int((numbers[chunk] == UNKNOWN).sum())
            release(first)
            release(numbers)


def _corpus(name, tokens, lengths, cut, vocabulary, unknown, unit: str) -> Corpus:
    """Cut the numbers into parts, or raise InputError if there is nothing to learn."""
    if len(vocabulary) < 3:
        only = "nothing but unknown tokens"
        if len(vocabulary) == 2:
            only = f"one {unit}, {printable(vocabulary[1])[:80]!r}, again and again"
        raise InputError(f"{name} has {only} for training; there is nothing to learn")
    parts = {}
    for split, (start, end) in zip(SPLITS, itertools.pairwise([0, *cut]), strict=True):
        own = None if lengths is None else lengths[start:end]
        parts[split] = Part(tokens[start:end], own)
    return Corpus(parts, tuple(vocabulary), unknown, unit)
