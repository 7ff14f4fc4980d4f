"""Every experiment's models, each through the shared harness."""

import dataclasses
import functools
import tempfile
from pathlib import Path
from types import SimpleNamespace

import h5py
import keras
import keras_tuner
import numpy as np
import pytest

from experiments import (
    forecast,
    generate,
    gradients,
    language,
    lengths,
    sketch,
    stacked,
    translate,
    video,
)
from rnn_tf.data.drawings import store
from rnn_tf.data.series import synthetic
from rnn_tf.data.series.daily import YEAR
from rnn_tf.data.series.periods import by_share
from rnn_tf.data.series.windows import Windows
from rnn_tf.data.splits import Network
from rnn_tf.data.text import first_symbol, stories
from rnn_tf.models import mixture_density, remedies
from tests import model_harness
from tests.model_harness import Case, without_dropout

CONFIG = forecast.Config()
SERIES = stacked.Config(data=("sines",), depths=(2,), lookback=20)
ADDING = stacked.Config(data=("adding",), lengths=(25,), cells=stacked.FULL["cells"])
DENSE = 32 * 7 + 7  # from 32 units to seven days


def gru(units: int, features: int) -> int:
    """Keras's GRU: three gates with kernel, recurrent kernel and two biases."""
    return 3 * (units * (features + units) + 2 * units)


PARAMETERS = {
    "mlp": 56 * 64 + 64 + 64 * 7 + 7,
    # A day is two features: itself, and its difference to the week before.
    "simple_rnn": 32 * (2 + 32) + 32 + DENSE,
    "lstm": 4 * (32 * (2 + 32) + 32) + DENSE,
    "gru": gru(32, 2) + DENSE,
    "stacked_gru": gru(32, 2) + gru(32, 32) + DENSE,
    "seq2seq": gru(32, 2) + DENSE,
    "conv_gru": 7 * 2 * 32 + 32 + gru(32, 32) + DENSE,
    "iterated": gru(32, 2) + 32 + 1,
    "weekly_gru": gru(32, 7) + 56 * 7 + 7 + DENSE,
    "year_gru": gru(32, 2) + DENSE + 2 * gru(16, 21 + 4 + 32) + 2 * (32 + 1),
}


def lstm(units: int, features: int) -> int:
    """Keras's LSTM: three gates and a candidate, each with one bias."""
    return 4 * (units * (features + units) + units)


def simple_rnn(units: int, features: int) -> int:
    """Kernel, recurrent kernel and bias."""
    return units * (features + units) + units


COUNTS = {
    "simple_rnn": simple_rnn,
    "lstm": lstm,
    "gru": gru,
    "identity_rnn": simple_rnn,
}
CONVS = 6 * 5 * 48 + 48 + 48 * 5 * 64 + 64 + 64 * 5 * 96 + 96 + 2 * (48 + 64 + 96)
SKETCH_PARAMETERS = {
    "answer": 5 * 5 * 32 + 32 + lstm(64, 32) + lstm(64, 64) + 64 * 12 + 12,
    "textbook": 5 * 5 * 32 + 32 + 32 * 5 * 64 + 64 + 64 * 3 * 128 + 128
    + 4 * (32 + 64 + 128) + lstm(128, 128) + lstm(128, 128) + 128 * 12 + 12,
    "conv_lstm": CONVS + lstm(128, 96) + lstm(128, 128) + 256 * 12 + 12,
    "conv_bilstm": CONVS + 2 * lstm(128, 96) + 2 * lstm(128, 256) + 512 * 12 + 12,
    "lstm": lstm(155, 6) + lstm(155, 155) + 2 * 155 * 12 + 12,
}  # fmt: skip


def frame_cnn(channels: int) -> int:
    """Two convolutions with stride 2, from 16 x 16 to 4 x 4, and a dense layer."""
    return 9 * channels * 8 + 8 + 9 * 8 * 16 + 16 + 4 * 4 * 16 * 64 + 64


