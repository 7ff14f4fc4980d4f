"""Which layers return sequences, and what depth, heads and gates buy.

    make stacked                                               quick, 2 minutes
    make stacked ARGS="--size full"                            45 min, numbers to quote
    make stacked ARGS="--data cta --lookback 56 --size full"   Chicago's boardings
    make stacked ARGS="--data adding --cells lstm gru"         the adding problem alone

Minutes on two cores, by the reference runs. Expect at full size a test MSE of 0.00117
on sines (gru_2_seq2seq; ridge has 0.00292) and of 8e-6 on the adding problem (gru_25).

The course says that a deep seq-to-seq network returns sequences from all layers but the
last, and a deep seq-to-vector network from none. `shapes.csv` tries every combination,
so that Keras itself answers. Then stacks of each depth forecast a series' next value;
and on the adding problem, each cell shows over how many steps it remembers.
"""

import dataclasses
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Literal

import lazy_loader
import numpy as np

from rnn_tf import config, files
from rnn_tf.baselines.fitted_series import fit_ridge
from rnn_tf.baselines.series import predictors
from rnn_tf.config import RunConfig, require_paths
from rnn_tf.data import examples
from rnn_tf.data.examples import Examples
from rnn_tf.data.series import ridership, synthetic, windows
from rnn_tf.data.splits import SPLITS, Data, Network
from rnn_tf.errors import InputError
from rnn_tf.metrics.scores import Scores
from rnn_tf.models import layers
from rnn_tf.models.optimizer import clipped_adam
from rnn_tf.recipe import progress, runner
from rnn_tf.recipe.experiment import Experiment, Outcome, by_batch
from rnn_tf.report import plots
from rnn_tf.studies import layer_shapes

keras = lazy_loader.load("keras")

# ---------------------------------------------------------------- configuration


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(RunConfig):
    """Stack recurrent layers, and see which return sequences and what depth buys."""

    data: tuple[Literal["sines", "adding", "cta"], ...] = ("sines", "adding")
    """Each is a run of its own: sums of two sines, the adding problem, or Chicago's
    rail boardings (downloaded once)."""
    data_dir: Path | None = None
    """With cta: a folder that holds the file already; nothing is downloaded."""
    cells: tuple[Literal["simple_rnn", "lstm", "gru", "identity_rnn"], ...] = (
        "simple_rnn",
        "lstm",
        "gru",
    )
    """Recurrent cells; identity_rnn takes part in the adding problem alone."""
    depths: tuple[int, ...] = (1, 2)
    """Numbers of recurrent layers to train, on sines and cta."""
    units: int = 32
    """Units of each layer."""
    lookback: int = 50
    """Steps that every model sees, on sines and cta."""
    lengths: tuple[int, ...] = (10, 25)
    """Lengths of the adding problem's sequences."""
    examples: int = 3_000
    """Sequences to make, of sines and of the adding problem; 80 % are for training."""
    trials: int = 0
    epochs: int = 8
    batch_size: int | None = 64

    def __post_init__(self):
        super().__post_init__()
        config.require_any(self, "data")
        config.require_any(self, "cells")
        if self.data != ("adding",) and self.cells == ("identity_rnn",):
            raise InputError(
                "--cells identity_rnn takes part in the adding problem alone; name "
                "another cell too, or say --data adding"
            )
        config.require_at_least(self, "depths", 1)
        config.require_at_least(self, "units", 1)
        config.require_at_least(self, "lookback", 2)
        config.require_at_least(self, "lengths", 2)
        config.require_at_least(self, "examples", 100)

    @property
    def runs(self) -> int:
        """A run for each data set."""
        return len(set(self.data))


FULL = {
    "seeds": 5,
    "trials": 4,
    # On the adding problem nothing moves for epochs, and then everything does: a short
    # trial would tell nothing, and impatience would end training too early.
    "trial_epochs": 12,
    "epochs": 12,
    "patience": 12,
    "batch_size": 64,
    "cells": ("simple_rnn", "lstm", "gru", "identity_rnn"),
    "depths": (1, 2, 3),
    "lengths": (25, 50, 100, 200),
    "examples": 25_000,
}

HEADLINE = {"sines": "mse", "adding": "mse", "cta": "mae"}
ANY_LENGTH = (5, 10, 20, 50, 100, 200, 500)

