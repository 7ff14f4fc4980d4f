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


# ---------------------------------------------------------------- side by side


def speakers_side_by_side(model, texts: int) -> Callable[[], Speaker]:
    """Make what makes speakers of several texts at once: all hear a token each.

    Args:
        model: recurrent, (batch, steps) tokens -> (batch, steps, tokens) probabilities.
        texts: how many.
    """
    inputs = keras.Input(batch_shape=(texts, 1), dtype="int32")
    network = keras.Model(inputs, carried_state.copy(model, inputs, stateful=True))

    def begin() -> Speaker:
        carried_state.reset(network)

        def speaker(tokens: np.ndarray) -> np.ndarray:
            x = np.asarray(tokens, "int32")[:, None]
            return np.asarray(network.predict_on_batch(x))[:, 0]

        return speaker

    return begin


def speak_side_by_side(
    speaker: Speaker,
    prompts: np.ndarray,
    length: int,
    random: np.random.Generator,
    temperature: float = 1.0,
    feed: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> np.ndarray:
    """Go on with several texts at once.

    Args:
        speaker: of as many texts; it has heard nothing yet.
        prompts: (texts, tokens), at least one token each.
        length: tokens to say.
        random: where chance comes from.
        temperature: 0 takes the likeliest tokens, 1 draws them as the model expects.
        feed: the tokens that were said, (texts,) -> those that are fed back.

    Returns:
        (texts, length) tokens.
    """
    for tokens in prompts.T:
        probabilities = speaker(tokens)
    spoken = []
    for _ in range(length):
        spoken.append(draw_each(probabilities, random, temperature))
        probabilities = speaker(feed(spoken[-1]))
    return np.stack(spoken, axis=1)


def draw_each(
    probabilities: np.ndarray, random: np.random.Generator, temperature: float = 1.0
) -> np.ndarray:
    """Draw a token of each distribution: (..., tokens) -> (...).

    By the Gumbel-max trick: the highest of log p + noise is a draw (Gumbel, 1954).
    """
    logits = np.log(np.maximum(probabilities, 1e-30))
    noise = random.gumbel(size=logits.shape) if temperature else 0.0
    return np.argmax(logits + temperature * noise, axis=-1)
