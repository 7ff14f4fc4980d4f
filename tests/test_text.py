"""Names of people's files at every border: shown as they stand, and doing nothing."""

import dataclasses
import html
import io
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text as DrawnText
from rich.console import Console

from rnn_tf import files
from rnn_tf.metrics.formatting import plain_table
from rnn_tf.recipe import predict, progress, runner
from rnn_tf.report import guess_plots, markdown, plots, search_plots, summary
from rnn_tf.text import QUOTED, printable, quote, shorten
from tests import test_runner
from tests.conftest import make_run
from tests.page_runs import finished_run, write_page
from tests.test_plots import error_rows, predictions

HOSTILE = {
    "markup": "[/]",
    "colour": "[red]",
    "unit": "load [kW]",
    "emoji code": ":cat:",
    "formula": "$x^2$",
    "broken formula": "$_{$",
    "two dollars": "a_$/b_$",
    "newline": "two\nlines",
    "carriage return": "two\rlines",
    "tab": "a\tb",
    "escapes": "\x1b[31mR\x1b[2J",
    "html": "<img src=x onerror=alert(1)>",
    "entity": "&lt;b&gt;",
    "backtick": "a`b",
    "bar": "a|b",
    "bar after a backslash": r"a\|b",
    "link": "[a](http://b)",
    "stars": "**a**",
    "chinese": "\u732b",
    "emoji": "\U0001f431",
    "right to left": "\u202efdp.exe",
    "no UTF-8": "w\udce4lk",
    "long": "n" * 149 + "1",
    "underscore": "_hidden",
    "spreadsheet": "=cmd|' /C calc'!A0",
}
# Refused before anything is drawn.
DRAWABLE = [name for key, name in HOSTILE.items() if key != "no UTF-8"]
hostile = pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)


def terminal(width: int = 400) -> Console:
    """A console that behaves like a terminal, with colours."""
    return Console(file=io.StringIO(), force_terminal=True, width=width)


def written(console: Console) -> str:
    """What stands on it, without rich's own colours; checks that nothing else acts."""
    text = re.sub(r"\x1b\[[\d;]*m", "", console.file.getvalue())
    acting = [c for c in text if printable(c) != c and c != "\n"]
    assert not acting, acting
    text.encode("utf-8")
    return text


def encoded(name: str) -> str:
    """The name as UTF-8 files hold it."""
    return name.encode("utf-8", "backslashreplace").decode()


# ---------------------------------------------------------------- text itself


def test_control_characters_are_shown_and_letters_of_all_scripts_stay():
    assert (
        printable("a\n\t\x1b[31m\u202e\udcff\x85") == r"a\n\t\x1b[31m\u202e\udcff\x85"
    )
    kept = "Ärger é 猫 कि \u200d \xa0 🐱 \\n 'x'"
    assert printable(kept) == kept


def test_a_long_text_loses_its_middle():
    """Would catch names that differ at the end alone and look the same."""
    assert shorten("abcdefghij", 10) == "abcdefghij"
    assert shorten("abcdefghijk", 10) == "abcde…hijk"
    assert all(len(shorten("n" * 99, width)) == width for width in range(3, 90))
    assert quote("x\ny") == r"'x\ny'"
    assert len(quote("x" * 2_000_000)) == QUOTED + 2


# ---------------------------------------------------------------- the terminal


@hostile
def test_a_table_shows_it(name):
    """Would catch rich's markup: an exception, or text that is not there."""
    table = plain_table(name, [f"{name} head"], [f"{name} number"])
    table.add_row(f"{name} cell", "1")
    console = terminal()
    console.print(table)
    lines = [line.strip() for line in written(console).splitlines()]
    for part in ("", " head", " number", " cell"):
        assert any(printable(name) + part in line for line in lines)


@hostile
@pytest.mark.parametrize("width", [80, 200])
def test_the_results_table_shows_it(tmp_path, name, width):
    make_run(tmp_path, data={"source": name, "sha256": "1"}, commit=name)
    make_run(tmp_path, data={"source": f"{name}2", "sha256": "1"}, commit="other")
    table = summary.refresh(tmp_path).assign(unit=encoded(name))
    console = terminal(width)
    summary.show(table, console)
    text = written(console)
    assert max(map(len, text.splitlines())) <= width
    assert printable(name) in text.replace("\n", "") or width == 80


@hostile
def test_predict_shows_it(name):
    guesses = np.array([[0.9, 0.06, 0.04], [0.2, 0.7, 0.1]])
    table = predict.table({"file": [name, "b"]}, guesses, (name, f"{name}2", "c"))
    console = terminal(1_000)
    console.print(table)
    text = written(console)
    assert f"{printable(name)} 90 %" in text
    assert f"{printable(name)}2 70 %" in text
    narrow = terminal(80)  # 80 columns hold it too, on several lines
    narrow.print(table)
    text = written(narrow)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


