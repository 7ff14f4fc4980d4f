"""The command `draw` of the generate experiment: a run's model draws."""

import re
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from rnn_tf import files
from rnn_tf.data.drawings import ndjson, svg
from rnn_tf.data.drawings.folder import choose_classes
from rnn_tf.errors import InputError, warn
from rnn_tf.models.drawing import to_drawings
from rnn_tf.recipe import saved_model
from rnn_tf.runs import run_folder
from rnn_tf.text import printable, quote

MOST = 1_000  # drawings
ROUNDS = 5  # of drawing anew what came out empty


def draw(
    model: Path,
    name: Annotated[str, tyro.conf.arg(name="class")],
    n: int = 16,
    temperature: float = 0.4,
    seed: int = 1,
    out: Path | None = None,
) -> None:
    """Draw by the model that a run has chosen: a picture, and drawings for `predict`.

    Args:
        model: The run's folder, results/generate/<run>.
        name: What to draw, one of the model's classes.
        n: Drawings to make.
        temperature: Above 0; low takes what is likeliest, 1 draws as the model expects.
        seed: Same seed, same drawings.
        out: Files to write, without .svg and .ndjson; by default named by the class.
    """
    _check(n, temperature, seed)
    info, path = run_folder.find_chosen_model(model, "generate")
    classes = info["data"]["classes"]
    (name,) = choose_classes([name], classes, model)
    # A run, and so its classes, may come from anywhere: no path, and no ../.
    out = out or Path(re.sub(r"[^\w-]+", "_", name))
    if not out.parent.is_dir() or out.is_dir():
        raise InputError(f"--out is {quote(out)}; name files in a folder that exists")
    artist = saved_model.load_artist(path, len(classes))
    limit, label = _limit(info, model), classes.index(name)
    if "unconditional" in info["chosen"]:
        warn("the run's best model is told no class: it draws whatever it likes")
    drawings = _drawings(artist, label, n, (temperature, limit, seed))
    lines = "".join(f"{ndjson.encode(drawing, name)}\n" for drawing in drawings)
    title = printable(f"{name}, drawn at temperature {temperature:g}")
    with files.disk_errors(out.parent):
        files.write_text(Path(f"{out}.svg"), svg.grid(drawings, title))
        files.write_text(Path(f"{out}.ndjson"), lines)
    points = np.mean([len(drawing) for drawing in drawings])
    print(printable(f"{out}.svg and {out}.ndjson: {n} x {name}, {points:.0f} points"))


def _check(n: int, temperature: float, seed: int) -> None:
    """Check the options of the draws, or raise InputError."""
    if not 0 < n <= MOST:
        raise InputError(f"--n is {n}; it can be 1 to {MOST:,}")
    if not 0 < temperature <= 100:
        raise InputError(
            f"--temperature is {temperature:g}; it must be above 0, and at most 100"
        )
    if seed < 0:
        raise InputError(f"--seed is {seed}; it must be at least 0")


def _limit(info: dict, folder: Path) -> int:
    """Read from config.json how many points a drawing has at most."""
    limit = info["data"].get("limit")
    if isinstance(limit, int) and 0 < limit <= 10_000:
        return limit
    raise InputError(f"{folder / 'config.json'} has no sound limit; take another run")


def _drawings(artist, label: int, n: int, how: tuple) -> list[np.ndarray]:
    """Draw `n` drawings; those that are empty are drawn anew."""
    (temperature, limit, seed), drawings = how, []
    for again in range(ROUNDS):
        drawn = artist(np.full(n, label), temperature, limit, seed + again * MOST)
        if not again and not drawn.ended.all():
            count = n - int(drawn.ended.sum())
            warn(f"{count} of {n} drawings did not end by themselves, but were cut off")
        drawings += [one for one in to_drawings(drawn) if one is not None]
        if len(drawings) >= n:
            return drawings[:n]
    raise InputError("the model draws next to nothing; train one for longer")
