"""One training run: build a model, fit it, and put it back to the start."""

import itertools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import lazy_loader

from rnn_tf.data.order import Order
from rnn_tf.recipe import checkpoint
from rnn_tf.recipe.checkpoint import Backup
from rnn_tf.recipe.experiment import Job

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
    checkpoint.assign(model.variables, fresh.variables)
    checkpoint.assign(model.optimizer.variables, blank)
