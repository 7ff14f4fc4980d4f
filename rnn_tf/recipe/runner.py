"""The recipe: nine steps, in this order, the same for every experiment."""

import dataclasses
from collections.abc import Callable

import lazy_loader
import numpy as np
from rich.console import Console

from rnn_tf import files
from rnn_tf.config import RunConfig, to_json
from rnn_tf.devices import backend, strategy, tuner_processes
from rnn_tf.errors import RunError
from rnn_tf.metrics import intervals
from rnn_tf.metrics.formatting import plain
from rnn_tf.metrics.scores import Scores
from rnn_tf.recipe import jobs, recommendation
from rnn_tf.recipe.entries import (
    baseline_entries,
    mean_entries,
    metric_rows,
    network_entries,
    ranking,
    scores,
    validation_rows,
)
from rnn_tf.recipe.experiment import Context, Entry, Experiment, Outcome
from rnn_tf.recipe.progress import RunProgress
from rnn_tf.recipe.progress import console as progress_console
from rnn_tf.report import search_plots, summary
from rnn_tf.runs import run_folder
from rnn_tf.runs.run_folder import Run

keras = lazy_loader.load("keras")
pd = lazy_loader.load("pandas")


def run(define: Callable, config: RunConfig, show: bool = True) -> Outcome | None:
    """Run the recipe and print the table.

    Of several workers, the chief does; the others work for it, and return None.

    Args:
        define: `experiment(config)`, a function of a module; workers call it too.
        config: the run's options, of the class `Config` of that module.
        show: whether to print what came out.

    Raises:
        InputError: the data or an option cannot be used; no run folder is left.
    """
    console, experiment = progress_console(), define(config)
    most = len(experiment.models) * config.seeds
    # 1. freeze the configuration, open the run folder
    with (
        strategy.own_folder(config) as config,
        backend.one_thread(),
        _folder(experiment, config) as folder,
        jobs.hire(config, most) as staff,
    ):
        # 2. and 3. the devices, before anything else starts TensorFlow; then the seed
        devices = strategy.start(config, folder.path.name, trains=staff.here)
        keras.utils.set_random_seed(1)
        # 4. data
        data = experiment.load_data(config)
        devices.check_data(data.facts["sha256"])
        folder.check_data(data.facts)
        folder.record(
            headline=experiment.headline,
            devices=devices.facts() | {"jobs": staff.count},
            data=data.facts,
        )
        tuners = tuner_processes.from_environment()
        context = Context(experiment, config, devices, data, tuners)
        if tuners:
            folder.record(tuners=dataclasses.asdict(tuners))
        if not context.chief:
            return take_part(context, define, folder, staff, console)
        line = f"{experiment.name}: {data.facts['says']} · {devices.describe()}"
        jobs_at_a_time = f"{staff.count} job{'s' * (staff.count > 1)} at a time"
        console.print(plain(f"{line} · {jobs_at_a_time}"))
        if config.resume:
            console.print(plain(folder.describe_resume()))
        with _progress(context, console) as progress:
            trained = jobs.train(context, define, folder, progress, staff)
            # 5. baselines, while the first jobs run
            entries = baseline_entries(context)
            folder.add("metrics", validation_rows(context, entries))
            # 6. tune, 7. retrain the best over the seeds
            entries += network_entries(context, folder, trained)
            entries += mean_entries(context, folder, entries)
        ranked = ranking(context, folder, entries)
        chosen, recommended = choose(ranked), recommend(context, ranked)
        # 8. test, once
        test(context, folder, entries)
        # 9. the chosen model, tables, pictures, summary
        outcome = finish(context, folder, entries, chosen, recommended)
        experiment.report(outcome)
        search_plots.write(folder.path)
    outcome.tables["summary"] = summary.refresh(config.results)
    if show:
        if not console.is_jupyter:  # there people show the table themselves
            summary.show(outcome.tables["summary"], console, folder.path.name)
        names = experiment.headline, folder.info["best_baseline"]
        console.print(plain(recommendation.sentence(outcome, *names)))
        experiment.show(outcome, console)
    return outcome


def run_each(define: Callable, config: RunConfig) -> dict[str, Outcome]:
    """Run the recipe on each of the data sets that `config.data` names; see `run`."""
    names = dict.fromkeys(config.data)
    configs = {name: dataclasses.replace(config, data=(name,)) for name in names}
    return {name: run(define, one) for name, one in configs.items()}


def _folder(experiment: Experiment, config: RunConfig):
    """The run's folder, a new one or that of a run that was killed."""
    options = to_json(config)
    return run_folder.open_run(config.results, experiment.name, options, config.resume)


def _progress(context: Context, console: Console) -> RunProgress:
    """Make the display of steps 6 and 7."""
    config = context.config
    fits = len(context.experiment.models) * (config.trials + config.seeds)
    return RunProgress(fits, console)


