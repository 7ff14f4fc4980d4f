"""The command `say` of the translate experiment: a run's model translates a text."""

import sys
from pathlib import Path

import numpy as np
import tyro

from rnn_tf.data.text import pair_batches, parallel
from rnn_tf.data.text.tokens import Tokens
from rnn_tf.errors import InputError, warn
from rnn_tf.models.translation import Search, Translated, alignment, translate
from rnn_tf.recipe import saved_model
from rnn_tf.report import translation_plots
from rnn_tf.runs import run_folder
from rnn_tf.text import CONTROL, quote

MOST, BEAMS = 100, 5  # beams, at most and by default


def say(
    text: tyro.conf.Positional[str] = "-",
    *,
    model: Path,
    file: Path | None = None,
    beam: int | None = None,
    n_best: int = 1,
    temperature: float = 0.0,
    seed: int = 1,
    attention: Path | None = None,
) -> None:
    """Translate a text by the model that a run has chosen.

    Args:
        text: A sentence, or several with a line each; - reads the standard input.
        model: The run's folder, results/translate/<run>.
        file: A text file to translate instead, one sentence a line.
        beam: Translations that the search keeps, by default 5; 1 is greedy.
        n_best: Translations to print of each sentence, with their log-probabilities.
        temperature: Above 0: draw translations instead; 1 draws as the model expects.
        seed: Same seed, same draws.
        attention: Draw what the translation of the first sentence attends to, as .png.
    """
    _check(beam, attention)
    _check_draws(beam, n_best, temperature, seed)
    info, path = run_folder.find_chosen_model(model, "translate", "vocabulary")
    known = _tokens(info["data"], model)
    sentences = _sentences(text, file, info)
    network = saved_model.load_translator(path, tuple(map(len, known)))
    numbers = pair_batches.number(sentences, known[0])
    _warn_of_length(numbers, info["data"])
    limit = info["data"]["limit"]
    if temperature:
        search = Search(limit, temperature=temperature, seed=seed)
        rows = [row for row in numbers.rows for _ in range(n_best)]
        translated = translate(network, pair_batches.Numbers(tuple(rows)), search)
    else:
        translated = translate(network, numbers, Search(limit, beam or BEAMS))
    _print(translated, len(sentences), n_best, known[1])
    if attention:
        _draw(attention, network, known, numbers.rows[0], translated)


def _print(translated: Translated, sentences: int, n_best: int, known: Tokens) -> None:
    """Print the best translations of each sentence; several with their scores."""
    tokens = translated.tokens.reshape(sentences, -1, translated.tokens.shape[-1])
    logs = translated.log_probabilities.reshape(sentences, -1)
    for row in range(sentences):
        for best in range(min(n_best, tokens.shape[1])):
            line = CONTROL.sub("\ufffd", known.decode(tokens[row, best]))
            print(f"{logs[row, best]:.2f}\t" * (n_best > 1) + line)


def _check_draws(beam: int | None, n_best: int, temperature: float, seed: int) -> None:
    """Check the options of draws, and how many are wanted, or raise InputError."""
    if not 0 <= temperature <= 100:
        raise InputError(f"--temperature is {temperature}; it can be 0 to 100")
    if temperature and beam:
        raise InputError(
            f"--beam {beam} and --temperature {temperature:g}: a translation is "
            "searched for or drawn; leave one out"
        )
    if seed < 0:
        raise InputError(f"--seed is {seed}; it must be at least 0")
    most, what = (MOST, "draws") if temperature else (beam or BEAMS, "beams")
    if not 0 < n_best <= most:
        raise InputError(
            f"--n-best is {n_best}; of {most} {what}, it can be 1 to {most}"
        )


def _check(beam: int | None, attention: Path | None) -> None:
    """Check the options, or raise InputError."""
    if beam is not None and not 0 < beam <= MOST:
        raise InputError(f"--beam is {beam}; it can be 1 to {MOST}")
    if attention and attention.suffix != ".png":
        raise InputError(f"--attention is {quote(attention)}; name a file in .png")
    if attention and not attention.parent.is_dir():
        raise InputError(f"--attention is {quote(attention)}; there is no such folder")


def _tokens(data: dict, folder: Path) -> tuple[Tokens, Tokens]:
    """Read the tokens of both languages from what config.json records."""
    try:
        names = data["source_vocabulary"], data["vocabulary"]
        sides = zip(names, data["subwords"], strict=True)
        known = tuple(Tokens(data["unit"], tuple(n), of) for n, of in sides)
        _ = [int(data[key]) for key in ("limit", "longest_source")]
        first, second = known
        return first, second
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{folder}/config.json is damaged ({error!r}); take another run"
        ) from None


def _sentences(text: str, file: Path | None, info: dict) -> list[str]:
    """Read the sentences to translate: of the command line, a file, or stdin."""
    if file:
        text = "\n".join(parallel.read_lines(file))
    elif text == "-":
        text = sys.stdin.read()
    lower = info["config"].get("lower", False)
    lines = [parallel.tidy(line, lower) for line in text.split("\n")]
    lines = lines[:-1] if lines[-1:] == [""] else lines
    if not any(lines):
        where = quote(file) if file else "the text"
        raise InputError(f"{where} is empty; give a sentence to translate")
    return lines


def _warn_of_length(numbers: pair_batches.Numbers, data: dict) -> None:
    """Warn if a source is longer than any that the model was trained on."""
    longest, most = int(numbers.lengths.max()), int(data["longest_source"])
    if longest > most:
        warn(
            f"a sentence has {longest - 1} {data['unit']}s, the longest of training "
            f"{most - 1}: do not expect much of its translation"
        )


def _draw(path: Path, network, known: tuple, source: tuple, translated) -> None:
    """Draw the attention of the first sentence."""
    target = translated.tokens[0, 0, : translated.lengths[0, 0]]
    weights = alignment(network, np.array(source), target)
    if weights is None:
        raise InputError(
            "--attention: the chosen model has none; it can be drawn of "
            "runs with --models attention"
        )
    sides = zip(known, (source, target), strict=True)
    names = [[side.name(n) for n in numbers] for side, numbers in sides]
    translation_plots.alignment(path, *names, weights)
