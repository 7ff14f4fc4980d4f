"""The results table: what intervals allow, at any width, from any mix of folders."""

import json
import shutil

import pandas as pd
import pytest
from rich.console import Console

from rnn_tf.errors import InputError
from rnn_tf.report import summary, summary_rows
from rnn_tf.runs import run_folder
from rnn_tf.runs.finished import skip_damaged
from tests.conftest import make_run, run_python
from tests.fuzz import assert_sturdy


def test_mean_spread_and_intervals(tmp_path):
    make_run(tmp_path)
    table = summary.refresh(tmp_path).set_index("model")
    row = table.loc["gru"]
    assert (row["mean"], row["sd"], row["seeds"]) == (47, 1, 3)
    assert row["seed_low"] == pytest.approx(47 - 4.302653 / 3**0.5, abs=1e-4)
    assert (row["low"], row["high"], row["difference"]) == (40, 60, -3)
    assert (row["parameters"], row["seconds"]) == (7, 2.5)
    assert (table.loc["naive", "seeds"], table.loc["naive", "sd"]) == (1, "")
    on_disk = pd.read_csv(tmp_path / "summary.csv")
    assert list(on_disk) == summary_rows.COLUMNS
    assert len(on_disk) == 2


@pytest.mark.parametrize(
    ("low", "high", "said"), [(-5, -1, "better"), (-5, 1, "unclear"), (1, 5, "worse")]
)
def test_no_winner_where_the_interval_holds_zero(tmp_path, low, high, said):
    make_run(tmp_path, low, high)
    rows = summary.refresh(tmp_path).to_dict("records")
    verdicts = {row["model"]: summary_rows.verdict(row) for row in rows}
    assert verdicts == {"naive": "(itself)", "gru": said}


@pytest.mark.parametrize("width", [40, 50, 60, 80])
def test_nothing_is_cut_off(tmp_path, width, capsys):
    make_run(tmp_path, low=-132_741.0, high=-118_274.0)
    summary.show(summary.refresh(tmp_path), Console(width=width))
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert ("-118,274]" in shown) == (width > 40)  # else it wraps
    assert ("-3 [-132,741, -118,274]" in shown) == (width >= 60)
    assert ("40 to 60" in shown) == (width >= 80)
    assert max(map(len, shown.splitlines())) <= width


@pytest.mark.parametrize(
    ("naive", "high", "best"), [(50, -1, True), (49, -1, False), (50, 1, False)]
)
def test_best_is_what_is_proved_better_than_all_others(tmp_path, naive, high, best):
    """Would catch a medal for the smallest mean: 46, 47, 48 against 49 is -2 with a t
    interval of 2.48 to each side, and the interval over test examples counts too."""
    make_run(tmp_path, high=high, naive=naive)
    found = summary.refresh(tmp_path).set_index("model")["best"]
    assert found.to_dict() == {"naive": False, "gru": best}


@pytest.mark.parametrize(("changes", "said"), [
    ({"data": {"source": "cta", "sha256": "2"}}, "other data"),
    ({"data": {"source": "cta", "sha256": "1", "windows": 8}}, "other splits"),
    ({"commit": "f00"}, "other commits"),
    ({"dirty": True}, "files that differ from the commit"),
    ({}, None),
])  # fmt: skip
def test_runs_that_cannot_be_compared_are_named(tmp_path, changes, said):
    same = {"commit": "abc", "dirty": False}
    names = sorted(make_run(tmp_path, **same | c).name for c in ({}, changes))
    table = summary.refresh(tmp_path)
    lines = summary.incomparable(table)
    assert lines == ([f"made: {names[0]} and {names[1]} have {said}"] if said else [])
    written = (tmp_path / "summary.md").read_text()
    assert ("Not to be compared" in written) == bool(said)


def test_the_tables_are_markdown_too(tmp_path):
    """Would catch a cell that ends early, and a mark that no interval allows."""
    path = make_run(tmp_path, command="python -m this | that")
    summary.refresh(tmp_path)
    text = (tmp_path / "summary.md").read_text()
    assert f"## made on cta: {path.name}" in text
    table = text.split(path.name)[2]  # the first one is the overview
    rows = [line.split("|")[1:-1] for line in table.splitlines() if line[:1] == "|"]
    cells = [[cell.strip() for cell in row] for row in rows]
    assert cells[0][2:6] == ["test MAE, rides", "sd", "95 % interval", "against naive"]
    assert cells[2] == (
        ["**gru**", "3", "47", "1", "40 to 60", "-3 [-5, -1]", "better, best", "7"]
        + ["2.5"]
    )
    assert cells[3][:3] == ["naive", "1", "50"]
    assert len({len(row) for row in cells}) == 1


def test_runs_without_a_test_score_are_left_out(tmp_path):
    whole = make_run(tmp_path)
    with run_folder.open_run(tmp_path, "made", {}):
        pass
    assert set(summary.refresh(tmp_path)["run"]) == {whole.name}


