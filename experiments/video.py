"""Classify short clips: a CNN per frame and an RNN over frames, beside a 3D CNN.

    make video                                                 moving digits, quick
    make video ARGS="--size full"                              numbers to quote
    make video ARGS="--data FOLDER --size full"                a folder per class
    python -m experiments.video predict --model RUN FILE       what a file shows

The course answers with both. Whether it is time that the RNN adds shows against the
same CNN whose scores are averaged over the frames, and against the same network on
frames in random order.
"""

import dataclasses
import functools
import sys
from functools import partial
from pathlib import Path
from typing import Literal

import lazy_loader
import numpy as np

from rnn_tf import config, files
from rnn_tf.baselines.video import classifier, mean_differences, motion_numbers
from rnn_tf.config import RunConfig
from rnn_tf.data.labelled import Labelled
from rnn_tf.data.order import Order
from rnn_tf.data.splits import Data
from rnn_tf.data.video import batches, decoding, moving_digits, store, ucf101
from rnn_tf.data.video.batches import Part
from rnn_tf.data.video.folder import choose_classes, find_videos, split_by_group
from rnn_tf.errors import InputError
from rnn_tf.metrics import classification
from rnn_tf.metrics.scores import Scores
from rnn_tf.models import layers, pretrained_cnn, pretraining
from rnn_tf.models.optimizer import clipped_adam
from rnn_tf.recipe import predict, runner
from rnn_tf.recipe.experiment import Experiment, Results
from rnn_tf.report import plots
from rnn_tf.studies import cost

keras = lazy_loader.load("keras")

# ---------------------------------------------------------------- configuration


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(RunConfig):
    """Classify short clips, and see whether it is time that tells."""

    data: str = "digits"
    """digits, moving; or ucf101, downloaded once (6.96 GB); or a folder with a folder
    of video files per class, or with a clips.csv that lists files and classes."""
    classes: tuple[str, ...] = ()
    """With a folder: the classes to tell apart; all, if none is given."""
    group_column: str | None = None
    """With clips.csv: what clips share that must not be in two parts (a recording)."""
    validation_groups: tuple[str, ...] = ()
    """With a folder: groups for validation; by default a fifth, classes alike."""
    test_groups: tuple[str, ...] = ()
    """With a folder: groups for test."""
    on_bad_clip: Literal["error", "skip"] = "error"
    """With a folder: stop at a file that cannot be decoded, or count and skip it."""
    digits: int = 1_500
    """With digits, and for cnn_lstm_pretrained: how many clips to make; 80 % are for
    training."""
    frames: int | None = None
    """Frames of a clip; by default 12 of digits, 16 of a video."""
    stride: int = 3
    """With a folder: frames of a video from one that is seen to the next."""
    clips: int = 1
    """With a folder: clips of a video, spread over it. An epoch takes one of each; in
    a test their scores are averaged."""
    side: int | None = None
    """Pixels of a frame, each way; by default 24 of digits, 48 of a video."""
    colour: Literal["grey", "rgb"] = "grey"
    """With a folder: what is kept of the colours."""
    change: Literal["none", "move", "mirror", "turn"] = "none"
    """Random changes in training: none; place, size and light; also left for right;
    also turned by any angle, for cameras that look down."""
    trials: int = 0
    weights: Path | None = None
    """Of frozen_features: MobileNetV2's; by default those in Keras's cache."""
    epochs: int = 4
    models: tuple[str, ...] = ()
    """Names of the models to run; all, if none is given, or the quickest in quick."""

    def __post_init__(self):
        super().__post_init__()
        config.require_at_least(self, "digits", 160)
        config.require_at_least(self, "stride", 1)
        config.require_at_least(self, "clips", 1)
        config.require_known(self, "models", self.known)
        if self.data == "digits" and self.change in ("mirror", "turn"):
            raise InputError(
                f"--change {self.change} would make other classes of digits that move; "
                "take none or move"
            )
        if self.frames is not None:
            config.require_at_least(self, "frames", 2)
        if self.side is not None:
            config.require_at_least(self, "side", 16)

    @property
    def known(self) -> dict:
        """Name -> build(hp, config, shape) of all models that fit the data."""
        return MODELS if self.data == "digits" else MODELS | FOR_VIDEOS

    @property
    def names(self) -> tuple[str, ...]:
        """The models to run."""
        by_size = QUICK.split() if self.size == "quick" else list(self.known)
        if self.change == "none":  # then it is cnn_lstm once more
            by_size = [name for name in by_size if name != "cnn_lstm_unchanged"]
        return self.models or tuple(by_size)

    @property
    def sampling(self) -> decoding.Sampling:
        """Which frames of a video are seen, and how large."""
        frames, side = (12, 24) if self.data == "digits" else (16, 48)
        channels = 3 if self.colour == "rgb" else 1
        return decoding.Sampling(
            self.frames or frames, self.stride, self.clips, self.side or side, channels
        )


