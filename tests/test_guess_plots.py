"""Pictures of guesses: of which model and seed they are."""

import pandas as pd

from rnn_tf.report import guess_plots


def test_pictures_show_the_guesses_of_one_seed_of_the_chosen_model(tmp_path):
    """Would catch the baseline's guesses, or two seeds' beside the same example."""
    rows = [
        {"model": model, "seed": seed, "example": example}
        | {"target": "a", "prediction": "ab"[example]}
        for model, seed in (("majority", ""), ("best", 2), ("best", 5))
        for example in (0, 1)
    ]
    history = {"model": "best", "seed": 1, "epoch": 1, "loss": 1.0, "score": 0.5}
    tables = {"predictions": pd.DataFrame(rows), "history": pd.DataFrame([history])}
    guesses = guess_plots.first_seed(tables["predictions"], "best")
    chosen = guesses[["model", "seed", "example"]].to_numpy().tolist()
    assert chosen == [["best", 2, 0], ["best", 2, 1]]
    guess_plots.classification(tmp_path, tables, "best", ("a", "b"))
    pictures = {path.name for path in tmp_path.iterdir()}
    assert pictures == {"confusion.png", "learning_curves.png"}
