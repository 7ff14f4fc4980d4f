"""Train at several learning rates: do gradients vanish where the rate is large?"""

import lazy_loader
import numpy as np

from rnn_tf.data.series import synthetic
from rnn_tf.models.layers import output
from rnn_tf.studies import gradient_decay, gradient_flow, recurrent_cells

keras = lazy_loader.load("keras")

COLUMNS = "learning_rate seed updates loss log10_ratio saturated".split()
BATCH, UNITS = 64, 32


def rows(rates: tuple[float, ...], updates: int, length: int, seeds: int) -> list[dict]:
    """Train the same SimpleRNN at several rates, and measure its gradients then.

    The adding problem, Adam without clipping, batches of 64. `log10_ratio` is that of
    d h_T / d x at the first step : at the last, `saturated` the share of outputs beyond
    +-0.99, on a sequence that was not trained on.

    Args:
        rates: of Adam.
        updates: of each training.
        length: of the sequences, in steps.
        seeds: how many, of weights and of examples.

    Returns:
        The rows of `learning_rates.csv`; rate 0 is the layer before training.
    """
    model = _adding_model()
    model.compile(keras.optimizers.Adam(), "mse")
    measured = []
    for seed in range(1, seeds + 1):
        data = synthetic.adding_problem(BATCH * updates + 1, length, seed)
        fresh = _fresh_weights(seed)
        for rate in (0.0, *rates):
            row = {"learning_rate": rate, "seed": seed}
            row |= {"updates": updates if rate else 0}
            measured.append(row | _train(model, fresh, data, rate))
    return measured


def _adding_model():
    """Build a SimpleRNN for the adding problem: (batch, steps, 2) -> (batch, 1)."""
    x = inputs = keras.Input((None, 2))
    return keras.Model(inputs, output(1)(keras.layers.SimpleRNN(UNITS)(x)))


def _fresh_weights(seed: int) -> list[np.ndarray]:
    """Draw the weights of the adding problem's model."""
    random = np.random.default_rng(seed)
    rnn = recurrent_cells.initial_weights("simple_rnn", 2, UNITS, random)
    return [*rnn, recurrent_cells.glorot(UNITS, 1, random), np.zeros(1)]


def _train(model, weights, data, rate: float) -> dict:
    """Train from `weights` on at one rate, each example once, and measure.

    The first example is kept back to be measured on.
    """
    inputs, targets = data
    model.set_weights(weights)
    loss = ""
    if rate:
        for variable in model.optimizer.variables:
            variable.assign(keras.ops.zeros_like(variable))
        model.optimizer.learning_rate = rate
        options = {"batch_size": BATCH, "shuffle": False, "verbose": 0}
        history = model.fit(inputs[1:], targets[1:, None], **options).history
        loss = history["loss"][-1]
    logs = gradient_flow.norms("simple_rnn", model.get_weights()[:3], inputs[0])
    last, first = logs["input"][[0, -1]]
    ratio = gradient_decay.ratio(first, last)
    return {"loss": loss, "log10_ratio": ratio, "saturated": logs["saturated"]}
