"""What language models are made of and what they cost, in tables beside the recipe's.

A reader is a trained model that reads tokens from the beginning, whatever was before.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import lazy_loader
import numpy as np

from rnn_tf.baselines import ngrams
from rnn_tf.data.text.corpus import Part
from rnn_tf.metrics import intervals, language
from rnn_tf.models import carried_state

keras = lazy_loader.load("keras")

NGRAMS = "order tokens vocabulary possible seen unseen_test parameters".split()
OUTPUTS = (
    "model vocabulary width embedding_gap logits probabilities smallest sum_gap "
    "count loss_mean loss_sum parameters parameters_longer"
).split()
SURPRISE = "model place token bits".split()
MIXTURE = "network ngram split weight bits network_bits ngram_bits low high".split()

COUNT = 100  # tokens whose outputs are looked at

# ---------------------------------------------------------------- readers


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits into probabilities, along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def chosen(values: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Take the value of each token: (rows, length, vocabulary) -> (rows, length)."""
    return np.take_along_axis(values, tokens[..., None].astype(int), axis=-1)[..., 0]


@dataclass(frozen=True, eq=False)
class NetworkReader:
    """A trained network that gives logits; its state begins at zero."""

    name: str
    seed: int
    model: object
    context: int = 0  # tokens that it takes before those that it continues

    order = ""  # it has none

    @functools.cached_property
    def copy(self):
        """The network for any number of texts of any length."""
        inputs = keras.Input((None,), dtype="int32")
        outputs = carried_state.copy(self.model, inputs, stateful=False)
        return keras.Model(inputs, outputs)

    @property
    def speaks(self):
        """The same network, which gives probabilities."""
        probabilities = keras.layers.Softmax(dtype="float32")(self.copy.output)
        return keras.Model(self.copy.input, probabilities)

    def logits(self, tokens: np.ndarray) -> np.ndarray:
        """Give those of each token after the ones before it; the first has none.

        (rows, length) -> (rows, length, vocabulary).
        """
        x = np.pad(tokens, ((0, 0), (1 + self.context, 0)))[:, :-1].astype("int32")
        return np.asarray(self.copy.predict_on_batch(x))

    def of_each(self, tokens: np.ndarray) -> np.ndarray:
        """Give the probability of each token: (rows, length) -> the same."""
        return chosen(softmax(self.logits(tokens)), tokens)

    def after(self, contexts: np.ndarray) -> np.ndarray:
        """Give the probability of each token that may follow: (rows, vocabulary)."""
        more = max(0, self.context + 1 - contexts.shape[1])
        x = np.pad(contexts, ((0, 0), (more, 0))).astype("int32")
        return softmax(np.asarray(self.copy.predict_on_batch(x))[:, -1])


@dataclass(frozen=True, eq=False)
class NgramReader:
    """An n-gram model, with the methods of a `NetworkReader`."""

    model: ngrams.KneserNey

    seed = ""  # nothing in it is drawn

    @property
    def name(self) -> str:
        """As in metrics.csv."""
        return f"ngram_{self.order}"

    @property
    def order(self) -> int:
        """The n of its longest n-grams."""
        return self.model.order

    def of_each(self, tokens: np.ndarray) -> np.ndarray:
        """Give the probability of each token: (rows, length) -> the same."""
        return np.array([self.model.probabilities(row.astype(int)) for row in tokens])

    def after(self, contexts: np.ndarray) -> np.ndarray:
        """Give the probability of each token that may follow: (rows, vocabulary)."""
        return np.array([self.model.distribution(row) for row in contexts])


Reader = NetworkReader | NgramReader


def columns(reader: Reader) -> dict:
    """Write whose row it is."""
    return {"model": reader.name, "seed": reader.seed, "order": reader.order}


# ---------------------------------------------------------------- tables