# ---------------------------------------------------------------- data


def load_data(config: Config) -> Data:
    """Load one of the three data sets, in three parts that share no target."""
    (name,) = config.data
    return {"sines": _sines, "adding": _adding, "cta": _cta}[name](config)


def _sines(config: Config) -> Data:
    """Make series that have nothing to do with each other."""
    series = synthetic.two_sines(config.examples, config.lookback + 1)
    parts = examples.parts(series)
    x = {split: part[:, :-1] for split, part in parts.items()}
    ridge = fit_ridge(x["train"], parts["train"][:, -1])
    rivals = {
        "last_value": lambda split: x[split][:, -1],
        "ridge": lambda split: ridge.predict(x[split]),
    }
    facts = examples.facts("sines", series)
    return _next_value(config, parts, facts, block=1, baselines=rivals)


def _cta(config: Config) -> Data:
    """Cut windows of one series, which overlap, and the day after each.

    An epoch goes through them so often that it is about as long as on made-up data.
    """
    series = ridership.load(config.data_dir)
    periods = ridership.periods(series, 2016)
    cut = windows.Windows(series, periods, config.lookback, 1)
    steps, scaled = np.arange(config.lookback + 1), cut.scaled(config.lookback)
    parts = {split: scaled[cut.origins[split][:, None] + steps] for split in SPLITS}
    return _next_value(
        config,
        parts,
        cut.facts(),
        block=14,
        baselines=predictors(cut, classical=False),
        unit=series.unit,
        scale=cut.scale,
        passes=max(1, round(0.8 * config.examples / len(parts["train"]))),
    )


def _next_value(config: Config, parts: dict, facts: dict, block: int, **same) -> Data:
    """Forecast each value but the first from those before it.

    `parts` gives (examples, lookback + 1); `same` goes to `Examples`.
    """
    targets = {split: part[:, 1:] for split, part in parts.items()}
    sequences = Examples(lambda split, _: parts[split][:, :-1, None], targets, **same)
    return sequences.data(1, config.batch_size or 32, block, facts)


def _adding(config: Config) -> Data:
    """Make the adding problem in each length, with the same targets in order."""
    problems = {n: synthetic.adding_problem(config.examples, n) for n in config.lengths}
    inputs = {n: examples.parts(x) for n, (x, _) in problems.items()}
    targets = examples.parts(next(y for _, y in problems.values())[:, None])
    rivals = {"always_1": lambda split: np.ones(len(targets[split]))}
    sequences = Examples(lambda split, steps: inputs[steps][split], targets, rivals)
    facts = examples.facts("adding", *(x for x, _ in problems.values()))
    return sequences.data(2, config.batch_size or 32, 1, facts)


def find_baselines(config: Config, data: Data) -> dict:
    """Give each baseline's predict(split), by name, in the data's unit."""
    return data.source.baselines


# ---------------------------------------------------------------- models
# On sines and cta each takes the last values, (batch, lookback, 1), and gives the next,
# (batch, 1), or for seq-to-seq the next one after every step, (batch, lookback, 1).
# On the adding problem: numbers and marks, (batch, length, 2) -> their sum, (batch, 1).

CELLS = {
    "simple_rnn": lambda **options: keras.layers.SimpleRNN(**options),
    "lstm": lambda **options: keras.layers.LSTM(**options),
    "gru": lambda **options: keras.layers.GRU(**options),
    # Le, Jaitly and Hinton (2015): ReLU, and at first a state that forgets nothing. A
    # "relu" here makes TensorFlow 2.21's graph optimizer print errors; a leaky one
    # without a leak is the same function.
    "identity_rnn": lambda **options: keras.layers.SimpleRNN(
        activation=keras.layers.LeakyReLU(negative_slope=0.0),
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.001),
        recurrent_initializer="identity",
        **options,
    ),
}


def stack(cell: str, depth: int, head: str, hp, config: Config, features, steps=None):
    """Stack `depth` recurrent layers and a dense neuron, for any length by default.

    Every layer that feeds another returns its sequence; so does the last one if the
    head is seq-to-seq.
    """
    x = inputs = keras.Input((steps, features), name="inputs")
    for layer in range(1, depth + 1):
        sequences = layer < depth or head == "seq2seq"
        x = CELLS[cell](units=config.units, return_sequences=sequences)(x)
    return keras.Model(inputs, layers.output(1)(x))