def test_a_damaged_folder_is_named_and_does_not_hide_the_others(tmp_path, capsys):
    """Would catch a crash on a config.json that somebody edited."""
    whole, broken = make_run(tmp_path), make_run(tmp_path)
    (broken / "config.json").write_text('{"status": ')
    assert set(summary.refresh(tmp_path)["run"]) == {whole.name}
    assert str(broken) in capsys.readouterr().err


def summarise_run(path) -> None:
    """Summarise the run of a file, or say that it was left out."""
    if skip_damaged(summary_rows.summarise, path.parent) is None:
        raise InputError(f"{path} was left out")


@pytest.mark.long
@pytest.mark.parametrize("name", ["config.json", "metrics.csv", "trials.csv"])
def test_any_damage_to_a_run_leaves_it_out(tmp_path, name):
    """Would catch one run of which a file is damaged, and that ends every run's end."""
    assert_sturdy(summarise_run, make_run(tmp_path) / name, copies=300)


def test_a_run_nested_too_deep_is_left_out(tmp_path, capsys):
    """Would catch a RecursionError, which is none of the errors of values."""
    whole, broken = make_run(tmp_path), make_run(tmp_path)
    (broken / "config.json").write_text("[" * 100_000)
    assert set(summary.refresh(tmp_path)["run"]) == {whole.name}
    assert f"{broken} is damaged" in capsys.readouterr().err


def test_a_run_is_read_once_and_again_when_it_has_changed(tmp_path, monkeypatch):
    """Would catch 500 runs that are all read at the end of every run, and rows that
    stay as they were: of a run that goes on, of a column that has come in."""
    path, read = make_run(tmp_path), []
    summarise = summary_rows.summarise
    monkeypatch.setattr(
        summary_rows, "summarise", lambda p: read.append(p) or summarise(p)
    )
    first = summary.refresh(tmp_path)
    before = [(tmp_path / name).read_bytes() for name in ("summary.csv", "summary.md")]
    second = summary.refresh(tmp_path)
    after = [(tmp_path / name).read_bytes() for name in ("summary.csv", "summary.md")]
    assert read == [path]
    assert before == after
    pd.testing.assert_frame_equal(first, second, check_dtype=False)
    text = (path / "metrics.csv").read_text()
    (path / "metrics.csv").write_text(text.replace(",46,", ",46.5,"))
    changed = summary.refresh(tmp_path).set_index("model")
    assert read == [path, path]
    assert changed.loc["gru", "mean"] == pytest.approx(141.5 / 3)
    (tmp_path / "changed.py").write_text("other code")
    monkeypatch.setattr(summary_rows, "SOURCES", [tmp_path / "changed.py"])
    summary.refresh(tmp_path)
    assert len(read) == 3
    shutil.rmtree(path)
    assert summary.refresh(tmp_path).empty


@pytest.mark.parametrize("text", ["", "{", "[]", '{"code": 1}', "\0"])
def test_what_was_read_before_may_be_damaged_or_deleted(tmp_path, text):
    make_run(tmp_path)
    first = summary.refresh(tmp_path)
    (tmp_path / summary_rows.CACHE).write_text(text)
    pd.testing.assert_frame_equal(summary.refresh(tmp_path), first)


def test_of_many_runs_the_newest_are_shown(tmp_path, monkeypatch):
    """Would catch 8,498 lines on the terminal; in summary.csv are all."""
    monkeypatch.setattr(summary, "SHOWN", 2)
    for day in (1, 4, 3, 2):
        path = make_run(tmp_path)
        path.rename(path.parent / f"2026010{day}-000000-aaaa")
    table = summary.refresh(tmp_path)
    shown, older = summary.newest(table)
    assert set(shown["run"]) == {"20260104-000000-aaaa", "20260103-000000-aaaa"}
    assert (older, table["run"].nunique()) == (2, 4)
    text = (tmp_path / "summary.md").read_text()
    assert "2 older ones are in summary.csv alone" in text
    assert "20260102-000000-aaaa" not in text


def test_make_summary_on_nothing_is_one_line(tmp_path):
    done = run_python("-m", "rnn_tf.report.summary", "--results", tmp_path / "absent")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "nothing has run yet" in done.stderr
    empty = run_python("-m", "rnn_tf.report.summary", "--results", tmp_path)
    assert empty.returncode == 0
    assert empty.stdout == "no results yet; try: make results\n"


def test_make_summary_prints_the_table(tmp_path):
    path = make_run(tmp_path)
    info = json.loads((path / "config.json").read_text())
    done = run_python("-m", "rnn_tf.report.summary", "--results", tmp_path)
    assert done.returncode == 0
    assert info["run_id"] in done.stdout
    assert "gru *" in done.stdout
