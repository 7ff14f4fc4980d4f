"""The entries of a run's table: baselines, models, ensembles; and their scores."""

import functools
import itertools
import statistics
from collections.abc import Callable, Iterable

from rnn_tf.data.splits import Network
from rnn_tf.metrics.scores import Scores
from rnn_tf.recipe import training
from rnn_tf.recipe.experiment import Context, Entry
from rnn_tf.runs.run_folder import Run

BEST = 3  # entries that a mean of the best is of

# ---------------------------------------------------------------- entries


def baseline_entries(context: Context) -> list[Entry]:
    """Step 5: make the baselines entries like any other."""
    baselines = context.experiment.baselines(context.config, context.data)
    return [
        Entry(name, "baseline", ("",), functools.cache(lambda split, p=p: [p(split)]))
        for name, p in baselines.items()
    ]


def network_entries(context: Context, run: Run, trained: Iterable) -> list[Entry]:
    """Steps 6 and 7: the entries of all models, in the order of the experiment.

    A model is scored on validation while others still train.

    Args:
        context: of the run.
        run: its folder.
        trained: what `jobs.train` returns.
    """
    names, entries, rows = list(context.experiment.models), {}, {}
    baselines = run.rows["metrics"]
    for name, values, weights in trained:
        entries[name] = model_entries(context, name, values, weights)
        rows[name] = validation_rows(context, entries[name])
        in_order = [rows[name] for name in names if name in rows]
        run.put("metrics", itertools.chain(baselines, *in_order))
    return [entry for name in names for entry in entries.get(name, [])]


def model_entries(context: Context, name: str, values: dict, weights) -> list[Entry]:
    """Make the entry of a trained model, and that of its seeds' ensemble.

    Args:
        context: of the run.
        name: of the model.
        values: of its hyperparameters.
        weights: seed -> a list of arrays.
    """
    hp = training.hyperparameters(values)
    experiment, data, seeds = context.experiment, context.data, tuple(weights)
    predict = functools.cache(_predictor(context, name, hp, weights))

    @functools.cache
    def mean(split: str) -> list:
        if split == "validation" and data.join:
            return [data.join([experiment.mean(p) for p in by_fold(predict(split))])]
        return [experiment.mean(predict(split))]

    def by_fold(predictions: list) -> list[list]:
        parts = [[] for _ in range(data.folds)]
        for seed, of_seed in zip(seeds, predictions, strict=True):
            parts[data.fold(seed)].append(of_seed)
        return parts

    def member(seed: int = seeds[0]) -> Network:
        # Not compiled: a saved model must not need this project's metric to load.
        network = context.build(name, hp)
        network.model.set_weights(weights[seed])
        return network

    kind = "answer" if name in experiment.answers else "tuned"
    entries = [Entry(name, kind, seeds, predict, seeds, member)]
    every_fold = len(set(map(data.fold, seeds))) == data.folds
    if len(seeds) > 1 and experiment.mean and every_fold:
        ensemble = Entry(f"{name}_ensemble", "ensemble", ("",), mean, seeds, member)
        entries.append(ensemble)
    return entries


def _predictor(context: Context, name: str, hp, weights: dict) -> Callable[[str], list]:
    """Split -> the predictions of each seed, by one network that takes their weights.

    It is built out of the strategy's scope: one device counts every example once. And
    it is not compiled, so that XLA does not compile for the shape of each part.
    """
    network = context.build(name, hp)

    def predict(split: str) -> list:
        predictions = []
        for seed, values in weights.items():
            network.model.set_weights(values)
            data = context.data.seen_by(seed)
            predictions.append(context.experiment.predict(network, data, split))
        return predictions

    return predict


# ---------------------------------------------------------------- means and choice


def mean_entries(context: Context, run: Run, entries: list[Entry]) -> list[Entry]:
    """Make entries of means: of the three best networks, and of the best of all.

    The mean of different kinds of forecast is rarely worse than the better half of its
    parts (Bates and Granger, 1969). Those with the lowest error on validation count.

    Args:
        context: of the run.
        run: its folder.
        entries: all others.
    """
    if not context.experiment.combines:
        return []
    ranked = [e for e in ranking(context, run, entries) if _of_all(context, e)]
    networks = [entry for entry in ranked if entry.kind != "baseline"]
    kinds = {"mean_of_networks": networks[:BEST], "mean_of_best": ranked[:BEST]}
    means = [_mean(context, name, tuple(best)) for name, best in kinds.items()]
    means = [mean for mean in means if mean.parts[1:]]
    run.add("metrics", validation_rows(context, means))
    return means


def _of_all(context: Context, entry: Entry) -> bool:
    """Whether an entry is one forecast of all of validation; a lone seed's may be of
    its fold alone."""
    alone = len(entry.seeds) == 1 and context.data.folds == 1
    return entry.seeds == ("",) or alone


def _mean(context: Context, name: str, parts: tuple[Entry, ...]) -> Entry:
    @functools.cache
    def predict(split: str) -> list:
        return [context.experiment.mean([part.predict(split)[0] for part in parts])]

    return Entry(name, "ensemble", ("",), predict, parts=parts)


def ranking(context: Context, run: Run, entries: list[Entry]) -> list[Entry]:
    """Sort entries by their mean error on validation, the best first.

    The ensemble of a model's seeds stands for the model: where each seed holds out a
    fold of its own, both have the same error on validation.
    """
    wanted, means = ("validation", context.experiment.headline, ""), {}
    for row in run.rows["metrics"]:
        if (row["split"], row["metric"], row["slice"]) == wanted:
            means.setdefault(row["model"], []).append(row["value"])
    ensembles = {entry.model for entry in entries if entry.kind == "ensemble"}
    alone = [e for e in entries if f"{e.model}_ensemble" not in ensembles]
    return sorted(alone, key=lambda entry: statistics.fmean(means[entry.model]))


# ---------------------------------------------------------------- scores


def validation_rows(context: Context, entries: list[Entry]) -> list[dict]:
    """Score entries on the validation set, by which everything is chosen."""
    split, rows = "validation", []
    for entry in entries:
        rows += metric_rows(entry, split, scores(context, entry, split))
    return rows


def scores(context: Context, entry: Entry, split: str) -> list[Scores]:
    """Score the predictions of each seed of the entry."""
    evaluate, data = context.experiment.evaluate, context.data
    return [
        evaluate(data.seen_by(seed), split, predictions)
        for seed, predictions in zip(entry.seeds, entry.predict(split), strict=True)
    ]


def metric_rows(entry: Entry, split: str, scored: list[Scores]) -> list[dict]:
    """Make the rows of `metrics.csv` for one entry and split."""
    return [
        {"model": entry.model, "kind": entry.kind, "seed": seed, "split": split} | row
        for seed, scores in zip(entry.seeds, scored, strict=True)
        for row in scores.metrics
    ]
