"""The benchmarks: turns, medians and ratios by hand, and what a failure says."""

import importlib
import time
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as bench
from benchmarks import contest, jobs, limit, search, sketch
from benchmarks.contest import Contender, Work
from rnn_tf import config
from rnn_tf.errors import InputError, RunError
from tests.conftest import run_python


def steady(speed: float):
    """A contender that gets ready, and does every round at one speed."""

    def setup():
        print("libraries print things")  # which must not be taken for an answer
        return lambda: speed

    return setup


def comes_to_something():
    """A contender that says what each round came to."""
    return lambda: (20.0, 0.5)


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
            Contender("three", comes_to_something),
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
    one, two, three = contest.measure("made", WORKS[0], said.append)
    assert (one["contender"], one["median"], one["ratio"]) == ("one", 10, 1)
    assert (two["median"], two["ratio"], two["rounds"]) == (30, 3, 2)
    # A process may begin with the peak of the one that started it: this one.
    assert 5 < two["megabytes"] < max(5000, 1.1 * contest._megabytes())
    assert (three["median"], three["result"]) == (20, 0.5)
    assert "result" not in two
    assert "left out: absent, which needs no_such_module" in said
    turns = [line.split(", ")[-1] for line in said if "round" in line]
    assert turns == ["one", "two", "three"] * 2


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
    assert [*base, "result"] == [*contest.COLUMNS[:-2], "megabytes", "result"]
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
    options = ["--parts", "strokes", "--rounds", 1, "--results", tmp_path]
    done = run_python("-m", "benchmarks", *options)
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "bench.csv").read_text().splitlines()
    assert rows[0] == ",".join(contest.COLUMNS)
    assert len(rows) == 5
    assert (tmp_path / "bench.json").is_file()
    assert "ours" in done.stdout


LONG = "strokes", "sketch", "search", "jobs"
QUICK = [part for part in bench.PARTS if part not in LONG]


@pytest.mark.long
@pytest.mark.parametrize("part", QUICK)
def test_every_part_is_measured_for_real(tmp_path, part):
    """Would catch a contender that has died since somebody last looked."""
    options = ["--parts", part, "--rounds", 1, "--results", tmp_path]
    done = run_python("-m", "benchmarks", *options, timeout=850)
    assert done.returncode == 0, done.stderr


SMALL = (
    "--data adding --cells gru --lengths 25 --examples 200 --seeds 2 --epochs 1"
).split()


@pytest.mark.long
@pytest.mark.parametrize("count", [1, 2])
def test_a_whole_run_is_timed_for_real(count):
    """Would catch a run that fails, or an option that has gone."""
    assert jobs.run("stacked", SMALL, count)() > 0
    for experiment, options in jobs.RUNS.values():
        module = importlib.import_module(f"experiments.{experiment}")
        config.parse(module.Config, module.FULL, [*jobs.FULL, *options], experiment)


@pytest.mark.long
def test_the_memory_of_a_run_is_that_of_its_workers_too(tmp_path):
    """Would catch workers that nobody counts."""
    options = ["stacked", *SMALL, "--trials", 0, "--jobs", 2]
    done = run_python("-m", "benchmarks.memory", tmp_path, *options)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "memory.csv").read_text().splitlines()
    most = {line.split(",")[2]: float(line.split(",")[3]) for line in text[1:]}
    names = [name.split()[0] for name in most]
    assert sorted(set(names)) == ["parent", "worker"]
    assert names.count("worker") == 2
    assert text[0] == "seconds,fits,process,megabytes"


@pytest.mark.long
def test_searches_and_drawings_are_measured_for_real(monkeypatch):
    """Would catch a contender that has died; of few trials, drawings and epochs."""
    sizes = {"TRIALS": 2, "EPOCHS": 2}
    for name, value in sizes.items():
        monkeypatch.setattr(search, name, value)
    for one in search.WORKS[0].contenders:
        speed, score = one.setup()()
        assert speed > 0
        assert 0 < score < 1  # the error of the level alone, in spreads
    monkeypatch.setattr(sketch, "COUNT", 400)
    monkeypatch.setattr(sketch, "ERROR", 99.0)
    sketch._drawings.cache_clear()
    sketch._records.cache_clear()
    training, to_error = sketch.WORKS
    for one in training.contenders:
        if not one.absent and not one.environment:
            assert one.setup()() > 0
    for one in to_error.contenders[:2]:
        speed, error = one.setup()()
        assert speed > 0
        assert error <= 99


def test_a_network_that_does_not_get_there_says_so(monkeypatch):
    """Would catch a race that is called won though nobody arrived."""
    monkeypatch.setattr(sketch, "EPOCHS", 3)
    errors = iter((90.0, 60.0, 40.0, 20.0))
    with pytest.raises(RunError, match="40.0 % after 3 epochs, not of 25.0"):
        sketch._to_error(lambda: errors)
    speed, error = sketch._to_error(lambda: iter((90.0, 20.0)))
    assert (speed > 0, error) == (True, 20)


def test_operations_are_counted_by_hand():
    """A batch of 2, 3 steps of 5 features, 4 units of an LSTM, forward and twice back.

    Input: 6 x 5 x 16 = 480 multiplications; state: 3 times 2 x 4 x 16 = 384.
    """
    products = limit.recurrent(4, 2, 3, 5, 4)
    assert limit.operations(products) == 3 * 2 * (480 + 384)
    # 100 points: 48, 22 and 10 steps, with 25, 160 and 192 inputs each.
    convolutions = 48 * 25 * 32 + 22 * 160 * 64 + 10 * 192 * 128
    layers = 2 * (10 * 128 * 512 + 10 * 128 * 512)
    assert limit.operations(limit.network()) == 6 * 32 * (convolutions + layers)


def test_bad_options_are_one_line(tmp_path):
    folder = tmp_path / "none"
    with pytest.raises(InputError, match="'tea'; known are forecast"):
        bench.main(("tea",), results=folder)
    with pytest.raises(InputError, match="--rounds is 0"):
        bench.main(rounds=0, results=folder)
    assert not folder.exists()
