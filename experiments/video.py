"""Classify short clips: a CNN per frame and an RNN over frames, beside a 3D CNN.

    make video                                                 quick, 1 minute
    make video ARGS="--size full --trials 0 --epochs 6"        15 minutes
    make video ARGS="--data FOLDER --size full"                a folder per class
    python -m experiments.video predict --model RUN FILE       what a file shows

Minutes on two cores, by the reference runs. Expect a test error of 0 % of moving digits
(conv3d), and of 26 % on 82 clips of recordings of their own (cnn_gru_ensemble).

The course answers with both. Whether it is time that the RNN adds shows against the
same CNN whose scores are averaged over the frames, and against the same network on
frames in random order.
"""

import dataclasses
import functools
from functools import partial
from pathlib import Path
from typing import Literal

import lazy_loader
import numpy as np

from rnn_tf import config, files
from rnn_tf.baselines.video import classifier, mean_differences, motion_numbers
from rnn_tf.config import RunConfig, require_paths
from rnn_tf.data.labelled import Labelled
from rnn_tf.data.order import Order
from rnn_tf.data.splits import Data, Network
from rnn_tf.data.video import batches, moving_digits
from rnn_tf.data.video.batches import Part
from rnn_tf.data.video.decoding import Sampling
from rnn_tf.data.video.parts import Choice, read_parts
from rnn_tf.errors import InputError, warn
from rnn_tf.metrics import classification
from rnn_tf.metrics.scores import Scores
from rnn_tf.models import clips, pretrained_cnn
from rnn_tf.models.optimizer import clipped_adam
from rnn_tf.models.pretraining import digit_weights
from rnn_tf.recipe import runner
from rnn_tf.recipe.experiment import Experiment, Outcome, by_batch
from rnn_tf.recipe.predict import predict_videos
from rnn_tf.report import guess_plots
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
    """Of frozen_features, and whose network frozen_random is: a MobileNet's or
    MobileNetV2's; by default those in Keras's cache."""
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
        """Name -> build(hp, config, sizes) of all models that fit the data."""
        return MODELS if self.data == "digits" else MODELS | FOR_VIDEOS

    @property
    def names(self) -> tuple[str, ...]:
        """The models to run."""
        by_size = QUICK.split() if self.size == "quick" else list(self.known)
        if self.change == "none":  # then it is cnn_lstm once more
            by_size = [name for name in by_size if name != UNCHANGED]
        return self.models or tuple(by_size)

    @property
    def sampling(self) -> Sampling:
        """Which frames of a video are seen, and how large."""
        frames, side = (12, 24) if self.data == "digits" else (16, 48)
        channels = 3 if self.colour == "rgb" else 1
        return Sampling(
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


@dataclasses.dataclass(frozen=True, eq=False)
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

    @functools.lru_cache(maxsize=6)  # noqa: B019 - of one run; a key reads every clip
    def features(self, split: str, name: str) -> pretrained_cnn.Features:
        """Find what a network of `FROZEN` gets for a part."""
        weights = pretrained_cnn.find_weights(self.config.weights)
        random = name == RANDOM
        return pretrained_cnn.cached_features(self.parts[split], weights, random)


def load_data(config: Config) -> Data:
    """Load the clips of each class in three parts; a folder's stay on disk."""
    labelled, sampling = read_labelled(config), config.sampling
    source = Source(labelled.parts, labelled.classes, config)
    batch = config.batch_size or BATCH
    facts = labelled.describe(
        "clips",
        sampling=dataclasses.asdict(sampling),
        class_weights=source.weights.round(4).tolist(),
    )
    dataset = partial(_dataset, source, batch)
    sizes = sampling.shape[1:], len(source.classes)
    return Data(sizes, dataset, batch, labelled.block, facts, source)


def read_labelled(config: Config) -> Labelled:
    """Make moving digits, or decode the clips of videos."""
    sampling = config.sampling
    if config.data == "digits":
        return moving_digits.labelled(config.digits, sampling.frames, sampling.side)
    choice = Choice(
        config.classes,
        config.group_column,
        config.validation_groups,
        config.test_groups,
        skip=config.on_bad_clip == "skip",
    )
    return read_parts(config.data, choice, sampling)


def _dataset(source: Source, batch: int, split: str, network, order=None):
    """Make batches that fit the network; some get frames that lost their order."""
    shuffled, change = network.name in SHUFFLED, batches.CHANGES[source.config.change]
    part = source.parts[split]
    if network.name in FROZEN:
        part = source.features(split, network.name)
    if network.name in (*FROZEN, UNCHANGED):
        change = None
    if split == "train":
        return batches.dataset(part, batch, order, source.weights, change, shuffled)
    return batches.dataset(part, EVALUATED, shuffled=shuffled)


def find_baselines(config: Config, data: Data) -> dict:
    """Give each baseline's predict(split): probabilities, (videos, classes)."""
    parts, train = data.source.parts, data.source.parts["train"]
    where = classifier(train, mean_differences)
    when = classifier(train, motion_numbers)
    return {
        "majority": lambda split: classification.majority(
            train.labels, data.sizes[1], len(parts[split].labels)
        ),
        "mean_differences": lambda split: where(parts[split]),
        "motion_numbers": lambda split: when(parts[split]),
    }


# ---------------------------------------------------------------- models
# Each takes clips, (batch, frames, side, side, channels) from 0 to 255, or the features
# of their frames, (batch, frames, features), and gives the probability of each class,
# (batch, classes). `sizes`: the shape of a clip, and the number of classes.


def build(network, hp, config: Config, sizes, **options):
    """Build a network of `rnn_tf.models.clips`; its dropout is tuned."""
    rate = hp.Choice("dropout", [0.2, 0.4], default=0.2)
    return network(*sizes, rate, **options)


def frozen_features(hp, config: Config, sizes, **options):
    """Build an LSTM over the features that a frozen CNN has of each frame."""
    (frames, *_), classes = sizes
    file = pretrained_cnn.find_weights(config.weights)
    shape = frames, pretrained_cnn.network_of(file).features
    return build(clips.feature_lstm, hp, config, (shape, classes), **options)


def pretrained(hp, config: Config, sizes):
    """Build `cnn_lstm` pre-trained on moving digits; only its last layer is new."""
    model, (shape, _) = build(CNN_LSTM, hp, config, sizes), sizes
    learned = digit_weights(CNN_LSTM, shape, config.digits, LEARNING, BATCH)
    for layer, weights in zip(model.layers[:-1], learned, strict=True):
        layer.set_weights(weights)
    return model


CNN_LSTM = partial(clips.cnn_rnn, cell="lstm")
TEMPORAL = {
    "cnn_lstm": partial(build, CNN_LSTM),
    "cnn_gru": partial(build, clips.cnn_rnn, cell="gru"),
    "conv3d": partial(build, clips.conv3d),
    "conv_lstm": partial(build, clips.conv_lstm),
}
# The same networks; by these names, they get frames in random order.
SHUFFLED = {f"{name}_shuffled": make for name, make in TEMPORAL.items()}
RANDOM, UNCHANGED = "frozen_random", "cnn_lstm_unchanged"
# Features of random weights are large, and mostly alike for all frames. On validation
# of fir_ceiling standardising has 63 % errors with them, not 69; with those of ImageNet
# 24, not 19.
FROZEN = {
    "frozen_features": frozen_features,
    RANDOM: partial(frozen_features, standardised=True),
}
MODELS = {
    **TEMPORAL,
    "cnn_mean": partial(build, clips.cnn_mean),
    **FROZEN,
    **SHUFFLED,
}
QUICK = "cnn_lstm cnn_gru cnn_mean conv3d cnn_lstm_shuffled"
# What may help where there are few videos, each against `cnn_lstm`.
FOR_VIDEOS = {
    "cnn_lstm_differences": partial(build, CNN_LSTM, differences=True),
    "cnn_lstm_pretrained": pretrained,
    UNCHANGED: TEMPORAL["cnn_lstm"],  # by its name, it gets clips as they are
}
LEARNING = 10  # epochs on moving digits

BATCH = 16
EVALUATED = 128  # clips per batch in a test

# ---------------------------------------------------------------- training


def compile_arguments(hp, config: Config, steps: int) -> dict:
    """Train by Adam along a cosine; rare classes weigh as much as frequent ones."""
    rate = hp.Float("learning_rate", 3e-4, 6e-3, sampling="log", default=3e-3)
    return classification.compile_arguments(clipped_adam(rate, steps))


# ---------------------------------------------------------------- evaluation


def predict(network: Network, data: Data, split: str) -> np.ndarray:
    """Average over the clips of each video: (videos, classes)."""
    dataset, part = data.dataset(split, network), data.source.parts[split]
    each = by_batch(network, dataset, lambda _, probabilities: probabilities)
    return each.reshape(-1, part.per_video, each.shape[-1]).mean(axis=1)


def evaluate(data: Data, split: str, predictions: np.ndarray) -> Scores:
    """Score probabilities (videos, classes): overall, and per class."""
    labels = data.source.parts[split].labels
    return classification.scores(labels, predictions, data.source.classes)


def export(networks: list[Network], data: Data):
    """Join the networks into their mean; clips go in from 0 to 255, as decoded."""
    clip, _ = data.sizes
    x = inputs = keras.Input(clip, name="clips")
    name = networks[0].name
    if name in FROZEN:
        weights = pretrained_cnn.find_weights(data.source.config.weights)
        x = pretrained_cnn.build_network(clip, weights, name == RANDOM)(inputs)
    return classification.average_models([n.model for n in networks], inputs, x)


def report(outcome: Outcome) -> None:
    """Draw the pictures of a run; time how long its fastest network waits for clips."""
    part = outcome.data.source.parts["test"]
    chosen, tables = outcome.shown[0], outcome.tables
    guess_plots.classification(
        outcome.folder, tables, chosen, outcome.data.source.classes
    )
    guess_plots.film_strips(
        outcome.folder / "clips.png",
        guess_plots.first_seed(tables["predictions"], chosen),
        lambda number: part.clips(np.array([number * part.per_video]))[0],
    )
    name = cost.quickest(outcome.tables["trials"])  # it waits the most
    network = outcome.members[name]()
    train = outcome.data.dataset("train", network, Order(1))
    row = cost.waiting(network.model, train)
    path = outcome.folder / "waiting.csv"
    files.write_csv(path, cost.WAITING, [{"model": name} | row])


# ---------------------------------------------------------------- run


def experiment(config: Config) -> Experiment:
    """Define the experiment; see `rnn_tf.recipe.experiment`."""
    return Experiment(
        name="video",
        headline="error",
        models={name: config.known[name] for name in _possible(config)},
        answers=("cnn_lstm", "cnn_gru", "conv3d"),
        load_data=load_data,
        baselines=find_baselines,
        compile_arguments=compile_arguments,
        predict=predict,
        evaluate=evaluate,
        export=export,
        report=report,
        # XLA on a CPU: steps of cnn_lstm take twice as long, of conv3d 40 times.
        xla_from=lambda name: float("inf"),
    )


def run(config: Config) -> Outcome:
    """Run the recipe; see `rnn_tf.recipe.runner.run`."""
    require_paths(config, "digits", "moving", "ucf101")
    return runner.run(experiment, config)


def _possible(config: Config) -> list[str]:
    """List the models to run, less those whose weights cannot be had."""
    frozen = [name for name in config.names if name in FROZEN]
    if not frozen or pretrained_cnn.find_weights(config.weights):
        return list(config.names)
    reason = f"{', '.join(frozen)}: {pretrained_cnn.describe_missing_weights()}"
    names = [name for name in config.names if name not in FROZEN]
    if not names:
        raise InputError(reason)
    warn(f"left out: {reason}")
    return names


if __name__ == "__main__":
    raise SystemExit(config.main(run, Config, FULL, "video", predict=predict_videos))
