"""A pre-trained CNN with its last layer cut off: features of each frame, computed once.

MobileNet (Howard et al., 2017, arXiv:1704.04861) or MobileNetV2 (Sandler et al., 2018,
arXiv:1801.04381), trained on ImageNet, its weights from a file or from Keras's cache;
without them there are no features. Beside it stands the same network with random
weights, for what features are worth that have learned nothing.
"""

import hashlib
import math
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import lazy_loader
import numpy as np

from rnn_tf import files
from rnn_tf.data import download
from rnn_tf.data.video import batches
from rnn_tf.data.video.batches import Part
from rnn_tf.errors import InputError

h5py = lazy_loader.load("h5py")
keras = lazy_loader.load("keras")
pooch = lazy_loader.load("pooch")

SIDE = 96  # pixels of a frame, as the CNN sees it
CHUNK = 16  # clips at a time


@dataclass(frozen=True)
class Network:
    """A network of `keras.applications`, and how many features it has of a frame."""

    name: str
    alpha: float  # its width, as a share of the published one's
    features: int


# How many numbers its file has, without the last layer -> whose weights they are.
NETWORKS = {
    218_544: Network("MobileNet", 0.25, 256),
    829_536: Network("MobileNet", 0.5, 512),
    1_832_976: Network("MobileNet", 0.75, 768),
    3_228_864: Network("MobileNet", 1.0, 1024),
    410_208: Network("MobileNetV2", 0.35, 1280),
    706_224: Network("MobileNetV2", 0.5, 1280),
    1_382_064: Network("MobileNetV2", 0.75, 1280),
    2_257_984: Network("MobileNetV2", 1.0, 1280),
    3_766_048: Network("MobileNetV2", 1.3, 1664),
    4_363_712: Network("MobileNetV2", 1.4, 1792),
}


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
    cached = sorted(cache().glob("mobilenet*_no_top.h5"))
    return cached[0] if cached else None


def network_of(file: Path) -> Network:
    """Tell whose weights a file holds, by how many numbers it has.

    Raises:
        InputError: it is no HDF5 file, or holds those of no known network.
    """
    counts = []

    def count(_, entry) -> None:
        counts.append(getattr(entry, "size", 0))  # groups have none

    try:
        with h5py.File(file) as stored:
            stored.visititems(count)
    except OSError as error:
        reason = str(error).splitlines()[0][:200]
    else:
        if sum(counts) in NETWORKS:
            return NETWORKS[sum(counts)]
        reason = f"{sum(counts):,} numbers"
    raise InputError(
        f"{file} does not hold the weights of a MobileNet or MobileNetV2 without its "
        f"last layer ({reason}); give another with --weights"
    )


def describe_missing_weights() -> str:
    """Say where weights were looked for, and how to get them."""
    return (
        f"no weights of MobileNetV2 in {cache()}; give a file with --weights, or fetch "
        "them once by python -c 'import keras; keras.applications.MobileNetV2((96, 96, "
        "3), include_top=False)'"
    )


def build_network(shape: tuple[int, ...], file: Path, random: bool = False):
    """Build the network of a file without its last layer, applied to each frame.

    (batch, frames, side, side, channels), 0 to 255 -> (batch, frames, features).

    Args:
        shape: of a clip.
        file: with the weights.
        random: give it random weights in their place, always the same.

    Raises:
        InputError: the weights are those of no known network, or damaged.
    """
    network = network_of(file)
    inputs = keras.Input(shape, name="clips")
    x = keras.ops.cast(inputs, "float32") / 127.5 - 1
    x = keras.ops.reshape(x, (-1, *shape[1:]))
    x = keras.ops.repeat(x, 3 // shape[-1], axis=-1)
    x = keras.ops.image.resize(x, (SIDE, SIDE))
    build = getattr(keras.applications, network.name)
    same = {"alpha": network.alpha, "include_top": False, "pooling": "avg"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # that it has skipped a layer
            cnn = build((SIDE, SIDE, 3), weights=None if random else file, **same)
    except (ValueError, OSError, KeyError, UserWarning) as error:
        reason = str(error).splitlines()[0][:200]
        raise InputError(
            f"{file} is damaged ({reason}); give another with --weights"
        ) from None
    if random:
        cnn.set_weights(random_weights(cnn.get_weights()))
    cnn.trainable = False
    x = keras.ops.reshape(cnn(x, training=False), (-1, shape[0], network.features))
    return keras.Model(inputs, x, name="features")


def random_weights(weights: list[np.ndarray]) -> list[np.ndarray]:
    """Draw kernels anew, always the same, that keep the scale of what goes through.

    Normal, with variance 2 over the inputs of a sum (He et al., 2015,
    arXiv:1502.01852); each filter of a depthwise convolution sums over one channel.
    """
    random = np.random.default_rng(1)

    def draw(kernel: np.ndarray) -> np.ndarray:
        if kernel.ndim < 4:  # scales and statistics of batch normalisation
            return kernel
        depthwise = kernel.shape[3] == 1
        inputs = np.prod(kernel.shape[: 2 if depthwise else 3])
        drawn = random.normal(scale=np.sqrt(2 / inputs), size=kernel.shape)
        return drawn.astype(kernel.dtype)

    return [draw(kernel) for kernel in weights]


@dataclass(frozen=True)
class Features:
    """The features of the clips of one part, on disk."""

    stored: np.ndarray  # (clips, frames, features) float16
    labels: np.ndarray  # (videos,) int16
    per_video: int  # clips of a video

    def clips(self, which: np.ndarray) -> np.ndarray:
        """Read the features of the clips numbered `which`.

        (clips, frames, features) float16.
        """
        return self.stored[which]


def cached_features(part: Part, file: Path, random: bool = False) -> Features:
    """Read the features of a part from the cache; compute them first if they are new.

    Args:
        part: the clips.
        file: with the weights.
        random: of the same network with random weights.
    """
    which = np.arange(len(part.labels) * part.per_video)
    cuts = np.split(which, range(CHUNK, len(which), CHUNK))
    kind = "random" if random else "1"
    digest = hashlib.sha256(f"{kind} {pooch.file_hash(file)}".encode())
    for cut in cuts:
        digest.update(part.clips(cut).tobytes())
    path = download.cache() / f"features-{digest.hexdigest()[:32]}"
    clip = part.clips(which[:1]).shape[1:]
    shape = len(which), clip[0], network_of(file).features
    size = 2 * math.prod(shape)  # bytes; a power cut may have left fewer
    if not path.is_file() or path.stat().st_size != size:
        path.parent.mkdir(parents=True, exist_ok=True)
        cnn = build_network(clip, file, random)
        with files.atomic_file(path) as temporary, temporary.open("wb") as written:
            for cut in cuts:
                _compute(cnn, part.clips(cut)).tofile(written)
    stored = np.memmap(path, "float16", "r", shape=shape)
    return Features(stored, part.labels, part.per_video)


def _compute(cnn, x: np.ndarray) -> np.ndarray:
    """Compute the features of clips: (clips, frames, features) float16.

    The frames of the padding get exactly those of the last real frame, so that
    `clips.frame_mask` finds the padding again.
    """
    features = cnn.predict_on_batch(x).astype("float16")
    last = batches.frame_mask(x).sum(axis=1, keepdims=True) - 1
    step = np.minimum(np.arange(x.shape[1]), last)
    return np.take_along_axis(features, step[..., None], axis=1)
