"""What vanishes, what explodes, what helps, and how far back each cell recalls.

    make gradients                                          quick, 1 minute
    make gradients ARGS="--size full"                       45 minutes, numbers to quote
    make gradients ARGS="--data recall --cells lstm gru"    a name in a story alone
    make gradients ARGS="--data adding --gains 1 3"         the adding problem alone

Minutes on two cores, by the reference runs. Expect at full size a GRU that adds over
50 steps with an MSE of 0.0008, where always 1 has 0.166, and LSTMs and GRUs that recall
a name over 200 words.

The course says that gradients vanish or explode on their way back through time, and
lists remedies. On the adding problem and on stories each remedy is one change to the
same network, over the same seeds: how many runs diverge, and what error is left. The
stories end on a name, which each cell has to recall over ever more words. Beside them,
the studies measure the gradients themselves.
"""

import dataclasses
import math
from collections.abc import Callable
from functools import partial
from typing import Literal

import lazy_loader
import numpy as np

from rnn_tf import config, files
from rnn_tf.baselines import text as text_baselines
from rnn_tf.config import RunConfig
from rnn_tf.data import examples
from rnn_tf.data.examples import Examples
from rnn_tf.data.series import synthetic
from rnn_tf.data.splits import SPLITS, Data, Network
from rnn_tf.data.text import stories
from rnn_tf.metrics import text
from rnn_tf.metrics.scores import Scores
from rnn_tf.models import layers, remedies
from rnn_tf.models.optimizer import clipped_adam
from rnn_tf.models.remedies import CELLS, NONE, REMEDIES, Variant
from rnn_tf.recipe import runner
from rnn_tf.recipe.experiment import Experiment, Outcome, by_batch
from rnn_tf.recipe.training import hyperparameters
from rnn_tf.report import gradient_plots, plots, recall_plots
from rnn_tf.studies import gradient_facts, gradient_flow, truncated_bptt
from rnn_tf.studies import remedies as remedy_study

keras = lazy_loader.load("keras")
pd = lazy_loader.load("pandas")

# ---------------------------------------------------------------- configuration


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(RunConfig):
    """Measure what vanishes and explodes, what helps, and how far cells recall."""

    data: tuple[Literal["recall", "adding"], ...] = ("recall", "adding")
    """Each is a run of its own: stories that end on a name, or the adding problem."""
    cells: tuple[
        Literal["simple_rnn", "identity_rnn", "lstm", "lstm_bias_5", "gru"], ...
    ] = ("simple_rnn", "lstm", "gru")
    """Recurrent cells that recall a name; the forget gates of an LSTM begin with a bias
    of 1 or of 5, the identity RNN is a ReLU RNN that begins as the identity."""
    distances: tuple[int, ...] = (5, 30)
    """Words of filler between the name and the question."""
    remedy_distance: int = 20
    """Words of filler in the stories that the remedies are tried on."""
    remedies: tuple[str, ...] = ("none", "identity_relu", "gru")
    """What is tried on both data sets, each against none: keys of `REMEDIES`."""
    length: int = 50
    """Steps of the adding problem's sequences."""
    gains: tuple[float, ...] = (2.0,)
    """Factors of orthogonal weights, which explode or not, trained by SGD."""
    rates: tuple[float, ...] = (0.1,)
    """Learning rates of SGD, at the middle one of the gains."""
    chunks: tuple[int, ...] = (10, 100)
    """Steps of the chunks that a long sequence is cut into to train on it."""
    units: int = 64
    """Units of each layer."""
    examples: int = 2_000
    """Sequences of the adding problem to make; 80 % are for training."""
    stories: int = 10_000
    """Stories to make; 80 % are for training."""
    trials: int = 0
    epochs: int = 3
    patience: int = 100
    batch_size: int | None = 32

    def __post_init__(self):
        super().__post_init__()
        for name in ("data", "cells", "remedies"):
            config.require_any(self, name)
        config.require_known(self, "remedies", REMEDIES)
        config.require_at_least(self, "distances", 0)
        config.require_at_least(self, "remedy_distance", 0)
        config.require_at_least(self, "length", 4)
        for name in ("gains", "rates"):
            config.require_positive(self, name)
        config.require_at_least(self, "units", 1)
        truncation(self)
        for name in ("examples", "stories"):
            config.require_at_least(self, name, 100)

    @property
    def runs(self) -> int:
        """A run for each data set."""
        return len(set(self.data))


