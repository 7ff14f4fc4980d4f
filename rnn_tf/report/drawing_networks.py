"""Keep the networks of the drawing page: an .npz file each, 16 bits a number.

A file holds arrays of float16 and a text of JSON, and nothing that is executed. The
README beside the shipped files is made from what they say of themselves.
"""

import base64
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_tf import files
from rnn_tf.errors import InputError, first_line
from rnn_tf.metrics.formatting import number
from rnn_tf.report.markdown import code, escape, pipe_table

SHIPPED = Path(__file__).with_name("drawing_weights")
KINDS = "classifier", "generator"
LIMIT = 3_000_000  # bytes of the files of both
QUICK_DRAW = (
    "Drawings: Google, Inc., Quick, Draw! (https://quickdraw.withgoogle.com/data), "
    "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)"
)
README = """\
# The networks of `make draw`

16-bit numbers and JSON, of which nothing is executed; the page computes in 32 bits.
These files and this page were written by

    python -m experiments.draw --classifier RUN --generator RUN --pack

from runs that these commands made:

{commands}

{table}

Where both learned from the same drawings, the classifier finds what the generator draws
easier to name than a stranger would. {credit}.
"""


@dataclass(frozen=True)
class Network:
    """What the page needs of a network.

    `about`, JSON, has `kind`, one of `KINDS`; `classes`, their names; `scale`, by which
    steps in a box of 255 are divided; of a classifier `place`, by which places are
    divided besides, and `members`, a list of layers for each network of which it is the
    mean; of a generator at times `temperature`, at which it draws best; and `origin`,
    which run it is of: command, commit, dirty, data, sha256, scores, credit.
    """

    about: dict
    tensors: dict[str, np.ndarray]  # float16, in the order of the file

    def pack(self) -> bytes:
        """Return the bytes of the file."""
        file = io.BytesIO()
        np.savez_compressed(file, about=json.dumps(self.about), **self.tensors)
        return file.getvalue()

    def page_json(self) -> str:
        """Return what the page reads beside the numbers, as JSON without a `<`."""
        shapes = [[name, array.shape] for name, array in self.tensors.items()]
        text = json.dumps(self.about | {"tensors": shapes}, ensure_ascii=True)
        return text.replace("<", "\\u003c")

    def page_numbers(self) -> str:
        """Return all numbers end to end, little-endian float16, as base64."""
        arrays = [array.astype("<f2").tobytes() for array in self.tensors.values()]
        return base64.b64encode(b"".join(arrays)).decode("ascii")


def halve(arrays: dict[str, np.ndarray], place: Path) -> dict[str, np.ndarray]:
    """Round arrays to float16.

    Raises:
        InputError: one holds what 16 bits cannot.
    """
    with np.errstate(over="ignore"):
        halves = {name: array.astype("float16") for name, array in arrays.items()}
    for name, array in halves.items():
        if not np.isfinite(array).all():
            raise InputError(
                f"{place} has weights beyond 65,504 or none at all, in {name}, which "
                "the 16 bits of the page cannot hold; take another run"
            )
    return halves


def read(path: Path, kind: str) -> Network:
    """Read the file of a network.

    Raises:
        InputError: it is not there, damaged, or of the other kind.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            about = json.loads(arrays["about"].item())
            tensors = {name: arrays[name] for name in arrays.files if name != "about"}
        if about["kind"] != kind:
            raise ValueError(f"it is a {about['kind']}")
        kinds = {array.dtype for array in tensors.values()}
        if kinds != {np.dtype("float16")}:
            raise ValueError(f"it holds {kinds}")
        return Network(about, tensors)
    except Exception as error:  # damaged bytes can raise anything
        raise InputError(
            f"{path} is no {kind} of the page ({first_line(error)}); name a run with "
            f"--{kind}, or restore the file"
        ) from None


def ship(networks: dict[str, Network], folder: Path = SHIPPED) -> None:
    """Write the networks that ship, and the README beside them.

    Raises:
        InputError: together they are too large.
    """
    packed = {kind: network.pack() for kind, network in networks.items()}
    size = sum(map(len, packed.values()))
    if size > LIMIT:
        raise InputError(
            f"the networks have {size:,} bytes, and at most {LIMIT:,} ship; take "
            "smaller ones, or one network and no ensemble (--seeds 1)"
        )
    for kind, data in packed.items():
        files.write_bytes(folder / f"{kind}.npz", data)
    files.write_text(folder / "README.md", readme(networks, packed))


def readme(networks: dict[str, Network], packed: dict[str, bytes]) -> str:
    """Write the README of the shipped files: commands, commits, data, scores."""
    origins = {kind: network.about["origin"] for kind, network in networks.items()}
    rows = [
        [
            f"{kind}.npz",
            f"{len(packed[kind]):,}",
            f"{sum(a.size for a in networks[kind].tensors.values()):,}",
            f"{len(networks[kind].about['classes'])}",
            escape(origin["data"]),
            origin["sha256"][:12],
            origin["commit"][:7] + (", changed" if origin["dirty"] else ""),
            escape(scores(origin)),
        ]
        for kind, origin in origins.items()
    ]
    headings = ["file", "bytes", "weights", "classes", "data", "its sha256", "commit"]
    table = pipe_table(rows, [*headings, "on test"], ["left"] * (len(headings) + 1))
    commands = "\n".join(
        f"- {kind}: {code(origin['command'])}" for kind, origin in origins.items()
    )
    credits = dict.fromkeys(o["credit"] for o in origins.values() if o["credit"])
    credit = ". ".join(credits) or "The drawings are this project's own"
    return README.format(credit=credit, table=table, commands=commands)


def scores(origin: dict) -> str:
    """Write the scores of a network's run on test."""
    return ", ".join(
        f"{row['metric']} {number(row['value'])} {row['unit']}".rstrip()
        for row in origin["scores"]
    )
