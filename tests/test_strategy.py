"""Devices: what is asked for and absent is an error in one line."""

from types import SimpleNamespace

import keras_tuner
import pytest
import tensorflow as tf

from experiments import (
    forecast,
    generate,
    gradients,
    language,
    sketch,
    stacked,
    translate,
    video,
)
from experiments.forecast import Config
from rnn_tf.data.order import Order
from rnn_tf.data.splits import Network
from rnn_tf.devices import strategy
from rnn_tf.devices.devices import Devices
from rnn_tf.errors import InputError, RunError
from tests.conftest import run_python


def test_auto_without_a_gpu_is_the_cpu():
    devices = strategy.start(Config())
    assert (devices.name, devices.replicas) == ("cpu", 1)
    assert devices.facts()["names"] == ["/CPU:0"]


def test_a_gpu_that_is_not_there_is_an_error():
    with pytest.raises(InputError, match="TensorFlow sees no GPU; use auto or cpu"):
        strategy.start(Config(strategy="gpu"))


@pytest.mark.parametrize(
    ("count", "options", "name", "replicas"),
    [
        (1, {}, "gpu", 1),
        (4, {}, "gpu", 1),
        (4, {"replicas": 3}, "mirrored", 3),
        (4, {"strategy": "mirrored"}, "mirrored", 4),
        (4, {"strategy": "mirrored", "replicas": 2}, "mirrored", 2),
        (4, {"strategy": "gpu"}, "gpu", 1),
        (0, {"strategy": "mirrored"}, "mirrored", 2),  # virtual CPUs
    ],
)
def test_which_gpus_are_taken(monkeypatch, count, options, name, replicas):
    """Would catch GPUs that auto leaves idle. TensorFlow is told that it has them."""
    gpus, real = [SimpleNamespace()] * count, tf.config.list_physical_devices
    monkeypatch.setattr(
        tf.config,
        "list_physical_devices",
        lambda kind: gpus if kind == "GPU" else real(kind),
    )
    monkeypatch.setattr(
        strategy,
        "_mirrored_strategy",
        lambda names: SimpleNamespace(num_replicas_in_sync=len(names)),
    )
    devices = strategy.start(Config(**options))
    kind = "GPU" if count else "CPU"
    assert devices.name == name
    assert devices.devices == tuple(f"/{kind}:{i}" for i in range(replicas))


def test_more_replicas_than_gpus_are_an_error(monkeypatch):
    gpus = [SimpleNamespace()] * 4
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    with pytest.raises(InputError, match="--replicas 5, but TensorFlow sees 4 GPUs"):
        strategy.start(Config(strategy="mirrored", replicas=5))


def test_more_virtual_cpus_than_were_made_need_a_restart():
    tf.config.list_logical_devices()  # TensorFlow has started
    with pytest.raises(InputError, match="restart Python"):
        strategy.start(Config(strategy="mirrored", replicas=3))


def test_two_replicas_run_one_step_at_a_time():
    """`steps_per_execution` above 1 crashes with replicas (keras#19246)."""
    devices = strategy.start(Config(strategy="mirrored", replicas=2))
    assert devices.replicas == 2
    assert devices.compile_options(10**6)["steps_per_execution"] == 1


def test_a_batch_must_fit_the_data_and_the_replicas():
    one = strategy.start(Config())
    two = strategy.start(Config(strategy="mirrored", replicas=2))
    one.check(33, 1)
    two.check(32, 1)
    with pytest.raises(InputError, match="33 cannot be shared out evenly over 2"):
        two.check(33, 1)
    with pytest.raises(InputError, match="more than the training examples"):
        one.check(4096, 0)


