"""The command line: quick to answer, complete, and clear when it refuses."""

import dataclasses
import inspect
import json
import re
import resource

import pytest

from experiments import (
    forecast,
    generate,
    gradients,
    language,
    lengths,
    modes,
    sketch,
    stacked,
    translate,
    video,
)
from rnn_tf import config, errors
from tests.conftest import run_python


def cpu_seconds() -> float:
    """Of the processes that were started and have ended; others do not slow it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


EXPERIMENTS = [
    forecast,
    stacked,
    gradients,
    lengths,
    language,
    translate,
    sketch,
    generate,
    video,
]


@pytest.mark.parametrize("experiment", [*EXPERIMENTS, modes])
def test_help_is_quick_and_lists_every_option(experiment):
    """Would catch an import of TensorFlow before the arguments are parsed."""
    run_python("-m", experiment.__name__, "--help")  # fills the byte-code cache
    started = cpu_seconds()
    done = run_python("-m", experiment.__name__, "--help")
    took = cpu_seconds() - started
    assert done.returncode == 0
    assert took < 2, f"--help took {took:.1f} s"
    for field in dataclasses.fields(experiment.Config):
        assert f"--{field.name.replace('_', '-')}" in done.stdout
    assert done.stdout.count("(default:") == len(dataclasses.fields(experiment.Config))


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_option_that_all_have_is_explained_once(experiment, capsys):
    """Would catch a text that an experiment repeats, and that soon differs."""
    source = inspect.getsource(experiment.Config)
    for field in dataclasses.fields(config.RunConfig):
        assert not re.search(rf' {field.name}: .*\n    """', source), field.name
    with pytest.raises(SystemExit):
        config.parse(experiment.Config, experiment.FULL, ["--help"], "made")
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "usage: python -m experiments.made " in shown
    assert "Hyperparameter trials per model, the first with the defaults" in shown
    assert "Epochs of a final training run, at most." in shown


def test_config_and_summary_never_import_tensorflow():
    code = (
        "import sys, rnn_tf.config, rnn_tf.runs.run_folder, rnn_tf.report.summary\n"
        "import rnn_tf.metrics.intervals\n"
        "import rnn_tf.report.page\n"
        "import experiments.forecast, experiments.gradients, experiments.sketch\n"
        "import experiments.language, experiments.stacked, experiments.translate\n"
        "import experiments.draw, experiments.generate, experiments.modes\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert run_python("-c", code).returncode == 0


ABSENT = """
import importlib, sys
from rnn_tf import config, errors

for name in "forecast sketch generate language translate video lengths".split():
    module = importlib.import_module(f"experiments.{name}")
    try:
        argv = ["--data", "absent", "--results", sys.argv[1]]
        module.run(config.parse(module.Config, module.FULL, argv, name))
    except errors.InputError as error:
        print(name, error)
sys.exit("tensorflow.python" in sys.modules)  # a lazy one may stand there
"""


def test_data_that_is_not_there_is_told_before_tensorflow_is_imported(tmp_path):
    """Would catch a slip of the pen that is told after seconds."""
    done = run_python("-c", ABSENT, tmp_path / "results")
    assert done.returncode == 0, done.stderr
    refusal = "--data is 'absent', but there is no such file or folder; it can also be "
    lines = done.stdout.splitlines()
    assert len(lines) == 7
    assert all(refusal in line for line in lines)
    assert not (tmp_path / "results").exists()


def test_what_other_options_read_must_be_there_too(tmp_path):
    """Would catch a folder of data that is told to be absent after seconds."""
    options = forecast.Config(data="cta", data_dir=tmp_path / "none")
    with pytest.raises(errors.InputError, match=r"--data-dir is '.*none', but there"):
        config.require_paths(options, "cta")
    config.require_paths(dataclasses.replace(options, data_dir=tmp_path), "cta")
    config.require_paths(forecast.Config(data=str(tmp_path)), "cta")


def test_full_overrides_quick_and_an_option_overrides_both():
    quick, full, asked = (
        config.parse(forecast.Config, forecast.FULL, argv.split(), "forecast")
        for argv in ("", "--size full", "--size full --seeds 4")
    )
    assert quick == forecast.Config()
    assert full == config.sized(forecast.Config, forecast.FULL, "full")
    assert full.seeds == forecast.FULL["seeds"] != quick.seeds
    assert asked == dataclasses.replace(full, seeds=4)


def test_json_holds_every_field():
    written = json.loads(json.dumps(config.to_json(forecast.Config())))
    assert set(written) == {f.name for f in dataclasses.fields(forecast.Config)}
    assert written["results"] == "results"
    assert written["models"] == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--lookbak", "3"], "--lookbak"),
        (["--lookback", "x"], "--lookback"),
        (["--size", "huge"], "'quick', 'full'"),
        (["--strategy", "quantum"], "quantum"),
        (["--seeds", "0"], "--seeds is 0; it must be at least 1"),
        (["--batch-size", "-1"], "--batch-size is -1"),
        (["--horizon", "0"], "--horizon is 0; it must be at least 1"),
        (["--train-from", "1999"], "take 2001 to 2017"),
        (["--models", "transformer"], "known are mlp"),
        (["--models", "year_gru", "--horizon", "3"], "--horizon 7"),
        (["--models", "weekly_gru", "--lookback", "30"], "--lookback of 28"),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_code_2(arguments, expected, capsys):
    code = config.main(None, forecast.Config, forecast.FULL, "forecast", arguments)
    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert expected in said.err


def test_ctrl_c_and_failed_runs_have_their_own_exit_codes(capsys):
    def interrupted(_):
        raise KeyboardInterrupt("the rows so far are in results/x")

    def failed(_):
        raise errors.RunError("no model could be trained")

    assert (
        config.main(interrupted, forecast.Config, forecast.FULL, "forecast", []) == 130
    )
    assert "results/x" in capsys.readouterr().err
    assert config.main(failed, forecast.Config, forecast.FULL, "forecast", []) == 1
    assert capsys.readouterr().err == "error: no model could be trained\n"


def test_a_default_that_hangs_on_another_option_follows_it():
    """Would catch a week of seven days given to a series of trading days."""
    argv = "--data my.csv --calendar business".split()
    read = config.parse(forecast.Config, forecast.FULL, argv, "forecast")
    assert (read.horizon, read.lookback) == (5, 40)
    read = config.parse(forecast.Config, {}, [*argv, "--horizon", "7"], "forecast")
    assert (read.horizon, read.lookback) == (7, 40)
    assert (forecast.Config().horizon, forecast.Config().lookback) == (7, 56)
    again = config.from_json(forecast.Config, config.to_json(read))
    assert again == read


def test_trading_days_need_a_file():
    with pytest.raises(
        errors.InputError, match="--calendar business needs --data FILE"
    ):
        forecast.Config(calendar="business")
