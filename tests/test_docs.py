"""The README and the Makefile do what they say: every command is run or parsed."""

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from experiments import forecast, sketch, stacked, video
from rnn_tf import config
from rnn_tf.claims import answers
from rnn_tf.metrics import intervals
from rnn_tf.report import markdown, summary
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
FINDINGS = (ROOT / "results" / "reference" / "README.md").read_text()
BASH = "\n".join(re.findall(r"```bash\n(.*?)```", README + FINDINGS, re.S))
COMMANDS = [line.split("#")[0].strip() for line in BASH.splitlines() if line.strip()]
TARGETS = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.M)


def make(*arguments, cwd=ROOT, timeout=280) -> subprocess.CompletedProcess:
    """Run make with the interpreter of the tests."""
    return subprocess.run(
        ["make", f"PYTHON={sys.executable}", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")},
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_readme_names_targets_and_options_there_are(command):
    words = shlex.split(command)
    assert words[0] == "make"
    targets = [word for word in words[1:] if "=" not in word]
    assert {re.sub("^(stacked|sketch|video)-", "forecast-", t) for t in targets} <= set(
        TARGETS
    )
    assert make("-n", *words[1:]).returncode == 0
    arguments = [word[5:] for word in words if word.startswith("ARGS=")]
    known = {"stacked": stacked, "sketch": sketch, "video": video}
    experiment = known.get(targets[0].split("-")[0], forecast)
    for argument in arguments:
        if argument != "--help":
            config.parse(
                experiment.Config, experiment.FULL, shlex.split(argument), "made"
            )


def test_plain_make_lists_every_target_on_one_line_each():
    lines = make().stdout.splitlines()
    assert make("help").stdout.splitlines() == lines
    assert [line.split()[1] for line in lines] == TARGETS
    assert max(map(len, lines)) <= 80


@pytest.mark.slow
def test_make_results_runs_every_experiment_and_prints_the_table(tmp_path):
    options = f"ARGS=--epochs 1 --trials 0 --seeds 1 --results {tmp_path}"
    done = make("VENV=", "results", options)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    again = make("VENV=", "summary", f"ARGS=--results {tmp_path}")
    for text in (done.stdout, again.stdout):
        for name in ("sines", "adding", "synthetic", "doodles", "digits"):
            assert re.search(rf"^(stacked|forecast|sketch|video) on {name}", text, re.M)
        assert text.count(" * ") == 5  # one chosen model in each table
    assert "The course's claims, measured" in done.stdout
    assert (tmp_path / "answers.csv").is_file()
    assert str(tmp_path / "report.html") in "".join(done.stdout.split())


@pytest.mark.parametrize(("options", "said"), [
    ("--resume 20260101-120000-ab12", "say it to its experiment"),
    ("--doodles 160", "Unrecognized options"),  # the sketch's alone
    ("--seeds 0", "--seeds is 0"),
])  # fmt: skip
def test_options_that_not_all_experiments_have_are_one_line(tmp_path, options, said):
    """Would catch one that is seen when the first experiments have run."""
    options = f"{options} --results {tmp_path / 'none'}"
    done = make("VENV=", "results", f"ARGS={options}")
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[0]
    assert done.stdout == ""
    assert not (tmp_path / "none").exists()


def test_make_passes_a_failure_on():
    done = make("VENV=", "forecast", "ARGS=--lookbak 3")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].startswith("error: Unrecognized options")


def test_make_lint_passes():
    """The code that is tested is code that lints."""
    done = make("VENV=", "lint")
    assert done.returncode == 0, done.stdout


def test_make_clean_keeps_the_results(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for folder in (".venv", ".pytest_cache", "rnn_tf/__pycache__", "results/forecast"):
        (tmp_path / folder).mkdir(parents=True)
    assert make("clean", cwd=tmp_path).returncode == 0
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert left == {"Makefile", "rnn_tf", "results", "results/forecast"}


def test_a_python_that_tensorflow_cannot_use_is_one_line(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.txt").touch()
    old = tmp_path / "old-python"
    old.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'import sys; "
        'sys.version_info = (3, 9); exec(sys.argv[1])\' "$2"\n'
    )
    old.chmod(0o755)
    done = make(f"PYTHON={old}", "setup", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        "error: this is Python 3.9 and TensorFlow needs 3.10 to 3.13; "
        "try: make PYTHON=python3.12"
    )
    assert not (tmp_path / ".venv").exists()


def test_ci_runs_the_commands_of_the_readme():
    script = (ROOT / ".ci" / "run").read_text()
    assert "make lint" in script
    assert "make test" in script
    assert "make test" in COMMANDS


@pytest.mark.parametrize("works", [True, False])
def test_ci_brings_a_browser_or_fails(tmp_path, works):
    """Would catch a CI in which the tests of the report are skipped for ever."""
    (tmp_path / ".ci").mkdir()
    script = shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    for name in ("bash", "dirname"):
        (tmp_path / name).symlink_to(shutil.which(name))
    for name, code in (("apt-get", 0 if works else 1), ("make", 0)):
        program = tmp_path / name
        program.write_text(f"#!/bin/bash\necho {name} $@; exit {code}\n")
        program.chmod(0o755)
    done = subprocess.run(
        [script], env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert (done.returncode == 0) == works
    assert ("make test" in done.stdout) == works
    assert ("chromium" in done.stdout) == works


@pytest.mark.slow
def test_the_python_of_the_readme_runs(tmp_path):
    """The lines for a notebook; then, in a process without us, those for its model."""
    saved, notebook = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len(notebook.strip().splitlines()) == 5
    table, summary_of_model = python(notebook, tmp_path, ROOT).split("Model:", 1)
    for name in ("median_of_4_weeks", "mlp_ensemble", "gru"):
        assert re.search(rf" {name} ", table), table
    assert "Total params" in summary_of_model
    (model,) = tmp_path.glob("results/forecast/*/*.keras")
    saved = saved.replace("results/forecast/<run>/<model>.keras", str(model))
    days = np.linspace(1e5, 2e5, 56).tolist()
    code = f"last_days = {days}\n{saved}\nprint(week_ahead.shape)"
    assert "(1, 7)" in python(code, tmp_path, "")


def python(code: str, folder, path) -> str:
    """What the code prints, run in a folder with the path to import from."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder, capture_output=True, text=True, timeout=120,
        env=os.environ | {"PYTHONPATH": str(path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_file_names_a_place_outside_the_project():
    """The project stands alone."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True
    ).stdout.split()
    outside = "../" + "shared"
    for name in listed:
        assert outside not in (ROOT / name).read_bytes().decode("latin-1"), name


@pytest.mark.slow
def test_with_tensorflow_it_starts_in_reasonable_time():
    """Importing everything takes seconds, not tens of them."""
    started = time.perf_counter()
    code = "from rnn_tf.devices import backend; backend.import_tensorflow()"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    assert time.perf_counter() - started < 30


def reference_table(
    name: str, head="test MAE", rival="the median of 4 weeks", digits=0
) -> str:
    """The findings' table of a reference run, from the CSV files of that run."""
    rows = summary.summarise(ROOT / "results" / "reference" / name)
    lines = [
        f"| model | {head} | n | 95 % interval | against {rival} | |",
        "| :-- | --: | --: | --: | --: | :-- |",
    ]

    def said(value: float, sign: str = "") -> str:
        return f"{value:{sign},.{digits}f}"

    for row in sorted(rows, key=lambda row: row["mean"]):
        sd = f" ± {said(row['sd'])}" if row["seeds"] > 1 else ""
        mark = "**" if row["chosen"] else ""
        low, high = row["difference_low"], row["difference_high"]
        lines.append(
            f"| {mark}{row['model']}{mark} | {said(row['mean'])}{sd} | {row['seeds']} "
            f"| {said(row['low'])} to {said(row['high'])} "
            f"| {said(row['difference'], '+')} [{said(low, '+')}, {said(high, '+')}] "
            f"| {summary.verdict(row)} |"
        )
    return "\n".join(lines)


def reference_rows() -> list[dict]:
    """The rows of summary.csv of all reference runs."""
    folders = sorted((ROOT / "results" / "reference").glob("*/config.json"))
    return [row for path in folders for row in summary.summarise(path.parent)]


def test_the_tables_of_the_readme_are_those_of_the_reference_runs():
    """Would catch a verdict that was typed."""
    rows = [dict.fromkeys(summary.COLUMNS, "") | row for row in reference_rows()]
    assert markdown.overview(pd.DataFrame(rows)) in README
    assert markdown.origins(pd.DataFrame(rows)) in README
    found = answers.rows(ROOT / "results" / "reference")
    assert markdown.answers_table(found) in README


@pytest.mark.parametrize("text", [README, FINDINGS], ids=["README", "findings"])
def test_links_lead_somewhere(text):
    """Would catch a file that was moved."""
    here = ROOT if text is README else ROOT / "results" / "reference"
    links = re.findall(r"\]\(\s*([^)\s]+)\)", text)
    inside = [link for link in links if not link.startswith("http")]
    assert inside
    assert [link for link in inside if not (here / link).exists()] == []


def shapes_table() -> str:
    """The findings' table of shapes, from the reference run; all cells must agree."""
    rows = rows_of("stacked-sines", "shapes.csv")
    rows = [row for row in rows if row["input"] == "(4, 10, 32)"]
    lines = {}
    for row in rows:
        shapes = " → ".join([row["input"], *row["outputs"].split(" -> ")])
        shapes = shapes.replace("(4, ", "(")
        kind, trains = row["head"], {"True": "yes", "False": "no"}
        if row["builds"] == "False":
            shapes, kind, trains = f"{shapes} → error", "does not build", {"": ""}
        line = f"| {row['return_sequences'].replace(' ', ', ')} | {shapes} | {kind} "
        lines.setdefault(f"{line}| {trains[row['trains_on_7']]} |", []).append(row)
    assert all(len(found) == 3 for found in lines.values())
    head = "| return_sequences | input → outputs | what it is | trains on every step |"
    return "\n".join([head, "| :-- | :-- | :-- | :-- |", *lines])


def error_table(name: str, columns: list[str], rows: list[tuple[str, str]]) -> str:
    """Mean and standard deviation over the seeds, in thousandths, of a table of models.

    `rows` are names and patterns of models, in which {} is the column.
    """
    found = summary.summarise(ROOT / "results" / "reference" / name)
    by_model = {row["model"]: row for row in found}

    def cell(model: str) -> str:
        mean, sd = (1000 * by_model[model][key] for key in ("mean", "sd"))
        return f"{mean:.3g} ± {sd:.2g}"

    return "\n".join(
        f"| {name} | {' | '.join(cell(pattern.format(c)) for c in columns)} |"
        for name, pattern in rows
    )


def rows_of(name: str, file: str) -> list[dict]:
    """The rows of a CSV file of a reference run."""
    with (ROOT / "results" / "reference" / name / file).open(newline="") as opened:
        return list(csv.DictReader(opened))


def paired(name: str, one: str, other: str, metric: str = "mse") -> str:
    """The difference of two models' test errors, paired by seed; mse in thousandths."""
    rows = [r for r in rows_of(name, "metrics.csv") if r["split"] == "test"]
    errors = {
        model: np.array(
            [
                float(row["value"])
                for row in sorted(rows, key=lambda row: row["seed"])
                if (row["model"], row["metric"], row["slice"]) == (model, metric, "")
            ]
        )
        for model in (one, other)
    }
    difference = (1000 if metric == "mse" else 1) * (errors[one] - errors[other])
    low, high = intervals.t_interval(difference)
    return f"{difference.mean():+.3g} [{low:+.3g}, {high:+.3g}]"


CELLS = {"SimpleRNN": "simple_rnn", "LSTM": "lstm", "GRU": "gru"}
HEADS = {"seq-to-vector": "seq2vec", "seq-to-seq": "seq2seq"}


def test_the_shapes_of_the_readme_are_those_of_the_reference_run():
    """Would catch a claim that is refuted in prose and not in the rows."""
    assert shapes_table() in FINDINGS


def test_the_errors_by_depth_and_length_are_those_of_the_reference_runs():
    depths = [
        (f"{cell}, {head}", f"{start}_{{}}_{end}")
        for cell, start in CELLS.items()
        for head, end in HEADS.items()
    ]
    assert error_table("stacked-sines", [1, 2, 3], depths) in FINDINGS
    lengths = [(cell, f"{start}_{{}}") for cell, start in CELLS.items()]
    lengths += [("SimpleRNN, identity and ReLU", "identity_rnn_{}")]
    assert error_table("stacked-adding", [25, 50, 100, 200], lengths) in FINDINGS


def test_the_differences_in_the_readme_are_those_of_the_reference_runs():
    for name, one, other in [
        ("stacked-sines", "lstm_1_seq2vec", "simple_rnn_1_seq2vec"),
        ("stacked-sines", "gru_2_seq2seq", "gru_2_seq2vec"),
        ("stacked-sines", "lstm_2_seq2vec", "lstm_1_seq2vec"),
        ("stacked-sines", "gru_3_seq2seq", "gru_2_seq2seq"),
        ("stacked-adding", "lstm_50", "simple_rnn_50"),
        ("stacked-adding", "lstm_100", "simple_rnn_100"),
        ("stacked-adding", "lstm_200", "simple_rnn_200"),
        ("stacked-adding", "identity_rnn_200", "simple_rnn_200"),
    ]:
        assert paired(name, one, other) in FINDINGS, (one, other)


def test_the_lengths_in_the_readme_are_those_of_the_reference_run():
    rows = rows_of("stacked-sines", "lengths.csv")
    recurrent = [row for row in rows if not row["model"].startswith("mlp")]
    assert {row["runs"] for row in recurrent} == {"True"}
    errors = [1000 * float(row["mse"]) for row in recurrent]
    assert f"errors from {errors[0]:.2g} (5 steps) to\n{min(errors):.2g}." in FINDINGS
    assert f"{int(recurrent[0]['parameters']):,}\nparameters" in FINDINGS
    grown = {row["length"]: int(row["parameters"]) for row in rows[-7:]}
    assert f"with its {grown['50']:,} parameters" in FINDINGS
    assert f"for 500 it\nwould need {grown['500']:,}." in FINDINGS


SKETCHES = ["sketch-20", "sketch-strides", "sketch-as-given"]
VIDEOS = ["video-digits", "video-recordings"]


def sketch_table() -> str:
    """The findings' table of sketches: errors, intervals, and what padding does."""
    found = summary.summarise(ROOT / "results" / "reference" / "sketch-20")
    changed = {r["model"]: r["changed"] for r in rows_of("sketch-20", "padding.csv")}
    lines = [
        "| model | test error, % | n | 95 % interval | changed by padding |",
        "| :-- | --: | --: | --: | --: |",
    ]
    for row in sorted(found, key=lambda row: row["mean"]):
        sd = f" ± {row['sd']:.2f}" if row["seeds"] > 1 else ""
        mark = "**" if row["chosen"] else ""
        share = changed.get(row["model"])
        lines.append(
            f"| {mark}{row['model']}{mark} | {row['mean']:.2f}{sd} | {row['seeds']} "
            f"| {row['low']:.1f} to {row['high']:.1f} "
            f"| {f'{float(share):.1f} %' if share else ''} |"
        )
    return "\n".join(lines)


def strides_table() -> str:
    """The findings' table of strides: what a step of training costs, and the error."""
    found = summary.summarise(ROOT / "results" / "reference" / "sketch-strides")
    errors = {row["model"]: row for row in found}
    lines = [
        "| model | points a step | parameters | ms per training step | error, % |",
        "| :-- | --: | --: | --: | --: |",
    ]
    for row in rows_of("sketch-strides", "cost.csv"):
        error = errors[row["model"]]
        lines.append(
            f"| {row['model']} | {row['stride']} | {int(row['parameters']):,} "
            f"| {float(row['milliseconds']):.0f} "
            f"| {error['mean']:.2f} ± {error['sd']:.2f} |"
        )
    return "\n".join(lines)


def speedups(model: str) -> str:
    """How much sooner than the textbook's network a model was as good, by seed."""
    rows = rows_of("sketch-20", "time_to_score.csv")
    found = [float(row["speedup"]) for row in rows if row["model"] == model]
    return ", ".join(f"{times:.1f}" for times in found)


def test_the_tables_of_sketches_are_those_of_the_reference_runs():
    assert sketch_table() in FINDINGS
    assert strides_table() in FINDINGS
    for one, other in [
        ("conv_lstm_stride_1", "conv_lstm"),
        ("conv_lstm_stride_2", "conv_lstm"),
        ("lstm", "conv_lstm_stride_1"),
    ]:
        difference = paired("sketch-strides", one, other, "error")
        assert difference in " ".join(FINDINGS.split()), (one, other)
    assert f"times as soon: {speedups('conv_bilstm')}" in " ".join(FINDINGS.split())


@pytest.mark.parametrize("name", VIDEOS)
def test_the_tables_of_videos_are_those_of_the_reference_runs(name):
    info = json.loads(
        (ROOT / "results" / "reference" / name / "config.json").read_text()
    )
    rival = info["best_baseline"]
    assert reference_table(name, "test error, %", rival, 1) in FINDINGS


@pytest.mark.parametrize("name", [*SKETCHES, *VIDEOS])
def test_reference_runs_of_sketches_and_videos_are_whole_and_named(name):
    folder = ROOT / "results" / "reference" / name
    info = json.loads((folder / "config.json").read_text())
    assert info["commit"][:7] in FINDINGS
    assert (info["dirty"], info["status"]) == (False, "complete")
    assert info["config"]["seeds"] >= 3


def test_the_errors_of_sketches_are_those_of_the_reference_runs():
    found = summary.summarise(ROOT / "results" / "reference" / "sketch-20")
    rows = {row["model"]: row for row in found}
    single, bag = rows["conv_bilstm"], rows["bag_of_points"]
    text = " ".join(FINDINGS.split())
    assert f"error of {single['mean']:.2f} ± {single['sd']:.2f} % over three" in text
    assert f"{rows['conv_bilstm_ensemble']['mean']:.2f} % as an ensemble" in text
    assert f"a bag of points has {bag['mean']:.1f} %" in text
    found = summary.summarise(ROOT / "results" / "reference" / "sketch-as-given")
    (answer,) = (row for row in found if row["model"] == "answer")
    assert f"error is {answer['mean']:.1f} ± {answer['sd']:.1f} %" in text
    errors = rows_of("sketch-as-given", "as_given.csv")
    assert [bool(row["error"]) for row in errors] == [True] * 4 + [False]
    cost = {
        r["model"]: r["milliseconds"] for r in rows_of("sketch-strides", "cost.csv")
    }
    times = float(cost["conv_lstm_stride_1"]) / float(cost["conv_lstm"])
    assert f"by a factor of {times:.1f} at stride 4" in text


@pytest.mark.parametrize("name", ["stacked-sines", "stacked-adding"])
def test_reference_runs_of_the_stacked_experiment_are_whole_and_named(name):
    folder = ROOT / "results" / "reference" / name
    info = json.loads((folder / "config.json").read_text())
    assert info["commit"][:7] in FINDINGS
    assert (info["dirty"], info["status"]) == (False, "complete")
    assert info["config"]["seeds"] >= 3
    assert "--size full" in info["command"]


@pytest.mark.parametrize("name", ["forecast-2016", "forecast-2001"])
def test_the_tables_of_forecasts_are_those_of_the_reference_runs(name):
    """Would catch a number that was typed, or a table of another run."""
    assert reference_table(name) in FINDINGS
    info = json.loads(
        (ROOT / "results" / "reference" / name / "config.json").read_text()
    )
    assert info["commit"][:7] in FINDINGS
    assert info["best_baseline"] == "median_of_4_weeks"
    assert (info["dirty"], info["status"]) == (False, "complete")


def test_the_weights_of_several_devices_are_those_of_the_reference_run():
    rows = pd.DataFrame(rows_of("devices", "devices.csv"))
    worst = rows["max_difference"].astype(float).groupby(rows["setting"]).max()
    said = (
        f"differ by {worst['two replicas']:.1e} and {worst['two workers']:.1e} at most"
    )
    assert said in " ".join(FINDINGS.split())
    info = json.loads((ROOT / "results/reference/devices/config.json").read_text())
    assert info["commit"][:7] in FINDINGS
    assert (info["dirty"], info["status"]) == (False, "complete")


def scaling_table() -> str:
    """The findings' table of what a second replica or worker is worth."""
    lines = [
        "| | steps a second | examples a second | efficiency | all-reduce alone |",
        "| :-- | --: | --: | --: | --: |",
    ]
    for row in rows_of("bench-scaling", "bench-scaling.csv"):
        several = row["count"] != "1"
        share = f"{float(row['all_reduce_share']):.0%}" if several else ""
        lines.append(
            f"| {row['setting']} | {float(row['steps_per_second']):.0f} "
            f"| {float(row['examples_per_second']):,.0f} "
            f"| {float(row['efficiency']):.0%} | {share} |"
        )
    return "\n".join(lines)


def test_the_table_of_scaling_is_that_of_the_reference_run():
    folder = ROOT / "results" / "reference" / "bench-scaling"
    assert scaling_table() in FINDINGS
    about = json.loads((folder / "bench-scaling.json").read_text())
    assert about["dirty"] is False
    assert about["commit"][:7] in FINDINGS


def _three_digits(value: str) -> str:
    rounded = float(f"{float(value):.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"


def bench_table() -> str:
    """The table of `results/bench.md`."""
    lines = [
        "| work | contender | median | quartiles | ratio | came to | MB |",
        "| :-- | :-- | --: | --: | --: | --: | --: |",
    ]
    before = None
    for row in rows_of("bench", "bench.csv"):
        work = "" if row["work"] == before else f"{row['work']}, {row['unit']}"
        low, median, high = map(
            _three_digits, (row[n] for n in ("low", "median", "high"))
        )
        result = f"{float(row['result']):.3g}" if row["result"] else ""
        lines.append(
            f"| {work} | {row['contender']} | {median} | {low} to {high} "
            f"| {float(row['ratio']):.2f} | {result} | {float(row['megabytes']):,.0f} |"
        )
        before = row["work"]
    return "\n".join(lines)


def test_the_table_of_benchmarks_is_that_of_the_reference_run():
    """Would catch a speed that was typed, or one of another run."""
    said = (ROOT / "results" / "bench.md").read_text()
    assert bench_table() in said
    about = json.loads((ROOT / "results/reference/bench/bench.json").read_text())
    assert about["dirty"] is False
    assert about["commit"][:7] in said
