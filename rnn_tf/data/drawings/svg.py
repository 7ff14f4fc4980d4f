"""Write drawings as a picture that any browser shows."""

import math
from collections.abc import Sequence

import numpy as np

from rnn_tf.data.drawings.stroke3 import BOX, to_strokes

MARGIN = 20  # units around each drawing
CELL = BOX + 2 * MARGIN


def grid(drawings: Sequence[np.ndarray], title: str) -> str:
    """Write drawings in rows and columns, as square as they fit, as an SVG.

    Args:
        drawings: stroke-3 in a box of 255, (points, 3) each.
        title: what a screen reader says of it.
    """
    columns = max(1, math.ceil(math.sqrt(len(drawings))))
    rows = -(-len(drawings) // columns)
    width, height = columns * CELL, rows * CELL
    text = title.replace("&", "&amp;").replace("<", "&lt;")
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'role="img">',
        f"<title>{text}</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        '<g fill="none" stroke="black" stroke-width="4" stroke-linecap="round" '
        'stroke-linejoin="round">',
    ]
    for number, drawing in enumerate(drawings):
        row, column = divmod(number, columns)
        corner = np.array([column, row]) * CELL + MARGIN
        lines.append(f'<path d="{_path(drawing, corner)}"/>')
    return "\n".join([*lines, "</g>", "</svg>", ""])


def _path(drawing: np.ndarray, corner: np.ndarray) -> str:
    """Write the strokes of a drawing, in the middle of its cell, as a path's data."""
    strokes = to_strokes(drawing)
    size = np.concatenate(strokes).max(axis=0)
    places = [stroke + corner + (BOX - size) / 2 for stroke in strokes]
    # A stroke of one point is a dot: a line to where it is.
    parts = [np.vstack([p, p]) if len(p) == 1 else p for p in places]
    return " ".join("M" + " L".join(f"{x:g},{y:g}" for x, y in p) for p in parts)
