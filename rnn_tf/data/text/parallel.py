"""Read parallel text: sentences and their translations, line by line or row by row.

A folder holds train.de, train.en, val.de, val.en, test.de, test.en or the like, each
also as .gz; a file ends in .tsv or .csv and has a pair in the first two columns.
"""

import csv
import gzip
import hashlib
import itertools
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from rnn_tf.data.splits import SPLITS
from rnn_tf.errors import InputError
from rnn_tf.text import quote

STEMS = {
    "train": ("train",),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test",),
}
TABLES = {".tsv": "\t", ".csv": ","}
FEWEST = 10  # pairs of a table, so that each part has one


@dataclass(frozen=True)
class Pairs:
    """Sentences and their translations, in order."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]

    def __len__(self):
        return len(self.sources)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return zip(self.sources, self.targets, strict=True)

    def pick(self, which) -> "Pairs":
        """Return the pairs numbered `which`, in this order."""
        chosen = [(self.sources[n], self.targets[n]) for n in which]
        return from_rows(chosen)


def from_rows(rows: list[tuple[str, str]]) -> Pairs:
    """Make pairs of rows of two."""
    return Pairs(tuple(row[0] for row in rows), tuple(row[1] for row in rows))


@dataclass(frozen=True)
class ParallelText:
    """Pairs in three parts, and what is known of them."""

    name: str
    parts: dict[str, Pairs]
    sha256: str
    languages: tuple[str, str]  # what sources and targets are called
    # kind -> further pairs, of a kind that the three parts do not have
    held_out: dict[str, Pairs] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # of what was left out, and why


def cut(pairs: Pairs) -> dict[str, Pairs]:
    """Cut pairs in order: 80 % for training, 10 % for validation, 10 % for test."""
    ends = [round(len(pairs) * share) for share in (0.8, 0.9)]
    edges = itertools.pairwise([0, *ends, len(pairs)])
    return {s: pairs.pick(range(*edge)) for s, edge in zip(SPLITS, edges, strict=True)}


def digest(*parts: Pairs) -> str:
    """Return the SHA-256 of all pairs, in order."""
    sha256 = hashlib.sha256()
    for source, target in itertools.chain(*parts):
        sha256.update(f"{source}\t{target}\n".encode())
    return sha256.hexdigest()


# ---------------------------------------------------------------- files


def read(path: Path, languages: tuple[str, ...] = ()) -> ParallelText:
    """Read a folder of parallel files, or a table of pairs.

    Args:
        path: of the folder or the table.
        languages: what the names of a folder's files end with, source and target; by
            default the two that there are, in alphabetical order.

    Raises:
        InputError: there is no such file, a language or a part is missing, lines have
            no partners, or it is no text.
    """
    if path.is_dir():
        return _read_folder(path, languages)
    if path.is_file() and path.suffix.lower() in TABLES:
        return _read_table(path)
    what = "neither a folder nor a .tsv or .csv" if path.exists() else "not there"
    raise InputError(
        f"--data is {quote(path)}, which is {what}; give a folder with train.de, "
        "train.en, val.de and so on, a .tsv or .csv of pairs, or a task by its name"
    )


def _read_folder(folder: Path, languages: tuple[str, ...]) -> ParallelText:
    """Read the parts of a folder, each of two files."""
    files = {p.name.removesuffix(".gz"): p for p in sorted(folder.iterdir())}
    names = [Path(name) for name in files]
    stems = {
        split: next((n.stem for n in names if n.stem.startswith(starts)), None)
        for split, starts in STEMS.items()
    }
    for split, stem in stems.items():
        if stem is None:
            raise InputError(
                f"{folder} has no file for {split}; name two {STEMS[split][0]}.de and "
                f"{STEMS[split][0]}.en, or after other languages"
            )
    endings = sorted({n.suffix[1:] for n in names if n.stem == stems["train"]})
    pair = _two_languages(folder, languages, endings)
    parts = {
        split: _aligned(*(_file(folder, files, f"{stem}.{key}") for key in pair))
        for split, stem in stems.items()
    }
    name = folder.resolve().name
    return ParallelText(name, parts, digest(*parts.values()), pair)


def _two_languages(folder: Path, languages: tuple, endings: list[str]) -> tuple:
    """Choose source and target of the endings that the training files have."""
    pair = tuple(languages) or tuple(endings)
    if len(pair) == 2 and pair[0] != pair[1] and set(pair) <= set(endings):
        return pair
    there = " ".join(endings) or "none"
    given = f"--languages is {' '.join(languages)}" if languages else "no --languages"
    raise InputError(
        f"{given}, and the training files of {folder} end with: {there}; give two of "
        "them, source and target, like --languages de en"
    )


def _file(folder: Path, files: dict[str, Path], name: str) -> Path:
    if name not in files:
        raise InputError(f"{folder} has no {name}, nor {name}.gz; every part needs one")
    return files[name]


def _aligned(source: Path, target: Path) -> Pairs:
    """Pair the lines of two files."""
    lines = [read_lines(path) for path in (source, target)]
    counts = [len(each) for each in lines]
    if counts[0] != counts[1]:
        raise InputError(
            f"{source} has {counts[0]:,} lines, {target.name} {counts[1]:,}: line "
            f"{min(counts) + 1:,} has no partner; give files that belong together"
        )
    if not counts[0]:
        raise InputError(f"{source} is empty; give one sentence a line")
    return Pairs(*map(tuple, lines))


def read_lines(path: Path) -> list[str]:
    """Read the lines of a text file, also of a .gz."""
    try:
        binary = path.read_bytes()
        binary = gzip.decompress(binary) if path.suffix == ".gz" else binary
        text = binary.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is no UTF-8 text ({error.reason}); convert it, for example by "
            "iconv -f latin1 -t utf-8"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        reason = str(error) or type(error).__name__
        raise InputError(f"{path} cannot be read ({reason})") from None
    # Not `splitlines`: it cuts at characters that stand within lines of such files.
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _read_table(path: Path) -> ParallelText:
    """Read a table of pairs, and cut it into parts that share no source."""
    separator = TABLES[path.suffix.lower()]
    quoting = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
    rows = []
    reader = csv.reader(read_lines(path), delimiter=separator, quoting=quoting)
    try:
        for row in reader:
            if len(row) == 1:
                raise csv.Error("one column, where source and target are needed")
            if row:
                rows.append((row[0], row[1]))
    except csv.Error as error:
        raise InputError(
            f"{path}, line {reader.line_num:,}: {error}; give a pair a line, in two "
            f"columns with {'tabs' if separator == chr(9) else 'commas'} between"
        ) from None
    if len(rows) < FEWEST:
        raise InputError(
            f"{path} has {len(rows)} pairs; three parts take at least {FEWEST}"
        )
    pairs = from_rows(rows)
    shuffled = pairs.pick(np.random.default_rng(1).permutation(len(pairs)))
    return ParallelText(path.name, cut(shuffled), digest(pairs), ("source", "target"))


# ---------------------------------------------------------------- cleaning


def clean(text: ParallelText, longest: int, count, lower: bool) -> ParallelText:
    """Leave pairs out that cannot be learned from, and say in `notes` how many.

    Pairs with an empty side go from every part. From training and validation go those
    that are too long, and those whose source stands in a later part too; from training
    also pairs that it has already. So the test part stays as others have it.

    Args:
        text: as it was read.
        longest: tokens of a side, at most.
        count: a sentence -> how many tokens it has.
        lower: whether all is put into lower case.

    Raises:
        InputError: a part is empty then.
    """
    parts, notes, later = {}, [], set()
    for split in reversed(SPLITS):
        rows = [(tidy(s, lower), tidy(t, lower)) for s, t in text.parts[split]]
        kept, left_out = _sift(rows, split, later, lambda side: count(side) <= longest)
        if not kept:
            raise InputError(
                f"{text.name} has no pair for {split} that is not empty, doubled, or "
                f"longer than {longest} tokens; give more pairs, or a larger --longest"
            )
        notes += [
            f"left out of {split}: {n:,} {why}" for why, n in left_out.items() if n
        ]
        parts[split] = from_rows(kept)
        later |= set(parts[split].sources)
    return replace(text, parts={s: parts[s] for s in SPLITS}, notes=tuple(notes))


def tidy(sentence: str, lower: bool) -> str:
    """Write a sentence with single spaces, and in lower case if `lower`."""
    sentence = " ".join(sentence.split())
    return sentence.lower() if lower else sentence


def _sift(rows: list, split: str, later: set[str], fits) -> tuple[list, dict[str, int]]:
    """Return the rows of a part that stay, and how many do not, by reason."""
    full = [row for row in rows if all(row)]
    if split == "test":
        return full, {"empty": len(rows) - len(full)}
    short = [row for row in full if all(map(fits, row))]
    new = [row for row in short if row[0] not in later]
    if split == "train":
        new = list(dict.fromkeys(new))
    counts = {"empty": len(rows) - len(full), "too long": len(full) - len(short)}
    return new, counts | {"doubled": len(short) - len(new)}