def remembering(cell: str, length: int, hp, config: Config, features):
    """Build one recurrent layer, for sequences of one length."""
    return stack(cell, 1, "seq2vec", hp, config, features, steps=length)


def mlp(hp, config: Config, features):
    """Build an MLP with one hidden layer on all steps: it takes one length only."""
    return mlp_of(config.lookback, config.units)


def mlp_of(steps: int, units: int):
    """Build the MLP of a length: (batch, steps, 1) -> (batch, 1)."""
    inputs = keras.Input((steps, 1), name="inputs")
    x = keras.layers.Dense(units, activation="relu")(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, layers.output(1)(x))


def stacks(config: Config) -> dict[str, tuple[str, int, str]]:
    """Name the models for sines and cta: cell, depth and head of each."""
    return {
        f"{cell}_{depth}_{head}": (cell, depth, head)
        for cell in config.cells
        for depth in config.depths
        for head in ("seq2vec", "seq2seq")
        if cell != "identity_rnn"
    }


def rememberers(config: Config) -> dict[str, tuple[str, int]]:
    """Name the models for the adding problem: cell and length of each."""
    return {f"{c}_{n}": (c, n) for c in config.cells for n in config.lengths}


def find_models(config: Config) -> dict[str, Callable]:
    """Give the models to run: name -> build(hp, config, features)."""
    if config.data == ("adding",):
        return {n: partial(remembering, *at) for n, at in rememberers(config).items()}
    return {"mlp": mlp} | {n: partial(stack, *at) for n, at in stacks(config).items()}


# ---------------------------------------------------------------- training


def compile_arguments(hp, config: Config, steps: int) -> dict:
    """Train by Adam, clipped, its rate falling to zero along a cosine over `steps`."""
    rate = hp.Float("learning_rate", 3e-4, 3e-2, sampling="log", default=1e-2)
    loss = keras.losses.get(HEADLINE[config.data[0]])

    def last_step_loss(targets, predictions):
        return loss(layers.last_step(targets), layers.last_step(predictions))

    return {
        "optimizer": clipped_adam(rate, steps),
        "loss": loss,
        "metrics": [keras.metrics.MeanMetricWrapper(last_step_loss, name="score")],
    }


# ---------------------------------------------------------------- evaluation


def predict(network: Network, data: Data, split: str) -> np.ndarray:
    """Forecast the last step of each example: (examples,) in the data's unit."""

    def in_unit(_, output):
        return layers.last_step(output)[:, 0].astype(float) * data.source.scale

    return by_batch(network, data.dataset(split, network), in_unit)


def evaluate(data: Data, split: str, predictions: np.ndarray) -> Scores:
    """Score predictions, (examples,) or (examples, 1), of the last step's target."""
    targets, unit = data.source.scored(split), data.source.unit
    predictions = np.asarray(predictions, dtype=float).ravel()
    errors = {"mae": np.abs(targets - predictions), "mse": (targets - predictions) ** 2}
    units = {"mae": unit, "mse": unit and f"{unit}²"}
    rows = [
        {
            "metric": name,
            "slice": "",
            "value": float(values.mean()),
            "unit": units[name],
            "n": len(values),
        }
        for name, values in errors.items()
    ]
    prediction_rows = [
        {"example": name, "step": 1, "target": float(y), "prediction": float(f)}
        for name, y, f in zip(data.source.names, targets, predictions, strict=False)
    ]
    return Scores(rows, errors[HEADLINE[data.facts["source"]]], prediction_rows)


def export(networks: list[Network], data: Data):
    """Add the unit to the model: values as they are in, the next value out."""
    (network,) = networks
    inputs = keras.Input(network.model.input_shape[1:], name="inputs")
    scale = data.source.scale
    output = network.model(inputs / scale)
    return keras.Model(inputs, layers.last_step(output) * scale)


def report_series(config: Config, outcome: Outcome) -> None:
    """Write which layers build, one model on many lengths, and the pictures."""
    shapes = layer_shapes.shape_rows()
    files.write_csv(outcome.folder / "shapes.csv", layer_shapes.SHAPES, shapes)
    files.write_csv(
        outcome.folder / "quiz.csv", layer_shapes.QUIZ, layer_shapes.quiz_rows()
    )
    if config.data == ("sines",):
        rows = _any_length(config, outcome)
        files.write_csv(outcome.folder / "lengths.csv", layer_shapes.LENGTHS, rows)
    labels = {name: (cell, head, n) for name, (cell, n, head) in stacks(config).items()}
    _draw(outcome, labels, "recurrent layers", "error_by_depth.png")
    progress.console().print(layer_shapes.shape_table(shapes))


