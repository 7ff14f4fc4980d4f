"""Steps 6 and 7: tune a model, and retrain it over the seeds.

What has been finished is kept in the run's folder `state`; a run that goes on takes it
from there.
"""

import json

import lazy_loader

from rnn_tf import files
from rnn_tf.data.splits import Network
from rnn_tf.recipe import checkpoint
from rnn_tf.recipe.checkpoint import Checkpoint
from rnn_tf.recipe.experiment import Job
from rnn_tf.recipe.fit import Fit, build, fit, optimizer_state, reset
from rnn_tf.recipe.progress import RunProgress

keras = lazy_loader.load("keras")

# ---------------------------------------------------------------- step 6


def tune(job: Job, name: str, progress: RunProgress):
    """Search for the hyperparameters with the best validation score.

    Without trials, or with nothing to choose, they are the builder's defaults.

    Returns:
        keras-tuner's HyperParameters; None if every trial failed.
    """
    from rnn_tf.recipe import search  # imports TensorFlow, which runs by now

    def declare(hp):
        return build(job, name, hp, 1).model

    defaults = search.defaults(declare)
    if job.config.trials == 0 or search.nothing_to_choose(defaults):
        progress.skip(job.config.trials)
        return defaults
    trials = _Trials(job, name, progress)
    if job.tuners:
        job.tuners.meet_at(list(job.experiment.models).index(name))
    search.search(
        declare,
        trials.fit,
        job.config.trials,
        job.run.path / f"tuner-{name}",
        trials.report,
        trials.known,
        serve=bool(job.tuners and job.tuners.chief),
    )
    return search.best(defaults, [row for row, _ in trials.finished])


class _Trials:
    """The trials of one model: how each is fitted, and those that are over."""

    def __init__(self, job: Job, name: str, progress: RunProgress):
        self.job, self.name, self.progress = job, name, progress
        self.file = job.run.state(f"{name}-trials.json")
        own = self.file.read_bytes() if self.file.is_file() else None
        # Row and curve of each trial that was over when the run was killed.
        known = job.devices.from_chief(own) or "[]"
        self.known = checkpoint.read_or_refuse(read_trials, known, self.file)
        self.finished = []
        self.compiled = {}

    def fit(self, hp, number: int, loses) -> tuple[Fit, int]:
        """Fit trial `number`; it stops when `loses(epochs, best)`; see `search`."""
        self.progress.begin(self._label(number))
        keras.utils.set_random_seed(1)
        epochs = self.job.config.trial_epochs
        fresh = build(self.job, self.name, hp, epochs)
        network = at_the_start(self.job, fresh, hp, self.compiled)

        def hook(done, best):
            self.progress.epoch(done, epochs)
            return loses(done, best)

        finished = fit(self.job, network, 1, epochs, hook)
        return finished, network.model.count_params()

    def report(self, row: dict, curve) -> None:
        """Take the row of a trial that is over, and its best score after each epoch."""
        row_of_model = {"model": self.name, "phase": "search", "seed": 1} | row
        self.job.run.add("trials", [row_of_model])
        self.finished.append([row, curve])
        if len(self.finished) > len(self.known):
            files.write_text(self.file, json.dumps(self.finished))
        self.progress.finish(self._label(row["trial"]), row)

    def _label(self, number: int) -> str:
        trials = self.job.config.trials
        return f"{self.job.label(self.name)} · trial {number}/{trials}"


def read_trials(text: bytes | str) -> list:
    """Read the row and the curve of each trial that is over."""
    trials = json.loads(text)
    _ = [(row["trial"], row["status"], len(curve)) for row, curve in trials]
    return trials


def at_the_start(job: Job, fresh: Network, hp, compiled: dict) -> Network:
    """Return `fresh`, or a network that equals it and has been compiled before.

    Compiling takes longer than most trials train. Trials share a program if they differ
    in `learning_rate` alone and their optimizers do so too: a rate that is a number is
    a variable of the optimizer, which `reset` sets. A schedule's numbers are constants
    of the program, so such a trial is compiled anew.

    Args:
        job: the run.
        fresh: as it was just built.
        hp: its hyperparameters.
        compiled: the networks so far, by what they share; `fresh` is added to it.
    """
    optimizer = fresh.model.optimizer.get_config()
    rate, _ = optimizer.pop("learning_rate"), optimizer.pop("name")  # numbered through
    if not isinstance(rate, float):
        return fresh
    values = {k: v for k, v in hp.values.items() if k != "learning_rate"}
    same = json.dumps([values, optimizer], sort_keys=True, default=str)
    network = compiled.setdefault(same, fresh)
    if network is not fresh:
        reset(network.model, fresh.model, optimizer_state(job, fresh.model))
    return network


# ---------------------------------------------------------------- step 7


def retrain(job: Job, name: str, hp, progress: RunProgress) -> dict:
    """Train a model once for each seed.

    A seed whose loss is not finite is a failed row in `trials.csv` and has no weights.

    Returns:
        Seed -> the weights after training, a list of arrays.
    """
    network, weights, blank = None, {}, None
    for seed in range(1, job.config.seeds + 1):
        label = f"{job.label(name)} · seed {seed}/{job.config.seeds}"
        kept = _checkpoint(job, f"{name}-{seed}.finished.npz")
        finished = kept.read("history", "row")
        if finished is None:
            progress.begin(label)
            keras.utils.set_random_seed(seed)
            fresh = build(job, name, hp, job.config.epochs, job.config.seeds)
            if network is None:
                network, blank = fresh, optimizer_state(job, fresh.model)
            else:
                reset(network.model, fresh.model, blank)
            finished = _train(job, network, seed, hp, progress)
            files.write_bytes(kept.path, checkpoint.pack(*finished))
        arrays, facts = finished
        job.run.add("history", facts["history"])
        job.run.add("trials", [facts["row"]])
        progress.finish(label, facts["row"])
        if "weights" in arrays:
            weights[seed] = arrays["weights"]
    return weights


def _checkpoint(job: Job, name: str) -> Checkpoint:
    return Checkpoint(job.run.state(name), job.devices.from_chief)


def _train(job: Job, network: Network, seed: int, hp, progress) -> tuple[dict, dict]:
    """Fit a final run; its weights, if it did not fail, and its rows."""
    name, model = network.name, network.model

    def hook(epochs, _):
        progress.epoch(epochs, job.config.epochs)
        return False

    last_epoch = _checkpoint(job, f"{name}-{seed}.epoch.npz")
    final = fit(job, network, seed, job.config.epochs, hook, last_epoch)
    row = _row(name, seed, final, hp) | {"parameters": model.count_params()}
    rows = [{"model": name, "seed": seed} | epoch for epoch in final.history]
    arrays = {"weights": model.get_weights()} if final.finite else {}
    return arrays, {"history": rows, "row": row}


def _row(name: str, seed: int, final: Fit, hp) -> dict:
    """A final run as a row of `trials.csv`."""
    row = {
        "model": name,
        "phase": "final",
        "seed": seed,
        "epochs": len(final.history),
        "seconds": round(final.seconds, 3),
        **{f"hp.{key}": value for key, value in hp.values.items()},
    }
    if final.finite:
        return row | {"status": "completed", "score": final.score}
    return row | {"status": "failed", "error": "the loss is not finite"}
