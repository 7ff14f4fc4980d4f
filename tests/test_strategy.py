"""Devices: what is asked for and absent is an error in one line."""

import pytest

from experiments.forecast import Config
from rnn_tf import strategy
from rnn_tf.config import InputError
from tests.conftest import run_python


def test_auto_without_a_gpu_is_the_cpu():
    found = strategy.start(Config())
    assert (found.name, found.replicas) == ("cpu", 1)
    assert found.facts()["names"] == ["/CPU:0"]


def test_a_gpu_that_is_not_there_is_an_error():
    with pytest.raises(InputError, match="TensorFlow sees no GPU; use auto or cpu"):
        strategy.start(Config(strategy="gpu"))


def test_more_virtual_cpus_than_were_made_need_a_restart():
    with pytest.raises(InputError, match="restart Python"):
        strategy.start(Config(strategy="mirrored", replicas=3))


def test_two_replicas_run_one_step_at_a_time():
    """`steps_per_execution` above 1 crashes with replicas (keras#19246)."""
    found = strategy.start(Config(strategy="mirrored", replicas=2))
    assert found.replicas == 2
    assert found.compile_options(10**6)["steps_per_execution"] == 1


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
    done = run_python("-c", "from rnn_tf import strategy; strategy.import_tensorflow()")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