VIDEO_PARAMETERS = {
    "cnn_lstm_differences": frame_cnn(2) + lstm(64, 64) + 128 * 8 + 8,
    "cnn_mean": frame_cnn(1) + 64 * 64 + 64 + 64 * 8 + 8,
    "conv3d": 27 * 8 + 8 + 27 * 8 * 16 + 16 + 256 * 64 + 64 + 128 * 8 + 8,
    "conv_lstm": 9 * 8 + 8 + 4 * (9 * 8 * 8 + 9 * 8 * 8 + 8) + 2 * 128 * 8 + 8,
    "frozen_features": lstm(64, 256) + 128 * 8 + 8,
    "frozen_random": 4 * 256 + lstm(64, 256) + 128 * 8 + 8,
}
# One builder makes them all: every cell and both heads, not every combination.
STACKED = (
    "mlp simple_rnn_2_seq2vec lstm_2_seq2seq gru_2_seq2vec identity_rnn_25".split()
)
PLAIN = [name for name in forecast.MODELS if name not in forecast.WEEKLY]
CHECKS = [
    model_harness.check_shapes_and_parameters,
    model_harness.check_every_weight_learns,
    pytest.param(model_harness.check_xla_compiles_and_agrees, marks=pytest.mark.long),
    # In CI, test_multiworker compares replicas for one model of each experiment.
    pytest.param(
        model_harness.check_two_replicas_agree_with_one_device, marks=pytest.mark.long
    ),
    pytest.param(
        model_harness.check_bfloat16_is_for_what_lies_between, marks=pytest.mark.long
    ),
    pytest.param(
        model_harness.check_every_hyperparameter_matters, marks=pytest.mark.long
    ),
]


def case(name: str) -> Case:
    """A noisy weekly pattern; half of the examples know but a part of their year."""
    random = np.random.default_rng(1)
    week = np.array([1.1, 1.2, 1.2, 1.2, 1.1, 0.7, 0.5])
    history = CONFIG.lookback + YEAR
    days = np.tile(week, 61) + random.normal(0, 0.1, size=(8, history + 7))
    inputs = days[:, :-7, None].astype("float32")
    inputs[:4, :-300] = np.nan
    if name != "year_gru":
        inputs = inputs[:, -CONFIG.lookback :]
    targets = days[:, -7:].astype("float32")
    output_shape = (7,)
    if name == "seq2seq":
        windows = np.lib.stride_tricks.sliding_window_view(days, 7, axis=1)
        targets = windows[:, -56:].astype("float32")
        output_shape = (56, 7)
    return Case(
        lambda hp: forecast.MODELS[name](hp, CONFIG, None),
        lambda hp: forecast.compile_arguments(hp, CONFIG, 1000),
        inputs,
        targets,
        output_shape,
        PARAMETERS[name],
    )


def stacked_case(name: str) -> Case:
    """Two layers on sums of sines, or one on the adding problem."""
    cell = name.rsplit("_", 1)[0]
    if name.endswith("_25"):
        config, features, output_shape = ADDING, 2, (1,)
        inputs, targets = stacked.synthetic.adding_problem(8, 25)
        targets, parameters = targets[:, None], COUNTS[cell](32, 2) + 33
    else:
        config, features, output_shape = SERIES, 1, (1,)
        series = stacked.synthetic.two_sines(8, 21)
        inputs, targets = series[:, :-1, None], series[:, -1:]
        parameters = 20 * 32 + 32 + 33
        if name != "mlp":
            count = COUNTS[name.rsplit("_", 2)[0]]
            parameters = count(32, 1) + count(32, 32) + 33
        if name.endswith("seq2seq"):
            targets, output_shape = series[:, 1:, None], (None, 1)
    return Case(
        lambda hp: stacked.find_models(config)[name](hp, config, features),
        lambda hp: stacked.compile_arguments(hp, config, 1000),
        inputs,
        targets,
        output_shape,
        parameters,
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__[6:])
@pytest.mark.parametrize("name", forecast.MODELS)
def test_forecast_model(name, check):
    check(case(name))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__[6:])
@pytest.mark.parametrize("name", STACKED)
def test_stacked_model(name, check):
    check(stacked_case(name))


@pytest.mark.parametrize("name", STACKED)
def test_stacked_model_saves_and_loads_in_safe_mode(name, tmp_path):
    model_harness.check_saves_and_loads_in_safe_mode(stacked_case(name), tmp_path)