def truncation(config: Config) -> truncated_bptt.Sizes:
    """Give the sizes of the study of chunks.

    Raises:
        InputError: a chunk is longer than the sequence.
    """
    sizes = truncated_bptt.SIZES[config.size]
    return dataclasses.replace(sizes, chunks=config.chunks)


FULL = {
    "seeds": 5,
    "epochs": 12,
    "cells": tuple(CELLS),
    "distances": (0, 5, 10, 20, 50, 100, 200),
    "gains": (0.5, 1.0, 1.5, 2.0),
    "rates": (0.0001, 0.001, 0.01, 0.1, 1.0),
    "chunks": truncated_bptt.SIZES["full"].chunks,
    "remedies": tuple(REMEDIES),
    "examples": 5_000,
    "stories": 20_000,
}

CLIPS = {"": "", "_clip_norm": "norm", "_clip_value": "value"}

HEADLINE = {"recall": "error", "adding": "mse"}
# Loss on validation at which training ends: nats, and a mean squared error.
LEARNT = {"recall": 0.01, "adding": 0.001}
# Nats of who knows no more than that it is another name. Who has learnt nothing else of
# the training stories, short ones among them, in half of the epochs, learns little in
# the others, at ever lower rates.
GUESS = math.log(len(stories.NAMES) - 1)
NOTHING = 0.98  # of it: a loss above that
SGD_RATE = 0.05  # at which gains are tried
# Remedies whose trained layers the gradient is followed through.
FOLLOWED = ("none orthogonal identity_relu lstm_bias_0 lstm lstm_bias_5 gru").split()
STORIES = 2  # whose gradients are measured
GRADIENT_COLUMNS = ("model cell distance seed phase log10_gradient log10_ratio").split()

# ---------------------------------------------------------------- data


def load_data(config: Config) -> Data:
    """Load one of the two data sets, in three parts that share no target."""
    (name,) = config.data
    return {"recall": _recall, "adding": _adding}[name](config)


