"""Steps 6 and 7: tune a model and retrain it over the seeds, by one `fit`.

What has been finished is kept in the run's folder `state`; a run that goes on takes it
from there.
"""

import json

import lazy_loader

from rnn_tf import files
from rnn_tf.recipe import checkpoint
from rnn_tf.recipe.checkpoint import Backup
from rnn_tf.recipe.experiment import Job
from rnn_tf.recipe.fit import Fit, build, fit, optimizer_state, reset
from rnn_tf.recipe.progress import RunProgress

keras = lazy_loader.load("keras")


def tune(job: Job, name: str, progress: RunProgress):
    """Step 6: the hyperparameters with the best validation score, or None.

    Without trials, or with nothing to choose, they are the builder's defaults.
    """
    from rnn_tf.recipe import search  # imports TensorFlow, which runs by now

    config, label = job.config, job.label(name)
    defaults = search.defaults(lambda hp: build(job, name, hp, 1))
    if config.trials == 0 or search.nothing_to_choose(defaults):
        progress.skip(config.trials)
        return defaults

    compiled = {}

    def fit_trial(hp, number, loses):
        progress.begin(f"{label} · trial {number}/{config.trials}")
        keras.utils.set_random_seed(1)
        model = _at_the_start(
            job, build(job, name, hp, config.trial_epochs), hp, compiled
        )

        def hook(epochs, best):
            progress.epoch(epochs, config.trial_epochs)
            return loses(epochs, best)

        return fit(job, model, 1, config.trial_epochs, hook), model.count_params()

    file = job.run.state(f"{name}-trials.json")
    done = job.devices.from_chief(file.read_bytes() if file.is_file() else None)
    known, trials = json.loads(done or "[]"), []

    def report(row, curve):
        job.run.add("trials", [{"model": name, "phase": "search", "seed": 1} | row])
        trials.append([row, curve])
        if len(trials) > len(known):
            files.write_text(file, json.dumps(trials))
        progress.finish(f"{label} · trial {row['trial']}/{config.trials}", row)

    if job.tuners:
        job.tuners.meet_at(list(job.experiment.models).index(name))
    search.search(
        lambda hp: build(job, name, hp, 1),
        fit_trial,
        config.trials,
        job.run.path / f"tuner-{name}",
        report,
        known,
        serve=bool(job.tuners and job.tuners.chief),
    )
    return search.best(defaults, [row for row, _ in trials])


def _at_the_start(job: Job, fresh, hp, compiled: dict):
    """The model `fresh`, or one that is the same but for having been compiled.

    Compiling takes longer than most trials train. What is called learning_rate makes no
    other program.
    """
    others = {k: v for k, v in hp.values.items() if k != "learning_rate"}
    model = compiled.setdefault(json.dumps(others, sort_keys=True), fresh)
    if model is not fresh:
        reset(model, fresh, optimizer_state(job, fresh))
    return model


def retrain(job: Job, name: str, hp, progress: RunProgress) -> dict:
    """Step 7: the weights after each finished seed, `{seed: weights}`.

    A seed whose loss is not finite is a failed row in `trials.csv` and has no weights.
    """
    model, weights, blank = None, {}, None
    for seed in range(1, job.config.seeds + 1):
        what = f"{job.label(name)} · seed {seed}/{job.config.seeds}"
        kept = Backup(job.run.state(f"{name}-{seed}.npz"), job.devices.from_chief)
        found = kept.read()
        if found is None or "row" not in found[1]:  # it holds the last epoch
            progress.begin(what)
            keras.utils.set_random_seed(seed)
            fresh = build(job, name, hp, job.config.epochs, job.config.seeds)
            if model is None:
                model, blank = fresh, optimizer_state(job, fresh)
            else:
                reset(model, fresh, blank)
            found = _train(job, name, seed, hp, model, kept, progress)
            files.write_bytes(kept.path, checkpoint.pack(*found))
        arrays, facts = found
        job.run.add("history", facts["history"])
        job.run.add("trials", [facts["row"]])
        progress.finish(what, facts["row"])
        if "weights" in arrays:
            weights[seed] = arrays["weights"]
    return weights


def _train(job: Job, name: str, seed: int, hp, model, kept: Backup, progress):
    """Fit a final run; its weights, if it did not fail, and its rows."""

    def hook(epochs, _):
        progress.epoch(epochs, job.config.epochs)
        return False

    final = fit(job, model, seed, job.config.epochs, hook, kept)
    row = _row(name, seed, final, hp) | {"parameters": model.count_params()}
    rows = [{"model": name, "seed": seed} | epoch for epoch in final.history]
    arrays = {"weights": model.get_weights()} if final.finite else {}
    return arrays, {"history": rows, "row": row}


def _row(name: str, seed: int, final: Fit, hp) -> dict:
    """A final run as a row of `trials.csv`."""
    row = {"model": name, "phase": "final", "seed": seed, "epochs": len(final.history)}
    row |= {"seconds": round(final.seconds, 3)}
    row |= {f"hp.{key}": value for key, value in hp.values.items()}
    if final.finite:
        return row | {"status": "completed", "score": final.score}
    return row | {"status": "failed", "error": "the loss is not finite"}
