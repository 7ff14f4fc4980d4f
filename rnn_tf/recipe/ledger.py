"""What the jobs of a run have finished: its rows in order, and what a kill leaves.

Jobs may end in any order, on any worker. Only the run's own process keeps a ledger, and
writes the run's folder by it.
"""

import collections
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rnn_tf import files
from rnn_tf.errors import RunError
from rnn_tf.recipe import checkpoint, training
from rnn_tf.recipe.experiment import Context
from rnn_tf.recipe.progress import RunProgress
from rnn_tf.runs.run_folder import Run

DEATHS = 2  # of its process that a trial or a final fit may have


@dataclass(frozen=True, eq=False)
class Job:
    """A model's whole search, or one final fit: plain values, which travel."""

    model: str
    seed: int = 0  # of a final fit; 0 is the search
    values: dict | None = None  # hyperparameters of a final fit; None: the defaults
    # what was done before a kill: trials, or the last epoch as `Checkpoint` has it
    kept: Any = None


class Ledger:
    """What is known of each trial and each final fit."""

    def __init__(self, context: Context, run: Run, progress: RunProgress):
        self.context, self.run, self.progress = context, run, progress
        self.trials: dict[str, list] = {}  # model -> row and curve of each trial
        # (model, seed) -> what `training.fit_seed` returns
        self.fits: dict[tuple, tuple] = {}
        self.begun: dict[Job, tuple] = {}  # what is known of a fit's row, and when
        self.deaths = collections.Counter()
        self.complete = collections.deque()  # models that nobody has asked for

    # ------------------------------------------------------------ jobs

    def first_jobs(self) -> list[Job]:
        """Make the jobs that wait for no other: searches; without trials, the fits."""
        names = list(self.context.experiment.models)
        if self.context.config.trials == 0:
            return [job for name in names for job in self._fits(name, None)]
        self.trials = {name: self._read_trials(name) for name in names}
        self._write()
        self.progress.skip(sum(map(len, self.trials.values())))
        return [Job(name, kept=list(known)) for name, known in self.trials.items()]

    def _fits(self, name: str, values: dict | None) -> list[Job]:
        """Make the jobs of a model's final fits, less those that are finished."""
        jobs = []
        for seed in self.context.seeds:
            finished = self._read(name, seed, "finished", "history", "row")
            if finished:
                self.fits[name, seed] = finished
                self.progress.skip(1)
            else:
                epoch = self._read(name, seed, "epoch", *checkpoint.FACTS)
                jobs.append(Job(name, seed, values, epoch))
        self._write()
        if not jobs:
            self._end_model(name)
        return jobs

    def _read_trials(self, name: str) -> list:
        """Read row and curve of each trial that was over when the run was killed."""
        path = self.run.state(f"{name}-trials.json")
        own = path.read_bytes() if path.is_file() else None
        known = self.context.devices.from_chief(own) or "[]"
        return checkpoint.read_or_refuse(training.read_trials, known, path)

    def _read(self, name: str, seed: int, state: str, *facts: str):
        path = self.run.state(f"{name}-{seed}.{state}.npz")
        return checkpoint.read(path, self.context.devices.from_chief, *facts)

    # ------------------------------------------------------------ what jobs tell

    def tell(self, job: Job, event: str, *facts) -> None:
        """Take what happens in a job; see `training.Tell`."""
        getattr(self, f"_{event}")(job, *facts)

    def _begin(self, job: Job, row: dict) -> None:
        self.begun[job] = row, time.monotonic()
        self.progress.begin(job, self._label(job, row))

    def _epoch(self, job: Job, done: int, of: int) -> None:
        self.progress.epoch(job, done, of)

    def _keep(self, job: Job, data: bytes) -> None:
        files.write_bytes(self.run.state(f"{job.model}-{job.seed}.epoch.npz"), data)

    def _trial(self, job: Job, row: dict, curve) -> None:
        known = self.trials[job.model]
        if any(row["trial"] == other["trial"] for other, _ in known):
            return  # it was finished before a kill, and the search went through it
        known.append([row, curve])
        path = self.run.state(f"{job.model}-trials.json")
        files.write_text(path, json.dumps(known))
        self._write()
        self.progress.finish(job, self._label(job, row), row)

    def _label(self, job: Job, row: dict) -> str:
        """Name a fit, for people; `row` is what is known of its row."""
        if job.seed:
            return f"{job.model} · seed {job.seed}/{self.context.config.seeds}"
        return f"{job.model} · trial {row['trial']}/{self.context.config.trials}"

    # ------------------------------------------------------------ what is over

    def finish(self, job: Job, result) -> list[Job]:
        """Take the result of a job; return the jobs that waited for it."""
        self.begun.pop(job, None)
        if job.seed:
            self._finish_fit(job, result)
            return []
        values, trials = result
        for row, curve in trials:
            self._trial(job, row, curve)  # if its message is still on its way
        self.progress.skip(self.context.config.trials - len(trials))
        if values is None:
            self.progress.skip(len(self.context.seeds))
            return []
        return self._fits(job.model, values)

    def _finish_fit(self, job: Job, finished: tuple) -> None:
        name, seed = job.model, job.seed
        path = self.run.state(f"{name}-{seed}.finished.npz")
        files.write_bytes(path, checkpoint.pack(*finished))
        self.fits[name, seed] = finished
        self._write()
        row = finished[1]["row"]
        self.progress.finish(job, self._label(job, row), row)
        if all((name, other) in self.fits for other in self.context.seeds):
            self._end_model(name)

    def _end_model(self, name: str) -> None:
        """Note that all of a model's seeds are in."""
        finished = [self.fits[name, seed] for seed in self.context.seeds]
        trained = [(facts["row"], arrays) for arrays, facts in finished if arrays]
        weights = {row["seed"]: arrays["weights"] for row, arrays in trained}
        if weights:
            values = training.values_of(trained[0][0])
            self.complete.append((name, values, weights))

    def take_complete(self) -> Iterator[tuple]:
        """Yield name, hyperparameters, and seed -> weights of models that are done.

        A model whose every trial or every seed failed is left out.
        """
        while self.complete:
            yield self.complete.popleft()

    def _write(self) -> None:
        """Write trials.csv and history.csv: all that is finished, in one order."""
        searched = {"phase": "search", "seed": 1}
        rows = [
            {"model": name} | searched | row
            for name, trials in self.trials.items()
            for row, _ in trials
        ]
        names, seeds = self.context.experiment.models, self.context.seeds
        order = [(name, seed) for name in names for seed in seeds]
        facts = [self.fits[key][1] for key in order if key in self.fits]
        self.run.put("trials", rows + [fact["row"] for fact in facts])
        self.run.put("history", [row for fact in facts for row in fact["history"]])

    # ------------------------------------------------------------ deaths

    def bury(self, job: Job) -> list[Job]:
        """Take the death of a job's process; return the jobs that go on in its place.

        What it was at is begun once more; after a second death it is a failed row.

        Raises:
            RunError: it was at nothing, twice.
        """
        row, since = self.begun.pop(job, (None, 0.0))
        label = job.model if row is None else self._label(job, row)
        self.deaths[label] += 1
        self.progress.stop(job)
        if self.deaths[label] < DEATHS:
            self.progress.say(f"{label}: its process died; it is started again")
            return [self._again(job)]
        error = "its process died twice; is there enough memory? take fewer --jobs"
        if row is None:
            raise RunError(f"{label}: {error}")
        seconds = round(time.monotonic() - since, 3)
        row = row | {"status": "failed", "error": error, "seconds": seconds}
        if not job.seed:
            self._trial(job, row, [])
            return [self._again(job)]
        at = {"model": job.model, "phase": "final", "seed": job.seed}
        at |= training.columns(training.hyperparameters(job.values))
        return self.finish(job, ({}, {"history": [], "row": at | row}))

    def _again(self, job: Job) -> Job:
        if not job.seed:
            return Job(job.model, kept=list(self.trials[job.model]))
        epoch = self._read(job.model, job.seed, "epoch", *checkpoint.FACTS)
        return Job(job.model, job.seed, job.values, epoch)
