"""Have a language model speak: choose a token, feed it back, and so on.

Sources: top-k, Fan et al. (2018), "Hierarchical neural story generation"; nucleus
(top-p), Holtzman et al. (2020), "The curious case of neural text degeneration".
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import lazy_loader
import numpy as np

from rnn_tf.models import carried_state

keras = lazy_loader.load("keras")


@dataclass(frozen=True)
class Choice:
    """How the next token is chosen of its probabilities."""

    temperature: float = 1.0  # 0: always the likeliest
    top_k: int | None = None  # of the k likeliest alone
    top_p: float | None = None  # of the fewest likeliest that reach this probability

    def weigh(self, probabilities: np.ndarray) -> np.ndarray:
        """Change probabilities, (tokens,), to those that are drawn from."""
        p = np.asarray(probabilities, float)
        order = np.argsort(-p, kind="stable")
        if self.temperature == 0:
            return np.eye(len(p))[order[0]]
        logits = np.log(np.maximum(p, 1e-300)) / self.temperature
        weights = np.exp(logits - logits.max())
        weights /= weights.sum()
        if self.top_k:
            weights[order[self.top_k :]] = 0
        if self.top_p is not None:
            before = np.cumsum(weights[order]) - weights[order]
            weights[order[before >= self.top_p * weights.sum()]] = 0
        return weights / weights.sum()

    def draw(self, probabilities: np.ndarray, random: np.random.Generator) -> int:
        """Draw a token."""
        return int(random.choice(len(probabilities), p=self.weigh(probabilities)))


# Takes the next token, and gives the probability of each that may follow: (tokens,).
Speaker = Callable[[int], np.ndarray]


def speak(
    speaker: Speaker, prompt: Iterable[int], choice: Choice, random: np.random.Generator
) -> Iterator[int]:
    """Yield tokens without end, each of which is fed back to the speaker.

    Args:
        speaker: has heard nothing yet.
        prompt: tokens to begin with, at least one; they are not yielded.
        choice: of each token.
        random: where chance comes from.
    """
    for token in prompt:
        probabilities = speaker(token)
    while True:
        token = choice.draw(probabilities, random)
        yield token
        probabilities = speaker(token)


def network_speakers(model, context: int = 0) -> Callable[[], Speaker]:
    """Make what makes speakers of a network, one after the other.

    Args:
        model: (batch, context + steps) tokens -> (batch, steps, tokens) probabilities.
        context: tokens that it takes before those that it continues; of a recurrent
            network 0.
    """
    inputs = keras.Input(batch_shape=(1, context + 1), dtype="int32")
    network = keras.Model(inputs, carried_state.copy(model, inputs, stateful=True))

    def begin() -> Speaker:
        carried_state.reset(network)
        heard = [0] * (context + 1)

        def speaker(token: int) -> np.ndarray:
            heard.append(token)
            del heard[0]
            output = network.predict_on_batch(np.array([heard], "int32"))
            return np.asarray(output)[0, -1]

        return speaker

    return begin


def ngram_speaker(model) -> Speaker:
    """Make a speaker of an n-gram model, `rnn_tf.baselines.ngrams.KneserNey`.

    The unknown token, with which a text begins, is no part of what it hears.
    """
    heard = []

    def speaker(token: int) -> np.ndarray:
        if token:
            heard.append(token)
        del heard[: -model.order]
        return model.distribution(np.array(heard, int))

    return speaker
