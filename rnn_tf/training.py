"""Steps 6 and 7: tune a model and retrain it over the seeds, by one `fit`.

What has been finished is kept in the run's folder `state`; a run that goes on takes it
from there.
"""

import itertools
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import lazy_loader

from rnn_tf import backup, results
from rnn_tf.backup import Backup
from rnn_tf.data.order import Order
from rnn_tf.experiment import Job
from rnn_tf.progress import RunProgress

keras = lazy_loader.load("keras")

# Called after each epoch with the number of epochs so far and the best score among
# them; True stops the training.
EpochHook = Callable[[int, float], bool]


@dataclass(frozen=True)
class Fit:
    """One finished training run. `score` is the best on validation, lower is better."""

    history: tuple[dict, ...]  # one per epoch: rows of history.csv
    seconds: float

    @property
    def best_so_far(self) -> tuple[float, ...]:
        """The best score after each epoch; infinite while there was none."""
        scores = (row["score"] for row in self.history)
        finite = (score if math.isfinite(score) else math.inf for score in scores)
        return tuple(itertools.accumulate(finite, min))

    @property
    def score(self) -> float:
        """The best score on validation; the model is left with its weights."""
        return self.best_so_far[-1]

    @property
    def finite(self) -> bool:
        """False if the loss became NaN or infinite: a failed run."""
        losses = [row["loss"] for row in self.history]
        return math.isfinite(self.score) and all(map(math.isfinite, losses))


def fit(
    job: Job, model, seed: int, epochs: int, hook: EpochHook, kept: Backup | None = None
) -> Fit:
    """Train `model` and leave it with the weights of its best epoch.

    Args:
        job: the run.
        model: compiled, with a metric named "score", lower is better.
        seed: shuffles the training set.
        epochs: at most so many; `patience` epochs without a better score end it.
        hook: see `EpochHook`.
        kept: where the last epoch is kept, and goes on from.
    """
    started = time.perf_counter()
    saved = kept.read() if kept else None
    history = saved[1]["history"] if saved else []
    started -= history[-1]["seconds"] if history else 0
    stop_early = keras.callbacks.EarlyStopping(
        "val_score", patience=job.config.patience, mode="min", restore_best_weights=True
    )

    def on_train_begin(_):
        if saved:
            kept.restore(saved, stop_early)

    def on_epoch_end(epoch, logs):
        row = {"epoch": epoch + 1, "loss": logs["loss"], "score": logs["val_score"]}
        row |= {"validation_loss": logs["val_loss"]}
        history.append(row | {"seconds": round(time.perf_counter() - started, 3)})
        best = Fit(tuple(history), 0.0).score
        if hook(epoch + 1, best) or not math.isfinite(logs["loss"]):
            model.stop_training = True
        if kept and not model.stop_training:
            kept.save(stop_early, history)

    stacked = job.data.stacks and job.devices.by_whole_epochs(model)
    order = Order(seed, len(history), stacked)
    job.devices.fit(
        model,
        job.data.dataset("train", model, order),
        validation_data=job.data.dataset("validation", model),
        steps=job.data.steps_per_epoch if stacked else None,
        initial_epoch=len(history),
        epochs=epochs,
        verbose=0,
        shuffle=False,  # the data set shuffles itself
        callbacks=[
            stop_early,
            keras.callbacks.LambdaCallback(
                on_train_begin=on_train_begin,
                on_epoch_begin=order.begin,
                on_epoch_end=on_epoch_end,
            ),
        ],
    )
    return Fit(tuple(history), time.perf_counter() - started)


def clipped_adam(rate: float, steps: int):
    """Adam, clipped at norm 1, its rate falling to zero along a cosine over `steps`.

    Keras's `clipnorm` clips in each replica, before their gradients are summed; two
    replicas then train otherwise than one device does. This clips the sum. The rate is
    a variable, as it would not be with Keras's `CosineDecay(rate, steps)`: models that
    differ in it alone are compiled once.
    """
    share = keras.optimizers.schedules.CosineDecay(1.0, steps)

    class ClippedAdam(keras.optimizers.Adam):
        def update_step(self, gradient, variable, learning_rate):
            norm = keras.ops.sqrt(keras.ops.sum(keras.ops.square(gradient)))
            clipped = gradient / keras.ops.maximum(norm, 1.0)
            now = keras.ops.cast(share(self.iterations), learning_rate.dtype)
            super().update_step(clipped, variable, learning_rate * now)

    return ClippedAdam(rate)


def build(job: Job, name: str, hp, epochs: int, runs: int = 1):
    """The model `name` with the values of `hp`, compiled for the run's devices.

    Args:
        job: the run.
        name: of the model.
        hp: keras-tuner's hyperparameters.
        epochs: of one training run; schedules end there.
        runs: how often the compiled model will be trained.
    """
    steps = epochs * job.data.steps_per_epoch
    with job.devices.scope():
        model = job.experiment.models[name](hp, job.config, job.data.shape)
        arguments = job.experiment.compile_arguments(hp, job.config, steps)
        job.devices.compile(model, runs * steps, job.experiment.xla, **arguments)
    return model


def tune(job: Job, name: str, progress: RunProgress):
    """Step 6: the hyperparameters with the best validation score, or None.

    Without trials, or with nothing to choose, they are the builder's defaults.
    """
    from rnn_tf import tuning  # imports TensorFlow, which runs by now

    config, label = job.config, job.label(name)
    defaults = tuning.defaults(lambda hp: build(job, name, hp, 1))
    if config.trials == 0 or tuning.nothing_to_choose(defaults):
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
            results.write_text(file, json.dumps(trials))
        progress.finish(f"{label} · trial {row['trial']}/{config.trials}", row)

    if job.tuners:
        job.tuners.meet_at(list(job.experiment.models).index(name))
    tuning.search(
        lambda hp: build(job, name, hp, 1),
        fit_trial,
        config.trials,
        job.run.path / f"tuner-{name}",
        report,
        known,
        serve=bool(job.tuners and job.tuners.chief),
    )
    return tuning.best(defaults, [row for row, _ in trials])


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
            results.write_bytes(kept.path, backup.pack(*found))
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


def optimizer_state(job: Job, model) -> list:
    """The optimizer's variables before the first step."""
    with job.devices.scope():
        model.optimizer.build(model.trainable_variables)
    return [keras.ops.convert_to_numpy(v) for v in model.optimizer.variables]


def reset(model, fresh, blank: list) -> None:
    """Put a trained model back to the start, with the variables of a fresh one.

    A second seed then trains without being compiled again, which costs seconds with
    XLA, and ends on the same weights as the fresh model would.
    """
    backup.assign(model.variables, fresh.variables)
    backup.assign(model.optimizer.variables, blank)
