"""Steps 6 and 7 as jobs, which run side by side: searches, and final fits.

The trials of one model follow each other, for the search learns from them; a model's
final fits follow its search. Nothing else waits. Whatever the number of workers, the
same jobs give the same numbers: each computes with one thread, from its own seed.
"""

import contextlib
import functools
import importlib
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console

from rnn_tf.config import RunConfig, from_json, to_json
from rnn_tf.devices import strategy, tuner_processes, workers
from rnn_tf.devices.workers import Died, Here, Workers
from rnn_tf.errors import InputError, RunError
from rnn_tf.recipe import training
from rnn_tf.recipe.experiment import Context
from rnn_tf.recipe.ledger import Job, Ledger
from rnn_tf.recipe.progress import RunProgress
from rnn_tf.recipe.training import Tell
from rnn_tf.runs.run_folder import Run

ALONE = "mirrored", "multiworker", "tpu"  # strategies that take one job at a time


@dataclass(frozen=True)
class Source:
    """Where a worker finds what the jobs of a run share."""

    module: str  # has `Config`, and `experiment(config)`
    options: str  # of its Config, as JSON
    sha256: str  # of the data


def train(
    context: Context,
    define: Callable,
    run: Run,
    progress: RunProgress,
    staff: Workers | Here,
) -> Iterator[tuple]:
    """Search and train all models; the first jobs of workers have begun on return.

    Args:
        context: of the run.
        define: the experiment's function `experiment(config)`.
        run: its folder.
        progress: shows what runs.
        staff: who does the jobs.

    Returns:
        What yields each model when its seeds are in: name, values of the
        hyperparameters, and seed -> weights, a list of arrays. A model whose every
        trial or every seed failed is left out; trials.csv says why.
    """
    ledger = Ledger(context, run, progress)
    if staff.here:
        do = functools.partial(work, context)
    else:
        do = functools.partial(work_elsewhere, source(define, context))
    waiting = ledger.first_jobs()

    def start_jobs():
        while waiting and staff.idle:
            job = choose(waiting, staff)
            waiting.remove(job)
            staff.start(job, functools.partial(ledger.tell, job), do, job)

    if not staff.here:
        start_jobs()
    return _trained(ledger, waiting, start_jobs, staff)


def _trained(ledger: Ledger, waiting: list, start_jobs: Callable, staff) -> Iterator:
    """Start the jobs that wait, and take what is finished, until nothing is left."""
    while True:
        start_jobs()
        yield from ledger.take_complete()
        if not staff.busy:
            return
        job, result = staff.next()
        gone = isinstance(result, Died)
        waiting += ledger.bury(job) if gone else ledger.finish(job, result)


def choose(waiting: list[Job], staff: Workers | Here) -> Job:
    """Choose the next job of an idle worker.

    Searches come first, for others wait for them. Then fits of the model that the
    worker has compiled, then of one that no other has.
    """
    if staff.here:
        return waiting[0]
    own, *others = [last and last.model for last in staff.last_jobs()]

    def order(job: Job):
        return bool(job.seed), job.model != own, job.model in others

    return min(waiting, key=order)


# ---------------------------------------------------------------- where jobs run

_staff: list[Workers | Here] = []  # what `hire` gives; one at most


@contextlib.contextmanager
def hire(config: RunConfig, most: int | None = None) -> Iterator[Workers | Here]:
    """Start the workers that a run asks for, or take those that are there.

    Args:
        config: of the run.
        most: jobs that can run side by side, if that is known.

    Raises:
        InputError: they do not go with the strategy.
    """
    if _staff:
        yield _staff[0]
        return
    staff = _open(config, most)
    if not staff.here:
        _staff.append(staff)
    try:
        yield staff
    finally:
        _staff.clear()
        staff.close()


@contextlib.contextmanager
def none_elsewhere() -> Iterator[None]:
    """Have the runs inside do their jobs in this process, whatever they ask for."""
    _staff.append(Here())
    try:
        yield
    finally:
        _staff.clear()


