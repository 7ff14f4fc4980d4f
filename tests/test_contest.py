"""The benchmarks: turns, medians and ratios by hand, and what a failure says."""

import time
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as bench
from benchmarks import contest
from benchmarks.contest import Contender, Work
from rnn_tf.config import InputError, RunError
from tests.conftest import run_python


def steady(speed: float):
    """A contender that gets ready, and does every round at one speed."""

    def setup():
        print("libraries print things")  # which must not be taken for an answer
        return lambda: speed

    return setup


def broken():
    raise ValueError("no such thing")


def slow_to_start():
    time.sleep(0.01)
    return lambda: 1.0


WORKS = (
    Work(
        "made",
        "things/s",
        (
            Contender("one", steady(10.0)),
            Contender("two", steady(30.0), environment={"MADE": "1"}),
            Contender("absent", steady(99.0), ("no_such_module",)),
        ),
        2,
    ),
    Work("fails", "things/s", (Contender("broken", broken),)),
)


@pytest.fixture
def this_module(monkeypatch):
    """Contenders are looked up here, also by their own processes."""
    real = contest.subprocess.Popen
    code = (
        "import sys; from types import SimpleNamespace; "
        "from benchmarks import __main__ as bench; import tests.test_contest as here; "
        "bench.works = lambda part: here.WORKS; "
        "bench.serve('made', sys.argv[1], sys.argv[2])"
    )

    def popen(command, **options):
        work, contender = command[-3], command[-1]
        return real([command[0], "-c", code, work, contender], **options)

    monkeypatch.setattr(contest, "subprocess", SimpleNamespace(
        Popen=popen, PIPE=contest.subprocess.PIPE,
        TimeoutExpired=contest.subprocess.TimeoutExpired,
    ))  # fmt: skip


def test_each_contender_has_a_process_and_the_absent_are_named(this_module):
    """Would catch a contender that is counted though it never ran."""
    said = []
    one, two = contest.measure("made", WORKS[0], said.append)
    assert (one["contender"], one["median"], one["ratio"]) == ("one", 10, 1)
    assert (two["median"], two["ratio"], two["rounds"]) == (30, 3, 2)
    assert 5 < two["megabytes"] < 5000
    assert "left out: absent, which needs no_such_module" in said
    turns = [line.split(", ")[-1] for line in said if "round" in line]
    assert turns == ["one", "two", "one", "two"]


def test_a_contender_that_fails_is_named_with_its_last_word(this_module):
    with pytest.raises(RunError, match="fails: broken failed: ValueError: no such"):
        contest.measure("made", WORKS[1], lambda line: None)


def test_rows_are_medians_quartiles_and_ratios_of_medians():
    """Would catch means, which one slow round on a busy machine can move."""
    found = {
        "base": [{"speed": s, "megabytes": 7.0} for s in (1.0, 2.0, 3.0, 4.0, 100.0)],
        "rival": [{"speed": s, "megabytes": m} for s, m in ((6.0, 1.0), (12.0, 2.0))],
    }
    base, rival = contest.rows(WORKS[0], found)
    assert list(base) == contest.COLUMNS
    assert (base["low"], base["median"], base["high"]) == (2, 3, 4)
    assert (rival["median"], rival["ratio"], rival["megabytes"]) == (9, 3, 2)


@pytest.mark.parametrize("part", bench.PARTS)
def test_contenders_are_found_by_their_names(part):
    """Would catch a second contender of the same name, which nobody could start."""
    works = bench.works(part)
    assert len({work.name for work in works}) == len(works)
    for work in works:
        names = [one.name for one in work.contenders]
        assert len(set(names)) == len(names) >= 2
        assert not work.contenders[0].needs or part == "clips"


@pytest.mark.long
def test_one_work_is_measured_for_real(tmp_path):
    """Drawings: each contender really gives every batch of an epoch."""
    options = ["--parts", "strokes", "--rounds", 1, "--results-folder", tmp_path]
    done = run_python("-m", "benchmarks", *options)
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "bench.csv").read_text().splitlines()
    assert rows[0] == ",".join(contest.COLUMNS)
    assert len(rows) == 5
    assert (tmp_path / "bench.json").is_file()
    assert "ours" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize("part", [p for p in bench.PARTS if p != "strokes"])
def test_every_part_is_measured_for_real(tmp_path, part):
    """Would catch a contender that has died since somebody last looked."""
    options = ["--parts", part, "--rounds", 1, "--results-folder", tmp_path]
    done = run_python("-m", "benchmarks", *options, timeout=280)
    assert done.returncode == 0, done.stderr


def test_bad_options_are_one_line(tmp_path):
    folder = tmp_path / "none"
    with pytest.raises(InputError, match="'tea'; known are forecast"):
        bench.main(("tea",), results_folder=folder)
    with pytest.raises(InputError, match="--rounds is 0"):
        bench.main(rounds=0, results_folder=folder)
    assert not folder.exists()