def sketch_case(name: str) -> Case:
    """Eight doodles; dropout is off, because replicas draw their own."""
    drawings, labels = sketch.doodles.doodles(8)
    part = store.pack(drawings, labels)

    def build(hp):
        return sketch.MODELS[name](hp, sketch.Config(), 12)

    return Case(
        build,
        lambda hp: sketch.compile_arguments(hp, sketch.Config(), 1000),
        part.stroke5(np.arange(8), 48, 30.0),
        labels.astype("int32"),
        (12,),
        SKETCH_PARAMETERS[name],
        "sparse_categorical_crossentropy",
        change=without_dropout,
        falls=name != "textbook",  # its BatchNormalization begins slowly
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__[6:])
@pytest.mark.parametrize("name", SKETCH_PARAMETERS)
def test_sketch_model(name, check):
    if name == "textbook" and "replicas" in check.__name__:
        pytest.skip("BatchNormalization: other statistics on each replica")
    if name in sketch.AS_WRITTEN and "hyperparameter" in check.__name__:
        pytest.skip("nothing is tuned: it is as it was written")
    check(sketch_case(name))


def test_models_that_are_compared_have_equally_many_parameters():
    """Strides change none; without convolutions the LSTMs make up for them: K2, K3."""
    hp = keras_tuner.HyperParameters()
    count = {
        name: sketch.MODELS[name](hp, sketch.Config(), 20).count_params()
        for name in sketch.MODELS
    }
    assert count["conv_lstm"] == count["conv_lstm_stride_1"]
    assert count["conv_lstm"] == count["conv_lstm_stride_2"]
    assert count["lstm"] == pytest.approx(count["conv_lstm"], rel=0.01)


@pytest.mark.parametrize("name", SKETCH_PARAMETERS)
def test_sketch_model_saves_and_loads_in_safe_mode(name, tmp_path):
    model_harness.check_saves_and_loads_in_safe_mode(sketch_case(name), tmp_path)


@functools.cache
def small_weights() -> Path:
    """Write as many numbers as a MobileNet of a quarter's width has weights."""
    path = Path(tempfile.mkdtemp()) / "numbers.h5"
    with h5py.File(path, "w") as file:
        file["numbers"] = np.zeros(218_544, "int8")
    return path


def video_case(name: str) -> Case:
    """Eight moving digits, some of which end early; dropout is off."""
    part = video.moving_digits.digits(80, 4, 16)["test"]
    inputs = part.clips(np.arange(8))
    inputs[:3, 2:] = inputs[:3, 1:2]
    if name in video.FROZEN:
        random = np.random.default_rng(1)
        inputs = random.normal(size=(8, 4, 256)).astype("float16")
    settings = video.Config(data="folder", weights=small_weights())

    def build(hp):
        return settings.known[name](hp, settings, ((4, 16, 16, 1), 8))

    return Case(
        build,
        lambda hp: video.compile_arguments(hp, settings, 1000),
        inputs,
        part.labels.astype("int32"),
        (8,),
        VIDEO_PARAMETERS[name],
        "sparse_categorical_crossentropy",
        change=without_dropout,
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__[6:])
@pytest.mark.parametrize("name", VIDEO_PARAMETERS)
def test_video_model(name, check):
    slow = "xla" in check.__name__ or "replicas" in check.__name__
    if slow and name in ("cnn_mean", *video.FROZEN):
        pytest.skip("made of parts of the others, and these checks take longest")
    check(video_case(name))


@pytest.mark.parametrize("name", VIDEO_PARAMETERS)
def test_video_model_saves_and_loads_in_safe_mode(name, tmp_path):
    model_harness.check_saves_and_loads_in_safe_mode(video_case(name), tmp_path)


@pytest.mark.parametrize("name", ["cnn_lstm_differences", "cnn_mean", "conv_lstm"])
def test_padding_of_clips_changes_nothing(name):
    """Frames that repeat the last one count for nothing: only a mask does that."""
    made = video_case(name)
    model = made.model()
    clip = made.inputs[3:]  # four frames; as a clip of four, the last one repeated
    short = np.concatenate([clip[:, :3], clip[:, 2:3]], axis=1)
    shorter = of_length(name, 3)
    shorter.set_weights(model.get_weights())
    np.testing.assert_allclose(
        model.predict(short, verbose=0),
        shorter.predict(clip[:, :3], verbose=0),
        atol=1e-5,
    )


