"""Measure the drawing page in Chromium on real drawings: no test, but a yardstick.

    python -m tests.measure_drawing_page --data FOLDER --raw FOLDER --classifier RUN

FOLDER of --data: drawings as `make sketch` reads them, whose test part is guessed in
the browser. FOLDER of --raw: Google's raw .ndjson, of which 200 drawings go from raw
points to probabilities in the browser, in Python and, by a run, in Keras. Then the
generator draws each class at the page's temperature, and the page's classifier guesses
what; and guesses are timed. Takes a minute.
"""

import itertools
import sys
from pathlib import Path

import numpy as np

from rnn_tf import config
from rnn_tf.data.drawings import ndjson, store
from rnn_tf.data.drawings.folder import read_folder
from rnn_tf.data.drawings.stroke3 import Choice
from rnn_tf.recipe import saved_model
from rnn_tf.runs import run_folder
from tests.browser import start
from tests.drawing_runs import strokes_of

RAW = 200  # drawings
GUESS = "drawings => drawings.map((moves) => [...classify(classifier, moves)])"
DRAWN = """count => generator.classes.flatMap((name, label) =>
  Array.from({ length: count }, () => {
    const { lines, ended } = imagine(label, [], [SIDE / 2, SIDE / 2]);
    const shares = classify(classifier, prepare(lines));
    const best = shares.indexOf(Math.max(...shares));
    return [classifier.classes[best] === name ? 1 : 0, ended ? 1 : 0];
  }))"""
TIMES = """drawings => drawings.map((d) => {
  strokes = d.map((points) => ({ points, hand: true }));
  const begun = performance.now();
  guessAloud();
  show();
  return performance.now() - begun;
})"""


def guess_test_part(page, data: Path) -> str:
    """Count the wrong guesses of the page on the test part."""
    labelled = read_folder(data, ()).labelled(str(data), Choice())
    part = labelled.parts["test"]
    assert list(labelled.classes) == page.evaluate("classifier.classes")
    numbers = np.arange(len(part.labels))
    guesses = [
        np.argmax(page.evaluate(GUESS, [part.drawing(n).tolist() for n in some]), 1)
        for some in np.array_split(numbers, 10)
    ]
    right = np.concatenate(guesses) == part.labels
    return f"test part: {right.mean():.2%} of {len(right):,} right, in the browser"


def raw_lines(folder: Path) -> list[bytes]:
    """Take lines of every file in turn."""
    files = [[x for _, x in ndjson.records(p)] for p in sorted(folder.glob("*.ndjson"))]
    mixed = itertools.chain.from_iterable(itertools.zip_longest(*files))
    return [line for line in mixed if line][:RAW]


def compare_raw(page, lines: list[bytes], run: Path | None) -> str:
    """Compare moves with those of Python, and probabilities with those of Keras."""
    drawings = [strokes_of(ndjson.parse(line)["drawing"]) for line in lines]
    own = [ndjson.decode(line, Choice())[1] for line in lines]
    moves = page.evaluate("drawings => drawings.map((d) => prepare(d))", drawings)
    same = sum(a == b.tolist() for a, b in zip(moves, own, strict=True))
    text = f"raw drawings: {same} of {len(own)} have the moves of Python"
    if run is None:
        return text
    info, path = run_folder.find_chosen_model(run, "sketch")
    model = saved_model.load_model(path)
    rounded = [w.astype("float16").astype("float32") for w in model.get_weights()]
    part = store.pack(own, np.zeros(len(own)))
    inputs = part.stroke5(np.arange(len(own)), max(24, part.lengths.max()), scale=1.0)
    whole = model.predict(inputs, verbose=0)
    model.set_weights(rounded)
    halves = model.predict(inputs, verbose=0)
    given = np.array(page.evaluate(GUESS, moves))
    return (
        f"{text}; largest difference of a probability to Keras "
        f"{np.abs(given - halves).max():.1e} (with its weights of 32 bits: "
        f"{np.abs(given - whole).max():.1e})"
    )


def have_drawn(page, count: int) -> str:
    """Have the generator draw each class, and the classifier guess which."""
    right, ended = np.mean(page.evaluate(DRAWN, count), axis=0)
    degrees = page.locator("#degrees").inner_text()
    return (
        f"drawn at temperature {degrees}: {right:.1%} are recognised by the page, "
        f"{ended:.1%} end by themselves ({count} of each class)"
    )


def time_guesses(page, lines: list[bytes]) -> list[str]:
    """Time guesses, as fast as the machine is and with Chromium's throttling."""
    session, texts = page.context.new_cdp_session(page), []
    drawings = [strokes_of(ndjson.parse(line)["drawing"]) for line in lines[:50]]
    session.send("Performance.enable")
    for rate in (1, 4):
        session.send("Emulation.setCPUThrottlingRate", {"rate": rate})
        page.evaluate(TIMES, drawings[:5])
        before = _thread_time(session)
        took = page.evaluate(TIMES, drawings)
        own = 1000 * (_thread_time(session) - before) / len(drawings)
        low, middle, high = np.quantile(took, [0, 0.5, 0.95])
        texts.append(
            f"a guess, {rate} times slower: least {low:.1f} ms, median {middle:.1f}, "
            f"95th percentile {high:.1f}; of the page's own thread {own:.1f} on average"
        )
    return texts


def _thread_time(session) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(row["value"] for row in metrics if row["name"] == "ThreadTime")


def main(
    data: Path,
    raw: Path,
    classifier: Path | None = None,
    page: Path = Path("results/draw.html"),
    drawn: int = 10,
) -> None:
    """Measure a page that `make draw` has written.

    Args:
        data: Folder of drawings, with those classes that the page knows.
        raw: Folder of raw .ndjson files.
        classifier: Run of sketch whose network the page has.
        page: The page.
        drawn: Drawings of each class that the generator makes.
    """
    with start() as browser:
        opened = browser.new_page()
        opened.goto(page.resolve().as_uri())
        print(f"size: {page.stat().st_size / 1e6:.2f} MB")
        lines = raw_lines(raw)
        for text in time_guesses(opened, lines):
            print(text)
        print(compare_raw(opened, lines, classifier))
        print(guess_test_part(opened, data), flush=True)
        opened.evaluate("change([])")
        print(have_drawn(opened, drawn))


if __name__ == "__main__":
    name = "python -m tests.measure_drawing_page"
    raise SystemExit(config.program(name, sys.argv[1:], main))
