"""Draw scenes with what a network says of them, and the tunes that networks play."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rnn_tf.report import plots

EACH = 4  # scenes of a row: right ones above, wrong ones below
PLAYED = 4  # tunes of each model


@plots.picture
def scenes(
    path: Path, pictures: np.ndarray, captions: Sequence[str], written: Sequence[str]
) -> None:
    """Draw scenes that are described rightly, and below some that are not.

    Args:
        path: of the picture.
        pictures: (scenes, side, side, 1), ink from 0 to 1.
        captions: what is right.
        written: what a network says.
    """
    right = np.array([a == b for a, b in zip(captions, written, strict=True)])
    rows = [_spread(np.flatnonzero(own), EACH) for own in (right, ~right)]
    figure, axes = plots.new_figure(rows=2, columns=EACH, height=6.4, width=11)
    for axis in axes:
        axis.set_axis_off()
    for start, chosen in zip((0, EACH), rows, strict=True):
        for axis, n in zip(axes[start:], chosen, strict=False):
            axis.imshow(pictures[n, :, :, 0], cmap="gray_r", vmin=0, vmax=1)
            text, look = _title(captions[n], written[n])
            axis.set_title(text, fontsize=9, **look)
    figure.suptitle("What the network says: right, above, and wrong, below")
    plots.save(figure, path)


def _title(caption: str, written: str) -> tuple[str, dict]:
    """Write what is said of a scene, and in grey what is right where that differs."""
    good = caption == written
    text = _lines(written) + ("" if good else f"\n(it is: {_lines(caption)})")
    return text, {"color": plots.COLOURS[2] if good else plots.COLOURS[1]}


def _lines(caption: str) -> str:
    """Break a long caption after its second digit."""
    words = caption.split()
    cut = len(words) if len(words) < 7 else 5 + ("left" in words[:3])
    return "\n".join(" ".join(part) for part in (words[:cut], words[cut:]) if part)


def _spread(numbers: np.ndarray, count: int) -> np.ndarray:
    """Choose at most `count` numbers from first to last, always the same ones."""
    if len(numbers) <= count:
        return numbers
    return numbers[np.linspace(0, len(numbers) - 1, count).astype(int)]


@plots.picture
def tunes(path: Path, played: dict[str, tuple], keeps) -> None:
    """Draw tunes as a piano roll, a row for each model: time to the right, pitch up.

    Args:
        path: of the picture.
        played: model -> keys, (tunes,), and notes in semitones, (tunes, steps), -1
            behind the last.
        keeps: keys and notes -> (tunes,) bool, whether each keeps the rules.
    """
    height = 0.6 + 1.25 * len(played)
    figure, axes = plots.new_figure(
        rows=len(played), columns=PLAYED, height=height, width=11,
        sharex=True, sharey=True,
    )  # fmt: skip
    for row, (model, (keys, notes)) in enumerate(played.items()):
        good = keeps(keys, notes)
        for column in range(min(PLAYED, len(notes))):
            axis = axes[row * PLAYED + column]
            _roll(axis, notes[column], good[column])
        axes[row * PLAYED].set_ylabel(plots.label(model), fontsize=9)
    axes[0].set(xticks=range(0, 17, 4), yticks=(0, 12, 24), ylim=(-1, 25))
    figure.supxlabel("notes; a line for each bar", fontsize=9)
    figure.supylabel("semitones", fontsize=9)
    figure.suptitle("Tunes that were played; green: all rules kept")
    plots.save(figure, path)


def _roll(axis, notes: np.ndarray, good: bool) -> None:
    """Draw a tune: a bar for each note."""
    heard = notes[notes >= 0]
    colour = plots.COLOURS[2] if good else plots.COLOURS[1]
    axis.barh(heard, 0.9, left=np.arange(len(heard)), height=1.4, color=colour)
    axis.set_xlim(0, 17)