def of_length(name: str, frames: int):
    """The same network for clips of another length."""
    import keras_tuner

    settings = video.Config(data="folder")
    sizes = (frames, 16, 16, 1), 8
    return settings.known[name](keras_tuner.HyperParameters(), settings, sizes)


GRADIENTS = gradients.Config(
    data=("adding",), remedies=tuple(remedies.REMEDIES), units=32
)
STORIES = gradients.Config(
    data=("recall",), distances=(6,), cells=tuple(remedies.CELLS), units=32
)
GRADIENT_PARAMETERS = {
    "none": simple_rnn(32, 2),
    "identity_relu": simple_rnn(32, 2),
    "batch_between": simple_rnn(32, 2) + 4 * 32 + simple_rnn(32, 32),
    "batch_inside": simple_rnn(32, 2) + 4 * 32,
    "layer_inside": simple_rnn(32, 2) + 2 * 32,
    "lstm_bias_5": lstm(32, 2),
    "gain_2_clip_norm": simple_rnn(32, 2),
    "identity_rnn_6": simple_rnn(32, 32),
    "lstm_bias_5_6": lstm(32, 32),
    "gru_6": gru(32, 32),
}
NORMALISED = "batch_between", "batch_inside"


def gradients_case(name: str) -> Case:
    """A remedy on the adding problem of eight steps, or a cell on short stories."""
    if name.endswith("_6"):
        part = stories.stories(80, 6)["test"]
        config, features, targets = STORIES, len(stories.WORDS), part.labels[:, None]
        inputs, output_shape = part.words(6), (len(stories.NAMES),)
        rest = 32 * features + 33 * len(stories.NAMES)
    else:
        config = dataclasses.replace(GRADIENTS, length=8)
        inputs, targets = synthetic.adding_problem(8, 8)
        features, targets, output_shape, rest = 2, targets[:, None], (1,), 33
    smooth = "sparse_categorical_crossentropy" if config is STORIES else None
    return Case(
        lambda hp: gradients.find_models(config)[name](hp, config, features),
        lambda hp: gradients.compile_arguments(hp, config, 1000),
        inputs,
        targets,
        output_shape,
        GRADIENT_PARAMETERS[name] + rest,
        smooth or "mean_squared_error",
        falls=name.endswith("_6"),  # others are slow, or explode, by intention
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__[6:])
@pytest.mark.parametrize("name", GRADIENT_PARAMETERS)
def test_gradients_model(name, check):
    if "hyperparameter" in check.__name__:
        pytest.skip("nothing is tuned: what differs is what is tried")
    if "replicas" in check.__name__ and name in NORMALISED:
        pytest.skip("BatchNormalization: other statistics on each replica")
    check(gradients_case(name))


@pytest.mark.parametrize("name", GRADIENT_PARAMETERS)
def test_gradients_model_saves_and_loads_in_safe_mode(name, tmp_path):
    model_harness.check_saves_and_loads_in_safe_mode(gradients_case(name), tmp_path)


LENGTHS = lengths.Config(cells=("simple_rnn", "lstm", "gru"), width=12, longest=9)
SYMBOLS = first_symbol.SYMBOLS
ENDS_OF_LENGTHS = 8 * (SYMBOLS + 1) + 33 * SYMBOLS  # vectors of symbols, and the output
LENGTHS_PARAMETERS = {
    "simple_rnn_pre": simple_rnn(32, 8) + ENDS_OF_LENGTHS,
    "lstm_post_mask": lstm(32, 8) + ENDS_OF_LENGTHS,
    "gru_post": gru(32, 8) + ENDS_OF_LENGTHS,
    "gru_post_mask": gru(32, 8) + ENDS_OF_LENGTHS,
}


def lengths_case(name: str) -> Case:
    """Short sequences of symbols, padded as the network's name says."""
    part = first_symbol.sequences(80, 9)["test"]
    return Case(
        lambda hp: lengths.find_models(LENGTHS)[name](hp, LENGTHS, SYMBOLS),
        lambda hp: lengths.compile_arguments(hp, LENGTHS, 1000),
        part.padded(12, "pre" if "_pre" in name else "post"),
        part.labels[:, None],
        (SYMBOLS,),
        LENGTHS_PARAMETERS[name],
        "sparse_categorical_crossentropy",
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__[6:])
@pytest.mark.parametrize("name", LENGTHS_PARAMETERS)
def test_lengths_model(name, check):
    check(lengths_case(name))


