"""The search for hyperparameters by keras-tuner: one per model, its trials as rows.

Importing this module imports TensorFlow.
"""

import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence

import keras_tuner
from keras_tuner.engine import hyperparameters as hp_module
from keras_tuner.engine import trial as trial_module
from sklearn.exceptions import ConvergenceWarning

from rnn_tf.errors import RunError
from rnn_tf.recipe.fit import Fit
from rnn_tf.recipe.training import columns, values_of

# Epochs that a trial may always have, before it can be called a loser, and how much
# worse it must be: less is noise where all of them wait on a plateau.
GRACE_EPOCHS = 5
MARGIN = 0.05
# What a worker sends to its chief of each finished trial, beside its hyperparameters.
SENT = "score seconds epochs parameters".split()


class DefaultsFirst(keras_tuner.oracles.BayesianOptimizationOracle):
    """Bayesian search whose first trial is the defaults, so it never ends behind them.

    Source: Gaussian process with upper confidence bound (Srinivas et al., 2010), as
    keras-tuner has it. Its seed must not be 0, which keras-tuner reads as "random".
    """

    def populate_space(self, trial_id: str) -> dict:
        """The values of the next trial."""
        if len(self.start_order) == 0:
            status = trial_module.TrialStatus.RUNNING
            return {"status": status, "values": dict(self.get_space().values)}
        return super().populate_space(trial_id)


class _ServingOracle(DefaultsFirst):
    """The chief's oracle: workers fit its trials, and it reports what they send."""

    def __init__(self, report, **options):
        super().__init__(**options)
        self.report = report
        self.started = {}

    def populate_space(self, trial_id: str) -> dict:
        """The values of the next trial, which a worker begins now."""
        self.started[trial_id] = time.perf_counter()
        return super().populate_space(trial_id)

    def end_trial(self, trial) -> None:
        """Report a trial that a worker has finished."""
        super().end_trial(trial)
        trial = self.trials[trial.trial_id]
        row = {"trial": _number(trial), "status": "failed"}
        row |= columns(trial.hyperparameters)
        if trial.status == trial_module.TrialStatus.COMPLETED:
            row |= {name: trial.metrics.get_best_value(name) for name in SENT}
            row |= {name: int(row[name]) for name in ("epochs", "parameters")}
            row |= {"status": "completed"}
        else:
            row |= {"error": "failed on a worker, which says why"}
            row |= {"seconds": _seconds_since(self.started[trial.trial_id])}
        self.report(row, [])

    def remember(self, known: Sequence) -> None:
        """Take the trials of a run that was killed as finished."""
        for row, curve in known:
            self.report(row, curve)
            hp = self.get_space()
            hp.values = values_of(row)
            name = f"{row['trial'] - 1:0{len(str(self.max_trials))}d}"
            trial = trial_module.Trial(hp, name, row["status"].upper())
            trial.score, trial.best_step = row.get("score"), 0
            self.trials[name] = trial
            self._record_values(trial)
            self.start_order.append(name)
            self.end_order.append(name)


