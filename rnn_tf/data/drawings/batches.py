"""Turn drawings into padded batches; those on disk are never all in memory.

A drawing is stroke-3, int16 (points, 3): dx, dy, pen lifted after this point. A model
sees stroke-5 (Ha and Eck, 2017), float32 (batch, time, 5): dx and dy as shares of a
scale, pen down, pen lifted, ended; after its last point a drawing is padded with
(0, 0, 0, 0, 1).
"""

import dataclasses
import functools
import itertools
import json
import mmap
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_tf import files
from rnn_tf.data.order import Order, without_autotune
from rnn_tf.data.splits import SPLITS

CHUNK = 4096  # drawings held in memory while a store is written
SHORTEST = 24  # steps; three convolutions with stride 2 need 21 to leave one


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


def write_store(
    folder: Path,
    drawings: Iterable[tuple[str, int, np.ndarray]],
    skipped: Counter | None = None,
) -> None:
    """Write drawings to flat files, a few thousand at a time.

    Args:
        folder: is whole or absent.
        drawings: split, label and moves (points, 3) of each.
        skipped: counts what the reader leaves out, by reason.
    """
    drawings, counts = iter(drawings), Counter()
    with files.atomic_folder(folder) as temporary:
        while chunk := list(itertools.islice(drawings, CHUNK)):
            for split in SPLITS:
                own = [(label, moves) for s, label, moves in chunk if s == split]
                if own:
                    counts[split] += _append(temporary, split, own)
        about = {"points": counts, "skipped": skipped or {}}
        (temporary / "about.json").write_text(json.dumps(about), encoding="utf-8")


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


def read_store(folder: Path) -> tuple[dict[str, Part], dict[str, int]]:
    """Read the parts that `write_store` wrote, and what it skipped, by reason.

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


# ---------------------------------------------------------------- batches


@dataclass(frozen=True)
class Padding:
    """The lengths to which drawings are padded; few compile quickly."""

    lengths: tuple[int, ...]  # to pad to, ascending; drawings are cut to the last
    scale: float  # dx and dy are divided by it
    plain: bool = False  # any drawings in a batch, padded to the longest of them

    def in_plain_batches(self, longest: int) -> "Padding":
        """Return the padding of most programs, for drawings cut to `longest` points."""
        return Padding((longest,), self.scale, plain=True)

    def steps(self, lengths: np.ndarray) -> int:
        """Return the steps to which a batch of drawings of these lengths is padded."""
        if self.plain:
            return int(np.clip(lengths.max(), SHORTEST, self.lengths[-1]))
        return self.lengths[self.buckets(lengths).max()]

    def buckets(self, lengths: np.ndarray) -> np.ndarray:
        """Return the index of the length to which each is padded, (drawings,)."""
        return np.searchsorted(self.lengths, np.minimum(lengths, self.lengths[-1]))


def padding(part: Part, longest: int, sample: int = 1_000_000) -> Padding:
    """Choose lengths that fit the drawings, multiples of 8, and the scale of dx, dy.

    Args:
        part: for training.
        longest: points after which a drawing is cut.
        sample: points whose standard deviation is the scale.
    """
    lengths = np.minimum(part.lengths, longest)
    quantiles = np.quantile(lengths, [0.25, 0.5, 0.75, 0.95, 1.0])
    multiples = {max(SHORTEST, int(-(-length // 8) * 8)) for length in quantiles}
    scale = np.std(part.points[:sample, :2].astype("float32"))
    return Padding(tuple(sorted(multiples)), float(max(scale, 1.0)))


def plan_epoch(part: Part, padding: Padding, batch: int, random) -> list[np.ndarray]:
    """Choose the drawings of each batch of an epoch, alike in length, by chance.

    The remainder of each length is dropped, so that every batch is full.
    """
    order = random.permutation(len(part.labels))
    buckets, plan = padding.buckets(part.lengths)[order], []
    for bucket in range(len(padding.lengths)):
        members = order[buckets == bucket]
        full = members[: len(members) // batch * batch]
        plan += list(full.reshape(-1, batch))
    random.shuffle(plan)
    return plan


def steps_per_epoch(part: Part, padding: Padding, batch: int) -> int:
    """Count the full batches of one epoch."""
    return int((np.bincount(padding.buckets(part.lengths)) // batch).sum())


def dataset(
    part: Part, padding: Padding, batch: int, order: Order | None = None, change=None
):
    """Return a `tf.data.Dataset` of inputs (batch, time, 5) and labels (batch,).

    Args:
        part: the drawings.
        padding: to which lengths.
        batch: drawings per batch.
        order: shuffles anew each epoch and drops remainders; else all, as they come.
        change: (inputs, seed) -> inputs, such as `augmentation.augment`.
    """
    import tensorflow as tf  # here, so that --help need not wait for it

    if order is None:
        count, size = -(-len(part.labels) // batch), None
        read = _evaluation_reader(part, padding, batch)
    else:
        count, size = steps_per_epoch(part, padding, batch), batch
        read = _training_reader(part, padding, batch, order)
    shapes = (size, None, 5), (size,), (2,)  # as static as they can be

    # Not `from_generator`, which takes three times as long for each batch.
    def load(number):
        arrays = tf.numpy_function(read, [number], (tf.float32, tf.int16, tf.int32))
        x, y, seed = map(tf.ensure_shape, arrays, shapes)
        return x if change is None else change(x, seed), tf.cast(y, tf.int32)

    batches = tf.data.Dataset.range(count).map(load, num_parallel_calls=1)
    return without_autotune(batches.prefetch(4))


def _training_reader(part: Part, padding: Padding, batch: int, order: Order):
    """Return a function: number of a batch -> its arrays, see `_read_batch`."""

    @functools.lru_cache(maxsize=1)
    def plan(seed, epoch):
        return plan_epoch(part, padding, batch, np.random.default_rng((seed, epoch)))

    def read(number):
        seed, epoch = order.seed, order.epoch
        which = plan(seed, epoch)[number]
        random = np.random.default_rng((seed, epoch, number))
        return _read_batch(part, padding, which, part.lengths[which], random)

    return read


def _evaluation_reader(part: Part, padding: Padding, batch: int):
    """Return a function: number of a batch -> its arrays, in the order of the part."""

    def read(number):
        which = np.arange(number * batch, min((number + 1) * batch, len(part.labels)))
        lengths, random = part.lengths[which], np.random.default_rng((0, 0, number))
        if padding.plain:  # as padded as in training, where any lengths are together
            others = part.file_order[random.integers(0, len(part.labels), batch)]
            lengths = np.concatenate([lengths, part.lengths[others]])
        return _read_batch(part, padding, which, lengths, random)

    return read


def _read_batch(part: Part, padding: Padding, which, lengths, random) -> tuple:
    """Read inputs and labels, padded as for `lengths`, and draw a seed for changes."""
    x = part.stroke5(which, padding.steps(lengths), padding.scale)
    part.release()
    return x, part.labels[which], random.integers(0, 2**31, 2, dtype="int32")
