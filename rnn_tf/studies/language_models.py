"""What language models are made of and can do, in tables beside the recipe's.

A reader gives the probability of each token after contexts: (rows, length) tokens ->
(rows, vocabulary).
"""

from collections.abc import Callable, Iterable

import lazy_loader
import numpy as np

from rnn_tf.baselines import ngrams
from rnn_tf.data.text.corpus import Part
from rnn_tf.metrics import intervals, language
from rnn_tf.models import carried_state, sampling
from rnn_tf.models.sampling import Choice

keras = lazy_loader.load("keras")

NGRAMS = "order tokens vocabulary possible seen unseen_test parameters".split()
REACH = "model seed order back changed".split()
AGREEMENT = "model seed order distance n right".split()
OUTPUTS = (
    "model vocabulary width embedding_gap logits probabilities smallest sum_gap "
    "count loss_mean loss_sum parameters parameters_longer"
).split()
SPEECH = "model temperature seed tokens distinct repeated bits text".split()
SURPRISE = "model place token bits".split()
MIXTURE = "network ngram split weight bits network_bits ngram_bits low high".split()

Reader = Callable[[np.ndarray], np.ndarray]
ROWS, LENGTH = 40, 64  # contexts that are changed, and their tokens
FURTHEST = 12  # tokens back of one that is changed

# ---------------------------------------------------------------- readers


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits into probabilities, along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def network_reader(model, context: int = 0) -> Reader:
    """Make a reader of a network that gives logits, whose state begins at zero."""
    inputs = keras.Input((None,), dtype="int32")
    network = keras.Model(inputs, carried_state.copy(model, inputs, stateful=False))

    def read(contexts: np.ndarray) -> np.ndarray:
        before = np.zeros((len(contexts), max(0, context + 1 - contexts.shape[1])))
        tokens = np.concatenate([before, contexts], axis=1).astype("int32")
        return softmax(np.asarray(network.predict_on_batch(tokens))[:, -1])

    return read


def ngram_reader(model: ngrams.KneserNey) -> Reader:
    """Make a reader of an n-gram model."""
    return lambda contexts: np.array([model.distribution(c) for c in contexts])


# ---------------------------------------------------------------- tables