def take_part(context: Context, define, run: Run, staff, console: Console) -> None:
    """Work for the chief in steps 6 and 7: fit its trials, or train in step with it."""
    line = f"{context.describe()} works for the chief, which writes the results"
    console.print(plain(line))
    with RunProgress(0, Console(quiet=True)) as progress:
        for _ in jobs.train(context, define, run, progress, staff):
            pass


# ---------------------------------------------------------------- step 8


def choose(ranked: list[Entry]) -> Entry:
    """Choose the best of networks and their ensembles, which can be saved.

    Raises:
        RunError: no network was trained.
    """
    trained = (entry for entry in ranked if entry.kind != "baseline" and _whole(entry))
    chosen = next(trained, None)
    if chosen is None:
        raise RunError("no model could be trained; trials.csv says why")
    return chosen


def recommend(context: Context, ranked: list[Entry]) -> Entry:
    """Recommend the best of any kind; where forecasts are combined, it must be one."""
    several = not context.experiment.combines
    return next(e for e in ranked if several or len(e.seeds) == 1)


def _whole(entry: Entry) -> bool:
    """Whether networks are all that an entry is the mean of."""
    return all(part.kind != "baseline" for part in entry.parts)


def test(context: Context, run: Run, entries: list[Entry]) -> None:
    """Step 8: score every entry on the test set, with intervals.

    Each entry is compared with the baseline that did best on this very test set, the
    strictest there is, and with the course's answers.
    """
    headline = context.experiment.headline
    scored = {entry.model: scores(context, entry, "test") for entry in entries}
    errors = {m: np.mean([s.errors for s in each], 0) for m, each in scored.items()}
    baselines = [entry.model for entry in entries if entry.kind == "baseline"]
    best = min(baselines, key=lambda model: errors[model].mean())
    compared = {*context.experiment.answers, *context.experiment.rivals} & set(errors)
    rivals = dict.fromkeys([best, *(m for m in errors if m in compared)])
    run.record(best_baseline=best)
    rows = []
    for entry in entries:
        own = metric_rows(entry, "test", scored[entry.model])
        unit = next(r["unit"] for r in own if r["metric"] == headline)
        base = {"model": entry.model, "kind": entry.kind, "seed": "", "split": "test"}
        block = context.data.block
        differences = intervals.rows(headline, entry.model, errors, rivals, block)
        rows += own + [base | row | {"unit": unit} for row in differences]
    run.add("metrics", rows)
    predictions = prediction_rows(entries, scored)
    if predictions:
        run.add("predictions", predictions)


def prediction_rows(entries: list[Entry], scored: dict[str, list[Scores]]) -> list:
    """Make the rows of `predictions.csv`; an experiment may have none."""
    return [
        {"model": entry.model, "kind": entry.kind, "seed": seed} | row
        for entry in entries
        for seed, scores in zip(entry.seeds, scored[entry.model], strict=True)
        for row in scores.predictions
    ]


# ---------------------------------------------------------------- step 9


def finish(
    context: Context, run: Run, entries: list[Entry], chosen: Entry, recommended: Entry
) -> Outcome:
    """Save the chosen model, and gather what `report` and a notebook get."""
    parts = [part.model for part in recommended.parts] or [recommended.model]
    run.record(recommended={"model": recommended.model, "parts": parts})
    if context.experiment.intervals:
        rows, facts = context.experiment.intervals(recommended, context.data)
        run.add("metrics", rows)
        run.record(intervals=facts)
    model = save(context, run, chosen, chosen.model)
    if context.experiment.combines and recommended.networks:
        save(context, run, recommended, "recommended")
    run.record(chosen=chosen.model)
    return Outcome(
        folder=run.path,
        data=context.data,
        tables={name: pd.DataFrame(rows) for name, rows in run.rows.items()},
        shown=[_shown(chosen), run.info["best_baseline"]],
        members={entry.model: entry.member for entry in entries if entry.member},
        model=model,
        recommended=recommended,
    )


def _shown(chosen: Entry) -> str:
    """Name what pictures show of it: the seeds of an ensemble, which have a band."""
    return chosen.model.removesuffix("_ensemble")


def save(context: Context, run: Run, entry: Entry, name: str):
    """Save the networks of an entry as one Keras model, which is their mean.

    Of a model with several seeds, the one with the best validation error is saved.
    """
    networks = entry.networks
    if entry.kind != "ensemble":
        errors = [s.errors.mean() for s in scores(context, entry, "validation")]
        networks = [networks[int(np.argmin(errors))]]
    model = context.experiment.export(networks, context.data)
    with files.atomic_file(run.path / f"{name}.keras") as temporary:
        model.save(temporary)
    return model