@pytest.mark.parametrize("name", LENGTHS_PARAMETERS)
def test_lengths_model_saves_and_loads_in_safe_mode(name, tmp_path):
    model_harness.check_saves_and_loads_in_safe_mode(lengths_case(name), tmp_path)


LANGUAGE = language.Config(batch_size=8, chunk=12, units=24, window=4)
TOKENS = 9  # different ones
LAST = 25 * TOKENS
CONV = 3 * 24 * 24 + 24 + 2 * 24  # a convolution, and its normalisation
LANGUAGE_PARAMETERS = {
    "simple_rnn": 64 * TOKENS + simple_rnn(24, 64) + LAST,
    "gru": 64 * TOKENS + gru(24, 64) + LAST,
    "lstm": 64 * TOKENS + lstm(24, 64) + LAST,
    "gru_8_reset": 64 * TOKENS + gru(24, 64) + LAST,
    "window_mlp": 64 * TOKENS + 4 * 64 * 24 + 24 + LAST,
    "conv": 64 * TOKENS + 65 * 24 + 4 * CONV + LAST,
}
SEEN = {"window_mlp": 12 + 3, "conv": 12 + 30, "gru_8_reset": 8}  # tokens of an input


def language_case(name: str) -> Case:
    """Tokens that count up, so that each tells the next; dropout is off."""
    chunk, seen = 8 if "8" in name else 12, SEEN.get(name, 12)
    text = (np.arange(8)[:, None] + np.arange(seen + 1)) % TOKENS

    def build(hp):
        return language.MODELS[name](hp, LANGUAGE, TOKENS)

    return Case(
        build,
        lambda hp: language.compile_arguments(hp, LANGUAGE, 1000),
        text[:, :-1].astype("int32"),
        text[:, -chunk:].astype("int32"),
        (chunk, TOKENS),
        LANGUAGE_PARAMETERS[name],
        change=without_dropout,
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__[6:])
@pytest.mark.parametrize("name", LANGUAGE_PARAMETERS)
def test_language_model(name, check):
    if "replicas" in check.__name__:
        pytest.skip("a state is carried on one device")
    check(language_case(name))


@pytest.mark.parametrize("name", LANGUAGE_PARAMETERS)
def test_language_model_saves_and_loads_in_safe_mode(name, tmp_path):
    model_harness.check_saves_and_loads_in_safe_mode(language_case(name), tmp_path)


