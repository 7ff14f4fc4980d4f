"""One training run: build a model, fit it, and put it back to the start."""

import itertools
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import lazy_loader

from rnn_tf.data.order import Order
from rnn_tf.data.splits import Network
from rnn_tf.recipe import checkpoint
from rnn_tf.recipe.checkpoint import Checkpoint
from rnn_tf.recipe.experiment import Context

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


# ---------------------------------------------------------------- build


def build(context: Context, name: str, hp, epochs: int, runs: int = 1) -> Network:
    """Build the model `name`, compiled for the run's devices.

    Args:
        context: of the run.
        name: of the model.
        hp: keras-tuner's hyperparameters.
        epochs: of one training run; schedules end there.
        runs: how often the compiled model will be trained.

    Raises:
        InputError: the training set is smaller than a batch, or replicas cannot share
            a batch out evenly.
    """
    with context.devices.scope():
        network = context.build(name, hp)
    each = steps_per_epoch(context, network)
    context.devices.check(context.data.batch_size, each)
    steps = epochs * each
    with context.devices.scope():
        arguments = context.experiment.compile_arguments(hp, context.config, steps)
        steps = runs * steps
        xla = steps >= context.experiment.xla_from(name)
        context.devices.compile(network.model, steps, xla, **arguments)
    return network


def steps_per_epoch(context: Context, network: Network) -> int:
    """Count the gradient steps of an epoch: the batches of the training set.

    Making a data set takes 40 ms, so networks of the same shape are counted once.
    """
    model = network.model
    key = json.dumps([network.name, model.input_shape, model.output_shape])
    if key not in context.steps:
        dataset = context.data.dataset("train", network, Order(1))
        context.steps[key] = int(dataset.cardinality())
    return context.steps[key]


# ---------------------------------------------------------------- fit


def fit(
    context: Context,
    network: Network,
    seed: int,
    epochs: int,
    hook: EpochHook,
    kept: Checkpoint | None = None,
) -> Fit:
    """Train a network and leave it with the weights of its best epoch.

    Args:
        context: of the run.
        network: compiled, with a metric named "score", lower is better.
        seed: shuffles the training set.
        epochs: at most so many; `patience` epochs without a better score end it.
        hook: see `EpochHook`.
        kept: of the last epoch, from which training goes on.
    """
    saved = kept.saved if kept else None
    history = saved[1]["history"] if saved else []
    started = time.perf_counter() - (history[-1]["seconds"] if history else 0)
    order = Order(seed, len(history))
    stop_early = keras.callbacks.EarlyStopping(
        "val_score",
        patience=context.config.patience,
        mode="min",
        restore_best_weights=True,
    )
    record = keras.callbacks.LambdaCallback(
        on_train_begin=lambda _: saved and kept.restore(stop_early),
        on_epoch_begin=order.begin,
        on_epoch_end=_recorder(history, started, hook, kept, stop_early),
    )
    context.devices.fit(
        network.model,
        **_data_sets(context, network, order),
        callbacks=[*context.experiment.callbacks(network.model), stop_early, record],
        initial_epoch=len(history),
        epochs=epochs,
        verbose=0,
        shuffle=False,  # the data set shuffles itself
    )
    return Fit(tuple(history), time.perf_counter() - started)


def _data_sets(context: Context, network: Network, order: Order) -> dict:
    """The data sets, and the steps of an epoch if training batches come in stacks."""
    data, steps = context.data.seen_by(order.seed), None
    validation = data.dataset("validation", network)
    if data.stacked and context.devices.by_whole_epochs(network.model):
        train, steps = data.stacked(network, order), steps_per_epoch(context, network)
    else:
        train = data.dataset("train", network, order)
    return {"train": train, "validation_data": validation, "steps": steps}


def _recorder(history: list, started: float, hook, kept, stop_early) -> Callable:
    """A Keras `on_epoch_end` that adds a row to `history` and keeps the epoch."""

    def record(epoch, logs):
        row = {
            "epoch": epoch + 1,
            "loss": logs["loss"],
            "score": logs["val_score"],
            "validation_loss": logs["val_loss"],
            "seconds": round(time.perf_counter() - started, 3),
        }
        history.append(row)
        best = Fit(tuple(history), 0.0).score
        if hook(epoch + 1, best) or not math.isfinite(logs["loss"]):
            stop_early.model.stop_training = True
        if kept and not stop_early.model.stop_training:
            kept.save(stop_early, history)

    return record


# ---------------------------------------------------------------- fit again


def optimizer_state(context: Context, model) -> list:
    """Return the optimizer's variables as they are before the first step."""
    with context.devices.scope():
        model.optimizer.build(model.trainable_variables)
    return [keras.ops.convert_to_numpy(v) for v in model.optimizer.variables]


def reset(model, fresh, blank: list) -> None:
    """Put a trained model back to the start, with the variables of a fresh one.

    A second seed then trains without being compiled again, which costs seconds with
    XLA, and ends on the same weights as the fresh model would.
    """
    checkpoint.assign(model.variables, fresh.variables)
    checkpoint.assign(model.optimizer.variables, blank)