def _open(config: RunConfig, most: int | None) -> Workers | Here:
    several = config.cluster or (config.jobs or 1) > 1
    alone = config.strategy in ALONE or config.replicas
    alone = alone or tuner_processes.from_environment()
    if alone and several:
        option = f"--jobs {config.jobs}"
        if config.cluster:
            option = f"--cluster {config.cluster}"
        raise InputError(
            f"{option}, but replicas, workers in step, a TPU and the processes of a "
            "search take one job at a time; leave it out"
        )
    if config.cluster:
        from rnn_tf.devices import dask_cluster

        return dask_cluster.connect(config.cluster)
    gpus = workers.gpus() if config.strategy in ("auto", "gpu") else []
    count = 1 if alone else config.jobs or workers.usable(gpus)
    count = min(count, most or count)
    if count == 1:
        return Here()
    staff = workers.local(count, gpus)
    for worker in staff:
        worker.start()
    return Workers(staff)


# ---------------------------------------------------------------- tasks of a study


def tasks(
    staff: Workers | Here,
    config: RunConfig,
    work: Callable,
    names: Sequence[str],
    console: Console,
) -> Iterator[list]:
    """Do the tasks of a study side by side, and show them; yield their rows in order.

    Args:
        staff: who does them.
        config: the devices that they are done on; here these have been started.
        work: name -> rows; a function of a module.
        names: of the tasks, each once.
        console: for the bars.

    Raises:
        RunError: the process of a task has died.
    """
    waiting, rows = list(names), {}
    devices = None if staff.here else config
    with RunProgress(len(names), console, "tasks") as progress:
        for name in names:
            while name not in rows:
                while waiting and staff.idle:
                    task = waiting.pop(0)
                    progress.begin(task, task)
                    staff.start(task, ignore, work_on, devices, work, task)
                task, rows[task] = staff.next()
                progress.end(task)
            if isinstance(rows[name], Died):
                raise RunError(f"{name}: its process has died; is there enough memory?")
            yield rows.pop(name)


def work_on(devices: RunConfig | None, work: Callable, task: str, tell: Tell) -> list:
    """Do a task, in this process or in a worker; return its rows."""
    if devices is not None:
        strategy.start(devices)
    return list(work(task))


def ignore(*facts) -> None:
    """Hear nothing of how far a task is."""


# ---------------------------------------------------------------- a job


def work(context: Context, job: Job, tell: Tell):
    """Do a job: `training.search_model`, or `training.fit_seed`."""
    if not job.seed:
        return training.search_model(context, job.model, job.kept, tell)
    arguments = job.model, job.values, job.seed, job.kept
    return training.fit_seed(context, *arguments, tell)


def source(define: Callable, context: Context) -> Source:
    """Say where a worker finds the experiment."""
    module = define.__module__
    if module == "__main__":  # of python -m experiments.forecast
        module = sys.modules[module].__spec__.name
    options = json.dumps(to_json(context.config))
    return Source(module, options, context.data.facts["sha256"])


def work_elsewhere(source: Source, job: Job, tell: Tell):
    """Do a job in a worker process."""
    return work(_context(source), job, tell)


@functools.lru_cache(maxsize=1)
def _context(source: Source) -> Context:
    """Make the run's context in a worker: its devices, and the data, read again.

    Raises:
        RunError: the data differs from that of the run.
    """
    module = importlib.import_module(source.module)
    config = from_json(module.Config, json.loads(source.options))
    devices = strategy.start(config)
    with contextlib.redirect_stderr(io.StringIO()):  # the run has said its notes
        experiment = module.experiment(config)
        data = experiment.load_data(config)
    if data.facts["sha256"] != source.sha256:
        raise RunError(
            f"a worker reads other data (sha256 {data.facts['sha256'][:12]}) than the "
            f"run (sha256 {source.sha256[:12]}); give all the same files"
        )
    return Context(experiment, config, devices, data)