FULL = {
    "trials": 3,
    "trial_epochs": 4,
    "epochs": 15,
    "patience": 15,
    "digits": 10_000,
}

# ---------------------------------------------------------------- data


@dataclasses.dataclass(frozen=True)
class Source:
    """Clips by split, and how they become batches."""

    parts: dict[str, Part]
    classes: tuple[str, ...]
    config: Config

    @property
    def weights(self) -> np.ndarray:
        """(classes,) float32: of each class in the loss, as if all were as frequent."""
        count = np.bincount(self.parts["train"].labels, minlength=len(self.classes))
        return (count.sum() / len(count) / count).astype("float32")

    @functools.cached_property
    def features(self) -> dict[str, Part]:
        """What `frozen_features` gets for each part; its key reads every clip."""
        weights = pretrained_cnn.weights(self.config.weights)
        return {
            k: pretrained_cnn.features(part, weights) for k, part in self.parts.items()
        }


def load_data(config: Config) -> Data:
    """Clips of each class in three parts; those of a folder stay on disk."""
    found, sampling = _labelled(config), config.sampling
    source = Source(found.parts, found.classes, config)
    batch = config.batch_size or BATCH
    facts = found.described(
        "clips",
        sampling=dataclasses.asdict(sampling),
        class_weights=source.weights.round(4).tolist(),
    )
    dataset = partial(_dataset, source, batch)
    shape = (sampling.shape[1:], len(found.classes))
    steps = len(found.parts["train"].labels) // batch
    return Data(shape, dataset, batch, steps, found.block, facts, source)


def _labelled(config: Config) -> Labelled:
    """Moving digits, or the clips of videos."""
    sampling, skip = config.sampling, config.on_bad_clip == "skip"
    validation, test = config.validation_groups, config.test_groups
    if config.data == "digits":
        return moving_digits.labelled(config.digits, sampling.frames, sampling.side)
    if config.data == "ucf101":
        found = ucf101.find()
        validation = validation or ucf101.VALIDATION
        test = test or ucf101.TEST
    else:
        found = find_videos(Path(config.data), config.group_column)
    found = store.decoded(choose_classes(found, config.classes), sampling, skip)
    cuts = split_by_group(found.videos, validation, test)
    grouped = bool(config.group_column) or config.data == "ucf101"
    return found.labelled(config.data, cuts, grouped)


def _dataset(source: Source, batch: int, split: str, model, order=None):
    """Batches that fit the model; the frames of some have lost their order."""
    shuffled, change = model.name == "shuffled", batches.CHANGES[source.config.change]
    part = source.parts[split]
    if model.name == "frozen_features":
        part = source.features[split]
    if model.name in ("frozen_features", "unchanged"):
        change = None
    if split == "train":
        return batches.dataset(part, batch, order, source.weights, change, shuffled)
    return batches.dataset(part, EVALUATED, shuffled=shuffled)


def find_baselines(config: Config, data: Data) -> dict:
    """Name -> predict(split), the probability of each class, (videos, classes)."""
    parts, train = data.source.parts, data.source.parts["train"]
    where = classifier(train, mean_differences)
    when = classifier(train, motion_numbers)
    return {
        "majority": lambda split: classification.majority(
            train.labels, data.shape[1], len(parts[split].labels)
        ),
        "mean_differences": lambda split: where(parts[split]),
        "motion_numbers": lambda split: when(parts[split]),
    }


# ---------------------------------------------------------------- models
# Each takes clips, (batch, frames, side, side, channels) from 0 to 255, and gives the
# probability of each class, (batch, classes). `shape` is that of one clip, and how many
# classes. All frames of a batch go through a CNN at once, as one large batch of frames.


def cnn_rnn(cell: str, differences: bool, hp, config: Config, shape):
    """A CNN per frame, a recurrent layer over the frames, and all of it pooled.

    The CNN may be shown what differs from the frame before, beside the frame.
    """
    inputs, x, mask, classes = _input(shape)
    if differences:
        before = keras.ops.concatenate([x[:, :1], x[:, :-1]], axis=1)
        x = keras.ops.concatenate([x, 2 * (x - before)], axis=-1)
    x = keras.layers.Dropout(_rate(hp))(_cnn(x))
    layer = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell]
    x = layers.masked_pool(layer(64, return_sequences=True)(x), mask)
    x = keras.layers.Dropout(_rate(hp))(x)
    return keras.Model(inputs, layers.output(classes, "softmax")(x))


