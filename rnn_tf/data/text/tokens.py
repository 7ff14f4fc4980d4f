"""Turn sentences into numbers of characters, words or subwords, and back.

Number 0 pads, 1 ends a sentence, 2 is the unknown token, 3 begins a translation.
"""

import base64
import binascii
import collections
import functools
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import lazy_loader
import numpy as np

from rnn_tf.errors import InputError

sentencepiece = lazy_loader.load("sentencepiece")

PAD, END, UNKNOWN, BEGIN = range(4)
SPECIAL = 4
UNITS = "character", "word", "subword"
REPLACEMENT = "\ufffd"  # what an unknown token is written as
WORD = re.compile(r"\w+|[^\w\s]")  # a word or a sign


def pieces(sentence: str, unit: str) -> list[str]:
    """Cut a sentence into characters or words."""
    return list(sentence) if unit == "character" else WORD.findall(sentence)


@dataclass(frozen=True)
class Tokens:
    """The tokens of a language that a model knows, by number from 4 on."""

    unit: str
    names: tuple[str, ...]
    # Of subwords: what SentencePiece needs to cut a sentence, in base64.
    subwords: str = ""
    numbers: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        numbers = {name: n for n, name in enumerate(self.names, start=SPECIAL)}
        object.__setattr__(self, "numbers", numbers)

    def __len__(self):
        return SPECIAL + len(self.names)

    def encode(self, sentence: str) -> list[int]:
        """Number the tokens of a sentence, without its end."""
        return [self.numbers.get(p, UNKNOWN) for p in self.pieces(sentence)]

    def pieces(self, sentence: str) -> list[str]:
        """Cut a sentence into tokens, those that are unknown too."""
        if self.subwords:
            return _processor(self.subwords).encode(sentence, out_type=str)
        return pieces(sentence, self.unit)

    def name(self, number: int) -> str:
        """Return a token by its number."""
        if number < SPECIAL:
            return {END: "</s>", UNKNOWN: REPLACEMENT, BEGIN: "<s>"}.get(number, "")
        return self.names[number - SPECIAL]

    def decode(self, numbers: Iterable[int]) -> str:
        """Write a sentence of numbers, up to its end; words have spaces between."""
        names = []
        for number in numbers:
            if number == END:
                break
            if number not in (PAD, BEGIN):
                names.append(self.name(number))
        return self.join(names)

    def join(self, names: Sequence[str]) -> str:
        """Join tokens to a sentence."""
        if self.subwords:
            return "".join(names).replace("\u2581", " ").strip()
        return (" " if self.unit == "word" else "").join(names)


@functools.lru_cache(maxsize=4)
def _processor(subwords: str):
    """Load what SentencePiece needs, once.

    Raises:
        InputError: it is damaged.
    """
    try:
        proto = base64.b64decode(subwords, validate=True)
        return sentencepiece.SentencePieceProcessor(model_proto=proto)
    except (RuntimeError, binascii.Error, ValueError) as error:
        raise InputError(
            f"the subwords are damaged ({error}); take another run"
        ) from None


def learn(sentences: Sequence[str], unit: str, fewest: int, most: int) -> Tokens:
    """Choose the tokens of training that a model knows, the most frequent first.

    Args:
        sentences: of training.
        unit: of `UNITS`.
        fewest: times that training must have a character or a word.
        most: tokens to know.

    Raises:
        InputError: SentencePiece cannot make so many subwords of so little text.
    """
    if unit == "subword":
        return _learn_subwords(sentences, most)
    counts = collections.Counter(p for s in sentences for p in pieces(s, unit))
    known = [name for name, n in counts.items() if n >= fewest]
    known = sorted(known, key=lambda name: (-counts[name], name))[:most]
    return Tokens(unit, tuple(known))


def _learn_subwords(sentences: Sequence[str], most: int) -> Tokens:
    """Learn byte-pair encodings by SentencePiece (Kudo and Richardson, 2018)."""
    written = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences),
            model_writer=written,
            vocab_size=most,
            model_type="bpe",
            hard_vocab_limit=False,
            character_coverage=1.0,
            num_threads=1,  # the same on any machine
            minloglevel=3,
        )
    except RuntimeError as error:
        raise InputError(
            f"SentencePiece cannot make {most} subwords ({str(error).splitlines()[-1]})"
            "; give another --vocabulary"
        ) from None
    subwords = base64.b64encode(written.getvalue()).decode()
    processor = _processor(subwords)
    names = [processor.id_to_piece(n) for n in range(processor.get_piece_size())]
    special = {"<unk>", "<s>", "</s>"}
    return Tokens("subword", tuple(n for n in names if n not in special), subwords)


def padded(rows: Sequence[Sequence[int]], width: int) -> np.ndarray:
    """Pad rows of numbers at their ends: (rows, width) int32."""
    array = np.full((len(rows), width), PAD, "int32")
    for row, numbers in zip(array, rows, strict=True):
        row[: len(numbers)] = numbers
    return array
