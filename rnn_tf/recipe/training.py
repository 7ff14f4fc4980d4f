"""The two kinds of job: a model's search for hyperparameters, and one final fit.

They write nothing: `tell` takes to the run's process what happens in them, and what
they return is plain values and arrays. So they run in any process, see `jobs`.
"""

import json
from collections.abc import Callable

import lazy_loader

from rnn_tf.data.splits import Network
from rnn_tf.recipe.checkpoint import Checkpoint
from rnn_tf.recipe.experiment import Context
from rnn_tf.recipe.fit import Fit, build, fit, optimizer_state, reset

keras = lazy_loader.load("keras")

# tell("begin", row): a trial or a final fit begins; what is known of its row
# tell("epoch", done, of): it has done so many epochs, of at most `of`
# tell("trial", row, curve): it is over; its best score so far after each epoch
# tell("keep", data): the last epoch of a final fit, see `Checkpoint`
Tell = Callable[..., None]

# ---------------------------------------------------------------- search


def search_model(
    context: Context, name: str, known: list, tell: Tell
) -> tuple[dict | None, list]:
    """Search for the hyperparameters with the best validation score.

    Args:
        context: of the run.
        name: of the model.
        known: row and curve of each trial that was over when the run was killed.
        tell: see `Tell`.

    Returns:
        The values of the hyperparameters: the builder's defaults if there is nothing to
        choose, None if every trial failed.
        Row and curve of each trial.
    """
    from rnn_tf.recipe import search  # imports TensorFlow, which runs by now

    def declare(hp):
        return build(context, name, hp, 1).model

    defaults = search.defaults(declare)
    if search.nothing_to_choose(defaults):
        return defaults.values, []
    trials = _Trials(context, name, tell)
    if context.tuners:
        context.tuners.meet_at(list(context.experiment.models).index(name))
    search.search(
        declare,
        trials.fit,
        context.config.trials,
        trials.report,
        known,
        serve=bool(context.tuners and context.tuners.chief),
    )
    best = search.best(defaults, [row for row, _ in trials.finished])
    return best and best.values, trials.finished


class _Trials:
    """The trials of one model: how each is fitted, and those that are over."""

    def __init__(self, context: Context, name: str, tell: Tell):
        self.context, self.name, self.tell = context, name, tell
        self.finished = []
        self.compiled = {}

    def fit(self, hp, number: int, loses) -> tuple[Fit, int]:
        """Fit trial `number`; it stops when `loses(epochs, best)`; see `search`."""
        self.tell("begin", {"trial": number} | columns(hp))
        keras.utils.set_random_seed(1)
        epochs = self.context.config.trial_epochs
        fresh = build(self.context, self.name, hp, epochs)
        network = at_the_start(self.context, fresh, hp, self.compiled)

        def hook(done, best):
            self.tell("epoch", done, epochs)
            return loses(done, best)

        finished = fit(self.context, network, 1, epochs, hook)
        return finished, network.model.count_params()

    def report(self, row: dict, curve) -> None:
        """Take the row of a trial that is over, and its best score after each epoch."""
        self.finished.append([row, curve])
        self.tell("trial", row, curve)


def read_trials(text: bytes | str) -> list:
    """Read the row and the curve of each trial that is over."""
    trials = json.loads(text)
    _ = [(row["trial"], row["status"], len(curve)) for row, curve in trials]
    return trials


def at_the_start(context: Context, fresh: Network, hp, compiled: dict) -> Network:
    """Return `fresh`, or a network that equals it and has been compiled before.

    Compiling takes longer than most trials train. Trials share a program if they differ
    in `learning_rate` alone and their optimizers do so too: a rate that is a number is
    a variable of the optimizer, which `reset` sets. A schedule's numbers are constants
    of the program, so such a trial is compiled anew.

    Args:
        context: of the run.
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
        reset(network.model, fresh.model, optimizer_state(context, fresh.model))
    return network


# ---------------------------------------------------------------- one final fit


def fit_seed(
    context: Context, name: str, values: dict | None, seed: int, saved, tell: Tell
) -> tuple[dict, dict]:
    """Train a model once, for one seed.

    Args:
        context: of the run.
        name: of the model.
        values: of its hyperparameters; None: the builder's defaults.
        seed: of the weights and of the order of the examples.
        saved: the last epoch of a fit that was killed, see `Checkpoint`, or None.
        tell: see `Tell`.

    Returns:
        As `checkpoint.pack` takes it: the weights, none if the loss was not finite; and
        the rows of history.csv and trials.csv.
    """
    tell("begin", {})
    keras.utils.set_random_seed(seed)
    hp = hyperparameters(values)
    network = _compiled(context, name, hp)

    def hook(done, _):
        tell("epoch", done, context.config.epochs)
        return False

    kept = Checkpoint(saved, lambda data: tell("keep", data))
    final = fit(context, network, seed, context.config.epochs, hook, kept)
    parameters = network.model.count_params()
    row = _row(name, seed, final, hp) | {"parameters": parameters}
    rows = [{"model": name, "seed": seed} | epoch for epoch in final.history]
    arrays = {"weights": network.model.get_weights()} if final.finite else {}
    return arrays, {"history": rows, "row": row}


def hyperparameters(values: dict | None):
    """Make keras-tuner's HyperParameters; what is not in `values` is its default."""
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    hp.values = dict(values or {})
    return hp


def columns(hp) -> dict:
    """Write hyperparameters as the `hp.<name>` columns of trials.csv."""
    return {f"hp.{name}": value for name, value in hp.values.items()}


def values_of(row: dict) -> dict:
    """Read the hyperparameters of a row of trials.csv; the inverse of `columns`."""
    return {name[3:]: value for name, value in row.items() if name.startswith("hp.")}


def _compiled(context: Context, name: str, hp) -> Network:
    """Build and compile a network, or put the one of the seed before to its start."""
    epochs, seeds = context.config.epochs, context.config.seeds
    fresh = build(context, name, hp, epochs, seeds)
    key = json.dumps([name, hp.values], sort_keys=True)
    if key in context.compiled:
        network, blank = context.compiled[key]
        reset(network.model, fresh.model, blank)
        return network
    context.compiled.clear()
    context.compiled[key] = fresh, optimizer_state(context, fresh.model)
    return fresh


def _row(name: str, seed: int, final: Fit, hp) -> dict:
    """A final run as a row of `trials.csv`."""
    row = {
        "model": name,
        "phase": "final",
        "seed": seed,
        "epochs": len(final.history),
        "seconds": round(final.seconds, 3),
        **columns(hp),
    }
    if final.finite:
        return row | {"status": "completed", "score": final.score}
    return row | {"status": "failed", "error": "the loss is not finite"}