@hostile
def test_progress_shows_it(name):
    """Would catch an error message of TensorFlow, [[{{node a}}]], that ends a run."""
    console = terminal()
    with progress.RunProgress(2, console) as bars:
        bars.begin("a", name)
        bars.bar.refresh()
        bars.finish("a", "seed 1", {"status": "failed", "error": name, "seconds": 1.0})
    text = re.sub(r"\x1b\[\?25[lh]|\x1b\[\d?[AK]|\r", "", console.file.getvalue())
    console.file = io.StringIO(text)
    console.file.seek(0, io.SEEK_END)
    shown = written(console)
    assert f"failed: {printable(name)}" in shown
    assert printable(name)[:20] in shown.split("failed")[0]


def test_the_notes_of_a_run_show_all_of_it(tmp_path, capsys, monkeypatch):
    original = test_runner.load_data

    def load_data(config):
        data = original(config)
        facts = {**data.facts, "says": "; ".join(HOSTILE.values())}
        return dataclasses.replace(data, facts=facts)

    console = terminal(10_000)
    monkeypatch.setattr(runner, "progress_console", lambda: console)
    experiment = dataclasses.replace(
        test_runner.EXPERIMENT, load_data=load_data, models={"line": test_runner.build}
    )
    config = runner.RunConfig(seeds=1, trials=0, epochs=1, results=tmp_path)
    runner.run(lambda config: experiment, config)
    text = console.file.getvalue()
    for name in HOSTILE.values():
        assert printable(name) in text


# ---------------------------------------------------------------- pictures


@pytest.fixture
def drawn(monkeypatch):
    """Save pictures as always, and gather the texts that stand in them."""
    texts, save = [], plots.save

    def keep(figure, path):
        save(figure, path)
        texts.extend(
            text.get_text() for text in figure.findobj(DrawnText) if text.get_text()
        )

    monkeypatch.setattr(plots, "save", keep)
    return texts


def shown_in(texts: list[str], name: str) -> bool:
    """Whether a text that matplotlib draws as it stands holds the name, or its ends."""
    whole = printable(name)
    ends = (whole, whole) if len(whole) <= 20 else (whole[:5], whole[-5:])
    plain = [
        text.replace(r"\$", "$") for text in texts if "\\$" in text or "$" not in text
    ]
    return any(all(end in text for end in ends) for text in plain)


def guesses_of(names: list[str]):
    """Rows of predictions.csv: each name is guessed right once, and wrong once."""
    pairs = [
        *zip(names, names, strict=True),
        *zip(names, names[1:] + names[:1], strict=True),
    ]
    return pd.DataFrame(
        {"model": "m", "seed": 1, "example": number, "probability": 0.5}
        | {"target": target, "prediction": name, "second": names[0], "third": name}
        for number, (target, name) in enumerate(pairs)
    )


@pytest.mark.parametrize("kind", ["confusion", "drawings", "film_strips"])
def test_pictures_of_guesses_show_them(tmp_path, drawn, capsys, monkeypatch, kind):
    """Would catch a ParseSyntaxException, a formula, a label out of the picture."""
    monkeypatch.setattr(guess_plots, "_spread", lambda rows, count: rows[:count])
    examples = {
        "drawings": lambda number: np.ones((5, 3)),
        "film_strips": lambda number: np.zeros((4, 8, 8, 1), "uint8"),
    }
    count = {"drawings": 12, "film_strips": 6}.get(kind, len(DRAWABLE))
    for start in range(0, len(DRAWABLE), count):
        names = DRAWABLE[start : start + count]
        path, last = tmp_path / f"{start}.png", examples.get(kind, names)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            getattr(guess_plots, kind)(path, guesses_of(names), last)
        lines = capsys.readouterr().err.splitlines()
        assert path.is_file(), lines
        assert all("missing from font" in line for line in lines)
        assert len(lines) <= 1
    for name in DRAWABLE:
        assert shown_in(drawn, name), name


