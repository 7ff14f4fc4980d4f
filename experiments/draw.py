"""Write a page on which a person draws, a network guesses, and another one draws on.

    make draw                                        results/draw.html, in a second
    make draw ARGS="--classifier RUN"                with your own, results/sketch/<run>
    make draw ARGS="--generator RUN"                 results/generate/<run>

The page needs no server and loads nothing: open it in a browser, on a phone too. By
default it has the small networks that ship with the project, of 20 classes of Quick,
Draw!; README.md beside them has the commands that trained them, and their scores.
`--pack` makes a run's networks those that ship.
"""

import contextlib
import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import lazy_loader
import numpy as np

from experiments import sketch
from rnn_tf import config, files
from rnn_tf.errors import InputError
from rnn_tf.recipe import saved_model
from rnn_tf.report import drawing_networks, drawing_page
from rnn_tf.report.drawing_networks import KINDS, Network, halve
from rnn_tf.runs import run_folder
from rnn_tf.text import printable

keras = lazy_loader.load("keras")

EXPERIMENTS = {"classifier": "sketch", "generator": "generate"}
# How a run gets a network that the page can run.
ADVICE = {
    "classifier": "--models conv_lstm, or another that minds the padding",
    "generator": "an LSTM that is told the class, alone or the first of several seeds",
}

# ---------------------------------------------------------------- networks of runs


def from_run(kind: str, run: Path) -> Network:
    """Read the network that a run has chosen; TensorFlow starts here.

    Raises:
        InputError: it is no finished run of the kind's experiment, or its model is none
            that the page can run.
    """
    info, path = run_folder.find_chosen_model(run, EXPERIMENTS[kind])
    model = saved_model.load_model(path)
    with _refused(kind, path):
        about, arrays = READERS[kind](model, info["data"])
        begin, scores = _best_temperature(run, info)
        origin = _origin(info) | {"scores": _scores(run, info) + scores}
        about |= {"kind": kind, "classes": info["data"]["classes"], "origin": origin}
    return Network(about | begin, halve(arrays, path))


@contextlib.contextmanager
def _refused(kind: str, path: Path) -> Iterator[None]:
    """Turn what a model of another shape raises into an InputError."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise InputError(
            f"{path} is not a network that the page can run ({reason}); take a run "
            f"with {ADVICE[kind]}"
        ) from None


def _require(fits, reason: str) -> None:
    """Raise a ValueError unless it fits; an assert is gone under `python -O`."""
    if not fits:
        raise ValueError(reason)


def _classifier(model, data: dict) -> tuple[dict, dict[str, np.ndarray]]:
    """Read a network of `sketch.conv_lstm`, or the mean of several: layers, arrays."""
    members = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    _require(members, "it has no members")
    layers, arrays = zip(*(_member(m, n) for n, m in enumerate(members)), strict=True)
    about = {"scale": float(data["padding"]["scale"]), "place": sketch.PLACE}
    together = {name: array for some in arrays for name, array in some.items()}
    return about | {"members": list(layers)}, together


def _member(model, number: int) -> tuple[list[dict], dict[str, np.ndarray]]:
    """Read a network layer by layer: convolutions, LSTMs, a pool, a dense layer."""
    learned = [layer for layer in model.layers if layer.weights]
    kinds = [type(layer).__name__ for layer in learned]
    convolutions = kinds.count("Conv1D")
    lstms = kinds.count("LSTM")
    expected = [*["Conv1D", "LayerNormalization"] * convolutions, *["LSTM"] * lstms]
    _require(
        lstms and kinds == [*expected, "Dense"], f"its layers are {', '.join(kinds)}"
    )
    named = {f"{number}.{n}": layer for n, layer in enumerate(learned)}
    arrays = {k: a for name, layer in named.items() for k, a in _arrays(name, layer)}
    steps = [_step(name, named[name]) for name in list(named)[: 2 * convolutions]]
    steps += _recurrent({n: x for n, x in named.items() if "LSTM" in type(x).__name__})
    *_, (name, output) = named.items()
    width = sum(arrays[f"{steps[-1][d]}.recurrent"].shape[0] for d in _ways(steps[-1]))
    _require(output.kernel.shape[0] == 2 * width, "its LSTMs are not pooled")
    _require(output.kernel.shape[1] == model.output_shape[1], "it is no classifier")
    return [*steps, {"type": "output", "name": name}], arrays


def _step(name: str, layer) -> dict:
    """Describe a convolution, or its normalisation."""
    if type(layer).__name__ == "LayerNormalization":
        return {"type": "normalisation", "name": name, "epsilon": float(layer.epsilon)}
    return {"type": "convolution", "name": name, "stride": int(layer.strides[0])}


def _recurrent(named: dict) -> list[dict]:
    """Describe LSTMs, in pairs where they go both ways.

    A backward one reads what `layers.masked_reverse` gives, which ends in a `take`.
    """
    reads = {name: x.input._keras_history.operation for name, x in named.items()}
    backward = [n for n, source in reads.items() if type(source).__name__ == "Take"]
    forward = [name for name in named if name not in backward]
    if not backward:
        backward = [None] * len(forward)
    pairs = zip(forward, backward, strict=True)
    return [{"type": "recurrent", "forward": f, "backward": b} for f, b in pairs]


def _ways(step: dict) -> list[str]:
    return [way for way in ("forward", "backward") if step[way]]


def _generator(model, data: dict) -> tuple[dict, dict[str, np.ndarray]]:
    """Read a network that draws by its layers' names: scale, arrays."""
    layers = {layer.name: layer for layer in model._flatten_layers()}
    names = "embedding begin_state begin_cell recurrent mixture".split()
    missing = [name for name in names if name not in layers]
    _require(not missing, f"it has no {', '.join(missing)}")
    arrays = {k: a for name in names for k, a in _arrays(name, layers[name])}
    classes, width = arrays["embedding"].shape
    units = arrays["recurrent.recurrent"].shape[0]
    _require(classes == len(data["classes"]), "it is not told the class")
    _require(
        arrays["recurrent.kernel"].shape == (5 + width, 4 * units), "it is no LSTM"
    )
    _require(arrays["mixture.kernel"].shape == (units, 123), "it has not 20 mixtures")
    return {"scale": 1 / float(layers["scale"].scale)}, arrays