def ngram_rows(
    train: np.ndarray, test: np.ndarray, vocabulary: int, orders: int
) -> list[dict]:
    """Count how many n-grams there could be, there are, and how many test lacks.

    For each n, and for a tenth, a third and all of the tokens of training.
    """
    rows = []
    for tokens in (len(train) // 10, len(train) // 3, len(train)):
        counts = ngrams.count(train[:tokens], vocabulary, orders)
        for order in range(1, orders + 1):
            model = ngrams.fit(counts[:order], vocabulary)
            known = model.known(test)[order - 1 :]
            row = {"order": order, "tokens": tokens, "vocabulary": vocabulary}
            row |= {"possible": float(vocabulary) ** order}
            row |= {"seen": len(counts[order - 1].codes)}
            row |= {"unseen_test": float(1 - known.mean())}
            rows.append(row | {"parameters": model.parameters})
    return rows


def reach_rows(readers: Iterable[tuple], part: Part, vocabulary: int) -> list[dict]:
    """Change a token so and so far back, and see whether the next one's chances do.

    Args:
        readers: name, seed, order ("" of a network), and the reader.
        part: of the text.
        vocabulary: how many tokens there are.

    Returns:
        `changed`: the largest change of any probability.
    """
    random = np.random.default_rng(1)
    starts = random.integers(0, max(1, len(part.tokens) - LENGTH), ROWS)
    contexts = part.read(starts, LENGTH)
    shift = random.integers(1, vocabulary, ROWS)
    rows = []
    for model, seed, order, read in readers:
        before = read(contexts)
        for back in range(1, FURTHEST + 1):
            other = contexts.copy()
            other[:, -back] = (other[:, -back] + shift) % vocabulary
            changed = float(np.abs(read(other) - before).max())
            row = {"model": model, "seed": seed, "order": order, "back": back}
            rows.append(row | {"changed": changed})
    return rows


def agreement_rows(
    readers: Iterable[tuple], part: Part, verbs: np.ndarray, end: int, most: int = 400
) -> list[dict]:
    """Ask for the verb of the artificial language: does its class agree?

    Args:
        readers: see `reach_rows`.
        part: of the text.
        verbs: (vocabulary,) the class of each verb; of other tokens -1.
        end: the token that ends a sentence.
        most: verbs.

    Returns:
        By the distance of the subject from its verb, in tokens: `right`, the share of
        the right class in the probabilities of all verbs.
    """
    tokens = np.asarray(part.tokens).astype(int)
    places = np.flatnonzero(verbs[tokens] >= 0)
    places = places[places >= LENGTH][:most]
    contexts = part.read(places - LENGTH, LENGTH)
    # The subject is the second word of its sentence.
    since = np.argmax(contexts[:, ::-1] == end, axis=1)
    distances, whole = since - 1, (contexts == end).any(axis=1)
    right, every = verbs[tokens[places]], range(verbs.max() + 1)
    rows = []
    for model, seed, order, read in readers:
        p = read(contexts)
        shares = np.stack([p[:, verbs == k].sum(axis=1) for k in every])
        share = (shares / shares.sum(axis=0))[right, np.arange(len(right))]
        for distance in np.unique(distances[whole]):
            own = share[whole & (distances == distance)]
            row = {"model": model, "seed": seed, "order": order}
            row |= {"distance": int(distance), "n": len(own)}
            rows.append(row | {"right": float(own.mean())})
    return rows


def output_rows(models: dict, part: Part, vocabulary: int) -> list[dict]:
    """Look at what networks give for a hundred tokens: logits, softmax and loss.

    Args:
        models: name -> a network that gives logits, and its context.
        part: of the text.
        vocabulary: how many tokens there are.
    """
    rows = []
    tokens = part.read(np.zeros(1, int), 100)
    for name, (model, context) in models.items():
        inputs = keras.Input((None,), dtype="int32")
        network = keras.Model(inputs, carried_state.copy(model, inputs, stateful=False))
        x = np.pad(tokens, ((0, 0), (1 + context, 0)))[:, :-1]
        logits = np.asarray(network.predict_on_batch(x))
        p = np.asarray(keras.ops.softmax(logits))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        embedding = next(x for x in model.layers if hasattr(x, "embeddings"))
        matrix = np.asarray(embedding.embeddings)
        one_hot = np.eye(vocabulary)[tokens[0]] @ matrix
        gap = np.abs(np.asarray(embedding(tokens))[0] - one_hot).max()
        row = {"model": name, "vocabulary": vocabulary, "width": matrix.shape[1]}
        row |= {"embedding_gap": float(gap)}
        row |= {"logits": logits.shape[-1], "probabilities": p.shape[-1]}
        row |= {"smallest": float(p.min())}
        row |= {"sum_gap": float(np.abs(p.sum(axis=-1) - 1).max()), "count": 100}
        by_hand = -np.log(softmax(logits.astype(float))[0, np.arange(100), tokens[0]])
        row |= {"loss_mean": float(loss(tokens, logits))}
        row |= {"loss_sum": float(by_hand.sum())}
        row |= {"parameters": model.count_params()}
        rows.append(row | {"parameters_longer": network.count_params()})
    return rows


def surprise_rows(
    models: dict, grams: ngrams.KneserNey, part: Part, places: range, text: Callable
) -> list[dict]:
    """Tell what each token of a sentence costs each model, in bits.

    Args:
        models: name -> a network that gives logits, and its context.
        grams: an n-gram model.
        part: of the text; what comes before the sentence is read too.
        places: of the sentence's tokens.
        text: tokens -> what they are as text.
    """
    tokens = part.read(np.zeros(1, int), places.stop)
    costs = {f"ngram_{grams.order}": grams.probabilities(tokens[0].astype("int64"))}
    for name, (model, context) in models.items():
        inputs = keras.Input((None,), dtype="int32")
        network = keras.Model(inputs, carried_state.copy(model, inputs, stateful=False))
        x = np.pad(tokens, ((0, 0), (1 + context, 0)))[:, :-1]
        p = softmax(np.asarray(network.predict_on_batch(x))[0])
        costs[name] = p[np.arange(places.stop), tokens[0]]
    return [
        {"model": name, "place": n, "token": text(tokens[0, [place]])}
        | {"bits": float(language.bits(p[place]))}
        for name, p in costs.items()
        for n, place in enumerate(places)
    ]


# ---------------------------------------------------------------- speech


def speech_rows(
    begin: dict, judge: ngrams.KneserNey, text: Callable, length: int, seeds: int = 3
) -> list[dict]:
    """Have each model speak, by the likeliest token and by draws, over some seeds.

    Args:
        begin: name -> a function that makes a speaker.
        judge: an n-gram model that scores what is spoken.
        text: tokens -> what they are as text.
        length: tokens to speak.
        seeds: of each temperature.

    Returns:
        `distinct`: share of different tokens; `repeated`: share of 4-grams that were
        spoken before; `bits`: of a token, under the judge.
    """
    rows = []
    for name, make in begin.items():
        for temperature in (0.0, 1.0):
            for seed in range(1, seeds + 1):
                random = np.random.default_rng(seed)
                spoken = sampling.speak(make(), [0], Choice(temperature), random)
                tokens = np.array([next(spoken) for _ in range(length)])
                row = {"model": name, "temperature": temperature, "seed": seed}
                row |= {"tokens": length}
                row |= {"distinct": len(set(tokens.tolist())) / length}
                row |= {"repeated": _repeated(tokens, 4)}
                row |= {
                    "bits": float(language.bits(judge.probabilities(tokens)).mean())
                }
                rows.append(row | {"text": text(tokens)})
    return rows


def _repeated(tokens: np.ndarray, n: int) -> float:
    """Return the share of n-grams that came before."""
    grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return 1 - len(set(grams)) / max(1, len(grams))


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