SOURCES, TARGETS, UNITS, WIDTH = 9, 7, 8, 4  # tokens, units, steps of a target
VECTOR = UNITS  # numbers of a token's
TRANSLATE = translate.Config(units=UNITS)
ENDS = (UNITS + 1) * TARGETS  # from a state to the logits
BEGINS = (
    VECTOR * SOURCES + UNITS * UNITS + UNITS + VECTOR * TARGETS
)  # vectors, first state
PAIRED = BEGINS + 2 * gru(
    UNITS // 2, VECTOR
)  # a bidirectional encoder, not the decoder
TRANSLATE_PARAMETERS = {
    "plain_bidirectional": VECTOR * SOURCES + 2 * gru(UNITS // 2, VECTOR) + ENDS,
    "plain_delayed_lstm": VECTOR * SOURCES + lstm(UNITS, VECTOR) + ENDS,
    "encoder_decoder_reversed": BEGINS + 2 * gru(UNITS, VECTOR) + ENDS,
    "encoder_decoder_bidirectional": PAIRED + gru(UNITS, VECTOR) + ENDS,
    "encoder_decoder_lstm": BEGINS
    + UNITS * UNITS + UNITS + 2 * lstm(UNITS, VECTOR) + ENDS,
    "encoder_decoder_context": BEGINS
    + gru(UNITS, VECTOR) + gru(UNITS, VECTOR + UNITS) + ENDS + UNITS * TARGETS,
    # W of the score, and a layer on context and state.
    "attention": PAIRED + gru(UNITS, VECTOR) + 3 * UNITS * UNITS + ENDS,
    "attention_sampled": PAIRED + gru(UNITS, VECTOR) + 3 * UNITS * UNITS + ENDS,
    # W, U and v of the score.
    "attention_bahdanau": PAIRED
    + gru(UNITS, VECTOR + UNITS) + 2 * UNITS * UNITS + UNITS + ENDS + UNITS * TARGETS,
}  # fmt: skip


def translate_case(name: str) -> Case:
    """Words to reverse; those of two lengths, so that there is padding."""
    source = np.array([[4, 5, 6, 7, 1], [8, 7, 1, 0, 0]] * 4, "int32")
    target = np.array([[6, 5, 4, 1], [5, 6, 1, 0]] * 4, "int32")
    plain = "plain" in name and "delayed" not in name
    before = np.concatenate([np.full((8, 1), 3), target[:, :-1]], axis=1)

    def build(hp):
        sizes = SOURCES, TARGETS, WIDTH
        return translate.MODELS[name](hp, TRANSLATE, sizes)

    return Case(
        build,
        lambda hp: translate.compile_arguments(hp, TRANSLATE, 1000),
        source if plain else (source, before.astype("int32")),
        np.pad(target, ((0, 0), (0, 1))) if plain else target,
        (WIDTH if "bahdanau" in name else None, TARGETS),
        TRANSLATE_PARAMETERS[name],
        smooth_loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__[6:])
def test_translate_model(check):
    """One for all: the others are made of the same pieces."""
    if any(word in check.__name__ for word in ("xla", "replicas")):
        pytest.skip("slow; the language models' tests have the same layers")
    check(translate_case("attention"))


@pytest.mark.parametrize("name", TRANSLATE_PARAMETERS)
def test_translate_model_loads_anywhere_and_does_not_read_padding(name, tmp_path):
    """Would catch a custom layer, and a backward half that begins in the padding.

    Called without being compiled, which for these models takes seconds each time.
    """
    case = translate_case(name)
    x, *rest = case.inputs if isinstance(case.inputs, tuple) else (case.inputs,)
    model = case.build(keras_tuner.HyperParameters())
    assert model.output_shape[1:] == case.output_shape
    assert model.count_params() == case.parameters
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    padded = np.pad(x, ((0, 0), (0, 3)))
    ours, again, more = (
        keras.ops.convert_to_numpy(m([a, *rest] if rest else a))
        for m, a in ((model, x), (loaded, x), (model, padded))
    )
    assert again == pytest.approx(ours, abs=1e-6)
    real = np.ones(ours.shape[:2], bool) if rest else x > 0
    assert more[:, : ours.shape[1]][real] == pytest.approx(ours[real], abs=1e-5)


GENERATE = generate.Config(units=UNITS)
DRAWS = 3 * 64 + (UNITS + 1) * mixture_density.WIDTH  # three classes, and the output
GENERATE_PARAMETERS = {
    "lstm": DRAWS + 2 * (64 + 1) * UNITS + lstm(UNITS, 5 + 64),
    "lstm_unconditional": DRAWS - 2 * 64 + 2 * (64 + 1) * UNITS + lstm(UNITS, 5 + 64),
    "lstm_dropout": DRAWS + 2 * (64 + 1) * UNITS + lstm(UNITS, 5 + 64),
    "gru": DRAWS + (64 + 1) * UNITS + gru(UNITS, 5 + 64),
}


def generate_case(name: str) -> Case:
    """Squares, in each of which the pen is lifted once, and then the end."""
    square = [[1, 0, 1, 0], [0, 1, 1, 0], [-1, 0, 1, 0], [0, -1, 0, 1]]
    points = np.zeros((6, 6, 5), "float32")
    points[:, :4, :4], points[:, 4:, 4] = square, 1
    begin = np.broadcast_to(np.array([0, 0, 1, 0, 0], "float32"), (6, 1, 5))
    before = np.concatenate([begin, points[:, :-1]], axis=1)
    before[..., :2] *= 30
    sizes = generate.Sizes(3, 30.0)
    return Case(
        lambda hp: generate.MODELS[name](hp, GENERATE, sizes),
        lambda hp: generate.compile_arguments(hp, GENERATE, 1000),
        (before, np.arange(6, dtype="int32") % 3),
        points,
        (None, mixture_density.WIDTH),
        GENERATE_PARAMETERS[name],
        smooth_loss=mixture_density.loss,
        change=without_dropout,
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__[6:])
def test_generate_model(check):
    """One for all: the others are made of the same pieces."""
    tuned = "hyperparameter" in check.__name__
    check(generate_case("lstm_dropout" if tuned else "lstm"))


@pytest.mark.parametrize("name", GENERATE_PARAMETERS)
def test_generate_model_loads_anywhere(name, tmp_path):
    """Would catch a custom layer, and a layer nobody meant to add."""
    case = generate_case(name)
    model = case.build(keras_tuner.HyperParameters())
    assert model.count_params() == case.parameters
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    ours, again = (
        keras.ops.convert_to_numpy(m(list(case.inputs))) for m in (model, loaded)
    )
    assert again == pytest.approx(ours, abs=1e-6)


@pytest.mark.parametrize("name", forecast.MODELS)
def test_forecast_model_saves_and_loads_in_safe_mode(name, tmp_path):
    model_harness.check_saves_and_loads_in_safe_mode(case(name), tmp_path)


@pytest.mark.parametrize("name", forecast.MODELS)
def test_what_else_runs_changes_no_models_input(name):
    """Would catch a saved model whose input hangs on the other models of the run."""
    days = CONFIG.lookback + YEAR * (name == "year_gru")
    for config in (CONFIG, forecast.Config(models=(name,))):
        model = forecast.MODELS[name](keras_tuner.HyperParameters(), config, None)
        assert model.input_shape == (None, days, 1)


@pytest.mark.parametrize("name", PLAIN)
def test_plain_models_see_the_first_day_of_the_lookback(name):
    """Would catch a window that is cut a day short."""
    made = case(name)
    model = made.model()
    known = model.predict(made.inputs, verbose=0)
    changed = made.inputs.copy()
    changed[:, 0] += 1
    assert not np.array_equal(model.predict(changed, verbose=0), known)


@pytest.mark.parametrize("names", [("mlp",), ("seq2seq",), ("mlp", "year_gru")])
def test_a_saved_model_forecasts_in_proportion(names):
    """Would catch a model of a unit, or one that shifts the inputs of its ensemble."""
    series = synthetic.daily_series(700)
    cut = Windows(series, by_share(700), CONFIG.lookback, CONFIG.horizon)
    networks = [Network(name, case(name).model()) for name in names]
    model = forecast.export(networks, SimpleNamespace(source=cut))
    history = model.input_shape[1]
    past = np.lib.stride_tricks.sliding_window_view(series.values, history)[::20]
    once = model.predict(past[..., None], verbose=0)
    moved = model.predict(4 * past[..., None] - 1e5, verbose=0)
    np.testing.assert_allclose((moved + 1e5) / 4, once, rtol=1e-3)
    level, spread = cut.levels[history::20][: len(past)].T[..., None]
    alone = [
        network.model.predict(
            ((past - level) / spread)[:, -network.model.input_shape[1] :, None],
            verbose=0,
        )
        for network in networks
    ]
    last = [output[:, -1] if output.ndim == 3 else output for output in alone]
    np.testing.assert_allclose(once, np.mean(last, axis=0) * spread + level, rtol=1e-4)


@pytest.mark.parametrize("name", forecast.WEEKLY)
def test_weekly_models_take_weeks_of_trading_days(name):
    """Would catch a week of seven days in a model of five."""
    config = forecast.Config(calendar="business", data="own.csv")
    assert config.weekly
    model = forecast.MODELS[name](keras_tuner.HyperParameters(), config, None)
    assert model.output_shape == (None, 5)
    past = np.random.default_rng(1).normal(size=(3, *model.input_shape[1:]))
    past[1, :-40] = np.nan
    assert np.isfinite(model.predict(past, verbose=0)).all()


@pytest.mark.parametrize(("horizon", "lookback"), [(1, 10), (3, 30), (14, 28)])
def test_plain_models_take_any_horizon_and_lookback(horizon, lookback):
    config = forecast.Config(horizon=horizon, lookback=lookback)
    assert not config.weekly
    for name in PLAIN:
        hp = keras_tuner.HyperParameters()
        model = forecast.MODELS[name](hp, config, None)
        assert model.input_shape == (None, lookback, 1)
        assert model.output_shape[-1] == horizon
