"""How far a run is: what the display shows, alone and for several runs in a row."""

import io

from rich.console import Console

from rnn_tf.recipe import progress
from rnn_tf.recipe.progress import RunProgress

DONE = {"status": "completed", "score": 0.5, "epochs": 3, "seconds": 1.0}


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=60)


def shown(bar) -> dict[str, float]:
    """Description -> share done, of each bar."""
    return {task.description: task.percentage for task in bar.tasks}


def test_runs_in_a_row_share_one_display(monkeypatch):
    """Would catch a second live display, on which rich fails or which flickers, and a
    bar for all that does not move while a run goes on."""
    console = terminal()
    monkeypatch.setattr(progress, "Console", lambda: console)
    with progress.several(2):
        assert progress.console() is console
        with RunProgress(4, progress.console()) as first:
            first.begin("a", "mlp")
            first.begin("b", "gru")
            first.epoch("a", 1, 2)
            first.epoch("b", 1, 4)
            assert shown(first.bar) == {
                "run 1 of 2": 9.375,
                "0 of 4 fits": 18.75,
                "mlp": 50,
                "gru": 25,
            }
            first.finish("a", "seed 1", DONE)
            first.skip(2)
            assert shown(first.bar)["3 of 4 fits"] == 81.25
        bar = first.bar
        assert shown(bar) == {"run 2 of 2": 50}
        with RunProgress(1, progress.console()) as second:
            assert second.bar is bar
            second.finish("a", "seed 1", DONE)
        assert shown(bar) == {"run 2 of 2": 100}
    assert progress.console() is console  # a new one, of its own


def test_names_are_worked_on_below_one_bar_or_get_a_line_each():
    """Would catch a display that a notebook needs ipywidgets for, and a silent log."""
    on_terminal, in_file = terminal(), Console(file=io.StringIO(), width=60)
    for console in (on_terminal, in_file):
        assert list(progress.one_by_one(["parity", "names"], console)) == [
            "parity",
            "names",
        ]
    assert "parity ·" not in on_terminal.file.getvalue()
    lines = in_file.file.getvalue().splitlines()
    assert lines == ["parity · 0.0 s", "names · 0.0 s"]


def test_names_inside_several_runs_share_their_display(monkeypatch):
    """Would catch a second live display, on which some versions of rich fail."""
    console = terminal()
    monkeypatch.setattr(progress, "Console", lambda: console)
    with progress.several(1):
        names = progress.one_by_one(["parity", "names"], progress.console())
        next(names)
        bar = progress._several[0].bar
        assert shown(bar) == {"run 1 of 1": 0, "0 of 2 tasks": 0, "parity": 0}
        next(names)
        assert shown(bar) == {"run 1 of 1": 50, "1 of 2 tasks": 50, "names": 0}
        assert not list(names)
        assert shown(bar) == {"run 1 of 1": 100}


def test_a_run_alone_has_a_display_of_its_own():
    with RunProgress(2, terminal()) as alone:
        alone.finish("a", "seed 1", DONE)
        assert alone.several is None
        assert shown(alone.bar) == {"1 of 2 fits": 50}


def test_without_a_terminal_each_fit_is_a_line_and_a_failure_is_one_everywhere():
    file = io.StringIO()
    with RunProgress(2, Console(file=file)) as plain:
        plain.finish("a", "mlp · seed 1/2", DONE)
    assert file.getvalue() == (
        "mlp · seed 1/2 · completed: validation 0.5000 · 3 epochs, 1.0 s\n"
    )
    console = terminal()
    with RunProgress(2, console) as bars:
        bars.finish("a", "seed 1", DONE)
        bars.finish("b", "seed 2", DONE | {"status": "failed", "error": "no number"})
    said = console.file.getvalue()
    assert "failed: no number" in said
    assert "validation" not in said


def test_a_run_that_fails_leaves_no_display_behind(monkeypatch):
    """Would catch a display that goes on over the error."""
    monkeypatch.setattr(progress, "Console", terminal)
    try:
        with progress.several(2), RunProgress(1, progress.console()):
            raise ValueError
    except ValueError:
        pass
    assert not progress._several