def ngram_rows(models: ngrams.Models, test: Part) -> list[dict]:
    """Count how many n-grams there could be, there are, and how many test lacks.

    For each n, and for a tenth, a third and all of the tokens of training.
    """
    rows, train = [], models.last()
    tested = test.tokens[-ngrams.COUNTED :].astype("int64")
    for tokens in (len(train) // 10, len(train) // 3, len(train)):
        counts = ngrams.count(train[:tokens], models.vocabulary, models.orders)
        for order in range(1, models.orders + 1):
            model = ngrams.fit(counts[:order], models.vocabulary)
            known = model.known(tested)[order - 1 :]
            row = {"order": order, "tokens": tokens, "vocabulary": models.vocabulary}
            row |= {"possible": float(models.vocabulary) ** order}
            row |= {"seen": len(counts[order - 1].codes)}
            row |= {"unseen_test": float(1 - known.mean())}
            rows.append(row | {"parameters": model.parameters})
    return rows


def output_rows(
    readers: list[NetworkReader], part: Part, vocabulary: int
) -> list[dict]:
    """Look at what networks give for a hundred tokens: logits, softmax and loss.

    Args:
        readers: networks that have an embedding.
        part: of the text.
        vocabulary: how many tokens there are.
    """
    rows = []
    tokens = part.read(np.zeros(1, int), COUNT)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for reader in readers:
        logits = reader.logits(tokens)
        p = np.asarray(keras.ops.softmax(logits))
        matrix, gap = _embedding_gap(reader.model, tokens)
        row = {"model": reader.name, "vocabulary": vocabulary}
        row |= {"width": matrix.shape[1], "embedding_gap": gap}
        row |= {"logits": logits.shape[-1], "probabilities": p.shape[-1]}
        row |= {"smallest": float(p.min())}
        row |= {"sum_gap": float(np.abs(p.sum(axis=-1) - 1).max()), "count": COUNT}
        by_hand = -np.log(chosen(softmax(logits.astype(float)), tokens))
        row |= {"loss_mean": float(loss(tokens, logits))}
        row |= {"loss_sum": float(by_hand.sum())}
        row |= {"parameters": reader.model.count_params()}
        rows.append(row | {"parameters_longer": reader.copy.count_params()})
    return rows


def matrix_of(model) -> np.ndarray:
    """Return the vectors of a network's tokens: (vocabulary, width)."""
    layer = next(layer for layer in model.layers if hasattr(layer, "embeddings"))
    return np.asarray(layer.embeddings)


def _embedding_gap(model, tokens: np.ndarray) -> tuple[np.ndarray, float]:
    """Compare an embedding with one-hot vectors times its matrix."""
    layer = next(layer for layer in model.layers if hasattr(layer, "embeddings"))
    matrix = matrix_of(model)
    one_hot = tokens[0][:, None] == np.arange(len(matrix))
    gaps = np.asarray(layer(tokens))[0] - one_hot.astype("float32") @ matrix
    return matrix, float(np.abs(gaps).max())


def surprise_rows(
    readers: list[Reader], part: Part, places: range, text: Callable
) -> list[dict]:
    """Tell what each token of a sentence costs each model, in bits.

    Args:
        readers: the models.
        part: of the text; what comes before the sentence is read too.
        places: of the sentence's tokens.
        text: tokens -> what they are as text.
    """
    tokens = part.read(np.zeros(1, int), places.stop)
    costs = {r.name: language.bits(r.of_each(tokens)[0]) for r in readers}
    return [
        {"model": name, "place": n, "token": text(tokens[0, [place]])}
        | {"bits": float(bits[place])}
        for name, bits in costs.items()
        for n, place in enumerate(places)
    ]


# ---------------------------------------------------------------- both at once


def mixture_rows(
    names: tuple[str, str], predictions: dict, score: Callable, block: int
) -> list[dict]:
    """Mix a network with n-grams; the weight that does best on validation is taken.

    Args:
        names: of the network and of the n-grams.
        predictions: split -> the probabilities of both: (tokens,) each.
        score: (split, probabilities) -> `Scores`.
        block: stretches that are alike.

    Returns:
        A row for each split, with the interval of the difference to the better one.
    """
    weights = np.linspace(0, 1, 21)

    def mixed(split, weight):
        network, grams = predictions[split]
        return score(split, weight * network + (1 - weight) * grams).errors

    best = min(weights, key=lambda weight: mixed("validation", weight).mean())
    rows = []
    for split in predictions:
        own, network, grams = (mixed(split, weight) for weight in (best, 1.0, 0.0))
        better = min(network, grams, key=np.mean)
        low, high = intervals.block_interval(own - better, block)
        row = {"network": names[0], "ngram": names[1], "split": split}
        row |= {"weight": float(best), "bits": float(own.mean())}
        row |= {"network_bits": float(network.mean())}
        row |= {"ngram_bits": float(grams.mean())}
        rows.append(row | {"low": low, "high": high})
    return rows