def test_tensorflows_start_up_noise_stays_out_of_sight():
    done = run_python(
        "-c", "from rnn_tf.devices import backend; backend.import_tensorflow()"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# ------------------------------------------------------------------- TPUs
# None was there to try: what is tested is what would be asked of it.


@pytest.fixture
def asked(monkeypatch):
    """What is asked of TensorFlow, in order, by way of a TPU that does not exist."""
    calls, cores = [], [SimpleNamespace(name=f"/device:TPU:{i}") for i in range(8)]

    def fake(name, returns):
        return lambda *arguments: calls.append((name, *arguments)) or returns

    resolvers = tf.distribute.cluster_resolver
    monkeypatch.setattr(resolvers, "TPUClusterResolver", fake("resolve", "resolver"))
    monkeypatch.setattr(tf.config, "experimental_connect_to_cluster", fake("join", 0))
    experimental = tf.tpu.experimental
    monkeypatch.setattr(experimental, "initialize_tpu_system", fake("initialize", 0))
    eight = SimpleNamespace(num_replicas_in_sync=8)
    monkeypatch.setattr(tf.distribute, "TPUStrategy", fake("strategy", eight))
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: cores)
    return calls


def test_a_tpu_is_started_before_anything_runs_on_it(asked):
    devices = strategy.start(Config(strategy="tpu"))
    assert asked == [
        ("resolve", "local"),
        ("join", "resolver"),
        ("initialize", "resolver"),
        ("strategy", "resolver"),
    ]
    assert (devices.name, devices.replicas) == ("tpu", 8)
    assert devices.facts()["names"][-1] == "/device:TPU:7"
    assert devices.compile_options(10**6) == {"steps_per_execution": 1}
    with pytest.raises(InputError, match="33 cannot be shared out evenly over 8"):
        devices.check(33, 1)


def test_a_tpu_that_is_not_there_is_one_line_that_names_the_way_out(tmp_path):
    options = "-m", "experiments.forecast", "--strategy", "tpu", "--results", tmp_path
    done = run_python(*options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: --strategy tpu, but TensorFlow starts none (")
    assert done.stderr.endswith(
        "make jax, and the same command with KERAS_BACKEND=jax before it\n"
    )
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_what_fails_on_a_tpu_names_the_way_out():
    """Keras 3 is reported to fail there (keras#19448), after a good start."""
    devices = Devices("tpu", ("/device:TPU:0",), tf.distribute.get_strategy())
    message = r"\(TypeError: a\); .*KERAS_BACKEND=jax"
    with pytest.raises(RunError, match=message), devices.scope():
        raise TypeError("a")
    with pytest.raises(InputError, match="^b$"), devices.scope():
        raise InputError("b")


@pytest.mark.parametrize(
    ("module", "options", "name", "dynamic"),
    [
        (forecast, {}, "seq2seq", 0),
        (stacked, {"data": ("adding",)}, "gru_25", 0),
        (gradients, {"data": ("recall",)}, "gru_30", 0),
        (language, {"sentences": 600}, "gru", 0),
        (translate, {"examples": 200}, "attention", 0),
        (sketch, {"doodles": 200}, "answer", 1),  # time, of a few lengths
        (sketch, {"doodles": 200}, "conv_lstm", 1),
        (video, {"digits": 160, "change": "move"}, "cnn_lstm", 0),
    ],
)
def test_batches_to_train_on_have_static_shapes(module, options, name, dynamic):
    """Would catch a batch that a TPU compiles anew, or pads."""
    config = module.Config(**options)
    data = module.load_data(config)
    models = (
        module.find_models(config) if module in (stacked, gradients) else module.MODELS
    )
    model = models[name](keras_tuner.HyperParameters(), config, data.sizes)
    batches = data.dataset("train", Network(name, model), Order(1))
    x, *rest = tf.nest.flatten(batches.element_spec)
    assert x.shape.rank - len([n for n in x.shape if n]) == dynamic
    assert x.shape[0] is not None
    assert all(part.shape.is_fully_defined() for part in rest)


def test_batches_of_points_have_static_shapes_but_for_their_number():
    """Would catch a batch size that a TPU compiles anew; time is of a few lengths."""
    data = generate.load_data(generate.Config(doodles=200))
    batches = data.dataset("train", Network("lstm", None), Order(1))
    shapes = [tuple(part.shape) for part in tf.nest.flatten(batches.element_spec)]
    assert shapes == [(64, None, 5), (64,), (64, None, 5), (64, None)]
    assert {x.shape[1] % 8 for (x, _), *_ in batches} == {0}
