"""Labelled examples in three parts, as the rooms of drawings and clips give them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_tf.errors import InputError


def check_name(path: Path) -> None:
    """Check that the names of a file and its folder, such as a class, can be written.

    Names from an archive of Windows may be in another encoding than UTF-8; Python reads
    them, but no table, picture or results file could hold them.

    Raises:
        InputError: they are not UTF-8.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(
            f"{path.parent.parent}: the name {name.encode('utf-8', 'surrogateescape')} "
            "is not UTF-8; rename it, such as by convmv -f cp1252 -t utf8 --notest"
        ) from None


def list_names(names: Sequence[str], most: int) -> str:
    """List names for reading: the first `most`, and how many more there are."""
    cut = [name if len(name) <= 30 else f"{name[:29]}…" for name in names[:most]]
    more = len(names) - most
    return ", ".join(cut) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True)
class Labelled:
    """Three parts in which every class has examples, and what is known of them."""

    classes: tuple[str, ...]
    parts: dict[str, Any]  # split -> what holds the examples, and `labels`, (examples,)
    facts: dict  # source, sha256, notes, and what else config.json records
    block: int = 1  # neighbouring examples that are not independent; 1 if all are

    def describe(self, examples: str, **more) -> dict:
        """Give the facts with counts, and a sentence for the terminal, `says`.

        Args:
            examples: what they are called in config.json, such as "clips".
            more: what else it records.
        """
        counts = {split: len(part.labels) for split, part in self.parts.items()}
        says = ", ".join(f"{count:,} {split}" for split, count in counts.items())
        classes = f"{len(self.classes)} classes ({list_names(self.classes, 6)})"
        says = f"{self.facts['source']}, {classes}, {says}"
        return {
            **self.facts,
            "classes": list(self.classes),
            examples: counts,
            **more,
            "says": "; ".join([says, *self.facts["notes"]]),
        }
