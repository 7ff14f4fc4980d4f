"""A pre-trained CNN with its last layer cut off: features of each frame, computed once.

MobileNetV2 (Sandler et al., 2018, arXiv:1801.04381), trained on ImageNet, its weights
from a file or from Keras's cache; without them there are no features.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf import files
from rnn_tf.data import download
from rnn_tf.data.video import batches
from rnn_tf.data.video.batches import Part
from rnn_tf.errors import InputError

keras = lazy_loader.load("keras")
pooch = lazy_loader.load("pooch")

SIDE = 96  # pixels of a frame, as the CNN sees it
COUNT = 1280  # features of a frame
CHUNK = 16  # clips at a time


def cache() -> Path:
    """Return the folder where Keras keeps the weights that it has downloaded."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"


def find_weights(file: Path | None) -> Path | None:
    """Return the given file, else one in Keras's cache; None if there is none.

    Raises:
        InputError: the given file does not exist.
    """
    if file is not None:
        if not file.is_file():
            raise InputError(f"--weights {file} does not exist")
        return file
    cached = sorted(cache().glob("mobilenet_v2_weights_*_1.0_*_no_top.h5"))
    return cached[0] if cached else None


def describe_missing_weights() -> str:
    """Say where weights were looked for, and how to get them."""
    return (
        f"no weights of MobileNetV2 in {cache()}; give a file with --weights, or fetch "
        "them once by python -c 'import keras; keras.applications.MobileNetV2((96, 96, "
        "3), include_top=False)'"
    )


def build_network(shape: tuple[int, ...], file: Path | None):
    """Build MobileNetV2 without its last layer, applied to each frame.

    (batch, frames, side, side, channels), 0 to 255 -> (batch, frames, 1280).

    Args:
        shape: of a clip.
        file: with the weights; None initialises them at random, for a caller that sets
            them itself.

    Raises:
        InputError: the weights are not those of MobileNetV2 without its last layer.
    """
    inputs = keras.Input(shape, name="clips")
    x = keras.ops.cast(inputs, "float32") / 127.5 - 1
    x = keras.ops.reshape(x, (-1, *shape[1:]))
    x = keras.ops.repeat(x, 3 // shape[-1], axis=-1)
    x = keras.ops.image.resize(x, (SIDE, SIDE))
    try:
        cnn = keras.applications.MobileNetV2(
            (SIDE, SIDE, 3), include_top=False, pooling="avg", weights=file
        )
    except (ValueError, OSError, KeyError) as error:
        reason = str(error).splitlines()[0][:200]
        raise InputError(
            f"{file} does not hold the weights of MobileNetV2 without its last layer "
            f"({reason}); give another with --weights"
        ) from None
    cnn.trainable = False
    x = keras.ops.reshape(cnn(x, training=False), (-1, shape[0], COUNT))
    return keras.Model(inputs, x, name="features")


@dataclass(frozen=True)
class Features:
    """The features of the clips of one part, on disk."""

    stored: np.ndarray  # (clips, frames, 1280) float16
    labels: np.ndarray  # (videos,) int16
    per_video: int  # clips of a video

    def clips(self, which: np.ndarray) -> np.ndarray:
        """Read the features of the clips numbered `which`.

        (clips, frames, 1280) float16.
        """
        return self.stored[which]


def cached_features(part: Part, file: Path) -> Features:
    """Read the features of a part from the cache; compute them first if they are new.

    Args:
        part: the clips.
        file: with the weights.
    """
    which = np.arange(len(part.labels) * part.per_video)
    cuts = np.split(which, range(CHUNK, len(which), CHUNK))
    digest = hashlib.sha256(f"1 {pooch.file_hash(file)}".encode())
    for cut in cuts:
        digest.update(part.clips(cut).tobytes())
    path = download.cache() / f"features-{digest.hexdigest()[:32]}"
    shape = part.clips(which[:1]).shape
    size = len(which) * shape[1] * COUNT * 2  # bytes; a power cut may have left fewer
    if not path.is_file() or path.stat().st_size != size:
        path.parent.mkdir(parents=True, exist_ok=True)
        cnn = build_network(shape[1:], file)
        with files.atomic_file(path) as temporary, temporary.open("wb") as written:
            for cut in cuts:
                _compute(cnn, part.clips(cut)).tofile(written)
    stored = np.memmap(path, "float16", "r", shape=(len(which), shape[1], COUNT))
    return Features(stored, part.labels, part.per_video)


def _compute(cnn, x: np.ndarray) -> np.ndarray:
    """Compute the features of clips: (clips, frames, 1280) float16.

    The frames of the padding get exactly those of the last real frame, so that
    `layers.frame_mask` finds the padding again.
    """
    features = cnn.predict_on_batch(x).astype("float16")
    last = batches.frame_mask(x).sum(axis=1, keepdims=True) - 1
    step = np.minimum(np.arange(x.shape[1]), last)
    return np.take_along_axis(features, step[..., None], axis=1)