def cnn_mean(hp, config: Config, shape):
    """The same CNN, its scores averaged over the frames: it knows nothing of time."""
    inputs, x, mask, classes = _input(shape)
    x = keras.layers.Dropout(_rate(hp))(_cnn(x))
    x = keras.layers.Dense(64, activation="relu")(x)
    x = layers.output(classes)(keras.layers.Dropout(_rate(hp))(x))
    x = keras.ops.sum(x * mask, axis=1) / keras.ops.sum(mask, axis=1)
    return keras.Model(inputs, keras.layers.Softmax(dtype="float32")(x))


def conv3d(hp, config: Config, shape):
    """Convolutions over time and space, the course's other answer."""
    inputs, x, mask, classes = _input(shape)
    for filters in _filters(x.shape[2]):
        x = keras.layers.Conv3D(
            filters, 3, strides=(1, 2, 2), padding="same", activation="relu"
        )(x)
    x = layers.flat_frames(x)
    x = keras.layers.Dense(64, activation="relu")(x)
    x = keras.layers.Dropout(_rate(hp))(layers.masked_pool(x, mask))
    return keras.Model(inputs, layers.output(classes, "softmax")(x))


def conv_lstm(hp, config: Config, shape):
    """An LSTM whose states are pictures and whose products are convolutions.

    Source: Shi et al. (2015), "Convolutional LSTM network", arXiv:1506.04214.
    """
    inputs, x, mask, classes = _input(shape)
    for filters in _filters(x.shape[2])[:-2] or (8,):
        x = layers.per_frame(
            keras.layers.Conv2D(filters, 3, 2, "same", activation="relu"), x
        )
    x = keras.layers.ConvLSTM2D(8, 3, 2, "same", return_sequences=True)(x)
    x = layers.flat_frames(x)
    x = keras.layers.Dropout(_rate(hp))(layers.masked_pool(x, mask))
    return keras.Model(inputs, layers.output(classes, "softmax")(x))


def frozen_features(hp, config: Config, shape):
    """An LSTM over what a network that knows ImageNet's pictures sees in each frame.

    Its inputs are features, (batch, frames, 1280), see `rnn_tf.models.pretrained_cnn`.
    """
    clip, classes = shape
    inputs = keras.Input((clip[0], pretrained_cnn.COUNT), name="features")
    mask = layers.frames_that_are_there(inputs)
    x = keras.layers.Dropout(_rate(hp))(keras.ops.cast(inputs, "float32"))
    x = keras.layers.LSTM(64, return_sequences=True)(x)
    x = keras.layers.Dropout(_rate(hp))(layers.masked_pool(x, mask))
    x = layers.output(classes, "softmax")(x)
    return keras.Model(inputs, x, name="frozen_features")


def _input(shape):
    """The input; the same, standardised; its mask, (batch, frames, 1); and the number
    of classes."""
    clip, classes = shape
    inputs = keras.Input(clip, name="clips")
    mask = layers.frames_that_are_there(inputs)
    x = layers.standardised(keras.ops.cast(inputs, "float32"), mask)
    return inputs, x, mask, classes


def _cnn(x):
    """(batch, frames, side, side, channels) -> (batch, frames, 64)."""
    for filters in _filters(x.shape[2]):
        x = layers.per_frame(
            keras.layers.Conv2D(filters, 3, 2, "same", activation="relu"), x
        )
    x = layers.flat_frames(x)
    return keras.layers.Dense(64, activation="relu")(x)


def _filters(side: int) -> tuple[int, ...]:
    """Of as many convolutions with stride 2 as leave 3 or 4 points a side."""
    count = max(2, int(np.ceil(np.log2(side / 4))))
    return (8, 16, 32, 64, 64, 64, 64, 64)[:count]


def _rate(hp) -> float:
    return hp.Choice("dropout", [0.2, 0.4], default=0.2)


def named(name: str, build, hp, config: Config, shape):
    """The same network; by its name, it gets other clips, see `_dataset`."""
    model = build(hp, config, shape)
    return keras.Model(model.inputs, model.outputs, name=name)


def pretrained(hp, config: Config, shape):
    """`cnn_lstm` that has learned moving digits before; only its last layer is new."""
    model = TEMPORAL["cnn_lstm"](hp, config, shape)
    for layer, weights in zip(model.layers[:-1], _learned(config, shape), strict=True):
        layer.set_weights(weights)
    return model


