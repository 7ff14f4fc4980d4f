"""The ledger: rows in one order, whoever is first; what a kill and a death leave."""

import dataclasses
import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from rnn_tf.config import RunConfig
from rnn_tf.errors import RunError
from rnn_tf.recipe import checkpoint, jobs
from rnn_tf.recipe.experiment import Context
from rnn_tf.recipe.ledger import Job, Ledger
from rnn_tf.recipe.progress import RunProgress
from rnn_tf.runs import run_folder

CONFIG = RunConfig(trials=2, seeds=2)


def trial(number: int, **row) -> dict:
    return (
        {"trial": number, "hp.units": 8} | {"status": "completed", "score": 0.5} | row
    )


def final(name: str, seed: int) -> tuple[dict, dict]:
    """What a final fit returns."""
    row = {"model": name, "phase": "final", "seed": seed, "hp.units": 8}
    row |= {"status": "completed", "score": 0.5, "seconds": 1.0, "epochs": 1}
    history = [{"model": name, "seed": seed, "epoch": 1, "loss": 1.0}]
    return {"weights": [np.full(2, seed)]}, {"history": history, "row": row}


@pytest.fixture
def open_ledger(tmp_path):
    """`open_ledger(run, **options)`: of the models a and b."""

    def make(run, **options):
        context = Context(
            SimpleNamespace(models={"a": None, "b": None}),
            dataclasses.replace(CONFIG, **options),
            SimpleNamespace(from_chief=lambda data: data, chief=True),
            None,
        )
        progress = RunProgress(8, Console(quiet=True))
        return Ledger(context, run, progress)

    return make


def do(ledger: Ledger, job: Job) -> list[Job]:
    """Do a job of the toy models."""
    if job.seed:
        ledger.tell(job, "begin", {})
        return ledger.finish(job, final(job.model, job.seed))
    trials = []
    for number in (1, 2):
        row = trial(number, seconds=0.1)
        ledger.tell(job, "begin", {"trial": number})
        ledger.tell(job, "trial", row, [0.5])
        trials.append([row, [0.5]])
    return ledger.finish(job, ({"units": 8}, trials))


def test_rows_are_in_one_order_whatever_is_finished_first(open_ledger, tmp_path):
    """Would catch tables that hang on which worker was quick."""
    tables = []
    for order in itertools.permutations(range(2)):
        with run_folder.open_run(tmp_path, "made", {}) as run:
            ledger = open_ledger(run)
            searches = ledger.first_jobs()
            fits = [do(ledger, searches[n]) for n in order]
            for job in reversed([*itertools.chain(*fits)]):
                do(ledger, job)
            complete = [name for name, _, _ in ledger.take_complete()]
            assert sorted(complete) == ["a", "b"]
            tables.append((run.path / "trials.csv").read_text())
            tables.append((run.path / "history.csv").read_text())
    assert tables[:2] == tables[2:]
    lines = tables[0].splitlines()[1:]
    assert [line.split(",")[0] for line in lines] == list("aabbaabb")


def test_a_run_that_goes_on_does_only_what_is_left(open_ledger, tmp_path):
    with run_folder.open_run(tmp_path, "made", {}) as run:
        ledger = open_ledger(run)
        first, second = ledger.first_jobs()
        seeds = do(ledger, first)
        do(ledger, seeds[1])
        ledger.tell(second, "begin", {"trial": 1})
        ledger.tell(second, "trial", trial(1, seconds=0.1), [0.5])
        again = open_ledger(run)
        first, second = again.first_jobs()
        assert [row["trial"] for row, _ in first.kept] == [1, 2]
        assert [row["trial"] for row, _ in second.kept] == [1]
        (left,) = do(again, first)
        assert (left.model, left.seed) == ("a", 1)
        assert len(run.rows["trials"]) == 4
        do(again, left)
        ((name, values, weights),) = again.take_complete()
        assert (name, values, list(weights)) == ("a", {"units": 8}, [1, 2])


def test_trials_that_end_out_of_order_are_all_kept(open_ledger, tmp_path):
    """Would catch a count of trials where several processes share them out."""
    with run_folder.open_run(tmp_path, "made", {}) as run:
        ledger = open_ledger(run)
        job, _ = ledger.first_jobs()
        for number in (2, 1, 2):
            ledger.tell(job, "trial", trial(number, seconds=0.1), [])
        assert [row["trial"] for row in run.rows["trials"]] == [2, 1]


def test_a_fit_goes_on_after_a_death_and_fails_after_two(open_ledger, tmp_path):
    with run_folder.open_run(tmp_path, "made", {}) as run:
        ledger = open_ledger(run, trials=0)
        job, *_ = ledger.first_jobs()
        facts = dict.fromkeys(checkpoint.FACTS, 1)
        ledger.tell(job, "begin", {})
        ledger.tell(job, "keep", checkpoint.pack({"variables": [np.ones(1)]}, facts))
        (again,) = ledger.bury(job)
        assert (again.model, again.seed, again.kept[1]) == ("a", 1, facts)
        ledger.tell(again, "begin", {})
        assert ledger.bury(again) == []
        (row,) = run.rows["trials"]
        assert (row["status"], row["seed"]) == ("failed", 1)
        assert row["error"].startswith("its process died twice")


def test_a_trial_that_kills_its_process_twice_fails_and_the_search_goes_on(
    open_ledger, tmp_path
):
    with run_folder.open_run(tmp_path, "made", {}) as run:
        ledger = open_ledger(run)
        job, _ = ledger.first_jobs()
        ledger.tell(job, "begin", {"trial": 1, "hp.units": 512})
        (again,) = ledger.bury(job)
        assert again.kept == []
        ledger.tell(again, "begin", {"trial": 1, "hp.units": 512})
        (third,) = ledger.bury(again)
        ((row, curve),) = third.kept
        assert (row["status"], row["hp.units"], curve) == ("failed", 512, [])
        state = (run.path / "state/a-trials.json").read_text()
        assert json.loads(state) == [[row, []]]


def test_a_process_that_dies_before_any_fit_ends_the_run(open_ledger, tmp_path):
    """Would catch a run that starts workers for ever."""
    with run_folder.open_run(tmp_path, "made", {}) as run:
        ledger = open_ledger(run)
        job, _ = ledger.first_jobs()
        (again,) = ledger.bury(job)
        with pytest.raises(RunError, match="a: its process died twice; is there enou"):
            ledger.bury(again)


# ---------------------------------------------------------------- which job is next


def chosen(waiting, *last):
    staff = SimpleNamespace(here=False, last_jobs=lambda: last)
    return jobs.choose(waiting, staff)


def test_a_worker_goes_on_with_the_model_that_it_has_compiled():
    """Would catch every worker compiling every model."""
    fits = [Job(name, seed) for name in "ab" for seed in (1, 2)]
    a, b = Job("a", 1), Job("b", 1)
    assert chosen(fits, b, a) is fits[2]
    assert chosen(fits, None, a) is fits[2]
    assert chosen(fits, None, None) is fits[0]
    assert chosen(fits[:2], b, a) is fits[0]
    search = Job("c")
    assert chosen([*fits, search], a, b) is search
