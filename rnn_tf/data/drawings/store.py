"""Keep the drawings of each split end to end, in memory or in flat files on disk.

A drawing is stroke-3, int16 (points, 3): dx, dy, pen lifted after this point.
"""

import dataclasses
import functools
import json
import mmap
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_tf import files
from rnn_tf.data.splits import SPLITS

CHUNK = 200_000  # points held in memory while a store is written


@dataclass(frozen=True)
class Part:
    """Drawings of one split, end to end; the arrays may lie on disk."""

    points: np.ndarray  # (points of all drawings, 3) int16
    starts: np.ndarray  # (drawings,) int64: where the points of each begin
    lengths: np.ndarray  # (drawings,) int64: points of each
    labels: np.ndarray  # (drawings,) int16

    def drawing(self, number: int) -> np.ndarray:
        """Return the points of one drawing, (points, 3)."""
        start = self.starts[number]
        return self.points[start : start + self.lengths[number]]

    def shortest_first(self) -> "Part":
        """Sort the drawings by length; their points stay where they lie."""
        order = np.argsort(self.lengths, kind="stable")
        return dataclasses.replace(
            self,
            starts=self.starts[order],
            lengths=self.lengths[order],
            labels=self.labels[order],
        )

    @functools.cached_property
    def file_order(self) -> np.ndarray:
        """The numbers of the drawings, (drawings,), in the order of their points.

        For those who want some drawings of a part that is sorted by length, and not the
        shortest alone.
        """
        return np.argsort(self.starts)

    def release(self) -> None:
        """Free the memory of what was read from disk; the system still caches it.

        Else resident memory would grow by the file: 8 GB for all of Quick, Draw!
        """
        if isinstance(self.points.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            self.points.base.madvise(mmap.MADV_DONTNEED)

    def stroke5(self, which: np.ndarray, steps: int, scale: float) -> np.ndarray:
        """Cut or pad the drawings numbered `which` to (drawings, steps, 5) float32.

        dx and dy are divided by `scale`.
        """
        starts, lengths = self.starts[which], np.minimum(self.lengths[which], steps)
        step = np.arange(steps)
        mask = step < lengths[:, None]
        moves = self.points[np.where(mask, starts[:, None] + step, starts[:, None])]
        batch = np.zeros((len(which), steps, 5), "float32")
        batch[..., :2] = moves[..., :2] / np.float32(scale)
        batch[..., 3] = moves[..., 2]
        batch[..., 2] = 1 - batch[..., 3]
        batch[~mask] = (0, 0, 0, 0, 1)
        return batch


def pack(drawings: list[np.ndarray], labels: np.ndarray) -> Part:
    """Pack drawings, (points, 3) int16 each, into a part in memory, in their order."""
    lengths = np.array([len(drawing) for drawing in drawings])
    return _end_to_end(np.concatenate(drawings), lengths, np.asarray(labels, "int16"))


def _end_to_end(points: np.ndarray, lengths: np.ndarray, labels: np.ndarray) -> Part:
    return Part(points, np.cumsum(lengths) - lengths, lengths, labels)


def sort_for_evaluation(parts: dict[str, Part]) -> dict[str, Part]:
    """Sort validation and test by length, so that their batches have little padding.

    Every result of an evaluation is then in the order of its part: predictions,
    labels, and `example` in predictions.csv. Training is shuffled anyway.
    """
    return {
        split: part if split == "train" else part.shortest_first()
        for split, part in parts.items()
    }


# ---------------------------------------------------------------- on disk


def write(
    folder: Path,
    drawings: Iterable[tuple[str, int, np.ndarray]],
    skipped: Counter | None = None,
) -> None:
    """Write drawings to flat files, a few thousand at a time, fewer if they are long.

    Args:
        folder: is whole or absent.
        drawings: split, label and moves (points, 3) of each.
        skipped: counts what the reader leaves out, by reason.
    """
    counts = Counter()
    with files.atomic_folder(folder) as temporary:
        for chunk in _chunks(drawings):
            for split in SPLITS:
                own = [(label, moves) for s, label, moves in chunk if s == split]
                if own:
                    counts[split] += _append(temporary, split, own)
        about = {"points": counts, "skipped": skipped or {}}
        (temporary / "about.json").write_text(json.dumps(about), encoding="utf-8")


def _chunks(drawings: Iterable[tuple]) -> Iterator[list[tuple]]:
    """Cut drawings into lists of some `CHUNK` points."""
    chunk, points = [], 0
    for drawing in drawings:
        chunk.append(drawing)
        points += len(drawing[2])
        if points >= CHUNK:
            yield chunk
            chunk, points = [], 0
    if chunk:
        yield chunk


def _append(folder: Path, split: str, drawings: list[tuple[int, np.ndarray]]) -> int:
    """Add drawings of a split to its files; return how many points they have."""
    columns = {
        "points": np.concatenate([moves for _, moves in drawings]),
        "lengths": np.array([len(moves) for _, moves in drawings], "int64"),
        "labels": np.array([label for label, _ in drawings], "int16"),
    }
    for name, values in columns.items():
        with (folder / f"{split}-{name}").open("ab") as file:
            values.tofile(file)
    return len(columns["points"])


def read(folder: Path) -> tuple[dict[str, Part], dict[str, int]]:
    """Read the parts that `write` wrote, and what it skipped, by reason.

    The points stay on disk.
    """
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    parts = {split: _read(folder, split, n) for split, n in about["points"].items()}
    nothing = np.zeros(0, "int64")
    empty = Part(np.zeros((0, 3), "int16"), nothing, nothing, nothing.astype("int16"))
    return {split: parts.get(split, empty) for split in SPLITS}, about["skipped"]


def _read(folder: Path, split: str, points: int) -> Part:
    stored = np.memmap(folder / f"{split}-points", "int16", "r", shape=(points, 3))
    lengths = np.fromfile(folder / f"{split}-lengths", "int64")
    labels = np.fromfile(folder / f"{split}-labels", "int16")
    return _end_to_end(stored, lengths, labels)