@pytest.mark.parametrize("name", DRAWABLE)
def test_a_picture_of_a_series_shows_its_unit(tmp_path, drawn, capsys, name):
    cells = {"cell": "gru", "line": "gru", "value": [1.0, 20.0], "x": [1, 2]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.error_against(tmp_path / "a.png", pd.DataFrame(cells), {}, "x", name)
    assert (tmp_path / "a.png").is_file(), capsys.readouterr().err
    assert shown_in(drawn, name)
    powers = [text for text in drawn if "mathdefault" in text]
    assert powers, "a logarithmic scale has powers of ten"


@pytest.mark.parametrize("name", ["$_{$", "n" * 149 + "1"])
def test_pictures_of_forecasts_show_their_unit(tmp_path, drawn, capsys, name):
    errors = error_rows({("gru", "tuned"): 10, ("naive", "baseline"): 14})
    plots.forecasts(tmp_path / "a.png", predictions(days=20), ["gru"], name)
    plots.error_by_step(tmp_path / "b.png", errors, "mae", name)
    assert len(list(tmp_path.iterdir())) == 2, capsys.readouterr().err
    assert shown_in(drawn[: len(drawn) // 2], name)
    assert shown_in(drawn[len(drawn) // 2 :], name)


def test_pictures_of_a_search_show_them(tmp_path, capsys):
    """Would catch a name with an underscore that the legend leaves out."""
    count = len(DRAWABLE)
    columns = {"model": DRAWABLE, "trial": 1, "score": 0.5, "hp.kind": DRAWABLE}
    trials = pd.DataFrame(columns | {"hp._$x_{$": range(count)})
    for draw in (search_plots.over_trials, search_plots.hyperparameters):
        figure = draw(trials)
        plots.write(figure, tmp_path / "a.png", "a search")
        texts = [text.get_text() for text in figure.findobj(DrawnText)]
        assert [name for name in DRAWABLE if not shown_in(texts, name)] == []
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(legend) == count
    assert shown_in(texts, "_$x_{$")
    assert capsys.readouterr().err.count("\n") == 2  # glyphs that the font lacks


def test_a_picture_that_fails_is_a_line(tmp_path, capsys):
    """Would catch a run that is lost, trained and tested, for the sake of a picture."""
    plots.learning_curves(tmp_path / "curves.png", pd.DataFrame({"model": []}))
    (tmp_path / "full.png").mkdir()
    history = {"model": ["m"], "seed": 1, "epoch": 1, "loss": 1.0, "score": 0.5}
    plots.learning_curves(tmp_path / "full.png", pd.DataFrame(history))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    for line, name in zip(lines, ("curves.png", "full.png"), strict=True):
        assert line.startswith(f"left out: {tmp_path / name} cannot be drawn (")
    assert [path.name for path in tmp_path.iterdir()] == ["full.png"]


# ---------------------------------------------------------------- files


@hostile
def test_markdown_shows_it(tmp_path, name):
    """Would catch HTML that acts, and a table that ends in the middle of a name."""
    made = make_run(
        tmp_path, data={"source": name, "sha256": "1"}, command=f"go {name}"
    )
    other = make_run(tmp_path, data={"source": "b", "sha256": "2"})
    table = summary.refresh(tmp_path).assign(unit=encoded(name), machine="m")
    text = markdown.document(table, [f"{name} and {name}"])
    text += "\n" + markdown.origins(table)
    shown = rendered(text)
    assert shown.count(printable(name)) >= 6, shown
    rows = [line for line in text.splitlines() if line.startswith("|")]
    widths = [len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows]
    assert set(widths) == {7, 10, 5}  # cells of overview, models, origins, and 1
    assert "<img" not in re.sub("`[^`]*`", "", text)
    assert made.name in text
    assert other.name in text


def rendered(text: str) -> str:
    """Undo what Markdown undoes in a text: code, entities, backslashes."""

    def undo(part: str) -> str:
        return html.unescape(re.sub(r"\\(?=\|)", "", part)) if part[:1] == "`" else part

    parts = re.split(r"(`[^`]*`)", re.sub(r"\\`", "&#96;", text))
    parts = [
        part.replace(r"\|", "|")
        if part.startswith("`")
        else html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", part))
        for part in parts
    ]
    return "".join(map(undo, parts))


@hostile
def test_the_page_shows_it(tmp_path, name):
    """Would catch a script, and control characters in the browser."""
    path = finished_run(
        tmp_path, "run", data={"source": name, "sha256": "1"}, command=f"go {name}"
    )
    rows = [{"model": name, "milliseconds": 1}]
    files.write_csv(path / "cost.csv", [], rows)
    page = write_page(tmp_path)
    assert "<img src=x" not in page
    text = html.unescape(re.sub("<[^>]*>", "", page))
    assert text.count(printable(name)) >= 3
    assert not [c for c in page if printable(c) != c and c not in "\n"]


@hostile
def test_a_csv_file_holds_it(tmp_path, name):
    """Would catch a cell that ends its row; what is no UTF-8 is written as escapes."""
    path = tmp_path / "a.csv"
    files.write_csv(path, ["a"], [{"a": name, name: -3.5}, {"a": "b"}])
    frame = pd.read_csv(path, keep_default_na=False)
    assert list(frame) == ["a", encoded(name)]
    assert frame.to_numpy().tolist() == [[encoded(name), "-3.5"], ["b", ""]]