def _recall(config: Config) -> Data:
    """Tell the same stories over each distance; the filler of a part is its own.

    Networks train on texts that are as long as those of the test. In a quarter the
    filler stands within the story, as in the test; in the others the story begins
    anywhere, and mostly late. So they learn to recall over short distances first, and
    then over longer ones: of texts of which half had all 100 words within, an LSTM
    learnt nothing, and with no such quarter plain RNNs learnt nothing of 10 words.
    """
    longest = max(*config.distances, config.remedy_distance)
    parts = stories.stories(config.stories, longest)

    shares = np.random.default_rng(1).random(len(parts["train"].labels)) ** 2
    shares[: len(shares) // 4] = 1

    def words(split, steps):
        distance = steps - stories.SHORTEST
        within = np.minimum(shares * (distance + 1), distance).astype(int)
        within = within if split == "train" else None
        return parts[split].words(distance, within)

    labels = {split: part.labels[:, None] for split, part in parts.items()}
    sequences = Examples(words, labels, text_baselines.predictors(parts))
    told = np.concatenate([parts[s].words(longest) for s in SPLITS])
    facts = examples.facts("recall", told)
    facts |= {"names": stories.NAMES, "words": list(stories.WORDS)}
    return sequences.data(len(stories.WORDS), config.batch_size or 32, 1, facts)


def _adding(config: Config) -> Data:
    """Make the adding problem."""
    x, y = synthetic.adding_problem(config.examples, config.length)
    inputs, targets = examples.parts(x), examples.parts(y[:, None])
    rivals = {"always_1": lambda split: np.ones(len(targets[split]))}
    sequences = Examples(lambda split, _: inputs[split], targets, rivals)
    facts = examples.facts("adding", x)
    return sequences.data(2, config.batch_size or 32, 1, facts)


def find_baselines(config: Config, data: Data) -> dict:
    """Give each baseline's predict(split), by name."""
    return data.source.baselines


# ---------------------------------------------------------------- models
# On the adding problem each takes numbers and marks, (batch, length, 2), and gives
# their sum, (batch, 1). On stories it takes the numbers of words, (batch, steps), and
# gives the probability of each name, (batch, names).


def sum_of_two(variant: Variant, hp, config: Config, features):
    """Build a network for the adding problem."""
    declare(variant, hp)
    inputs = keras.Input((config.length, features), name="inputs")
    x = remedies.read(inputs, variant, config.units)
    return keras.Model(inputs, layers.output(1)(x))


def name_in_story(variant: Variant, distance: int, hp, config: Config, words):
    """Build a network for stories with `distance` words of filler."""
    declare(variant, hp)
    steps = stories.SHORTEST + distance
    inputs = keras.Input((steps,), dtype="int32", name="inputs")
    spread = keras.initializers.RandomNormal(stddev=1.0)
    x = keras.layers.Embedding(words, config.units, spread)(inputs)
    x = remedies.read(x, variant, config.units)
    return keras.Model(inputs, layers.output(len(stories.NAMES), "softmax")(x))


def declare(variant: Variant, hp) -> None:
    """Write into the hyperparameters what `compile_arguments` must know."""
    hp.Fixed("optimizer", variant.optimizer)
    hp.Fixed("learning_rate", variant.rate)
    hp.Fixed("clip", variant.clip)


def variants(config: Config) -> dict[str, Variant]:
    """Name the networks that remedies are tried on: each remedy, and all that differs
    in gain or rate."""
    known = {n: dataclasses.replace(NONE, **REMEDIES[n]) for n in config.remedies}
    if config.data == ("recall",):
        return known
    sgd = dataclasses.replace(
        NONE, optimizer="sgd", initial="orthogonal", rate=SGD_RATE
    )
    for gain in config.gains:
        for name, clip in CLIPS.items():
            variant = dataclasses.replace(sgd, gain=gain, clip=clip)
            known[f"gain_{gain:g}{name}"] = variant
    gain = sorted(config.gains)[len(config.gains) // 2]
    for rate in config.rates:
        known[f"rate_{rate:g}"] = dataclasses.replace(sgd, gain=gain, rate=rate)
    return known


def recallers(config: Config) -> dict[str, tuple[str, int]]:
    """Name the models that recall a name: cell and distance of each."""
    return {f"{c}_{n}": (c, n) for c in config.cells for n in config.distances}


def find_models(config: Config) -> dict[str, Callable]:
    """Give the models to run: name -> build(hp, config, features or words)."""
    if config.data == ("adding",):
        return {n: partial(sum_of_two, v) for n, v in variants(config).items()}
    fitted = {c: dataclasses.replace(CELLS[c], optimizer="clipped_adam") for c in CELLS}
    cells = {
        name: partial(name_in_story, fitted[cell], distance)
        for name, (cell, distance) in recallers(config).items()
    }
    return cells | {
        name: partial(name_in_story, variant, config.remedy_distance)
        for name, variant in variants(config).items()
    }


# ---------------------------------------------------------------- training


def compile_arguments(hp, config: Config, steps: int) -> dict:
    """Train as the builder has declared; the rate of `clipped_adam` falls to zero."""
    rate, kind = hp.get("learning_rate"), hp.get("optimizer")
    if kind == "clipped_adam":
        optimizer = clipped_adam(rate, steps)
    else:
        variant = Variant(optimizer=kind, rate=rate, clip=hp.get("clip"))
        optimizer = remedies.optimizer(variant)
    losses = {"recall": "sparse_categorical_crossentropy", "adding": "mse"}
    loss = losses[config.data[0]]
    score = keras.losses.get(loss)
    return {
        "optimizer": optimizer,
        "loss": loss,
        "metrics": [keras.metrics.MeanMetricWrapper(score, name="score")],
    }


def xla_from(name: str) -> float:
    """Leave unrolled networks to TensorFlow: XLA takes minutes to compile them."""
    return math.inf if name in ("batch_inside", "layer_inside") else 0


def stop_early(config: Config, model) -> list:
    """Stop when no more is left to learn than a table would round away; or, on stories,
    when half of the epochs have taught nothing."""
    (problem,) = config.data

    def stop(epoch, logs):
        half = epoch + 1 == math.ceil(config.epochs / 2)
        in_vain = problem == "recall" and half and logs["loss"] > NOTHING * GUESS
        if logs["val_loss"] < LEARNT[problem] or in_vain:
            model.stop_training = True

    return [keras.callbacks.LambdaCallback(on_epoch_end=stop)]


# ---------------------------------------------------------------- evaluation


def predict(network: Network, data: Data, split: str) -> np.ndarray:
    """Forecast the sum, (examples,), or each name's probability, (examples, names)."""

    def squeezed(_, output):
        return output[:, 0] if output.shape[1] == 1 else output

    return by_batch(network, data.dataset(split, network), squeezed).astype(float)


def evaluate(data: Data, split: str, predictions: np.ndarray) -> Scores:
    """Score sums by their squared error, and names by their probabilities."""
    if data.facts["source"] == "adding":
        errors = (data.source.scored(split) - predictions) ** 2
        row = {"metric": "mse", "slice": "", "value": float(errors.mean()), "unit": ""}
        return Scores([row | {"n": len(errors)}], errors)
    return text.scores(data.source.targets[split][:, -1], predictions)


def always_the_same(config: Config, outcome: Outcome) -> tuple[float, int]:
    """Give the validation loss of always answering the same, and the steps read."""
    rows = outcome.tables["metrics"]
    rows = rows[rows["split"] == "validation"].set_index(["model", "metric"])["value"]
    if config.data == ("adding",):
        return float(rows["always_1", "mse"]), config.length
    steps = stories.SHORTEST + config.remedy_distance
    return float(rows["any_name", "cross_entropy"]), steps


def gradient_rows(config: Config, outcome: Outcome) -> list[dict]:
    """Measure how much of the gradient reaches the name, before and after training.

    Of `STORIES` test stories, which no choice follows from: the gradient of the last
    state with respect to the name, and the same over that with respect to the last
    word; means of their logarithms.
    """
    rows = []
    for name, (cell, distance) in recallers(config).items():
        words = outcome.data.source.inputs("test", stories.SHORTEST + distance)
        for seed in outcome.seeds(name):
            keras.utils.set_random_seed(seed)  # as `training.fit_seed` begins
            networks = {
                "fresh": find_models(config)[name](
                    hyperparameters(None), config, outcome.data.sizes
                ),
                "trained": outcome.members[name](seed).model,
            }
            for phase, model in networks.items():
                row = {"model": name, "cell": cell, "distance": distance}
                row |= {"seed": seed, "phase": phase}
                rows.append(row | _gradient(model, cell, words[:STORIES], distance))
    return rows


def _gradient(model, cell: str, words: np.ndarray, distance: int) -> dict:
    """Measure the gradient of a model's last state at the name, and over the last."""
    embedding, layer = model.layers[1:3]
    vectors = keras.ops.convert_to_numpy(embedding(words))
    activation, places = CELLS[cell].activation, [0, stories.NEAREST + distance]
    logs = [
        gradient_flow.norms(
            CELLS[cell].cell, layer.get_weights(), x, activation, places
        )["input"]
        for x in vectors
    ]
    last, at_name = np.mean(logs, axis=0)
    return {"log10_gradient": at_name, "log10_ratio": at_name - last}


def report_recall(config: Config, outcome: Outcome) -> None:
    """Write and draw what is recalled, and the gradient at the name beside it."""
    rows = gradient_rows(config, outcome)
    files.write_csv(outcome.folder / "recall_gradients.csv", GRADIENT_COLUMNS, rows)
    cells, metrics = recallers(config), outcome.tables["metrics"]
    errors = metrics[(metrics["split"] == "test") & (metrics["metric"] == "error")]
    guess = errors[errors["model"] == "another_name"]["value"].item()
    errors = errors[errors["model"].isin(list(cells))]
    places = [cells[model] for model in errors["model"]]
    recalled = errors.assign(
        cell=[cell for cell, _ in places],
        distance=[distance for _, distance in places],
        value=100 - errors["value"],
    )
    path = outcome.folder / "recall_by_distance.png"
    recall_plots.recall(path, recalled, pd.DataFrame(rows), 100 - guess)
    truncated_bptt.write(outcome.folder, truncation(config))
    report_remedies(config, outcome, "test error, % of names", guess, "another_name")


def report_adding(config: Config, outcome: Outcome) -> None:
    """Write and draw what the remedies did on the adding problem; the studies."""
    metrics = outcome.tables["metrics"]
    rows = metrics[(metrics["model"] == "always_1") & (metrics["metric"] == "mse")]
    flat = rows[rows["split"] == "test"]["value"].item()
    trained = trained_layers(config, outcome)
    gradient_flow.write(outcome.folder, gradient_flow.SIZES[config.size], trained)
    gradient_facts.write(outcome.folder, gradient_facts.SIZES[config.size])
    report_remedies(config, outcome, "test MSE", flat, "always_1")


def trained_layers(config: Config, outcome: Outcome) -> list[gradient_flow.Trained]:
    """Collect the trained layers of one recurrence, not normalised, and what they read:
    the first test sequence."""
    inputs = outcome.data.source.inputs("test", config.length)[0]
    return [
        gradient_flow.Trained(
            variant.cell,
            outcome.members[name](seed).model.layers[1].get_weights(),
            inputs,
            seed,
            variant.activation,
            variant.initial if variant.cell == "simple_rnn" else "",
            variant.forget_bias if variant.cell == "lstm" else "",
        )
        for name in FOLLOWED
        for variant in [dataclasses.replace(NONE, **REMEDIES[name])]
        for seed in outcome.seeds(name)
    ]


def report_remedies(config: Config, outcome: Outcome, error, flat, name) -> None:
    """Write remedies.csv; draw it beside a baseline, and what the studies have left."""
    gradient_plots.draw(outcome.folder)
    always, metric = always_the_same(config, outcome), HEADLINE[config.data[0]]
    rows = remedy_study.rows(outcome.tables, variants(config), metric, *always)
    files.write_csv(outcome.folder / "remedies.csv", remedy_study.COLUMNS, rows)
    path = outcome.folder / "remedies.png"
    recall_plots.remedies(path, pd.DataFrame(rows), error, flat, name)
    history = outcome.tables["history"]
    curves = outcome.folder / "learning_curves.png"
    plots.learning_curves(curves, history[history["model"].isin(config.remedies)])


# ---------------------------------------------------------------- run


def experiment(config: Config) -> Experiment:
    """Define the experiment on one data set; see `rnn_tf.recipe.experiment`."""
    (name,) = config.data
    return Experiment(
        name="gradients",
        headline=HEADLINE[name],
        models=find_models(config),
        answers=(),
        load_data=load_data,
        baselines=find_baselines,
        compile_arguments=compile_arguments,
        predict=predict,
        evaluate=evaluate,
        report=partial(report_recall if name == "recall" else report_adding, config),
        mean=None,  # no ensembles: the models are what is compared
        callbacks=partial(stop_early, config),
        xla_from=xla_from,
    )


def run(config: Config) -> dict[str, Outcome]:
    """Run the recipe on each data set; see `rnn_tf.recipe.runner.run`."""
    return runner.run_each(experiment, config)


if __name__ == "__main__":
    raise SystemExit(config.main(run, Config, FULL, "gradients"))
