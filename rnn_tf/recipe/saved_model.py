"""Load a model that a run has saved, from a folder that may come from anywhere."""

import contextlib
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf.devices import backend
from rnn_tf.errors import InputError
from rnn_tf.models import drawing, mixture_density, sampling

keras = lazy_loader.load("keras")

# Where the parts of a model come from. Keras's safe mode alone has had holes: Keras
# 3.10, the oldest allowed here, could be made to run code or to read files
# (CVE-2025-8747, CVE-2025-9906, CVE-2025-12058).
MODULES = {
    *("keras", "keras.layers", "keras.initializers", "keras.models"),
    *("keras.src.models.functional", "keras.src.models.sequential"),
    *("keras.src.ops.core", "keras.src.ops.nn", "keras.src.ops.numpy"),
}
# Layers that run code of the file's, or read files that it names.
UNSAFE = {
    *("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"),
    *("StringLookup", "IntegerLookup", "TextVectorization", "Hashing"),
}
UNPACKED, RATIO = 4 << 30, 100  # bytes; Keras does not compress
CONTEXT = 1_000  # tokens that a language model without a state may see, at most
LARGEST = 1_000_000  # numbers of a model, such as its units, are smaller


def load_classifier(path: Path, classes: int) -> Callable[[np.ndarray], np.ndarray]:
    """Load a saved classifier; TensorFlow starts here.

    Args:
        path: a `.keras` file.
        classes: how many the model must tell apart.

    Returns:
        A function: examples -> their probabilities, (examples, classes). It raises
        InputError if the model cannot take the examples, or is no classifier.

    Raises:
        InputError: the file is damaged, or asks for what no model of this project
            needs.
    """
    model = _load(path)

    def predict(examples: np.ndarray) -> np.ndarray:
        with _refused(path):
            rows = np.asarray(model.predict(examples, verbose=0))
            if rows.shape != (len(examples), classes):
                raise ValueError(f"it gives {rows.shape[1:]}, for {classes} classes")
            if not (rows.min() >= 0 and np.allclose(rows.sum(axis=1), 1, atol=1e-3)):
                raise ValueError("what it gives are not probabilities")
            return rows

    return predict


def load_speaker(path: Path, vocabulary: int) -> Callable[[int], np.ndarray]:
    """Load a saved language model; TensorFlow starts here.

    Args:
        path: a `.keras` file.
        vocabulary: the tokens that it must know.

    Returns:
        A function, see `sampling.Speaker`. It raises InputError if the model is no
        language model.

    Raises:
        InputError: as `load_classifier`.
    """
    model = _load(path)
    with _refused(path):
        speaker = sampling.network_speakers(model, _context(model))()

    def speak(token: int) -> np.ndarray:
        with _refused(path):
            p = speaker(token)
            if p.shape != (vocabulary,) or not np.isclose(p.sum(), 1, atol=1e-3):
                raise ValueError(f"it gives no probabilities of {vocabulary} tokens")
            return p

    return speak


def _context(model) -> int:
    """Ask a language model how many tokens it takes before those it continues."""
    steps = CONTEXT + 1
    context = steps - model(np.zeros((1, steps), "int32")).shape[1]
    if not 0 <= context <= CONTEXT:
        raise ValueError(f"it leaves {steps - context} of {steps} tokens")
    return context


def load_translator(path: Path, sizes: tuple[int, int]):
    """Load a saved translator; TensorFlow starts here.

    Args:
        path: a `.keras` file.
        sizes: source and target tokens that the model must know.

    Returns:
        The model, as `models.translation` takes it.

    Raises:
        InputError: as `load_classifier`, or the model translates something else.
    """
    model = _load(path)
    with _refused(path):
        source = np.array([[sizes[0] - 1, 1]], "int32")
        target = np.full((1, model.inputs[-1].shape[1] or 2), sizes[1] - 1, "int32")
        logits = np.asarray(model([source, target] if model.inputs[1:] else source))
        if logits.shape[::2] != (1, sizes[1]) or not np.isfinite(logits).all():
            raise ValueError(f"it gives no logits of {sizes[1]} tokens")
    return model


