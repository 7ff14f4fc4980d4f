"""The tables of the READMEs on gradients, from made-up runs."""

from rnn_tf.report import gradient_tables


def remedy(model, against, seed, error, diverged=0):
    row = {"model": model, "against": against, "seed": str(seed)}
    return row | {"error": error, "diverged": str(diverged)}


def test_remedies_are_paired_with_what_they_differ_from(monkeypatch):
    """By hand: -2 and -4 a seed; would catch a failed seed that shifts the pairs."""
    rows = [remedy("none", "", seed, f"0.0{seed}") for seed in (1, 2, 3)]
    rows += [remedy("gru", "none", 3, "0.026"), remedy("gru", "none", 1, "0.008")]
    rows += [remedy("rate_9", "", seed, "", diverged=1) for seed in (1, 2)]
    monkeypatch.setattr(gradient_tables, "rows_of", lambda folder, name: rows)
    table = gradient_tables.remedies(None, 1000, 1).splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[2:]]
    assert cells == [
        ["none", "20.0 ± 10.0", "", "", "0 of 3"],
        ["gru", "17.0 ± 12.7", "none", "-3.0 [-15.7, +9.7]", "0 of 2"],
        ["rate_9", "", "", "", "2 of 2"],
    ]


def test_recall_has_a_line_per_cell_and_a_column_per_distance(monkeypatch):
    """Would catch lstm_bias_5_0 that is read as an LSTM."""
    models = {"lstm_0": 1, "lstm_100": 80, "lstm_bias_5_0": 2, "none": 9, "gru_100": 3}
    summary = {name: {"mean": mean, "sd": 0.25} for name, mean in models.items()}
    monkeypatch.setattr(gradient_tables, "by_model", lambda folder: summary)
    table = gradient_tables.recall(None).splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table]
    assert cells[0] == ["", "0", "100"]
    assert cells[2:] == [
        ["LSTM", "1.0 ± 0.2", "80.0 ± 0.2"],
        ["LSTM with forget bias 5", "2.0 ± 0.2", ""],
        ["GRU", "", "3.0 ± 0.2"],
    ]
