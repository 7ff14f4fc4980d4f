"""Share a recurrent layer's weights over all steps, or give each step its own.

Both forecast the next value of two summed sines with noise, from few series or many.
"""

from collections.abc import Iterator

import lazy_loader
import numpy as np

from rnn_tf.data.series import synthetic
from rnn_tf.studies import restarts

keras = lazy_loader.load("keras")

COLUMNS = "model examples seed parameters mse".split()

STEPS, UNITS, BATCH, RATE = 20, 32, 32, 3e-3
EXAMPLES = 100, 1_000, 10_000
UPDATES, ROUNDS = 500, 10  # in all, and how often validation is asked between them
HELD_OUT = 1_000  # series for validation, and for test
SEEDS = 12  # by 3 a difference of a sixth, with 100 series, was undecided


def shared():
    """Build a SimpleRNN: (batch, STEPS, 1) -> (batch, 1)."""
    inputs = keras.Input((STEPS, 1))
    x = keras.layers.SimpleRNN(UNITS)(inputs)
    return keras.Model(inputs, keras.layers.Dense(1)(x))


def of_each_step():
    """Build the same network with weights of their own at each step.

    h(t) = tanh(W(t) [x(t), h(t - 1)] + b(t)), orthogonal on the side of h as Keras's.
    """
    inputs = keras.Input((STEPS, 1))
    h = None
    for step in range(STEPS):
        new = keras.layers.Dense(UNITS)(inputs[:, step])
        if h is not None:
            initial = keras.initializers.Orthogonal()
            new += keras.layers.Dense(
                UNITS, use_bias=False, kernel_initializer=initial
            )(h)
        h = keras.ops.tanh(new)
    return keras.Model(inputs, keras.layers.Dense(1)(h))


MODELS = {"shared": shared, "of_each_step": of_each_step}


def rows(seeds: int, examples=EXAMPLES, updates: int = UPDATES) -> Iterator[dict]:
    """Train both on so many series, over some seeds, for as many updates.

    Args:
        seeds: of the weights, the series and their order.
        examples: numbers of series.
        updates: of each network.

    Yields:
        Rows of `weight_sharing.csv`: `mse` on test, where validation was lowest.
    """
    for name, build in MODELS.items():
        model = build()
        blank = restarts.compiled(model, "mse", RATE)
        for count in examples:
            for seed in range(1, seeds + 1):
                restarts.restart(model, build, blank, seed)
                row = {"model": name, "examples": count, "seed": seed}
                row |= {"parameters": model.count_params()}
                yield row | {"mse": _train(model, count, seed, updates)}


def _train(model, count: int, seed: int, updates: int) -> float:
    """Train a network; return the test error where validation was lowest."""
    series = synthetic.two_sines(count + 2 * HELD_OUT, STEPS + 1, seed)
    x, y = series[:, :-1, None], series[:, -1:]
    held_out = np.split(np.arange(2 * HELD_OUT), 2)
    random, errors = np.random.default_rng(seed), []
    for _ in range(ROUNDS):
        drawn = random.integers(2 * HELD_OUT, len(x), updates // ROUNDS * BATCH)
        model.fit(x[drawn], y[drawn], batch_size=BATCH, shuffle=False, verbose=0)
        guesses = [model.predict_on_batch(x[part]) for part in held_out]
        pairs = zip(guesses, held_out, strict=True)
        errors.append([float(np.mean((g - y[part]) ** 2)) for g, part in pairs])
    return min(errors)[1]