class _Tuner(keras_tuner.Tuner):
    """A tuner whose trials are fitted by our own function; it keeps no checkpoints."""

    def run_trial(self, trial, fit_trial, report, known, curves):
        """Fit one trial, report it, and return its score; see `search`.

        `curves` gathers the best score so far after each epoch of finished trials.
        """
        number = _number(trial)
        if number <= len(known):
            row, curve = known[number - 1]
            report(row, curve)
            return _score_again(trial.hyperparameters.values, row, curve, curves)
        started = time.perf_counter()
        row = {"trial": number, "status": "failed"} | columns(trial.hyperparameters)
        try:
            fit, parameters = fit_trial(
                trial.hyperparameters,
                number,
                lambda epochs, best: clearly_losing(curves, epochs, best),
            )
            row |= {"epochs": len(fit.history), "parameters": parameters}
            if not fit.finite:
                raise keras_tuner.errors.FailedTrialError("the loss is not finite")
        except RunError as error:  # a worker is gone: no fault of the trial
            raise _Fatal(str(error)) from error
        except Exception as error:
            row |= {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
            report(row | {"seconds": _seconds_since(started)}, ())
            raise
        curves.append(fit.best_so_far)
        seconds = _seconds_since(started)
        row |= {"status": "completed", "score": fit.score, "seconds": seconds}
        report(row, fit.best_so_far)
        return {name: row[name] for name in SENT}


def _seconds_since(started: float) -> float:
    return round(time.perf_counter() - started, 3)


class _Fatal(RunError, keras_tuner.errors.FatalError):
    """The search cannot go on; keras-tuner would count any other as a failed trial."""


def _score_again(values: dict, row: dict, curve: list[float], curves: list) -> float:
    """The score of a trial that was finished before the run was killed."""
    if values != values_of(row):
        raise _Fatal(
            f"trial {row['trial']} had other hyperparameters before the run was "
            "killed: the code or its packages have changed, or several processes "
            "searched; start a new run"
        )
    if row["status"] != "completed":
        raise keras_tuner.errors.FailedTrialError(row["error"])
    if curve:
        curves.append(curve)
    return row["score"]


def clearly_losing(curves: list[tuple[float, ...]], epochs: int, best: float) -> bool:
    """Apply the median stopping rule.

    Source: Golovin et al. (2017), "Google Vizier", section 3.2.

    Args:
        curves: best score so far after each epoch, one tuple per finished trial.
        epochs: of the running trial so far.
        best: the running trial's best score so far; lower is better.

    Returns:
        True if it is worse, by 5 % or more, than the median of the others at the same
        epoch.
    """
    if epochs < GRACE_EPOCHS or not curves:
        return False
    rivals = [curve[min(epochs, len(curve)) - 1] for curve in curves]
    median = statistics.median(rivals)
    return best - median > MARGIN * abs(median)


def search(
    declare: Callable[[keras_tuner.HyperParameters], object],
    fit_trial: Callable[..., tuple[Fit, int]],
    trials: int,
    report: Callable[[dict, Sequence[float]], None],
    known: Sequence = (),
    serve: bool = False,
) -> None:
    """Search for the hyperparameters with the lowest validation score; see `best`.

    Args:
        declare: builds the model once, so that the space is known.
        fit_trial: `(hyperparameters, trial number, loses)` -> the fit and the number
            of parameters; it stops the trial when `loses(epochs, best)` says so.
        trials: how many.
        report: called after each trial with its row of `trials.csv` and its best score
            so far after each epoch.
        known: what `report` was called with before the run was killed; these trials
            are not run again, but the search goes through them, so that it proposes
            what it would have proposed.
        serve: whether this is the chief of several processes: its workers fit the
            trials, and what is known it does not go through.
    """
    with (
        tempfile.TemporaryDirectory(prefix="rnn-search-") as folder,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", ConvergenceWarning)  # of few trials, no news
        tuner = _tuner(declare, trials, folder, report, serve)
        if serve:
            tuner.oracle.remember(known)
        tuner.search(fit_trial, report, known, [])


def _tuner(declare, trials: int, folder: str, report, serve: bool) -> _Tuner:
    """A silent tuner with its state in a folder; the others as those of `search`."""
    options = {
        "objective": keras_tuner.Objective("score", "min"),
        "max_trials": trials,
        "num_initial_points": max(2, trials // 2),
        "seed": 1,
        "max_consecutive_failed_trials": trials + 1,
    }
    oracle = _ServingOracle(report, **options) if serve else DefaultsFirst(**options)
    tuner = _Tuner(
        oracle,
        declare,
        directory=folder,
        overwrite=True,  # keras-tuner's own memory does not hold its random state
    )
    oracle.verbose = 0
    return tuner


def best(start: keras_tuner.HyperParameters, rows: Sequence[dict]):
    """Return the hyperparameters of the best completed trial; None if all failed.

    Args:
        start: the defaults.
        rows: of `trials.csv`.
    """
    completed = [row for row in rows if row["status"] == "completed"]
    if not completed:
        return None
    hp = start.copy()
    hp.values = values_of(min(completed, key=lambda row: row["score"]))
    return hp


def defaults(declare: Callable[[keras_tuner.HyperParameters], object]):
    """Return the hyperparameters that `declare` asks for, each at its default."""
    hp = keras_tuner.HyperParameters()
    declare(hp)
    return hp


def nothing_to_choose(hp: keras_tuner.HyperParameters) -> bool:
    """Tell whether every hyperparameter is fixed: a search would repeat one trial."""
    return all(isinstance(parameter, hp_module.Fixed) for parameter in hp.space)


def _number(trial) -> int:
    """The trial's number, from 1; keras-tuner counts from 0, in digits."""
    return int(trial.trial_id) + 1