def _any_length(config: Config, outcome: Outcome) -> list[dict]:
    """Try the best recurrent model on validation, and the MLP, on other lengths."""
    names = [_best(outcome, stacks(config)), "mlp"]
    models = {
        name: outcome.members[name]().model for name in names if name in outcome.members
    }
    series = {n: synthetic.two_sines(500, n + 1, seed=2) for n in ANY_LENGTH}
    pairs = {n: (values[:, :-1, None], values[:, -1]) for n, values in series.items()}
    built = {n: mlp_of(n, config.units).count_params() for n in ANY_LENGTH}
    return layer_shapes.length_rows(models, pairs) + [
        {"model": "mlp_of_this_length", "length": n, "parameters": count}
        for n, count in built.items()
    ]


def report_adding(config: Config, outcome: Outcome) -> None:
    """Draw how far each cell remembers, and what the gates of an LSTM do."""
    cells = rememberers(config)
    labels = {name: (cell, "", length) for name, (cell, length) in cells.items()}
    _draw(outcome, labels, "length of the sequence", "error_by_length.png")
    best = _best(outcome, [name for name, (cell, _) in cells.items() if cell == "lstm"])
    if best:
        inputs = outcome.data.source.inputs("test", cells[best][1])[:1]
        lstm = outcome.members[best]().model.layers[1]
        gates = layer_shapes.lstm_gates(lstm.get_weights(), inputs)
        plots.gates(outcome.folder / "gates.png", best, inputs[0], gates)


def _best(outcome: Outcome, names: Iterable[str]) -> str | None:
    """Find the best model on validation, of those in `names` that were trained."""
    rows = outcome.tables["metrics"]
    rows = rows[rows["model"].isin(list(names)) & (rows["split"] == "validation")]
    rows = rows[rows["metric"] == HEADLINE[outcome.data.facts["source"]]]
    means = rows.groupby("model")["value"].mean()
    return None if means.empty else means.idxmin()


def _draw(outcome: Outcome, labels: dict, x: str, picture: str) -> None:
    """Draw test error against depth or length, a line per cell; learning curves."""
    rows, headline = outcome.tables["metrics"], HEADLINE[outcome.data.facts["source"]]
    rows = rows[(rows["split"] == "test") & (rows["metric"] == headline)]
    networks = rows[rows["model"].isin(list(labels))]
    places = [labels[model] for model in networks["model"]]
    points = networks.assign(
        cell=[cell for cell, _, _ in places],
        line=[f"{cell} {head}".strip() for cell, head, _ in places],
        x=[x for _, _, x in places],
    )
    rest = rows[~rows["model"].isin(list(labels))]
    flat = rest.groupby("model", sort=False)["value"].mean().to_dict()
    unit = f"{headline.upper()} {outcome.data.source.unit}".strip()
    plots.error_against(outcome.folder / picture, points, flat, x, f"test {unit}")
    plots.learning_curves(
        outcome.folder / "learning_curves.png", outcome.tables["history"]
    )


# ---------------------------------------------------------------- run


def experiment(config: Config) -> Experiment:
    """Define the experiment on one data set; see `rnn_tf.recipe.experiment`."""
    (name,) = config.data
    report = report_adding if name == "adding" else report_series
    return Experiment(
        name="stacked",
        headline=HEADLINE[name],
        models=find_models(config),
        answers=(),
        load_data=load_data,
        baselines=find_baselines,
        compile_arguments=compile_arguments,
        predict=predict,
        evaluate=evaluate,
        export=export,
        report=partial(report, config),
        mean=None,  # no ensembles: the models are what is compared
    )


def run(config: Config) -> dict[str, Outcome]:
    """Run the recipe on each data set; see `rnn_tf.recipe.runner.run`."""
    require_paths(config, "sines", "adding", "cta")
    return runner.run_each(experiment, config)


if __name__ == "__main__":
    raise SystemExit(config.main(run, Config, FULL, "stacked"))
