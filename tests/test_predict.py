"""Guesses for reading; the commands themselves are run with the experiments."""

import io

import numpy as np
from rich.console import Console

from rnn_tf.recipe import predict


def test_guesses_are_read_best_first():
    """Would catch a third guess where there are two classes, and lines that slip."""
    likely = np.array([[0.2, 0.8], [0.904, 0.096]])
    about = {"file": ["a.mp4", "b.mp4"], "seconds": ["1.0", "2.5"]}
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(predict.table(about, likely, ("cat", "dog")))
    lines = [" ".join(line.split()) for line in console.export_text().splitlines()]
    assert "file seconds best guess then then" in lines
    assert "a.mp4 1.0 dog 80 % cat 20 %" in lines
    assert "b.mp4 2.5 cat 90 % dog 10 %" in lines
