"""The command `say` of the language experiment: a run's model goes on with a text."""

import itertools
import sys
from pathlib import Path

import numpy as np

from rnn_tf.data.text import corpus
from rnn_tf.errors import InputError
from rnn_tf.models import sampling
from rnn_tf.recipe import saved_model
from rnn_tf.runs import run_folder
from rnn_tf.text import CONTROL, quote

LONGEST = 100_000  # tokens


def say(
    model: Path,
    prompt: str = "",
    temperature: float = 0.8,
    length: int = 500,
    seed: int = 1,
    top_k: int | None = None,
    top_p: float | None = None,
    stop: str | None = None,
) -> None:
    """Go on with a text, by the model that a run has chosen.

    Args:
        model: The run's folder, results/language/<run>.
        prompt: What the text begins with, of the model's characters or words.
        temperature: 0 takes the likeliest token always; 1 draws as the model expects.
        length: Tokens to say, at most.
        seed: Same seed, same text.
        top_k: Draw of the so many likeliest tokens alone.
        top_p: Draw of the fewest tokens that together reach this probability.
        stop: End when this has been said.
    """
    choice = _choice(temperature, top_k, top_p)
    if not 0 < length <= LONGEST:
        raise InputError(f"--length is {length}; it can be 1 to {LONGEST:,}")
    if seed < 0:
        raise InputError(f"--seed is {seed}; it must be at least 0")
    info, path = run_folder.find_chosen_model(model, "language", "vocabulary")
    vocabulary = info["data"]["vocabulary"]
    tokens = _numbers(prompt, vocabulary, info["data"].get("unit"))
    speaker = saved_model.load_speaker(path, len(vocabulary))
    spoken = sampling.speak(
        speaker, [corpus.UNKNOWN, *tokens], choice, np.random.default_rng(seed)
    )
    _print(prompt)
    tail = ""
    for token in itertools.islice(spoken, length):
        piece = vocabulary[token] or "\ufffd"
        _print(piece)
        tail = (tail + piece)[-len(stop or "") - len(piece) :]
        if stop and stop in tail:
            break
    print()


def _choice(temperature: float, top_k, top_p) -> sampling.Choice:
    """Check the options of the draws."""
    if not 0 <= temperature <= 100:
        raise InputError(f"--temperature is {temperature}; it can be 0 to 100")
    if top_k is not None and top_k < 1:
        raise InputError(f"--top-k is {top_k}; it must be at least 1")
    if top_p is not None and not 0 < top_p <= 1:
        raise InputError(f"--top-p is {top_p}; it must be above 0, and at most 1")
    return sampling.Choice(temperature, top_k, top_p)


def _numbers(prompt: str, vocabulary: list[str], unit: str) -> list[int]:
    """Number the tokens of a prompt, or raise InputError if one was never seen."""
    known = {token: number for number, token in enumerate(vocabulary) if number}
    pieces = corpus.pieces(prompt, unit if unit in corpus.UNITS else "character")
    for piece in pieces:
        if piece not in known:
            some = " ".join(sorted(known)[:10])
            raise InputError(
                f"--prompt holds {quote(piece)}, which the model has never seen; it "
                f"knows {len(known):,}, like {some!r}"
            )
    return [known[piece] for piece in pieces]


def _print(piece: str) -> None:
    """Print a piece of text at once, without what would move the cursor."""
    lines = (CONTROL.sub("\ufffd", line) for line in piece.split("\n"))
    sys.stdout.write("\n".join(lines))
    sys.stdout.flush()