def load_artist(path: Path, classes: int) -> Callable:
    """Load a saved network that draws; TensorFlow starts here.

    Args:
        path: a `.keras` file.
        classes: that it must know.

    Returns:
        A function, `drawing.draw` without its first argument. It raises InputError if
        what is drawn is no drawing.

    Raises:
        InputError: as `load_classifier`, or the model draws something else.
    """
    model = _load(path)
    with _refused(path):
        if [x.shape for x in model.inputs] != [(None, None, 5), (None,)]:
            raise ValueError("it does not take points and a class")
        points, label = np.zeros((1, 2, 5), "float32"), np.array([classes - 1], "int32")
        outputs = np.asarray(model([points, label]))
        if outputs.shape != (1, 2, mixture_density.WIDTH):
            raise ValueError(f"it gives {outputs.shape[1:]}")
        artist = drawing.artist(model)

    def draw(*arguments) -> drawing.Drawn:
        with _refused(path):
            drawn = drawing.draw(artist, *arguments)
            if not np.isfinite(drawn.points).all():
                raise ValueError("what it draws is not finite")
            return drawn

    return draw


def load_forecast(path: Path, horizon: int) -> Callable[[np.ndarray], np.ndarray]:
    """Load a saved forecast of a daily series; TensorFlow starts here.

    Args:
        path: a `.keras` file.
        horizon: the days ahead that it must give.

    Returns:
        A function: the days of a series, (days,) in its unit -> those ahead,
        (horizon,). It raises InputError if the model takes or gives something else.

    Raises:
        InputError: as `load_classifier`.
    """
    model = _load(path)

    def predict(values: np.ndarray) -> np.ndarray:
        with _refused(path):
            _, days, _ = model.input_shape
            if not 0 < days < LARGEST:
                raise ValueError(f"it takes {days} days")
            past = np.concatenate([np.full(days, np.nan), values])[-days:]
            ahead = np.asarray(model.predict(past[None, :, None], verbose=0))
            if ahead.shape != (1, horizon) or not np.isfinite(ahead).all():
                raise ValueError(f"it does not give {horizon} days")
            return ahead[0].astype(float)

    return predict


def load_model(path: Path):
    """Load a saved model for its weights; TensorFlow starts here.

    Raises:
        InputError: as `load_classifier`.
    """
    return _load(path)


def _load(path: Path):
    """Check a `.keras` file, and load its model, which is not compiled."""
    _check_archive(path)
    backend.import_tensorflow()
    with _refused(path):
        return keras.saving.load_model(path, compile=False, safe_mode=True)


def _check_archive(path: Path) -> None:
    """Check what is in a `.keras` file, before Keras opens it, or raise InputError."""
    with _refused(path), zipfile.ZipFile(path) as archive:
        sizes = [info.file_size for info in archive.infolist()]
        if sum(sizes) > min(UNPACKED, RATIO * path.stat().st_size):
            raise ValueError(f"{sum(sizes):,} bytes unpacked are too many")
        for part in _parts(json.loads(archive.read("config.json"))):
            _check_part(part)


def _parts(config) -> Iterator[dict]:
    """Yield every dict of a model's configuration, however deep."""
    if isinstance(config, dict):
        yield config
    if isinstance(config, (dict, list)):
        for value in config.values() if isinstance(config, dict) else config:
            yield from _parts(value)


def _check_part(part: dict) -> None:
    name, module = part.get("class_name"), part.get("module")
    inside = module in MODULES or (module is None and str(name).startswith("__"))
    if "class_name" in part and (not inside or name in UNSAFE):
        raise ValueError(f"it asks for {f'{module}.{name}'[:80]}: do not trust it")
    for key, value in part.items():
        large = isinstance(value, (int, float)) and abs(value) > LARGEST
        if large and key != "shared_object_id":  # an address
            raise ValueError(f"its {key[:80]!r} is {value:g}")


@contextlib.contextmanager
def _refused(path: Path) -> Iterator[None]:
    """Turn whatever a damaged file raises into an InputError that names it."""
    try:
        yield
    except Exception as error:
        line = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise InputError(
            f"{path} is not a sound model of this project ({line}); take another run"
        ) from None