@functools.cache
def _learned(config: Config, shape) -> list[list[np.ndarray]]:
    """The weights of each layer but the last, trained once for all seeds."""
    from keras_tuner import HyperParameters

    shape = shape[0], len(moving_digits.CLASSES)
    model = TEMPORAL["cnn_lstm"](HyperParameters(), config, shape)
    pretraining.on_digits(model, config.digits, LEARNING, BATCH)
    return [layer.get_weights() for layer in model.layers[:-1]]


TEMPORAL = {
    "cnn_lstm": partial(cnn_rnn, "lstm", False),
    "cnn_gru": partial(cnn_rnn, "gru", False),
    "conv3d": conv3d,
    "conv_lstm": conv_lstm,
}
MODELS = TEMPORAL | {
    "cnn_mean": cnn_mean,
    "frozen_features": frozen_features,
    **{f"{n}_shuffled": partial(named, "shuffled", f) for n, f in TEMPORAL.items()},
}
QUICK = "cnn_lstm cnn_gru cnn_mean conv3d cnn_lstm_shuffled conv3d_shuffled"
# What may help where there are few videos, each against `cnn_lstm`.
FOR_VIDEOS = {
    "cnn_lstm_differences": partial(cnn_rnn, "lstm", True),
    "cnn_lstm_pretrained": pretrained,
    "cnn_lstm_unchanged": partial(named, "unchanged", TEMPORAL["cnn_lstm"]),
}
LEARNING = 10  # epochs on moving digits

BATCH = 16
EVALUATED = 128  # clips per batch in a test

# ---------------------------------------------------------------- training


def compile_arguments(hp, config: Config, steps: int) -> dict:
    """Adam along a cosine; rare classes weigh as much as frequent ones."""
    rate = hp.Float("learning_rate", 3e-4, 6e-3, sampling="log", default=3e-3)
    return classification.compile_arguments(clipped_adam(rate, steps))


# ---------------------------------------------------------------- evaluation


def decode(data: Data, output: np.ndarray) -> np.ndarray:
    """The mean over the clips of each video: (videos, classes)."""
    each = data.source.parts["test"].each
    return output.reshape(-1, each, output.shape[-1]).mean(axis=1)


def evaluate(data: Data, split: str, predictions: np.ndarray) -> Scores:
    """Score probabilities (videos, classes): overall, and per class."""
    labels = data.source.parts[split].labels
    return classification.scores(labels, predictions, data.source.classes)


def export(models: list, data: Data):
    """The mean of `models`; clips go in from 0 to 255, as they are decoded."""
    x = inputs = keras.Input(data.shape[0], name="clips")
    if models[0].name == "frozen_features":
        weights = pretrained_cnn.weights(data.source.config.weights)
        x = pretrained_cnn.network(data.shape[0], weights)(inputs)
    return classification.mean_of(models, inputs, x)


def report(made: Results) -> None:
    """The pictures of a run, and how long its quickest network waits for clips."""
    part = made.data.source.parts["test"]
    chosen, tables = made.shown[0], made.tables
    plots.classification(made.folder, tables, chosen, made.data.source.classes)
    plots.film_strips(
        made.folder / "clips.png",
        plots.first_seed(tables["predictions"], chosen),
        lambda number: part.clips(np.array([number * part.each]))[0],
    )
    name = cost.quickest(made.tables["trials"])  # it waits the most
    model = made.members[name]()[0]
    row = cost.waiting(model, made.data.dataset("train", model, Order(1)))
    path = made.folder / "waiting.csv"
    files.write_csv(path, cost.WAITING, [{"model": name} | row])


# ---------------------------------------------------------------- run


def run(config: Config) -> runner.Outcome:
    """Run the recipe; see `rnn_tf.recipe.runner.run`."""
    experiment = Experiment(
        name="video",
        headline="error",
        models={name: config.known[name] for name in _possible(config)},
        answers=("cnn_lstm", "cnn_gru", "conv3d"),
        load_data=load_data,
        baselines=find_baselines,
        compile_arguments=compile_arguments,
        decode=decode,
        evaluate=evaluate,
        export=export,
        report=report,
        # XLA on a CPU: steps of cnn_lstm take twice as long, of conv3d 40 times.
        xla=False,
    )
    return runner.run(experiment, config)


def _possible(config: Config) -> list[str]:
    """The models to run, less the one whose weights cannot be had."""
    names = list(config.names)
    if "frozen_features" in names and pretrained_cnn.weights(config.weights) is None:
        said = f"frozen_features: {pretrained_cnn.absent()}"
        names.remove("frozen_features")
        if not names:
            raise InputError(said)
        print(f"left out: {said}", file=sys.stderr)
    return names


if __name__ == "__main__":
    raise SystemExit(config.main(run, Config, FULL, "video", predict=predict.videos))
