"""Train small networks on small tasks, one for each way to use a sequence.

Vector to sequence, sequence to vector, and an answer at each step; forward and in both
directions; with its steps in order and shuffled; with and without bias, tanh, and a
first state that is learned. Validation chooses the epoch, and test is read once.
"""

from collections.abc import Iterator

import lazy_loader
import numpy as np

from rnn_tf.data.series import motifs
from rnn_tf.studies import mode_clips, mode_filters, mode_lengths, restarts
from rnn_tf.studies.mode_baselines import Parts, constant
from rnn_tf.studies.mode_tasks import TASKS, Task

keras = lazy_loader.load("keras")

COLUMNS = "task model kind seed slice metric value n parameters".split()
# Studies with examples and scores of their own.
OTHERS = {"lengths": mode_lengths, "filters": mode_filters, "clips": mode_clips}
NAMES = (*TASKS, *OTHERS)

BATCH, RATE = 128, 1e-2
LONG = 5  # epochs from which XLA saves more time than it takes
SHUFFLED = "_shuffled"  # what the names of networks end with that see shuffled steps


def rows(name: str, seeds: int, epochs: int) -> Iterator[dict]:
    """Score the baselines and the networks of a task, over some seeds.

    Args:
        name: one of `NAMES`.
        seeds: of the examples, the weights and the order of training.
        epochs: of training, for each pass of the task.

    Yields:
        Rows of `modes.csv`, in the order of its columns.
    """
    if name in OTHERS:
        own = OTHERS[name].rows(seeds, epochs, compiled, train)
    else:
        own = _task_rows(TASKS[name], seeds, epochs)
    for row in own:
        row = {"task": name, "slice": "", "parameters": ""} | row
        yield {column: row[column] for column in COLUMNS}


def _task_rows(task: Task, seeds: int, epochs: int) -> Iterator[dict]:
    for seed in range(1, seeds + 1):
        yield from baseline_rows(task, task.data(seed), seed)
    for name, build in task.networks.items():
        model = build()
        blank = compiled(model, task.classes, epochs >= LONG)
        for seed in range(1, seeds + 1):
            parts = task.data(seed)
            versions = {name: parts}
            if name in task.shuffled:
                versions[name + SHUFFLED] = shuffled(parts, seed)
            for version, own in versions.items():
                restarts.restart(model, build, blank, seed)
                train(model, own, epochs * task.passes, task.classes)
                guesses = guess(model, own["test"][0], task.classes)
                row = {"model": version, "kind": "network", "seed": seed}
                row |= {"parameters": model.count_params()}
                yield from (row | part for part in scores(task, own, guesses))
                if version == "linear_rnn":
                    gap = map_difference(model, own["test"][0])
                    gap = {"metric": "map_difference", "value": gap}
                    yield row | gap | {"n": len(own["test"][0])}


def shuffled(parts: Parts, seed: int) -> Parts:
    """Put the steps of each example, of all parts, in an order of its own."""
    random = np.random.default_rng(seed)
    return {split: (motifs.shuffled(x, random), y) for split, (x, y) in parts.items()}


# ---------------------------------------------------------------- training


def compiled(model, classes: bool, xla: bool) -> list[np.ndarray]:
    """Compile a network; return the optimizer's variables before training."""
    loss = "mse"
    if classes:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return restarts.compiled(model, loss, RATE, xla=xla)


def train(model, parts: Parts, epochs: int, classes: bool) -> None:
    """Train a network; leave it with the weights that are best on validation."""
    (x, y), (x_held, y_held) = parts["train"], parts["validation"]
    best = {"error": np.inf, "weights": model.get_weights()}

    def keep(epoch, logs):
        error = errors(y_held, guess(model, x_held, classes), classes).mean()
        if error < best["error"]:
            best.update(error=error, weights=model.get_weights())

    watch = keras.callbacks.LambdaCallback(on_epoch_end=keep)
    targets = y if classes else y.reshape(len(y), *model.output_shape[1:])
    batch = min(BATCH, len(x))
    whole = len(x) // batch * batch  # a smaller batch would be compiled too
    options = {"batch_size": batch, "epochs": epochs, "verbose": 0}
    model.fit(x[:whole], targets[:whole], callbacks=[watch], **options)
    model.set_weights(best["weights"])


def guess(model, x: np.ndarray, classes: bool) -> np.ndarray:
    """Return a network's guesses: the likeliest class, or the number."""
    outputs = np.asarray(model.predict_on_batch(x))
    return outputs.argmax(axis=-1) if classes else outputs


# ---------------------------------------------------------------- scores


def baseline_rows(task: Task, parts: Parts, seed: int) -> Iterator[dict]:
    """Score what needs no network: the same guess for all, and the task's own."""
    guesses = {"constant": constant(parts, task.classes)}
    guesses |= {name: predict(parts) for name, predict in task.baselines.items()}
    for name, own in guesses.items():
        row = {"model": name, "kind": "baseline", "seed": seed}
        yield from (row | part for part in scores(task, parts, own))


def errors(y: np.ndarray, guesses: np.ndarray, classes: bool) -> np.ndarray:
    """Return the error of each target: 100 where a class is wrong, or its square."""
    guesses = guesses.reshape(y.shape)
    return 100.0 * (guesses != y) if classes else (guesses - y).astype(float) ** 2


def scores(task: Task, parts: Parts, guesses: np.ndarray) -> list[dict]:
    """Score guesses on test, at all steps together or at each of the task's."""
    wrong = errors(parts["test"][1], guesses, task.classes)
    slices = {str(step): wrong[:, step - 1] for step in task.steps} or {"": wrong}
    metric = "error" if task.classes else "mse"
    return [
        {"slice": part, "metric": metric, "value": float(own.mean()), "n": own.size}
        for part, own in slices.items()
    ]


def map_difference(model, x: np.ndarray) -> float:
    """Return how far a network is from the one linear map that it would have to be.

    The map is read off inputs of zeros, and of zeros but for a single 1; the largest
    difference of an output on `x`, (examples, time, features), in terms of the largest
    output.
    """
    shape = x.shape[1:]
    singles = np.eye(int(np.prod(shape)), dtype="float32").reshape(-1, *shape)
    inputs = np.zeros((1, *shape), "float32"), singles, x
    offset, ones, outputs = (guess(model, part, classes=False) for part in inputs)
    mapped = x.reshape(len(x), -1) @ (ones - offset) + offset
    return float(np.abs(mapped - outputs).max() / np.abs(outputs).max())