READERS = {"classifier": _classifier, "generator": _generator}


def _arrays(name: str, layer) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the arrays of a layer by the names that the page has for them."""
    holder = layer.cell if hasattr(layer, "cell") else layer
    if type(layer).__name__ == "Embedding":
        yield name, keras.ops.convert_to_numpy(layer.embeddings)
        return
    attributes = {"kernel": "kernel", "recurrent": "recurrent_kernel", "bias": "bias"}
    attributes |= {"gamma": "gamma", "beta": "beta"}
    for part, attribute in attributes.items():
        if (variable := getattr(holder, attribute, None)) is not None:
            yield f"{name}.{part}", keras.ops.convert_to_numpy(variable)


def _origin(info: dict) -> dict:
    """Say where a network comes from."""
    data = info["data"]
    return {
        **{key: info.get(key, "") for key in ("command", "commit", "dirty")},
        "data": str(data["source"]),
        "sha256": str(data.get("sha256", "")),
        "credit": "",
    }


def _scores(run: Path, info: dict) -> list[dict]:
    """Read what the chosen model of a run scored on test, the mean over its seeds."""
    own = [row for row in _rows(run / "metrics.csv") if row["model"] == info["chosen"]]
    scores = {}
    for row in own:
        seeded = row["kind"] == "ensemble" or row["seed"]
        if row["split"] == "test" and not row["slice"] and seeded:
            key = row["metric"], row["unit"]
            scores.setdefault(key, []).append(float(row["value"]))
    return [
        {"metric": metric, "value": float(np.mean(values)), "unit": unit}
        for (metric, unit), values in scores.items()
        if not metric.endswith(("_mean", "_difference"))
    ]


def _best_temperature(run: Path, info: dict) -> tuple[dict, list[dict]]:
    """Read at which temperature a generator draws best, and how well, if that is known.

    Returns:
        What the page begins with; and scores.
    """
    rows = [
        row
        for row in _rows(run / "drawn.csv")
        if row["model"] == info["chosen"] and row["chosen"] == "1"
    ]
    if not rows:
        return {}, []
    degrees = float(rows[0]["temperature"])
    scores = [
        {
            "metric": f"{name.replace('_', ' ')} at temperature {degrees:g}",
            "value": float(np.mean([float(row[name]) for row in rows])),
            "unit": "%",
        }
        for name in ("recognised", "recognised_by_other", "ended")
    ]
    return {"temperature": degrees}, scores


def _rows(path: Path) -> list[dict]:
    """Read a table of a run; without one, nothing is known."""
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path} is damaged ({error}); take another run") from None


# ---------------------------------------------------------------- run


def main(
    classifier: Path | None = None,
    generator: Path | None = None,
    model: Path | None = None,
    pack: bool = False,
    results: Path = Path("results"),
) -> None:
    """Write results/draw.html: draw, see what a network guesses, let another go on.

    Args:
        classifier: Folder of a run of sketch, for its network; else the one that ships.
        generator: Folder of a run of generate, for its network; else as above.
        model: Folder of a run of either.
        pack: Make the networks of these runs those that ship.
        results: Folder that the page is written to.
    """
    runs = {"classifier": classifier, "generator": generator}
    runs = {kind: run for kind, run in runs.items() if run is not None}
    if model is not None:
        runs.setdefault(_kind(model), model)
    if pack and not runs:
        raise InputError("--pack has no run; name one by --classifier or --generator")
    networks = {kind: _network(kind, runs.get(kind)) for kind in KINDS}
    if pack:
        networks = {kind: _credited(network) for kind, network in networks.items()}
        drawing_networks.ship(networks)
    with files.disk_errors(results):
        results.mkdir(parents=True, exist_ok=True)
    path = results / "draw.html"
    files.write_text(path, drawing_page.page(networks))
    size = path.stat().st_size / 1e6
    print(f"{printable(str(path))} ({size:.1f} MB): open it in a browser, and draw")


def _kind(run: Path) -> str:
    """Find of which kind a run's network is."""
    for kind, experiment in EXPERIMENTS.items():
        with contextlib.suppress(InputError):
            run_folder.find_chosen_model(run, experiment)
            return kind
    raise InputError(
        f"{run} is not the folder of a finished run of sketch or generate; give one "
        "like --model results/sketch/20260101-120000-ab12"
    )


def _network(kind: str, run: Path | None) -> Network:
    if run is not None:
        return from_run(kind, run)
    return drawing_networks.read(drawing_networks.SHIPPED / f"{kind}.npz", kind)


def _credited(network: Network) -> Network:
    """Name those who made the drawings; doodles are the project's own."""
    origin = network.about["origin"]
    credit = "" if origin["data"] == "doodles" else drawing_networks.QUICK_DRAW
    about = network.about | {"origin": origin | {"credit": credit}}
    return Network(about, network.tensors)


if __name__ == "__main__":
    raise SystemExit(config.program("python -m experiments.draw", sys.argv[1:], main))
